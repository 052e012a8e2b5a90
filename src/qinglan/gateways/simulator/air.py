"""Hourly PM2.5, PM10, SO2, NO2, CO and O3 of simulated sites, with the structure that real ones have.

Every factor is a load (season, heating, trend over the years) times what the weather makes of it, times the site's
own share and noise. The numbers are chosen to look like a coastal city of Liaoning in 2020–2025: a heating-season
maximum of everything but ozone, ozone with sun and heat, dust in spring, all but ozone falling over the years.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from zlib import crc32

import numpy as np
import polars as pl
from scipy.signal import lfilter

from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING
from qinglan.gateways.simulator.weather import Hours, Weather, correlated, weather

DECIMALS: Mapping[str, int] = {"a34004": 0, "a34002": 0, "a21026": 0, "a21004": 0, "a21005": 1, "a05024": 0}
FACTORS: tuple[str, ...] = tuple(DECIMALS)
# What remains of 2020's load in 2025.
_REMAINS = {"particles": 0.76, "sulphur": 0.62, "nitrogen": 0.80, "carbon": 0.78, "ozone": 0.97}


@dataclass(frozen=True)
class AirSite:
    """A simulated site; `load` is its share of the city's pollution (1 = the city's mean, less = cleaner air)."""

    id: str
    load: float = 1.0


def hourly_air(sites: Sequence[AirSite], start: date, end: date, seed: int) -> pl.DataFrame:
    """Return the complete hours of all sites, as the instruments would read them without any fault.

    Parameters
    ----------
    sites
        Sites; what one measures does not depend on which others there are.
    start, end
        Beijing days, ``[start, end)``.
    seed
        The same seed gives the same frame.

    Returns
    -------
    polars.DataFrame
        ``site, factor, time`` (start of the hour, UTC), ``value`` (µg/m³, CO mg/m³), sorted by all three.

    Raises
    ------
    InputError
        If there is no site or no day between `start` and `end`.

    Examples
    --------
    >>> hours = hourly_air([AirSite("x")], date(2020, 1, 1), date(2020, 1, 2), seed=1)
    >>> hours.height
    144
    """
    hours = (end - start).days * 24
    if not sites or hours < 1:
        raise InputError(
            "模拟需要至少一个点位和一天。", "A simulation needs at least one site and one day.", field="start"
        )
    over_city = weather(start, hours, seed)
    times = pl.datetime_range(
        datetime.combine(start, time(), BEIJING),
        datetime.combine(end, time(), BEIJING),
        "1h",
        closed="left",
        time_unit="us",
        time_zone="UTC",
        eager=True,
    )
    frames: list[pl.DataFrame] = []
    for site in sorted(sites, key=lambda one: one.id):
        read = _site(over_city, site, np.random.default_rng([seed, 1, crc32(site.id.encode())]))
        frames.extend(
            pl.DataFrame({"time": times, "value": np.round(np.maximum(read[factor], 0), DECIMALS[factor])}).select(
                pl.lit(site.id).alias("site"), pl.lit(factor).alias("factor"), "time", "value"
            )
            for factor in sorted(FACTORS)
        )
    return pl.concat(frames)


def _site(over: Weather, site: AirSite, random: np.random.Generator) -> dict[str, Hours]:
    count = len(over.hour)
    # The site's own air follows the city's closely; the rest is its streets and chimneys.
    still = 0.93 * over.stagnation + 0.37 * correlated(random, count, 12)
    share = {name: site.load * random.lognormal(0, 0.06) for name in _REMAINS}

    def noise(width: float) -> Hours:
        return np.exp(width * random.standard_normal(count))

    pm25 = (
        share["particles"]
        * _trend(over, "particles")
        * (29 + 20 * over.heating + 2 * _summer(over))
        * np.exp((0.45 + 0.15 * over.heating) * still - 0.04)
        * (1 + 0.11 * np.cos(2 * np.pi * (over.hour - 22) / 24) + 0.03 * _rush(over))
        * noise(0.09)
    )
    arrived = over.dust * random.lognormal(0, 0.15)
    coarse = share["particles"] * (23 + 9 * _spring(over)) * np.exp(0.30 * still - 0.04) * noise(0.16)
    so2 = (
        share["sulphur"]
        * _trend(over, "sulphur")
        * (7.5 + 15 * over.heating)
        * np.exp(0.42 * still)
        * (1 + 0.16 * np.cos(2 * np.pi * (over.hour - 10.5) / 24))
        * noise(0.18)
    )
    no2 = (
        share["nitrogen"]
        * _trend(over, "nitrogen")
        * (20 + 13 * over.heating)
        * np.exp(0.36 * still)
        * (1 + 0.22 * np.cos(2 * np.pi * (over.hour - 21.5) / 24) + 0.16 * _rush(over))
        * noise(0.12)
    )
    co = (
        share["carbon"]
        * _trend(over, "carbon")
        * (0.55 + 0.42 * over.heating)
        * np.exp(0.42 * still)
        * (1 + 0.14 * np.cos(2 * np.pi * (over.hour - 22.5) / 24) + 0.05 * _rush(over))
        * noise(0.08)
    )
    # Ozone is made over hours: it follows the sun with a delay and is eaten by fresh nitrogen oxides.
    keep = float(np.exp(-1 / 4.5))
    made = np.asarray(lfilter([1 - keep], [1.0, -keep], over.sun), dtype=np.float64)
    o3 = (
        _trend(over, "ozone")
        * (44 + 16 * _spring(over) + 158 * made * np.exp(0.026 * (over.temperature - 14)) * (1 + 0.20 * still))
        * noise(0.05)
        / random.lognormal(0, 0.04)
        - 0.55 * no2
    )
    return {
        "a34004": pm25 + 0.16 * arrived,
        "a34002": pm25 * 1.05 + coarse + arrived,
        "a21026": np.maximum(so2, 1),
        "a21004": np.maximum(no2, 1),
        "a21005": np.maximum(co, 0.1),
        "a05024": np.maximum(o3, 2),
    }


def _trend(over: Weather, name: str) -> Hours:
    """Return 1 in the middle of 2020, what remains in the middle of 2025, and a straight line through both."""
    return np.asarray(np.maximum(1 + (_REMAINS[name] - 1) * (over.year - 2020.5) / 5, 0.2), dtype=np.float64)


def _bump(middle: float, width: float) -> Callable[[Weather], Hours]:
    def of(over: Weather) -> Hours:
        return np.exp(-(((over.day_of_year - middle) / width) ** 2))

    return of


_spring = _bump(110, 40)
_summer = _bump(200, 40)


def _rush(over: Weather) -> Hours:
    """Return how much of the two rush hours there is; each is about two hours wide."""
    morning = np.exp(-(((over.hour - 8) / 1.6) ** 2))
    return np.asarray(morning + np.exp(-(((over.hour - 18.5) / 1.8) ** 2)), dtype=np.float64)
