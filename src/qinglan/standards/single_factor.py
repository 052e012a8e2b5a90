"""Single-factor evaluation (单因子评价): every item by its own limits, the whole by its worst item.

A result below the detection limit is an interval from zero to that limit. Where the two ends lie in different
classes the item cannot be judged by itself, and the whole can only if another item is at least as bad as the worse end.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any, Literal

import narwhals as nw

from qinglan.catalogue.factors import folded
from qinglan.catalogue.flags import all_flags
from qinglan.core.errors import InputError
from qinglan.core.frames import real, scaled, settled
from qinglan.core.units import factor_between, normal
from qinglan.standards import qualified

Relation = Literal["<=", ">", "range"]
Limit = Decimal | tuple[Decimal, Decimal] | None

_SPARE_DECIMALS = 6
LARGEST = 10**15
"""Whole numbers are capped here: a value above the range of its method has no upper end, and stands at the cap."""

_HIGHEST = 1e18
_NO_UNIT = {"", "1", "无量纲", "ph", "ph值", "-", "—", "none"}


@dataclass(frozen=True)
class Item:
    """One item of a standard: its names, its unit and the limit of each class, the best class first.

    Attributes
    ----------
    limits
        One a class; ``None`` where the class sets none, so that any value meets it. A pair is a range, both ends in.
    nil_is_best
        Whether "not detected" is itself the limit of the best class.
    highest
        The highest value that can be, as 14 for pH.
    """

    code: str
    name: str
    unit: str
    relation: Relation
    limits: tuple[Limit, ...]
    names: tuple[str, ...] = ()
    nil_is_best: bool = False
    highest: Decimal | None = None

    @cached_property
    def scale(self) -> int:
        """Whole numbers of 1/`scale` of the unit keep every limit exactly, with places to spare."""
        numbers = [end for limit in self.limits if limit is not None for end in _ends(limit)]
        places = max((max(0, -int(number.as_tuple().exponent)) for number in numbers), default=0)
        return int(10 ** (places + _SPARE_DECIMALS))

    def whole(self, number: Decimal) -> int:
        """Return a limit as a whole number of 1/`scale`."""
        return int(number * self.scale)

    def class_of(self, value: nw.Expr) -> nw.Expr:
        """Return the class (1 is best) of a whole number of 1/`scale`; null stays null."""
        found = nw.lit(len(self.limits) + 1, dtype=nw.Int64)
        for number, limit in reversed(list(enumerate(self.limits, start=1))):
            here = nw.lit(number, dtype=nw.Int64)
            found = here if limit is None else nw.when(self.meets(value, limit)).then(here).otherwise(found)
        return nw.when(~value.is_null()).then(found)

    def meets(self, value: nw.Expr, limit: Limit) -> nw.Expr:
        """Return whether a whole number of 1/`scale` meets a limit."""
        if isinstance(limit, tuple):
            return (value >= self.whole(limit[0])) & (value <= self.whole(limit[1]))
        if limit is None:
            return ~value.is_null()
        return value > self.whole(limit) if self.relation == ">" else value <= self.whole(limit)


def _ends(limit: Decimal | tuple[Decimal, Decimal]) -> tuple[Decimal, ...]:
    return limit if isinstance(limit, tuple) else (limit,)


@dataclass(frozen=True)
class Samples:
    """One row for each sample, with the ``low`` and ``high`` end of each item's values as whole numbers."""

    frame: nw.LazyFrame[Any]
    items: tuple[Item, ...]
    all_items: tuple[Item, ...]
    exact: bool = False
    """Whether no value can have a qualifier, so that the two ends are one but for ranges."""

    def best(self, item: Item) -> nw.Expr:
        """Return the best class that the item can be in."""
        return (
            item.class_of(nw.col(low(item) if item.relation != ">" else high(item)))
            if item.relation != "range"
            else self.worst(item)
        )

    def worst(self, item: Item) -> nw.Expr:
        """Return the worst class that the item can be in."""
        if item.relation == "range":
            return nw.max_horizontal(item.class_of(nw.col(low(item))), item.class_of(nw.col(high(item))))
        return item.class_of(nw.col(high(item) if item.relation != ">" else low(item)))

    def missing(self, wanted: Sequence[str]) -> nw.Expr:
        """Return the names of the `wanted` items (codes) that a sample has no usable value of, joined by 、."""
        present = {item.code for item in self.items}
        conditions = [
            (nw.col(low(item)).is_null() if item.code in present else nw.lit(value=True), nw.lit(item.name))
            for item in self.all_items
            if item.code in wanted
        ]
        return joined(conditions)

    def notes(self) -> list[tuple[nw.Expr, nw.Expr]]:
        """Return what is to be said of the values of a sample, each with its condition; for `joined`."""
        return [
            (nw.col("_bad") > 0, nw.lit("有不可能的数值未参评")),
            (nw.col("_bare") > 0, nw.lit("未检出而未给检出限的按满足最严限值计")),
        ]


