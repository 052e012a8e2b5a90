"""Hourly levels of simulated noise points: surveys of 24 hours, four a year, with a night that is quieter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zlib import crc32

import numpy as np
import polars as pl

from qinglan.core.interval import BEIJING
from qinglan.gateways.simulator.waters import SCHEMA, load_of

FACTOR = "Leq"
_HOURS = 24
# A survey begins in the morning, so that its night is whole.
_BEGINS = 6
_NIGHT = 9.5
_LOST, _REVISED = 0.004, 0.003


@dataclass(frozen=True)
class NoiseSite:
    """A simulated point; `level` is its usual level by day in 2020 and in 2025, dB(A)."""

    id: str
    level: tuple[float, float]
    months: tuple[int, ...] = (2, 5, 8, 11)


def hourly_noise(sites: Sequence[NoiseSite], start: date, end: date, seed: int) -> pl.DataFrame:
    """Return the hours of all surveys that begin in ``[start, end)``, in the order of receipt.

    Parameters
    ----------
    sites
        Points.
    start, end
        Beijing days.
    seed
        The same seed gives the same frame.

    Returns
    -------
    polars.DataFrame
        Observations as the lake takes them (no ``source``, no ``revision``; basis ``audited``; dB(A), one decimal);
        `time` is the start of the hour. A few hours are lost, a few are corrected later.

    Examples
    --------
    >>> hours = hourly_noise([NoiseSite("a", (54.0, 53.0))], date(2024, 1, 1), date(2025, 1, 1), seed=1)
    >>> 90 <= hours.height <= 97
    True
    """
    frames = [
        _survey(site, year, month, seed)
        for site in sites
        for year in range(start.year, end.year + 1)
        for month in site.months
        if start <= date(year, month, 1) < end
    ]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *frames]).sort("received", "site", "time")


def _survey(site: NoiseSite, year: int, month: int, seed: int) -> pl.DataFrame:
    random = np.random.default_rng([seed, 5, crc32(site.id.encode()), year, month])
    begins = datetime(year, month, 8 + int(random.integers(0, 12)), _BEGINS, tzinfo=BEIJING)
    hour = (_BEGINS + np.arange(_HOURS)) % _HOURS
    quiet = 1 / (1 + np.exp(-(np.abs(hour - 13.5) - 8.3) / 0.8))
    rush = np.exp(-(((hour - 7.5) / 1.3) ** 2)) + np.exp(-(((hour - 17.7) / 1.5) ** 2))
    level = load_of(site.level, np.array([float(year)]))[0] + 0.5 * random.standard_normal()
    values = np.round(level - _NIGHT * quiet + 1.4 * rush + 0.7 * random.standard_normal(_HOURS), 1)
    received = begins + timedelta(days=6 + int(random.integers(0, 14)), hours=4)
    first = pl.DataFrame(
        {
            "site": [site.id] * _HOURS,
            "factor": [FACTOR] * _HOURS,
            "grain": ["hour"] * _HOURS,
            "time": [begins + timedelta(hours=passed) for passed in range(_HOURS)],
            "basis": ["audited"] * _HOURS,
            "value": values,
            "qualifier": [None] * _HOURS,
            "limit": [None] * _HOURS,
            "flag": [None] * _HOURS,
            "received": [received] * _HOURS,
        },
        schema=SCHEMA,
    ).filter(pl.Series(random.random(_HOURS) >= _LOST))
    again = first.filter(pl.Series(random.random(first.height) < _REVISED)).with_columns(
        (pl.col("value") - 1).round(1), pl.col("received") + pl.duration(days=15)
    )
    return pl.concat([first, again])
