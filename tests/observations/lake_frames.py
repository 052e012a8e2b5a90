"""Small frames written by hand, and a way to run a script in another process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import polars as pl

T = datetime(2023, 1, 31, 22, tzinfo=timezone.utc)
"""Two hours before the end of a partition."""


def hours(
    values: Sequence[float | None],
    *,
    site: str = "1001A",
    factor: str = "a34004",
    basis: str = "realtime",
    first: datetime = T,
    flag: str | None = None,
) -> pl.DataFrame:
    """Hourly values of one series."""
    return pl.DataFrame(
        {
            "site": site,
            "factor": factor,
            "grain": "hour",
            "time": [first + timedelta(hours=at) for at in range(len(values))],
            "basis": basis,
            "value": pl.Series(values, dtype=pl.Float64),
            "flag": pl.Series([flag] * len(values), dtype=pl.String),
        }
    )


def values(frame: pl.LazyFrame | pl.DataFrame) -> list[float | None]:
    """The values in the order of time."""
    return frame.lazy().sort("site", "factor", "time").collect()["value"].to_list()


def python(script: str, *arguments: Any, **options: Any) -> subprocess.Popen[str]:
    """Start a Python script of this folder, or a text, in a process group of its own."""
    here = Path(__file__).parent
    command = [sys.executable, str(here / script)] if script.endswith(".py") else [sys.executable, "-c", script]
    return subprocess.Popen(
        [*command, *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        cwd=here,
        **options,
    )
