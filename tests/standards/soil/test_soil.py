"""Soil: the tables, farmland by pH and use, construction land, rates, and the same on every engine."""

from __future__ import annotations

import csv
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
from qinglan.standards import soil
from qinglan.standards.edition import editions
from qinglan.standards.soil.tables import FOLDER, ConstructionSoil, FarmlandSoil

CLEAN = {"镉": 0.1, "汞": 0.1, "砷": 5.0, "铅": 20.0, "铬": 60.0}


def point(values: dict[str, Any], ph: float | None = 7.0, land: str = "水田", **columns: Any) -> pl.DataFrame:
    rows = values if ph is None else {"pH": ph, **values}
    texts = any(isinstance(value, str) for value in rows.values())
    column = [str(value) if texts else float(value) for value in rows.values()]
    frame = pl.DataFrame({"site": "a", "land": land, "factor": list(rows), "value": column})
    return frame.with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def facts(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "standards/soil" / name).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.mark.golden
@pytest.mark.parametrize("name", ["gb15618_2018.csv", "gb36600_2018.csv"])
def test_declared_tables_equal_the_facts(shared: Path, name: str) -> None:
    declared = {"gb15618_2018.csv": "GB15618-2018.csv", "gb36600_2018.csv": "GB36600-2018.csv"}[name]
    with (FOLDER / declared).open(encoding="utf-8", newline="") as table:
        ours = list(csv.DictReader(table))
    theirs = facts(shared, name)
    assert len(ours) == len(theirs)
    for mine, fact in zip(ours, theirs, strict=True):
        assert mine["check"] == ("M" if fact["checked"].startswith("memory") else "P")
        assert {key: value for key, value in mine.items() if key != "check"} == {
            key: value for key, value in fact.items() if key != "checked"
        }


@pytest.mark.golden
def test_the_rates_targets_are_those_of_the_facts(shared: Path) -> None:
    facts_of = tomllib.loads((shared / "standards/soil/farmland_classes.toml").read_text("utf-8"))
    wanted = {int(year[1:]): target for year, target in facts_of["rate"]["farmland"]["targets"].items()}
    assert {year: int(target) for year, target in soil.safe_use_rules().targets.items()} == wanted
    assert list(soil.farmland_editions()[0].deciding) == facts_of["meta"]["items"]


@pytest.mark.golden
def test_published_examples(shared: Path) -> None:
    """examples.csv: As 119 exceeds class 2 screening 60 by 0.983; the means of 109 samples exceed nothing."""
    rows = {row["topic"]: row for row in facts(shared, "examples.csv")}
    assert "As max 119" in rows["GB 36600 exceedance"]["input"]
    plot = soil.construction_land(point({"砷": 119.0}, None, "第二类用地")).row(0, named=True)
    assert (plot["level"], plot["over_screening"], plot["over_intervention"]) == (2, "砷(0.98)", None)
    assert "mean Cd 0.156" in rows["GB 15618 verdict"]["input"]
    means = {"Cd": 0.156, "Hg": 0.159, "As": 5.937, "Pb": 24.998, "Cr": 83.272, "Cu": 26.867}
    for ph in (5.0, 6.0, 7.0, 8.0):
        for land in ("水田", "其他", "果园", "水旱轮作"):
            found = soil.farmland(point(means, ph, land)).row(0, named=True)
            assert (found["word"], found["over_screening"], found["missing"]) == ("优先保护类", None, None)


def test_every_example_holds() -> None:
    declared = [*soil.farmland_editions(), *soil.construction_editions(), soil.safe_use_rules()]
    assert [finding for edition in declared for finding in edition.run_examples()] == []


@pytest.mark.parametrize(
    ("model", "number", "table", "cell"),
    [
        (FarmlandSoil, "GB 15618", "GB15618-2018.csv", "0.3,0.4,0.6,0.8"),
        (ConstructionSoil, "GB 36600", "GB36600-2018.csv", "20,60,120,140"),
    ],
)
def test_a_changed_limit_is_noticed(model: Any, number: str, table: str, cell: str, tmp_path: Path) -> None:
    for path in FOLDER.glob("*"):
        text = path.read_text("utf-8")
        (tmp_path / path.name).write_text(text.replace(cell, "1,2,3,4", 1) if path.name == table else text, "utf-8")
    (changed,) = editions(tmp_path, model, number)
    assert list(changed.run_examples())


@pytest.mark.parametrize(
    ("ph", "screening"), [(5.5, 0.3), (5.51, 0.4), (6.5, 0.4), (6.51, 0.6), (7.5, 0.6), (7.51, 0.8), (14.0, 0.8)]
)
def test_the_value_is_that_of_the_soils_ph(ph: float, screening: float) -> None:
    """Cadmium in paddy; equal to screening meets it."""
    at = soil.farmland(point(CLEAN | {"镉": screening}, ph)).row(0, named=True)
    above = soil.farmland(point(CLEAN | {"镉": screening + 0.01}, ph)).row(0, named=True)
    assert (at["soil_class"], above["soil_class"]) == (1, 2)
    assert above["over_screening"].startswith("镉(0.0")


