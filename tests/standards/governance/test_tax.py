"""The tax by hand arithmetic: who is first, what is left out, what is reduced, whose rate."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import governance


def outlet(medium: str, amounts: dict[str, float], **more: object) -> pl.DataFrame:
    values = [float(value) for value in amounts.values()]
    day = more.pop("date", date(2025, 6, 1))
    return pl.DataFrame(
        {"site": "a", "outlet": "1", "medium": medium, "factor": list(amounts), "date": day, "value": values, **more}
    )


def by_factor(found: pl.DataFrame, column: str) -> dict[str, Any]:
    return dict(zip(found["factor"], found[column], strict=True))


def test_first_five_of_class_one_and_first_three_of_the_others() -> None:
    """One equivalent more each: six of class one, four others, of which the smallest is not taxed."""
    class_one = {"总汞": 0.003, "总镉": 0.025, "总铬": 0.16, "六价铬": 0.06, "总砷": 0.04, "总铅": 0.025}  # 6 5 4 3 2 1
    others = {"SS": 16.0, "COD": 3.0, "石油类": 0.2, "氨氮": 0.8}  # 4 3 2 1
    found = governance.pollution_tax(outlet("water", class_one | others), rates={"water": 1.4})
    assert [name for name, taxed in by_factor(found, "taxed").items() if not taxed] == ["总铅", "氨氮"]
    assert found["tax"].sum() == pytest.approx(1.4 * (6 + 5 + 4 + 3 + 2 + 4 + 3 + 2))
    assert by_factor(found, "note")["氨氮"] == "当量数排在应征项数之后"


def test_of_oxygen_demands_only_the_largest_counts() -> None:
    """COD 10/1 = 10, BOD5 6/0.5 = 12, TOC 1/0.49 ≈ 2: BOD5 is taxed; SS and 氨氮 take the other two places."""
    found = governance.pollution_tax(
        outlet("water", {"COD": 10, "BOD5": 6, "TOC": 1, "SS": 4, "NH3-N": 0.8}), rates={"water": 1.4}
    )
    assert by_factor(found, "taxed") == {"COD": False, "BOD5": True, "TOC": False, "SS": True, "NH3-N": True}
    assert by_factor(found, "note")["COD"] == "同一排放口只征一项"


def test_outlets_and_months_are_apart() -> None:
    first = outlet("air", {"SO2": 9.5, "NOx": 9.5, "氟化物": 8.7, "烟尘": 2.18})
    second = first.with_columns(pl.lit("2").alias("outlet"))
    july = first.with_columns(pl.lit(date(2025, 7, 31)).alias("date"))
    found = governance.pollution_tax(pl.concat([first, second, july]), rates={"air": 1.2})
    assert found.filter("taxed").group_by("outlet", "date").len()["len"].to_list() == [3, 3, 3]


@pytest.mark.parametrize(
    ("concentration", "exceeded", "share"),
    [
        (35.0, False, 0.75),
        (35.1, False, 1.0),
        (25.0, False, 0.5),
        (25.1, False, 0.75),
        (10.0, True, 1.0),
        (10.0, None, 1.0),
    ],
)
def test_reductions_at_the_edge(concentration: float, exceeded: bool | None, share: float) -> None:
    """Of a standard of 50: 35 is 30 % below, 25 is 50 % below."""
    frame = outlet("air", {"SO2": 95}, concentration=concentration, standard=50.0)
    marked = frame.with_columns(pl.lit(exceeded, dtype=pl.Boolean).alias("exceeded"))
    found = governance.pollution_tax(marked, rates={"air": 1.2})
    assert (found["share"].item(), found["tax"].item()) == (share, 120 * share)


def test_provinces_by_date_and_pollutant() -> None:
    shandong = governance.pollution_tax(outlet("air", {"SO2": 0.95, "氟化物": 0.87}), province="山东")
    assert by_factor(shandong, "tax") == {"SO2": 6.0, "氟化物": 1.2}
    water = governance.pollution_tax(outlet("water", {"COD": 1, "SS": 4}), province="山东")
    assert by_factor(water, "tax") == {"COD": 3.0, "SS": 1.4}
    assert governance.pollution_tax(outlet("air", {"SO2": 0.95}), province="江苏/南京")["tax"].item() == 8.4
    with pytest.raises(EditionError, match="西藏"):
        governance.pollution_tax(outlet("air", {"SO2": 1}), province="西藏")
    with pytest.raises(EditionError, match="2017-12-31"):
        governance.pollution_tax(outlet("air", {"SO2": 1}, date=date(2017, 12, 31)), province="辽宁")


def test_farms_below_the_size_and_unlisted_pollutants_are_said() -> None:
    found = governance.pollution_tax(outlet("water", {"猪": 500, "总锌": 2}), rates={"water": 2.8})
    assert by_factor(found, "note") == {"猪": "未达到征收规模", "总锌": None}
    assert by_factor(found, "tax") == {"猪": 0.0, "总锌": 28.0}
    assert governance.pollution_tax(outlet("water", {"猪": 501}), rates={"water": 2.8})["tax"].item() == 1402.8
    unlisted = governance.pollution_tax(outlet("air", {"PM2.5": 5}), rates={"air": 1.2})
    assert (unlisted["tax"].item(), unlisted["note"].item()) == (None, "不在应税污染物和当量值表之列")


def test_the_mark_of_an_incomplete_edition_is_shown() -> None:
    assert "收录未全" in governance.pollution_tax(outlet("air", {"SO2": 1}), rates={"air": 1.2})["clause"].item()


def test_wrong_input_is_refused_by_name() -> None:
    with pytest.raises(InputError, match="outlet"):
        governance.pollution_tax(outlet("air", {"SO2": 1}).drop("outlet"), rates={"air": 1.2})
    with pytest.raises(InputError, match="value 有 -1"):
        governance.pollution_tax(outlet("air", {"SO2": -1}), rates={"air": 1.2})
    with pytest.raises(InputError, match="soil"):
        governance.pollution_tax(outlet("soil", {"SO2": 1}), rates={"air": 1.2})
    with pytest.raises(InputError, match="13"):
        governance.pollution_tax(outlet("air", {"SO2": 1}), rates={"air": 13})
    with pytest.raises(InputError, match="二者取一"):
        governance.pollution_tax(outlet("air", {"SO2": 1}))
    with pytest.raises(InputError, match="缺 exceeded"):
        governance.pollution_tax(outlet("air", {"SO2": 1}, concentration=1.0, standard=2.0), rates={"air": 1.2})
    with pytest.raises(InputError, match="应为数字"):
        governance.pollution_tax(outlet("air", {"SO2": 1}).with_columns(pl.lit("x").alias("value")), rates={"air": 1.2})


@settings(max_examples=25, deadline=None)
@given(st.lists(st.floats(0.01, 1e5), min_size=5, max_size=5), st.integers(0, 4), st.floats(1, 10))
def test_more_emission_never_costs_less(amounts: list[float], which: int, times: float) -> None:
    names = ["SO2", "NOx", "氟化物", "烟尘", "一般性粉尘"]
    more = [amount * (times if place == which else 1) for place, amount in enumerate(amounts)]
    paid = [
        governance.pollution_tax(outlet("air", dict(zip(names, values, strict=True))), rates={"air": 1.2})["tax"].sum()
        for values in (amounts, more)
    ]
    assert paid[1] >= paid[0] - 0.011


def noise(*rows: tuple[str, float | None, int | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [{"site": "a", "point": "1", "period": p, "exceedance": e, "days": d} for p, e, d in rows],
        schema={"site": pl.String, "point": pl.String, "period": pl.String, "exceedance": pl.Float64, "days": pl.Int64},
    )


@pytest.mark.parametrize(
    ("over", "amount"),
    [
        (0.49, 0),
        (0.5, 350),
        (1, 350),
        (3.4, 350),
        (3.5, 700),
        (6, 700),
        (9.49, 1400),
        (12, 2800),
        (15.4, 5600),
        (15.5, 11200),
        (30, 11200),
    ],
)
def test_noise_bands(over: float, amount: float) -> None:
    assert governance.noise_tax(noise(("day", over, 15)))["tax"].item() == amount
    assert governance.noise_tax(noise(("night", over, 14)))["tax"].item() == amount / 2


def test_noise_units_missing_and_no_days() -> None:
    two = noise(("day", 8, 20)).with_columns(pl.lit(2).alias("units"))
    assert governance.noise_tax(two)["tax"].item() == 2800
    assert governance.noise_tax(noise(("day", 8, 0)))["tax"].item() == 0
    missing = governance.noise_tax(noise(("day", None, 20)))
    assert (missing["tax"].item(), missing["missing"].item()) == (None, "exceedance、days 不全")
    with pytest.raises(InputError, match="days 有 32"):
        governance.noise_tax(noise(("day", 8, 32)))


def test_solid_waste_kinds_and_gaps() -> None:
    """Coal gangue 5, hazardous 1000, other 25 yuan a tonne; more treated than made is nothing, a gap is no tax."""
    rows = pl.DataFrame(
        {
            "site": ["a", "b", "c", "d"],
            "kind": ["coal_gangue", "hazardous", "other", "other"],
            "generated": [10.0, 2.0, 4.0, 4.0],
            "stored": [0.0, 0.5, 0.0, None],
            "disposed": [0.0, 0.0, 5.0, 0.0],
            "recovered": [0.0, 0.0, 0.0, 0.0],
        }
    )
    found = governance.solid_tax(rows)
    assert found["tax"].to_list() == [50.0, 1500.0, 0.0, None]
    assert found["missing"].to_list() == [None, None, None, "stored"]


def test_engines_agree(engine: Callable[[pl.DataFrame], Any]) -> None:
    import narwhals as nw

    frame = pl.concat(
        [
            outlet("air", {"SO2": 100, "氟化物": 100, "CO": 200, "HCl": 80}),
            outlet("water", {"COD": 10, "BOD5": 6, "SS": 4, "NH3-N": 0.8, "总汞": 0.003, "牛": 500}),
        ]
    )
    wanted = governance.pollution_tax(frame, province="山东").sort("factor")
    found = (
        nw.from_native(governance.pollution_tax(engine(frame), province="山东"))
        .lazy()
        .collect(backend="polars")
        .to_native()
    )
    found = found.sort("factor")
    assert found["tax"].to_list() == wanted["tax"].to_list()
    assert found["taxed"].to_list() == wanted["taxed"].to_list()
    assert found["note"].to_list() == wanted["note"].to_list()
