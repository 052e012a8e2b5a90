"""Items of surface water: the many ways of writing one, its unit, and the values of a sample side by side."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from typing import Any

import narwhals as nw

from qinglan.catalogue import factors
from qinglan.core.errors import InputError
from qinglan.core.frames import cut, scaled, with_ratios
from qinglan.core.units import factor_between, normal
from qinglan.standards import qualified
from qinglan.standards.water.tables import discharges, water_classes

NANO = 1_000_000_000
"""Concentrations are kept to the billionth of their unit: benzo(a)pyrene has a limit of 0.0000028 mg/L."""

_LARGEST = 1e9
_CODES: dict[str, tuple[str, ...]] = {
    "water_temp": ("w01010",), "ph": ("w01001",), "do": ("w01009",), "codmn": ("w01019",), "cod": ("w01018",),
    "bod5": ("w01017",), "nh3n": ("w21003",), "tp": ("w21011",), "tn": ("w21001",), "cu": ("w20138", "w20122"),
    "zn": ("w20139", "w20123"), "f": ("w21017",), "se": ("w20140", "w20128"), "as": ("w20141", "w20119"),
    "hg": ("w20142", "w20111"), "cd": ("w20143", "w20115"), "cr6": ("w20117",), "pb": ("w20144", "w20120"),
    "cn": ("w21016",), "vp": ("w23002",), "oil": ("w22001",), "las": ("w19002",), "s": ("w21019",),
    "fc": ("w02003",), "硫酸盐": ("w21038",), "氯化物": ("w21022",), "硝酸盐": ("w21007",), "铁": ("w20125",),
    "锰": ("w20124",), "ss": ("w01012",), "colour": ("w01002",), "chla": ("w01016",), "flow": ("w00000",),
}  # fmt: skip
_MORE: dict[str, tuple[str, ...]] = {
    "chla": ("叶绿素a", "叶绿素 a", "chlorophyll a", "Chl-a", "Chla"),
    "sd": ("透明度", "SD", "Secchi depth"),
    "orp": ("氧化还原电位", "ORP"),
    "ss": ("悬浮物",),
    "colour": ("色度",),
    "fog": ("动植物油",),
    "las": ("LAS", "阴离子表面活性剂"),
    "ph": ("pH", "pH值", "PH"),
    "cr6": ("六价铬", "铬（六价）", "铬(六价)", "Cr6+"),
    "fc": ("粪大肠菌群数",),
    "f": ("氟化物（以F-计）", "氟化物(以F-计)"),
    "tp": ("总磷（以P计）", "总磷(以P计)"),
    "tn": ("总氮（湖、库，以N计）", "总氮(以N计)"),
    "water_temp": ("temp", "temperature"),
    "hg": ("总汞",),
    "cd": ("总镉",),
    "as": ("总砷",),
    "pb": ("总铅",),
    "cu": ("总铜",),
    "zn": ("总锌",),
    "se": ("总硒",),
    "锰": ("总锰",),
    "铍": ("总铍",),
    "镍": ("总镍",),
    "cn": ("总氰化物",),
}
_SIGNED = frozenset({"water_temp", "orp"})
"""Items that may be below zero."""


@cache
def _by_name() -> Mapping[str, str]:
    found: dict[str, str] = {}
    edition = water_classes()[-1]
    for item, title in edition.titles.items():
        found |= {item: item, title.zh: item, title.zh + "值": item, title.en: item, item.upper(): item}
    found |= {item: item for item in edition.specific_limits}
    for row in discharges()[-1].limits:
        found.setdefault(row.item, row.item)
    for item, names in _MORE.items():
        found |= {item: item} | dict.fromkeys(names, item)
    for item, codes in _CODES.items():
        for code in codes:
            factor = factors.find(code)
            found |= {code: item} | (dict.fromkeys(factor.aliases, item) if factor and factor.id == code else {})
    return found


def item_of(factor: str) -> str | None:
    """Return the item that a factor's code or name means, or None.

    Examples
    --------
    >>> [item_of(name) for name in ("w21003", "氨氮", "NH3-N", "nh3n", "三氯甲烷", "PM2.5")]
    ['nh3n', 'nh3n', 'nh3n', 'nh3n', '三氯甲烷', None]
    """
    return _by_name().get(factor) or _by_name().get(factor.strip())


def unit_of(item: str) -> str:
    """Return the unit in which the standards judge an item."""
    edition = water_classes()[-1]
    if item in edition.specific_limits:
        return edition.specific_limits[item].unit
    if item in edition.titles:
        return edition.criterion(item, "lake").unit
    return {"chla": "mg/m3", "sd": "m", "orp": "mV", "colour": "1"}.get(item, "mg/L")


def title_of(item: str) -> str:
    """Return an item's Chinese name."""
    title = water_classes()[-1].titles.get(item)
    return title.zh if title else _MORE.get(item, (item,))[0]


