"""HJ 640: a city's regional and road-traffic noise, and how often its functional zones attain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import half_even_ratio, opened, scaled, settled
from qinglan.standards.edition import in_force, named
from qinglan.standards.noise.tables import NoiseGrades, city_grades
from qinglan.standards.noise.words import decibels, heard, plausible

_KINDS = ("regional", "road_traffic")
_ALL = "合计"
_MILLI = 1000


def city_grade(
    frame: Any, kind: str, period: str = "day", *, by: Sequence[str] = (), edition: str | None = None
) -> Any:
    """Return the mean level of a city's points and its grade.

    Parameters
    ----------
    frame
        One row a point: ``site, value`` (dB(A)); for roads also ``length`` of the stretch (any one unit).
    kind
        ``"regional"`` (grid points, arithmetic mean) or ``"road_traffic"`` (mean weighted by length).
    period
        ``"day"`` or ``"night"``.
    by
        Columns that set groups apart, as ``["year"]``.
    edition
        One edition of HJ 640; by default the newest.

    Returns
    -------
    frame
        ``*by, points, mean, rounded, level, grade, word, edition, stage, clause, missing, note``: `mean` unrounded,
        `rounded` at 0.1 dB, `level` 1–5, `grade` 一级…五级, `word` 好…差.

    Notes
    -----
    依据: HJ 640—2012 第4章、第5章.

    Examples
    --------
    >>> import polars as pl
    >>> grid = pl.DataFrame({"site": ["a", "b"], "value": [50.0, 51.6]})
    >>> city_grade(grid, kind="regional").select("rounded", "grade", "word").row(0)
    (50.8, '二级', '较好')
    """
    if kind not in _KINDS or period not in ("day", "night"):
        raise InputError(
            f"kind 应为 regional（区域）或 road_traffic（道路交通），period 应为 day 或 night，收到 {kind}、{period}。",
            f'kind should be "regional" or "road_traffic" and period "day" or "night"; got {kind}, {period}.',
            field="kind",
        )
    by_length = kind == "road_traffic"
    given = heard(frame, ("site", "value", *(("length",) if by_length else ()), *by))
    available = city_grades()
    chosen = named(available, edition) if edition else available[-1]
    weight = scaled(nw.col("length"), _MILLI) if by_length else nw.lit(1, dtype=nw.Int64)
    level = scaled(plausible("value"), _MILLI)
    weighed = given.frame.with_columns(level.alias("_level"), weight.alias("_weight"))
    counted = ~nw.col("_level").is_null() & (nw.col("_weight") > 0)
    points = weighed.with_columns(
        nw.when(counted).then(nw.col("_level") * nw.col("_weight")).alias("_product"),
        nw.when(counted).then(nw.col("_weight")).alias("_weight"),
        nw.lit(0, dtype=nw.Int64).alias("_one"),
    )
    keys = tuple(by) or ("_one",)
    sums = points.group_by(*keys).agg(
        nw.col("_product").sum().cast(nw.Int64).alias("_sum"),
        nw.col("_weight").sum().cast(nw.Int64).alias("_total"),
        nw.col("_product").count().cast(nw.Int64).alias("points"),
        nw.len().cast(nw.Int64).alias("_rows"),
    )
    total = nw.when(nw.col("_total") > 0).then(nw.col("_total"))
    # Tenths of a decibel from thousandths: the divisor is 100 times the weight.
    found = sums.with_columns(
        (nw.col("_sum").cast(nw.Float64) / total / _MILLI).alias("mean"),
        half_even_ratio(nw.col("_sum"), total * (_MILLI // 10)).alias("_tenths"),
    )
    return given.give(_graded(found, chosen, kind, period, tuple(by)))


def _graded(
    frame: nw.LazyFrame[Any], edition: NoiseGrades, kind: str, period: str, by: tuple[str, ...]
) -> nw.LazyFrame[Any]:
    grades = edition.grades(kind, period)
    tenths = nw.col("_tenths")
    level = nw.lit(grades[-1].level, dtype=nw.Int64)
    for grade in reversed(grades[:-1]):
        if grade.high is not None:
            level = nw.when(tenths <= int(grade.high * 10)).then(nw.lit(grade.level, dtype=nw.Int64)).otherwise(level)
    judged = frame.with_columns(nw.when(~tenths.is_null()).then(level).alias("level"))
    left_out = nw.col("_rows") - nw.col("points")
    return judged.select(
        *by,
        "points",
        "mean",
        decibels(tenths).alias("rounded"),
        "level",
        _word({grade.level: grade.level_zh for grade in grades}).alias("grade"),
        _word({grade.level: grade.class_zh for grade in grades}).alias("word"),
        nw.lit(edition.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit("第4章" if kind == "regional" else "第5章").alias("clause"),
        nw.when(left_out > 0).then(nw.concat_str([left_out.cast(nw.String), nw.lit("个点位")])).alias("missing"),
        nw.when(left_out > 0).then(nw.lit("有点位没有可用的声级或路段长度，未计入")).alias("note"),
    )


def _word(words: dict[int, str]) -> nw.Expr:
    found = nw.lit(None, dtype=nw.String)
    for level, word in words.items():
        found = nw.when(nw.col("level") == level).then(nw.lit(word)).otherwise(found)
    return found


def attainment(frame: Any, *, by: Sequence[str] = ()) -> Any:
    """Return how often functional zones attain, by zone class and pooled, day and night apart.

    Parameters
    ----------
    frame
        Verdicts of `zone_verdict`: one row a station-time, with ``zone, day_meets, night_meets, date``.
    by
        Columns that set groups apart, as ``["year"]``.

    Returns
    -------
    frame
        ``*by, zone, period, attaining, total, rate, rounded, edition, stage, clause, missing, note``: rate in %,
        `rounded` at 0.1; the zone 合计 pools all. Station-times without a verdict are not counted, and said.

    Notes
    -----
    依据: HJ 640—2012 第6章.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"zone": ["1", "1", "2"], "day_meets": [True, False, True], "night_meets": True})
    >>> attainment(seen).filter(pl.col("period") == "day").sort("zone").select("zone", "rounded").rows()
    [('1', 50.0), ('2', 100.0), ('合计', 66.7)]
    """
    given = opened(frame, ("zone", "day_meets", "night_meets", *by))
    edition = city_grades()[-1]
    if "date" in given.frame.collect_schema().names():
        newest = given.frame.select(nw.col("date").max().alias("date")).collect().to_dict(as_series=False)["date"][0]
        if newest is not None:
            edition = in_force(city_grades(), newest if not hasattr(newest, "date") else newest.date())
    keys = [*by, "zone"]
    seen = settled(given.frame.select(*keys, "day_meets", "night_meets"))
    pooled = seen.with_columns(nw.lit(_ALL).alias("zone")).select(*keys, "day_meets", "night_meets")
    rows = nw.concat([seen.with_columns(nw.col("zone").cast(nw.String).alias("zone")), pooled])
    periods = [
        rows.group_by(*keys)
        .agg(
            (nw.col(f"{period}_meets")).cast(nw.Int64).sum().cast(nw.Int64).alias("attaining"),
            nw.col(f"{period}_meets").count().cast(nw.Int64).alias("total"),
            nw.len().cast(nw.Int64).alias("_rows"),
        )
        .with_columns(nw.lit(period).alias("period"))
        for period in ("day", "night")
    ]
    return given.give(_rates(nw.concat(periods), edition, keys))


def _rates(frame: nw.LazyFrame[Any], edition: NoiseGrades, keys: list[str]) -> nw.LazyFrame[Any]:
    total = nw.when(nw.col("total") > 0).then(nw.col("total"))
    unjudged = nw.col("_rows") - nw.col("total")
    return frame.select(
        *keys,
        "period",
        "attaining",
        "total",
        (nw.col("attaining").cast(nw.Float64) * 100 / total).alias("rate"),
        decibels(half_even_ratio(nw.col("attaining") * 1000, total)).alias("rounded"),
        nw.lit(edition.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit("第6章").alias("clause"),
        nw.when(unjudged > 0).then(nw.concat_str([unjudged.cast(nw.String), nw.lit("点次")])).alias("missing"),
        nw.when(unjudged > 0).then(nw.lit("有点次无法判定，未计入")).alias("note"),
    )
