"""One enterprise, one file (一企一档): its records across the ledgers, and what happened to them on one timeline."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, select

from qinglan.base.engine import reading
from qinglan.base.scope import Scope
from qinglan.core.interval import to_beijing
from qinglan.ledgers import history
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.faults import MissingError
from qinglan.ledgers.listing import columns_of
from qinglan.ledgers.records import Record
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.rights import may, seen
from qinglan.ledgers.store import details_of
from qinglan.ledgers.tables import Tables
from qinglan.ledgers.values import Values

MOST_RECORDS = 500
MOST_EVENTS = 1_000


def enterprise_file(ledgers: Ledgers, scope: Scope, uscc: str) -> Values:
    """Return what is on file about an enterprise, as a scope may see it.

    Returns
    -------
    dict
        ``enterprise`` (its own record, or None), ``ledgers`` (each with its records), ``timeline`` (the newest first:
        what was recorded, and the days that the records name).

    Raises
    ------
    MissingError
        If no ledger knows it, or none that the scope may see.
    """
    parts: list[Values] = []
    events: list[Values] = []
    own: Values | None = None
    with reading(ledgers.engine) as connection:
        for ledger in ledgers.declared.values():
            if ledger.id in ledgers.refused or ledger.enterprise_field is None or not may(ledger, scope, "read"):
                continue
            tables = ledgers.tables(ledger.id)
            found = _records(connection, ledger, tables, scope, uscc)
            if not found:
                continue
            shown = [record.answer(ledger, scope) for record in found]
            if ledger.key == (ledger.enterprise_field,) and own is None:
                own = {"ledger": ledger.id, **shown[0]}
            parts.append(
                {
                    "ledger": ledger.id,
                    "title": ledger.title.model_dump(),
                    "domain": ledger.domain,
                    "columns": columns_of(ledger),
                    "records": shown,
                }
            )
            for record in found:
                events += _events(connection, ledger, tables, scope, record)
    if not parts:
        raise MissingError(
            f"没有统一社会信用代码为“{uscc[:40]}”的企业记录，或您无权查看。",
            f'Nothing is on file about "{uscc[:40]}", or you may not see it.',
            field="uscc",
        )
    events.sort(key=lambda event: (event["at"], event["ledger"], event["record"]), reverse=True)
    return {"uscc": uscc, "enterprise": own, "ledgers": parts, "timeline": events[:MOST_EVENTS]}


def _records(connection: Connection, ledger: Ledger, tables: Tables, scope: Scope, uscc: str) -> list[Record]:
    records = tables.records
    query = select(records).where(
        records.c[str(ledger.enterprise_field)] == uscc, records.c.deleted.is_(None), seen(ledger, records, scope)
    )
    rows = connection.execute(query.order_by(records.c.record).limit(MOST_RECORDS)).mappings().all()
    details = details_of(connection, ledger, tables, (row["record"] for row in rows))
    return [Record.of(ledger, row, details.get(row["record"])) for row in rows]


def _events(connection: Connection, ledger: Ledger, tables: Tables, scope: Scope, record: Record) -> list[Values]:
    """Return the versions of a record and the days that it names."""
    same: dict[str, Any] = {
        "ledger": ledger.id,
        "ledger_title": ledger.title.model_dump(),
        "record": record.record,
        "label": record.values.get(ledger.label),
    }
    marks = history.Marks.of(connection, tables)
    events: list[Values] = []
    before: Values = {}
    for entry in history.entries_of(connection, tables, record.record):
        values = history.values_at(ledger, entry, marks)
        events.append(
            {
                **same,
                "sort": "version",
                "at": to_beijing(entry["at"]).isoformat(),
                "action": entry["action"],
                "who": entry["who"],
                "why": entry["why"],
                "changes": [] if not before else history.changes_of(ledger, scope, before, values),
            }
        )
        before = values
    shown = history.answer_of(ledger, scope, record.values)
    events += [
        {**same, "sort": "day", "at": shown[field.id], "field": field.id, "title": field.title.model_dump()}
        for field in ledger.fields
        if field.type in ("date", "datetime") and shown[field.id] is not None
    ]
    return events
