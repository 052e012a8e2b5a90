"""Codes, ponds and manure: against the facts, by hand, on all engines."""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import waste


def facts(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "standards" / name).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.mark.golden
def test_the_list_equals_the_facts_and_2021_is_superseded(shared: Path) -> None:
    old, new = waste.hazardous_wastes()
    rows = facts(shared, "risk/hazardous_waste_code_2021.csv")
    assert old.hazards == {row["code"]: row["hazard"] for row in rows}
    assert len(old.hazards) == old.total == 467
    assert new.total == 470
    assert (old.in_force.end, new.in_force.start) == (date(2024, 12, 31), date(2025, 1, 1))
    assert (old.superseded, new.superseded, new.state) == (False, True, "incomplete")
    categories = facts(shared, "risk/hazardous_waste_category.csv")
    assert old.names == {row["category"]: row["name"] for row in categories if row["codes_in_2021_list"] != "0"}
    for row in categories:
        number = row["category"][2:]
        assert sum(code.endswith(f"-{number}") for code in old.hazards) == int(row["codes_in_2021_list"])


@pytest.mark.golden
def test_every_code_of_the_list_is_in_order(shared: Path) -> None:
    frame = pl.DataFrame(facts(shared, "risk/hazardous_waste_code_2021.csv")).select("code", "category", "hazard")
    assert waste.check_codes(frame, edition="2021")["verdict"].unique().to_list() == ["有效"]


@pytest.mark.parametrize(
    ("code", "category", "hazard", "verdict"),
    [
        ("841-001-01", "HW01", "In", "有效"),
        (" 841-001-01 ", "hw01", "In", "有效"),
        ("841－001－01", None, None, "有效"),
        ("841-001-01", "HW02", "In", "类别不符"),
        ("841-001-01", "HW01", "T", "危险特性不符"),
        ("841-004-01", "HW01", "T、C", "有效"),
        ("841-001-01", "HW01", "毒", "危险特性不符"),
        ("841-001-1", None, None, "格式错误"),
        ("841-999-01", None, None, "名录无此代码"),
        ("900-000-18", "HW18", "T", "有效"),
        ("900-000-44", None, None, "名录无此代码"),
        (None, None, None, "格式错误"),
        ("900-405-06", "HW06", "T", "有效"),
    ],
)
def test_verdicts_by_the_list_of_2021(code: str | None, category: str | None, hazard: str | None, verdict: str) -> None:
    frame = pl.DataFrame(
        {"code": [code], "category": [category], "hazard": [hazard]},
        schema=dict.fromkeys(("code", "category", "hazard"), pl.String),
    )
    assert waste.check_codes(frame, edition="2021")["verdict"].item() == verdict


def test_by_the_list_of_2025_nothing_is_called_wrong_that_was_not_seen() -> None:
    frame = pl.DataFrame({"code": ["841-001-01", "321-999-48", "321-99"], "batch": [1, 2, 3]})
    found = waste.check_codes(frame, on=date(2025, 1, 1))
    assert found["verdict"].to_list() == ["2021年版有效，待按2025年版核对", "无法判定", "格式错误"]
    assert found["batch"].to_list() == [1, 2, 3]
    assert found["edition"].unique().to_list() == ["国家危险废物名录—2025"]
    assert "收录未全" in found["clause"][0]
    assert waste.check_codes(frame, on=date(2024, 12, 31))["verdict"].to_list() == ["有效", "名录无此代码", "格式错误"]
    with pytest.raises(EditionError, match="2020-12-31"):
        waste.check_codes(frame, on=date(2020, 12, 31))
    with pytest.raises(InputError, match="缺少列 code"):
        waste.check_codes(frame.drop("code"))


@pytest.mark.parametrize(
    ("tonnes", "own", "word"),
    [
        (100.0, False, "重点监管"),
        (99.9, False, "简化管理"),
        (10.0, False, "简化管理"),
        (9.9, False, "登记管理"),
        (1.0, True, "重点监管"),
        (None, True, "重点监管"),
        (None, False, None),
        (5.0, None, None),
    ],
)
def test_producers(tonnes: float | None, own: bool | None, word: str | None) -> None:
    frame = pl.DataFrame(
        {"site": ["a"], "tonnes": [tonnes], "own_facility": [own], "licensed": [False]},
        schema={"site": pl.String, "tonnes": pl.Float64, "own_facility": pl.Boolean, "licensed": pl.Boolean},
    )
    assert waste.producer_grade(frame)["word"].item() == word


