"""Groundwater: tables, classes, scores, indices, DRASTIC, and the same on every engine."""

from __future__ import annotations

import csv
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import groundwater
from qinglan.standards.edition import editions
from qinglan.standards.groundwater.tables import FOLDER, Drastic, GroundwaterClasses


def well(values: dict[str, Any], **columns: Any) -> pl.DataFrame:
    texts = any(isinstance(value, str) for value in values.values())
    column = [str(value) if texts else float(value) for value in values.values()]
    frame = pl.DataFrame({"site": "a", "factor": list(values), "value": column})
    return frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def one(values: dict[str, Any], **columns: Any) -> dict[str, Any]:
    return groundwater.well_class(well(values, **columns)).row(0, named=True)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as rows:
        return list(csv.DictReader(rows))


@pytest.mark.golden
@pytest.mark.parametrize(
    ("fact", "declared", "rows"),
    [
        ("gbt14848_2017.csv", "GBT14848-2017.csv", 93),
        ("drastic_ratings.csv", "DRASTIC-1987-ratings.csv", 55),
        ("drastic_weights.csv", "DRASTIC-1987-weights.csv", 7),
    ],
)
def test_declared_tables_equal_the_facts(shared: Path, fact: str, declared: str, rows: int) -> None:
    theirs = table(shared / "standards/groundwater" / fact)
    ours = table(FOLDER / declared)
    assert len(ours) == len(theirs) == rows
    for mine, row in zip(ours, theirs, strict=True):
        assert mine["check"] == ("M" if row["checked"].startswith("memory") else "P")
        assert {key: value for key, value in mine.items() if key != "check"} == {
            key: value for key, value in row.items() if key != "checked"
        }


@pytest.mark.golden
def test_the_rules_are_those_of_the_facts(shared: Path) -> None:
    found = tomllib.loads((shared / "standards/groundwater/evaluation.toml").read_text("utf-8"))
    rules = groundwater.score()
    assert list(rules.scores) == list(found["v1993"]["score"].values())
    assert [grade.word for grade in rules.grades] == [text.split()[0] for text in found["v1993"]["grades"]]
    for grade, text in zip(rules.grades, found["v1993"]["grades"], strict=True):
        assert grade.below is None or f"F<{grade.below:.2f}" in text
    assert list(groundwater.drastic_tables().classes) == found["drastic"]["classes_example"]
    ends = [groundwater.drastic_index(dict.fromkeys("DRASTIC", rating)).item() for rating in (1, 10)]
    assert ends == found["drastic"]["range_generic"]


def test_every_example_holds() -> None:
    declared = [*groundwater.classes(), groundwater.score(), groundwater.drastic_tables()]
    assert [finding for edition in declared for finding in edition.run_examples()] == []


@pytest.mark.parametrize(
    ("model", "number", "name", "before", "after"),
    [
        (GroundwaterClasses, "GB/T 14848", "GBT14848-2017.csv", "0.001,0.001,0.01,0.05", "0.0005,0.001,0.01,0.05"),
        (Drastic, "DRASTIC", "DRASTIC-1987-weights.csv", "D,depth to water,5", "D,depth to water,4"),
    ],
)
def test_a_changed_cell_is_noticed(model: Any, number: str, name: str, before: str, after: str, tmp_path: Path) -> None:
    for path in FOLDER.glob("*"):
        text = path.read_text("utf-8")
        assert path.name != name or before in text
        (tmp_path / path.name).write_text(text.replace(before, after) if path.name == name else text, "utf-8")
    (changed,) = editions(tmp_path, model, number)
    if model is Drastic:
        assert changed.weight["generic"]["D"] == 4
    else:
        assert {item.code: item for item in changed.items}["as"].limits[0] != groundwater.classes()[0].limits(1)["as"]


@pytest.mark.parametrize(
    ("item", "value", "water_class"),
    [
        ("砷", 0.001, 1), ("砷", 0.0011, 3), ("砷", 0.05, 4), ("砷", 0.051, 5), ("氨氮", 0.02, 1), ("氨氮", 1.51, 5),
        ("pH", 6.5, 1), ("pH", 6.49, 4), ("pH", 5.5, 4), ("pH", 5.49, 5), ("pH", 9.0, 4), ("pH", 9.01, 5),
        ("总α放射性", 0.5, 3), ("总α放射性", 99.0, 4), ("嗅和味", 0.0, 1), ("嗅和味", 1.0, 5),
        ("莠去津", 0.4, 2), ("莠去津", 601.0, 5), ("苯并(a)芘", 0.002, 1), ("总硬度", 451.0, 4), ("浑浊度", 3.0, 1),
    ],
)  # fmt: skip
def test_classes_at_their_limits(item: str, value: float, water_class: int) -> None:
    assert one({item: value})["water_class"] == water_class


