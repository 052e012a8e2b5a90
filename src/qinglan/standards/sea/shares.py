"""Shares of the classes of sea water, by points or by given areas, and the word for an area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import half_even_ratio, opened, real, scaled
from qinglan.standards.sea.tables import clause_of, evaluation

_PARTS = ("class1", "class2", "class3", "class4", "worse")
_MILLI = 1000


def shares_by_points(frame: Any, *, by: Sequence[str] = ()) -> Any:
    """Return the share of points in each class: an own estimate, for the official share is one of area.

    Parameters
    ----------
    frame
        Verdicts of `point_class`: one row a point, ``water_class`` and the columns of `by`.
    by
        Columns that set groups apart, as ``["survey"]``.

    Returns
    -------
    frame
        ``*by, class1, class2, class3, class4, worse, good`` (%, 0.1), ``word, judged, method, edition, stage, clause,
        missing, note``. Points without a class are left out of the share and said.

    Notes
    -----
    依据: HJ 442.10—2020 (水质等级, check M).

    Examples
    --------
    >>> import polars as pl
    >>> shares_by_points(pl.DataFrame({"water_class": [1, 2, 2, 5]})).select("good", "worse", "word").row(0)
    (75.0, 25.0, '一般')
    """
    return _shares(frame, tuple(by), None)


def shares_by_areas(frame: Any, *, by: Sequence[str] = ()) -> Any:
    """Return the share of area in each class, each point standing for a given area.

    Parameters
    ----------
    frame
        ``water_class, area`` and the columns of `by`; any one unit of area.
    by
        As for `shares_by_points`.

    Returns
    -------
    frame
        As of `shares_by_points`.

    Notes
    -----
    依据: HJ 442.10—2020 (面积比例, check M).

    Examples
    --------
    >>> import polars as pl
    >>> areas = pl.DataFrame({"water_class": [1, 3], "area": [90.0, 10.0]})
    >>> shares_by_areas(areas).select("good", "word").row(0)
    (90.0, '优')
    """
    return _shares(frame, tuple(by), "area")


def _shares(frame: Any, by: tuple[str, ...], area: str | None) -> Any:
    given = opened(frame, ("water_class", *((area,) if area else ()), *by))
    weight = nw.lit(1, dtype=nw.Int64) if area is None else scaled(nw.col(area), _MILLI)
    water_class = nw.col("water_class")
    weighed = given.frame.with_columns(weight.alias("_weight"), nw.lit(0, dtype=nw.Int64).alias("_one"))
    usable = (nw.col("_weight") > 0) & (water_class >= 1) & (water_class <= len(_PARTS))
    sums = weighed.group_by(*(by or ("_one",))).agg(
        *(
            nw.when(usable & (water_class == number)).then(nw.col("_weight")).sum().cast(nw.Int64).alias(f"_{part}")
            for number, part in enumerate(_PARTS, start=1)
        ),
        nw.when(usable).then(nw.col("_weight")).count().cast(nw.Int64).alias("judged"),
        nw.len().cast(nw.Int64).alias("_rows"),
    )
    total = nw.sum_horizontal(*(f"_{part}" for part in _PARTS))
    found = sums.with_columns(nw.when(total > 0).then(total).alias("_total"))
    method = "点位比例" if area is None else "给定面积比例"
    left_out = nw.col("_rows") - nw.col("judged")
    return given.give(
        _worded(found).select(
            *by,
            *(_percent(nw.col(f"_{part}")).alias(part) for part in _PARTS),
            _percent(nw.col("_class1") + nw.col("_class2")).alias("good"),
            "word",
            "judged",
            nw.lit(f"自测：{method}").alias("method"),
            *_edition(),
            nw.when(left_out > 0).then(nw.concat_str([left_out.cast(nw.String), nw.lit("个点位")])).alias("missing"),
            nw.when(left_out > 0).then(nw.lit("有点位无法判定或没有面积，未计入")).alias("note"),
        )
    )


def _percent(part: nw.Expr) -> nw.Expr:
    tenths = half_even_ratio(part * 1000, nw.col("_total"))
    return real(tenths, 10)


def _edition() -> list[nw.Expr]:
    rules = evaluation()
    return [
        nw.lit(rules.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit(clause_of(rules)).alias("clause"),
    ]


def _worded(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Add the word to ``_class1, _class2, _worse`` and their ``_total``; compared exactly, not by rounded shares."""
    total = nw.col("_total")
    good = nw.col("_class1") + nw.col("_class2")
    grades = evaluation().grades
    found = nw.lit(grades[-1].word)
    for grade in reversed(grades[:-1]):
        fits = (
            (nw.col("_class1") * 100 >= total * int(grade.class1))
            & (good * 100 >= total * int(grade.good))
            & (nw.col("_worse") * 100 <= total * int(grade.worse_at_most))
        )
        found = nw.when(fits).then(nw.lit(grade.word)).otherwise(found)
    return frame.with_columns(nw.when(~total.is_null()).then(found).alias("word"))


