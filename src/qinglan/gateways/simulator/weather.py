"""The weather behind the simulated hours: what all sites of a city share, and so what makes them rise together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Hours = NDArray[np.float64]
LATITUDE = 40.7


@dataclass(frozen=True)
class Weather:
    """Hourly series of one city, all of the same length.

    Attributes
    ----------
    hour, day_of_year, year
        Beijing clock and calendar; `year` runs on smoothly (2020.5 is the middle of 2020).
    temperature
        °C.
    sun
        Sine of the sun's height after clouds, 0 at night.
    stagnation
        Standard normal; high when the air stands still and pollution gathers.
    heating
        0 to 1: how much of the heating season's load is on.
    dust
        µg/m³ of coarse dust that the wind brings in.
    """

    hour: Hours
    day_of_year: Hours
    year: Hours
    temperature: Hours
    sun: Hours
    stagnation: Hours
    heating: Hours
    dust: Hours


def weather(start: date, hours: int, seed: int) -> Weather:
    """Return `hours` hours of weather from the Beijing day `start`, the same for the same seed."""
    random = np.random.default_rng([seed, 0])
    stamps = np.datetime64(start, "h") + np.arange(hours)
    years = stamps.astype("datetime64[Y]")
    into_year = (stamps - years).astype("timedelta64[h]").astype(np.float64)
    length = ((years + 1).astype("datetime64[h]") - years.astype("datetime64[h]")).astype(np.float64)
    day_of_year = into_year / 24
    hour = into_year % 24
    year = years.astype(np.int64) + 1970 + into_year / length
    season = np.cos(2 * np.pi * (day_of_year - 201) / 365.25)
    clouds = 1 / (1 + np.exp(-1.3 * (correlated(random, hours, 18) - 0.8)))
    temperature = 9.8 + 14.5 * season + 3.8 * np.cos(2 * np.pi * (hour - 15) / 24) + 3.2 * correlated(random, hours, 70)
    return Weather(
        hour=hour,
        day_of_year=day_of_year,
        year=year,
        temperature=temperature,
        sun=_sun(day_of_year, hour) * (1 - 0.75 * clouds),
        stagnation=correlated(random, hours, 34),
        heating=_heating(day_of_year),
        dust=_dust(random, day_of_year, years.astype(np.int64) + 1970),
    )


def correlated(random: np.random.Generator, count: int, memory: float) -> Hours:
    """Return a standard normal series whose correlation falls to 1/e after `memory` steps (an AR(1) process)."""
    keep = float(np.exp(-1 / memory))
    kicks = random.standard_normal(count) * np.sqrt(1 - keep**2)
    kicks[0] = random.standard_normal()
    return np.asarray(lfilter([1.0], [1.0, -keep], kicks), dtype=np.float64)


def _sun(day_of_year: Hours, hour: Hours) -> Hours:
    tilt = np.radians(23.44) * np.sin(2 * np.pi * (day_of_year - 80) / 365.25)
    turned = np.radians(15) * (hour + 0.5 - 12)
    latitude = np.radians(LATITUDE)
    height = np.sin(latitude) * np.sin(tilt) + np.cos(latitude) * np.cos(tilt) * np.cos(turned)
    return np.asarray(np.maximum(height, 0), dtype=np.float64)


def _heating(day_of_year: Hours) -> Hours:
    """Return how much heating runs: 1 November to 31 March, with a week of starting and of ending."""
    begins = 1 / (1 + np.exp(-(day_of_year - 306) / 3))
    ends = 1 / (1 + np.exp((day_of_year - 91) / 3))
    return np.asarray(np.maximum(begins, ends), dtype=np.float64)


def _dust(random: np.random.Generator, day_of_year: Hours, years: NDArray[np.int64]) -> Hours:
    """Return two to six dust events a spring, each rising in a few hours and fading over a day or two."""
    dust = np.zeros(len(day_of_year))
    for year in np.unique(years):
        first = int(np.argmax(years == year))
        for _ in range(random.integers(2, 7)):
            begin = first + int(random.uniform(62, 138) * 24) - int(day_of_year[first] * 24)
            peak = random.lognormal(5.6, 0.55)
            rise, fade = random.uniform(2, 5), random.uniform(9, 20)
            passed = np.arange(96, dtype=np.float64)
            shape = (1 - np.exp(-passed / rise)) * np.exp(-passed / fade)
            end = min(begin + len(shape), len(dust))
            if 0 <= begin < end:
                dust[begin:end] += peak * (shape / shape.max())[: end - begin]
    return dust
