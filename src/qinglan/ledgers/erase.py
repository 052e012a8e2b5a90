"""Erasing a person's data: the sealed values go from the row and from the history; the chain stays whole."""

from __future__ import annotations

from sqlalchemy import select, update

from qinglan.core.errors import InputError
from qinglan.ledgers import chain
from qinglan.ledgers.records import current
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.rights import require
from qinglan.ledgers.values import columns
from qinglan.ledgers.writing import Writing, moment_of, write_audit, write_transaction


def erase(ledgers: Ledgers, writing: Writing, ledger_id: str, record: str) -> int:
    """Take the sealed values of a record out of its row and all its versions; return how many versions held any.

    Raises
    ------
    InputError
        If no reason is given or the ledger seals nothing.
    """
    ledger, tables = ledgers.get(ledger_id), ledgers.tables(ledger_id)
    sealed = {field.id for field in ledger.fields if field.sealed}
    if not sealed or not (writing.why or "").strip():
        raise InputError(
            "删除个人信息须写明原因，且台账须有加封字段。", "Erasing needs a reason and sealed fields.", field="why"
        )
    versions = tables.versions
    with write_transaction(ledgers, ledger) as connection:
        row, values = current(connection, ledgers, ledger, record, writing.scope)
        require(ledger, writing.scope, "write", values)
        blank = values | dict.fromkeys(sealed)
        holding = select(versions.c.seq).where(versions.c.record == record, versions.c.sealed.is_not(None))
        held = connection.scalars(holding).all()
        connection.execute(update(versions).where(versions.c.record == record).values(sealed=None))
        moment, number = moment_of(connection, writing), row["version"] + 1
        connection.execute(
            update(tables.records)
            .where(tables.records.c.record == record)
            .values(version=number, updated=moment, updated_by=writing.who, **columns(ledger, blank))
        )
        content, _ = chain.content_of(ledger, blank, simulated=row["simulated"])
        action = "delete" if row["deleted"] is not None else "erase"
        entry = chain.Version(record, number, action, moment, writing.who, writing.why, content, None)
        chain.append(connection, ledger.id, tables, [entry])
        write_audit(connection, ledger, writing, "erase", record, {"version": number, "why": writing.why})
    return len(held)
