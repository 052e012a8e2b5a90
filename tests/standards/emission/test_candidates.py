"""Candidates of exceedance with what exempts them, transmission rates and totals, worked out by hand."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl
import pytest

from qinglan.core.errors import InputError
from qinglan.standards import emission

START = datetime(2025, 7, 1)
HOUR = timedelta(hours=1)


def means(values: list[float], factor: str = "a21026", period: str = "hour", unit: str = "mg/m3") -> pl.DataFrame:
    every = {"hour": HOUR, "day": 24 * HOUR}[period]
    time = [START + every * number for number in range(len(values))]
    held = {"site": "a", "factor": factor, "time": time, "period": period, "value": values, "unit": unit}
    return pl.DataFrame(held)


def limit(value: float | None, factor: str = "a21026", period: str = "hour", unit: str = "mg/m3", **more: Any):
    told = {"site": ["a"], "factor": [factor], "period": [period], "limit": [value], "unit": [unit]}
    named = {"edition": ["GB 13223—2011"], "clause": ["表1"], **{name: [held] for name, held in more.items()}}
    return pl.DataFrame({**told, **named}, schema_overrides={"limit": pl.Float64})


def collected(frame: Any, *keys: str) -> list[dict[str, Any]]:
    table = pl.from_arrow(nw.from_native(frame).lazy().collect(backend="pyarrow").to_native())
    assert isinstance(table, pl.DataFrame)
    return table.sort(keys).rows(named=True)


def test_a_value_above_its_limit_is_a_candidate_and_one_equal_to_it_is_not():
    found = emission.candidate_exceedances(means([35.0, 35.001, 52.5, 70.0]), limit(35.0)).sort("time")
    # (70 - 35) / 35 = 1.00; 0.001 / 35 rounds to 0.00
    assert found.select("value", "limit", "multiple").rows() == [
        (35.001, 35.0, 0.0),
        (52.5, 35.0, 0.5),
        (70.0, 35.0, 1.0),
    ]
    first = found.row(0, named=True)
    assert (first["edition"], first["clause"], first["exemption"], first["invalid"]) == (
        "GB 13223—2011",
        "表1",
        None,
        False,
    )
    assert "候选" in first["note"]


def test_units_of_mean_and_limit_may_differ_but_not_in_kind():
    same = emission.candidate_exceedances(means([70_000.0], unit="ug/m3"), limit(35.0))
    assert same.select("value", "limit", "multiple").rows() == [(70.0, 35.0, 1.0)]
    own = emission.candidate_exceedances(means([70_000.0]).drop("unit"), limit(35.0))
    assert own["value"].to_list() == [70.0]
    with pytest.raises(InputError):
        emission.candidate_exceedances(means([1.0], unit="mg/L"), limit(35.0))


def test_a_range_has_two_ends():
    acid = emission.candidate_exceedances(
        means([5.9, 6.0, 9.0, 9.1], "w01001", "day", "1"), limit(9.0, "w01001", "day", "1", low=6.0)
    ).sort("time")
    assert acid.select("value", "limit", "multiple").rows() == [(5.9, 6.0, None), (9.1, 9.0, 0.01)]


def test_a_limit_holds_for_its_outlet_period_and_days_alone():
    dated = limit(35.0, start=date(2025, 7, 2), end=date(2025, 7, 2))
    days = emission.candidate_exceedances(means([50.0] * 72), dated)
    assert days["time"].dt.date().unique().to_list() == [date(2025, 7, 2)]
    assert emission.candidate_exceedances(means([50.0]), limit(35.0, period="day")).is_empty()
    assert emission.candidate_exceedances(means([50.0]).with_columns(site=pl.lit("b")), limit(35.0)).is_empty()


def test_marks_that_overlap_exempt_and_others_do_not():
    marks = pl.DataFrame(
        {
            "site": ["a", "a", "a", "b"],
            "start": [START, START + 2 * HOUR, START + 3.5 * HOUR, START],
            "end": [START + HOUR, START + 3 * HOUR, START + 4 * HOUR, START + 99 * HOUR],
            "mark": ["shutdown", "maintenance", "startup", "calibration"],
        }
    )
    found = emission.candidate_exceedances(means([50.0] * 5), limit(35.0), marks).sort("time")
    assert found.select("exemption", "invalid").rows() == [
        ("停炉（停机）（工况豁免，须核对时长）", False),
        (None, False),
        ("维护（数据无效）", True),
        ("启炉（启机）（工况豁免，须核对时长）", False),
        (None, False),
    ]
    assert "不作为判定依据" in found["note"].to_list()[2]


def test_two_marks_are_both_named_and_one_factor_s_mark_leaves_others_alone():
    marks = pl.DataFrame(
        {
            "site": ["a", "a"],
            "start": [START, START],
            "end": [START + HOUR, START + HOUR],
            "mark": ["startup", "calibration"],
            "factor": [None, "a21002"],
        }
    )
    both = pl.concat([means([50.0]), means([50.0], "a21002")])
    limits = pl.concat([limit(35.0), limit(35.0, "a21002")])
    found = emission.candidate_exceedances(both, limits, marks).sort("factor")
    assert found["exemption"].to_list() == [
        "校准、校验（数据无效）、启炉（启机）（工况豁免，须核对时长）",
        "启炉（启机）（工况豁免，须核对时长）",
    ]


def test_a_day_is_overlapped_anywhere_in_it():
    marks = pl.DataFrame({"site": ["a"], "start": [START + 20 * HOUR], "end": [START + 21 * HOUR], "mark": ["fault"]})
    found = emission.candidate_exceedances(means([50.0, 50.0], period="day"), limit(35.0, period="day"), marks)
    assert found.sort("time")["exemption"].is_null().to_list() == [False, True]


def test_marks_and_periods_that_are_not_known_are_refused():
    marks = pl.DataFrame({"site": ["a"], "start": [START], "end": [START], "mark": ["holiday"]})
    with pytest.raises(InputError, match="holiday"):
        emission.candidate_exceedances(means([50.0]), limit(35.0), marks)
    with pytest.raises(InputError, match="week"):
        emission.candidate_exceedances(means([50.0]), limit(35.0, period="week"))


def test_normal_marks_exempt_nothing():
    marks = pl.DataFrame({"site": ["a"], "start": [START], "end": [START + HOUR], "mark": ["normal"]})
    assert emission.candidate_exceedances(means([50.0]), limit(35.0), marks)["exemption"].to_list() == [None]


def hours(factor: str, values: list[float | None], start: datetime = START, **more: Any) -> pl.DataFrame:
    time = [start + HOUR * number for number in range(len(values))]
    held = {"site": "a", "factor": factor, "time": time, "value": pl.Series(values, dtype=pl.Float64)}
    return pl.DataFrame(held).with_columns(**{name: pl.lit(value) for name, value in more.items()})


def test_transmission_times_validity():
    # July has 744 hours and two factors: 1488 expected; 1400 came, of which 40 were being calibrated.
    sent = pl.concat(
        [
            hours("w01018", [1.0] * 700, flag=None).with_columns(flag=pl.lit(None, dtype=pl.String)),
            hours("w21003", [1.0] * 660).with_columns(flag=pl.lit("N")),
            hours("w21003", [1.0] * 40, START + 660 * HOUR).with_columns(flag=pl.lit("C")),
        ]
    )
    found = emission.transmission_rate(sent, stamp="start").row(0, named=True)
    assert (found["month"], found["factors"], found["expected"], found["received"], found["valid"]) == (
        *("2025-07", 2, 1488, 1400, 1360),
    )
    # 1400/1488 = 94.086 %, 1360/1400 = 97.143 %, 1360/1488 = 91.398 %
    assert (found["transmission"], found["validity"], found["effective"]) == (94.09, 97.14, 91.4)
    assert (found["meets"], found["missing"]) == (True, "缺少或无效 128 小时值")


def test_hours_out_of_operation_are_not_expected():
    sent = hours("w01018", [1.0] * 600)
    low = emission.transmission_rate(sent, stamp="start").row(0, named=True)
    assert (low["effective"], low["meets"]) == (80.65, False)
    stops = pl.DataFrame({"site": "a", "time": [START + HOUR * number for number in range(600, 744)]})
    full = emission.transmission_rate(sent, stamp="start", stops=stops).row(0, named=True)
    assert (full["expected"], full["effective"], full["meets"], full["missing"]) == (600, 100.0, True, None)


def test_an_hour_s_emission_is_flow_times_concentration():
    water = pl.concat([hours("w01018", [50.0, None, 50.0]), hours("w00000", [10.0, 10.0, None])])
    # 50 mg/L x 10 L/s x 3600 s = 1.8 kg
    assert emission.hourly_emissions(water, "start").sort("time")["grams"].to_list() == [1800, None, None]
    gas = pl.concat([hours("a21026", [20_000.0]), hours("a00000", [100.0])])
    # 20 mg/m3 x 100 m3/s x 3600 s = 7.2 kg
    assert emission.hourly_emissions(gas, "start")["grams"].to_list() == [7200]
    told = pl.concat([hours("a21026", [20.0], unit="mg/m3"), hours("a00000", [100.0], unit="m3/s")])
    assert emission.hourly_emissions(told, "start")["grams"].to_list() == [7200]


def gas(values: list[float | None]) -> pl.DataFrame:
    return pl.concat([hours("a34013", values), hours("a00000", [1000 / 3.6] * len(values))])


def test_gaps_of_gas_take_the_largest_of_the_hours_before():
    # 1 mg/m3 at 1000/3.6 m3/s is 1 kg an hour. 936 of 961 hours are valid: 97 %.
    values: list[float | None] = [9.0] + [1.0] * 299 + [3.0] + [1.0] * 299 + [None] * 24 + [1.0] * 336 + [None]
    found = emission.gas_totals(gas(values), stamp="start").sort("time")
    by_day = dict(zip(found["time"].to_list(), found.rows(named=True), strict=True))
    lost = by_day[START + 600 * HOUR]
    # The gap of 24 hours looks back 180 hours: 1 kg; the 3 kg hour lies 300 hours back.
    assert (lost["kilograms"], lost["measured"], lost["hours"], lost["substituted"]) == (24.0, 0.0, 0, 24)
    longer = values[:600] + [None] * 25 + [1.0] * 335
    again = emission.gas_totals(gas(longer), stamp="start").sort("time")
    # 25 hours look back 720: the 9 kg hour is among them.
    assert again.filter(pl.col("time") == START + 600 * HOUR)["kilograms"].to_list() == [216.0]
    assert lost["note"]
    assert lost["capture"] == 97


def test_below_75_percent_nothing_stands_in():
    values: list[float | None] = [1.0] * 74 + [None] * 26
    found = emission.gas_totals(gas(values), stamp="start").sort("time")
    assert found["substituted"].sum() == 0
    assert sum(found["kilograms"].to_list()) == 74.0
    assert found["missing"].to_list()[-1] == "4 小时没有数据，也不能替代"
    better = [1.0] * 75 + [None] * 25
    assert emission.gas_totals(gas(better), stamp="start")["substituted"].sum() == 25


def test_stopped_hours_emit_nothing_and_count_nowhere():
    values: list[float | None] = [1.0] * 48 + [None] * 24
    stops = pl.DataFrame({"site": "a", "time": [START + HOUR * number for number in range(48, 72)]})
    found = emission.gas_totals(gas(values), stamp="start", stops=stops)
    assert sum(found["kilograms"].to_list()) == 48.0
    assert found["capture"].unique().to_list() == [100]


def water(values: list[float | None]) -> pl.DataFrame:
    return pl.concat([hours("w01018", values), hours("w00000", [1000 / 3.6] * len(values))])


def test_lost_days_of_water_take_the_largest_valid_day_before():
    # 1 mg/L at 1000/3.6 L/s is 1 kg an hour.
    day = 24
    values: list[float | None] = [1.0] * day + [2.0] * day + [1.0] * day + [5.0] * 17 + [None] * 7 + [None] * day
    found = emission.water_totals(water(values), stamp="start").sort("time")
    assert found.select("kilograms", "measured", "substituted").rows() == [
        (24.0, 24.0, False),
        (48.0, 48.0, False),
        (24.0, 24.0, False),
        (48.0, None, True),
        (48.0, None, True),
    ]
    first = emission.water_totals(water([None] * day), stamp="start").row(0, named=True)
    assert (first["kilograms"], first["substituted"], first["missing"]) == (None, False, "有效 0 小时，少于 18")


def test_a_day_with_enough_hours_is_taken_for_whole():
    values: list[float | None] = [1.0] * 18 + [None] * 6
    assert emission.water_totals(water(values), stamp="start")["kilograms"].to_list() == [24.0]


def test_every_engine_finds_the_same(engine: Callable[[pl.DataFrame], Any]):
    marks = pl.DataFrame(
        {"site": ["a"], "start": [START], "end": [START + HOUR], "mark": ["shutdown"]},
    )
    held, limits = means([50.0, 35.0, 71.7]), limit(35.0)
    expected = collected(emission.candidate_exceedances(held, limits, marks), "time")
    found = collected(emission.candidate_exceedances(engine(held), engine(limits), engine(marks)), "time")
    assert found == expected
    assert len(found) == 2
    sent = hours("w01018", [1.0, None] * 40)
    rates = collected(emission.transmission_rate(sent, "start"), "site")
    assert collected(emission.transmission_rate(engine(sent), "start"), "site") == rates
    values: list[float | None] = [1.0, 2.5] * 40 + [None] * 4
    totals = collected(emission.gas_totals(gas(values), "start"), "time")
    assert collected(emission.gas_totals(engine(gas(values)), "start"), "time") == totals
    days = collected(emission.water_totals(water(values), "start"), "time")
    assert collected(emission.water_totals(engine(water(values)), "start"), "time") == days
