"""HJ 663: a year of a site or city — means, percentiles, validity, good and heavy days."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import opened, settled
from qinglan.core.interval import Stamp
from qinglan.standards.air.days import HOURS, days_of, given_days, on_hours
from qinglan.standards.air.index import GOOD, HEAVY, judged_days
from qinglan.standards.air.pollutants import POLLUTANTS, col, safe
from qinglan.standards.air.tables import Evaluation, Index, Limits, evaluations, indices, limits
from qinglan.standards.air.year_rows import ROW, last_year, rows_of_years
from qinglan.standards.edition import named, refuse_uncovered

Policy = Literal["period_end", "own_day"]
_PERCENT = 100


def annual_evaluation(
    frame: Any,
    stamp: Stamp | None = None,
    *,
    dust_days: Any = None,
    edition: str | None = None,
    policy: Policy = "period_end",
    grade: Literal[1, 2] = 2,
) -> Any:
    """Return the yearly evaluation of each site.

    Parameters
    ----------
    frame
        Hours (``site, factor, time, value``) when `stamp` is given, else days (``site, factor, date, value``; ``O3``
        is the day's largest 8-hour mean). µg/m³; CO mg/m³.
    stamp
        Whether `time` marks the start or the end of the hour.
    dust_days
        Days marked as under the influence of dust: ``site, date`` in a frame of the same engine. With it, the
        statistics are given a second time without those days (names ending in ``_without_dust``).
    edition
        The year of one edition of GB 3095 (``"2012"``, ``"2026-transition"``, ``"2026-final"``) and of the HJ 633
        and HJ 663 that go with it, for all years. By default the year's last day decides (`policy`).
    policy
        ``"period_end"``: the editions in force on 31 December judge the whole year. ``"own_day"``: the index of
        each day by its own edition; limits as before.
    grade
        Which grade of GB 3095 to compare with.

    Returns
    -------
    frame
        ``site, year, factor, statistic, value, rounded, limit, multiple, meets, days, expected, valid, edition,
        stage, clause, missing, note``. Pollutants have ``mean`` and a percentile (``p98``, ``p95``, ``p90``);
        the factor ``aqi`` has ``valid_days, good_days, heavy_days, good_ratio, heavy_ratio`` (days; %).

    Raises
    ------
    EditionError
        If a year lies before the first edition on file and no `edition` is given.

    Notes
    -----
    A year is valid with at least 324 daily values and 27 in each month (25 in February).
    依据: HJ 663—2013 5.1–5.3, 6.1–6.3, 附录A; GB 3095 表4.
    """
    if policy not in ("period_end", "own_day"):
        raise InputError(
            f"policy 应为 period_end 或 own_day，收到“{policy}”。",
            f'policy should be "period_end" or "own_day"; got "{policy}".',
            field="policy",
        )
    by_hour = stamp is not None
    given = opened(frame, HOURS if by_hour else ("site", "factor", "date", "value"))
    if stamp is not None:
        hours = on_hours(given.frame, stamp)
        if edition is None:
            refuse_uncovered(hours, nw.col("start"), limits())
        days = days_of(hours)
    else:
        if edition is None:
            refuse_uncovered(given.frame, nw.col("date"), limits())
        days = given_days(given.frame)
    editions = _Editions(edition, policy)
    days = settled(_with_index(days, editions))
    marked = days if dust_days is None else _marked(days, opened(dust_days, ("site", "date")).frame)
    found = _years(marked, editions, grade, "", given.frame)
    if dust_days is not None:
        calm = _years(marked.filter(nw.col("dust").is_null()), editions, grade, "_without_dust", given.frame)
        found = nw.concat([found, calm])
    return given.give(found)


class _Editions:
    """Which editions judge a year."""

    def __init__(self, edition: str | None, policy: Policy) -> None:
        self.limits = (_named_limits(edition),) if edition else limits()
        last = self.limits[0].edition
        self.indices = indices(last) if edition else indices()
        self.evaluations = (_evaluation_beside(self.limits[0]),) if edition else evaluations()
        self.each_day = policy == "own_day"


def _named_limits(edition: str) -> Limits:
    available = limits()
    if edition == "2026":
        edition = "GB3095-2026-transition"
    return named(available, edition if edition.startswith("GB3095") else f"GB3095-{edition}")


def _evaluation_beside(edition: Limits) -> Evaluation:
    return evaluations("2026" if edition.edition == "2026" else "2013")[0]


def _with_index(days: nw.LazyFrame[Any], editions: _Editions) -> nw.LazyFrame[Any]:
    """Add the day's index, judged by the year's edition or the day's own."""
    year = nw.col("date").dt.year()
    if editions.each_day or len(editions.indices) == 1:
        judged = judged_days(days, editions.indices)
    else:
        judged = _by_year_end(days, editions.indices)
    index = judged.select(
        "site", "date", "aqi", nw.col("missing").alias("absent"), nw.col("edition").alias("judged by")
    )
    dated = days.join(index, on=["site", "date"], how="left")
    return dated.with_columns(year.cast(nw.Int64).alias("year"), nw.col("date").dt.month().alias("month"))


def _by_year_end(days: nw.LazyFrame[Any], available: Sequence[Index]) -> nw.LazyFrame[Any]:
    year = nw.col("date").dt.year()
    frames = []
    after = 0
    for edition in available:
        within = days.filter((year > after) & (year <= last_year(edition)))
        frames.append(judged_days(within, (edition,)))
        after = last_year(edition)
    return nw.concat(frames)


def _marked(days: nw.LazyFrame[Any], dust: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    marks = dust.select("site", "date").unique().with_columns(nw.lit(1, dtype=nw.Int64).alias("dust"))
    return days.join(marks, on=["site", "date"], how="left")


def _years(
    days: nw.LazyFrame[Any], editions: _Editions, grade: int, suffix: str, given: nw.LazyFrame[Any]
) -> nw.LazyFrame[Any]:
    statistics = evaluations()[0].yearly
    percentiles = {item.factor: item.percentile for item in statistics if item.percentile}
    counted = ~nw.col("aqi").is_null() & (nw.col("absent").is_null() | (nw.col("aqi") > GOOD))
    prepared = days.with_columns(
        *(col(name).cast(nw.Float64).alias(safe(f"x {name}")) for name in POLLUTANTS),
        counted.cast(nw.Int64).alias("counts"),
        (counted & (nw.col("aqi") <= GOOD)).cast(nw.Int64).alias("is good"),
        (counted & (nw.col("aqi") > HEAVY)).cast(nw.Int64).alias("is heavy"),
    )
    yearly = prepared.group_by("site", "year").agg(
        *(col(name).sum().cast(nw.Int64).alias(safe(f"sum {name}")) for name in POLLUTANTS),
        *(col(name).count().cast(nw.Int64).alias(safe(f"days {name}")) for name in POLLUTANTS),
        *(
            col(f"x {name}").quantile(percent / _PERCENT, "linear").alias(safe(f"quantile {name}"))
            for name, percent in percentiles.items()
        ),
        nw.col("counts").sum().cast(nw.Int64).alias("valid days"),
        nw.col("is good").sum().cast(nw.Int64).alias("good days"),
        nw.col("is heavy").sum().cast(nw.Int64).alias("heavy days"),
        nw.col("judged by").min().alias("first edition"),
        nw.col("judged by").max().alias("last edition"),
    )
    first, last = nw.col("first edition"), nw.col("last edition")
    both = nw.concat_str([first, last], separator="、")
    joined = yearly.join(_months(days), on=["site", "year"], how="left").with_columns(
        nw.when(_is_leap(nw.col("year"))).then(nw.lit(366)).otherwise(nw.lit(365)).cast(nw.Int64).alias("expected"),
        nw.when(first == last).then(first).otherwise(both).alias("index editions"),
    )
    tidy = rows_of_years(joined, editions.limits, editions.indices, editions.evaluations, grade, given)
    named_rows = nw.concat_str([nw.col("statistic"), nw.lit(suffix)]).alias("statistic") if suffix else "statistic"
    return tidy.select("site", "year", "factor", named_rows, *ROW)


def _months(days: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Count the months of the year that have enough days of each pollutant. 依据: GB 3095 表4."""
    rule = limits()[0].least("PM2.5", "1y", "calendar_month")
    least = nw.when(nw.col("month") == 2).then(nw.lit(rule.february or rule.minimum)).otherwise(nw.lit(rule.minimum))
    monthly = days.group_by("site", "year", "month").agg(
        *(col(name).count().cast(nw.Int64).alias(safe(name)) for name in POLLUTANTS)
    )
    enough = monthly.with_columns((col(name) >= least).cast(nw.Int64).alias(safe(name)) for name in POLLUTANTS)
    return enough.group_by("site", "year").agg(
        *(col(name).sum().cast(nw.Int64).alias(safe(f"months {name}")) for name in POLLUTANTS)
    )


def _is_leap(year: nw.Expr) -> nw.Expr:
    return ((year % 4 == 0) & (year % 100 != 0)) | (year % 400 == 0)
