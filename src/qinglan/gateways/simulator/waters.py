"""Samples of simulated rivers, reservoirs, coastal points and wells, with the structure that real ones have.

A value is its item's level times what the site's load makes of it, with a season, good and bad months that all items
of a site share, and noise; what a laboratory cannot detect is reported as less than its limit of detection. The table
``profiles.csv`` holds the levels; they are plausible numbers of a coastal city of Liaoning, and nothing judges them.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from typing import Final, Literal
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING

Numbers = NDArray[np.float64]
Mask = NDArray[np.bool_]

SCHEMA: Final = {
    "site": pl.String(),
    "factor": pl.String(),
    "grain": pl.String(),
    "time": pl.Datetime("us", "UTC"),
    "basis": pl.String(),
    "value": pl.Float64(),
    "qualifier": pl.String(),
    "limit": pl.Float64(),
    "flag": pl.String(),
    "received": pl.Datetime("us", "UTC"),
}
_FIRST, _LAST = 2020, 2025
_LOST_SAMPLE, _LOST_ITEM, _LATE, _REVISED = 0.015, 0.004, 0.04, 0.006
# How much the load of a site goes up and down from month to month, for all items together.
_SHARED = 0.07


@dataclass(frozen=True)
class SampledSite:
    """A simulated site.

    Attributes
    ----------
    profile
        Which items it has, and how high they are at a load of 1.
    load
        Its load in 2020 and in 2025; between and beyond it changes by a constant ratio a year.
    months
        Calendar months in which it is sampled.
    grain
        ``month`` for a value of the whole month, ``sample`` for a grab sample of one morning.
    """

    id: str
    profile: str
    load: tuple[float, float] = (1.0, 1.0)
    months: tuple[int, ...] = tuple(range(1, 13))
    grain: Literal["month", "sample"] = "sample"


@dataclass(frozen=True)
class Item:
    """How one item of a profile behaves."""

    factor: str
    is_product: bool
    level: float
    follows: float
    season: float
    peak: float
    noise: float
    decimals: int
    detection: float | None

    def values(self, load: Numbers, month: Numbers, random: np.random.Generator) -> Numbers:
        """Return a value for each time."""
        season = self.season * np.cos(2 * np.pi * (month - self.peak) / 12)
        noise = self.noise * random.standard_normal(len(load))
        if self.is_product:
            return np.asarray(self.level * load**self.follows * (1 + season) * np.exp(noise), dtype=np.float64)
        return np.asarray(self.level + self.follows * (load - 1) + season + noise, dtype=np.float64)


@cache
def profiles() -> Mapping[str, tuple[Item, ...]]:
    """Return the items of each profile."""
    text = files("qinglan.gateways.simulator").joinpath("profiles.csv").read_text("utf-8")
    found: dict[str, list[Item]] = {}
    for row in csv.DictReader(text.splitlines()):
        found.setdefault(row["profile"], []).append(
            Item(
                row["factor"],
                row["form"] == "product",
                level=float(row["level"]),
                follows=float(row["follows"]),
                season=float(row["season"]),
                peak=float(row["peak"]),
                noise=float(row["noise"]),
                decimals=int(row["decimals"]),
                detection=float(row["detection"]) if row["detection"] else None,
            )
        )
    return {name: tuple(items) for name, items in found.items()}


def sampled_waters(sites: Sequence[SampledSite], start: date, end: date, seed: int) -> pl.DataFrame:
    """Return what a bureau receives of the sites' samples, in the order of receipt.

    Parameters
    ----------
    sites
        Sites; what one of them measures does not depend on which others there are.
    start, end
        Beijing days, ``[start, end)``.
    seed
        The same seed gives the same frame.

    Returns
    -------
    polars.DataFrame
        Observations as the lake takes them (no ``source``, no ``revision``; basis ``assessed``). Some samples are
        lost, some late; a corrected value comes twice, the second time with a later ``received``. A value below
        detection is the limit of detection with the qualifier ``<``.

    Raises
    ------
    InputError
        If a site's profile is not known.

    Examples
    --------
    >>> river = SampledSite("a", "river", grain="month")
    >>> sampled_waters([river], date(2020, 1, 1), date(2021, 1, 1), seed=1)["factor"].n_unique()
    24
    """
    known = profiles()
    for site in sites:
        if site.profile not in known:
            raise InputError(
                f"模拟点位 {site.id} 的 profile“{site.profile}”没有定义：应为 {'、'.join(known)} 之一。",
                f'Simulated site {site.id} has the profile "{site.profile}"; it should be one of {", ".join(known)}.',
                field="profile",
            )
    frames = [_site(site, known[site.profile], start, end, seed) for site in sites]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *frames]).sort("received", "site", "factor", "time")


def load_of(load: tuple[float, float], year: Numbers) -> Numbers:
    """Return the load in each year, going from the first to the last by a constant ratio."""
    return np.asarray(load[0] * (load[1] / load[0]) ** ((year - _FIRST) / (_LAST - _FIRST)), dtype=np.float64)


def _site(site: SampledSite, items: Sequence[Item], start: date, end: date, seed: int) -> pl.DataFrame:
    months = [
        (year, month)
        for year in range(start.year, end.year + 1)
        for month in site.months
        if start <= date(year, month, 1) < end
    ]
    if not months:
        return pl.DataFrame(schema=SCHEMA)
    random = np.random.default_rng([seed, 4, crc32(site.id.encode())])
    shape = (len(months), len(items))
    year, month = (np.array(part, dtype=np.float64) for part in zip(*months, strict=True))
    load = load_of(site.load, year) * np.exp(_SHARED * random.standard_normal(len(months)))
    values = np.column_stack([item.values(load, month + 0.5, random) for item in items])
    step = 10.0 ** np.array([item.decimals for item in items])
    values = np.maximum(np.round(values * step) / step, 0)
    limits = np.array([np.nan if item.detection is None else item.detection for item in items])
    below = values < np.broadcast_to(limits, shape)
    times, received = _times(site, months, random)
    kept = (random.random(shape) >= _LOST_ITEM) & (random.random((len(months), 1)) >= _LOST_SAMPLE)
    first = pl.DataFrame(
        {
            "factor": [item.factor for item in items] * len(months),
            "time": pl.Series(times).repeat_by(len(items)).explode(),
            "value": np.where(below, limits, values).ravel(),
            "below": below.ravel(),
            "limit": np.broadcast_to(limits, shape).ravel(),
            "received": pl.Series(received).repeat_by(len(items)).explode(),
            "revised": ((random.random(shape) < _REVISED) & ~below & (values > 0)).ravel(),
            "kept": kept.ravel(),
        }
    ).filter("kept")
    again = first.filter("revised").with_columns(
        (pl.col("value") * 0.9).round_sig_figs(3), pl.col("received") + pl.duration(days=21)
    )
    return pl.concat([first, again]).select(
        pl.lit(site.id).alias("site"),
        "factor",
        pl.lit(site.grain).alias("grain"),
        pl.col("time").dt.convert_time_zone("UTC"),
        pl.lit("assessed").alias("basis"),
        "value",
        pl.when("below").then(pl.lit("<")).alias("qualifier"),
        pl.when("below").then("limit").alias("limit"),
        pl.lit(None, pl.String).alias("flag"),
        pl.col("received").dt.convert_time_zone("UTC"),
    )


def _times(
    site: SampledSite, months: Sequence[tuple[int, int]], random: np.random.Generator
) -> tuple[list[datetime], list[datetime]]:
    """Return when each sample is taken and when it is received."""
    days, tens = random.integers(3, 11, len(months)).tolist(), random.integers(0, 6, len(months)).tolist()
    if site.grain == "month":
        times = [datetime(year, month, 1, tzinfo=BEIJING) for year, month in months]
        taken = [time + timedelta(days=27, hours=12) for time in times]
    else:
        times = [
            datetime(year, month, day, 9, 10 * ten, tzinfo=BEIJING)
            for (year, month), day, ten in zip(months, days, tens, strict=True)
        ]
        taken = times
    late = np.where(random.random(len(months)) < _LATE, random.integers(30, 75, len(months)), 0)
    waited = (random.integers(6, 16, len(months)) + late).tolist()
    minutes = random.integers(0, 500, len(months)).tolist()
    received = [
        moment + timedelta(days=day, minutes=minute) for moment, day, minute in zip(taken, waited, minutes, strict=True)
    ]
    return times, received
