"""Day, night and day-night levels: energy means of hourly equivalent levels."""

from __future__ import annotations

import math
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import on_beijing_clock
from qinglan.core.interval import Stamp
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.noise.tables import NoiseZones, zones
from qinglan.standards.noise.words import LEVELS, decibels, heard, plausible, tenths_of

_BEL = math.log(10) / 10
_NIGHT_PENALTY = 10
_DAY_HOURS = 24


def levels(frame: Any, stamp: Stamp, edition: str | None = None, *, day_begins: int | None = None) -> Any:
    """Return the day, night and day-night levels of each site and day.

    Parameters
    ----------
    frame
        Hourly equivalent levels: ``site, time, value`` (dB(A)), optionally ``zone`` (kept) and ``factor`` (rows that
        are no equivalent level are left out). Naive times are Beijing time.
    stamp
        Whether `time` marks the start or the end of the hour.
    edition
        One edition of GB 3096; by default that in force on each day.
    day_begins
        The hour at which the day begins where the local government has set another than 6; night begins 16 hours
        later.

    Returns
    -------
    frame
        ``site, (zone,) date, ld, ln, ldn``, the same ending in ``_rounded`` (0.1 dB, half to even), ``day_hours,
        night_hours, edition, stage, clause, missing, note``. A night belongs to the date on which it begins.

    Raises
    ------
    InputError
        If the stamp is not said, or no row is an equivalent level.
    EditionError
        If a day lies before the first edition on file.

    Notes
    -----
    Levels outside 0–150 dB are no measurements and do not count.
    依据: GB 3096—2008 3.4, 附录.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> times = pl.datetime_range(datetime(2025, 6, 1, 6), datetime(2025, 6, 2, 5), "1h", eager=True)
    >>> hours = pl.DataFrame({"site": "a", "time": times, "value": [60.0] * 8 + [50.0] * 16})
    >>> levels(hours, stamp="start").select("ld_rounded", "ln_rounded", "ldn_rounded").row(0)
    (57.4, 50.0, 58.5)
    """
    given = heard(frame, ("site", "time", "value"))
    names = given.frame.collect_schema().names()
    hours = _hours(given.frame, stamp, names)
    available = zones(edition)
    if edition is None:
        refuse_uncovered(hours, nw.col("start"), available)
    return given.give(levels_of(hours, available[-1], ("site", "zone") if "zone" in names else ("site",), day_begins))


def _hours(frame: nw.LazyFrame[Any], stamp: Stamp, names: list[str]) -> nw.LazyFrame[Any]:
    if stamp not in ("start", "end"):
        raise InputError(
            f"必须说明时间标记是小时的起点（start）还是终点（end），收到“{stamp}”。",
            f'Say whether times mark the start or the end of the hour; got "{stamp}".',
            field="stamp",
        )
    if "factor" in names:
        present = frame.select("factor").unique().collect().to_dict(as_series=False)["factor"]
        if present and not set(present) & set(LEVELS):
            raise InputError(
                f"列 factor 中没有等效声级（Leq），只有 {'、'.join(map(str, present))}。",
                f"Column factor has no equivalent level (Leq), only {', '.join(map(str, present))}.",
                field="factor",
            )
        frame = frame.filter(nw.col("factor").is_in(LEVELS))
    clock = on_beijing_clock(frame)
    start = nw.col("time").dt.offset_by("-1h") if stamp == "end" else nw.col("time")
    return clock.with_columns(start.alias("start"), plausible("value").alias("level"))


def levels_of(
    hours: nw.LazyFrame[Any], edition: NoiseZones, keys: tuple[str, ...], day_begins: int | None
) -> nw.LazyFrame[Any]:
    """Return the levels of hours given as ``site, start, level``."""
    begins = edition.hours.day if day_begins is None else day_begins
    by_day = edition.hours.night - edition.hours.day
    shifted = nw.col("start").dt.offset_by(f"-{begins}h")
    dated = hours.with_columns(
        shifted.dt.date().alias("date"), shifted.dt.hour().alias("hour"), (nw.col("level") * _BEL).exp().alias("energy")
    )
    once = dated.group_by(*keys, "date", "hour").agg(nw.col("energy").max().alias("energy"))
    is_day = nw.col("hour") < by_day
    sums = once.group_by(*keys, "date").agg(
        nw.when(is_day).then(nw.col("energy")).sum().alias("day"),
        nw.when(~is_day).then(nw.col("energy")).sum().alias("night"),
        nw.when(is_day).then(nw.col("energy")).count().cast(nw.Int64).alias("day_hours"),
        nw.when(~is_day).then(nw.col("energy")).count().cast(nw.Int64).alias("night_hours"),
    )
    means = sums.with_columns(_mean("day").alias("day"), _mean("night").alias("night"))
    both = (nw.col("day") * by_day + nw.col("night") * (_DAY_HOURS - by_day) * _NIGHT_PENALTY) / _DAY_HOURS
    found = means.select(
        *keys,
        "date",
        _level(nw.col("day")).alias("ld"),
        _level(nw.col("night")).alias("ln"),
        _level(both).alias("ldn"),
        "day_hours",
        "night_hours",
    )
    missing = nw.concat_str(
        [
            _lacking("day_hours", by_day, "昼间缺"),
            _lacking("night_hours", _DAY_HOURS - by_day, "夜间缺"),
        ],
        separator="、",
        ignore_nulls=True,
    )
    return found.select(
        *keys,
        "date",
        "ld",
        "ln",
        "ldn",
        *(decibels(tenths_of(nw.col(name))).alias(f"{name}_rounded") for name in ("ld", "ln", "ldn")),
        "day_hours",
        "night_hours",
        nw.lit(edition.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit("3.4、附录").alias("clause"),
        nw.when(missing != "").then(missing).alias("missing"),
        nw.when(missing != "").then(nw.lit("时段小时数不足，平均值仅供参考")).alias("note"),
    )


def _mean(period: str) -> nw.Expr:
    count = nw.col(f"{period}_hours")
    return nw.when(count > 0).then(nw.col(period) / nw.when(count > 0).then(count))


def _level(energy: nw.Expr) -> nw.Expr:
    return energy.log(10) * 10


def _lacking(column: str, expected: int, word: str) -> nw.Expr:
    absent = expected - nw.col(column)
    text = nw.concat_str([nw.lit(word), absent.cast(nw.String), nw.lit("小时")])
    return nw.when(absent > 0).then(text)
