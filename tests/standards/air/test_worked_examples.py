"""The worked examples of the facts folder that concern air, through the functions that users call."""

from __future__ import annotations

import csv
import re
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from qinglan.core.rounding import half_even
from qinglan.standards import air

pytestmark = pytest.mark.golden


@pytest.fixture(scope="module")
def examples(shared: Path) -> list[dict[str, str]]:
    with (shared / "standards/worked_examples.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def day(values: dict[str, float], edition: str) -> dict[str, object]:
    frame = pl.DataFrame(
        {"site": "a", "factor": list(values), "date": date(2025, 6, 1), "value": [float(v) for v in values.values()]}
    )
    return air.daily_aqi_from_days(frame, edition=edition).row(0, named=True)


def concentrations(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in re.findall(r"(PM2\.5|PM10|SO2|NO2|CO|O3)[ =](\d+(?:\.\d+)?)", text)}


def test_daily_single_indices(examples: list[dict[str, str]]) -> None:
    rows = [row for row in examples if re.fullmatch(r"AQI-(2012|2026)-\d+", row["id"])]
    assert len(rows) == 26
    for row in rows:
        ((pollutant, value),) = concentrations(row["input"]).items()
        found = day({pollutant: value}, row["id"][4:8])
        assert found[f"iaqi_{pollutant.lower().replace('.', '')}"] == int(row["expected"]), row["id"]


def test_daily_index_with_its_primary_pollutant(examples: list[dict[str, str]]) -> None:
    rows = [row for row in examples if row["id"] in ("AQI-2012-day", "AQI-2026-day")]
    assert len(rows) == 2
    for row in rows:
        found = day(concentrations(row["input"]), row["id"][4:8])
        aqi, primary = re.findall(r"AQI=(\d+) primary=(\S+)", row["expected"])[0]
        assert (found["aqi"], found["primary"]) == (int(aqi), primary)
        for pollutant, index in re.findall(r"(\S+):(\d+)", row["expected"]):
            assert found[f"iaqi_{pollutant.lower().replace('.', '')}"] == int(index)


def test_above_the_last_breakpoint_in_2026() -> None:
    """AQI-2026-cap1 and cap2: HJ 633—2026 table 3 notes b and c."""
    hour = pl.DataFrame({"site": ["a"], "factor": ["SO2"], "time": [datetime(2026, 6, 1, 8)], "value": [900.0]})
    assert air.hourly_aqi(hour, stamp="end", pm="1h")["iaqi_so2"].item() == 200
    assert day({"O3": 900}, "2026")["iaqi_o3"] == 300


def test_input_is_rounded_half_even_before_the_formula() -> None:
    """AQI-2026-round: HJ 633—2026 4.2.2 with GB/T 8170."""
    assert day({"PM2.5": 60.5}, "2026")["iaqi_pm25"] == 100
    assert day({"PM2.5": 60.6}, "2026")["iaqi_pm25"] == 101


@pytest.mark.parametrize(
    ("identifier", "on", "expected", "tolerance"),
    [
        ("COMP-1", date(2025, 12, 31), 2.75, 0.005),
        ("COMP-2", date(2023, 12, 31), 4.489, 0.0005),
        ("COMP-3", date(2026, 3, 1), 2.965, 0.0005),
    ],
)
def test_composite_index(
    examples: list[dict[str, str]], identifier: str, on: date, expected: float, tolerance: float
) -> None:
    inputs = {row["id"]: row["input"] for row in examples}
    text = inputs["COMP-1"] if identifier == "COMP-3" else inputs[identifier]
    values = concentrations(text)
    assert len(values) == 6
    frame = pl.DataFrame({"site": "a", "factor": list(values), "value": list(values.values())})
    assert air.composite_index(frame, on)["composite"].item() == pytest.approx(expected, abs=tolerance)


def test_rounding(examples: list[dict[str, str]]) -> None:
    rows = [row for row in examples if row["id"].startswith("RND")]
    assert len(rows) == 8
    for row in rows:
        number, decimals = re.findall(r"^(-?[\d.]+) -> (\d)", row["input"])[0]
        assert half_even(number, int(decimals)) == Decimal(row["expected"]), row["id"]


def test_percentiles(examples: list[dict[str, str]]) -> None:
    from qinglan.standards.air.examples import evaluation_answer

    (evaluation,) = air.evaluations("2013")
    rows = [row for row in examples if row["id"].startswith("PCT")]
    assert len(rows) == 3
    for row in rows:
        percentile = int(re.findall(r"p=(\d+)", row["input"])[0])
        given = {"values": {"first": 1, "last": 365}, "percentile": percentile}
        assert evaluation_answer(evaluation, given) == pytest.approx(float(row["expected"]), abs=1e-9)
