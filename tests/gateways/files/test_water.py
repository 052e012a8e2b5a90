"""Water from files: wide and tidy tables of laboratories, and the national feed's JSON."""

from __future__ import annotations

import csv
import gzip
import html
import json
import re
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from qinglan.core.errors import InputError
from qinglan.gateways.files.water_feed import day_in_name, open_feed

TITLES = ["省份", "流域", "断面名称", "监测时间", "水质类别", "水温<br/><span class='unit'>(℃)</span>",
          "pH<br/><span class='unit'>(无量纲)</span>", "氨氮<br/><span class='unit'>(mg/L)</span>",
          "叶绿素α<br/><span class='unit'>(mg/L)</span>", "站点情况"]  # fmt: skip
NAME = "<span data-toggle='tooltip' title='所在地市:甲市&#10;所属河流:乙河'>一号桥</span>"


def cell(raw: str, shown: str) -> str:
    return f"<span title='原始值：{raw}'>{shown}</span>"


def feed(folder: Path, *rows: list[Any], name: str = "feed_2021-01-02.json", titles: list[str] | None = None) -> Path:
    path = folder / name
    content = {"result": 1, "thead": titles or TITLES, "tbody": list(rows)}
    text = json.dumps(content, ensure_ascii=False).encode()
    path.write_bytes(gzip.compress(text) if name.endswith(".gz") else text)
    return path


ROW = [
    "丙省",
    "丁流域",
    NAME,
    "01-02 08:00",
    "劣Ⅴ",
    cell("3.14", "3.1"),
    "7.20",
    cell("0.0149", "0.015"),
    "0.005",
    "正常",
]


def test_a_row_of_the_feed_becomes_samples_with_unrounded_values(home, tmp_path):
    found = home.take(feed(tmp_path, ROW), medium="water")
    rows = {row["factor"]: row for row in home.rows().iter_rows(named=True)}
    assert {factor: row["value"] for factor, row in rows.items()} == {
        "w01010": 3.14, "w01001": 7.2, "w21003": 0.0149, "water-class": 6.0,
        # 0.005 mg/L are 5 mg/m3.
        "w01016": 5.0,
    }  # fmt: skip
    one = rows["w21003"]
    assert (one["site"], one["grain"], one["source"]) == ("丙省/一号桥", "sample", "cnemc")
    # 8 o'clock in Beijing.
    assert one["time"] == datetime(2021, 1, 2, 0, 0, tzinfo=UTC)
    assert (found["counts"]["read"], found["counts"]["added"]) == (5, 5)
    assert found["files"][0]["layout"] == "water-feed"


def test_what_the_lake_has_no_column_for_is_listed_and_its_place_is_said(home, tmp_path):
    found = home.take(feed(tmp_path, ROW), medium="water")
    (path,) = (home.settings.files / found["id"]).glob("sections-*.csv")
    with path.open(encoding="utf-8-sig") as file:
        assert list(csv.DictReader(file)) == [
            {
                "site": "丙省/一号桥",
                "province": "丙省",
                "basin": "丁流域",
                "section": "一号桥",
                "city": "甲市",
                "river": "乙河",
            }
        ]
    assert any(str(path) in guess["zh"] and "water-class" in guess["zh"] for guess in found["files"][0]["guesses"])


def test_a_station_that_stands_still_is_empty_and_one_under_maintenance_does_not_count(home, tmp_path):
    still = ["丙省", "丁流域", "二号桥", None, "", "--", "--", "--", "*", "停站"]
    kept = ["丙省", "丁流域", "三号桥", "01-02 08:00", "", "4.0", "--", "0.2", "*", "维护"]
    found = home.take(feed(tmp_path, still, kept), medium="water")
    counts = found["counts"]
    # Five cells each; of the second the class, pH and chlorophyll are blank.
    assert (counts["read"], counts["empty"], counts["added"], counts["rejected"]) == (10, 8, 2, 0)
    assert home.rows()["flag"].unique().to_list() == ["M"]


def test_the_year_is_that_of_the_last_such_day_before_the_fetching(home, tmp_path):
    stale = [*ROW[:3], "12-31 20:00", *ROW[4:]]
    home.take(feed(tmp_path, stale), medium="water")
    assert home.rows()["time"].unique().to_list() == [datetime(2020, 12, 31, 12, 0, tzinfo=UTC)]


