"""Ecological flow: targets by the usual methods, and how far they are met."""

from __future__ import annotations

from typing import Any, Literal

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import half_even_ratio, long, on_beijing_clock, opened, real, scaled
from qinglan.standards.edition import editions
from qinglan.standards.lookup import decimal
from qinglan.standards.water.tables import FOLDER, EcologicalFlow

Method = Literal["tennant", "monthly_share", "q90", "7q10", "monthly_q90"]
METHODS = ("tennant", "monthly_share", "q90", "7q10", "monthly_q90")
_PERCENT = 100
_WEEK = 7
_MONTHS = tuple(range(1, 13))


def ecological_flows() -> tuple[EcologicalFlow, ...]:
    """Return the editions of the rules of ecological flow, the oldest first."""
    return editions(FOLDER, EcologicalFlow, "SL/T 712")


def flow_targets(frame: Any, method: Method, *, word: str = "中(开始退化)", share: float = 10.0) -> Any:
    """Return the flow that each section must keep in each month.

    Parameters
    ----------
    frame
        ``site, time, value``: daily (for ``7q10``) or monthly mean flows, m³/s, of the years to go by.
    method
        ``tennant``: a share of the mean flow of all months by season, by Tennant's `word`. ``monthly_share``: `share`
        (%) of each month's own mean. ``q90``: the 90 % value of the yearly driest-month means. ``7q10``: that of the
        yearly least 7-day means. ``monthly_q90``: that of each month's means.
    word, share
        As said.

    Returns
    -------
    frame
        ``site, month`` (1–12), ``target`` (m³/s, unrounded), ``method, years, edition, stage, clause, missing, note``.

    Notes
    -----
    The 90 % value lies at the 10th per cent of the ascending series by m/(n + 1), linear between neighbours.
    依据: SL/T 712—2021; Tennant 1976 (check M).
    """
    rules = ecological_flows()[-1]
    if method not in METHODS:
        raise InputError(
            f"method 应为 {'、'.join(METHODS)} 之一，收到“{method}”。",
            f'method should be one of {", ".join(METHODS)}; got "{method}".',
            field="method",
        )
    if word not in rules.tennant:
        raise InputError(
            f"word 应为 {'、'.join(rules.tennant)} 之一，收到“{word}”。",
            f'word should be one of Tennant\'s ({", ".join(rules.tennant)}); got "{word}".',
            field="word",
        )
    given = opened(frame, ("site", "time", "value"))
    dated = _dated(given.frame)
    monthly = _mean(dated, ["site", "year", "month"], "q")
    if method in ("monthly_share", "monthly_q90"):
        found = _by_month(monthly, method, share, rules)
    else:
        found = _whole_year(dated, monthly, method, word, rules, given.frame)
    few = nw.col("years") < rules.least_years
    text = nw.concat_str(
        [nw.lit(f"系列不足 {rules.least_years} 年（"), nw.col("years").cast(nw.String), nw.lit(" 年）")]
    )
    return given.give(
        found.select(
            *("site", "month", "target"),
            nw.lit(method).alias("method"),
            "years",
            nw.lit(rules.name).alias("edition"),
            nw.lit(rules.stage, dtype=nw.String).alias("stage"),
            nw.lit(f"{rules.number}（未全：{'、'.join(rules.lacking)}）").alias("clause"),
            nw.when(nw.col("target").is_null()).then(nw.lit("没有足够的流量")).alias("missing"),
            nw.when(few).then(text).alias("note"),
        )
    )


def flow_satisfaction(frame: Any, targets: Any, *, decimals: int = 1) -> Any:
    """Return how often each section keeps its target, by month and over the year.

    Parameters
    ----------
    frame
        ``site, time, value``: daily or monthly mean flows, m³/s.
    targets
        ``site, month, target`` (m³/s, compared as given) in a frame of the same engine.
    decimals
        Of the rate.

    Returns
    -------
    frame
        ``site, month`` (0 = all months together), ``assessed, kept, rate`` (%), ``enough`` (the guarantee of 90 % is
        reached), ``clause, missing, note``.

    Notes
    -----
    依据: 水资管〔2020〕67号 (check M).
    """
    rules = ecological_flows()[-1]
    given = opened(frame, ("site", "time", "value"))
    dated = _dated(given.frame)
    wanted = opened(targets, ("site", "month", "target")).frame.select(
        "site", nw.col("month").cast(nw.Int64).alias("month"), scaled(nw.col("target")).alias("_target")
    )
    joined = dated.join(wanted, on=["site", "month"], how="inner")
    judged = joined.with_columns((nw.col("q") >= nw.col("_target")).cast(nw.Int64).alias("_kept"))
    both = nw.concat(
        [
            judged.select("site", "month", "_kept"),
            judged.select("site", nw.lit(0, dtype=nw.Int64).alias("month"), "_kept"),
        ]
    )
    summed = both.group_by("site", "month").agg(
        nw.col("_kept").count().cast(nw.Int64).alias("assessed"),
        nw.col("_kept").sum().cast(nw.Int64).alias("kept"),
    )
    steps = 10**decimals
    whole = nw.when(nw.col("assessed") > 0).then(nw.col("assessed"))
    rate = half_even_ratio(nw.col("kept") * (_PERCENT * steps), whole)
    return given.give(
        summed.select(
            *("site", "month", "assessed", "kept"),
            decimal(rate, decimals).alias("rate"),
            (nw.col("kept") * _PERCENT >= whole * rules.guarantee).alias("enough"),
            nw.lit("达标时段 / 参评时段").alias("clause"),
            nw.when(nw.col("assessed") == 0).then(nw.lit("没有流量")).alias("missing"),
            nw.lit(None, dtype=nw.String).alias("note"),
        )
    )


