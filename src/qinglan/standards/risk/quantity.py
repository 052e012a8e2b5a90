"""HJ 941: how much dangerous matter there is on a site against its critical quantity."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.standards.lookup import amounts, looked_up
from qinglan.standards.risk.tables import EnterpriseRisk, enterprise_risks
from qinglan.standards.signed import signed


def critical_quantities(frame: Any, edition: str | None = None) -> Any:
    """Return each substance's share of its critical quantity.

    Parameters
    ----------
    frame
        ``site, substance`` (name in appendix A or CAS number), ``tonnes`` (the largest amount on the site, of
        mixtures the pure part). Optional: ``critical`` (tonnes, for substances that are not on file), ``volatile``
        (for part 8: false leaves a substance out for air).

    Returns
    -------
    frame
        ``site, substance, tonnes, critical, ratio, air, water`` (whether it counts there), ``confidence``, ``edition,
        stage, clause, missing, note``. A substance of one's own ``critical`` counts for both media.

    Notes
    -----
    依据: HJ 941—2018 6.1、附录A; 174 of some 390 substances are on file, all from memory (check M).
    """
    given = amounts(frame, ("site", "substance", "tonnes"), ("tonnes", "critical"))
    rule = enterprise_risks(edition)[-1]
    return given.give(_ratios(given.frame, rule))


def risk_quantity(frame: Any, edition: str | None = None) -> Any:
    """Return Q for air and for water of each site.

    Parameters
    ----------
    frame, edition
        As for `critical_quantities`.

    Returns
    -------
    frame
        ``site, q_air, q_water, unknown`` (substances without a critical quantity or amount), ``edition, stage,
        clause, missing, note``. With unknown substances Q is a lower bound, and ``missing`` says so.

    Notes
    -----
    依据: HJ 941—2018 6.1, Q = Σ(w/W).

    Examples
    --------
    >>> import polars as pl
    >>> risk_quantity(pl.DataFrame({"site": "a", "substance": ["氨气", "甲醇"], "tonnes": [10.0, 5.0]})).row(0)[1:4]
    (2.5, 2.5, 0)
    """
    given = amounts(frame, ("site", "substance", "tonnes"), ("tonnes", "critical"))
    rule = enterprise_risks(edition)[-1]
    ratios = _ratios(given.frame, rule)
    ratio = nw.col("ratio").fill_null(0.0)
    of_site = ratios.group_by("site").agg(
        nw.when(nw.col("air")).then(ratio).otherwise(nw.lit(0.0)).sum().alias("q_air"),
        nw.when(nw.col("water")).then(ratio).otherwise(nw.lit(0.0)).sum().alias("q_water"),
        nw.when(nw.col("ratio").is_null()).then(nw.lit(1)).otherwise(nw.lit(0)).sum().cast(nw.Int64).alias("unknown"),
    )
    some = nw.col("unknown") > 0
    return given.give(
        of_site.select(
            "site",
            "q_air",
            "q_water",
            "unknown",
            *signed(rule),
            nw.when(some).then(nw.lit("有物质缺临界量或存在量")).alias("missing"),
            nw.when(some).then(nw.lit("Q 为下限，未收录物质请在 critical 列给出临界量")).alias("note"),
        )
    )


def _ratios(frame: nw.LazyFrame[Any], rule: EnterpriseRisk) -> nw.LazyFrame[Any]:
    names = frame.collect_schema().names()
    key = nw.col("substance").str.strip_chars()

    def table(attribute: str) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for row in rule.substances:
            for name in filter(None, (row.name, row.cas)):
                found.setdefault(name, getattr(row, attribute))
        return found

    own = nw.col("critical") if "critical" in names else nw.lit(None, dtype=nw.Float64)
    listed = looked_up(key, table("tonnes"), nw.Float64)
    critical = nw.coalesce(listed, nw.when(own > 0).then(own))
    volatile = nw.col("volatile").fill_null(value=True) if "volatile" in names else nw.lit(value=True)
    air = looked_up(key, table("air"), nw.String)
    read = frame.with_columns(
        critical.alias("_critical"),
        listed.is_null().alias("_own"),
        ((air == "yes") | ((air == "if_volatile") & volatile)).fill_null(value=True).alias("air"),
        (looked_up(key, table("water"), nw.String) == "yes").fill_null(value=True).alias("water"),
        looked_up(key, table("confidence"), nw.String).alias("confidence"),
    ).with_columns((nw.col("tonnes") / nw.col("_critical")).alias("ratio"))
    unlisted = nw.when(nw.col("_critical").is_null()).then(nw.lit("临界量未收录"))
    empty = unlisted.when(nw.col("tonnes").is_null()).then(nw.lit("没有存在量"))
    given = empty.when(nw.col("_own")).then(nw.lit("临界量由使用者给出，大气与水都计"))
    return read.select(
        "site",
        "substance",
        "tonnes",
        nw.col("_critical").alias("critical"),
        "ratio",
        "air",
        "water",
        "confidence",
        *signed(rule),
        nw.when(nw.col("ratio").is_null()).then(nw.lit("ratio")).alias("missing"),
        given.when(nw.col("confidence") == "medium").then(nw.lit("临界量把握不大，请核对原文")).alias("note"),
    )
