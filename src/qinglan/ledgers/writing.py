"""What every write does: the row, its version, the chain and the audit, in one transaction that holds the chain."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, RowMapping, insert, select, update
from sqlalchemy.exc import IntegrityError

from qinglan.base import dialect
from qinglan.base.engine import transaction
from qinglan.base.schema import audit
from qinglan.base.scope import Scope
from qinglan.core.interval import to_utc
from qinglan.ledgers import chain
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.faults import Fault, RecordError
from qinglan.ledgers.registry import LOCAL, Ledgers
from qinglan.ledgers.store import write_details
from qinglan.ledgers.values import Values, columns

Origin = Literal["form", "import"]


@dataclass
class Writing:
    """What every write is told, besides the record.

    Attributes
    ----------
    why
        The reason, kept with the version.
    origin
        Forms may not write what a national platform masters; imports may.
    at
        When it was recorded, for history that is brought in; else now.
    """

    scope: Scope
    why: str | None = None
    origin: Origin = "form"
    simulated: bool = False
    at: datetime | None = None

    @property
    def who(self) -> str:
        """The account, or the person at this machine."""
        return self.scope.account or LOCAL


@contextmanager
def write_transaction(ledgers: Ledgers, ledger: Ledger) -> Iterator[Connection]:
    """Write one ledger in one transaction that no other writer of it enters.

    Raises
    ------
    RecordError
        If a key was taken all the same.
    """
    try:
        with transaction(ledgers.engine) as connection:
            chain.lock(connection, ledger.id)
            yield connection
    except IntegrityError as error:
        if "_key" not in str(error.orig) and "UNIQUE" not in str(error.orig):
            raise
        raise key_taken(ledger) from error


def insert_many(
    connection: Connection, ledgers: Ledgers, ledger: Ledger, writing: Writing, records: Sequence[Values]
) -> list[str]:
    """Insert checked records with their first versions; return their ids in order."""
    tables, moment = ledgers.tables(ledger.id), moment_of(connection, writing)
    identifiers = [new_id() for _ in records]
    rows, entries = [], []
    for identifier, values in zip(identifiers, records, strict=True):
        rows.append(
            {
                "record": identifier,
                "version": 1,
                "created": moment,
                "created_by": writing.who,
                "updated": moment,
                "updated_by": writing.who,
                "deleted": None,
                "simulated": writing.simulated,
                **columns(ledger, values),
            }
        )
        content, sealed = chain.content_of(ledger, values, simulated=writing.simulated)
        entries.append(chain.Version(identifier, 1, "create", moment, writing.who, writing.why, content, sealed, 1))
    connection.execute(insert(tables.records), rows)
    write_details(connection, ledger, tables, dict(zip(identifiers, records, strict=True)), new=True)
    chain.append(connection, ledger.id, tables, entries)
    return identifiers


def update_many(
    connection: Connection,
    ledgers: Ledgers,
    ledger: Ledger,
    writing: Writing,
    changes: Sequence[tuple[RowMapping, Values, Values]],
) -> None:
    """Write checked changes, each a row, its values and its new values, with their versions."""
    tables, moment = ledgers.tables(ledger.id), moment_of(connection, writing)
    entries = []
    for row, _, values in changes:
        new = {"version": row["version"] + 1, "updated": moment, "updated_by": writing.who, **columns(ledger, values)}
        connection.execute(update(tables.records).where(tables.records.c.record == row["record"]).values(**new))
        content, sealed = chain.content_of(ledger, values, simulated=row["simulated"])
        entries.append(
            chain.Version(row["record"], new["version"], "update", moment, writing.who, writing.why, content, sealed)
        )
    write_details(connection, ledger, tables, {row["record"]: values for row, _, values in changes}, new=False)
    chain.append(connection, ledger.id, tables, entries)


def new_id() -> str:
    """Return a new id; later ones sort after earlier ones, so that indexes grow at their end."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


def key_taken(ledger: Ledger, values: Mapping[str, Any] | None = None) -> RecordError:
    """Return the refusal of a second record with a key."""
    return RecordError([key_fault(ledger, values)])


def key_fault(ledger: Ledger, values: Mapping[str, Any] | None = None) -> Fault:
    """Return the fault of a second record with a key."""
    zh = "、".join(ledger.field(one).title.zh for one in ledger.key)
    said = "、".join(str((values or {}).get(one)) for one in ledger.key) if values else ""
    return Fault(
        ledger.key[-1],
        f"已有{zh}为“{said}”的记录。" if said else f"已有相同{zh}的记录。",
        f"There is a record with this key already{f': {said}' if said else ''}.",
    )


def refuse_taken(
    connection: Connection, ledgers: Ledgers, ledger: Ledger, values: Mapping[str, Any], record: str | None
) -> None:
    """Refuse a record whose key another living record has."""
    records = ledgers.tables(ledger.id).records
    same = [records.c[one] == values.get(one) for one in ledger.key]
    found = connection.scalars(select(records.c.record).where(records.c.deleted.is_(None), *same).limit(2)).all()
    if any(one != record for one in found):
        raise key_taken(ledger, values)


def refuse_mastered(ledger: Ledger, writing: Writing, touched: Any) -> None:
    """Refuse a form that writes what a national platform masters."""
    mastered = [name for name in touched if name in ledger.imported_fields]
    if writing.origin == "import" or not mastered:
        return
    platform = ledger.platform.zh if ledger.platform else "国家平台"
    raise RecordError(
        [
            Fault(
                name,
                f"{ledger.field(name).title.zh}以{platform}为准：请导入该平台的导出表。",
                f"{ledger.field(name).title.en} is mastered by a national platform: import its export.",
            )
            for name in mastered
        ]
    )


def moment_of(connection: Connection, writing: Writing) -> datetime:
    """Return when the write is recorded."""
    return dialect.now(connection) if writing.at is None else to_utc(writing.at)


def write_audit(
    connection: Connection, ledger: Ledger, writing: Writing, what: str, record: str, detail: dict[str, Any]
) -> None:
    """Write down who did what to which record."""
    connection.execute(
        insert(audit).values(
            at=dialect.now(connection),
            who=writing.who,
            what=f"ledger.{what}",
            object=f"ledger/{ledger.id}/{record}",
            detail=detail,
        )
    )
