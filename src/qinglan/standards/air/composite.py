"""The composite index by which cities are ranked."""

from __future__ import annotations

from datetime import date
from typing import Any

import narwhals as nw

from qinglan.core.errors import EditionError
from qinglan.core.frames import SCALE, half_even_ratio, listed, opened, real, scaled
from qinglan.standards.air.pollutants import POLLUTANTS, canonical, col, safe
from qinglan.standards.air.tables import FOLDER, Limits, Ranking, limits
from qinglan.standards.edition import editions, in_force, named

_RULES = "城市环境空气质量排名技术规定"


def composite_index(frame: Any, on: date, edition: str | None = None) -> Any:
    """Return each site's or city's composite index.

    Parameters
    ----------
    frame
        One value a site and pollutant for the period: ``site, factor, value`` — period means of SO2, NO2, PM10 and
        PM2.5, the 95th percentile of daily CO, the 90th percentile of the daily largest 8-hour ozone means
        (µg/m³; CO mg/m³).
    on
        The period's last day; the limits in force then are the denominators.
    edition
        An edition of GB 3095 to be used instead (``"2012"``, ``"2026-transition"``, ``"2026-final"``).

    Returns
    -------
    frame
        ``site, composite`` (unrounded), ``rounded`` (two decimals), a single index ``i_…`` for each pollutant,
        ``largest`` (the pollutants with the largest single index), ``edition, stage, clause, missing, note``.
        A site that lacks a pollutant has no composite index.

    Notes
    -----
    依据: 城市环境空气质量排名技术规定 I = C/S.
    """
    given = opened(frame, ("site", "factor", "value"))
    rules = in_force(editions(FOLDER, Ranking, _RULES), on)
    against = _limits(on, edition)
    q = scaled(nw.col("value"))
    wide = (
        given.frame.with_columns(canonical(POLLUTANTS).alias("_item"), q.alias("_q"))
        .group_by("site")
        .agg(*(nw.when(nw.col("_item") == name).then(nw.col("_q")).max().alias(safe(name)) for name in POLLUTANTS))
    )
    limit = {name: against.limit(name, averaging) for name, averaging in rules.statistics.items()}
    single = wide.with_columns((real(col(name)) / float(limit[name])).alias(safe(f"i {name}")) for name in POLLUTANTS)
    total = col(f"i {POLLUTANTS[0]}")
    for name in POLLUTANTS[1:]:
        total = total + col(f"i {name}")
    largest = nw.max_horizontal(*(safe(f"i {name}") for name in POLLUTANTS))
    summed = single.with_columns(total.alias("composite"), largest.alias("_largest"))
    step = SCALE // 10**rules.decimals
    absent = listed([(col(name).is_null(), name) for name in POLLUTANTS])
    return given.give(
        summed.select(
            "site",
            "composite",
            real(half_even_ratio(scaled(nw.col("composite")), step) * step).alias("rounded"),
            *(col(f"i {name}").alias(safe(f"i_{name.lower().replace('.', '')}")) for name in POLLUTANTS),
            listed([(col(f"i {name}") == nw.col("_largest"), name) for name in POLLUTANTS]).alias("largest"),
            nw.lit(against.name).alias("edition"),
            nw.lit(against.stage, dtype=nw.String).alias("stage"),
            nw.lit(f"{rules.number} {rules.basis[0].clause}").alias("clause"),
            absent.alias("missing"),
            nw.when(nw.col("composite").is_null()).then(nw.lit("缺项，不计算综合指数")).alias("note"),
        )
    )


def ranking(frame: Any, on: date, edition: str | None = None) -> Any:
    """Return the composite indices with ranks: the smallest index is first, equal rounded indices share a rank.

    Parameters
    ----------
    frame, on, edition
        As for `composite_index`.

    Returns
    -------
    frame
        The columns of `composite_index` and ``rank``; sites without a composite index have none.
    """
    given = opened(frame, ("site", "factor", "value"))
    indexed = nw.from_native(composite_index(given.frame.to_native(), on, edition)).lazy()
    value = indexed.filter(~nw.col("rounded").is_null()).group_by("rounded").agg(nw.len().cast(nw.Int64).alias("_n"))
    ordered = value.with_columns(nw.col("_n").cum_sum().over(order_by="rounded").alias("_through"))
    placed = ordered.select("rounded", (nw.col("_through") - nw.col("_n") + 1).alias("rank"))
    return given.give(indexed.join(placed, on="rounded", how="left"))


def _limits(on: date, edition: str | None) -> Limits:
    if edition is None:
        return in_force(limits(), on)
    try:
        return named(limits(), f"GB3095-{edition}")
    except EditionError:
        return named(limits(), edition)
