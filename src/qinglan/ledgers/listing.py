"""Lists of records: filtered, searched, sorted, a page at a time, quick on a million rows in the declared sorts.

A page goes on where the last one ended, by the sort's value and the record: no rows are counted off. Records without
the value come last, in a run of their own, so that both runs follow an index on every database.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Connection,
    Date,
    Float,
    Select,
    and_,
    func,
    literal,
    null,
    select,
    true,
    tuple_,
)

from qinglan.base.engine import reading
from qinglan.base.schema import ledger_chains
from qinglan.base.scope import Scope
from qinglan.base.types import UtcDateTime
from qinglan.core.errors import InputError
from qinglan.core.interval import to_utc
from qinglan.ledgers import history
from qinglan.ledgers.declare import MOMENTS, Ledger
from qinglan.ledgers.faults import no_record
from qinglan.ledgers.filters import Filter, condition, within
from qinglan.ledgers.records import Record
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.resolve import labels
from qinglan.ledgers.rights import hides, may_on, require, seen
from qinglan.ledgers.store import details_of
from qinglan.ledgers.tables import BOX, Tables
from qinglan.ledgers.values import Values

MOST = 1_000
COUNTED = 10_000
# A sort that was not declared has no index: on a list longer than this it would make everybody wait.
SORTED_WITHOUT_INDEX = 50_000


@dataclass(frozen=True)
class Query:
    """What is asked of a list."""

    filters: tuple[Filter, ...] = ()
    search: str = ""
    sort: str = ""
    limit: int = 50
    cursor: str = ""
    columns: tuple[str, ...] = ()
    bbox: str = ""
    deleted: bool = False
    as_of: datetime | None = None
    changed_since: datetime | None = None


@dataclass(frozen=True)
class Page:
    """One page of a list; `cursor` leads to the next, None: there is none."""

    records: tuple[Record, ...]
    cursor: str | None
    count: int | None
    count_is_exact: bool
    labels: dict[str, str]

    def answer(self, ledger: Ledger, scope: Scope, columns: Sequence[str]) -> Values:
        """Return it as the API shows it."""
        rows = []
        for record in self.records:
            shown = record.answer(ledger, scope)
            shown["values"] = {name: shown["values"][name] for name in columns}
            rows.append(shown)
        return {
            "records": rows,
            "columns": list(columns),
            "cursor": self.cursor,
            "count": self.count,
            "count_is_exact": self.count_is_exact,
            "labels": self.labels,
        }


def columns_of(ledger: Ledger, asked: Sequence[str] = ()) -> list[str]:
    """Return the fields that a list shows: those asked for, else all but shapes, files and detail rows."""
    if asked:
        unknown = [name for name in asked if name not in ledger.by_id]
        if unknown:
            raise InputError(
                f"没有字段“{unknown[0][:40]}”。", f'There is no field "{unknown[0][:40]}".', field="columns"
            )
        return list(dict.fromkeys(asked))
    return [field.id for field in ledger.fields if field.type not in ("geometry", "file", "rows")]


def page(ledgers: Ledgers, scope: Scope, ledger_id: str, query: Query, *, right: str = "read") -> Page:
    """Return one page of what a scope may see.

    Raises
    ------
    InputError
        If the query cannot be answered; the part of it is named.
    ForbiddenError
        If the scope has no right on the ledger.
    """
    ledger, tables = ledgers.get(ledger_id), ledgers.tables(ledger_id)
    require(ledger, scope, right)
    if not 1 <= query.limit <= MOST:
        raise InputError(f"limit 应为 1 至 {MOST}。", f"limit should be 1 to {MOST}.", field="limit")
    if query.as_of is not None:
        return _as_of(ledgers, scope, ledger, tables, query, right)
    with reading(ledgers.engine) as connection:
        where = _where(ledgers, scope, ledger, tables, query, right)
        rows, cursor = _rows(connection, ledger, tables, scope, query, where)
        columns = columns_of(ledger, query.columns)
        named = [record["record"] for record in rows]
        wants_details = any(ledger.field(name).type == "rows" for name in columns)
        details = details_of(connection, ledger, tables, named) if wants_details else {}
        records = tuple(Record.of(ledger, row, details.get(row["record"])) for row in rows)
        count: int | None
        if query.cursor:
            count, exact = None, False
        elif cursor is None:
            count, exact = len(rows), True
        else:
            count, exact = _count(connection, ledger, tables, scope, query, where, right)
        return Page(records, cursor, count, exact, _labels(connection, ledgers, scope, ledger, records, columns))


def every(ledgers: Ledgers, scope: Scope, ledger_id: str, query: Query, *, right: str = "export") -> Iterator[Page]:
    """Yield all pages of a list, for what is exported."""
    query = replace(query, limit=MOST, cursor="")
    while True:
        found = page(ledgers, scope, ledger_id, query, right=right)
        yield found
        if found.cursor is None:
            return
        query = replace(query, cursor=found.cursor)


def _where(
    ledgers: Ledgers, scope: Scope, ledger: Ledger, tables: Tables, query: Query, right: str
) -> ColumnElement[bool]:
    records = tables.records
    parts = [seen(ledger, records, scope, right), condition(ledger, records, scope, ledgers.places, query.filters)]
    if not query.deleted:
        parts.append(records.c.deleted.is_(None))
    if query.changed_since is not None:
        parts.append(records.c.updated >= to_utc(query.changed_since))
    if query.bbox:
        if ledger.geometry_field is None:
            raise InputError("这个台账没有图形字段。", "The ledger has no shapes.", field="bbox")
        parts.append(within(records, ledger.geometry_field, query.bbox))
    for word in query.search.lower().split()[:8]:
        pattern = word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        parts.append(records.c.search.like(f"%{pattern}%", escape="\\"))
    return and_(*parts)


def sort_of(ledger: Ledger, scope: Scope, asked: str) -> tuple[str, bool]:
    """Return the field to sort by and whether it falls."""
    written = asked or (ledger.sorts[0] if ledger.sorts else "-updated")
    name, falling = written.removeprefix("-"), written.startswith("-")
    field = ledger.by_id.get(name)
    sortable = name in MOMENTS or (
        field is not None and not field.many and field.type not in ("rows", "file", "geometry")
    )
    if not sortable or (field is not None and hides(ledger, scope, name)):
        raise InputError(f"不能按“{name[:40]}”排序。", f'The list cannot be sorted by "{name[:40]}".', field="sort")
    return name, falling


def _rows(
    connection: Connection, ledger: Ledger, tables: Tables, scope: Scope, query: Query, where: ColumnElement[bool]
) -> tuple[list[Any], str | None]:
    name, falling = sort_of(ledger, scope, query.sort)
    records = tables.records
    column = records.c[name]
    # A search leaves few rows: reading all in order and sorting what is left beats hopping along the sort's index.
    ordered = func.coalesce(column, column) if query.search else column
    _refuse_slow(connection, ledger, name)
    after = _opened(query.cursor, name, falling, column)
    select_from = select(*_selected(ledger, tables, query)).where(where)
    rows: list[Any] = []
    wanted = query.limit + 1
    if after is None or not after[0]:
        run: Select[Any] = select_from.where(column.is_not(None))
        if after is not None:
            place, mark = tuple_(ordered, records.c.record), tuple_(literal(after[1], column.type), literal(after[2]))
            run = run.where(place < mark if falling else place > mark)
        order = (ordered.desc(), records.c.record.desc()) if falling else (ordered, records.c.record)
        rows = list(connection.execute(run.order_by(*order).limit(wanted)).mappings())
    if len(rows) < wanted and name not in MOMENTS:
        run = select_from.where(column.is_(None))
        if after is not None and after[0]:
            run = run.where(records.c.record > after[2])
        rows += connection.execute(run.order_by(records.c.record).limit(wanted - len(rows))).mappings().all()
    if len(rows) < wanted:
        return rows, None
    last = rows[query.limit - 1]
    return rows[: query.limit], _closed(name, falling, last[name], last["record"])


def _selected(ledger: Ledger, tables: Tables, query: Query) -> list[Any]:
    """Return the columns to read: shapes are heavy, and only read where they are shown."""
    shown = set(columns_of(ledger, query.columns))
    hidden = {field.id for field in ledger.fields if field.type == "geometry" and field.id not in shown}
    unread = {f"{field.id}_{side}" for field in ledger.fields if field.type == "geometry" for side in BOX} | {"search"}
    return [
        null().label(column.name) if column.name in hidden else column
        for column in tables.records.columns
        if column.name not in unread
    ]


def _refuse_slow(connection: Connection, ledger: Ledger, name: str) -> None:
    if name in MOMENTS or name in {sort.removeprefix("-") for sort in ledger.sorts}:
        return
    live = connection.scalars(select(ledger_chains.c.live).where(ledger_chains.c.ledger == ledger.id)).first() or 0
    if live > SORTED_WITHOUT_INDEX:
        raise InputError(
            f"台账有 {live} 条记录，只能按声明的排序：{'、'.join(ledger.sorts)}。",
            f"The ledger has {live} records and can be sorted by its declared sorts only: {', '.join(ledger.sorts)}.",
            field="sort",
        )


def _closed(name: str, falling: bool, value: Any, record: str) -> str:
    kept = value.isoformat() if isinstance(value, date) else value
    text = json.dumps([name, falling, kept, record], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _python_type(column: Any) -> type[Any]:
    for sort, kind in ((UtcDateTime, datetime), (Date, date), (Float, float), (Boolean, bool)):
        if isinstance(column.type, sort):
            return kind
    return str


def _opened(cursor: str, name: str, falling: bool, column: Any) -> tuple[bool, Any, str] | None:
    """Return whether the last page ended among those without a value, its value and its record."""
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        sort, fell, value, record = json.loads(text)
        if [sort, fell] != [name, falling] or not isinstance(record, str):
            raise ValueError(cursor)
        if value is None:
            return True, None, record
        kind = _python_type(column)
        typed = kind.fromisoformat(value) if issubclass(kind, date) else value
        if not isinstance(typed, (int, float) if kind is float else kind):
            raise ValueError(cursor)
    except (ValueError, TypeError, UnicodeDecodeError) as error:
        raise InputError(
            "cursor 不是本列表给出的。", "The cursor is none that this list gave.", field="cursor"
        ) from error
    return False, typed, record


def _count(
    connection: Connection,
    ledger: Ledger,
    tables: Tables,
    scope: Scope,
    query: Query,
    where: ColumnElement[bool],
    right: str,
) -> tuple[int, bool]:
    """Return how many there are: exactly up to `COUNTED`, above that only of the whole ledger."""
    plain = not (query.filters or query.search or query.bbox or query.deleted or query.changed_since)
    if plain and seen(ledger, tables.records, scope, right).compare(true()):
        live = connection.scalars(select(ledger_chains.c.live).where(ledger_chains.c.ledger == ledger.id)).first()
        return live or 0, True
    some = select(tables.records.c.record).where(where).limit(COUNTED + 1).subquery()
    found = connection.execute(select(func.count()).select_from(some)).scalar_one()
    return min(found, COUNTED), found <= COUNTED


def _labels(
    connection: Connection,
    ledgers: Ledgers,
    scope: Scope,
    ledger: Ledger,
    records: Sequence[Record],
    columns: Sequence[str],
) -> dict[str, str]:
    wanted = []
    for name in columns:
        field = ledger.field(name)
        if field.type == "reference" and field.ledger is not None and field.ledger in ledgers.declared:
            for record in records:
                value = record.values.get(name)
                held = value if isinstance(value, list) else [value]
                wanted += [(field.ledger, one) for one in held if one is not None]
    return labels(connection, ledgers, scope, wanted)


def labels_of(
    ledgers: Ledgers, scope: Scope, ledger: Ledger, records: Sequence[Record], columns: Sequence[str]
) -> dict[str, str]:
    """Return the labels of what some records refer to."""
    with reading(ledgers.engine) as connection:
        return _labels(connection, ledgers, scope, ledger, records, columns)


def _as_of(ledgers: Ledgers, scope: Scope, ledger: Ledger, tables: Tables, query: Query, right: str) -> Page:
    """Return a page of what was on file at a moment, by record."""
    assert query.as_of is not None
    if query.filters or query.search or query.bbox or query.changed_since:
        raise InputError(
            "回看某日的台账时不能同时筛选或检索：请先导出再筛选。",
            "A list as of a day cannot be filtered or searched: export it first.",
            field="as_of",
        )
    found: list[Record] = []
    with reading(ledgers.engine) as connection:
        for entry, values in history.as_of(connection, ledger, tables, query.as_of):
            if entry["record"] > query.cursor and may_on(ledger, scope, right, values):
                found.append(_then(ledger, entry, values))
                if len(found) > query.limit:
                    break
    more = len(found) > query.limit
    kept = tuple(found[: query.limit])
    return Page(kept, kept[-1].record if more else None, None, False, {})


def _then(ledger: Ledger, entry: Any, values: Values) -> Record:
    simulated = bool(json.loads(entry["content"]).get("simulated", False))
    return Record(
        ledger.id,
        entry["record"],
        entry["version"],
        entry["at"],
        entry["who"],
        entry["at"],
        entry["who"],
        None,
        simulated,
        values,
    )


def exists(ledgers: Ledgers, scope: Scope, ledger_id: str, record: str) -> None:
    """Refuse a record that a scope may not see.

    Raises
    ------
    MissingError
        If there is none, or the scope may not see it.
    """
    ledger, records = ledgers.get(ledger_id), ledgers.tables(ledger_id).records
    with reading(ledgers.engine) as connection:
        query = select(records.c.record).where(records.c.record == record, seen(ledger, records, scope))
        if connection.scalars(query).first() is None:
            raise no_record(ledger_id, record)