@dataclass(frozen=True)
class Spelling:
    """One way in which a frame writes an item: the factor, its unit, and what of its values is known beforehand."""

    factor: str
    unit: str | None
    item: str
    scale: int
    qualified: bool
    impossible: bool


@dataclass(frozen=True)
class Samples:
    """A frame with one row for each of its keys and, for each item, ``q ITEM``: whole billionths of the item's unit.

    Where a value was below detection or above range ``q`` is the least it can be and ``h ITEM`` the most.
    """

    frame: nw.LazyFrame[Any]
    items: tuple[str, ...]
    ranged: tuple[str, ...]
    impossible: tuple[str, ...]

    def excluded(self) -> dict[str, list[tuple[nw.Expr, str]]]:
        """Return the list of items with impossible values that `note` reads, for `with_lists`."""
        found = [(nw.col(f"bad {item}") > 0, title_of(item)) for item in self.impossible]
        return {"_excluded": found} if found else {}

    def note(self) -> nw.Expr:
        """Return the text that names the items `excluded`, null where there are none."""
        if not self.impossible:
            return nw.lit(None, dtype=nw.String)
        return nw.concat_str([nw.lit("剔除不可能的值："), nw.col("_excluded")])


def is_impossible(item: str, value: nw.Expr) -> nw.Expr:
    """Return whether no such value can be: negative concentrations, a pH beyond 0–14, numbers beyond reason."""
    if item == "ph":
        return (value < 0) | (value > 14)
    return (value > _LARGEST) if item in _SIGNED else (value < 0) | (value > _LARGEST)


def samples(
    frame: nw.LazyFrame[Any],
    keys: Sequence[str],
    items: Collection[str],
    *,
    halve: bool = False,
    units: Mapping[str, str] | None = None,
) -> Samples:
    """Return the values of each sample side by side.

    Parameters
    ----------
    frame
        Tidy (``factor, value`` and the keys; ``unit, qualifier, limit, flag`` where given), several values of one
        item under one key being averaged; or wide: the keys and a column of numbers for each item, one row a sample.
    keys
        What makes a sample: ``site, time`` and whatever the caller groups by.
    items
        The items wanted.
    units
        Units of items that the standard at hand judges in others than usual.
    halve
        Put half the limit of detection for values below it instead of a range.

    Raises
    ------
    InputError
        If no column or factor is one of the items, or a unit is of another kind.
    """
    names = frame.collect_schema().names()
    if "factor" not in names:
        return _from_columns(frame, keys, items)
    if "value" not in names:
        raise InputError("缺少列 value。", "The column value is missing.", field="value")
    held = frame.filter(nw.col("flag").is_null()) if "flag" in names else frame
    held = qualified.split(held)
    spellings = _present(held, items, units or {})
    return _from_rows(held, keys, spellings, halve)


