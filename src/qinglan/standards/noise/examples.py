"""Runs the examples of the noise declarations through the evaluators that users call."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import polars as pl

from qinglan.standards.noise.city import city_grade
from qinglan.standards.noise.levels import levels


def day_level(hours: Sequence[float]) -> float:
    """Return the rounded day level of hourly levels from 06:00 on."""
    start = datetime.fromisoformat("2020-01-01T06:00")
    frame = pl.DataFrame(
        {
            "site": "example",
            "time": [start + timedelta(hours=number) for number in range(len(hours))],
            "value": [float(value) for value in hours],
        }
    )
    return float(levels(frame, stamp="start")["ld_rounded"].item())


def grade_word(kind: str, period: str, level: float) -> str:
    """Return the grade of a city whose mean is `level`."""
    frame = pl.DataFrame({"site": ["example"], "value": [float(level)], "length": [1.0]})
    return str(city_grade(frame, kind=kind, period=period)["grade"].item())
