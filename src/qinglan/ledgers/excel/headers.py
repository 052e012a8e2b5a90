"""Which column of a sheet is which field: one header row or several, merged, with units, marks and other names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from qinglan.core.declare import Title
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.excel import units
from qinglan.ledgers.excel.workbook import Sheet
from qinglan.ledgers.fields import LedgerField

LOOKED_AT: Final = 30
DEEPEST: Final = 3
LONGITUDE: Final = "longitude"
LATITUDE: Final = "latitude"
_LONGITUDES = ("经度", "东经", "longitude", "lon", "lng", "中心经度", "经度坐标")
_LATITUDES = ("纬度", "北纬", "latitude", "lat", "中心纬度", "纬度坐标")
_MARKS = re.compile(r"[*＊★]|[(（]\s*(?:必填|选填|required)\s*[)）]")
_BRACKET = re.compile(r"[(（\[【]\s*([^()（）\[\]【】]+?)\s*[)）\]】]\s*$")
_SPLIT = re.compile(r"[,，/／]\s*(?:单位[:：]?\s*)?([^,，/／]+)$")
_NOISE = re.compile(r"[\s_\-:：、.]+")
# Columns that count lines, and words that no field is meant by.
_SKIPPED = frozenset({"序号", "编号序", "no", "no.", "行号", "#"})


@dataclass(frozen=True)
class Column:
    """One column that was recognised; `part` is set for a point in two columns."""

    index: int
    field: str
    header: str
    unit: str | None = None
    part: str | None = None


@dataclass
class Layout:
    """Where the data of a sheet begin and what its columns are."""

    first: int
    columns: list[Column]
    unknown: list[tuple[int, str]] = field(default_factory=list)
    computed: list[tuple[int, str]] = field(default_factory=list)
    twice: list[tuple[int, str]] = field(default_factory=list)
    units: list[tuple[int, str, str]] = field(default_factory=list)
    """Columns whose header names a unit that cannot be turned into the field's: index, header, unit."""

    @property
    def found(self) -> set[str]:
        """The fields that have a column."""
        return {column.field for column in self.columns}


def plain(header: Any) -> str:
    """Return what a header is compared by: no marks, blanks, brackets at its end or letters' case.

    Examples
    --------
    >>> plain("* 总 库 容（万ｍ³）"), plain("单位名称 (必填)")
    ('总库容', '单位名称')
    """
    text = unicodedata.normalize("NFKC", _MARKS.sub("", str(header)))
    while (cut := _BRACKET.sub("", text)) != text and cut.strip():
        text = cut
    return _NOISE.sub("", text).lower()


def _whole(header: Any) -> str:
    return _NOISE.sub("", unicodedata.normalize("NFKC", _MARKS.sub("", str(header)))).lower()


def unit_of(header: str) -> str | None:
    """Return the unit in a header, if it has one in brackets or behind a stroke."""
    text = unicodedata.normalize("NFKC", _MARKS.sub("", header)).strip()
    found = _BRACKET.search(text) or _SPLIT.search(text)
    return found[1].removeprefix("单位:").strip() if found else None


def names_of(ledger: Ledger) -> dict[str, tuple[str, str | None]]:
    """Return the plain headers of a ledger's fields, and of the two halves of its point."""
    found: dict[str, tuple[str, str | None]] = {}
    for one in ledger.fields:
        for header in one.headers():
            for form in (_whole(header), plain(header)):
                found.setdefault(form, (one.id, None))
    for header, target in ledger.mapping.items():
        found[_whole(header)] = (target, None)
    points = [one for one in ledger.fields if one.type == "geometry" and one.of == "point"]
    if len(points) == 1:
        for part, words in ((LONGITUDE, _LONGITUDES), (LATITUDE, _LATITUDES)):
            for word in words:
                found.setdefault(word, (points[0].id, part))
    return found


def lay_out(ledger: Ledger, sheet: Sheet) -> Layout | None:
    """Return the layout of a sheet by the header that names most fields; None if none names the key."""
    names = names_of(ledger)
    filled = _filled(sheet)
    best: Layout | None = None
    for last in range(min(LOOKED_AT, len(filled))):
        for depth in range(1, min(DEEPEST, last + 1) + 1):
            found = _matched(ledger, names, filled[last - depth + 1 : last + 1], last + 1)
            if best is None or len(found.columns) > len(best.columns):
                best = found
    if best is None or not set(ledger.key) & best.found:
        return None
    return _below(ledger, sheet, best)


def _filled(sheet: Sheet) -> list[list[Any]]:
    """Return the first rows with merged cells filled by what they say."""
    rows = [list(row) for row in sheet.rows[:LOOKED_AT]]
    for top, left, bottom, right in sheet.merged:
        if top >= len(rows) or left >= len(rows[top]):
            continue
        for row in rows[top : bottom + 1]:
            row[left : right + 1] = [rows[top][left]] * len(row[left : right + 1])
    return rows


