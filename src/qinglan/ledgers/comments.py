"""Remarks on a record by those who may see it; they are kept as they were written."""

from __future__ import annotations

from sqlalchemy import insert, select

from qinglan.base import dialect
from qinglan.base.engine import reading, transaction
from qinglan.base.schema import ledger_comments
from qinglan.base.scope import Scope
from qinglan.core.errors import InputError
from qinglan.core.interval import to_beijing
from qinglan.ledgers.listing import exists
from qinglan.ledgers.registry import LOCAL, Ledgers
from qinglan.ledgers.values import Values

LONGEST = 4_000


def add_comment(ledgers: Ledgers, scope: Scope, ledger_id: str, record: str, text: str) -> list[Values]:
    """Add a remark; return all of the record's.

    Raises
    ------
    InputError
        If it is blank or too long.
    MissingError
        If there is no such record to be seen.
    """
    exists(ledgers, scope, ledger_id, record)
    if not text.strip() or len(text) > LONGEST:
        raise InputError(f"评论应有 1 至 {LONGEST} 个字。", f"A comment has 1 to {LONGEST} letters.", field="text")
    with transaction(ledgers.engine) as connection:
        connection.execute(
            insert(ledger_comments).values(
                ledger=ledger_id,
                record=record,
                at=dialect.now(connection),
                who=scope.account or LOCAL,
                text=text.strip(),
            )
        )
    return comments(ledgers, scope, ledger_id, record)


def comments(ledgers: Ledgers, scope: Scope, ledger_id: str, record: str) -> list[Values]:
    """Return the remarks on a record, oldest first."""
    exists(ledgers, scope, ledger_id, record)
    table = ledger_comments
    query = select(table).where(table.c.ledger == ledger_id, table.c.record == record).order_by(table.c.id)
    with reading(ledgers.engine) as connection:
        return [
            {"id": row["id"], "at": to_beijing(row["at"]).isoformat(), "who": row["who"], "text": row["text"]}
            for row in connection.execute(query).mappings()
        ]