def low(item: Item) -> str:
    """Return the column of the low end of an item's values."""
    return f"low {item.code}"


def high(item: Item) -> str:
    """Return the column of the high end of an item's values."""
    return f"high {item.code}"


def joined(conditions: Sequence[tuple[nw.Expr, nw.Expr]]) -> nw.Expr:
    """Return the texts whose condition holds, joined by 、 in the given order; null when none does."""
    if not conditions:
        return nw.lit(None, dtype=nw.String)
    parts = [nw.when(condition).then(text) for condition, text in conditions]
    text = nw.concat_str(parts, separator="、", ignore_nulls=True)
    return nw.when(text != "").then(text)


def largest(columns: Sequence[nw.Expr]) -> nw.Expr:
    """Return the largest of the values of each row; null where all are null."""
    if not columns:
        return nw.lit(None, dtype=nw.Int64)
    return nw.max_horizontal(*columns) if len(columns) > 1 else columns[0]


def real_of(samples: Samples, code: str) -> nw.Expr:
    """Return an item's value as a number where it is one value; null where it is an interval or absent."""
    item = next((item for item in samples.items if item.code == code), None)
    if item is None:
        return nw.lit(None, dtype=nw.Float64)
    ends = nw.col(low(item)), nw.col(high(item))
    return nw.when(ends[0] == ends[1]).then(real(ends[0], item.scale))