def test_use_of_land_changes_the_value() -> None:
    """Hg 0.8 at pH 7: over 0.6 in paddy, not over 2.4 elsewhere; rotation takes the stricter; Cu 150 by orchard 200."""
    words = {
        land: soil.farmland(point(CLEAN | {"汞": 0.8}, 7.0, land))["soil_class"].item()
        for land in ("水田", "旱地", "水旱轮作")
    }
    assert words == {"水田": 2, "旱地": 1, "水旱轮作": 2}
    over = {
        land: soil.farmland(point(CLEAN | {"铜": 150.0}, 7.0, land))["over_screening"].item()
        for land in ("果园", "其他")
    }
    assert over == {"果园": None, "其他": "铜(0.50)"}


def test_intervention_is_strict_control_and_listed_with_its_multiple() -> None:
    """Cd 4.5 at pH 7: screening 0.6 → (4.5 − 0.6)/0.6 = 6.5; intervention 3 → 0.5."""
    found = soil.farmland(point(CLEAN | {"镉": 4.5})).row(0, named=True)
    assert (found["word"], found["over_screening"], found["over_intervention"]) == (
        "严格管控类", "镉(6.50)", "镉(0.50)",
    )  # fmt: skip


def test_without_ph_nothing_is_judged_and_a_missing_item_is_said() -> None:
    bare = soil.farmland(point(CLEAN, None)).row(0, named=True)
    assert bare["soil_class"] is None
    assert "缺 pH" in bare["note"]
    two = pl.concat([point(CLEAN, 6.0), point({}, 7.0)])
    assert "不唯一" in soil.farmland(two)["note"].item()
    part = soil.farmland(point({name: value for name, value in CLEAN.items() if name != "铅"})).row(0, named=True)
    assert (part["soil_class"], part["missing"]) == (1, "铅")
    assert "有缺项" in part["note"]
    column = soil.farmland(point(CLEAN, None).with_columns(ph=pl.lit(6.0)))
    assert column["soil_class"].item() == 1


def test_below_detection_is_judged_by_both_ends() -> None:
    fine = soil.farmland(point(CLEAN | {"镉": "<0.1"})).row(0, named=True)
    assert fine["soil_class"] == 1
    coarse = soil.farmland(point(CLEAN | {"镉": "<0.9"})).row(0, named=True)
    assert coarse["soil_class"] is None
    assert "检出限高于限值" in coarse["note"]
    decided = soil.farmland(point(CLEAN | {"镉": "<0.9", "汞": "0.7"})).row(0, named=True)
    assert decided["soil_class"] == 2
    silent = soil.farmland(point(CLEAN | {"镉": "未检出"})).row(0, named=True)
    assert silent["soil_class"] == 1
    assert "未给检出限" in silent["note"]


def test_impossible_values_are_left_out_and_named_among_the_rejects() -> None:
    frame = pl.concat(
        [point(CLEAN | {"镉": -1.0}, 15.0), point({"PM2.5": 30.0}, None), point({"汞": float("nan")}, None)]
    )
    found = soil.farmland(frame).row(0, named=True)
    assert found["missing"] == "镉"
    assert "不可能" in found["note"]
    bad = soil.farmland_rejects(frame)
    assert bad.select("factor", "field").rows() == [
        ("pH", "value"), ("镉", "value"), ("PM2.5", "factor"), ("汞", "value"),
    ]  # fmt: skip
    assert bad["zh"].to_list() == ["不可能大于 14", "不可能为负值", "不是 GB 15618—2018 的项目", "没有数值"]


def test_wrong_input_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="land 中的“沙漠”"):
        soil.farmland(point(CLEAN, land="沙漠"))
    with pytest.raises(InputError, match=r"没有 GB 15618—2018 的项目，只有 PM2\.5"):
        soil.farmland(point({"PM2.5": 30.0}, None))
    with pytest.raises(InputError, match="镉 的单位“mg/m3”"):
        soil.farmland(point({"镉": 0.1}, None, unit="mg/m3"))
    with pytest.raises(InputError, match="缺少列 land"):
        soil.farmland(point(CLEAN).drop("land"))
    with pytest.raises(EditionError, match="2018-07-31"):
        soil.farmland(point(CLEAN, time=date(2018, 7, 31)))
    with pytest.raises(InputError, match="例如“abc”"):
        soil.farmland(point(CLEAN | {"镉": "abc"}))


def test_units_of_farmland_by_their_points() -> None:
    frame = pl.DataFrame(
        {
            "unit": ["a"] * 3 + ["b"] * 6 + ["c"] * 6 + ["d"] * 5 + ["e"] * 2,
            "soil_class": [2, 2, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 3, 2, 2, 2, 2, 1, None, 1],
        }
    )
    found = soil.farmland_units(frame).sort("unit")
    assert found["soil_class"].to_list() == [2, 2, None, None, 1]
    assert found["share"].to_list() == [100.0, 83.3, 83.3, 80.0, 100.0]
    assert found["missing"].to_list() == [None, None, None, None, "1个点位"]