@pytest.mark.golden
def test_the_matrix_and_sizes_of_ponds_equal_the_facts(shared: Path) -> None:
    with (shared / "standards/risk/tailings_pond.toml").open("rb") as file:
        matrix = tomllib.load(file)["matrix"]
    (rule,) = waste.tailings_rules()
    wanted = {
        f"{h}{s}{r}": grade
        for h in ("H1", "H2", "H3")
        for s in ("S1", "S2", "S3")
        for r, grade in zip(matrix["columns"], matrix[h][s], strict=True)
    }
    assert rule.grade_of == wanted
    assert len(wanted) == 27
    sizes = [
        (row["grade"], float(row["volume_min_1e4m3"]), float(row["height_min_m"]))
        for row in facts(shared, "risk/tailings_safety_grade.csv")
    ]
    assert [(size.grade, size.volume, size.height) for size in rule.sizes] == sizes


def test_ponds_by_hand() -> None:
    rows = pl.DataFrame(
        {"site": ["a", "b", "c"], "h": [45.0, 60.0, 30.0], "s": [70.0, 30.1, None], "r": [20.0, 100.0, 5.0]}
    )
    found = waste.tailings_risk(rows)
    assert found["text"].to_list() == ["较大(H2S1R3)", "较大(H2S2R1)", None]
    assert found["missing"].to_list() == [None, None, "s"]
    assert "把握低" in found["note"][0]
    with pytest.raises(InputError, match="h 有 101"):
        waste.tailings_risk(rows.with_columns(pl.lit(101.0).alias("h")))


@pytest.mark.parametrize(
    ("volume", "height", "grade"),
    [
        (99.9, 29.9, 5),
        (100, 29, 4),
        (100, 60, 3),
        (99, 60, 4),
        (60000, 10, 2),
        (60000, 200, 1),
        (1000, 100, 2),
        (50, None, None),
    ],
)
def test_sizes_of_ponds(volume: float, height: float | None, grade: int | None) -> None:
    """99 and 60 m are grades 5 and 3: one below the higher; 60,000 and 10 m are 1 and 5: 2."""
    frame = pl.DataFrame(
        {"site": ["a"], "volume": [volume], "height": [height]}, schema_overrides={"height": pl.Float64}
    )
    assert waste.tailings_size(frame)["grade"].item() == grade


@pytest.mark.golden
def test_crops_and_factors_equal_the_facts(shared: Path) -> None:
    (rule,) = waste.manures()
    rows = facts(shared, "soil/manure_crop_uptake.csv")
    assert {crop: (taken.n, taken.p) for crop, taken in rule.crops.items()} == {
        row["crop"]: (float(row["n"]), float(row["p"])) for row in rows
    }
    with (shared / "standards/soil/manure_land_capacity.toml").open("rb") as file:
        guide = tomllib.load(file)
    assert rule.pigs_equal == {name: guide["pig_equivalent"][name] for name in rule.pigs_equal}
    assert (rule.supply.n, rule.supply.p) == (
        guide["pig_equivalent"]["n_supply_kg_per_year"],
        guide["pig_equivalent"]["p_supply_kg_per_year"],
    )
    assert rule.share_from_fertiliser == guide["soil_level"]["share_from_fertilisation"]
    assert rule.season_use.n == guide["use"]["season_use_n"][0]
    assert rule.season_use.p == guide["use"]["season_use_p"][0]
    for example in guide["example"]:
        field = pl.DataFrame(
            {"site": ["a"], "crop": [example["crop"]], "harvest": [example["yield_kg_per_mu"]], "soil": ["II"]}
        )
        assert round(waste.land_capacity(field)["capacity"].item(), 1) == example["published"]


@pytest.mark.golden
def test_renhuai(shared: Path) -> None:
    """2022: 406,534.10 pig equivalents; the paper prints 2,845.70 t N and 487.80 t P, from rounded equivalents."""
    (row,) = [row for row in facts(shared, "soil/examples.csv") if row["topic"] == "manure capacity"]
    equivalents, nitrogen, phosphorus = map(float, re.findall(r"\d+\.\d+", row["input"]))
    found = waste.pig_equivalents(pl.DataFrame({"site": ["a"], "animal": ["pigs"], "head": [equivalents]}))
    assert found["n_supply"].item() / 1000 == pytest.approx(nitrogen, abs=0.05)
    assert found["p_supply"].item() / 1000 == pytest.approx(phosphorus, abs=0.05)
    assert found["n_supply"].item() / 1000 == pytest.approx(2845.7387)


