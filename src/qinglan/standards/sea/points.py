"""GB 3097: the class of each point, and how far it is eutrophic."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, half_even_ratio, opened, real, scaled
from qinglan.standards import single_factor
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.exceeding import beyond, with_exceeding
from qinglan.standards.sea.tables import WORDS, SeaClasses, SeaEvaluation, classes, clause_of, evaluation
from qinglan.standards.single_factor import Samples, joined, largest, real_of, singly

_E = 1_000_000 / 4500
_HUNDREDTH = SCALE // 100
_GOOD = 2


def point_class(frame: Any, edition: str | None = None) -> Any:
    """Return the class of sea water of each sample, and its eutrophication index.

    Parameters
    ----------
    frame
        ``site, factor, value``, optionally ``time`` or ``survey``, ``unit, qualifier, limit, flag``. Items by code
        (``do cod din dip oil ph`` …) or Chinese name, mg/L; `value` may be text such as ``<0.01``.
    edition
        One edition of GB 3097; by default that in force.

    Returns
    -------
    frame
        ``site, (survey, time,) water_class, word, deciding, exceeding, e, e_rounded, nutrients, edition, stage,
        clause, missing, note``: class 1–5 (5 = 劣四类; null = 无法判定), the items that decide it, those beyond class 2
        with multiples; lists in the order of the table. `missing`: the routine items without a value.

    Raises
    ------
    InputError
        If no factor is an item of the standard, or a unit cannot be converted.
    EditionError
        If a time lies before the first edition on file.

    Notes
    -----
    依据: GB 3097—1997 表1; HJ 442.10—2020 (单因子法, E 指数).

    Examples
    --------
    >>> import polars as pl
    >>> point = pl.DataFrame({"site": "a", "factor": ["溶解氧", "COD", "无机氮", "活性磷酸盐"],
    ...                       "value": [6.62, 2.21, 0.9147, 0.1536]})
    >>> point_class(point).select("word", "deciding", "exceeding", "e_rounded").row(0)
    ('劣四类', '无机氮、活性磷酸盐', '无机氮(2.05)、活性磷酸盐(4.12)', 69.0)
    """
    given = opened(frame, ("site", "factor", "value"))
    names = given.frame.collect_schema().names()
    available = classes(edition)
    if edition is None and "time" in names:
        refuse_uncovered(given.frame, nw.col("time"), available)
    chosen = available[-1]
    keys: list[str] = [name for name in ("site", "survey", "time") if name in names]
    found = single_factor.samples(given.frame, chosen.items, keys, chosen.name)
    return given.give(_judged(found, chosen, evaluation(), keys))


def rejects(frame: Any) -> Any:
    """Return the rows that `point_class` does not count, with ``field, zh, en`` saying why."""
    given = opened(frame, ("site", "factor", "value"))
    chosen = classes()[-1]
    return given.give(single_factor.rejects(given.frame, chosen.items, chosen.name))


def _judged(samples: Samples, edition: SeaClasses, rules: SeaEvaluation, keys: list[str]) -> nw.LazyFrame[Any]:
    overall = (
        singly(samples)
        .with_columns(
            largest([nw.col(f"_best {item.code}") for item in samples.items]).alias("_best"),
            largest([nw.col(f"_worst {item.code}") for item in samples.items]).alias("_worst"),
            samples.missing(rules.routine).alias("missing"),
            (real_of(samples, "cod") * real_of(samples, "din") * real_of(samples, "dip") * _E).alias("e"),
        )
        .with_columns(nw.when(nw.col("_best") == nw.col("_worst")).then(nw.col("_best")).alias("water_class"))
    )
    water_class = nw.col("water_class")
    deciding = joined(
        [
            ((nw.col(f"_best {item.code}") == water_class) & (water_class > 1), nw.lit(short(item.name)))
            for item in samples.items
        ]
    )
    note = joined(
        [
            (nw.col("_best").is_null(), nw.lit("没有可用数据，无法判定")),
            (nw.col("_best") < nw.col("_worst"), nw.lit("检出限高于限值，无法判定")),
            (~nw.col("missing").is_null() & ~water_class.is_null(), nw.lit("有缺项，类别只就已测项目")),
            *samples.notes(),
        ]
    )
    hundredths = half_even_ratio(scaled(nw.col("e")), _HUNDREDTH)
    listed = with_exceeding(overall, {"exceeding": beyond(_shortened(samples), edition.limits(_GOOD))})
    return listed.select(
        *keys,
        "water_class",
        word(water_class).alias("word"),
        deciding.alias("deciding"),
        "exceeding",
        "e",
        real(hundredths, 100).alias("e_rounded"),
        _nutrients(rules).alias("nutrients"),
        nw.lit(edition.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit(clause_of(edition)).alias("clause"),
        "missing",
        note.alias("note"),
    )


def word(water_class: nw.Expr) -> nw.Expr:
    """Return the word of a class."""
    found = nw.lit(None, dtype=nw.String)
    for number, name in enumerate(WORDS, start=1):
        found = nw.when(water_class == number).then(nw.lit(name)).otherwise(found)
    return found


def short(name: str) -> str:
    """Return an item's name without what is bracketed behind it."""
    return name.split("(", maxsplit=1)[0] if not name.startswith("苯并") else name


def _shortened(samples: Samples) -> Samples:
    from dataclasses import replace

    return replace(samples, items=tuple(replace(item, name=short(item.name)) for item in samples.items))


def _nutrients(rules: SeaEvaluation) -> nw.Expr:
    index = scaled(nw.col("e"))
    found = nw.lit(rules.nutrients[-1].word)
    for level in reversed(rules.nutrients[:-1]):
        if level.below is not None:
            found = nw.when(index < int(level.below * SCALE)).then(nw.lit(level.word)).otherwise(found)
        elif level.at_most is not None:
            found = nw.when(index <= int(level.at_most * SCALE)).then(nw.lit(level.word)).otherwise(found)
    return nw.when(~index.is_null()).then(found)
