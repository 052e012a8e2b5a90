"""HJ 633: the air quality index of hours and of days, by the edition in force on each day."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any, Literal

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import SCALE, half_even_ratio, listed, opened, up_ratio
from qinglan.core.interval import Stamp
from qinglan.standards.air.days import HOURS, days_of, given_days, on_hours
from qinglan.standards.air.pollutants import OZONE_HOUR, POLLUTANTS, col, is_pollutant, safe
from qinglan.standards.air.rolling import running_means
from qinglan.standards.air.tables import TENTHS, Index, decimals, indices
from qinglan.standards.edition import by_day, refuse_uncovered

Report = Literal["day", "hour", "feed"]
GOOD = 100
HEAVY = 200

_DAY_COLUMNS = {f"{name}/24h": name for name in POLLUTANTS if name != "O3"} | {"O3/8h": "O3", "O3/1h": OZONE_HOUR}


def daily_aqi(frame: Any, stamp: Stamp, edition: str | None = None) -> Any:
    """Return the daily index of each site, from hourly means.

    Parameters
    ----------
    frame
        Hours: ``site, factor, time, value`` (µg/m³; CO mg/m³), each site, factor and hour once; naive times are
        Beijing time.
    stamp
        Whether `time` marks the start or the end of the hour.
    edition
        One edition for all days (``"2012"``, ``"2026"``); by default each day lies under its own.

    Returns
    -------
    frame
        ``site, date, aqi, level, primary``, an ``iaqi_…`` for each pollutant, ``edition, stage, clause, missing,
        note``. `primary` and `missing` are lists joined by 、 in the order of HJ 633 table 1.

    Raises
    ------
    EditionError
        If a day lies before the first edition on file and no `edition` is given.

    Notes
    -----
    依据: HJ 633—2012 4.2–4.4, 5.1.2, 6.2; HJ 633—2026 4.2, 4.3, 5.3.1.
    """
    given = opened(frame, HOURS)
    hours = on_hours(given.frame, stamp)
    return given.give(judged_days(days_of(hours), _editions(edition, hours, nw.col("start"))))


def daily_aqi_from_days(frame: Any, edition: str | None = None) -> Any:
    """Return the daily index of each site, from daily values.

    Parameters
    ----------
    frame
        Days: ``site, factor, date, value``; ``O3`` is the day's largest 8-hour mean, ``O3_1h`` its largest hour
        (an item of the 2012 edition only).
    edition
        As for `daily_aqi`.

    Returns
    -------
    frame
        As of `daily_aqi`.

    Notes
    -----
    依据: HJ 633—2012 4.2–4.4, 5.1.2, 6.2; HJ 633—2026 4.2, 4.3, 5.3.1.
    """
    given = opened(frame, ("site", "factor", "date", "value"))
    return given.give(judged_days(given_days(given.frame), _editions(edition, given.frame, nw.col("date"))))


def hourly_aqi(frame: Any, stamp: Stamp, pm: Literal["1h", "24h"] = "24h", edition: str | None = None) -> Any:
    """Return the hourly index of each site.

    Parameters
    ----------
    frame, stamp, edition
        As for `daily_aqi`.
    pm
        ``"24h"``: the clause of each edition (in 2012 particles count by their running 24-hour mean and ozone also
        by its running 8-hour mean; in 2026 all count by the hour). ``"1h"``: what the national network publishes
        (hourly particles on the 24-hour breakpoints), which became the clause in 2026.

    Returns
    -------
    frame
        ``site, time, aqi, level, primary``, an ``iaqi_…`` for each pollutant, ``edition, stage, clause, missing,
        note``; `time` as it was given.

    Notes
    -----
    依据: HJ 633—2012 5.1.3, 表4; HJ 633—2026 4.2.3, 4.2.4; 发布惯例 (pm="1h", 2012).
    """
    if pm not in ("1h", "24h"):
        raise InputError(
            f"pm 应为“1h”（发布惯例）或“24h”（2012 版条款），收到“{pm}”。",
            f'pm should be "1h" (the network\'s practice) or "24h" (the clause of 2012); got "{pm}".',
            field="pm",
        )
    given = opened(frame, HOURS)
    hours = on_hours(given.frame, stamp)
    editions = _editions(edition, hours, nw.col("start"))
    wide = hours.group_by("site", "time", "start").agg(
        *(nw.when(is_pollutant(name)).then(nw.col("q")).max().alias(safe(f"{name}/1h")) for name in POLLUTANTS)
    )
    columns = {f"{name}/1h": f"{name}/1h" for name in POLLUTANTS}
    report: Report = "feed"
    if pm == "24h":
        report = "hour"
        wide = running_means(wide, as_network=False)
        columns |= {f"{name}/24h": f"{name}/24h" for name in ("SO2", "PM10", "PM2.5")} | {"O3/8h": "O3/8h"}
    dated = wide.with_columns(nw.col("start").dt.date().alias("date"))
    return given.give(_judged(dated, columns, editions, report, ("site", "time")))


def judged_days(days: nw.LazyFrame[Any], editions: Sequence[Index]) -> nw.LazyFrame[Any]:
    """Return the index of days in the shape of `days_of`."""
    return _judged(days, _DAY_COLUMNS, editions, "day", ("site", "date"))


def _editions(edition: str | None, frame: nw.LazyFrame[Any], day: nw.Expr) -> tuple[Index, ...]:
    found = indices(edition)
    if edition is None:
        refuse_uncovered(frame, day, found)
    return found


def _judged(
    wide: nw.LazyFrame[Any],
    columns: Mapping[str, str],
    editions: Sequence[Index],
    report: Report,
    keys: tuple[str, str],
) -> nw.LazyFrame[Any]:
    day = nw.col("date")

    def each(build: Callable[[Index], nw.Expr]) -> nw.Expr:
        return by_day(editions, day, build)

    tenths = wide.with_columns(_tenths(column).alias(safe(f"t {item}")) for item, column in columns.items())
    indexed = tenths.with_columns(
        each(lambda index, name=name: _pollutant(index, name, report, columns)).alias(_column(name))  # type: ignore[misc]
        for name in POLLUTANTS
    )
    absent = [(nw.col(_column(name)).is_null(), name) for name in POLLUTANTS]
    largest = nw.max_horizontal(*(_column(name) for name in POLLUTANTS))
    found = indexed.with_columns(largest.alias("largest"), listed(absent).alias("missing"))
    withheld = ~nw.col("missing").is_null() & (nw.col("largest") <= GOOD)
    judged = found.with_columns(
        each(lambda index: _published(index, withheld)).alias("aqi"),
        each(lambda index: nw.lit(index.name)).alias("edition"),
        each(lambda index: nw.lit(_clause(index, report))).alias("clause"),
    )
    return judged.select(
        *keys,
        "aqi",
        each(_level).alias("level"),
        each(_primary).alias("primary"),
        *(_column(name) for name in POLLUTANTS),
        "edition",
        nw.lit(None, dtype=nw.String).alias("stage"),
        "clause",
        "missing",
        _note().alias("note"),
    )


def _column(pollutant: str) -> str:
    return f"iaqi_{pollutant.lower().replace('.', '')}"


def _tenths(column: str) -> nw.Expr:
    """Return a concentration rounded by its own decimals, in tenths. 依据: HJ 633—2026 4.2.2; HJ 663—2013 6.3."""
    if decimals(column):
        return half_even_ratio(col(column), SCALE // TENTHS)
    return half_even_ratio(col(column), SCALE) * TENTHS


def _pollutant(index: Index, name: str, report: Report, columns: Mapping[str, str]) -> nw.Expr:
    items = [item for item in getattr(index.items, report) if item.split("/")[0] == name and item in columns]
    found = [item_index(index, item, columns) for item in items]
    return nw.max_horizontal(*found) if len(found) > 1 else found[0]


def item_index(index: Index, item: str, columns: Mapping[str, str]) -> nw.Expr:
    """Return the IAQI of one item's column ``t <item>``. 依据: HJ 633 4.2, 式(1)."""
    points = index.breakpoints(item)
    concentration = col(f"t {item}")
    found = _above(index, item, columns)
    for low, high in reversed(list(pairwise(points))):
        rise = (high.iaqi - low.iaqi) * (concentration - low.tenths)
        within = up_ratio(rise, high.tenths - low.tenths) + low.iaqi
        found = nw.when(concentration <= high.tenths).then(within).otherwise(found)
    return nw.when(~concentration.is_null()).then(found)