def _matched(ledger: Ledger, names: Mapping[str, tuple[str, str | None]], rows: list[list[Any]], first: int) -> Layout:
    layout = Layout(first, [])
    taken: set[tuple[str, str | None]] = set()
    above: list[Any] = [None] * len(rows)
    for index in range(max((len(row) for row in rows), default=0)):
        pieces: list[str] = []
        for level, row in enumerate(rows):
            cell = row[index] if index < len(row) else None
            if cell is None and level < len(rows) - 1:
                # A header above several columns is written once where cells were not merged.
                cell = above[level]
            elif cell is not None:
                above[level : len(rows)] = [cell] + [None] * (len(rows) - level - 1)
            if cell is not None and isinstance(cell, str) and cell not in pieces:
                pieces.append(cell)
        own = rows[-1][index] if index < len(rows[-1]) else None
        if not pieces or (own is None and len(rows) > 1 and all(_blank(row, index) for row in rows)):
            continue
        _place(ledger, names, layout, taken, index, pieces)
    return layout


def _blank(row: list[Any], index: int) -> bool:
    return index >= len(row) or row[index] is None


def _place(
    ledger: Ledger,
    names: Mapping[str, tuple[str, str | None]],
    layout: Layout,
    taken: set[tuple[str, str | None]],
    index: int,
    pieces: list[str],
) -> None:
    header = " ".join(" ".join(pieces).split())
    target = _target(ledger, names, pieces)
    if target is None:
        if _whole(pieces[-1]) not in _SKIPPED:
            layout.unknown.append((index, header))
        return
    identifier, part = target
    one = ledger.field(identifier)
    if one.type == "computed":
        layout.computed.append((index, header))
    elif target in taken:
        layout.twice.append((index, header))
    else:
        taken.add(target)
        unit = _unit(one, pieces, layout, index, header)
        layout.columns.append(Column(index, identifier, header, unit, part))


def _target(
    ledger: Ledger, names: Mapping[str, tuple[str, str | None]], pieces: list[str]
) -> tuple[str, str | None] | None:
    """Return the field of a header: by its own words, by all its levels together, else by what stands over a unit."""
    together = ["".join(pieces), *("".join(pieces[start:]) for start in range(1, len(pieces)))]
    for form in (_whole, plain):
        for text in (*together, pieces[-1]):
            if form(text) in names:
                return names[form(text)]
    suffix = _SPLIT.search(unicodedata.normalize("NFKC", pieces[-1]))
    ways = [(pieces[:-1], pieces[-1])]
    if suffix is not None:
        ways.append(([*pieces[:-1], suffix.string[: suffix.start()]], suffix[1]))
    for rest, unit in ways:
        found = _target(ledger, names, rest) if rest else None
        if found is not None and _is_unit_of(ledger.field(found[0]), unit):
            return found
    return None


def _is_unit_of(one: LedgerField, text: str) -> bool:
    return one.unit is not None and units.is_unit(_bare(text), one.unit)


def _bare(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip("()[]【】 ")


def _below(ledger: Ledger, sheet: Sheet, layout: Layout) -> Layout:
    """Take a row of units under the header into the header: it has a unit, no key, and nothing but words."""
    row = sheet.rows[layout.first] if layout.first < len(sheet.rows) else []
    said = {index: cell for index, cell in enumerate(row) if cell is not None}
    keyed = {column.index for column in layout.columns if column.field in ledger.key}
    if keyed & set(said) or not all(isinstance(cell, str) for cell in said.values()):
        return layout
    columns = [
        replace(column, unit=_bare(said[column.index]))
        if column.index in said and _is_unit_of(ledger.field(column.field), said[column.index])
        else column
        for column in layout.columns
    ]
    return layout if columns == layout.columns else replace(layout, first=layout.first + 1, columns=columns)


def _unit(one: LedgerField, pieces: list[str], layout: Layout, index: int, header: str) -> str | None:
    if one.unit is None:
        return None
    last = _bare(pieces[-1])
    said = unit_of(pieces[-1]) or (last if len(pieces) > 1 and units.is_unit(last, one.unit) else None)
    if said is None:
        return None
    if not units.is_unit(said, one.unit):
        # A bracket may hold a remark as well; what looks like a unit of another kind is not passed over.
        if re.search(r"[A-Za-z/%‰°℃²³]", said) or said[0] in "万亿千":
            layout.units.append((index, header, said))
        return None
    return said


def notes_of(ledger: Ledger, sheet: Sheet, layout: Layout) -> list[Title]:
    """Return what has to be said about columns that were not read."""
    said = []
    for pairs, zh, en in (
        (layout.unknown, "不认识的列，未读取", "columns that are not known were not read"),
        (layout.computed, "由系统计算的列，未读取", "computed columns were not read"),
        (layout.twice, "同一字段有两列，只读第一列；未读取", "a field has two columns; the first was read, not"),
    ):
        if pairs:
            names = "、".join(header for _, header in pairs[:10])
            said.append(Title(zh=f"“{sheet.name}”：{zh}：{names}。", en=f'"{sheet.name}": {en}: {names}.'))
    return said