def _dated(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    dtype = frame.collect_schema()["time"]
    local = frame if isinstance(dtype, nw.Date) else on_beijing_clock(frame)
    day = nw.col("time") if isinstance(dtype, nw.Date) else nw.col("time").dt.date()
    q = scaled(nw.when(nw.col("value") >= 0).then(nw.col("value")))
    return local.select("site", day.alias("day"), q.alias("q")).with_columns(
        nw.col("day").dt.year().cast(nw.Int64).alias("year"),
        nw.col("day").dt.month().cast(nw.Int64).alias("month"),
    )


def _mean(frame: nw.LazyFrame[Any], keys: list[str], column: str) -> nw.LazyFrame[Any]:
    """Return the mean of whole numbers as whole numbers."""
    summed = frame.filter(~nw.col(column).is_null()).group_by(*keys).agg(
        nw.col(column).sum().cast(nw.Int64).alias("_sum"), nw.col(column).count().cast(nw.Int64).alias("_count")
    )  # fmt: skip
    return summed.select(*keys, half_even_ratio(nw.col("_sum"), nw.col("_count")).alias(column))


def _guaranteed(series: nw.LazyFrame[Any], keys: list[str], share: int) -> nw.LazyFrame[Any]:
    """Return the value that `share` % of the years reach, by m/(n + 1), as ``target``, and the years."""
    ranked = series.with_columns(
        nw.col("q").rank("ordinal").over(*keys).cast(nw.Float64).alias("_rank"),
        nw.col("q").count().over(*keys).cast(nw.Float64).alias("_years"),
    )
    place = (nw.col("_years") + 1) * (_PERCENT - share) / _PERCENT
    place = nw.when(place < 1).then(nw.lit(1.0)).otherwise(place)
    distance = (nw.col("_rank") - place).abs()
    weight = nw.when(distance < 1).then(1 - distance).otherwise(nw.lit(0.0))
    weighted = ranked.with_columns((real(nw.col("q")) * weight).alias("_part"))
    return weighted.group_by(*keys).agg(
        nw.col("_part").sum().alias("target"), nw.col("q").count().cast(nw.Int64).alias("years")
    )


def _by_month(monthly: nw.LazyFrame[Any], method: Method, share: float, rules: EcologicalFlow) -> nw.LazyFrame[Any]:
    if method == "monthly_q90":
        return _guaranteed(monthly, ["site", "month"], rules.return_share)
    years = monthly.group_by("site", "month").agg(nw.len().cast(nw.Int64).alias("years"))
    means = _mean(monthly, ["site", "month"], "q").join(years, on=["site", "month"], how="left")
    return means.with_columns((real(nw.col("q")) * share / _PERCENT).alias("target"))


def _whole_year(
    dated: nw.LazyFrame[Any],
    monthly: nw.LazyFrame[Any],
    method: Method,
    word: str,
    rules: EcologicalFlow,
    given: nw.LazyFrame[Any],
) -> nw.LazyFrame[Any]:
    if method == "tennant":
        years = monthly.select("site", "year").unique().group_by("site").agg(nw.len().cast(nw.Int64).alias("years"))
        by_month = _mean(monthly, ["site", "month"], "q")
        base = _mean(by_month, ["site"], "q").join(years, on="site", how="left")
        base = base.with_columns(real(nw.col("q")).alias("target"))
        cold, warm = (float(share) / _PERCENT for share in rules.tennant[word])
    else:
        least = _driest(monthly) if method == "q90" else _weekly_least(dated)
        base = _guaranteed(least, ["site"], rules.return_share)
        cold = warm = 1.0
    parts = {
        str(month): {
            "month": nw.lit(month, dtype=nw.Int64),
            "target": nw.col("_base") * (warm if 4 <= month <= 9 else cold),
        }
        for month in _MONTHS
    }
    return long(base.with_columns(nw.col("target").alias("_base")).drop("target"), ["site", "years"], parts, given)


def _driest(monthly: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    return monthly.group_by("site", "year").agg(nw.col("q").min().alias("q"))


def _weekly_least(dated: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Return the yearly least mean of seven days in a row; gaps break a row."""
    daily = _mean(dated, ["site", "day"], "q")
    running = nw.col("q")
    for step in range(1, _WEEK):
        running = running + nw.col("q").shift(step).over("site", order_by="day")
    first = nw.col("day").shift(_WEEK - 1).over("site", order_by="day")
    weeks = daily.with_columns(running.alias("_sum"), first.alias("_first"))
    whole = weeks.filter(nw.col("day") == nw.col("_first").dt.offset_by(f"{_WEEK - 1}d"))
    yearly = whole.with_columns(nw.col("day").dt.year().cast(nw.Int64).alias("year"))
    least = yearly.group_by("site", "year").agg(nw.col("_sum").min().alias("_sum"))
    return least.select("site", "year", half_even_ratio(nw.col("_sum"), _WEEK).alias("q"))
