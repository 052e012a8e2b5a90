"""Which column is what: guessed from names in two languages, said by a mapping, or the national feed's."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from qinglan.core.errors import InputError
from qinglan.gateways.files import layouts
from qinglan.gateways.files.layouts import find_layout
from qinglan.gateways.files.mapping import Columns, Mapping

NOTHING = Mapping()


@pytest.mark.parametrize(
    "header",
    [
        ["site", "factor", "time", "value"],
        ["Station Code", "Parameter", "DateTime", "Concentration"],
        ["点位", "监测项目", "监测时间", "浓度"],
        ["站点编码", "因子", "时间", "监测值"],
        ["\ufeff监测点", "污染物", "采样时间", "监测结果"],
    ],
)
def test_names_of_columns_in_two_languages(header):
    layout = find_layout([header], NOTHING, "t")
    assert (layout.kind, layout.header_rows) == ("tidy", 1)
    assert layout.roles == {"site": 0, "factor": 1, "time": 2, "value": 3}
    assert len(layout.guesses) == 4


@pytest.mark.parametrize("site", ["点位名称", "站点名称", "测点名称", "测点", "站名", "子站名称", "监测站", "断面名称"])
@pytest.mark.parametrize("time", ["发布时间", "开始时间", "监测日期", "数据时间", "时间点", "监测时间"])
def test_names_that_chinese_tables_use(site, time):
    layout = find_layout([[time, site, "PM2.5"]], NOTHING, "t")
    assert layout.roles == {"date" if time == "监测日期" else "time": 0, "site": 1}


@pytest.mark.parametrize(("page", "comma"), [("import.md", ", "), ("import.zh-CN.md", "、")])
def test_the_guide_lists_every_name_of_a_column(page, comma):
    guide = Path(__file__).parents[3] / "docs" / "guide" / page
    cells = [cell.strip() for line in guide.read_text("utf-8").splitlines() for cell in line.split("|")]
    listed = {name for cell in cells for name in cell.split(comma)}
    rows = csv.DictReader(Path(layouts.__file__).with_name("columns.csv").read_text("utf-8").splitlines())
    assert {row["name"] for row in rows} - listed == set()


def test_a_code_is_the_site_and_a_time_of_measuring_the_time_though_others_stand_before():
    header = ["站点名称", "发布时间", "站点编码", "监测时间", "PM2.5"]
    layout = find_layout([header], NOTHING, "t")
    assert layout.roles == {"site": 2, "time": 3}
    assert layout.ignored == ("站点名称", "发布时间")


def test_a_refusal_names_the_row_most_like_a_header_and_what_it_lacks():
    head = [["一月监测数据", "", ""], ["地方", "监测时间", "PM2.5"], ["A", "2023-01-20 08:00", "12"]]
    with pytest.raises(InputError) as refusal:
        find_layout(head, NOTHING, "t.csv")
    assert "第 2 行像表头，缺：点位；认不出的列：地方；" in refusal.value.zh
    assert "row 2 looks like the header and lacks a site; columns not known: 地方;" in refusal.value.en


@pytest.mark.parametrize(
    ("header", "lacking"),
    [
        (["点位", "时间", "项目"], "缺：监测值"),
        (["点位", "时间", "浓度"], "缺：因子"),
        (["点位", "时间", "天气"], "缺：因子与监测值"),
        (["点位", "PM2.5"], "缺：时间"),
    ],
)
def test_a_refusal_names_each_role_that_is_lacking(header, lacking):
    with pytest.raises(InputError) as refusal:
        find_layout([header], NOTHING, "t.csv")
    assert f"{lacking}；" in refusal.value.zh


def test_a_table_with_a_column_for_each_factor():
    layout = find_layout([["站点", "日期", "小时", "PM2.5(μg/m³)", "CO_mg/m3", "AQI", "天气"]], NOTHING, "t")
    assert layout.kind == "wide"
    assert layout.roles == {"site": 0, "date": 1, "hour": 2}
    assert [(one.factor, one.unit) for one in layout.measured.values()] == [
        ("a34004", "ug/m3"),
        ("a21005", "mg/m3"),
        ("aqi", None),
    ]
    assert layout.ignored == ("天气",)


def test_the_national_feed_is_known_by_its_first_three_columns():
    layout = find_layout([["date", "hour", "type", "1001A", "1002A"]], NOTHING, "t")
    assert layout.kind == "national-feed"
    assert [one.site for one in layout.measured.values()] == ["1001A", "1002A"]


def test_a_header_below_a_title_and_of_two_rows():
    head = [["一月", ""], [""], ["点位", "时间", "浓度", ""], ["", "", "PM2.5", "PM10"], ["A", "2023", "1", "2"]]
    layout = find_layout(head, NOTHING, "t")
    assert layout.header_rows == 4
    assert [one.factor for one in layout.measured.values()] == ["a34004", "a34002"]


def test_a_mapping_wins_over_the_guess():
    header = ["时间", "入库时间", "点位", "PM2.5"]
    assert find_layout([header], NOTHING, "t").roles["time"] == 0
    said = Mapping(columns=Columns(time="入库时间"))
    assert find_layout([header], said, "t").roles["time"] == 1


@pytest.mark.parametrize(
    ("header", "mapping", "said"),
    [
        (["a", "b"], NOTHING, "not understood"),
        (["site", "PM2.5"], NOTHING, "not understood"),
        (["time", "PM2.5"], NOTHING, "not understood"),
        (["site", "time", "weather"], NOTHING, "not understood"),
        (["site", "time", "PM2.5"], Mapping(layout="national-feed"), "date,hour,type"),
        (["site", "time", "PM2.5"], Mapping(columns=Columns(site="x", time="time")), "x"),
        (["a", "b"], Mapping(columns=Columns(site="x")), "does not fit"),
        (["site", "time", "PM2.5"], Mapping(header=9), "no header row 9"),
        (["date", "hour", "type", "1001A", "1001A"], NOTHING, "repeats"),
        (["site", "time", "x"], Mapping(factors={"x": "phlogiston"}), "phlogiston"),
    ],
)
def test_what_is_not_understood_is_refused(header, mapping, said):
    with pytest.raises(InputError) as refusal:
        find_layout([header], mapping, "t")
    assert said in refusal.value.en
    assert refusal.value.zh


def test_feed_rows_that_are_not_understood(cleaned):
    found = cleaned(
        "date,hour,type,1001A,1002A\n"
        "20230120,0,PM2.5,6,\n"
        "20230120,0,Radon,6,7\n"
        "20230120,25,PM10,6,7\n"
        "20230120,1,CO,-1,0.7\n",
        stamp=None,
    )
    assert found.rejects.select("row", "field", "value", "fault", "measurements").rows() == [
        (3, "type", "Radon", "factor_unknown", 2),
        (4, "date", "20230120 25", "time_unreadable", 2),
    ]
    assert (found.read, found.empty, found.sentinels, len(found.observations)) == (8, 2, 1, 2)


def test_the_feed_is_never_read_as_stamped_at_the_start(cleaned):
    with pytest.raises(InputError, match="结束"):
        cleaned("date,hour,type,1001A\n20230120,0,PM2.5,6\n", stamp="start")
