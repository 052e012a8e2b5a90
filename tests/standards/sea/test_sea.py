"""The sea: tables, classes, shares and words, interpolation, river loads, and the same on every engine."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import sea
from qinglan.standards.edition import editions
from qinglan.standards.sea.tables import FOLDER, SeaClasses

CLEAN = {"pH": 8.1, "溶解氧": 6.5, "COD": 1.0, "无机氮": 0.1, "活性磷酸盐": 0.01, "石油类": 0.02}
SQUARE = {"type": "Polygon", "coordinates": [[[120, 40], [120.2, 40], [120.2, 40.2], [120, 40.2], [120, 40]]]}


def point(values: dict[str, Any], site: str = "a", **columns: Any) -> pl.DataFrame:
    texts = any(isinstance(value, str) for value in values.values())
    column = [str(value) if texts else float(value) for value in values.values()]
    frame = pl.DataFrame({"site": site, "factor": list(values), "value": column})
    return frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def one(values: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return sea.point_class(point(values, **columns)).row(0, named=True)


def facts(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "standards/sea" / name).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.mark.golden
def test_declared_tables_equal_the_facts(shared: Path) -> None:
    with (FOLDER / "GB3097-1997.csv").open(encoding="utf-8", newline="") as table:
        ours = list(csv.DictReader(table))
    theirs = facts(shared, "gb3097_1997.csv")
    assert len(ours) == len(theirs) == 39
    for mine, fact in zip(ours, theirs, strict=True):
        assert mine["check"] == ("P" if fact["checked"].startswith("secondary") else "M")
        assert {key: value for key, value in mine.items() if key != "check"} == {
            key: value for key, value in fact.items() if key != "checked"
        }


@pytest.mark.golden
def test_the_words_are_those_of_the_facts(shared: Path) -> None:
    found = tomllib.loads((shared / "standards/sea/sea_evaluation.toml").read_text("utf-8"))
    rules = sea.evaluation()
    assert [grade.word for grade in rules.grades] == [grade["word"] for grade in found["grade"]]
    assert list(rules.routine) == found["point"]["routine_items"]
    first = [int(number) for number in re.findall(r">= (\d+) %", found["grade"][0]["rule"])]
    assert [int(rules.grades[0].class1), int(rules.grades[0].good)] == first


@pytest.mark.golden
def test_ten_stations_of_qingdao(shared: Path) -> None:
    rows = facts(shared, "example_qingdao_2017.csv")
    assert len(rows) == 10
    frame = pl.concat(
        point({name: row[name] for name in ("do", "cod", "din", "dip", "oil")}, row["station"]) for row in rows
    ).with_columns(pl.col("value").cast(pl.Float64))
    found = {row["site"]: row for row in sea.point_class(frame).rows(named=True)}
    for row in rows:
        assert found[row["station"]]["water_class"] == (5 if row["class_computed"] == "劣四" else 4)
        assert f"{found[row['station']]['e_rounded']:.2f}" == row["E_computed"]
        assert found[row["station"]]["missing"] == "pH"


@pytest.mark.golden
def test_the_published_word_of_the_national_sea(shared: Path) -> None:
    (row,) = facts(shared, "example_grade.csv")
    frame = pl.DataFrame({name: [float(row[name])] for name in ("class1", "class2", "worse")})
    assert sea.grade_words(frame)["word"].item() == row["published_grade"] == "一般"


@pytest.mark.golden
def test_the_national_series_has_the_words_of_the_rule(shared: Path) -> None:
    """By good share alone: 80 % from 2021 on is 良好 (class 1 is not given and taken as none)."""
    rows = facts(shared, "example_national_share.csv")
    frame = pl.DataFrame(
        {
            "class1": 0.0,
            "class2": [float(row["good_share_percent"]) for row in rows],
            "worse": [float(row["worse_than_4_percent"]) for row in rows],
        }
    )
    assert sea.grade_words(frame)["word"].to_list() == ["一般"] * 4 + ["良好"] * 3


def test_every_example_holds() -> None:
    assert [finding for edition in (*sea.classes(), sea.evaluation()) for finding in edition.run_examples()] == []


def test_a_changed_limit_is_noticed(tmp_path: Path) -> None:
    for path in FOLDER.glob("*"):
        text = path.read_text("utf-8")
        (tmp_path / path.name).write_text(text.replace(",6,5,4,3,", ",5,5,4,3,"), "utf-8")
    (changed,) = editions(tmp_path, SeaClasses, "GB 3097")
    assert len(changed.items) == 35
    assert changed.limits(1)["do"] == 5


@pytest.mark.parametrize(
    ("item", "value", "water_class"),
    [
        ("溶解氧", 6.01, 1), ("溶解氧", 6.0, 2), ("溶解氧", 5.0, 3), ("溶解氧", 4.0, 4), ("溶解氧", 3.0, 5),
        ("无机氮", 0.2, 1), ("无机氮", 0.201, 2), ("无机氮", 0.5, 4), ("无机氮", 0.5001, 5),
        ("活性磷酸盐", 0.015, 1), ("活性磷酸盐", 0.0151, 2), ("活性磷酸盐", 0.031, 4), ("活性磷酸盐", 0.046, 5),
        ("pH", 7.8, 1), ("pH", 8.5, 1), ("pH", 7.79, 3), ("pH", 8.51, 3), ("pH", 6.79, 5), ("pH", 8.81, 5),
        ("石油类", 0.05, 1), ("石油类", 0.051, 3), ("汞", 0.00005, 1), ("汞", 0.0000504, 2),
        ("coliform", 10001.0, 4), ("苯并(a)芘", 0.0026, 5),
    ],
)  # fmt: skip
def test_classes_at_their_limits(item: str, value: float, water_class: int) -> None:
    found = one(CLEAN | {item: value})
    assert found["water_class"] == water_class
    assert found["word"] == ("一类", "二类", "三类", "四类", "劣四类")[water_class - 1]


def test_lists_and_nutrients() -> None:
    """DIN 0.915: (0.915 − 0.3)/0.3 = 2.05; E = 1·0.915·0.01·10^6/4500 = 2.03."""
    found = one(CLEAN | {"无机氮": 0.915, "溶解氧": 4.5})
    assert (found["deciding"], found["exceeding"]) == ("无机氮", "溶解氧、无机氮(2.05)")
    assert (found["e_rounded"], found["nutrients"]) == (2.03, "轻度富营养")
    assert (found["edition"], found["missing"], found["note"]) == ("GB 3097—1997", None, None)
    assert "未全" in found["clause"]
    steps = {
        4.5: "轻度富营养",
        4.4: "未富营养",
        13.5: "轻度富营养",
        13.6: "中度富营养",
        40.5: "中度富营养",
        41.0: "重度富营养",
    }
    for cod, word in steps.items():
        assert one(CLEAN | {"COD": cod, "无机氮": 0.1})["nutrients"] == word


def test_below_detection_is_judged_by_both_ends() -> None:
    assert one(CLEAN | {"石油类": "<0.05"})["water_class"] == 1
    unclear = one(CLEAN | {"石油类": "<0.06"})
    assert (unclear["water_class"], unclear["word"]) == (None, None)
    assert "检出限高于限值" in unclear["note"]
    assert one(CLEAN | {"石油类": "<0.06", "无机氮": 0.35})["water_class"] == 3
    assert one(CLEAN | {"活性磷酸盐": "<0.01"})["e"] is None
    assert "未给检出限" in one(CLEAN | {"石油类": "未检出"})["note"]


def test_units_flags_and_impossible_values() -> None:
    micro = point({"汞": 0.06}, unit="μg/L")
    assert sea.point_class(micro)["water_class"].item() == 2
    flagged = pl.concat([point(CLEAN), point({"无机氮": 9.0})]).with_columns(
        flag=pl.Series([None] * 6 + ["F"], dtype=pl.String)
    )
    assert sea.point_class(flagged)["water_class"].item() == 1
    broken = pl.concat([point({name: value for name, value in CLEAN.items() if name != "pH"}), point({"pH": 15.0})])
    found = sea.point_class(broken).row(0, named=True)
    assert found["missing"] == "pH"
    assert "不可能" in found["note"]
    mixed = pl.concat([broken, point({"PM2.5": 30.0, "COD": -1.0})])
    assert sea.rejects(mixed).select("factor", "zh").rows() == [
        ("pH", "不可能大于 14"), ("PM2.5", "不是 GB 3097—1997 的项目"), ("COD", "不可能为负值"),
    ]  # fmt: skip


def test_wrong_input_is_refused_by_name() -> None:
    with pytest.raises(InputError, match=r"只有 PM2\.5"):
        sea.point_class(point({"PM2.5": 30.0}))
    with pytest.raises(InputError, match="缺少列 factor"):
        sea.point_class(point(CLEAN).drop("factor"))
    with pytest.raises(InputError, match="汞 的单位“mg/m3”"):
        sea.point_class(point({"汞": 0.1}, unit="mg/m3"))
    with pytest.raises(EditionError, match="1998-06-30"):
        sea.point_class(point(CLEAN, time=date(1998, 6, 30)))
    with pytest.raises(InputError, match="0—100"):
        sea.grade_words(pl.DataFrame({"class1": [101.0], "class2": [0.0], "worse": [0.0]}))


def test_shares_by_points_and_by_areas() -> None:
    points = pl.DataFrame(
        {"survey": ["春"] * 3 + ["秋"] * 3, "water_class": [1, 2, 5, 1, None, 3], "area": [6.0, 3, 1, 1, 9, 1]}
    )
    by_points = sea.shares_by_points(points, by=["survey"]).sort("survey")
    assert by_points.select("survey", "class1", "good", "worse", "word", "judged", "missing").rows() == [
        ("春", 33.3, 66.7, 33.3, "差", 3, None),
        ("秋", 50.0, 50.0, 0.0, "差", 2, "1个点位"),
    ]
    by_areas = sea.shares_by_areas(points, by=["survey"]).sort("survey")
    assert by_areas.select("good", "worse", "word").row(0) == (90.0, 10.0, "优")
    assert set(by_areas["method"]) == {"自测：给定面积比例"}


def test_the_word_is_compared_exactly_and_not_by_rounded_shares() -> None:
    """59.96 % of class 1 prints as 60.0 and is not 优; good 90 %."""
    found = sea.shares_by_areas(pl.DataFrame({"water_class": [1, 2, 3], "area": [59.96, 30.04, 10.0]}))
    assert found.select("class1", "good", "word").row(0) == (60.0, 90.0, "良好")


def test_a_year_is_the_mean_of_its_surveys() -> None:
    surveys = pl.DataFrame(
        {"year": [2025] * 3 + [2024], "class1": [30.0, 50, 40, 90], "class2": [40.0, 30, 20, 5],
         "class3": [10.0, 10, 10, 5], "class4": [10.0, 5, 0, 0], "worse": [10.0, 5, 30, 0]}
    )  # fmt: skip
    found = sea.yearly_shares(surveys).sort("year")
    assert found.select("good", "worse", "word", "surveys", "missing").rows() == [
        (95.0, 0.0, "优", 1, "2期"), (70.0, 15.0, "一般", 3, None),
    ]  # fmt: skip


def test_interpolation_halves_a_square_between_two_waters() -> None:
    """Mirror-symmetric points: the west is class 1, the east class 5, the middle passes through all."""
    frame = pl.DataFrame(
        {"site": list("abcd"), "longitude": [120.0, 120.0, 120.2, 120.2], "latitude": [40.0, 40.2, 40.0, 40.2],
         "factor": "无机氮", "value": [0.1, 0.1, 0.7, 0.7]}
    )  # fmt: skip
    found = sea.shares_by_interpolation(frame, SQUARE, cell_km=0.5).row(0, named=True)
    total = sum(found[part] for part in ("class1", "class2", "class3", "class4", "worse"))
    assert total == pytest.approx(100, abs=0.3)
    assert found["class1"] + found["class2"] + found["class3"] == pytest.approx(50, abs=1.5)
    assert found["area_km2"] == pytest.approx(0.2**2 * 111.195**2 * 0.7649, rel=0.02)  # cos 40.1° = 0.7649
    assert "自测" in found["method"]
    assert "非官方" in found["note"]
    assert found["missing"] == "pH、溶解氧、化学需氧量(碱性高锰酸钾法)、活性磷酸盐(以P计)、石油类"


def test_a_hole_is_left_out_and_a_bad_area_refused() -> None:
    hole = [[120.05, 40.05], [120.15, 40.05], [120.15, 40.15], [120.05, 40.15], [120.05, 40.05]]
    ring = {"type": "Polygon", "coordinates": [SQUARE["coordinates"][0], hole]}  # type: ignore[index]
    frame = pl.DataFrame(
        {"site": list("abc"), "longitude": [120.0, 120.2, 120.1], "latitude": [40.0, 40.0, 40.2], "factor": "COD",
         "value": [1.0, 1.0, 1.0]}
    )  # fmt: skip
    whole, part = (sea.shares_by_interpolation(frame, area, cell_km=0.25) for area in (SQUARE, ring))
    assert part["area_km2"].item() == pytest.approx(0.75 * whole["area_km2"].item(), rel=0.02)
    with pytest.raises(InputError, match="GeoJSON"):
        sea.shares_by_interpolation(frame, {"type": "Point", "coordinates": [120, 40]})
    with pytest.raises(InputError, match="格边"):
        sea.shares_by_interpolation(frame, SQUARE, cell_km=0)
    with pytest.raises(InputError, match="3 个以上点位"):
        sea.shares_by_interpolation(frame.head(2), SQUARE)


def river(year: int, values: list[float | None], runoff: float = 100.0) -> pl.DataFrame:
    times = [datetime(year, month, 1) for month in range(1, len(values) + 1)]
    return pl.DataFrame(
        {"site": "r", "time": times, "value": values, "runoff": runoff}, schema_overrides={"value": pl.Float64}
    )


def test_river_flux_against_the_base_year() -> None:
    """4 mg/L × 100·10⁴ m³ × 12 = 48 t; 2025 has one month missing: no flux and no verdict."""
    frame = pl.concat([river(2020, [4.0] * 12), river(2024, [4.4] * 12, 50.0), river(2025, [3.0] * 11)])
    found = sea.river_flux(frame).sort("year")
    assert found.select("year", "flux", "rounded", "change", "meets", "missing").rows() == [
        (2020, 48.0, 4.0, 0.0, True, None),
        (2024, 26.4, 4.4, 10.0, False, None),
        (2025, None, 3.0, None, None, "1个月"),
    ]
    assert "浓度月份不足" in found["note"][2]
    assert "缺 2019 年" in sea.river_flux(frame, base_year=2019)["note"][0]


def plain(result: Any) -> pl.DataFrame:
    found = nw.from_native(result)
    frame = pl.from_arrow((found.collect() if isinstance(found, nw.LazyFrame) else found).to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(pl.col(pl.Int8, pl.Int16, pl.Int32, pl.UInt32).cast(pl.Int64))


def same(ours: Any, theirs: Any, keys: list[str]) -> None:
    left = plain(ours).sort(keys)
    right = plain(theirs).select(left.columns).sort(keys)
    assert left.height == right.height > 0
    assert left.drop("e", strict=False).rows() == right.drop("e", strict=False).rows()


def test_every_engine_gives_the_same(engine: Callable[[pl.DataFrame], Any]) -> None:
    names = [*CLEAN, "汞"]
    frames = []
    for site in range(20):
        values = [8.0, 7.0 - 0.2 * (site % 15), 1.0 + site % 3, 0.03 * site, 0.0015 * site, 0.02 * (site % 4), 0.00004]
        texts = [f"<{v:.5f}" if (site + i) % 9 == 8 and i else f"{v:.5f}" for i, v in enumerate(values)]
        frames.append(pl.DataFrame({"site": f"s{site:02}", "factor": names, "value": texts}))
    frame = pl.concat(frames)
    ours, theirs = sea.point_class(frame), sea.point_class(engine(frame))
    assert len(set(ours["water_class"].to_list())) >= 4
    same(ours, theirs, ["site"])
    same(sea.shares_by_points(ours), sea.shares_by_points(theirs), ["judged"])
    rivers = pl.concat([river(2020, [4.0 + m / 7 for m in range(12)]), river(2025, [3.0 + m / 3 for m in range(12)])])
    mine, other = (plain(sea.river_flux(f)).sort("year") for f in (rivers, engine(rivers)))
    assert (
        mine.drop("mean", "weighted_mean", "flux").rows()
        == other.select(mine.columns).drop("mean", "weighted_mean", "flux").rows()
    )
    assert mine["flux"].to_list() == pytest.approx(other["flux"].to_list(), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 900), min_size=5, max_size=5),
    st.integers(0, 4),
    st.integers(1, 900),
    st.randoms(use_true_random=False),
)
def test_worse_is_never_better_order_and_units_change_nothing(
    numbers: list[int], which: int, more: int, random: Any
) -> None:
    items = ["无机氮", "活性磷酸盐", "石油类", "COD", "汞"]
    scales = [1000, 10000, 1000, 100, 1e7]
    values = {item: number / scale for item, number, scale in zip(items, numbers, scales, strict=True)}
    worse = values | {items[which]: (numbers[which] + more) / scales[which]}
    before = one(values)
    assert one(worse)["water_class"] >= before["water_class"]
    order = list(range(5))
    random.shuffle(order)
    assert sea.point_class(point(values)[order]).row(0, named=True) == before
    micro = point(
        {item: number * 1000 / scale for item, number, scale in zip(items, numbers, scales, strict=True)}, unit="ug/L"
    )
    assert sea.point_class(micro)["water_class"].item() == before["water_class"]
    gone = one({item: value for item, value in values.items() if item != items[which]})
    assert items[which] == "汞" or gone["missing"] != before["missing"]