def test_without_a_day_the_feed_is_refused_and_the_mapping_may_say_it(home, tmp_path):
    path = feed(tmp_path, ROW, name="feed.json.gz")
    with pytest.raises(InputError, match="没有年份") as refusal:
        home.take(path, medium="water")
    assert refusal.value.field == "date"
    assert home.lake.revision == 0
    home.take(path, medium="water", mapping="date: 2022-01-05\n")
    assert home.rows()["time"].dt.year().unique().to_list() == [2022]


def test_cells_that_are_no_numbers_and_rows_that_are_cut_off_are_rejected_by_row(home, tmp_path):
    odd = [*ROW[:7], "约0.2", "*", "很好"]
    path = feed(tmp_path, ROW, odd, ROW[:4], [*ROW[:3], "13-45 08:00", *ROW[4:]])
    found = home.take(path, medium="water")
    with (home.settings.files / found["id"] / "rejects.csv").open(encoding="utf-8-sig") as file:
        lines = [(row["row"], row["field"]) for row in csv.DictReader(file)]
    rows = {row for row, _ in lines}
    # The header is row 1: the second record stands in row 3, the cut one in 4, the one without a day in 5.
    assert rows == {"3", "4", "5"}
    assert ("5", "监测时间") in lines
    assert any("站点情况" in (field or "") for row, field in lines if row == "3")
    counts = found["counts"]
    assert counts["read"] == counts["added"] + counts["rejected"] + counts["empty"]
    assert counts["added"] == 5


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b'{"result": 1, "thead": ["a"], "tbody": []}', "thead"),
        (b'{"rows": []}', "thead"),
        (b'{"result": 1, "thead": [', "JSON"),
        (b"{}", "thead"),
    ],
)
def test_other_json_is_refused_in_one_sentence(tmp_path, home, content, word):
    path = tmp_path / "other_2021-01-01.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=word):
        home.take(path, medium="water")


def test_a_table_is_not_the_feed_and_the_feed_no_table_of_air(home, tmp_path):
    table = tmp_path / "t.csv"
    table.write_text("断面,时间,氨氮\na,2024-01-01 08:00,0.1\n", "utf-8")
    with pytest.raises(InputError, match="JSON"):
        home.take(table, medium="water", layout="water-feed")
    with pytest.raises(InputError, match="water-feed"):
        home.take(feed(tmp_path, ROW), layout="national-feed")


def test_a_laboratorys_table_with_units_qualifiers_and_names_that_are_several_things_elsewhere(home, tmp_path):
    path = tmp_path / "lab.csv"
    path.write_text(
        "断面名称,采样时间,化学需氧量(mg/L),砷(ug/L),铅(mg/L),氟化物(mg/L),粪大肠菌群(个/L),石油类,六价铬(mg/L)\n"
        "一号,2024-05-06 09:30,18,1.2,0.001L,0.45,2300,<0.01,未检出\n"
        "一号,2024-05-07,19,1.3,0.002,0.46,2400,0.02,0.004\n",
        "utf-8",
    )
    found = home.take(path, medium="water")
    first = home.rows().filter(pl.col("time") == datetime(2024, 5, 6, 1, 30, tzinfo=UTC))
    kept = {row["factor"]: (row["value"], row["qualifier"]) for row in first.iter_rows(named=True)}
    assert kept == {
        "w01018": (18.0, None),
        "w20141": (0.0012, None),
        "w20144": (0.001, "<"),
        "w21017": (0.45, None),
        "w02003": (2300.0, None),
        "w22001": (0.01, "<"),
        "w20117": (None, "ND"),
    }
    assert home.rows()["grain"].unique().to_list() == ["sample"]
    assert found["counts"]["added"] == 14
    # 0.004 mg/L of chromium are 4 µg/L, the unit of its code.
    chromium = home.rows().filter(pl.col("factor") == "w20117", pl.col("value").is_not_null())["value"].to_list()
    assert chromium == [4.0]


def test_months_are_months_and_a_tidy_table_goes_by_its_factor(home, tmp_path):
    path = tmp_path / "months.csv"
    path.write_text("断面,月份,项目,监测值,单位\n甲,2024-05,总磷,0.12,mg/L\n甲,2024-05,砷,1.5,ug/L\n", "utf-8")
    mapping = "columns: {site: 断面, time: 月份, factor: 项目, value: 监测值, unit: 单位}\n"
    home.take(path, medium="water", mapping=mapping, basis="assessed")
    kept = home.rows().select("factor", "grain", "basis", "value").rows()
    assert kept == [("w20141", "month", "assessed", 0.0015), ("w21011", "month", "assessed", 0.12)]


