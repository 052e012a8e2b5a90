"""The category of radioactive sources."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.standards.lookup import amounts, looked_up
from qinglan.standards.risk.tables import radioactive_sources
from qinglan.standards.signed import signed


def source_category(frame: Any, edition: str | None = None) -> Any:
    """Return the category of each sealed source.

    Parameters
    ----------
    frame
        ``site, nuclide`` (``Cs-137``, ``Am-241/Be``), ``activity`` in becquerel.

    Returns
    -------
    frame
        ``site, nuclide, activity, category`` (I to V, exempt), ``word, check`` (how sure the nuclide's row is: P, M),
        ``edition, stage, clause, missing, note``.

    Notes
    -----
    依据: 公告2005年第62号 放射源分类办法. Of a mixture give the most dangerous nuclide with the total activity.

    Examples
    --------
    >>> import polars as pl
    >>> source_category(pl.DataFrame({"site": ["a"], "nuclide": ["Cs-137"], "activity": [1e12]}))["category"].item()
    'II'
    """
    given = amounts(frame, ("site", "nuclide", "activity"), ("activity",))
    rule = radioactive_sources(edition)[-1]
    nuclide, activity = nw.col("nuclide").str.strip_chars(), nw.col("activity")
    found = nw.lit("exempt")
    for step in reversed(tuple(rule.words)):
        least = looked_up(nuclide, {name: of[step] for name, of in rule.least.items()}, nw.Float64)
        found = nw.when(activity >= least).then(nw.lit(step)).otherwise(found)
    known = nuclide.is_in(list(rule.least))
    category = nw.when(known & ~activity.is_null()).then(found)
    unlisted = nw.when(~known).then(nw.lit("核素未收录，无法判定"))
    return given.give(
        given.frame.with_columns(category.alias("category")).select(
            "site",
            "nuclide",
            "activity",
            "category",
            looked_up(nw.col("category"), {"exempt": "低于豁免活度", **rule.words}, nw.String).alias("word"),
            looked_up(nuclide, dict(rule.checks), nw.String).alias("check"),
            *signed(rule),
            nw.when(activity.is_null()).then(nw.lit("activity")).alias("missing"),
            unlisted.when(activity.is_null())
            .then(nw.lit("没有活度，无法判定"))
            .when(looked_up(nuclide, dict(rule.checks), nw.String) == "M")
            .then(nw.lit("该核素限值待与原文核对"))
            .alias("note"),
        )
    )
