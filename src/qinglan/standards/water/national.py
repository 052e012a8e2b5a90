"""Assessed sections: means of months and years, their classes, and the shares that targets speak of."""

from __future__ import annotations

from typing import Any, Literal

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import on_beijing_clock, opened, with_ratios
from qinglan.standards.lookup import decimal
from qinglan.standards.water.classes import chosen_editions, judged, kind_marks
from qinglan.standards.water.items import averaged, samples
from qinglan.standards.water.sections import verdicts
from qinglan.standards.water.tables import GOOD, WORST

Period = Literal["month", "quarter", "year"]
_PERCENT = 100


def section_assessment(
    frame: Any,
    kind: str | None = None,
    *,
    period: Period = "month",
    targets: Any = None,
    edition: str | None = None,
) -> Any:
    """Return the class of each section in each month, quarter or year: the class of the items' means.

    Parameters
    ----------
    frame
        As for `section_class`; `time` holds times or dates. Values of one day are averaged, then the days of a month,
        then the months. Values below detection enter as half the limit.
    kind, edition
        As for `section_class`.
    period
        What to judge.
    targets
        ``site, target`` (1 to 5) in a frame of the same engine.

    Returns
    -------
    frame
        ``site, period`` (``2024-05``, ``2024Q2``, ``2024``), ``last_month, months, enough`` (at least 2 months of a
        quarter, 8 of a year), the columns of `section_class`, and with targets ``target, attains``.

    Notes
    -----
    依据: 环办〔2011〕22号 一; 环办监测函〔2020〕714号（均值次序，check M）.
    """
    if period not in ("month", "quarter", "year"):
        raise InputError(
            f"period 应为 month、quarter 或 year，收到“{period}”。",
            f'period should be "month", "quarter" or "year"; got "{period}".',
            field="period",
        )
    given = opened(frame, ("site", "time"))
    local = given.frame
    dtype = local.collect_schema()["time"]
    if not isinstance(dtype, nw.Date):
        local = on_beijing_clock(local)
    names = local.collect_schema().names()
    law, method = chosen_editions(local, edition)
    column = kind_marks(kind, names)[2]
    extra = [column] if column else []
    day = nw.col("time") if isinstance(dtype, nw.Date) else nw.col("time").dt.date()
    dated = local.with_columns(
        day.alias("_day"),
        day.dt.year().cast(nw.Int64).alias("_year"),
        day.dt.month().cast(nw.Int64).alias("_month"),
    )
    daily = samples(dated, ["site", *extra, "_day", "_year", "_month"], method.evaluated, halve=True)
    if "factor" not in names:
        daily = averaged(daily, ["site", *extra, "_day", "_year", "_month"])
    monthly = averaged(daily, ["site", *extra, "_year", "_month"])
    label, last = _labels(period)
    labelled = monthly.frame.with_columns(label.alias("period"), last.alias("last_month"))
    keys = ["site", *extra, "period", "last_month"]
    mean = averaged(type(monthly)(labelled, monthly.items, (), monthly.impossible), keys, "months")
    found = verdicts(judged(mean, names, kind, law, method), names, kind, [*keys, "months"])
    least = {"month": 1, "quarter": method.means.months_of_quarter, "year": method.means.months_of_year}[period]
    found = found.with_columns((nw.col("months") >= least).alias("enough"))
    if targets is not None:
        wanted = opened(targets, ("site", "target")).frame.select("site", "target")
        attains = nw.col("water_class") <= nw.col("target")
        found = found.join(wanted, on="site", how="left").with_columns(attains.alias("attains"))
    return given.give(found)


def _labels(period: Period) -> tuple[nw.Expr, nw.Expr]:
    """Return the period as it is written, and its last month."""
    year, month = nw.col("_year").cast(nw.String), nw.col("_month")
    quarter = (month + 2) // 3
    if period == "year":
        return year, nw.concat_str([year, nw.lit("-12")])
    end = month if period == "month" else quarter * 3
    last = nw.concat_str([year, nw.lit("-"), end.cast(nw.String).str.zfill(2)])
    return (last if period == "month" else nw.concat_str([year, nw.lit("Q"), quarter.cast(nw.String)])), last