def samples(frame: nw.LazyFrame[Any], items: Sequence[Item], keys: Sequence[str], standard: str) -> Samples:
    """Return one row for each distinct `keys`, with the values of the items that the frame has.

    Parameters
    ----------
    frame
        ``factor, value`` and the keys; optionally ``unit``, ``qualifier``, ``limit``, ``flag``.
    standard
        The standard's name, for refusals.

    Raises
    ------
    InputError
        If no factor is an item of the standard, or a unit cannot be converted.

    Notes
    -----
    Several values of one item in one sample: the worst counts. Values that cannot be (negative, pH above 14) and
    rows with a flag that does not count are left out; the item is then missing.
    """
    names = frame.collect_schema().names()
    known, conversions = _recognised(frame, items, "unit" in names, standard)
    if "flag" in names:
        invalid = [flag.id for flag in all_flags().values() if not flag.valid]
        frame = frame.filter(nw.col("flag").is_null() | ~nw.col("flag").is_in(invalid))
    parted = qualified.split(frame)
    found = nw.col("factor").replace_strict(
        {name: item.code for name, item in known.items()}, default=None, return_dtype=nw.String
    )
    conversion: nw.Expr = nw.lit(1.0)
    for (factor, unit), multiplier in conversions.items():
        conversion = (
            nw.when((nw.col("factor") == factor) & (nw.col("unit") == unit))
            .then(nw.lit(multiplier))
            .otherwise(conversion)
        )
    below = nw.col("qualifier").is_in((qualified.BELOW, qualified.NOT_DETECTED)).fill_null(value=False)
    above = (nw.col("qualifier") == qualified.ABOVE).fill_null(value=False)
    nil = [item.code for item in items if item.nil_is_best]
    bound = (
        nw.when(nw.col("_item").is_in(nil)).then(nw.lit(0.0)).otherwise(nw.col("limit").fill_null(0.0))
        if nil
        else nw.col("limit").fill_null(0.0)
    )
    rows = parted.with_columns(found.alias("_item"), conversion.alias("_times")).with_columns(
        (nw.when(below).then(nw.lit(0.0)).otherwise(nw.col("value")) * nw.col("_times")).alias("_low"),
        nw.when(above)
        .then(nw.lit(_HIGHEST))
        .otherwise(nw.when(below).then(bound).otherwise(nw.col("value")) * nw.col("_times"))
        .alias("_high"),
    )
    too_high = [
        (nw.col("_item") == item.code) & (nw.col("_low") > float(item.highest))
        for item in items
        if item.highest is not None
    ]
    impossible = (nw.col("_low") < 0) | (nw.col("_high") < 0)
    for condition in too_high:
        impossible = impossible | condition
    bare = (below & nw.col("limit").is_null()).cast(nw.Int64)
    marked = rows.with_columns(
        impossible.fill_null(value=False).alias("_bad"), nw.when(~nw.col("_item").is_null()).then(bare).alias("_bare")
    ).with_columns(*(nw.when(~nw.col("_bad")).then(nw.col(end)).alias(end) for end in ("_low", "_high")))
    present = tuple(item for item in items if item in known.values())
    exact = "qualifier" not in names and frame.collect_schema()["value"] != nw.String
    wide = marked.group_by(*keys).agg(
        nw.col("_bad").cast(nw.Int64).sum().alias("_bad"),
        nw.col("_bare").sum().alias("_bare"),
        *(end for item in present for end in _extremes(item)[: 1 if exact and item.relation != "range" else 2]),
    )
    ends = {(item, end): end for item in present for end in (low(item), high(item))}
    if exact:
        ends |= {(item, high(item)): low(item) for item in present if item.relation != "range"}
    whole = wide.select(
        *keys,
        "_bad",
        "_bare",
        *(_whole(name, item).alias(name) for item, name in ends if ends[item, name] == name),
    ).with_columns(nw.col(source).alias(name) for (_, name), source in ends.items() if source != name)
    return Samples(settled(whole), present, tuple(items), exact)


def singly(samples: Samples) -> nw.LazyFrame[Any]:
    """Return the samples with ``_best ITEM`` and ``_worst ITEM``, the classes that each item can be in."""
    once = [item for item in samples.items if samples.exact and item.relation != "range"]
    judged = samples.frame.with_columns(
        *(samples.best(item).alias(f"_best {item.code}") for item in samples.items),
        *(samples.worst(item).alias(f"_worst {item.code}") for item in samples.items if item not in once),
    )
    return settled(judged.with_columns(nw.col(f"_best {item.code}").alias(f"_worst {item.code}") for item in once))


def _extremes(item: Item) -> list[nw.Expr]:
    here = nw.col("_item") == item.code
    ends = nw.when(here).then(nw.col("_low")), nw.when(here).then(nw.col("_high"))
    if item.relation == "<=":
        return [ends[0].max().alias(low(item)), ends[1].max().alias(high(item))]
    if item.relation == ">":
        return [ends[0].min().alias(low(item)), ends[1].min().alias(high(item))]
    return [ends[0].min().alias(low(item)), ends[1].max().alias(high(item))]


def _whole(column: str, item: Item) -> nw.Expr:
    most = LARGEST / item.scale
    value = nw.col(column)
    capped = nw.when(value < most).then(value).when(~value.is_null()).then(nw.lit(most))
    return scaled(capped, item.scale)


