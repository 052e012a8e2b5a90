"""Running means: the 24-hour means and the 8-hour ozone mean of every hour."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, half_even_ratio, long, opened, real
from qinglan.core.interval import Stamp
from qinglan.standards.air.days import HOURS, least_hours, on_hours
from qinglan.standards.air.pollutants import POLLUTANTS, col, is_pollutant, safe
from qinglan.standards.air.tables import decimals, evaluations

_LONGEST = 24
_OZONE_HOURS = 8
_RUNNING_DAYS = tuple(name for name in POLLUTANTS if name != "O3")


def rolling(frame: Any, stamp: Stamp) -> Any:
    """Return the running means as the national network gives them.

    Parameters
    ----------
    frame
        Hours: ``site, factor, time, value`` (µg/m³; CO mg/m³), each site, factor and hour once.
    stamp
        Whether `time` marks the start or the end of the hour.

    Returns
    -------
    frame
        ``site, factor, time, value, mean, hours``: for each hour that a site has any value in, ``<pollutant>_24h``
        (at least 20 of 24 hours) and ``O3_8h``; `value` is rounded as published, `mean` is not.

    Notes
    -----
    The network's 8-hour ozone starts anew each day: for the hours that end at 01:00 to 07:00 it is the mean since
    midnight, so that no window reaches into the day before (发布惯例, 由 2023 年数据核对).
    依据: GB 3095—2012 表4; HJ 663—2013 6.3.
    """
    given = opened(frame, HOURS)
    wide = (
        on_hours(given.frame, stamp)
        .group_by("site", "time", "start")
        .agg(*(nw.when(is_pollutant(name)).then(nw.col("q")).max().alias(safe(f"{name}/1h")) for name in POLLUTANTS))
    )
    means = running_means(wide, as_network=True)
    parts = {name: _part(f"{name}/24h", f"{name}_24h") for name in _RUNNING_DAYS} | {"8h": _part("O3/8h", "O3_8h")}
    tidy = long(means, ["site", "time"], parts, given.frame)
    return given.give(tidy.filter(nw.col("hours") > 0).select("site", "factor", "time", "value", "mean", "hours"))


def _part(item: str, name: str) -> dict[str, nw.Expr]:
    step = SCALE // 10 ** decimals(item)
    return {
        "factor": nw.lit(name),
        "value": real(half_even_ratio(col(item), step) * step),
        "mean": real(col(item)),
        "hours": col(f"n {item}"),
    }


def running_means(wide: nw.LazyFrame[Any], *, as_network: bool) -> nw.LazyFrame[Any]:
    """Add ``<pollutant>/24h`` and ``O3/8h`` (scaled), and the hours they stand on, to hours in columns.

    `wide` has ``site, time, start`` and the scaled hours ``<pollutant>/1h``.
    """
    dense = _dense(wide)
    values = {name: col(f"{name}/1h") for name in POLLUTANTS}
    prepared = dense.with_columns(
        *(value.fill_null(0).alias(safe(f"f {name}")) for name, value in values.items()),
        *((~value.is_null()).cast(nw.Int64).alias(safe(f"p {name}")) for name, value in values.items()),
        nw.col("start").dt.date().alias("date"),
        nw.col("start").dt.hour().alias("hour"),
    )
    summed = prepared.with_columns(
        *(
            _running(f"{kind} {name}", _LONGEST).alias(safe(f"{kind} {name}/24h"))
            for name in _RUNNING_DAYS
            for kind in "fp"
        ),
        *(_running(f"{kind} O3", _OZONE_HOURS).alias(safe(f"{kind} O3/8h")) for kind in "fp"),
        *(
            col(f"{kind} O3").cum_sum().over("site", "date", order_by="start").alias(safe(f"{kind} today"))
            for kind in "fp"
        ),
    )
    least = {f"{name}/24h": least_hours(name) for name in _RUNNING_DAYS}
    if as_network:
        early = nw.col("hour") < _OZONE_HOURS - 1
        summed = summed.with_columns(
            nw.when(early).then(col(f"{kind} today")).otherwise(col(f"{kind} O3/8h")).alias(safe(f"{kind} O3/8h"))
            for kind in "fp"
        )
    window = evaluations()[0].ozone.hours_of_window
    found = summed.with_columns(
        *(_mean(item, nw.lit(count)).alias(safe(item)) for item, count in least.items()),
        _mean("O3/8h", _least_of_ozone(window, as_network=as_network)).alias("O3/8h"),
        *(col(f"p {item}").alias(safe(f"n {item}")) for item in (*least, "O3/8h")),
    )
    kept = [safe(f"{prefix}{item}") for prefix in ("", "n ") for item in (*least, "O3/8h")]
    return wide.join(found.select("site", "start", *kept), on=["site", "start"], how="left")


def _least_of_ozone(window: int, *, as_network: bool) -> nw.Expr:
    if not as_network:
        return nw.lit(window)
    hour = nw.col("hour")
    return nw.when(hour < window).then(hour + 1).otherwise(nw.lit(window))


def _running(column: str, hours: int) -> nw.Expr:
    return col(column).rolling_sum(hours, min_samples=1).over("site", order_by="start").cast(nw.Int64)


def _mean(item: str, least: nw.Expr) -> nw.Expr:
    count = col(f"p {item}")
    return nw.when((count >= least) & (count > 0)).then(
        half_even_ratio(col(f"f {item}"), nw.when(count > 0).then(count))
    )


def _dense(wide: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Every site with every hour that is, or lies up to 23 hours before, an hour in the data: row windows are safe."""
    hours = wide.select("start").unique()
    earlier = [hours.select(nw.col("start").dt.offset_by(f"-{back}h").alias("start")) for back in range(_LONGEST)]
    grid = wide.select("site").unique().join(nw.concat(earlier).unique(), how="cross")
    values = wide.select("site", "start", *(safe(f"{name}/1h") for name in POLLUTANTS))
    return grid.join(values, on=["site", "start"], how="left")