def grade_words(frame: Any) -> Any:
    """Return the word for areas whose shares are given.

    Parameters
    ----------
    frame
        ``class1, class2, worse`` in %; other columns are kept.

    Returns
    -------
    frame
        The given columns, then ``word, edition, stage, clause, missing, note``.

    Raises
    ------
    InputError
        If a share is below 0 or above 100.

    Notes
    -----
    依据: HJ 442.10—2020 (水质等级, check M).

    Examples
    --------
    >>> import polars as pl
    >>> grade_words(pl.DataFrame({"class1": [28.6], "class2": [38.2], "worse": [18.6]}))["word"].item()
    '一般'
    """
    given = opened(frame, ("class1", "class2", "worse"))
    names = given.frame.collect_schema().names()
    wrong = given.frame.filter(
        nw.any_horizontal(
            *((nw.col(part) < 0) | (nw.col(part) > 100) for part in ("class1", "class2", "worse")), ignore_nulls=True
        )
    )
    if wrong.select(nw.len().alias("rows")).collect().to_dict(as_series=False)["rows"][0]:
        raise InputError(
            "class1、class2、worse 应为 0—100 的百分比。",
            "class1, class2 and worse should be per cent, 0–100.",
            field="class1",
        )
    whole = given.frame.with_columns(
        *(scaled(nw.col(part)).alias(f"_{part}") for part in ("class1", "class2", "worse")),
    )
    known = ~(nw.col("_class1").is_null() | nw.col("_class2").is_null() | nw.col("_worse").is_null())
    total = whole.with_columns(nw.when(known).then(nw.lit(100_000_000, dtype=nw.Int64)).alias("_total"))
    absent = nw.col("_total").is_null()
    return given.give(
        _worded(total).select(
            *names,
            "word",
            *_edition(),
            nw.when(absent).then(nw.lit("面积比例")).alias("missing"),
            nw.when(absent).then(nw.lit("比例不全，无法判定")).alias("note"),
        )
    )


def yearly_shares(frame: Any, *, by: Sequence[str] = ("year",)) -> Any:
    """Return the year's shares: the mean of its surveys' shares.

    Parameters
    ----------
    frame
        One row a survey: the columns of `by`, ``class1, class2, class3, class4, worse`` in %.
    by
        What makes a year; ``year`` by default.

    Returns
    -------
    frame
        ``*by, class1 … worse, good`` (%, 0.1), ``word, surveys, edition, stage, clause, missing, note``; with fewer
        than three surveys the missing ones are said.

    Notes
    -----
    依据: HJ 442.10—2020 (春、夏、秋三期平均, check M).

    Examples
    --------
    >>> import polars as pl
    >>> surveys = pl.DataFrame({"year": 2025, "class1": [60.0, 50.0, 70.0], "class2": 30.0, "class3": [10.0, 20.0, 0.0],
    ...                         "class4": 0.0, "worse": 0.0})
    >>> yearly_shares(surveys).select("good", "word").row(0)
    (90.0, '优')
    """
    given = opened(frame, (*by, *_PARTS))
    whole = given.frame.with_columns(scaled(nw.col(part)).alias(part) for part in _PARTS)
    sums = whole.group_by(*by).agg(
        *(nw.col(part).sum().cast(nw.Int64).alias(f"_{part}") for part in _PARTS),
        nw.col("worse").count().cast(nw.Int64).alias("surveys"),
    )
    count = nw.col("surveys")
    total = sums.with_columns(nw.when(count > 0).then(count * 100_000_000).alias("_total"))
    lacking = evaluation().surveys - count
    return given.give(
        _worded(total).select(
            *by,
            *(_percent(nw.col(f"_{part}")).alias(part) for part in _PARTS),
            _percent(nw.col("_class1") + nw.col("_class2")).alias("good"),
            "word",
            "surveys",
            *_edition(),
            nw.when(lacking > 0).then(nw.concat_str([lacking.cast(nw.String), nw.lit("期")])).alias("missing"),
            nw.when(lacking > 0).then(nw.lit("调查期不足三期，只作参考")).alias("note"),
        )
    )
