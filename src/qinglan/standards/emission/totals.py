"""How much an outlet emits: flow times concentration, with what stands in for gaps, for totals alone."""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from qinglan.core.frames import opened, real, settled
from qinglan.core.interval import Stamp
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.emission.given import GAS_FLOW, WATER_FLOW, measured, own_unit, start_of
from qinglan.standards.emission.tables import GasOnline, Substitute, gas_onlines, water_onlines
from qinglan.standards.lookup import looked_up

_SERIES: Final = ("site", "factor")
_GRAMS: Final = 1000
_PER_MILLIGRAM: Final = {"mg/m3": 3600, "ug/m3": 3.6, "mg/L": 3600, "ug/L": 3.6}
"""Milligrams an hour of a concentration of 1 and a flow of 1 (m3/s for gas, L/s for water)."""


def hourly_emissions(frame: Any, stamp: Stamp) -> Any:
    """Return the emission of each hour, of gas or of waste water.

    Parameters
    ----------
    frame
        Hours: ``site, factor, time, value``, optionally ``flag, unit``, with the flow (a00000, m3/s of dry gas in the
        standard state; w00000, L/s) among the factors. Concentrations of gas are the measured ones, not converted.
    stamp
        Whether `time` marks the start or the end of the hour.

    Returns
    -------
    frame
        ``site, factor, time, grams`` (whole grams; null without a valid concentration or flow).

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> at = datetime(2025, 6, 1)
    >>> hours = pl.DataFrame({"site": "a", "factor": ["w01018", "w00000"], "time": at, "value": [50.0, 10.0]})
    >>> hourly_emissions(hours, stamp="start")["grams"].to_list()
    [1800]
    """
    given = opened(frame, (*_SERIES, "time", "value"))
    return given.give(_hourly(given.frame, stamp))


def _hourly(frame: nw.LazyFrame[Any], stamp: Stamp) -> nw.LazyFrame[Any]:
    hours = settled(measured(frame, stamp))
    is_flow = nw.col("factor").is_in([GAS_FLOW, WATER_FLOW])
    flow = hours.filter(is_flow).select("site", "time", nw.col("value").alias("flow"))
    names = {name: own_unit(name) for name in _names(hours)}
    each = {name: _PER_MILLIGRAM[unit] for name, unit in names.items() if unit in _PER_MILLIGRAM}
    gases = hours.filter(nw.col("factor").is_in(list(each))).select(*_SERIES, "time", "value")
    joined = gases.join(flow, on=["site", "time"], how="left")
    per = looked_up(nw.col("factor"), {name: float(value) for name, value in each.items()}, nw.Float64)
    milligrams = nw.col("value") * nw.col("flow") * per
    # The divisor is no literal: Polars would multiply by its reciprocal.
    whole = (milligrams / nw.when(~nw.col("flow").is_null()).then(nw.lit(float(_GRAMS))) + 0.5).floor().cast(nw.Int64)
    return joined.select(*_SERIES, "time", nw.when(milligrams.is_finite()).then(whole).alias("grams"))


def _names(hours: nw.LazyFrame[Any]) -> list[str]:
    found = hours.select("factor").unique().collect(backend="pyarrow").to_dict(as_series=False)["factor"]
    return [str(name) for name in found if name is not None]