def _present(frame: nw.LazyFrame[Any], items: Collection[str], units: Mapping[str, str]) -> tuple[Spelling, ...]:
    by = ["factor", "unit"] if "unit" in frame.collect_schema().names() else ["factor"]
    value = nw.col("value")
    counted = frame.group_by(*by).agg(
        nw.col("qualifier").count().cast(nw.Int64).alias("qualified"),
        value.min().alias("least"),
        value.max().alias("most"),
    )
    found = []
    rows = counted.collect().to_dict(as_series=False)
    for number, factor in enumerate(rows["factor"]):
        item = item_of(str(factor))
        if item is None or item not in items:
            continue
        unit = rows["unit"][number] if "unit" in by else None
        least, most = rows["least"][number], rows["most"][number]
        wrong = any(end is not None and _outside(item, end) for end in (least, most))
        found.append(
            Spelling(
                str(factor), unit, item, _scale(str(factor), unit, item, units), rows["qualified"][number] > 0, wrong
            )
        )
    if not found and rows["factor"]:
        some = sorted(map(str, rows["factor"]))[:5]
        raise InputError(
            f"列 factor 中没有可评价的项目（有 {'、'.join(some)}）：应为项目名、缩写或国家编码。",
            f"Column factor holds none of the items ({', '.join(some)} are there): "
            "names, short names or national codes are needed.",
            field="factor",
        )
    return tuple(sorted(found, key=lambda spelling: (spelling.item, spelling.factor, spelling.unit or "")))


def _outside(item: str, value: float) -> bool:
    if item == "ph":
        return not 0 <= value <= 14
    return value > _LARGEST or (value < 0 and item not in _SIGNED)


def _scale(factor: str, unit: str | None, item: str, units: Mapping[str, str]) -> int:
    """Return the billionths of the item's unit in one of the given unit; a national code without unit has its own."""
    wanted = units.get(item) or unit_of(item)
    given = unit
    if given is None and factor.lower() in _CODES.get(item, ()):
        known = factors.find(factor)
        given = known.unit if known and known.id == factor.lower() else None
    if given is None or normal(given) == normal(wanted) or item in ("ph", "fc", "colour", "water_temp", "orp"):
        return NANO
    if item == "chla" and normal(given) == "ug/L":
        return NANO
    return int(factor_between(given, wanted) * NANO)


def _from_rows(frame: nw.LazyFrame[Any], keys: Sequence[str], spellings: Sequence[Spelling], halve: bool) -> Samples:
    items = tuple(dict.fromkeys(spelling.item for spelling in spellings))
    impossible = tuple(dict.fromkeys(spelling.item for spelling in spellings if spelling.impossible))
    ranged = () if halve else tuple(dict.fromkeys(spelling.item for spelling in spellings if spelling.qualified))
    marks = (nw.col("value"), nw.col("qualifier"), nw.col("limit"))
    some_qualified = any(spelling.qualified for spelling in spellings)
    low = nw.col("value")
    if some_qualified:
        low = qualified.halved(*marks) if halve else qualified.lowest(*marks[:2])
    name = _mapped(spellings)
    bad = _any(((name == item) & is_impossible(item, nw.col("value"))) for item in impossible)
    columns = {"_item": name, "_q": _in_billionths(low, spellings)}
    if ranged:
        columns["_h"] = _in_billionths(qualified.highest(*marks), spellings)
    if impossible:
        columns["_bad"] = bad.fill_null(value=False).cast(nw.Int64)
    held = frame.select(*keys, *(column.alias(alias) for alias, column in columns.items()))
    held = held.filter(~nw.col("_item").is_null())
    if impossible:
        sound = nw.col("_bad") == 0
        held = held.with_columns(
            nw.when(sound).then(nw.col(column)).alias(column) for column in columns if column in ("_q", "_h")
        )
    totals = []
    for item in items:
        mine = nw.col("_item") == item
        totals += _sum_and_count(mine, "_q", f"s {item}", f"n {item}")
        if item in ranged:
            totals += _sum_and_count(mine, "_h", f"sh {item}", f"nh {item}")
        if item in impossible:
            totals.append(nw.when(mine).then(nw.col("_bad")).sum().cast(nw.Int64).alias(f"bad {item}"))
    summed = held.group_by(*keys).agg(*totals)
    means = {}
    for item in items:
        some = nw.col(f"n {item}") > 0
        means[f"q {item}"] = nw.col(f"s {item}"), nw.when(some).then(nw.col(f"n {item}"))
        if item in ranged:
            whole = some & (nw.col(f"nh {item}") == nw.col(f"n {item}"))
            means[f"h {item}"] = nw.col(f"sh {item}"), nw.when(whole).then(nw.col(f"nh {item}"))
    found = with_ratios(summed, means).select(*keys, *means, *(f"bad {item}" for item in impossible))
    return Samples(cut(found), items, ranged, impossible)


