"""A returned file, checked before anything is written: each row as a record, and every error by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, or_, select

from qinglan.base.engine import reading
from qinglan.base.scope import Scope
from qinglan.core.declare import Title
from qinglan.core.errors import InputError
from qinglan.ledgers import history
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.excel.cells import degrees, is_blank, read_cell
from qinglan.ledgers.excel.headers import LONGITUDE, Column, Layout, lay_out, notes_of
from qinglan.ledgers.excel.workbook import MOST_ROWS, Book, Sheet
from qinglan.ledgers.faults import Fault
from qinglan.ledgers.fields import LedgerField
from qinglan.ledgers.geo.crs import converter, door
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.resolve import Resolver
from qinglan.ledgers.rights import may_on
from qinglan.ledgers.store import details_of, values_of
from qinglan.ledgers.tables import Tables
from qinglan.ledgers.validate import Context, check
from qinglan.ledgers.values import Values

Action = Literal["add", "update", "same", "refused"]
_KEYS_AT_ONCE = 200


@dataclass(frozen=True)
class CellFault:
    """One error of a file, by sheet, row and column as the spreadsheet counts them."""

    sheet: str
    row: int
    column: str | None
    field: str | None
    value: str | None
    zh: str
    en: str

    def answer(self) -> Values:
        """Return it as plain values."""
        return dict(vars(self))


@dataclass
class Line:
    """One row of a file and what it would do."""

    sheet: str
    row: int
    given: Values
    cells: dict[str, tuple[int, Any]]
    action: Action = "add"
    values: Values = field(default_factory=dict)
    existing: RowMapping | None = None
    before: Values = field(default_factory=dict)
    changed: list[str] = field(default_factory=list)
    faults: list[CellFault] = field(default_factory=list)


@dataclass
class Checked:
    """A whole file, checked."""

    lines: list[Line]
    notes: list[Title]
    faults: list[CellFault] = field(default_factory=list)
    """Errors of headers and sheets, which no row has by itself."""

    def counts(self) -> dict[str, int]:
        """Return how many rows would do what."""
        found = dict.fromkeys(("read", "add", "update", "same", "refused"), 0)
        for line in self.lines:
            found[line.action] += 1
        return found | {"read": len(self.lines)}

    def all_faults(self) -> list[CellFault]:
        """Return every error, those of headers first."""
        return self.faults + [fault for line in self.lines for fault in line.faults]


def letter(index: int) -> str:
    """Return a column's letters from its number, which begins at 0.

    Examples
    --------
    >>> letter(0), letter(25), letter(26), letter(701)
    ('A', 'Z', 'AA', 'ZZ')
    """
    name, number = "", index + 1
    while number:
        number, rest = divmod(number - 1, 26)
        name = chr(65 + rest) + name
    return name


def read_book(ledgers: Ledgers, scope: Scope, ledger_id: str, book: Book, crs: str | None = None) -> Checked:
    """Return what a file would do to a ledger; nothing is written.

    Parameters
    ----------
    crs
        The reference system of the shapes and coordinates in its cells; longitude and latitude unless said.

    Raises
    ------
    InputError
        If no sheet has the ledger's key among its headers, or there are too many rows.
    """
    ledger, context = ledgers.get(ledger_id), ledgers.context()
    found = Checked([], list(book.notes))
    details: dict[str, tuple[Sheet, Layout]] = {}
    for sheet in book.sheets:
        titled = next((one for one in ledger.fields if one.type == "rows" and sheet.name in one.headers()), None)
        if titled is not None:
            inner = lay_out(_as_ledger(ledger, titled), sheet)
            if inner is not None:
                details[titled.id] = (sheet, inner)
            continue
        layout = lay_out(ledger, sheet)
        if layout is None:
            if sheet.rows:
                zh, en = (
                    f"工作表“{sheet.name}”没有认出表头，未读取。",
                    f'No header was found in the sheet "{sheet.name}".',
                )
                found.notes.append(Title(zh=zh, en=en))
            continue
        _take_sheet(ledger, context, sheet, layout, found)
    if not found.lines and not found.faults:
        raise _no_header(ledger, book)
    for identifier, (sheet, layout) in details.items():
        _take_details(ledger, context, ledger.field(identifier), sheet, layout, found)
    _refuse_doubles(ledger, found.lines)
    if crs:
        _convert(ledger, found.lines, crs)
    with reading(ledgers.engine) as connection:
        _compare(connection, ledgers, scope, ledger, context, found.lines)
    return found


def _no_header(ledger: Ledger, book: Book) -> InputError:
    key = "、".join(ledger.field(one).title.zh for one in ledger.key)
    return InputError(
        f"{book.name} 中没有找到含“{key}”的表头或没有数据行：请使用模板，或核对表头名称。",
        f"No sheet of {book.name} has a header with {', '.join(ledger.key)} and rows below it: use the template.",
        file=book.name,
        field=ledger.key[0],
    )


def _as_ledger(ledger: Ledger, titled: LedgerField) -> Ledger:
    """Return a ledger of detail rows: the key of the record they belong to, and their own columns."""
    keys = tuple(ledger.field(one) for one in ledger.key)
    columns = tuple(one for one in titled.fields if one.id not in ledger.key)
    return ledger.with_fields((*keys, *columns), mapping={})


def _take_sheet(ledger: Ledger, context: Context, sheet: Sheet, layout: Layout, found: Checked) -> None:
    found.notes += notes_of(ledger, sheet, layout)
    header = layout.first
    for index, text, unit in layout.units:
        wanted = next(ledger.field(column.field).unit for column in layout.columns if column.index == index)
        found.faults.append(
            CellFault(
                sheet.name,
                header,
                letter(index),
                None,
                text,
                f"表头“{text}”的单位 {unit} 不能换算为 {wanted}。",
                f'The unit {unit} of the header "{text}" cannot be converted to {wanted}.',
            )
        )
    for number, row in _data(sheet, layout):
        if len(found.lines) >= MOST_ROWS:
            raise InputError(f"一次至多 {MOST_ROWS} 行。", f"At most {MOST_ROWS} rows at once.", file=sheet.name)
        found.lines.append(_line(ledger, context, sheet.name, number, row, layout.columns))


def _data(sheet: Sheet, layout: Layout) -> Iterator[tuple[int, list[Any]]]:
    """Yield the rows below the header that say anything, with their numbers."""
    below = {
        (row, column): sheet.rows[top][left]
        for top, left, bottom, right in sheet.merged
        if top >= layout.first and left < len(sheet.rows[top])
        for row in range(top, bottom + 1)
        for column in range(left, right + 1)
        if (row, column) != (top, left)
    }
    for position in range(layout.first, len(sheet.rows)):
        row = sheet.rows[position]
        if all(is_blank(row[column.index]) for column in layout.columns if column.index < len(row)):
            continue
        if below:
            row = [below.get((position, index), cell) for index, cell in enumerate(row)]
        yield position + 1, row


def _line(ledger: Ledger, context: Context, sheet: str, number: int, row: list[Any], columns: Sequence[Column]) -> Line:
    line = Line(sheet, number, {}, {})
    halves: dict[str, dict[str, float | None]] = {}
    for column in columns:
        cell = row[column.index] if column.index < len(row) else None
        one = ledger.field(column.field)
        line.cells.setdefault(column.field, (column.index, cell))
        try:
            if column.part is not None:
                halves.setdefault(column.field, {})[column.part] = None if is_blank(cell) else degrees(cell)
            else:
                line.given[column.field] = read_cell(one, cell, context, column.unit)
        except InputError as error:
            line.given.pop(column.field, None)
            line.faults.append(_fault(line, one, column.index, cell, error.zh, error.en))
    for name, parts in halves.items():
        _join(ledger.field(name), line, parts)
    return line


def _join(one: LedgerField, line: Line, parts: Mapping[str, float | None]) -> None:
    if set(parts.values()) == {None}:
        line.given.setdefault(one.id, None)
    elif None in parts.values() or len(parts) < 2:
        index, cell = line.cells[one.id]
        line.faults.append(_fault(line, one, index, cell, "经度、纬度须同时填写。", "Give longitude and latitude."))
    else:
        first, second = (parts[LONGITUDE], parts[next(name for name in parts if name != LONGITUDE)])
        line.given[one.id] = [first, second]


def _fault(line: Line, one: LedgerField | None, index: int | None, cell: Any, zh: str, en: str) -> CellFault:
    title = None if one is None else one.title
    return CellFault(
        line.sheet,
        line.row,
        None if index is None else letter(index),
        None if one is None else one.id,
        None if cell is None else str(cell)[:200],
        zh if title is None or zh.startswith(title.zh) else f"{title.zh}：{zh}",
        en if title is None or en.startswith(title.en) else f"{title.en}: {en}",
    )


def _take_details(
    ledger: Ledger, context: Context, titled: LedgerField, sheet: Sheet, layout: Layout, found: Checked
) -> None:
    """Put the detail rows of their own sheet into the records whose key they name."""
    narrow = _as_ledger(ledger, titled)
    found.notes += notes_of(narrow, sheet, layout)
    by_key = {_key_of(ledger, line.given): line for line in found.lines}
    own = {one.id for one in titled.fields}
    for number, row in _data(sheet, layout):
        read = _line(narrow, context, sheet.name, number, row, layout.columns)
        owner = by_key.get(_key_of(ledger, read.given))
        if owner is None:
            zh, en = "主表中没有这一键值的记录。", "No record of the main sheet has this key."
            found.faults.append(_fault(read, None, None, None, zh, en))
            continue
        owner.given.setdefault(titled.id, [])
        owner.given[titled.id].append({name: value for name, value in read.given.items() if name in own})
        owner.faults += read.faults


def _convert(ledger: Ledger, lines: list[Line], crs: str) -> None:
    """Convert the shapes of every line from the system that was said."""
    converter(crs)
    for line in lines:
        try:
            line.given = door(ledger, line.given, crs)
        except InputError as error:
            one = next(field for field in ledger.fields if field.type == "geometry")
            index, cell = line.cells.get(one.id, (None, None))
            line.given.pop(one.id, None)
            line.faults.append(_fault(line, one, index, cell, error.zh, error.en))


def _key_of(ledger: Ledger, given: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(str(given.get(one)) for one in ledger.key)


def _refuse_doubles(ledger: Ledger, lines: list[Line]) -> None:
    first: dict[tuple[str, ...], Line] = {}
    for line in lines:
        if any(line.given.get(one) is None for one in ledger.key):
            continue
        earlier = first.setdefault(_key_of(ledger, line.given), line)
        if earlier is not line:
            index, cell = line.cells.get(ledger.key[-1], (None, None))
            zh, en = f"与第 {earlier.row} 行的键值重复。", f"The key repeats row {earlier.row}."
            line.faults.append(_fault(line, ledger.field(ledger.key[-1]), index, cell, zh, en))


def _compare(
    connection: Connection, ledgers: Ledgers, scope: Scope, ledger: Ledger, context: Context, lines: list[Line]
) -> None:
    """Validate every line against what is on file under its key."""
    tables = ledgers.tables(ledger.id)
    resolver = Resolver(connection, ledgers, scope)
    keyed = ledger.with_fields(_keys(ledger))
    for start in range(0, len(lines), _KEYS_AT_ONCE):
        some = lines[start : start + _KEYS_AT_ONCE]
        first = [check(keyed, {one: line.given.get(one) for one in ledger.key}, context).values for line in some]
        for line, keys in zip(some, first, strict=True):
            line.values = keys
        resolved = [resolver.resolve(keyed, line.values) for line in some]
        known = _existing(connection, ledger, tables, [line.values for line in some])
        for line, _ in zip(some, resolved, strict=True):
            row = known.get(tuple(line.values.get(one) for one in ledger.key))
            _judge(ledger, scope, context, resolver, line, row)


def _keys(ledger: Ledger) -> tuple[LedgerField, ...]:
    return tuple(ledger.field(one) for one in ledger.key)


def _existing(
    connection: Connection, ledger: Ledger, tables: Tables, keys: Sequence[Values]
) -> dict[tuple[Any, ...], tuple[RowMapping, Values]]:
    records = tables.records
    wanted = [tuple(values.get(one) for one in ledger.key) for values in keys]
    whole = [key for key in wanted if None not in key]
    if not whole:
        return {}
    if len(ledger.key) == 1:
        condition: ColumnElement[bool] = records.c[ledger.key[0]].in_([key[0] for key in whole])
    else:
        condition = or_(
            *(and_(*(records.c[one] == part for one, part in zip(ledger.key, key, strict=True))) for key in whole)
        )
    rows = connection.execute(select(records).where(records.c.deleted.is_(None), condition)).mappings().all()
    details = details_of(connection, ledger, tables, (row["record"] for row in rows))
    return {
        tuple(row[one] for one in ledger.key): (row, values_of(ledger, row, details.get(row["record"]))) for row in rows
    }


def _judge(
    ledger: Ledger,
    scope: Scope,
    context: Context,
    resolver: Resolver,
    line: Line,
    known: tuple[RowMapping, Values] | None,
) -> None:
    """Say of one line what it would do, or why not."""
    broken = {fault.field for fault in line.faults}
    before = None if known is None else known[1]
    # A blank cell of a file says nothing about what is on file: it takes nothing away.
    given = {name: value for name, value in line.given.items() if value is not None or before is None}
    checked = check(ledger, given, context, before=before)
    faults = [*checked.faults, *resolver.resolve(ledger, checked.values, before)]
    line.values = checked.values
    for fault in faults:
        if fault.field.split(".")[0] not in broken:
            _add_fault(ledger, line, fault)
    if known is not None and before is not None:
        line.existing, line.before = known
        line.changed = history.differences(ledger, before, checked.values)
    elsewhere = not may_on(ledger, scope, "import", checked.values) or (
        before is not None and not (may_on(ledger, scope, "read", before) and may_on(ledger, scope, "import", before))
    )
    if elsewhere and not line.faults:
        _add_fault(
            ledger,
            line,
            Fault(
                ledger.place or ledger.key[0],
                "您没有导入该地区或单位记录的权限，或该键值已被占用。",
                "You may not import records of this place or organisation, or the key is taken.",
            ),
        )
    if line.faults:
        line.action = "refused"
    elif before is None:
        line.action = "add"
    else:
        line.action = "update" if line.changed else "same"


def _add_fault(ledger: Ledger, line: Line, fault: Fault) -> None:
    name = fault.field.split(".")[0]
    one = ledger.by_id.get(name)
    index, cell = line.cells.get(name, (None, None))
    line.faults.append(_fault(line, one, index, cell, fault.zh, fault.en))