def gas_totals(frame: Any, stamp: Stamp, *, stops: Any = None, edition: str | None = None) -> Any:
    """Return the daily emissions of flue-gas outlets, gaps filled as HJ 75 says, for totals alone.

    Parameters
    ----------
    frame
        As for `hourly_emissions`, one row an hour and factor: an hour without data is a row without a value. The share
        of valid hours over the frame stands for the quarter's, so give a quarter.
    stamp
        Whether `time` marks the start or the end of the hour.
    stops
        ``site, time``: hours out of operation, which emit nothing and count nowhere.
    edition
        An edition of HJ 75.

    Returns
    -------
    frame
        ``site, factor, time`` (start of the day), ``kilograms, measured`` (of it measured), ``hours, substituted``
        (hours), ``capture`` (%), ``edition, stage, clause, missing, note``. Below a capture of 75 % nothing stands in.

    Notes
    -----
    A gap of up to 24 hours takes the largest of the 180 valid hours before it, a longer one of 720; with a capture
    of 75–90 % of 2160. Concentrations are never substituted. 依据: HJ 75—2017 12.2 (check M).
    """
    given = opened(frame, (*_SERIES, "time", "value"))
    law = gas_onlines(edition)[-1]
    hours = settled(_running(_hourly(given.frame, stamp), stops, stamp))
    if edition is None:
        refuse_uncovered(hours, nw.col("time"), gas_onlines())
    filled = settled(_filled(hours, law))
    days = (
        filled.with_columns(start_of(filled, "1d").alias("time"))
        .group_by(*_SERIES, "time")
        .agg(
            nw.col("grams").sum().cast(nw.Int64).alias("grams"),
            nw.col("instead").sum().cast(nw.Int64).alias("instead"),
            nw.col("grams").count().cast(nw.Int64).alias("hours"),
            nw.col("instead").count().cast(nw.Int64).alias("substituted"),
            nw.len().cast(nw.Int64).alias("slots"),
            nw.col("capture").max().alias("capture"),
        )
    )
    lost = nw.col("slots") - nw.col("hours") - nw.col("substituted")
    missing = nw.when(lost > 0).then(nw.concat_str([lost.cast(nw.String), nw.lit(" 小时没有数据，也不能替代")]))
    note = nw.when(nw.col("substituted") > 0).then(nw.lit("缺失时段按此前有效小时最大值替代，只用于总量"))
    return given.give(
        days.select(
            *(*_SERIES, "time"),
            real(nw.col("grams") + nw.col("instead"), _GRAMS).alias("kilograms"),
            real(nw.col("grams"), _GRAMS).alias("measured"),
            *("hours", "substituted", "capture"),
            nw.lit(law.name).alias("edition"),
            nw.lit(law.stage, dtype=nw.String).alias("stage"),
            nw.lit("HJ 75 12.2").alias("clause"),
            missing.alias("missing"),
            note.alias("note"),
        )
    )


def _running(hours: nw.LazyFrame[Any], stops: Any, stamp: Stamp) -> nw.LazyFrame[Any]:
    if stops is None:
        return hours
    frame = opened(stops, ("site", "time")).frame.with_columns(nw.lit(0.0).alias("value"))
    stopped = measured(frame, stamp).select("site", "time", nw.lit(1, dtype=nw.Int64).alias("_stopped")).unique()
    marked = hours.join(stopped, on=["site", "time"], how="left")
    return marked.filter(nw.col("_stopped").is_null()).drop("_stopped")


def _filled(hours: nw.LazyFrame[Any], law: GasOnline) -> nw.LazyFrame[Any]:
    """Add ``instead`` (grams that stand in) and ``capture`` (%) to hours with ``grams``."""
    valid = (~nw.col("grams").is_null()).cast(nw.Int64)
    share = nw.col("valid").sum().over(*_SERIES) * 100 // nw.col("one").sum().over(*_SERIES)
    ranked = hours.with_columns(valid.alias("valid"), nw.lit(1, dtype=nw.Int64).alias("one")).with_columns(
        # Hours of one gap have the rank of the last valid hour before it.
        nw.col("valid").cum_sum().over(*_SERIES, order_by="time").alias("rank"),
        share.alias("capture"),
    )
    ranked = settled(ranked)
    lost = ranked.filter(nw.col("valid") == 0)
    runs = lost.group_by(*_SERIES, "rank").agg(
        nw.len().cast(nw.Int64).alias("length"), nw.col("capture").max().alias("capture")
    )
    window = nw.lit(None, dtype=nw.Int64)
    for rule in law.substitutes:
        window = nw.when(_holds(rule)).then(nw.lit(rule.hours, dtype=nw.Int64)).otherwise(window)
    asked = settled(runs.with_columns(window.alias("window")).select(*_SERIES, "rank", "window"))
    before = ranked.filter(nw.col("valid") == 1).select(
        *_SERIES, nw.col("rank").alias("place"), nw.col("grams").alias("g")
    )
    joined = asked.join(before, on=list(_SERIES), how="inner")
    near = joined.filter((nw.col("place") <= nw.col("rank")) & (nw.col("place") > nw.col("rank") - nw.col("window")))
    largest = near.group_by(*_SERIES, "rank").agg(nw.col("g").max().alias("largest"))
    found = ranked.join(largest, on=[*_SERIES, "rank"], how="left")
    return found.with_columns(nw.when(nw.col("valid") == 0).then(nw.col("largest")).alias("instead"))


