"""From hours to days: 24-hour means, the day's largest 8-hour and 1-hour ozone."""

from __future__ import annotations

import operator
from collections.abc import Iterable
from functools import reduce
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import SCALE, half_even_ratio, long, on_beijing_clock, opened, real, scaled, settled
from qinglan.core.interval import Stamp
from qinglan.standards.air.pollutants import DAY_MEANS, OZONE_HOUR, POLLUTANTS, canonical, col, is_pollutant, safe
from qinglan.standards.air.tables import Limits, evaluations, limits
from qinglan.standards.edition import by_day

DAY_ITEMS = (*POLLUTANTS, OZONE_HOUR)
"""The columns of a day, in this order: six pollutants (ozone by its largest 8-hour mean), then hourly ozone."""

_COMMON = 168
"""The least common multiple of 6, 7 and 8: 8-hour means over it are whole numbers and compare exactly."""

HOURS = ("site", "factor", "time", "value")


def on_hours(frame: nw.LazyFrame[Any], stamp: Stamp) -> nw.LazyFrame[Any]:
    """Return `frame` with ``start``, the start of each hour on the Beijing clock, and ``q``, the scaled value."""
    if stamp not in ("start", "end"):
        raise InputError(
            f"必须说明时间标记是小时的起点（start）还是终点（end），收到“{stamp}”。",
            f'Say whether times mark the start or the end of the hour; got "{stamp}".',
            field="stamp",
        )
    frame = on_beijing_clock(frame)
    start = nw.col("time").dt.offset_by("-1h") if stamp == "end" else nw.col("time")
    return frame.with_columns(start.alias("start"), scaled(nw.col("value")).alias("q"))


