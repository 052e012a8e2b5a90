"""HJ 941: the grade from quantity, control and surroundings."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import listed
from qinglan.standards.lookup import amounts, looked_up, only
from qinglan.standards.risk.tables import EnterpriseRisk, enterprise_risks
from qinglan.standards.signed import signed

_MEDIA = {"air": "大气", "water": "水"}


def risk_grade(frame: Any, edition: str | None = None) -> Any:
    """Return the risk grade of each enterprise.

    Parameters
    ----------
    frame
        ``site, q_air, m_air, e_air, q_water, m_water, e_water`` (Q as a number, M as points, E as E1 to E3); where Q is
        below 1 the other two may be null. Optional: ``penalised`` (for illegal discharge, transfer or disposal within
        three years: one grade up).

    Returns
    -------
    frame
        ``site, grade`` (1 重大, 2 较大, 3 一般), ``word, colour, text`` (as the standard writes it), ``air, water``
        (words), ``edition, stage, clause, missing, note``. Where one medium cannot be graded there is a grade only if
        the other is 重大 already.

    Notes
    -----
    依据: HJ 941—2018 7.4, 8 (matrices from memory, check M).

    Examples
    --------
    >>> import polars as pl
    >>> site = pl.DataFrame({"site": ["a"], "q_air": [0.5], "m_air": [None], "e_air": [None],
    ...                      "q_water": [12.0], "m_water": [30.0], "e_water": ["E2"]},
    ...                     schema_overrides={"m_air": pl.Float64, "e_air": pl.String})
    >>> risk_grade(site)["text"].item()
    '较大[一般-大气(Q0)+较大-水(Q2-M2-E2)]'
    """
    numbers = ("q_air", "m_air", "q_water", "m_water")
    given = amounts(frame, ("site", *numbers, "e_air", "e_water"), numbers)
    rule = enterprise_risks(edition)[-1]
    for medium in _MEDIA:
        only(given.frame, f"e_{medium}", ("E1", "E2", "E3"))
    names = given.frame.collect_schema().names()
    penalised = nw.col("penalised").fill_null(value=False) if "penalised" in names else nw.lit(value=False)
    number = {part.title.zh: part.grade for part in rule.grades}
    word = {str(part.grade): part.title.zh for part in rule.grades}
    parts = given.frame.with_columns(
        penalised.alias("_penalised"), *(part for medium in _MEDIA for part in _classes(rule, medium))
    )
    words = parts.with_columns(*(_word(rule, medium) for medium in _MEDIA))
    graded = words.with_columns(
        *(looked_up(nw.col(medium), number, nw.Int64).alias(f"_g_{medium}") for medium in _MEDIA)
    )
    worst = nw.min_horizontal("_g_air", "_g_water")
    both = ~nw.col("_g_air").is_null() & ~nw.col("_g_water").is_null()
    known = nw.when(both | (worst == 1)).then(worst)
    raised = nw.when(nw.col("_penalised") & (known > 1)).then(known - 1).otherwise(known)
    result = graded.with_columns(raised.alias("grade"), known.alias("_known")).with_columns(
        looked_up(nw.col("grade").cast(nw.String), word, nw.String).alias("word")
    )
    missing = listed([(nw.col(f"_g_{medium}").is_null(), title) for medium, title in _MEDIA.items()])
    up = nw.when(nw.col("grade") < nw.col("_known")).then(nw.lit("近三年违法被处罚，提高一级"))
    return given.give(
        result.select(
            "site",
            "grade",
            "word",
            looked_up(
                nw.col("grade").cast(nw.String), {str(part.grade): part.colour for part in rule.grades}, nw.String
            ).alias("colour"),
            nw.when(both)
            .then(nw.concat_str([nw.col("word"), nw.lit("["), _text("air"), nw.lit("+"), _text("water"), nw.lit("]")]))
            .alias("text"),
            "air",
            "water",
            *signed(rule),
            missing.alias("missing"),
            up.when(nw.col("grade").is_null()).then(nw.lit("资料不全，无法判定")).alias("note"),
        )
    )


def _steps(column: nw.Expr, bounds: tuple[int, ...], letter: str, first: int) -> nw.Expr:
    found = nw.lit(f"{letter}{first + len(bounds)}")
    for place in reversed(range(len(bounds))):
        found = nw.when(column < bounds[place]).then(nw.lit(f"{letter}{first + place}")).otherwise(found)
    return nw.when(~column.is_null()).then(found)


def _classes(rule: EnterpriseRisk, medium: str) -> list[nw.Expr]:
    return [
        _steps(nw.col(f"q_{medium}"), rule.q_from, "Q", 0).alias(f"_q_{medium}"),
        _steps(nw.col(f"m_{medium}"), rule.m_from, "M", 1).alias(f"_m_{medium}"),
    ]


def _word(rule: EnterpriseRisk, medium: str) -> nw.Expr:
    key = nw.concat_str([nw.col(f"e_{medium}"), nw.col(f"_q_{medium}"), nw.col(f"_m_{medium}")])
    by_matrix = looked_up(key, rule.grade_of, nw.String)
    mildest = max(rule.grades, key=lambda part: part.grade).title.zh
    small = nw.col(f"_q_{medium}") == "Q0"
    return nw.when(small).then(nw.lit(mildest)).otherwise(by_matrix).alias(medium)


def _text(medium: str) -> nw.Expr:
    q, m, e = nw.col(f"_q_{medium}"), nw.col(f"_m_{medium}"), nw.col(f"e_{medium}")
    head = [nw.col(medium), nw.lit(f"-{_MEDIA[medium]}("), q]
    full = nw.concat_str([*head, nw.lit("-"), m, nw.lit("-"), e, nw.lit(")")])
    return nw.when(q == "Q0").then(nw.concat_str([*head, nw.lit(")")])).otherwise(full)
