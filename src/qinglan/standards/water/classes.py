"""GB 3838 and 环办〔2011〕22号: the class of each item, and the class of a sample by its worst item."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import real
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.lookup import looked_up
from qinglan.standards.water.items import NANO, Samples
from qinglan.standards.water.tables import (
    CLASSES,
    WORST,
    Criterion,
    WaterClasses,
    WaterEvaluation,
    water_classes,
    water_evaluations,
)

RIVER = ("river", "河流", "河")
LAKE = ("lake", "湖库", "湖泊", "水库", "湖", "reservoir")


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


def chosen_editions(
    frame: nw.LazyFrame[Any], edition: str | None, column: str = "time"
) -> tuple[WaterClasses, WaterEvaluation]:
    """Return the edition of GB 3838 that judges, and the method; days before the first edition are refused."""
    available = water_classes(edition)
    dtype = frame.collect_schema().get(column)
    if edition is None and dtype is not None and isinstance(dtype, nw.Datetime | nw.Date):
        refuse_uncovered(frame, nw.col(column), available)
    return available[-1], water_evaluations()[-1]


def grade_of(number: nw.Expr) -> nw.Expr:
    """Return a class as it is written, Ⅰ to 劣Ⅴ."""
    return looked_up(number, dict(enumerate(CLASSES, start=1)), nw.String)
