"""Records: made, read, changed, taken out and restored; two people at one record are told of each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, select, update

from qinglan.base.engine import reading
from qinglan.base.scope import Scope
from qinglan.core.errors import InputError
from qinglan.core.interval import to_beijing, to_utc
from qinglan.ledgers import chain, history
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.faults import ConflictError, RecordError, no_record
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.resolve import Resolver
from qinglan.ledgers.rights import may_on, require
from qinglan.ledgers.store import details_of, values_of
from qinglan.ledgers.tables import Tables
from qinglan.ledgers.validate import check, computed
from qinglan.ledgers.values import Values
from qinglan.ledgers.writing import (
    Writing,
    insert_many,
    moment_of,
    refuse_mastered,
    refuse_taken,
    update_many,
    write_audit,
    write_transaction,
)


@dataclass(frozen=True)
class Record:
    """One record as it is on file."""

    ledger: str
    record: str
    version: int
    created: datetime
    created_by: str
    updated: datetime
    updated_by: str
    deleted: datetime | None
    simulated: bool
    values: Values

    @classmethod
    def of(cls, ledger: Ledger, row: RowMapping, details: Mapping[str, Sequence[Values]] | None = None) -> Record:
        """Return the record of a row."""
        named = {name: row[name] for name in cls.__dataclass_fields__ if name not in ("ledger", "values")}
        return cls(ledger=ledger.id, values=values_of(ledger, row, details), **named)

    def answer(self, ledger: Ledger, scope: Scope) -> Values:
        """Return it as the API shows it to a scope."""
        return {
            "record": self.record,
            "version": self.version,
            "created": to_beijing(self.created).isoformat(),
            "created_by": self.created_by,
            "updated": to_beijing(self.updated).isoformat(),
            "updated_by": self.updated_by,
            "deleted": None if self.deleted is None else to_beijing(self.deleted).isoformat(),
            "simulated": self.simulated,
            "label": self.values.get(ledger.label),
            "values": history.answer_of(ledger, scope, self.values),
        }


def create(ledgers: Ledgers, writing: Writing, ledger_id: str, given: Mapping[str, Any]) -> Record:
    """Add a record.

    Raises
    ------
    RecordError
        If values are not acceptable or the key is taken; every fault is named.
    ForbiddenError
        If the scope may not write it.
    """
    ledger = ledgers.get(ledger_id)
    require(ledger, writing.scope, "write")
    refuse_mastered(ledger, writing, given if ledger.master == "imported" else ())
    checked = check(ledger, given, ledgers.context())
    with write_transaction(ledgers, ledger) as connection:
        faults = [*checked.faults, *Resolver(connection, ledgers, writing.scope).resolve(ledger, checked.values)]
        if faults:
            raise RecordError(faults)
        require(ledger, writing.scope, "write", checked.values)
        refuse_taken(connection, ledgers, ledger, checked.values, None)
        made = insert_many(connection, ledgers, ledger, writing, [checked.values])
        write_audit(connection, ledger, writing, "create", made[0], {"version": 1})
    return read(ledgers, writing.scope, ledger_id, made[0], own=True)


def update_record(
    ledgers: Ledgers,
    writing: Writing,
    ledger_id: str,
    record: str,
    given: Mapping[str, Any],
    *,
    version: int,
    merge: bool = False,
) -> Record:
    """Change the fields that are said; the others stay.

    Parameters
    ----------
    version
        The version that the writer has seen.
    merge
        Where others have changed other fields since: take both. Changes of one field by two people stay a conflict.

    Raises
    ------
    ConflictError
        If the record has changed since `version`; it says who changed what.
    RecordError
        If values are not acceptable.
    """
    ledger, tables = ledgers.get(ledger_id), ledgers.tables(ledger_id)
    with write_transaction(ledgers, ledger) as connection:
        row, values = current(connection, ledgers, ledger, record, writing.scope)
        if row["deleted"] is not None:
            raise _is_deleted(ledger)
        require(ledger, writing.scope, "write", values)
        checked = check(ledger, given, ledgers.context(), before=values)
        faults = [
            *checked.faults,
            *Resolver(connection, ledgers, writing.scope).resolve(ledger, checked.values, values),
        ]
        if faults:
            raise RecordError(faults)
        if row["version"] != version:
            _settle(
                connection, ledger, tables, writing.scope, record, version, values, checked.values, set(given), merge
            )
        changed = history.differences(ledger, values, checked.values)
        refuse_mastered(ledger, writing, changed)
        require(ledger, writing.scope, "write", checked.values)
        if changed:
            refuse_taken(connection, ledgers, ledger, checked.values, record)
            update_many(connection, ledgers, ledger, writing, [(row, values, checked.values)])
            write_audit(
                connection, ledger, writing, "update", record, {"version": row["version"] + 1, "fields": changed}
            )
    return read(ledgers, writing.scope, ledger_id, record, own=True)


def delete_record(
    ledgers: Ledgers, writing: Writing, ledger_id: str, record: str, *, version: int | None = None
) -> None:
    """Take a record out of the ledger; its history stays and it can be restored.

    Raises
    ------
    ConflictError
        If it has changed since `version`.
    InputError
        If no reason is given.
    """
    _end(ledgers, writing, ledger_id, record, version, deleting=True)


def restore_record(ledgers: Ledgers, writing: Writing, ledger_id: str, record: str) -> Record:
    """Bring a deleted record back as it was.

    Raises
    ------
    RecordError
        If another record has its key now.
    """
    _end(ledgers, writing, ledger_id, record, None, deleting=False)
    return read(ledgers, writing.scope, ledger_id, record, own=True)


def _end(
    ledgers: Ledgers, writing: Writing, ledger_id: str, record: str, version: int | None, *, deleting: bool
) -> None:
    ledger, tables = ledgers.get(ledger_id), ledgers.tables(ledger_id)
    if not (writing.why or "").strip():
        raise InputError("删除与恢复须写明原因。", "Deleting and restoring need a reason.", field="why")
    with write_transaction(ledgers, ledger) as connection:
        row, values = current(connection, ledgers, ledger, record, writing.scope)
        require(ledger, writing.scope, "write", values)
        if version is not None and row["version"] != version:
            _settle(connection, ledger, tables, writing.scope, record, version, values, values, set(), merge=False)
        if deleting == (row["deleted"] is not None):
            raise InputError(
                "这条记录已经删除。" if deleting else "这条记录没有被删除。",
                "The record is deleted already." if deleting else "The record is not deleted.",
                field="record",
            )
        if not deleting:
            refuse_taken(connection, ledgers, ledger, values, record)
        moment = moment_of(connection, writing)
        action = "delete" if deleting else "restore"
        new = {
            "version": row["version"] + 1,
            "updated": moment,
            "updated_by": writing.who,
            "deleted": moment if deleting else None,
        }
        connection.execute(update(tables.records).where(tables.records.c.record == record).values(**new))
        content, sealed = chain.content_of(ledger, values, simulated=row["simulated"])
        entry = chain.Version(
            record, new["version"], action, moment, writing.who, writing.why, content, sealed, -1 if deleting else 1
        )
        chain.append(connection, ledger.id, tables, [entry])
        write_audit(connection, ledger, writing, action, record, {"version": new["version"], "why": writing.why})


def read(
    ledgers: Ledgers, scope: Scope, ledger_id: str, record: str, *, as_of: datetime | None = None, own: bool = False
) -> Record:
    """Return a record, as it is or as it was at a moment; deleted ones too, with the mark.

    Raises
    ------
    MissingError
        If there is none, or the scope may not see it.
    """
    ledger, tables = ledgers.get(ledger_id), ledgers.tables(ledger_id)
    with reading(ledgers.engine) as connection:
        row, values = _row(connection, ledger, tables, record)
        if row is None or not (own or may_on(ledger, scope, "read", values)):
            raise no_record(ledger_id, record)
        found = Record.of(ledger, row, {name: rows for name, rows in values.items() if isinstance(rows, list)})
        if as_of is None:
            return found
        then = next(history.as_of(connection, ledger, tables, to_utc(as_of), record), None)
    if then is None or not may_on(ledger, scope, "read", then[1]):
        raise no_record(ledger_id, record)
    entry, values = then
    simulated = bool(json.loads(entry["content"]).get("simulated", False))
    named = {"version": entry["version"], "updated": entry["at"], "updated_by": entry["who"], "deleted": None}
    return Record(**(vars(found) | named | {"values": values, "simulated": simulated}))


def _row(connection: Connection, ledger: Ledger, tables: Tables, record: str) -> tuple[RowMapping | None, Values]:
    row = connection.execute(select(tables.records).where(tables.records.c.record == record)).mappings().first()
    if row is None:
        return None, {}
    return row, values_of(ledger, row, details_of(connection, ledger, tables, [record]).get(record))


def current(
    connection: Connection, ledgers: Ledgers, ledger: Ledger, record: str, scope: Scope
) -> tuple[RowMapping, Values]:
    """Return the row and values of a record that a scope may see.

    Raises
    ------
    MissingError
        If there is none, or the scope may not see it.
    """
    row, values = _row(connection, ledger, ledgers.tables(ledger.id), record)
    if row is None or not may_on(ledger, scope, "read", values):
        raise no_record(ledger.id, record)
    return row, values


def _is_deleted(ledger: Ledger) -> InputError:
    return InputError(
        f"台账“{ledger.title.zh}”的这条记录已删除：请先恢复。",
        "The record is deleted: restore it first.",
        field="record",
    )


def _settle(
    connection: Connection,
    ledger: Ledger,
    tables: Tables,
    scope: Scope,
    record: str,
    version: int,
    now: Values,
    wanted: Values,
    given: set[str],
    merge: bool,
) -> None:
    """Let a change of other fields pass where merging was asked for; else say who changed what since `version`."""
    entries = history.entries_of(connection, tables, record)
    marks = history.Marks.of(connection, tables)
    seen = next((entry for entry in entries if entry["version"] == version), None)
    if seen is None:
        raise InputError(
            f"这条记录没有第 {version} 版，现为第 {entries[-1]['version']} 版。",
            f"The record has no version {version}; it is at {entries[-1]['version']}.",
            field="version",
        )
    base = history.values_at(ledger, seen, marks)
    theirs = set(history.differences(ledger, base, now))
    mine = given & set(history.differences(ledger, base, wanted))
    if merge and not theirs & mine:
        # What the second sent unchanged is the first's to say.
        for name in given - mine:
            wanted[name] = now.get(name)
        wanted |= computed(ledger, wanted)
        return
    last = entries[-1]
    zh = "、".join(ledger.field(name).title.zh for name in sorted(theirs)) or "（无字段变化）"
    raise ConflictError(
        f"{last['who']} 已在您打开之后修改了这条记录（{zh}）：请核对后合并或重填。",
        f"{last['who']} has changed this record since you opened it ({', '.join(sorted(theirs))}): compare and merge.",
        who=last["who"],
        at=to_beijing(last["at"]).isoformat(),
        current=last["version"],
        changes=history.changes_of(ledger, scope, base, now),
    )