def names_of(items: Sequence[Item]) -> dict[str, Item]:
    """Return the item of each name, folded."""
    return {folded(name): item for item in items for name in (item.code, item.name, *item.names) if name}


def _recognised(
    frame: nw.LazyFrame[Any], items: Sequence[Item], has_unit: bool, standard: str
) -> tuple[dict[str, Item], dict[tuple[str, str], float]]:
    columns = ["factor", "unit"] if has_unit else ["factor"]
    pairs = frame.select(*columns).unique().collect().to_dict(as_series=False)
    by_name = names_of(items)
    written = [name for name in pairs["factor"] if name is not None]
    known = {name: by_name[folded(str(name))] for name in written if folded(str(name)) in by_name}
    if written and not known:
        shown = "、".join(sorted({str(name) for name in written})[:5])
        wanted = "、".join(item.name for item in items[:8])
        raise InputError(
            f"列 factor 中没有 {standard} 的项目，只有 {shown}：应有 {wanted} 等。",
            f"Column factor has no item of {standard}, only {shown}; it should have such as {wanted}.",
            field="factor",
        )
    conversions: dict[tuple[str, str], float] = {}
    for name, unit in zip(pairs["factor"], pairs.get("unit", [None] * len(pairs["factor"])), strict=True):
        if name in known and unit is not None:
            multiplier = _multiplier(known[name], str(unit))
            if multiplier != 1:
                conversions[name, unit] = float(multiplier)
    return known, conversions


def _multiplier(item: Item, unit: str) -> Decimal:
    if item.unit in ("", "1") and unit.strip().lower() in _NO_UNIT:
        return Decimal(1)
    if normal(unit) == normal(item.unit) or unit in item.unit.split(" or "):
        return Decimal(1)
    try:
        return factor_between(unit, item.unit)
    except InputError as error:
        raise InputError(
            f"{item.name} 的单位“{unit}”不能换算为“{item.unit}”。",
            f'The unit "{unit}" of {item.name} cannot be converted to "{item.unit}".',
            field="unit",
        ) from error


def rejects(frame: nw.LazyFrame[Any], items: Sequence[Item], standard: str) -> nw.LazyFrame[Any]:
    """Return the rows that no evaluator counts, with ``field, zh, en`` saying why."""
    _recognised(frame, items, "unit" in frame.collect_schema().names(), standard)
    present = frame.select("factor").unique().collect().to_dict(as_series=False)["factor"]
    by_name = names_of(items)
    unknown = [name for name in present if name is None or folded(str(name)) not in by_name]
    bounded = {
        item.code: (item.highest, [name for name in present if name and by_name.get(folded(str(name))) is item])
        for item in items
        if item.highest is not None
    }
    parted = qualified.split(frame, lenient=True)
    value, factor = nw.col("value"), nw.col("factor")
    reasons: list[tuple[nw.Expr, str, str, str]] = [
        (
            factor.is_null() | factor.is_in([name for name in unknown if name]),
            "factor",
            f"不是 {standard} 的项目",
            f"no item of {standard}",
        ),
        (value.is_null() & nw.col("qualifier").is_null(), "value", "没有数值", "no number"),
        (value < 0, "value", "不可能为负值", "cannot be negative"),
        *(
            (
                factor.is_in(written) & (value > float(highest)),
                "value",
                f"不可能大于 {highest}",
                f"cannot be above {highest}",
            )
            for highest, written in bounded.values()
            if written and highest is not None
        ),
    ]

    def first(part: Callable[[tuple[nw.Expr, str, str, str]], str]) -> nw.Expr:
        found = nw.lit(None, dtype=nw.String)
        for reason in reversed(reasons):
            found = nw.when(reason[0]).then(nw.lit(part(reason))).otherwise(found)
        return found

    marked = parted.with_columns(
        first(lambda reason: reason[1]).alias("field"),
        first(lambda reason: reason[2]).alias("zh"),
        first(lambda reason: reason[3]).alias("en"),
    )
    return marked.filter(~nw.col("field").is_null())
