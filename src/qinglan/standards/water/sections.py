"""GB 3838 and 环办〔2011〕22号: the class of an item, of a section, and its main pollutants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import Opened, half_even_ratio, listed, long, opened, real, scaled
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.water.items import NANO, Samples, decimal, samples, title_of
from qinglan.standards.water.tables import (
    CLASSES,
    GOOD,
    WORST,
    Criterion,
    WaterClasses,
    WaterEvaluation,
    water_classes,
    water_evaluations,
)

RIVER = ("river", "河流", "河")
LAKE = ("lake", "湖库", "湖泊", "水库", "湖", "reservoir")

_MICRO = 1_000_000
_MOST_MULTIPLE = 9_999_999
_PLACES = 32


@dataclass(frozen=True)
class Bounds:
    """The best and the worst class that a value can have; one expression where it is certain."""

    best: nw.Expr
    worst: nw.Expr | None = None


@dataclass(frozen=True)
class Judged:
    """Samples with ``c ITEM`` (the best class), ``w ITEM`` (the worst, where unsure), ``best`` and ``worst``."""

    samples: Samples
    frame: nw.LazyFrame[Any]
    items: tuple[str, ...]
    unsure: tuple[str, ...]
    edition: WaterClasses
    method: WaterEvaluation


def class_of(criterion: Criterion, q: nw.Expr) -> nw.Expr:
    """Return the class, 1 to 6, of whole billionths of the item's unit. 依据: GB 3838 表1."""
    limits = [int(limit * NANO) for limit in criterion.limits]
    if criterion.op == "range":
        low, high = limits
        found = nw.when((q >= low) & (q <= high)).then(nw.lit(1)).otherwise(nw.lit(WORST))
        return nw.when(~q.is_null()).then(found).cast(nw.Int64)
    beyond = [(q < limit if criterion.op == ">=" else q > limit).cast(nw.Int64) for limit in limits]
    return reduce(lambda one, other: one + other, beyond) + 1


def kind_marks(kind: str | None, names: Sequence[str]) -> tuple[nw.Expr, nw.Expr, str | None]:
    """Return whether a row is of a river, whether of a lake, and the column that says so.

    Raises
    ------
    InputError
        If `kind` is neither a kind of water nor a column.
    """
    false, true = nw.lit(value=False), nw.lit(value=True)
    if kind is None:
        return false, false, None
    if kind in RIVER:
        return true, false, None
    if kind in LAKE:
        return false, true, None
    if kind not in names:
        raise InputError(
            f"kind 应为 river（河流）、lake（湖库）或写明水体类型的列名，收到“{kind}”；现有列 {'、'.join(names)}。",
            f'kind should be "river", "lake" or the column that says which; got "{kind}"; '
            f"{', '.join(names)} are there.",
            field="kind",
        )
    is_river = nw.col(kind).is_in(RIVER).fill_null(value=False)
    return is_river, nw.col(kind).is_in(LAKE).fill_null(value=False), kind


def bounds(
    edition: WaterClasses, item: str, is_river: nw.Expr, is_lake: nw.Expr, *, ranged: bool, known_kind: bool
) -> Bounds:
    """Return the best and worst class of one item's column."""
    q = nw.col(f"q {item}")
    h = nw.col(f"h {item}") if ranged else q
    if item == "tp":
        river, lake = edition.criterion(item, "river"), edition.criterion(item, "lake")
        best = nw.when(is_lake).then(class_of(lake, q)).otherwise(class_of(river, q))
        if known_kind and not ranged:
            return Bounds(best)
        worst = nw.when(is_river).then(class_of(river, h)).otherwise(class_of(lake, h))
        return Bounds(best, _known(worst, q, h, WORST) if ranged else worst)
    criterion = edition.criterion(item, "lake")
    if not ranged:
        return Bounds(class_of(criterion, q))
    if criterion.op == ">=":
        return Bounds(_known(class_of(criterion, h), q, h, 1), class_of(criterion, q))
    if criterion.op == "range":
        sure = (h == q).fill_null(value=False)
        one = class_of(criterion, q)
        return Bounds(
            nw.when(sure | q.is_null()).then(one).otherwise(nw.lit(1, dtype=nw.Int64)),
            nw.when(sure | q.is_null()).then(one).otherwise(nw.lit(WORST, dtype=nw.Int64)),
        )
    return Bounds(class_of(criterion, q), _known(class_of(criterion, h), q, h, WORST))