STOCK = pl.DataFrame(
    {"site": ["a", "a", "b"], "animal": ["pigs", "dairy_cows", "poultry"], "head": [100.0, 15.0, 2500.0]}
)
FIELDS = pl.DataFrame(
    {
        "site": ["a", "a", "b"],
        "crop": ["小麦", "玉米", "某种"],
        "harvest": [30000.0, 40000.0, 1.0],
        "soil": ["II", "II", "I"],
    }
)


def test_index_by_hand() -> None:
    """a: 200 in stock; 30 t wheat 115.7 and 40 t maize 118.3 pig equivalents: 200/234 = 0.855. b: crop unknown."""
    found = waste.capacity_index(STOCK, FIELDS).sort("site")
    assert found["equivalents"].to_list() == [200.0, 100.0]
    assert found["capacity"][0] == pytest.approx((300 * 3.0 + 400 * 2.3) * 0.45 * 0.5 / 0.25 / 7.0)
    assert found["ratio"][0] == pytest.approx(200 / 234)
    assert found["word"].to_list() == ["不超载", None]
    assert found["note"][1] == "资料不全，无法判定"
    assert waste.capacity_index(STOCK, FIELDS.filter(pl.col("crop") == "小麦")).sort("site")["word"][0] == "超载"


def test_phosphorus_wood_and_own_shares() -> None:
    """Wheat 300 kg: 3 kg P · 0.45 · 0.5 / 0.30 / 1.2 = 1.875. Poplar 10 m³: 25 kg N · 0.35 · 0.5 / 0.25 / 7 = 2.5."""
    wheat = pl.DataFrame({"site": ["a"], "crop": ["小麦"], "harvest": [300.0], "soil": ["II"]})
    assert waste.land_capacity(wheat, "p")["capacity"].item() == pytest.approx(1.875)
    assert waste.land_capacity(wheat, manure_share=1.0)["capacity"].item() == pytest.approx(2 * 1.157142857)
    poplar = pl.DataFrame({"site": ["a"], "crop": ["杨树"], "harvest": [10.0], "soil": ["I"]})
    assert waste.land_capacity(poplar)["capacity"].item() == pytest.approx(2.5)


def test_wrong_input_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="animal 的“cats”"):
        waste.pig_equivalents(pl.DataFrame({"site": ["a"], "animal": ["cats"], "head": [3]}))
    with pytest.raises(InputError, match="head 有 -3"):
        waste.pig_equivalents(pl.DataFrame({"site": ["a"], "animal": ["pigs"], "head": [-3]}))
    with pytest.raises(InputError, match="soil 的“IV”"):
        waste.land_capacity(FIELDS.with_columns(pl.lit("IV").alias("soil")))
    with pytest.raises(InputError, match="season_use"):
        waste.land_capacity(FIELDS, season_use=25)
    with pytest.raises(InputError, match="basis"):
        waste.land_capacity(FIELDS, "k")  # type: ignore[arg-type]


@settings(max_examples=25, deadline=None)
@given(*(st.floats(0, 100) for _ in range(4)))
def test_a_worse_pond_is_never_graded_better(h: float, s: float, r: float, worse: float) -> None:
    """The matrix on file is monotone in hazard and in control; the test would find a cell typed wrong."""
    order = ["一般", "较大", "重大"]
    frame = pl.DataFrame(
        {"site": ["a", "b", "c"], "h": [h, max(h, worse), h], "s": [s] * 3, "r": [r, r, max(r, worse)]}
    )
    found = [order.index(word) for word in waste.tailings_risk(frame).sort("site")["word"]]
    assert found[1] >= found[0]
    assert found[2] >= found[0]


def test_engines_agree(engine: Callable[[pl.DataFrame], Any]) -> None:
    def back(native: Any) -> pl.DataFrame:
        return nw.from_native(native).lazy().collect(backend="polars").to_native()

    codes = pl.DataFrame(
        {
            "code": ["841-001-01", "1", "321-999-48", None],
            "category": ["HW01", None, None, None],
            "hazard": ["T", None, "T", None],
        }
    )
    columns = ["code", "verdict", "list_name", "note"]
    wanted = waste.check_codes(codes, edition="2021").sort("code").select(columns).rows()
    assert back(waste.check_codes(engine(codes), edition="2021")).sort("code").select(columns).rows() == wanted
    index = back(waste.capacity_index(engine(STOCK), engine(FIELDS))).sort("site")
    assert index["ratio"].to_list() == pytest.approx(
        waste.capacity_index(STOCK, FIELDS).sort("site")["ratio"].to_list()
    )
    assert index["word"].to_list() == ["不超载", None]
