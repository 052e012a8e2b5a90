"""A year of the national network in the lake's table `current`: 1,436 stations × 6 factors × 8,760 hours."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path

import numpy as np
import polars as pl

from qinglan.observations.current import watermark
from qinglan.observations.schema import OBSERVATION
from qinglan.observations.tables import Table

STATIONS = 1_436
YEAR = 2023
BEIJING = timedelta(hours=8)
STATIONS_A_PIECE = 120

FACTORS: dict[str, tuple[float, float, int]] = {
    "a05024": (70, 45, 0),
    "a21004": (30, 15, 0),
    "a21005": (0.8, 0.4, 1),
    "a21026": (12, 8, 0),
    "a34002": (80, 50, 0),
    "a34004": (45, 35, 0),
}
"""Mean, spread and decimals of each factor; about 1 % of the rows are absent and 1 % have no value."""


def make(home: Path, stations: int = STATIONS) -> Path:
    """Write both tables of a lake below `home` (once) and return the lake's folder."""
    lake = home / f"lake-{stations}"
    done = lake / "complete"
    if done.exists():
        return lake
    start = datetime(YEAR, 1, 1, tzinfo=timezone.utc) - BEIJING
    end = datetime(YEAR + 1, 1, 1, tzinfo=timezone.utc) - BEIJING
    history = Table(lake / "history").open_or_make()
    current = Table(lake / "current").open_or_make()
    month = datetime(start.year, start.month, 1, tzinfo=timezone.utc)
    while month < end:
        following = (month + timedelta(days=32)).replace(day=1)
        name = f"{month:%Y-%m}"
        for table, marks in ((history, []), (current, [(watermark("hour", name), 1)])):
            table.replace(_pieces(stations, max(month, start), min(following, end)), "hour", name, marks)
        month = following
    done.touch()
    return lake


def _pieces(stations: int, start: datetime, end: datetime) -> Iterator[pl.DataFrame]:
    hours = pl.datetime_range(start, end, "1h", closed="left", eager=True).cast(pl.Datetime("us", "UTC"))
    for first in range(0, stations, STATIONS_A_PIECE):
        yield _piece(range(first, min(first + STATIONS_A_PIECE, stations)), hours)


def _piece(stations: range, hours: pl.Series) -> pl.DataFrame:
    random = np.random.default_rng([stations.start, int(hours[0].timestamp())])
    weather = np.sin(np.arange(len(hours)) / 24 * 2 * np.pi / 7)
    frames = []
    for station in stations:
        for factor, (mean, spread, decimals) in FACTORS.items():
            value = np.maximum(0, mean + spread * (0.6 * random.standard_normal(len(hours)) + weather))
            value = np.round(value, decimals)
            value[random.random(len(hours)) < 0.01] = np.nan
            frame = pl.DataFrame({"time": hours, "value": value}, nan_to_null=True)
            kept = pl.Series(random.random(len(hours)) >= 0.01)
            frames.append(
                frame.filter(kept).with_columns(
                    site=pl.lit(f"{1001 + station}A"),
                    factor=pl.lit(factor),
                    grain=pl.lit("hour"),
                    basis=pl.lit("realtime"),
                    source=pl.lit("generated"),
                    received=pl.lit(hours[-1]).cast(pl.Datetime("us", "UTC")),
                    revision=pl.lit(1, pl.Int64),
                )
            )
    rows = pl.concat(frames)
    absent = [pl.lit(None, kind).alias(name) for name, kind in OBSERVATION.items() if name not in rows.columns]
    return rows.with_columns(absent).select(*OBSERVATION)
