"""Rows of a ledger's tables as values, and values as rows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from sqlalchemy import Connection, RowMapping, delete, insert, select, text

from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.tables import Tables
from qinglan.ledgers.values import Values, detail_rows

BATCH = 500


def values_of(ledger: Ledger, row: RowMapping, details: Mapping[str, Sequence[Values]] | None = None) -> Values:
    """Return the values of one row, with its detail rows."""
    found: Values = {}
    for field in ledger.fields:
        if field.type == "rows":
            found[field.id] = list((details or {}).get(field.id, ())) or None
        elif field.type == "geometry":
            kept = row[field.id]
            found[field.id] = None if kept is None else bytes(kept)
        else:
            found[field.id] = row[field.id]
    return found


def details_of(
    connection: Connection, ledger: Ledger, tables: Tables, records: Iterable[str]
) -> dict[str, dict[str, list[Values]]]:
    """Return the detail rows of some records: by record, then by field."""
    found: dict[str, dict[str, list[Values]]] = defaultdict(dict)
    wanted = list(records)
    for identifier, table in tables.details.items():
        names = [column.id for column in ledger.field(identifier).fields]
        for start in range(0, len(wanted), BATCH):
            some = wanted[start : start + BATCH]
            query = select(table).where(table.c.record.in_(some)).order_by(table.c.record, table.c.position)
            for row in connection.execute(query).mappings():
                found[row["record"]].setdefault(identifier, []).append({name: row[name] for name in names})
    return found


def records_in_order(connection: Connection, ledger: Ledger, tables: Tables) -> Iterator[tuple[RowMapping, Values]]:
    """Yield every row with its values, deleted ones too, by record."""
    table, after = tables.records, ""
    while True:
        query = select(table).where(table.c.record > after).order_by(table.c.record).limit(BATCH)
        rows = connection.execute(query).mappings().all()
        details = details_of(connection, ledger, tables, (row["record"] for row in rows))
        for row in rows:
            yield row, values_of(ledger, row, details.get(row["record"]))
        if len(rows) < BATCH:
            return
        after = rows[-1]["record"]


def write_details(
    connection: Connection, ledger: Ledger, tables: Tables, written: Mapping[str, Values], *, new: bool
) -> None:
    """Put the detail rows of some records in place of those that are there."""
    for identifier, table in tables.details.items():
        records = list(written)
        if not new:
            for start in range(0, len(records), BATCH):
                connection.execute(delete(table).where(table.c.record.in_(records[start : start + BATCH])))
        rows = [row for record, values in written.items() for row in detail_rows(ledger, record, values)[identifier]]
        if rows:
            connection.execute(insert(table), rows)


def refresh_statistics(connection: Connection, tables: Tables) -> None:
    """Have the database look at how a ledger's values lie: without it, lists of one county sort all of its records."""
    connection.execute(text(f'ANALYZE "{tables.records.name}"'))
