"""Tailings ponds: the grade of environmental risk, and the grade by size."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import listed
from qinglan.standards.lookup import amounts, looked_up
from qinglan.standards.signed import signed
from qinglan.standards.waste.tables import Tailings, tailings_rules


def tailings_risk(frame: Any, edition: str | None = None) -> Any:
    """Return the grade of environmental risk of each key-assessed pond.

    Parameters
    ----------
    frame
        ``site`` and the scores (0 to 100) ``h`` (hazard), ``s`` (sensitivity of the surroundings), ``r`` (control; more
        is less reliable).

    Returns
    -------
    frame
        ``site, word, text`` (as the standard writes it), ``edition, stage, clause, missing, note``.

    Notes
    -----
    依据: HJ 740—2015 等级划分. The matrix is from memory (check M, low confidence); every verdict says so.

    Examples
    --------
    >>> import polars as pl
    >>> tailings_risk(pl.DataFrame({"site": ["a"], "h": [45], "s": [70], "r": [20]}))["text"].item()
    '较大(H2S1R3)'
    """
    scores = ("h", "s", "r")
    given = amounts(frame, ("site", *scores), scores, dict.fromkeys(scores, 100.0))
    rule = tailings_rules(edition)[-1]
    key = nw.concat_str([_class(rule, name) for name in scores])
    read = given.frame.with_columns(key.alias("_key")).with_columns(
        looked_up(nw.col("_key"), dict(rule.grade_of), nw.String).alias("word")
    )
    missing = listed([(nw.col(name).is_null(), name) for name in scores])
    return given.give(
        read.select(
            "site",
            "word",
            nw.concat_str([nw.col("word"), nw.lit("("), nw.col("_key"), nw.lit(")")]).alias("text"),
            *signed(rule),
            missing.alias("missing"),
            nw.when(nw.col("word").is_null())
            .then(nw.lit("缺项，无法判定"))
            .otherwise(nw.lit("矩阵未与原文核对，把握低"))
            .alias("note"),
        )
    )


def _class(rule: Tailings, name: str) -> nw.Expr:
    low, high = rule.over
    letter, score = name.upper(), nw.col(name)
    return (
        nw.when(score > high)
        .then(nw.lit(f"{letter}1"))
        .when(score > low)
        .then(nw.lit(f"{letter}2"))
        .when(score <= low)
        .then(nw.lit(f"{letter}3"))
    )


def tailings_size(frame: Any, edition: str | None = None) -> Any:
    """Return the grade of each pond by volume and height.

    Parameters
    ----------
    frame
        ``site, volume`` (10⁴ m³), ``height`` (m, of the dam).

    Returns
    -------
    frame
        ``site, grade`` (1 largest … 5), ``word, edition, stage, clause, missing, note``.

    Notes
    -----
    依据: GB 50863—2013 (check M): where the two differ by one grade the higher counts, by more one below the higher.
    """
    given = amounts(frame, ("site", "volume", "height"), ("volume", "height"))
    rule = tailings_rules(edition)[-1]
    read = given.frame.with_columns(
        _grade(rule, "volume").alias("_by_volume"), _grade(rule, "height").alias("_by_height")
    )
    higher = nw.min_horizontal("_by_volume", "_by_height")
    apart = (nw.col("_by_volume") - nw.col("_by_height")).abs()
    grade = nw.when(apart > 1).then(higher + 1).when(apart <= 1).then(higher)
    words = {str(number): size.grade for number, size in enumerate(rule.sizes, start=1)}
    return given.give(
        read.with_columns(grade.alias("grade")).select(
            "site",
            "grade",
            looked_up(nw.col("grade").cast(nw.String), words, nw.String).alias("word"),
            nw.lit("GB 50863—2013").alias("edition"),
            nw.lit(None, dtype=nw.String).alias("stage"),
            nw.lit("尾矿库等别（待核）").alias("clause"),
            listed([(nw.col(name).is_null(), name) for name in ("volume", "height")]).alias("missing"),
            nw.when(nw.col("grade").is_null())
            .then(nw.lit("库容、坝高缺一，无法判定"))
            .otherwise(nw.lit("界线未与原文核对"))
            .alias("note"),
        )
    )


def _grade(rule: Tailings, of: str) -> nw.Expr:
    found = nw.lit(len(rule.sizes), dtype=nw.Int64)
    for number, size in reversed(list(enumerate(rule.sizes, start=1))):
        reached = nw.col(of) >= getattr(size, of)
        found = nw.when(reached).then(nw.lit(number, dtype=nw.Int64)).otherwise(found)
    return nw.when(~nw.col(of).is_null()).then(found)