def _holds(rule: Substitute) -> nw.Expr:
    enough = nw.col("capture") >= rule.capture_from
    if rule.capture_below is not None:
        enough = enough & (nw.col("capture") < rule.capture_below)
    return enough & (nw.col("length") > rule.longer_than)


def water_totals(frame: Any, stamp: Stamp, *, expected: int = 24, edition: str | None = None) -> Any:
    """Return the daily emissions of waste-water outlets; a day without a valid mean takes the largest valid one before.

    Parameters
    ----------
    frame
        As for `hourly_emissions`: a day without data is to be there with rows without a value.
    stamp
        Whether `time` marks the start or the end of the hour.
    expected
        How many values a day should have.
    edition
        An edition of HJ 356.

    Returns
    -------
    frame
        ``site, factor, time`` (start of the day), ``kilograms, measured`` (null where it is substituted), ``hours,
        substituted`` (boolean), ``edition, stage, clause, missing, note``. Where fewer than all, but enough, hours
        are valid, the missing ones count as the day's mean hour.

    Notes
    -----
    依据: HJ 356—2019 8.1 (check M): the largest valid day since the last passed check; the frame is taken to begin
    there.
    """
    given = opened(frame, (*_SERIES, "time", "value"))
    law = water_onlines(edition)[-1]
    hours = settled(_hourly(given.frame, stamp))
    if edition is None:
        refuse_uncovered(hours, nw.col("time"), water_onlines())
    least = -(-expected * int(law.share_of_day) // 100)
    days = (
        hours.with_columns(start_of(hours, "1d").alias("time"))
        .group_by(*_SERIES, "time")
        .agg(nw.col("grams").sum().cast(nw.Int64).alias("sum"), nw.col("grams").count().cast(nw.Int64).alias("hours"))
    )
    some = nw.when((nw.col("hours") >= least) & (nw.col("hours") > 0)).then(nw.col("hours"))
    # An analyser that samples every two hours stands for 24 hours all the same.
    whole = nw.col("sum") * 24 // some
    valid = settled(days.with_columns(whole.alias("grams")))
    # Nothing yet is -1: engines differ in what a running maximum makes of a null.
    largest = nw.col("grams").fill_null(-1).cum_max().over(*_SERIES, order_by="time")
    found = valid.with_columns(largest.alias("largest")).with_columns(
        nw.col("largest").shift(1).over(*_SERIES, order_by="time").alias("_before")
    )
    filled = settled(found.with_columns(nw.when(nw.col("_before") >= 0).then(nw.col("_before")).alias("before")))
    taken = nw.coalesce(nw.col("grams"), nw.col("before"))
    missing = nw.when(nw.col("grams").is_null()).then(
        nw.concat_str([nw.lit("有效 "), nw.col("hours").cast(nw.String), nw.lit(f" 小时，少于 {least}")])
    )
    substituted = nw.col("grams").is_null() & ~nw.col("before").is_null()
    note = nw.when(substituted).then(nw.lit("按此前有效日最大排放量替代，只用于总量"))
    return given.give(
        filled.select(
            *(*_SERIES, "time"),
            real(taken, _GRAMS).alias("kilograms"),
            real(nw.col("grams"), _GRAMS).alias("measured"),
            "hours",
            substituted.alias("substituted"),
            nw.lit(law.name).alias("edition"),
            nw.lit(law.stage, dtype=nw.String).alias("stage"),
            nw.lit("HJ 356 8.1").alias("clause"),
            missing.alias("missing"),
            note.alias("note"),
        )
    )