def _mapped(spellings: Sequence[Spelling]) -> nw.Expr:
    found = nw.lit(None, dtype=nw.String)
    for item in dict.fromkeys(spelling.item for spelling in spellings):
        written = tuple({spelling.factor for spelling in spellings if spelling.item == item})
        found = nw.when(nw.col("factor").is_in(written)).then(nw.lit(item)).otherwise(found)
    return found


def _in_billionths(value: nw.Expr, spellings: Sequence[Spelling]) -> nw.Expr:
    sound = nw.when(value <= _LARGEST).then(value)
    usual = scaled(sound, NANO)
    for spelling in spellings:
        if spelling.scale != NANO:
            mine = nw.col("factor") == spelling.factor
            if spelling.unit is not None:
                mine = mine & (nw.col("unit") == spelling.unit)
            usual = nw.when(mine).then(scaled(sound, spelling.scale)).otherwise(usual)
    return usual


def _sum_and_count(mine: nw.Expr, column: str, total: str, count: str) -> list[nw.Expr]:
    chosen = nw.when(mine).then(nw.col(column))
    return [chosen.sum().cast(nw.Int64).alias(total), chosen.count().cast(nw.Int64).alias(count)]


def _any(conditions: Iterable[nw.Expr]) -> nw.Expr:
    return reduce(lambda one, other: one | other, conditions, nw.lit(value=False))


def _from_columns(frame: nw.LazyFrame[Any], keys: Sequence[str], items: Collection[str]) -> Samples:
    schema = frame.collect_schema()
    columns: dict[str, str] = {}
    for column in schema.names():
        item = item_of(column)
        if item is None or item not in items or column in keys:
            continue
        if item in columns:
            raise InputError(
                f"列 {columns[item]} 与 {column} 是同一项目：请留下一列。",
                f"Columns {columns[item]} and {column} are the same item: keep one of them.",
                field=column,
            )
        if not schema[column].is_numeric():
            raise InputError(
                f"列 {column} 应为数值，现为 {schema[column]}；带“<”的值请用 site, factor, time, value 的长表。",
                f"Column {column} should hold numbers; it holds {schema[column]}. Values with a qualifier go into the "
                "tidy form site, factor, time, value.",
                field=column,
            )
        columns[item] = column
    if not columns:
        raise InputError(
            f"没有可评价的项目列，也没有 factor 列：现有 {'、'.join(schema.names())}。",
            f"There is neither a column factor nor one of an item: {', '.join(schema.names())} are there.",
            field="factor",
        )
    values, flags = [], []
    for item, column in columns.items():
        number = qualified.number(nw.col(column), schema[column])
        bad = is_impossible(item, number).fill_null(value=False)
        values.append(scaled(nw.when(~bad).then(number), NANO).alias(f"q {item}"))
        flags.append(bad.cast(nw.Int64).alias(f"bad {item}"))
    return Samples(frame.select(*keys, *values, *flags), tuple(columns), (), tuple(columns))


def averaged(held: Samples, keys: Sequence[str], count: str | None = None) -> Samples:
    """Return the mean of each item over the samples that share `keys`.

    Parameters
    ----------
    count
        A column to be added with the number of samples in each mean.
    """
    totals: list[nw.Expr] = [nw.len().cast(nw.Int64).alias(count)] if count else []
    for item in held.items:
        values = nw.col(f"q {item}")
        totals += [values.sum().cast(nw.Int64).alias(f"s {item}"), values.count().cast(nw.Int64).alias(f"n {item}")]
    totals += [nw.col(f"bad {item}").sum().cast(nw.Int64).alias(f"bad {item}") for item in held.impossible]
    summed = held.frame.group_by(*keys).agg(*totals)
    means = {
        f"q {item}": (nw.col(f"s {item}"), nw.when(nw.col(f"n {item}") > 0).then(nw.col(f"n {item}")))
        for item in held.items
    }
    kept = [*keys, *([count] if count else [])]
    bad = [f"bad {item}" for item in held.impossible]
    found = with_ratios(summed, means).select(*kept, *means, *bad)
    return Samples(cut(found), held.items, (), held.impossible)