def _above(index: Index, item: str, columns: Mapping[str, str]) -> nw.Expr:
    rule = index.beyond(item)
    if rule is None:
        return nw.lit(index.top, dtype=nw.Int64)
    last = nw.lit(rule.iaqi or index.breakpoints(item)[-1].iaqi, dtype=nw.Int64)
    if rule.use is None or rule.use not in columns:
        return last
    instead = item_index(index, rule.use, columns)
    return nw.when(~instead.is_null()).then(instead).otherwise(last)


def _published(index: Index, withheld: nw.Expr) -> nw.Expr:
    least = nw.lit(index.least_index, dtype=nw.Int64)
    value = nw.when(nw.col("largest") < index.least_index).then(least).otherwise(nw.col("largest"))
    return nw.when(~withheld).then(value) if index.missing == "withhold_up_to_100" else value


def _level(index: Index) -> nw.Expr:
    found = nw.lit(index.levels[-1].level, dtype=nw.Int64)
    for level in reversed(index.levels[:-1]):
        found = nw.when(nw.col("aqi") <= level.high).then(nw.lit(level.level, dtype=nw.Int64)).otherwise(found)
    return nw.when(~nw.col("aqi").is_null()).then(found)


def _primary(index: Index) -> nw.Expr:
    aqi = nw.col("aqi")
    leads = [((aqi > index.primary_above) & (nw.col(_column(name)) == aqi), name) for name in POLLUTANTS]
    return listed(leads)


def _clause(index: Index, report: Report) -> str:
    if report == "feed" and index.hourly_particles == "24h" and "PM2.5/1h" not in index.items.hour:
        return "发布惯例（非条款）"
    return "、".join(clause.clause or "" for clause in index.basis)


def _note() -> nw.Expr:
    withheld = nw.when(~nw.col("largest").is_null()).then(nw.lit("缺项且其余各项不大于 100，不予发布"))
    reason = withheld.otherwise(nw.lit("没有有效数据"))
    return nw.when(nw.col("aqi").is_null()).then(reason)
