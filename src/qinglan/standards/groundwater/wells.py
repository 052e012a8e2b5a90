"""GB/T 14848: the class of a well's water, the score F of 1993 and the Nemerow index."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, half_even_ratio, opened, real, scaled, settled
from qinglan.standards import single_factor
from qinglan.standards.edition import Edition, refuse_uncovered
from qinglan.standards.exceeding import beyond, with_exceeding
from qinglan.standards.groundwater.tables import WORDS, GroundwaterClasses, classes, score
from qinglan.standards.single_factor import LARGEST, Item, Samples, high, joined, largest, low, singly

_THIRD = 3
_HUNDREDTH = SCALE // 100


def well_class(frame: Any, edition: str | None = None) -> Any:
    """Return the class of groundwater of each sample.

    Parameters
    ----------
    frame
        ``site, factor, value``, optionally ``time``, ``unit, qualifier, limit, flag``. Items by code or Chinese name,
        in the unit of the standard where none is given; odour and visible matter as 0 (none) or 1 (present).
    edition
        One edition of GB/T 14848; by default that in force.

    Returns
    -------
    frame
        ``site, (time,) water_class, word, deciding, exceeding, edition, stage, clause, missing, note``: class 1–5
        (null = 无法判定), the items that decide it, those beyond class III with multiples, in the order of the tables;
        `missing`: the items of table 1 without a value.

    Raises
    ------
    InputError
        If no factor is an item of the standard, or a unit cannot be converted.
    EditionError
        If a time lies before the first edition on file.

    Notes
    -----
    依据: GB/T 14848—2017 表1, 表2, 第6章.

    Examples
    --------
    >>> import polars as pl
    >>> well = pl.DataFrame({"site": "a", "factor": ["氨氮", "铁", "砷"], "value": [0.6, 0.25, 0.001]})
    >>> well_class(well).select("word", "deciding", "exceeding").row(0)
    ('Ⅳ类', '氨氮', '氨氮(0.20)')
    """
    samples, chosen, keys, given = _samples(frame, edition)
    return given.give(_judged(samples, chosen, keys))


def rejects(frame: Any) -> Any:
    """Return the rows that no evaluator of groundwater counts, with ``field, zh, en`` saying why."""
    given = opened(frame, ("site", "factor", "value"))
    chosen = classes()[-1]
    return given.give(single_factor.rejects(given.frame, chosen.items, chosen.name))


def _samples(frame: Any, edition: str | None) -> tuple[Samples, GroundwaterClasses, list[str], Any]:
    given = opened(frame, ("site", "factor", "value"))
    names = given.frame.collect_schema().names()
    available = classes(edition)
    if edition is None and "time" in names:
        refuse_uncovered(given.frame, nw.col("time"), available)
    chosen = available[-1]
    keys: list[str] = [name for name in ("site", "time") if name in names]
    found = single_factor.samples(given.frame, chosen.items, keys, chosen.name)
    return found, chosen, keys, given


def _judged(samples: Samples, edition: GroundwaterClasses, keys: list[str]) -> nw.LazyFrame[Any]:
    overall = (
        singly(samples)
        .with_columns(
            largest([nw.col(f"_best {item.code}") for item in samples.items]).alias("_best"),
            largest([nw.col(f"_worst {item.code}") for item in samples.items]).alias("_worst"),
            samples.missing(edition.routine).alias("missing"),
        )
        .with_columns(nw.when(nw.col("_best") == nw.col("_worst")).then(nw.col("_best")).alias("water_class"))
    )
    water_class = nw.col("water_class")
    word = nw.lit(None, dtype=nw.String)
    for number, name in enumerate(WORDS, start=1):
        word = nw.when(water_class == number).then(nw.lit(name)).otherwise(word)
    deciding = [
        ((nw.col(f"_best {item.code}") == water_class) & (water_class > 1), nw.lit(item.name)) for item in samples.items
    ]
    note = [
        (nw.col("_best").is_null(), nw.lit("没有可用数据，无法判定")),
        (nw.col("_best") < nw.col("_worst"), nw.lit("检出限高于限值，无法判定")),
        (~nw.col("missing").is_null() & ~water_class.is_null(), nw.lit("常规指标不全，类别只就已测项目")),
        *samples.notes(),
    ]
    listed = with_exceeding(overall, {"exceeding": beyond(samples, edition.limits(_THIRD))})
    return listed.select(
        *keys,
        "water_class",
        word.alias("word"),
        joined(deciding).alias("deciding"),
        "exceeding",
        *_edition(edition),
        "missing",
        joined(note).alias("note"),
    )


def _edition(edition: Edition) -> list[nw.Expr]:
    clause = edition.basis[0].clause or ""
    return [
        nw.lit(edition.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit(clause if edition.state == "complete" else f"{clause}（未全）").alias("clause"),
    ]


def f_score(frame: Any, edition: str | None = None) -> Any:
    """Return the score F of each sample, by the method of the replaced edition of 1993.

    Parameters
    ----------
    frame, edition
        As for `well_class`; the items' classes are those of the edition of 2017.

    Returns
    -------
    frame
        ``site, (time,) f, rounded`` (0.01), ``word, items, edition, stage, clause, missing, note``. Bacteria are not
        scored; an item that below detection leaves its class open takes the score away.

    Notes
    -----
    F = √((F̄² + Fmax²)/2) of the scores 0, 1, 3, 6, 10. 依据: GB/T 14848—93 6.3.

    Examples
    --------
    >>> import polars as pl
    >>> well = pl.DataFrame({"site": "a", "factor": ["氨氮", "铁", "锰"], "value": [0.6, 0.25, 0.02]})
    >>> f_score(well).select("rounded", "word").row(0)
    (4.74, '较差')
    """
    samples, _, keys, given = _samples(frame, edition)
    rules = score()
    items = [item for item in samples.items if item.code not in rules.excluded]
    single = singly(samples)
    scored = single.with_columns(_scored(item, rules.scores).alias(f"_score {item.code}") for item in items)
    open_items = [nw.col(f"_best {item.code}") < nw.col(f"_worst {item.code}") for item in items]
    found = _root_mean(scored, [f"_score {item.code}" for item in items], open_items)
    word = nw.lit(rules.grades[-1].word)
    for grade in reversed(rules.grades[:-1]):
        if grade.below is not None:
            word = nw.when(scaled(nw.col("_index")) < int(grade.below * SCALE)).then(nw.lit(grade.word)).otherwise(word)
    return given.give(
        found.select(
            *keys,
            nw.col("_index").alias("f"),
            _rounded(nw.col("_index")).alias("rounded"),
            nw.when(~nw.col("_index").is_null()).then(word).alias("word"),
            nw.col("_count").alias("items"),
            *_edition(rules),
            samples.missing(classes()[-1].routine).alias("missing"),
            joined(
                [
                    (nw.col("_open"), nw.lit("检出限高于限值，无法判定")),
                    (~nw.col("_open") & nw.col("_index").is_null(), nw.lit("没有可用数据，无法判定")),
                    *samples.notes(),
                ]
            ).alias("note"),
        )
    )


def _scored(item: Item, scores: Sequence[int]) -> nw.Expr:
    found = nw.lit(None, dtype=nw.Int64)
    for number, points in enumerate(scores, start=1):
        here = nw.col(f"_worst {item.code}") == number
        found = nw.when(here).then(nw.lit(points, dtype=nw.Int64)).otherwise(found)
    return found


def nemerow(frame: Any, edition: str | None = None) -> Any:
    """Return the Nemerow index of each sample against the limits of class III.

    Parameters
    ----------
    frame, edition
        As for `well_class`.

    Returns
    -------
    frame
        ``site, (time,) p, rounded`` (0.01), ``items, worst`` (the items with the largest Pi), ``edition, stage,
        clause, missing, note``. pH and words are left out; below detection, half the limit counts.

    Notes
    -----
    P = √((P̄² + Pmax²)/2), Pi = Ci/Si. 依据: 通用方法 (check M); GB/T 14848—2017 Ⅲ类限值.

    Examples
    --------
    >>> import polars as pl
    >>> well = pl.DataFrame({"site": "a", "factor": ["氨氮", "铁"], "value": [1.0, 0.3]})
    >>> nemerow(well).select("rounded", "worst").row(0)
    (1.77, '氨氮')
    """
    samples, chosen, keys, given = _samples(frame, edition)
    limits = chosen.limits(_THIRD)
    items = [item for item in samples.items if item.relation == "<=" and limits[item.code]]
    shares = samples.frame.with_columns(_share(item, limits[item.code]).alias(f"_share {item.code}") for item in items)
    unknown = [nw.col(high(item)) >= LARGEST for item in items]
    found = _root_mean(settled(shares), [f"_share {item.code}" for item in items], unknown, SCALE)
    worst = [(nw.col(f"_share {item.code}") == nw.col("_most"), nw.lit(item.name)) for item in items]
    return given.give(
        found.select(
            *keys,
            nw.col("_index").alias("p"),
            _rounded(nw.col("_index")).alias("rounded"),
            nw.col("_count").alias("items"),
            joined(worst).alias("worst"),
            *_edition(chosen),
            samples.missing(chosen.routine).alias("missing"),
            joined(
                [
                    (nw.col("_open"), nw.lit("有高于量程的结果，无法计算")),
                    (~nw.col("_open") & nw.col("_index").is_null(), nw.lit("没有可用数据，无法计算")),
                    *samples.notes(),
                ]
            ).alias("note"),
        )
    )


def _share(item: Item, limit: Any) -> nw.Expr:
    """Pi in millionths; the middle of the interval is half the limit where nothing was found."""
    twice = nw.col(low(item)) + nw.when(nw.col(high(item)) < LARGEST).then(nw.col(high(item)))
    return scaled(twice.cast(nw.Float64) / (twice * 0 + 2 * item.whole(limit)).cast(nw.Float64))


def _root_mean(
    frame: nw.LazyFrame[Any], columns: Sequence[str], open_items: Sequence[nw.Expr], scale: int = 1
) -> nw.LazyFrame[Any]:
    """Add ``_index`` = √((mean² + max²)/2), ``_most``, ``_count`` and whether an item left it ``_open``."""
    if not columns:
        return frame.with_columns(
            nw.lit(None, dtype=nw.Float64).alias("_index"),
            nw.lit(None, dtype=nw.Int64).alias("_most"),
            nw.lit(0, dtype=nw.Int64).alias("_count"),
            nw.lit(value=False).alias("_open"),
        )
    counted = frame.with_columns(
        nw.sum_horizontal(*(nw.col(column).fill_null(0) for column in columns)).alias("_sum"),
        nw.sum_horizontal(*((~nw.col(column).is_null()).cast(nw.Int64) for column in columns)).alias("_count"),
        largest([nw.col(column) for column in columns]).alias("_most"),
        nw.any_horizontal(*(condition.fill_null(value=False) for condition in open_items), ignore_nulls=True).alias(
            "_open"
        ),
    )
    count = nw.when((nw.col("_count") > 0) & ~nw.col("_open")).then(nw.col("_count"))
    mean = nw.col("_sum").cast(nw.Float64) / (count * scale).cast(nw.Float64)
    most = nw.col("_most").cast(nw.Float64) / (count * 0 + scale).cast(nw.Float64)
    return counted.with_columns((((mean * mean + most * most) / 2) ** 0.5).alias("_index"))


def _rounded(index: nw.Expr) -> nw.Expr:
    hundredths = half_even_ratio(scaled(index), _HUNDREDTH)
    return real(hundredths, 100)