def network_shares(classes: Any, network: Any, *, decimals: int = 1) -> Any:
    """Return the shares of good sections and of those worse than V, for each network and period.

    Parameters
    ----------
    classes
        ``site, period, last_month, water_class`` and optionally ``attains``, as `section_assessment` gives them, or
        published classes in that form.
    network
        ``network, site, start, end``: which sections count from when to when (dates, both included; null is open), in
        a frame of the same engine. The network of a period is that of its last month.
    decimals
        Of the shares.

    Returns
    -------
    frame
        ``network, period, expected`` (sections of the network), ``sections`` (assessed), ``good, share_good`` (class
        I–III, %), ``bad, share_bad`` (worse than V), ``attained, share_attained`` (with ``attains``), ``unlike_last``
        (the network is not that of the period before: a break, no line may be drawn across), ``clause, missing,
        note``.

    Notes
    -----
    The five-sections rule gives a basin's word, never this share. 依据: 国控断面优良水质比例; practice (check M).
    """
    given = opened(classes, ("site", "period", "last_month", "water_class"))
    names = given.frame.collect_schema().names()
    members = opened(network, ("network", "site", "start", "end")).frame
    ranged = members.select("network", "site", _month("start").alias("_from"), _month("end").alias("_until"))
    last = nw.col("last_month")
    counts = (nw.col("_from").is_null() | (nw.col("_from") <= last)) & (
        nw.col("_until").is_null() | (nw.col("_until") >= last)
    )
    periods = given.frame.select("period", "last_month").unique()
    expected = (
        periods.join(ranged, how="cross").filter(counts)
        .group_by("network", "period").agg(nw.len().cast(nw.Int64).alias("expected"))
    )  # fmt: skip
    attains = nw.col("attains") if "attains" in names else nw.lit(None, dtype=nw.Boolean)
    held = given.frame.with_columns(attains.alias("attains")).join(ranged, on="site", how="inner").filter(counts)
    number = nw.col("water_class")
    summed = held.group_by("network", "period").agg(
        number.count().cast(nw.Int64).alias("sections"),
        _count(number <= GOOD).alias("good"),
        _count(number == WORST).alias("bad"),
        _count(nw.col("attains")).alias("attained"),
        nw.col("attains").count().cast(nw.Int64).alias("_with target"),
    )
    whole = nw.when(nw.col("sections") > 0).then(nw.col("sections"))
    aimed = nw.when(nw.col("_with target") > 0).then(nw.col("_with target"))
    before = nw.col("network").shift(1).over(order_by=["period", "network"])
    absent = nw.col("expected") - nw.col("sections")
    joined = expected.join(summed, on=["network", "period"], how="left").with_columns(
        nw.col(column).fill_null(0) for column in ("sections", "good", "bad", "attained", "_with target")
    )
    steps = _PERCENT * 10**decimals
    parts = {
        "share_good": (nw.col("good") * steps, whole),
        "share_bad": (nw.col("bad") * steps, whole),
        "share_attained": (nw.col("attained") * steps, aimed),
    }
    ended = with_ratios(
        joined.with_columns((before != nw.col("network")).fill_null(value=False).alias("unlike_last")), parts
    )
    short = nw.when(absent > 0).then(nw.concat_str([absent.cast(nw.String), nw.lit(" 个断面没有类别")]))
    return given.give(
        ended.select(
            *("network", "period", "expected", "sections", "good"),
            decimal(nw.col("share_good"), decimals).alias("share_good"),
            "bad",
            decimal(nw.col("share_bad"), decimals).alias("share_bad"),
            nw.when(nw.col("_with target") > 0).then(nw.col("attained")).alias("attained"),
            decimal(nw.col("share_attained"), decimals).alias("share_attained"),
            "unlike_last",
            nw.lit("Ⅰ—Ⅲ类断面数 / 参评断面数").alias("clause"),
            short.alias("missing"),
            nw.when(nw.col("unlike_last")).then(nw.lit("考核断面与上期不同，两期不可比")).alias("note"),
        )
    )


def _month(column: str) -> nw.Expr:
    day = nw.col(column)
    year, month = day.dt.year().cast(nw.String), day.dt.month().cast(nw.String).str.zfill(2)
    return nw.when(~day.is_null()).then(nw.concat_str([year, nw.lit("-"), month], ignore_nulls=True))


def _count(condition: nw.Expr) -> nw.Expr:
    return condition.fill_null(value=False).cast(nw.Int64).sum().cast(nw.Int64)