def test_lists_and_what_is_missing() -> None:
    """NH4-N 0.6 over 0.5 by 0.20; Fe 0.75 over 0.3 by 1.5."""
    found = one({"氨氮": 0.6, "铁": 0.75, "砷": 0.001}, time=date(2025, 6, 1))
    assert (found["word"], found["deciding"], found["exceeding"]) == ("Ⅳ类", "铁、氨氮", "铁(1.50)、氨氮(0.20)")
    assert found["edition"] == "GB/T 14848—2017"
    assert len(found["missing"].split("、")) == 36
    assert "常规指标不全" in found["note"]
    with pytest.raises(EditionError, match="2018-04-30"):
        one({"氨氮": 0.6}, time=date(2018, 4, 30))


def test_below_detection() -> None:
    assert one({"阴离子表面活性剂": "<0.05"})["water_class"] == 1
    assert one({"阴离子表面活性剂": "0.05"})["water_class"] == 2
    assert one({"砷": "<0.001"})["water_class"] == 1
    assert one({"砷": "<0.002"})["water_class"] is None
    assert one({"砷": "<0.002", "氨氮": "0.6"})["water_class"] == 4


def test_units_rejects_and_refusals() -> None:
    assert one({"砷": 60.0}, unit="μg/L")["water_class"] == 5
    assert one({"总大肠菌群": 4.0}, unit="MPN/100mL")["water_class"] == 4
    frame = well({"砷": -1.0, "pH": 15.0, "PM2.5": 3.0, "氨氮": 0.1})
    assert groundwater.rejects(frame)["factor"].to_list() == ["砷", "pH", "PM2.5"]
    assert "不可能" in groundwater.well_class(frame)["note"].item()
    with pytest.raises(InputError, match=r"只有 PM2\.5"):
        one({"PM2.5": 3.0})
    with pytest.raises(InputError, match="砷 的单位“mg/kg”"):
        one({"砷": 3.0}, unit="mg/kg")


def test_scores() -> None:
    """Classes Ⅳ, Ⅲ, Ⅰ score 6, 3, 0: √((3² + 6²)/2) = 4.7434; bacteria do not count."""
    found = groundwater.f_score(well({"氨氮": 0.6, "铁": 0.25, "锰": 0.02, "菌落总数": 5000})).row(0, named=True)
    assert found["f"] == pytest.approx(22.5**0.5, rel=1e-12)
    assert (found["rounded"], found["word"], found["items"]) == (4.74, "较差", 3)
    assert "未全" in found["clause"]
    unclear = groundwater.f_score(well({"砷": "<0.02", "氨氮": "0.6"})).row(0, named=True)
    assert (unclear["f"], unclear["word"]) == (None, None)
    assert groundwater.f_score(well({"菌落总数": 10}))["f"].item() is None


def test_nemerow() -> None:
    """Pi 2 and 1: √((1.5² + 2²)/2) = 1.7678; <0.5 of 0.5 counts half: Pi 0.5 beside 1: √((0.75² + 1)/2) = 0.8839."""
    found = groundwater.nemerow(well({"氨氮": 1.0, "铁": 0.3, "pH": 7.0})).row(0, named=True)
    assert (found["rounded"], found["worst"], found["items"]) == (1.77, "氨氮", 2)
    half = groundwater.nemerow(well({"氨氮": "<0.5", "铁": "0.3"})).row(0, named=True)
    assert half["p"] == pytest.approx(((0.75**2 + 1) / 2) ** 0.5, rel=1e-12)
    assert groundwater.nemerow(well({"氨氮": ">5", "铁": "0.3"}))["p"].item() is None


