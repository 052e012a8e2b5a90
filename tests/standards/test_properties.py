"""What must hold of every medium: worse never gives better; order, units and engines change nothing; a gap is said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.standards import groundwater, risk, sea, soil, water


@dataclass(frozen=True)
class Medium:
    """Items with a value about their limits in mg/L or mg/kg, and what is read of the verdict: larger is worse."""

    items: dict[str, float]
    judge: Callable[[pl.DataFrame], Any]
    badness: Callable[[dict[str, Any]], Any]
    unit: str
    micro: str
    columns: dict[str, Any]


def _fails(row: dict[str, Any]) -> bool:
    return not row["meets"]


MEDIA = {
    "river": Medium(
        {"高锰酸盐指数": 6.0, "氨氮": 1.0, "总磷": 0.2, "汞": 0.0001, "氟化物": 1.0},
        lambda frame: water.section_class(frame, "river"), lambda row: row["water_class"], "mg/L", "ug/L",
        {"time": "t"},
    ),
    "lake": Medium(
        {"化学需氧量": 20.0, "五日生化需氧量": 4.0, "总磷": 0.05, "铜": 1.0, "石油类": 0.05},
        lambda frame: water.section_class(frame, "lake"), lambda row: row["water_class"], "mg/L", "ug/L",
        {"time": "t"},
    ),
    "source": Medium(
        {"氨氮": 1.0, "总磷": 0.2, "三氯甲烷": 0.06, "硝酸盐": 10.0, "苯": 0.01},
        lambda frame: water.source_tests(frame, "river"), _fails, "mg/L", "ug/L", {"time": "t"},
    ),
    "sea": Medium(
        {"无机氮": 0.4, "活性磷酸盐": 0.03, "石油类": 0.3, "COD": 4.0, "砷": 0.05},
        sea.point_class, lambda row: row["water_class"], "mg/L", "ug/L", {},
    ),
    "groundwater": Medium(
        {"氨氮": 0.5, "铁": 0.3, "硝酸盐": 20.0, "砷": 0.01, "氟化物": 1.0},
        groundwater.well_class, lambda row: row["water_class"], "mg/L", "ug/L", {},
    ),
    "farmland": Medium(
        {"镉": 0.4, "汞": 0.6, "砷": 25.0, "铅": 140.0, "铬": 300.0},
        soil.farmland, lambda row: row["soil_class"], "mg/kg", "ug/kg", {"land": "水田", "ph": 6.8},
    ),
    "construction": Medium(
        {"砷": 60.0, "镉": 65.0, "铅": 800.0, "汞": 38.0, "苯": 4.0},
        soil.construction_land, lambda row: row["level"], "mg/kg-dry", "μg/kg", {"land": "二类"},
    ),
}  # fmt: skip
medium = pytest.mark.parametrize("name", MEDIA)
shares = st.lists(st.integers(0, 400), min_size=5, max_size=5)


def rows(of: Medium, hundredths: list[int | None], *, scale: int = 1, unit: str | None = None) -> pl.DataFrame:
    values = {
        item: round(usual * share / 100 * scale, 9)
        for (item, usual), share in zip(of.items.items(), hundredths, strict=True)
        if share is not None
    }
    frame = pl.DataFrame({"site": "a", "factor": list(values), "value": list(values.values())})
    columns = {column: pl.lit(value) for column, value in of.columns.items()}
    return frame.with_columns(**columns, unit=pl.lit(unit or of.unit))


def one(of: Medium, frame: Any) -> dict[str, Any]:
    found = of.judge(frame)
    return (found if isinstance(found, pl.DataFrame) else pl.DataFrame(found)).row(0, named=True)


@medium
@settings(max_examples=8, deadline=None)
@given(shares=shares, which=st.integers(0, 4), more=st.integers(1, 400))
def test_worse_is_never_better(name: str, shares: list[int], which: int, more: int) -> None:
    of = MEDIA[name]
    worse = [share + more * (number == which) for number, share in enumerate(shares)]
    assert of.badness(one(of, rows(of, list(worse)))) >= of.badness(one(of, rows(of, list(shares))))


@medium
@settings(max_examples=6, deadline=None)
@given(shares=shares, order=st.permutations(range(5)))
def test_order_and_units_change_nothing(name: str, shares: list[int], order: list[int]) -> None:
    of = MEDIA[name]
    frame = rows(of, list(shares))
    before = one(of, frame)
    assert one(of, frame[order]) == before
    assert one(of, rows(of, list(shares), scale=1000, unit=of.micro)) == before


@medium
@settings(max_examples=6, deadline=None)
@given(shares=shares, which=st.integers(0, 4))
def test_a_missing_item_never_improves_silently(name: str, shares: list[int], which: int) -> None:
    """What is absent is named where the standard asks for it; an item that it does not ask for leaves `items`."""
    of = MEDIA[name]
    whole = one(of, rows(of, list(shares)))
    fewer = one(of, rows(of, [None if number == which else share for number, share in enumerate(shares)]))
    if of.badness(fewer) == of.badness(whole):
        return
    said = (
        fewer["missing"] != whole["missing"],
        fewer.get("items") != whole.get("items"),
        "已测" in str(fewer["note"]),
    )
    assert any(said), (fewer, whole)


@medium
@settings(max_examples=3, deadline=None)
@given(shares=shares)
def test_engines_change_nothing(name: str, shares: list[int]) -> None:
    import duckdb

    of = MEDIA[name]
    frame = rows(of, list(shares))
    wanted = one(of, frame)
    assert of.judge(frame.lazy()).collect().row(0, named=True) == wanted
    assert of.judge(duckdb.sql("select * from frame")).pl().row(0, named=True) == wanted
    assert pl.from_arrow(of.judge(frame.to_arrow())).row(0, named=True) == wanted  # type: ignore[union-attr]


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 50), min_size=3, max_size=3), st.integers(0, 2), st.integers(1, 50))
def test_more_of_a_substance_never_lowers_the_quantity(tonnes: list[int], which: int, more: int) -> None:
    def quantity(values: list[int]) -> float:
        frame = pl.DataFrame({"site": "a", "substance": ["氨气", "甲醇", "氯气"], "tonnes": [float(v) for v in values]})
        return float(risk.risk_quantity(frame)["q_water"].item())

    assert quantity([value + more * (number == which) for number, value in enumerate(tonnes)]) >= quantity(tonnes)