def _known(found: nw.Expr, q: nw.Expr, h: nw.Expr, otherwise: int) -> nw.Expr:
    return nw.when(h.is_null() & ~q.is_null()).then(nw.lit(otherwise, dtype=nw.Int64)).otherwise(found)


def judged(
    held: Samples,
    names: Sequence[str],
    kind: str | None,
    edition: WaterClasses,
    method: WaterEvaluation,
    *,
    saturation: bool = False,
) -> Judged:
    """Return samples with the classes of the evaluated items and of the section."""
    is_river, is_lake, column = kind_marks(kind, names)
    known_kind = kind is not None and column is None
    items = tuple(item for item in method.evaluated if item in held.items)
    if not items:
        raise InputError(
            "没有一项参加评价的项目。", "There is none of the items that enter the evaluation.", field="factor"
        )
    columns, unsure = [], []
    for item in items:
        found = bounds(edition, item, is_river, is_lake, ranged=item in held.ranged, known_kind=known_kind)
        best = found.best
        if item == "do" and saturation and "water_temp" in held.items:
            best = nw.when(_saturated(edition)).then(nw.lit(1, dtype=nw.Int64)).otherwise(best)
        columns.append(best.alias(f"c {item}"))
        if found.worst is not None:
            unsure.append(item)
            columns.append(found.worst.alias(f"w {item}"))
    frame = held.frame.with_columns(*columns).with_columns(
        nw.max_horizontal(*(f"c {item}" for item in items)).alias("best"),
        nw.max_horizontal(*(f"{'w' if item in unsure else 'c'} {item}" for item in items)).alias("worst"),
    )
    sure = frame.with_columns(nw.when(nw.col("best") == nw.col("worst")).then(nw.col("best")).alias("water_class"))
    return Judged(held, sure, items, tuple(unsure), edition, method)


def _saturated(edition: WaterClasses) -> nw.Expr:
    """Return whether oxygen is at 90 % of saturation, 468 / (31.6 + T), or above."""
    least = 468 * edition.saturation_of_class_1 / 100
    kelvin = real(nw.col("q water_temp"), NANO) + 31.6
    return (real(nw.col("q do"), NANO) * kelvin >= least).fill_null(value=False)


def over_limit(judged_: Judged, item: str, is_lake: nw.Expr) -> nw.Expr:
    """Return the multiple by which an item exceeds class III, in millionths; null where it has none.

    依据: 环办〔2011〕22号 二
    """
    if item in judged_.method.pollutants.without_multiple:
        return nw.lit(None, dtype=nw.Int64)
    q = nw.col(f"q {item}").cast(nw.Float64)
    third = int(judged_.edition.criterion(item, "lake").limits[GOOD - 1] * NANO)
    found = scaled((q - third) / third, _MICRO)
    if item == "tp":
        river = int(judged_.edition.criterion(item, "river").limits[GOOD - 1] * NANO)
        found = nw.when(is_lake).then(found).otherwise(scaled((q - river) / river, _MICRO))
    return found


