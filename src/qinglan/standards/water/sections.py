"""GB 3838 and 环办〔2011〕22号: the verdict on each section at each time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import narwhals as nw

from qinglan.core.frames import Opened, cut, opened, with_lists
from qinglan.standards.water.classes import Judged, chosen_editions, grade_of, judged, kind_marks
from qinglan.standards.water.items import samples, title_of
from qinglan.standards.water.pollutants import with_main_pollutants


def section_class(
    frame: Any,
    kind: str | None = None,
    *,
    edition: str | None = None,
    saturation: bool = False,
) -> Any:
    """Return the class of each section at each time.

    Parameters
    ----------
    frame
        Tidy: ``site, factor, time, value`` (mg/L; faecal coliforms per litre; optional ``unit``, ``qualifier``,
        ``limit``, ``flag``; rows with a flag do not count), the mean of several values of one sample being judged.
        Or wide: ``site, time`` and a column for each item, each row one sample. Items are named by the standard, by
        short names (``codmn``, ``nh3n``) or by national codes; a code without unit has the catalogue's unit.
    kind
        ``"river"``, ``"lake"``, or the column that says which for each row. Without it there is a class only where
        both limits of phosphorus give the same.
    edition
        An edition of GB 3838 to judge by, whatever the date.
    saturation
        Let oxygen of 90 % of saturation be class I as well (``water_temp`` is needed); the national release does not.

    Returns
    -------
    frame
        ``site, time`` (and the kind's column), ``water_class`` (1 to 6, 6 = 劣Ⅴ; null = 无法判定), ``grade`` (Ⅰ…劣Ⅴ),
        ``word, main_pollutants`` (with the multiples of class III), ``deciding`` (the items of the worst class),
        ``items`` (how many were judged), ``edition, stage, clause, missing`` (those of the 21 items that have no
        value), ``note``.

    Raises
    ------
    InputError
        If a column is absent, holds text, or `kind` is neither a kind of water nor a column.
    EditionError
        If a time lies before the first edition on file and no `edition` is given.

    Notes
    -----
    依据: GB 3838—2002 表1; 环办〔2011〕22号 一、二.

    Examples
    --------
    >>> import polars as pl
    >>> frame = pl.DataFrame({"site": "a", "time": "2016-04", "nh3n": [2.3], "tp": [0.32], "cod": [24]})
    >>> section_class(frame, kind="river").select("grade", "word", "main_pollutants").row(0)
    ('劣Ⅴ', '重度污染', '氨氮(1.3)、总磷(0.6)、化学需氧量(0.2)')
    """
    given = opened(frame, ("site", "time"))
    return given.give(classified(given, ("site", "time"), kind, edition, saturation=saturation))


def classified(
    given: Opened, keys: Sequence[str], kind: str | None, edition: str | None, *, saturation: bool = False
) -> nw.LazyFrame[Any]:
    """Return the rows of `section_class` for samples of other keys."""
    names = given.frame.collect_schema().names()
    law, method = chosen_editions(given.frame, edition)
    column = kind_marks(kind, names)[2]
    wanted = {*method.evaluated, *(("water_temp",) if saturation else ())}
    all_keys = [*keys, column] if column and column not in keys else list(keys)
    held = samples(given.frame, all_keys, wanted)
    return verdicts(judged(held, names, kind, law, method, saturation=saturation), names, kind, all_keys)


def verdicts(found: Judged, names: Sequence[str], kind: str | None, keys: Sequence[str]) -> nw.LazyFrame[Any]:
    """Return the columns that users see."""
    is_lake = kind_marks(kind, names)[1]
    method = found.method
    number = nw.col("water_class")
    word = nw.lit(None, dtype=nw.String)
    for one in reversed(method.words):
        word = nw.when(number <= one.worst).then(nw.lit(one.title.zh)).otherwise(word)
    counted = [(~nw.col(f"c {item}").is_null()).cast(nw.Int64) for item in found.items]
    unsure = [((nw.col(f"w {item}") > nw.col("best")).fill_null(value=False), title_of(item)) for item in found.unsure]
    frame = with_lists(
        cut(with_main_pollutants(found, is_lake)),
        {
            "deciding": [((nw.col(f"c {item}") == number) & (number > 1), title_of(item)) for item in found.items],
            "_absent": [(nw.col(f"q {item}").is_null(), title_of(item)) for item in found.items],
            **({"_unsure": unsure} if unsure else {}),
            **found.samples.excluded(),
        },
    )
    noted = frame.with_columns(_note(found, unsure=bool(unsure)).alias("_said"))
    return noted.select(
        *keys,
        number.alias("water_class"),
        grade_of(number).alias("grade"),
        word.alias("word"),
        "main_pollutants",
        "deciding",
        reduce(lambda one, other: one + other, counted).alias("items"),
        nw.lit(found.edition.name).alias("edition"),
        nw.lit(found.edition.stage, dtype=nw.String).alias("stage"),
        nw.lit(f"{found.edition.number} 表1；{method.number} 二").alias("clause"),
        _missing(found).alias("missing"),
        nw.when(nw.col("_said") != "").then(nw.col("_said")).alias("note"),
    )


def _missing(found: Judged) -> nw.Expr:
    never = [title_of(item) for item in found.method.evaluated if item not in found.items]
    here = nw.col("_absent")
    return nw.concat_str([here, nw.lit("、".join(never))], separator="、", ignore_nulls=True) if never else here


def _note(found: Judged, *, unsure: bool) -> nw.Expr:
    reasons = nw.col("_unsure") if unsure else nw.lit("")
    unknown: nw.Expr = nw.concat_str([nw.lit("无法判定："), reasons, nw.lit("（检出限或水体类型使类别不能确定）")])
    why = (
        nw.when(nw.col("best").is_null())
        .then(nw.lit("没有可评价的数据"))
        .otherwise(nw.when(nw.col("water_class").is_null()).then(unknown))
    )
    return nw.concat_str([why, found.samples.note()], separator="；", ignore_nulls=True)