def test_hours_of_air_still_need_their_stamp(home, tmp_path):
    path = tmp_path / "air.csv"
    path.write_text("站点,时间,PM2.5\nA,2024-01-01 08:00,12\nA,2024-01-01 09:00,13\n", "utf-8")
    with pytest.raises(InputError) as refusal:
        home.take(path)
    assert refusal.value.field == "stamp"


def test_excel_and_parquet_of_the_same_table_are_the_same(home, tmp_path):
    frame = pl.DataFrame(
        {"断面": ["甲", "乙"], "采样日期": ["2024-05-06", "2024-05-07"], "氨氮": [0.31, 0.52], "总氮": [2.5, 3.5]}
    )
    for path, write in ((tmp_path / "t.xlsx", frame.write_excel), (tmp_path / "t.parquet", frame.write_parquet)):
        write(path)
    first = home.take(tmp_path / "t.parquet", medium="water")
    second = home.take(tmp_path / "t.xlsx", medium="water")
    assert (first["counts"]["added"], second["counts"]["added"], second["counts"]["repeated"]) == (4, 0, 4)


def test_values_that_cannot_be_and_unknown_sections_are_said(home, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("断面,采样日期,pH\n甲,2024-05-06,15.2\n", "utf-8")
    found = home.take(path, medium="water")
    assert any("0–14" in warning["zh"] for warning in found["files"][0]["warnings"])
    assert home.rows()["value"].to_list() == [15.2]


def test_a_day_is_found_in_a_name():
    assert day_in_name("water_20210331.json") == date(2021, 3, 31)
    assert day_in_name("water 2021.03.31.json.gz") == date(2021, 3, 31)
    assert day_in_name("water-2021-02-31.json") is None


@pytest.mark.golden
def test_the_feed_as_it_was_published(home, shared):
    path = shared / "data" / "water" / "sample_2021-03-31.json.gz"
    found = home.take(path, medium="water")
    content = json.loads(gzip.decompress(path.read_bytes()))
    # Read once more with nothing but the standard library.
    wanted: dict[tuple[str, str], float] = {}
    factors = ["w01010", "w01001", "w01009", "w01014", "w01003", "w01019", "w21003", "w21011", "w21001"]
    blank = 0
    for row in content["tbody"]:
        site = f"{row[0]}/{re.sub('<[^>]+>', '', row[2])}"
        grades = ["", "Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ"]
        if row[4]:
            wanted[site, "water-class"] = float(grades.index(row[4]))
        blank += not row[4]
        for factor, text in zip([*factors, "w01016", "w19011"], row[5:16], strict=True):
            raw = re.search("原始值：([^'\"]*)", html.unescape(text))
            shown = raw.group(1) if raw else re.sub("<[^>]+>", "", text)
            if shown in ("--", "*", ""):
                blank += 1
            else:
                wanted[site, factor] = float(shown) * (1000 if factor == "w01016" else 1)
    rows = home.rows()
    assert {(site, factor): value for site, factor, value in rows.select("site", "factor", "value").rows()} == (
        pytest.approx(wanted)
    )
    counts = found["counts"]
    assert (counts["read"], counts["added"], counts["empty"], counts["rejected"]) == (98 * 12, len(wanted), blank, 0)
    # 74 stations work, 8 are under maintenance and 16 stand still.
    marked = rows.filter(pl.col("flag") == "M")["site"].n_unique()
    assert marked == sum(row[-1] == "维护" and row[3] is not None for row in content["tbody"])
    again = home.take(path, medium="water")
    assert (again["counts"]["added"], again["counts"]["repeated"]) == (0, len(wanted))


@pytest.mark.golden
def test_the_feeds_attributes_are_those_of_its_cells(shared):
    path = shared / "data" / "water" / "sample_2021-03-31.json.gz"
    table = open_feed(path, path.name, path.stat().st_size, "")
    found = {row["site"]: row for row in table.attributes().iter_rows(named=True)}
    assert len(found) == 98
    assert (found["北京市/沿河城"]["city"], found["北京市/沿河城"]["river"]) == ("门头沟区", "永定河")
    assert table.fetched == date(2021, 3, 31)
