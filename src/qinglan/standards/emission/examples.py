"""Runs the examples of the declarations on online monitoring through the evaluators that users call."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import polars as pl

from qinglan.standards.emission.averaging import converted_hours, furnace_days, gas_days, hourly_means, water_days
from qinglan.standards.emission.exceedance import candidate_exceedances
from qinglan.standards.emission.tables import (
    GasOnline,
    IncinerationOnline,
    OnlineMarks,
    Transmission,
    Validity,
    WaterOnline,
)
from qinglan.standards.emission.transmission import transmission_rate
from qinglan.standards.emission.validity import arrival_flags

_START = datetime.fromisoformat("2025-07-01T00:00")


def _rows(factor: str, values: list[Any], every: timedelta) -> pl.DataFrame:
    time = [_START + every * number for number in range(len(values))]
    held = [None if value is None else float(value) for value in values]
    return pl.DataFrame({"site": "example", "factor": factor, "time": time, "value": held})


def arrival_answer(law: Validity, given: Mapping[str, Any]) -> Any:
    """Return what is doubted of the last value."""
    rows = _rows(given["factor"], given["values"], timedelta(hours=1))
    rows = rows.with_columns(unit=pl.lit(law.of(given["medium"])[given["factor"]].unit))
    return arrival_flags(rows, given["medium"], edition=law.id).sort("time")["reasons"].to_list()[-1]


def gas_answer(law: GasOnline, given: Mapping[str, Any]) -> Any:
    """Return whether a mean is valid, or what a value is converted to."""
    if "minutes" in given:
        rows = _rows("a21026", [1.0] * given["minutes"], timedelta(minutes=1))
        return bool(hourly_means(rows, 1, "start", edition=law.id)["valid"].item())
    if "hours" in given:
        rows = _rows("a21026", [1.0] * given["hours"], timedelta(hours=1))
        return gas_days(rows, "start")["value"].item() is not None
    hours = pl.concat(
        [
            _rows("a21026", [given["value"]], timedelta(hours=1)),
            _rows("a19001", [given["oxygen"]], timedelta(hours=1)),
        ]
    )
    outlets = pl.DataFrame({"site": ["example"], "oxygen": [float(given["reference"])]})
    return float(converted_hours(hours, outlets, "start", edition=law.id)["value"].item())


def water_answer(law: WaterOnline, given: Mapping[str, Any]) -> Any:
    """Return a day's mean; the given values hold for equal parts of the day."""
    part = 24 // len(given["values"])
    hours = timedelta(hours=1)
    values = [value for value in given["values"] for _ in range(part)]
    flows = [value for value in given["flows"] for _ in range(part)]
    kept = values[: given.get("share", 24)]
    rows = pl.concat([_rows(given.get("factor", "w01018"), kept, hours), _rows("w00000", flows, hours)])
    return water_days(rows, "start", edition=law.id)["value"].item()


def furnace_answer(law: IncinerationOnline, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return how often the furnace was too cold and whether that counts."""
    rows = _rows("a01901", given["temperatures"], timedelta(minutes=5))
    day = furnace_days(rows, "start", edition=law.id).row(0, named=True)
    return {"low": day["low"], "counts": day["counts"]}


def mark_answer(law: OnlineMarks, given: Mapping[str, Any]) -> Any:
    """Return the exemption of an hour that is marked."""
    means = _rows("a21026", [100], timedelta(hours=1)).with_columns(period=pl.lit("hour"))
    limit = {"site": ["example"], "factor": ["a21026"], "period": ["hour"], "limit": [35.0]}
    limits = pl.DataFrame({**limit, "edition": ["example"], "clause": ["example"]})
    over = {"start": [_START], "end": [_START + timedelta(minutes=10)]}
    marks = pl.DataFrame({"site": ["example"], **over, "mark": [given["mark"]]})
    return candidate_exceedances(means, limits, marks, edition=law.id)["exemption"].item()


def transmission_answer(law: Transmission, given: Mapping[str, Any]) -> float:
    """Return the effective rate of a month of 31 days."""
    valid = [1.0] * given["valid"] + [None] * (given["received"] - given["valid"])
    rows = _rows("a21026", valid, timedelta(hours=1))
    return float(transmission_rate(rows, "start", edition=law.id)["effective"].item())
