"""HJ 663: a city's value is the mean of its evaluation stations."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import half_even_ratio, on_beijing_clock, opened, real, scaled
from qinglan.standards.air.tables import evaluations

_PERCENT = 100


def city_mean(frame: Any, roles: Any, role: str = "assessment") -> Any:
    """Return each place's value as the mean of the stations that assess it on that day.

    Parameters
    ----------
    frame
        Hours (``site, factor, time, value``) or days (``site, factor, date, value``).
    roles
        Which station assesses which place from when to when: ``site, place, role, start, end`` (dates, both
        included; null is open), in a frame of the same engine.
    role
        The role that enters the mean; the clean reference station has another and stays out.

    Returns
    -------
    frame
        ``site`` (the place), ``factor``, ``time`` or ``date``, ``value``, ``stations``, ``expected``; `value` is null
        where fewer than 75 % of the stations are valid (50 % of fewer than four).

    Notes
    -----
    依据: HJ 663—2013 6.1, 附录A (check M).
    """
    given = opened(frame, ("site", "factor", "value"))
    names = given.frame.collect_schema().names()
    moment = next((column for column in ("time", "date") if column in names), None)
    if moment is None:
        raise InputError(
            f"缺少列 time（小时）或 date（日），现有 {'、'.join(names)}。",
            f"A column time (hours) or date (days) is missing; {', '.join(names)} are there.",
            field="time",
        )
    assessing = opened(roles, ("site", "place", "role", "start", "end")).frame
    if assessing.implementation != given.frame.implementation:
        raise InputError(
            "roles 应与数据是同一种表（例如同为 Polars）。",
            "roles should be a frame of the same engine as the data.",
            field="roles",
        )
    values = on_beijing_clock(given.frame) if moment == "time" else given.frame
    day = nw.col("time").dt.date() if moment == "time" else nw.col("date")
    dated = values.with_columns(day.alias("_day"), scaled(nw.col("value")).alias("_q"))
    stations = assessing.filter(nw.col("role") == role).select("site", "place", "start", "end")
    in_role = (nw.col("start").is_null() | (nw.col("_day") >= nw.col("start"))) & (
        nw.col("end").is_null() | (nw.col("_day") <= nw.col("end"))
    )
    expected = (
        dated.select("_day").unique().join(stations, how="cross").filter(in_role)
        .group_by("place", "_day").agg(nw.len().cast(nw.Int64).alias("expected"))
    )  # fmt: skip
    joined = dated.join(stations, on="site", how="inner").filter(in_role)
    means = joined.group_by("place", "factor", moment, "_day").agg(
        nw.col("_q").sum().cast(nw.Int64).alias("sum"), nw.col("_q").count().cast(nw.Int64).alias("stations")
    )
    rule = evaluations()[0].city
    counted = means.join(expected, on=["place", "_day"], how="left")
    share = (
        nw.when(nw.col("expected") < rule.few)
        .then(nw.lit(int(rule.share_of_few * _PERCENT)))
        .otherwise(nw.lit(int(rule.share * _PERCENT)))
    )
    enough = (nw.col("stations") > 0) & (nw.col("stations") * _PERCENT >= nw.col("expected") * share)
    some = nw.when(nw.col("stations") > 0).then(nw.col("stations"))
    value = nw.when(enough).then(real(half_even_ratio(nw.col("sum"), some)))
    return given.give(
        counted.select(nw.col("place").alias("site"), "factor", moment, value.alias("value"), "stations", "expected")
    )