def test_construction_land_by_class_and_background() -> None:
    frame = pl.DataFrame(
        {
            "site": ["a", "b", "c", "d", "e"],
            "land": ["R", "M", "未定", "二类", "二类"],
            "factor": ["砷", "7440-38-2", "As", "砷", "石油烃"],
            "value": [20.1, 20.1, 121.0, 70.0, 9001.0],
            "background": [None, None, None, 75.0, None],
        }
    )
    found = soil.construction_land(frame).sort("site")
    assert found["level"].to_list() == [2, 1, 3, 1, 3]
    assert found["land"].to_list() == ["first", "second", "first", "second", "second"]
    assert "规划用途未定" in found["note"][2]
    assert found["action"][2].startswith("风险不可接受")
    assert len(found["missing"][4].split("、")) == 45
    assert soil.construction_rejects(frame).height == 0


def test_safe_use_rates_and_their_denominators() -> None:
    frame = pl.DataFrame(
        {
            "year": [2025, 2025, 2024],
            "done_safe": [90.0, 90.0, 90.0],
            "done_strict": [8.0, 8.0, 8.0],
            "safe": [90.0, 90.0, 0.0],
            "strict": [10.0, 10.0, 0.0],
            "denominator": [None, 112.0, None],
            "produce_compliance": [100.0, 100.0, 100.0],
        }
    )
    found = soil.farmland_safe_use_rate(frame)
    assert found["rounded"].to_list() == [98.0, 87.5, None]
    assert found["meets"].to_list() == [True, False, None]
    assert "分母未用" in found["note"][0]
    assert "分母未用" not in found["note"][1]
    scaled = soil.farmland_safe_use_rate(frame.with_columns(produce_compliance=pl.lit(90.0)))
    assert scaled["rounded"].to_list()[0] == 89.0  # (90 × 0.9 + 8)/100
    land = pl.DataFrame({"violating_area": [5.0, None], "key_area": [200.0, 10.0]})
    assert soil.construction_safe_use_rate(land)["rounded"].to_list() == [97.5, None]


def plain(result: Any) -> pl.DataFrame:
    found = nw.from_native(result)
    frame = pl.from_arrow((found.collect() if isinstance(found, nw.LazyFrame) else found).to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(pl.col(pl.Int8, pl.Int16, pl.Int32, pl.UInt32).cast(pl.Int64))


def many() -> pl.DataFrame:
    names = ["pH", "镉", "汞", "砷", "铅", "铬", "铜"]
    frames = []
    for site in range(24):
        values = [4.5 + site % 5, 0.1 * site, 0.2 * (site % 7), 5.0 * site, 30.0 * (site % 9), 90.0 * (site % 6), 60.0]
        texts = [
            f"<{value:.2f}" if (site + number) % 11 == 10 else f"{value:.2f}" for number, value in enumerate(values)
        ]
        land = ("水田", "其他", "果园", "水旱轮作")[site % 4]
        frames.append(pl.DataFrame({"site": f"s{site:02}", "land": land, "factor": names, "value": texts}))
    return pl.concat(frames)


def test_every_engine_gives_the_same(engine: Callable[[pl.DataFrame], Any]) -> None:
    frame = many()
    ours, theirs = soil.farmland(frame).sort("site"), plain(soil.farmland(engine(frame))).sort("site")
    assert ours.height == 24
    assert set(ours["soil_class"].to_list()) == {1, 2, 3, None}
    assert ours.rows() == theirs.select(ours.columns).rows()
    plots = frame.filter(pl.col("factor") != "pH").with_columns(land=pl.lit("一类"))
    mine, other = (plain(soil.construction_land(f)).sort("site") for f in (plots, engine(plots)))
    assert mine.rows() == other.select(mine.columns).rows()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.integers(0, 500), min_size=5, max_size=5),
    st.integers(0, 4),
    st.integers(1, 500),
    st.integers(30, 90),
    st.randoms(use_true_random=False),
)
def test_worse_is_never_better_order_and_units_change_nothing(
    cents: list[int], which: int, more: int, tenths_of_ph: int, random: Any
) -> None:
    values = {
        name: cent / 100 * (100 if name in ("铅", "铬", "砷") else 1) for name, cent in zip(CLEAN, cents, strict=True)
    }
    worse = dict(values)
    worse[list(CLEAN)[which]] += more
    before = soil.farmland(point(values, tenths_of_ph / 10))
    after = soil.farmland(point(worse, tenths_of_ph / 10))
    assert after["soil_class"].item() >= before["soil_class"].item()
    order = list(range(6))
    random.shuffle(order)
    assert soil.farmland(point(values, tenths_of_ph / 10)[order]).equals(before)
    gone = {name: value for name, value in values.items() if name != list(CLEAN)[which]}
    assert list(CLEAN)[which] in soil.farmland(point(gone, tenths_of_ph / 10))["missing"].item()