def with_main_pollutants(judged_: Judged, is_lake: nw.Expr) -> nw.LazyFrame[Any]:
    """Return the judged frame with ``main_pollutants``; null where the class is III or better, or not known."""
    rule = judged_.method.pollutants
    keys = []
    for number, item in enumerate(judged_.items):
        multiple = over_limit(judged_, item, is_lake).fill_null(0)
        capped = nw.when(multiple > _MOST_MULTIPLE * _MICRO).then(_MOST_MULTIPLE * _MICRO).otherwise(multiple)
        place = nw.col(f"c {item}") + (WORST + 1) * (item in rule.first)
        key = (place * (_MOST_MULTIPLE + 1) * _MICRO + capped) * _PLACES + (_PLACES - 1 - number)
        counts = (nw.col(f"c {item}") > GOOD) & (nw.col("water_class") > GOOD)
        keys.append(nw.when(counts).then(key).otherwise(nw.lit(-1, dtype=nw.Int64)).alias(f"k {item}"))
    frame = judged_.frame.with_columns(*keys)
    for rank in range(rule.count):
        below = [nw.col(f"k {item}") for item in judged_.items]
        if rank:
            before = nw.col(f"top {rank - 1}")
            below = [nw.when(key < before).then(key).otherwise(nw.lit(-1, dtype=nw.Int64)) for key in below]
        frame = frame.with_columns(nw.max_horizontal(*below).alias(f"top {rank}"))
    tops = range(rule.count)
    scale = (_MOST_MULTIPLE + 1) * _MICRO
    step = _MICRO // 10**rule.decimals
    frame = frame.with_columns(
        *((_PLACES - 1 - nw.col(f"top {rank}") % _PLACES).alias(f"place {rank}") for rank in tops),
        *(((nw.col(f"top {rank}") // _PLACES) % scale).alias(f"multiple {rank}") for rank in tops),
    ).with_columns(half_even_ratio(nw.col(f"multiple {rank}"), step).alias(f"tenths {rank}") for rank in tops)
    frame = frame.with_columns(_shown(judged_, rank).alias(f"shown {rank}") for rank in tops)
    text = nw.concat_str([f"shown {rank}" for rank in tops], separator="、", ignore_nulls=True)
    joined = frame.with_columns(text.alias("shown"))
    return joined.with_columns(nw.when(nw.col("shown") != "").then(nw.col("shown")).alias("main_pollutants"))


def _shown(judged_: Judged, rank: int) -> nw.Expr:
    rule = judged_.method.pollutants
    steps = 10**rule.decimals
    place, tenths = nw.col(f"place {rank}"), nw.col(f"tenths {rank}")
    name = nw.lit(None, dtype=nw.String)
    for number, item in enumerate(judged_.items):
        plain = item in rule.without_multiple
        name = nw.when(place == number).then(nw.lit(title_of(item) + ("" if plain else "("))).otherwise(name)
    figures = [(tenths // steps).cast(nw.String), (tenths % steps).cast(nw.String).str.zfill(rule.decimals)]
    plain_places = [number for number, item in enumerate(judged_.items) if item in rule.without_multiple]
    rest = nw.concat_str([figures[0], nw.lit("."), figures[1], nw.lit(")")])
    rest = nw.when(place.is_in(plain_places or [-1])).then(nw.lit("")).otherwise(rest)
    return nw.when(nw.col(f"top {rank}") > 0).then(nw.concat_str([name, rest]))


def chosen_editions(
    frame: nw.LazyFrame[Any], edition: str | None, column: str = "time"
) -> tuple[WaterClasses, WaterEvaluation]:
    """Return the edition of GB 3838 that judges, and the method; days before the first edition are refused."""
    available = water_classes(edition)
    dtype = frame.collect_schema().get(column)
    if edition is None and dtype is not None and isinstance(dtype, nw.Datetime | nw.Date):
        refuse_uncovered(frame, nw.col(column), available)
    return available[-1], water_evaluations()[-1]


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
    frame = with_main_pollutants(found, is_lake)
    number = nw.col("water_class")
    word = nw.lit(None, dtype=nw.String)
    for one in reversed(method.words):
        word = nw.when(number <= one.worst).then(nw.lit(one.title.zh)).otherwise(word)
    counted = [(~nw.col(f"c {item}").is_null()).cast(nw.Int64) for item in found.items]
    decides = [((nw.col(f"c {item}") == number) & (number > 1), title_of(item)) for item in found.items]
    return frame.select(
        *keys,
        number.alias("water_class"),
        grade_of(number).alias("grade"),
        word.alias("word"),
        "main_pollutants",
        listed(decides).alias("deciding"),
        reduce(lambda one, other: one + other, counted).alias("items"),
        nw.lit(found.edition.name).alias("edition"),
        nw.lit(found.edition.stage, dtype=nw.String).alias("stage"),
        nw.lit(f"{found.edition.number} 表1；{method.number} 二").alias("clause"),
        _missing(found).alias("missing"),
        _note(found).alias("note"),
    )


def grade_of(number: nw.Expr) -> nw.Expr:
    """Return a class as it is written, Ⅰ to 劣Ⅴ."""
    found = nw.lit(None, dtype=nw.String)
    for value, name in enumerate(CLASSES, start=1):
        found = nw.when(number == value).then(nw.lit(name)).otherwise(found)
    return found


def _missing(found: Judged) -> nw.Expr:
    never = [item for item in found.method.evaluated if item not in found.items]
    here = listed([(nw.col(f"q {item}").is_null(), title_of(item)) for item in found.items])
    text = nw.lit("、".join(map(title_of, never)))
    return nw.concat_str([here, text], separator="、", ignore_nulls=True) if never else here


def _note(found: Judged) -> nw.Expr:
    hanging = {item: (nw.col(f"w {item}") > nw.col("best")).fill_null(value=False) for item in found.unsure}
    reasons = listed([(hangs, title_of(item)) for item, hangs in hanging.items()]) if hanging else nw.lit("")
    unknown: nw.Expr = nw.concat_str([nw.lit("无法判定："), reasons, nw.lit("（检出限或水体类型使类别不能确定）")])
    why = (
        nw.when(nw.col("best").is_null())
        .then(nw.lit("没有可评价的数据"))
        .otherwise(nw.when(nw.col("water_class").is_null()).then(unknown))
    )
    text = nw.concat_str([why, found.samples.note()], separator="；", ignore_nulls=True)
    return nw.when(text != "").then(text)


def item_class(frame: Any, kind: str | None = None, *, edition: str | None = None) -> Any:
    """Return the class of each item of table 1 in each sample; total nitrogen and coliforms as information.

    Parameters
    ----------
    frame, kind, edition
        As for `section_class`.

    Returns
    -------
    frame
        ``site, time`` (and the kind's column), ``factor`` (short name), ``title``, ``value``, ``unit``,
        ``water_class``, ``grade``, ``limit`` (of class III), ``multiple`` (of class III, where exceeded),
        ``evaluated`` (whether it enters the section's class), ``edition, stage, clause, missing, note``.

    Notes
    -----
    Total nitrogen has limits for lakes only; in rivers it has no class. 依据: GB 3838—2002 表1; 环办〔2011〕22号 一.
    """
    given = opened(frame, ("site", "time"))
    names = given.frame.collect_schema().names()
    law, method = chosen_editions(given.frame, edition)
    is_river, is_lake, column = kind_marks(kind, names)
    keys = ["site", "time", *([column] if column else [])]
    judgeable = [item for item in law.items if item != "water_temp"]
    held = samples(given.frame, keys, judgeable)
    known = kind is not None and column is None
    found = Judged(held, held.frame, tuple(item for item in judgeable if item in held.items), (), law, method)
    parts, staged = {}, []
    for item in found.items:
        one = bounds(law, item, is_river, is_lake, ranged=item in held.ranged, known_kind=known)
        number = one.best if one.worst is None else nw.when(one.best == one.worst).then(one.best)
        third = nw.lit(float(law.criterion(item, "lake").limits[-1 if item == "ph" else GOOD - 1]))
        if item == "tp":
            river = float(law.criterion(item, "river").limits[GOOD - 1])
            third = nw.when(is_lake).then(third).otherwise(nw.when(is_river).then(nw.lit(river)))
        if item == "tn":
            number = nw.when(is_lake).then(number)
        staged += [
            number.alias(f"c {item}"),
            third.alias(f"l {item}"),
            over_limit(found, item, is_lake).alias(f"m {item}"),
        ]
        there = ~nw.col(f"q {item}").is_null()
        parts[item] = {
            "factor": nw.lit(item),
            "title": nw.lit(title_of(item)),
            "_q": nw.col(f"q {item}"),
            "unit": nw.lit(law.criterion(item, "lake").unit),
            "water_class": nw.col(f"c {item}"),
            "limit": nw.col(f"l {item}"),
            "_m": nw.col(f"m {item}"),
            "evaluated": nw.lit(item in method.evaluated),
            "missing": nw.when(~there).then(nw.lit(title_of(item))),
            "_why": nw.lit("只有湖库限值" if item == "tn" else "无法判定"),
        }
    rows = long(held.frame.with_columns(*staged), keys, parts, given.frame)
    rows = rows.with_columns(half_even_ratio(nw.col("_m"), _MICRO // 100).alias("_m"))
    number, multiple = nw.col("water_class"), nw.col("_m")
    return given.give(
        rows.select(
            *keys,
            *("factor", "title"),
            real(nw.col("_q"), NANO).alias("value"),
            *("unit", "water_class"),
            grade_of(number).alias("grade"),
            "limit",
            nw.when((multiple > 0) & (number > GOOD)).then(decimal(multiple, 2)).alias("multiple"),
            "evaluated",
            nw.lit(law.name).alias("edition"),
            nw.lit(law.stage, dtype=nw.String).alias("stage"),
            nw.lit(f"{law.number} 表1").alias("clause"),
            "missing",
            nw.when(~nw.col("_q").is_null() & number.is_null()).then(nw.col("_why")).alias("note"),
        )
    )
