"""The grade of a sudden environmental incident."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import listed
from qinglan.standards.governance.tables import Incident, incidents
from qinglan.standards.lookup import amounts, looked_up, only
from qinglan.standards.signed import signed

CHINESE = {
    "deaths": "死亡",
    "poisoned_or_seriously_injured": "中毒或重伤",
    "poisoned": "中毒",
    "evacuated": "疏散、转移",
    "direct_loss": "直接经济损失",
    "ecology": "生态环境",
    "water_source": "集中式水源",
    "radiation": "辐射",
    "border": "跨界影响",
}


def incident_grade(frame: Any, edition: str = "2014") -> Any:
    """Return the grade of each incident: any criterion suffices, the worst counts.

    Parameters
    ----------
    frame
        ``site`` (the incident) and, as far as known, ``deaths, poisoned_or_seriously_injured`` (2011: ``poisoned``),
        ``evacuated`` (persons), ``direct_loss`` (yuan); and ``ecology, water_source, radiation, border`` with the
        grade (I to IV) of the description that applies.
    edition
        ``"2014"``: the national plan. ``"2011"``: the rule on reporting, which grades deaths otherwise.

    Returns
    -------
    frame
        ``site, grade`` (1 worst … 4), ``level`` (I–IV), ``word, because`` (what made it), ``edition, stage, clause,
        missing, note``. With nothing known there is no grade; what is not known is named in ``missing``.

    Notes
    -----
    依据: 国办函〔2014〕119号 附件1; 突发环境事件信息报告办法 (2011) 附录.

    Examples
    --------
    >>> import polars as pl
    >>> incident_grade(pl.DataFrame({"site": ["a"], "deaths": [3], "direct_loss": [3e7]})).row(0)[1:5]
    (2, 'II', '重大', '直接经济损失')
    """
    rule = incidents(edition)[0]
    measured = list(dict.fromkeys(part.criterion for part in rule.criteria if part.at_least is not None))
    described = list(dict.fromkeys(part.criterion for part in rule.criteria if part.at_least is None))
    given = amounts(frame, ("site",), measured)
    names = given.frame.collect_schema().names()
    known = [name for name in (*measured, *described) if name in names]
    for name in described:
        if name in names:
            only(given.frame, name, tuple(level.id for level in rule.levels))
    grades = [(_measured if name in measured else _described)(rule, name).alias(f"_{name}") for name in known]
    graded = given.frame.with_columns(*grades) if grades else given.frame
    worst = nw.min_horizontal(*(f"_{name}" for name in known)) if known else nw.lit(None, dtype=nw.Int64)
    key = nw.col("grade").cast(nw.String)
    absent = [(nw.lit(value=True), CHINESE[name]) for name in measured if name not in names]
    empty = [(nw.col(name).is_null(), CHINESE[name]) for name in measured if name in names]
    return given.give(
        graded.with_columns(worst.alias("grade")).select(
            "site",
            "grade",
            looked_up(key, {str(level.level): level.id for level in rule.levels}, nw.String).alias("level"),
            looked_up(key, {str(level.level): level.title.zh for level in rule.levels}, nw.String).alias("word"),
            _because(known).alias("because"),
            *signed(rule),
            (listed([*absent, *empty]) if absent or empty else nw.lit(None, dtype=nw.String)).alias("missing"),
            nw.when(nw.col("grade").is_null()).then(nw.lit("没有可据以分级的情形，无法判定")).alias("note"),
        )
    )


def _because(known: list[str]) -> nw.Expr:
    if not known:
        return nw.lit(None, dtype=nw.String)
    return listed([((nw.col(f"_{name}") == nw.col("grade")).fill_null(value=False), CHINESE[name]) for name in known])


def _measured(rule: Incident, name: str) -> nw.Expr:
    mildest = max(level.level for level in rule.levels)
    found = nw.lit(mildest, dtype=nw.Int64)
    order = {level.id: level.level for level in rule.levels}
    for part in sorted(rule.criteria, key=lambda criterion: -order[criterion.level]):
        if part.criterion == name and part.at_least is not None:
            reached = nw.col(name) >= max(part.at_least, 1)
            found = nw.when(reached).then(nw.lit(order[part.level], dtype=nw.Int64)).otherwise(found)
    return nw.when(~nw.col(name).is_null()).then(found)


def _described(rule: Incident, name: str) -> nw.Expr:
    return looked_up(nw.col(name), {level.id: level.level for level in rule.levels}, nw.Int64)