def days_of(hours: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return one row a site and day with a scaled value (or null) for each of `DAY_ITEMS`, and the hours counted.

    `hours` has ``site, factor, start, q``. 依据: GB 3095 表4; HJ 663 6.1.2
    """
    dated = hours.select("site", "factor", nw.col("start").dt.date().alias("date"), "q")
    sums = dated.group_by("site", "factor", "date").agg(
        nw.col("q").sum().cast(nw.Int64).alias("sum"), nw.col("q").count().cast(nw.Int64).alias("hours")
    )
    means = sums.group_by("site", "date").agg(
        *(_of(name, "sum", "sum") for name in DAY_MEANS),
        *(_of(name, "hours", "hours") for name in POLLUTANTS),
    )
    counted = [col(f"{name} hours").fill_null(0).alias(safe(f"{name} hours")) for name in POLLUTANTS]
    judged = means.with_columns(*counted).with_columns(*(_mean(name) for name in DAY_MEANS))
    return judged.join(settled(_ozone(hours)), on=["site", "date"], how="left").select(
        "site", "date", *map(safe, DAY_ITEMS), *(safe(f"{name} hours") for name in POLLUTANTS)
    )


def _of(name: str, column: str, suffix: str) -> nw.Expr:
    chosen = nw.when(is_pollutant(name)).then(col(column))
    return chosen.sum().cast(nw.Int64).alias(safe(f"{name} {suffix}"))


def _mean(name: str) -> nw.Expr:
    hours = col(f"{name} hours")
    enough = (hours >= least_hours(name)) & (hours <= 24)
    return nw.when(enough).then(half_even_ratio(col(f"{name} sum"), nw.when(hours > 0).then(hours))).alias(safe(name))


def least_hours(name: str) -> int:
    """Return how many hours make a day's mean valid. 依据: GB 3095 表4."""
    return limits()[0].least(name, "24h", "natural_day").minimum


def _ozone(hours: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    rule = evaluations()[0].ozone
    start = nw.col("start")
    ozone = hours.filter(is_pollutant("O3")).select(
        "site", start.dt.date().alias("date"), start.dt.hour().alias("hour"), "q"
    )
    by_hour = (
        ozone.with_columns(
            nw.when(nw.col("hour") == hour).then(nw.col("q")).alias(safe(f"h{hour}")) for hour in range(24)
        )
        .group_by("site", "date")
        .agg(*(col(f"h{hour}").max() for hour in range(24)))
    )
    filled = by_hour.with_columns(
        *(col(f"h{hour}").fill_null(0).alias(safe(f"f{hour}")) for hour in range(24)),
        *((~col(f"h{hour}").is_null()).cast(nw.Int64).alias(safe(f"n{hour}")) for hour in range(24)),
    )
    windows = filled.with_columns(_window(end, rule.hours_of_window).alias(safe(f"w{end}")) for end in range(8, 25))
    found = windows.with_columns(
        half_even_ratio(nw.max_horizontal(*(f"w{end}" for end in range(8, 25))), _COMMON).alias("largest"),
        _total(~col(f"w{end}").is_null() for end in range(8, 25)).alias("windows"),
        nw.max_horizontal(*(f"h{hour}" for hour in range(24))).alias("largest hour"),
    )
    exceeds = half_even_ratio(nw.col("largest"), SCALE) > _ozone_limit(nw.col("date"))
    valid = (nw.col("windows") >= rule.windows) | (exceeds if rule.exceeding_is_valid else nw.lit(value=False))
    return found.select(
        "site",
        "date",
        nw.when(valid).then(nw.col("largest")).alias("O3"),
        nw.when(valid).then(nw.col("largest hour")).alias(OZONE_HOUR),
    )


def _window(end: int, least: int) -> nw.Expr:
    hours = range(end - 8, end)
    total, count = col(f"f{hours[0]}"), col(f"n{hours[0]}")
    for hour in hours[1:]:
        total, count = total + col(f"f{hour}"), count + col(f"n{hour}")
    mean = nw.lit(None, dtype=nw.Int64)
    for number in range(least, 9):
        mean = nw.when(count == number).then(total * (_COMMON // number)).otherwise(mean)
    return mean


def _total(conditions: Iterable[nw.Expr]) -> nw.Expr:
    return reduce(operator.add, (condition.cast(nw.Int64) for condition in conditions))


def _ozone_limit(day: nw.Expr) -> nw.Expr:
    def limit(edition: Limits) -> nw.Expr:
        return nw.lit(int(edition.limit("O3", "mda8")), dtype=nw.Int64)

    return by_day(limits(), day, limit)


def given_days(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return days given as ``site, factor, date, value`` in the shape of `days_of`; hours counted are null."""
    named = frame.select("site", canonical(DAY_ITEMS).alias("item"), "date", scaled(nw.col("value")).alias("q"))
    wide = named.group_by("site", "date").agg(
        *(nw.when(nw.col("item") == name).then(nw.col("q")).max().alias(safe(name)) for name in DAY_ITEMS)
    )
    return wide.with_columns(nw.lit(None, dtype=nw.Int64).alias(safe(f"{name} hours")) for name in POLLUTANTS)


def daily_values(frame: Any, stamp: Stamp) -> Any:
    """Return the daily values that GB 3095 and HJ 663 make of hourly means.

    Parameters
    ----------
    frame
        Hours: ``site, factor, time, value`` (µg/m³; CO mg/m³), each site, factor and hour once.
    stamp
        Whether `time` marks the start or the end of the hour.

    Returns
    -------
    frame
        ``site, factor, date, value, hours, valid``: 24-hour means (at least 20 hours), ``O3`` as the day's largest
        8-hour mean, ``O3_1h`` as its largest hour; unrounded; null where the day is not valid.

    Notes
    -----
    依据: GB 3095—2012 表4, HJ 663—2013 6.1.2 (臭氧日最大 8 小时平均).

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> times = pl.datetime_range(datetime(2025, 6, 1), datetime(2025, 6, 1, 23), "1h", eager=True)
    >>> hours = pl.DataFrame({"time": times, "value": range(24)})
    >>> hours = hours.with_columns(site=pl.lit("a"), factor=pl.lit("PM2.5"))
    >>> daily_values(hours, stamp="start").filter(pl.col("factor") == "PM2.5")["value"].item()
    11.5
    """
    given = opened(frame, HOURS)
    wide = days_of(on_hours(given.frame, stamp))
    parts = {
        name: {
            "factor": nw.lit(name),
            "value": real(col(name)),
            "hours": col(f"{name.removesuffix('_1h')} hours"),
            "valid": ~col(name).is_null(),
        }
        for name in DAY_ITEMS
    }
    tidy = long(wide, ["site", "date"], parts, given.frame).select("site", "factor", "date", "value", "hours", "valid")
    return given.give(tidy.filter(nw.col("hours") > 0))