def test_drastic_on_rasters() -> None:
    depth = np.array([[1.0, np.nan], [1.524, 31.0]])
    ratings = groundwater.drastic_ratings("D", depth, "m")
    assert ratings[0, 0] == 10
    assert np.isnan(ratings[0, 1])
    assert ratings[1].tolist() == [9, 1]
    assert groundwater.drastic_ratings("D", [4.9, 5.0, 100.0], "ft").tolist() == [10, 9, 1]
    assert groundwater.drastic_ratings("R", [0.0, 50.8, 300.0], "mm").tolist() == [1, 3, 9]
    assert groundwater.drastic_ratings("T", [0.0, 6.0, 18.0], "%").tolist() == [10, 5, 1]
    assert groundwater.drastic_ratings("C", [0.0, 300.0, 2000.0], "gpd/ft2").tolist() == [1, 4, 10]
    soil = groundwater.drastic_ratings("S", np.array([["sand", ""], ["muck", "gravel"]]))
    assert soil[1].tolist() == [2, 10]
    layers = {"D": ratings, "R": 9, "A": 8, "S": 6, "T": 10, "I": 8, "C": 8}
    index = groundwater.drastic_index(layers)
    assert index.shape == (2, 2)
    assert index[0, 0] == 196
    assert np.isnan(index[0, 1])
    assert groundwater.drastic_class(index)[1].tolist() == [5, 4]  # 191 and 151
    assert groundwater.drastic_index(layers, "pesticide")[0, 0] == 50 + 36 + 24 + 30 + 30 + 32 + 16
    with pytest.raises(InputError, match="缺少因子 C"):
        groundwater.drastic_index(dict.fromkeys("DRASTI", 5))
    with pytest.raises(InputError, match="1—10"):
        groundwater.drastic_index(layers | {"C": 11})
    with pytest.raises(InputError, match="单位应为 m、ft"):
        groundwater.drastic_ratings("D", [1.0])
    with pytest.raises(InputError, match="没有介质“cheese”"):
        groundwater.drastic_ratings("A", ["cheese"])
    with pytest.raises(InputError, match="负值"):
        groundwater.drastic_ratings("D", [-1.0], "m")


def plain(result: Any) -> pl.DataFrame:
    found = nw.from_native(result)
    frame = pl.from_arrow((found.collect() if isinstance(found, nw.LazyFrame) else found).to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(pl.col(pl.Int8, pl.Int16, pl.Int32, pl.UInt32).cast(pl.Int64))


def test_every_engine_gives_the_same(engine: Callable[[pl.DataFrame], Any]) -> None:
    names = ["pH", "氨氮", "铁", "砷", "总大肠菌群"]
    frames = []
    for site in range(12):
        values = [6.0 + site % 5, 0.02 + 0.17 * (site % 9), 0.05 * site, 0.001 * (site % 4), 1.0 + site]
        texts = [f"<{v:.4f}" if (site + i) % 7 == 6 and i else f"{v:.4f}" for i, v in enumerate(values)]
        frames.append(pl.DataFrame({"site": f"s{site:02}", "factor": names, "value": texts}))
    frame = pl.concat(frames)
    for evaluate, index in (
        (groundwater.well_class, "edition"),
        (groundwater.f_score, "f"),
        (groundwater.nemerow, "p"),
    ):
        ours, theirs = plain(evaluate(frame)).sort("site"), plain(evaluate(engine(frame))).sort("site")
        assert ours.height == 12
        assert ours.drop(index).rows() == theirs.select(ours.columns).drop(index).rows()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 900), min_size=3, max_size=3),
    st.integers(0, 2),
    st.integers(1, 900),
    st.permutations(range(3)),
)
def test_worse_is_never_better_and_order_changes_nothing(
    numbers: list[int], which: int, more: int, order: list[int]
) -> None:
    items, scales = ("氨氮", "铁", "砷"), (300, 300, 10000)
    values = {item: number / scale for item, number, scale in zip(items, numbers, scales, strict=True)}
    worse = values | {items[which]: (numbers[which] + more) / scales[which]}
    before, after = one(values), one(worse)
    assert after["water_class"] >= before["water_class"]
    scores = [groundwater.nemerow(well(given_values))["p"].item() for given_values in (values, worse)]
    assert scores[1] >= scores[0]
    assert groundwater.well_class(well(values)[order]).row(0, named=True) == before
    gone = one({item: value for item, value in values.items() if item != items[which]})
    assert items[which] in gone["missing"]
