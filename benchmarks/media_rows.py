"""Rows to be judged: made with a fixed seed, in the units and about the limits of each standard, shuffled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any

import numpy as np
import polars as pl

from qinglan.standards import sea as sea_
from qinglan.standards.groundwater import classes as groundwater_classes
from qinglan.standards.risk import enterprise_risks
from qinglan.standards.soil import construction_editions
from qinglan.standards.waste import hazardous_wastes
from qinglan.standards.water import water_classes

SEED = 20261124
RATES = {"air": 4.8, "water": 5.6}
TAXED = {
    "air": ("SO2", "NOx", "CO", "氟化物", "HCl"),
    "water": ("COD", "NH3-N", "SS", "TP", "BOD5", "总汞", "总镉"),
}  # fmt: skip
DISCHARGED = {"cod": 50, "bod5": 10, "ss": 10, "nh3n": 5, "tn": 15, "tp": 0.5, "oil": 1, "las": 0.5, "fc": 1000}
SCREENED = {"镉": 0.5, "汞": 0.7, "砷": 25, "铅": 120, "铬": 250, "铜": 100, "镍": 100, "锌": 250}


def _spread(keys: pl.DataFrame, usual: Mapping[str, float], draw: np.random.Generator) -> pl.DataFrame:
    """Return one row a sample and item, a gamma about each item's usual value, shuffled."""

    def values(item: str, value: float) -> pl.Series:
        if item.lower() == "ph":
            return pl.Series(np.round(np.clip(draw.normal(7.5, 0.9, keys.height), 4, 10), 2))
        return pl.Series(np.round(draw.gamma(4, value / 6, keys.height), 9))

    parts = [keys.with_columns(factor=pl.lit(item), value=values(item, value)) for item, value in usual.items()]
    return pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=SEED)


def _samples(count: int, step: timedelta, sites: int = 1000) -> pl.DataFrame:
    names = [f"s{number:04d}" for number in range(sites)]
    first = datetime.combine(date(2021, 1, 1), time(8))
    return pl.DataFrame(
        {
            "site": [names[number % sites] for number in range(count)],
            "time": [first + number // sites * step for number in range(count)],
        }
    )


def _about(items: Sequence[Any]) -> dict[str, float]:
    """Return each item's third limit, or what is nearest to it."""
    found: dict[str, float] = {}
    for item in items:
        limits = [limit for limit in item.limits if limit is not None]
        third = limits[min(2, len(limits) - 1)]
        found[item.code] = float(third[0]) if isinstance(third, tuple) else float(third)
    return found


def water(rows: int) -> pl.DataFrame:
    """GB 3838 table 1, 24 items."""
    law = water_classes()[-1]
    usual = {item: float(law.criterion(item, "lake").limits[-1 if item == "ph" else 2]) for item in law.items[1:]}
    usual["water_temp"] = 15.0
    keys = _samples(rows // len(usual), timedelta(days=10))
    return _spread(keys, usual, np.random.default_rng(SEED))


def discharge(rows: int) -> pl.DataFrame:
    return _spread(_samples(rows // len(DISCHARGED), timedelta(days=1)), DISCHARGED, np.random.default_rng(SEED))


def sea(rows: int) -> pl.DataFrame:
    usual = _about(sea_.classes()[-1].items)
    return _spread(_samples(rows // len(usual), timedelta(days=60)), usual, np.random.default_rng(SEED))


def groundwater(rows: int) -> pl.DataFrame:
    usual = _about(groundwater_classes()[-1].items)
    return _spread(_samples(rows // len(usual), timedelta(days=90)), usual, np.random.default_rng(SEED))


def farmland(rows: int) -> pl.DataFrame:
    keys = _samples(rows // (len(SCREENED) + 1), timedelta(days=365), 50_000)
    lands = np.array(["水田", "果园", "其他", "水旱轮作"])[np.arange(keys.height) % 4]
    usual = {"pH": 7.0, **SCREENED}
    return _spread(keys.with_columns(land=pl.Series(lands)), usual, np.random.default_rng(SEED))


def construction(rows: int) -> pl.DataFrame:
    edition = construction_editions()[-1]
    usual = {
        item.name: float(edition.values[item.code, "screen", "second"])
        for item in edition.items
        if item.code in edition.basic
    }
    keys = _samples(rows // len(usual), timedelta(days=365), 20_000)
    lands = np.array(["第一类用地", "第二类用地"])[np.arange(keys.height) % 2]
    return _spread(keys.with_columns(land=pl.Series(lands)), usual, np.random.default_rng(SEED))


def noise_hours(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(SEED)
    sites = max(1, rows // 8760)
    zones = ("1", "2", "3", "4a")
    hours = pl.datetime_range(
        datetime.combine(date(2025, 1, 1), time(6)), datetime.combine(date(2026, 1, 1), time(5)), "1h", eager=True
    )
    frame = pl.concat(
        pl.DataFrame({"site": f"s{number:04d}", "zone": zones[number % 4], "time": hours}) for number in range(sites)
    )
    return frame.with_columns(value=pl.Series(np.round(draw.normal(52, 6, frame.height), 1)))


def boundaries(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(SEED)
    zones, periods = np.array(["0", "1", "2", "3", "4"]), np.array(["day", "night"])
    return pl.DataFrame(
        {
            "site": [f"s{number % 5000}" for number in range(rows)],
            "date": [date(2025, 1, 1) + timedelta(days=number // 5000) for number in range(rows)],
            "zone": zones[np.arange(rows) % 5],
            "period": periods[np.arange(rows) // 5 % 2],
            "value": np.round(draw.normal(55, 8, rows), 1),
        }
    )


def tax(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(SEED)
    kinds = [(medium, factor) for medium, factors in TAXED.items() for factor in factors]
    outlets = rows // len(kinds)
    frame = pl.DataFrame(
        {
            "site": [f"s{number % 2000}" for number in range(outlets)],
            "outlet": [f"{number // 2000 % 4}" for number in range(outlets)],
            "date": [date(2024 + number // 96000, 1 + number // 8000 % 12, 1) for number in range(outlets)],
        }
    )
    parts = [
        frame.with_columns(
            medium=pl.lit(medium), factor=pl.lit(factor), value=pl.Series(np.round(draw.gamma(2, 300, outlets), 2))
        )
        for medium, factor in kinds
    ]
    return pl.concat(parts).sample(fraction=1.0, shuffle=True, seed=SEED)


def days(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(SEED)
    sites = max(1, rows // 2000)
    dates = pl.date_range(date(2021, 1, 1), date(2021, 1, 1) + timedelta(days=1999), eager=True)
    frame = pl.concat(pl.DataFrame({"site": f"s{number:04d}", "date": dates}) for number in range(sites))
    walk = np.abs(np.convolve(draw.normal(0, 60, frame.height), np.ones(4) / 2, "same")) + 60
    return frame.with_columns(aqi=pl.Series(np.minimum(np.round(walk), 500).astype(int)))


def substances(rows: int) -> pl.DataFrame:
    draw = np.random.default_rng(SEED)
    known = [row.name for row in enterprise_risks()[-1].substances if row.name and row.tonnes]
    return pl.DataFrame(
        {
            "site": [f"s{number // 10}" for number in range(rows)],
            "substance": [known[number % len(known)] for number in range(rows)],
            "tonnes": np.round(draw.gamma(1, 0.6, rows), 3),
        }
    )


def codes(rows: int) -> pl.DataFrame:
    known = [*hazardous_wastes()[0].hazards, "900-999-99", "900-41", "841-001-01 "]
    return pl.DataFrame({"code": [known[number % len(known)] for number in range(rows)]})
