"""Means as the law asks for them, worked out by hand, and the declarations' own examples."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl
import pytest

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import emission
from qinglan.standards.emission import tables

START = datetime(2025, 7, 1)
HOUR = timedelta(hours=1)


def rows(factor: str, values: list[float | None], every: timedelta = HOUR, start: datetime = START, **more: Any):
    time = [start + every * number for number in range(len(values))]
    held = {"site": "a", "factor": factor, "time": time, "value": pl.Series(values, dtype=pl.Float64)}
    return pl.DataFrame(held).with_columns(**{name: pl.lit(value) for name, value in more.items()})


def collected(frame: Any, *keys: str) -> list[tuple[Any, ...]]:
    table = pl.from_arrow(nw.from_native(frame).lazy().collect(backend="pyarrow").to_native())
    assert isinstance(table, pl.DataFrame)
    return table.sort(keys).rows()


@pytest.mark.parametrize(
    "declaration",
    [
        *tables.validities(),
        *tables.gas_onlines(),
        *tables.water_onlines(),
        *tables.incinerations(),
        *tables.online_marks(),
        *tables.transmissions(),
    ],
    ids=lambda declaration: declaration.id,
)
def test_examples_of_the_declarations(declaration: Any):
    assert declaration.examples
    assert list(declaration.run_examples()) == []


@pytest.mark.parametrize(
    ("finder", "field", "changed"),
    [
        (tables.gas_onlines, "minutes_of_hour", 46),
        (tables.gas_onlines, "minutes_of_hour", 44),
        (tables.gas_onlines, "oxygen_of_air", 20),
        (tables.water_onlines, "share_of_day", 70),
        (tables.water_onlines, "plain", ()),
        (tables.incinerations, "furnace", 851),
        (tables.incinerations, "slots_a_day", 6),
        (tables.incinerations, "slots_a_day", 4),
    ],
)
def test_a_limit_that_is_changed_breaks_an_example(finder, field, changed, monkeypatch):
    (law,) = finder()
    other = law.model_copy(update={field: changed})
    for module in ("averaging", "examples"):
        monkeypatch.setattr(
            f"qinglan.standards.emission.{module}.{finder.__name__}", lambda *_: (other,), raising=False
        )
    monkeypatch.setattr("qinglan.standards.emission.averaging.named", lambda *_: other)
    assert list(other.run_examples())


def test_an_hour_needs_45_valid_minutes():
    minutes = [10.0] * 44 + [70.0] + [None] * 15
    found = emission.hourly_means(rows("a21026", minutes, timedelta(minutes=1)), 1, stamp="start")
    # (44 x 10 + 70) / 45 = 510 / 45
    assert found.select("value", "minutes", "valid").row(0) == (pytest.approx(510 / 45), 45, True)
    marked = rows("a21026", [10.0] * 60, timedelta(minutes=1)).with_columns(flag=pl.lit("N"))
    marked = marked.with_columns(flag=pl.when(pl.int_range(60) < 16).then(pl.lit("C")).otherwise("flag"))
    lost = emission.hourly_means(marked, 1, stamp="start")
    assert lost.select("value", "minutes", "valid", "missing").row(0) == (None, 44, False, "有效 44 分钟，少于 45")


def test_the_stamp_moves_a_period_by_its_own_length():
    ends = rows("a21026", [1.0, 2.0, 3.0, 4.0, 5.0, 6.0], timedelta(minutes=10), START + timedelta(minutes=10))
    found = emission.hourly_means(ends, 10, stamp="end")
    assert found.select("time", "value", "minutes").rows() == [(START, 3.5, 60)]
    with pytest.raises(InputError, match="start"):
        emission.hourly_means(ends, 10, stamp="middle")
    with pytest.raises(InputError, match="60"):
        emission.hourly_means(ends, 7, stamp="end")


def test_gas_is_converted_to_the_reference_oxygen():
    hours = pl.concat(
        [
            rows("a21026", [20.0, 20.0, 20.0, 20.0, None], unit="mg/m3"),
            rows("a19001", [9.0, 21.0, None, 6.0, 6.0], unit="%"),
        ]
    )
    found = emission.converted_hours(hours, pl.DataFrame({"site": ["a"], "oxygen": [6.0]}), stamp="start")
    # 20 x 15 / 12 = 25 mg/m3, kept in ug/m3; air itself cannot be converted.
    assert found.sort("time").select("value", "missing").rows() == [
        (25_000.0, None),
        (None, "含氧量不小于 21 %，不能折算"),
        (None, "含氧量"),
        (20_000.0, None),
        (None, "浓度"),
    ]
    plain = emission.converted_hours(hours, pl.DataFrame({"site": ["b"], "oxygen": [6.0]}), stamp="start")
    assert plain.sort("time")["value"].to_list() == [20_000.0] * 4 + [None]
    assert plain["note"].unique().to_list() == ["没有基准含氧量，按实测浓度"]


def test_a_day_of_gas_needs_20_hours():
    days = [20.0] * 10 + [40.0] * 10 + [None] * 4 + [20.0] * 19 + [None] * 5
    found = emission.gas_days(rows("a21026", days), stamp="start").sort("time")
    assert found.select("value", "hours", "missing").rows() == [(30.0, 20, None), (None, 19, "有效 19 小时，少于 20")]


def test_water_is_weighted_by_its_flow():
    values = [10.0] * 6 + [40.0] * 18
    flows = [90.0] * 6 + [10.0] * 18
    # (10 x 540 + 40 x 180) / 720 = 12600 / 720 = 17.5
    both = pl.concat([rows("w01018", values), rows("w00000", flows), rows("w01001", [6.0] * 12 + [8.0] * 12)])
    found = {row["factor"]: row for row in emission.water_days(both, stamp="start").rows(named=True)}
    assert (found["w01018"]["value"], found["w01018"]["note"]) == (17.5, "流量加权平均")
    assert (found["w01001"]["value"], found["w01001"]["note"]) == (7.0, "算术平均")


def test_a_day_of_water_needs_enough_hours_and_some_flow():
    few = pl.concat([rows("w01018", [10.0] * 17), rows("w00000", [5.0] * 24)])
    assert emission.water_days(few, stamp="start").select("value", "missing").row(0) == (None, "有效 17 小时，少于 18")
    two_hourly = pl.concat([rows("w01018", [10.0] * 9, 2 * HOUR), rows("w00000", [5.0] * 24)])
    assert emission.water_days(two_hourly, stamp="start", expected=12)["value"].to_list() == [10.0]
    still = pl.concat([rows("w01018", [10.0] * 24), rows("w00000", [0.0] * 24)])
    assert emission.water_days(still, stamp="start").select("value", "missing").row(0) == (None, "没有排放流量")


def test_hours_lost_in_flow_are_lost_in_the_mean():
    both = pl.concat([rows("w01018", [10.0] * 24), rows("w00000", [5.0] * 17 + [None] * 7)])
    assert emission.water_days(both, stamp="start")["value"].to_list() == [None]


def test_a_cold_furnace_counts_from_the_sixth_time_outside_marked_periods():
    five = timedelta(minutes=5)
    cold = rows("a01901", [849.9] * 6 + [850.0] * 282, five)
    found = emission.furnace_days(cold, stamp="start").row(0, named=True)
    assert (found["slots"], found["low"], found["counts"], found["value"], found["missing"]) == (
        288,
        6,
        True,
        849.9,
        None,
    )
    marked = pl.DataFrame({"site": ["a"], "start": [START], "end": [START + five]})
    excused = emission.furnace_days(cold, stamp="start", exempt=marked).row(0, named=True)
    assert (excused["low"], excused["exempt_low"], excused["counts"]) == (5, 1, False)
    assert "60 小时" in excused["note"]


def test_a_day_before_the_rule_is_refused():
    old = rows("a21026", [1.0] * 24, start=datetime(2017, 1, 1))
    with pytest.raises(EditionError, match="2017-01-01"):
        emission.gas_days(old, stamp="start")
    assert emission.gas_days(old, stamp="start", edition="incineration-2020").height == 1


def test_every_engine_gives_the_same_means(engine: Callable[[pl.DataFrame], Any]):
    gas = pl.concat([rows("a21026", [20.0, 33.3, None] * 8), rows("a19001", [9.0, 11.7, 6.0] * 8)])
    water = pl.concat([rows("w01018", [10.1, 40.3, 20.7] * 8), rows("w00000", [9.3, 1.7, 0.0] * 8)])
    outlets = pl.DataFrame({"site": ["a"], "oxygen": [6.0]})
    keys = ("site", "factor", "time")
    expected = collected(emission.converted_hours(gas, outlets, "start"), *keys)
    found = collected(emission.converted_hours(engine(gas), engine(outlets), "start"), *keys)
    assert _near(found, expected)
    days = collected(emission.water_days(water, "start"), *keys)
    assert _near(collected(emission.water_days(engine(water), "start"), *keys), days)


def _near(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> bool:
    return len(found) == len(expected) and all(
        mine == theirs or (isinstance(mine, float) and mine == pytest.approx(theirs, rel=1e-12))
        for row, other in zip(found, expected, strict=True)
        for mine, theirs in zip(row, other, strict=True)
    )
