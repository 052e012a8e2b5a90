"""The environmental credit of enterprises: weighted scores, vetoes, plates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, half_even_ratio, listed, scaled
from qinglan.standards.governance.tables import Credit, credits_of
from qinglan.standards.lookup import amounts, decimal, looked_up
from qinglan.standards.signed import signed

WORST = 4


def credit_grade(
    scores: Any, vetoes: Any = None, weights: Mapping[int, float] | None = None, edition: str | None = None
) -> Any:
    """Return the score and grade of each enterprise.

    Parameters
    ----------
    scores
        ``site, indicator`` (1 to 21), ``score`` (0 to 100).
    vetoes
        Conditions found, of the same engine: ``site, condition`` (1 to 14; 0 for an ordinary incident in the period,
        which lowers the grade by one).
    weights
        Weights in per cent by indicator. Only 7 of the 21 are confirmed; the rest come from the local rule. Together
        they must make 100.
    edition
        ``"2013"``, the only one on file.

    Returns
    -------
    frame
        ``site, score`` (two decimals), ``grade`` (1 best … 4), ``word, plate, vetoes, edition, stage, clause,
        missing, note``. An enterprise that lacks an indicator's score has no grade, unless a veto gives it the worst.

    Raises
    ------
    InputError
        If weights are not complete, or a score lies outside 0–100.

    Notes
    -----
    依据: 环发〔2013〕150号 附件1 (14 of 21 weights not confirmed: 收录未全).
    """
    given = amounts(scores, ("site", "indicator", "score"), ("score", "indicator"), {"score": 100})
    rule = credits_of(edition)[-1]
    share = {str(number): float(weight) for number, weight in rule.weights(weights).items()}
    number = nw.col("indicator").cast(nw.Int64).cast(nw.String)
    parts = given.frame.with_columns(
        (scaled(looked_up(number, share, nw.Float64)) * scaled(nw.col("score"), 100)).alias("_part"),
        number.alias("_no"),
    )
    numbers = [str(item) for item in rule.indicators if share[str(item)] > 0]
    of_site = parts.group_by("site").agg(
        nw.col("_part").sum().alias("_sum"),
        *(
            nw.when((nw.col("_no") == item) & ~nw.col("score").is_null()).then(nw.lit(1)).max().alias(f"_has{item}")
            for item in numbers
        ),
    )
    missing = listed([(nw.col(f"_has{item}").is_null(), item) for item in numbers])
    scored = of_site.with_columns(
        half_even_ratio(nw.col("_sum"), 100 * SCALE).alias("_score"), missing.alias("missing")
    )
    return given.give(_graded(scored, vetoes, rule))


def _graded(scored: nw.LazyFrame[Any], vetoes: Any, rule: Credit) -> nw.LazyFrame[Any]:
    base = nw.lit(WORST, dtype=nw.Int64)
    for step in sorted(rule.grades, key=lambda part: -part.grade):
        reached = nw.col("_score") >= step.least * 100
        base = nw.when(reached).then(nw.lit(step.grade, dtype=nw.Int64)).otherwise(base)
    titles = {condition: title.zh for condition, title in rule.conditions.items()}
    if vetoes is None:
        found = scored.with_columns(nw.lit(None, dtype=nw.String).alias("vetoes"), nw.lit(0).alias("_ordinary"))
    else:
        conditions = amounts(vetoes, ("site", "condition"), ("condition",), {"condition": float(max(titles))}).frame
        each = nw.col("condition").cast(nw.Int64)
        marked = conditions.group_by("site").agg(
            *(nw.when(each == item).then(nw.lit(1)).max().alias(f"_veto{item}") for item in (0, *titles))
        )
        named = listed([(~nw.col(f"_veto{item}").is_null(), title) for item, title in titles.items()])
        told = marked.select("site", named.alias("vetoes"), nw.col("_veto0").fill_null(0).alias("_ordinary"))
        found = scored.join(told, on="site", how="left")
    vetoed = ~nw.col("vetoes").is_null()
    lowered = (
        nw.when(nw.col("_base") + nw.col("_ordinary").fill_null(0) > WORST)
        .then(nw.lit(WORST))
        .otherwise(nw.col("_base") + nw.col("_ordinary").fill_null(0))
    )
    complete = nw.when(nw.col("missing").is_null()).then(lowered)
    grade = nw.when(vetoed).then(nw.lit(WORST)).otherwise(complete).cast(nw.Int64)
    key = nw.col("grade").cast(nw.String)
    return (
        found.with_columns(base.alias("_base"))
        .with_columns(grade.alias("grade"))
        .select(
            "site",
            nw.when(nw.col("missing").is_null()).then(decimal(nw.col("_score"), 2)).alias("score"),
            "grade",
            looked_up(key, {str(part.grade): part.title.zh for part in rule.grades}, nw.String).alias("word"),
            looked_up(key, {str(part.grade): part.plate for part in rule.grades}, nw.String).alias("plate"),
            "vetoes",
            *signed(rule),
            "missing",
            nw.when(nw.col("grade").is_null())
            .then(nw.lit("缺指标得分，无法判定"))
            .when(~vetoed & (nw.col("_ordinary").fill_null(0) > 0))
            .then(nw.lit("发生一般突发环境事件，降一级"))
            .alias("note"),
        )
    )
