"""What was on file and who changed it: versions with their differences, and records as of a moment."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from qinglan.base.engine import reading
from qinglan.base.scope import Scope
from qinglan.core.interval import to_beijing, to_utc
from qinglan.ledgers import chain
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.faults import no_record
from qinglan.ledgers.migrate import DECLARATION
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.rights import hidden, may_on
from qinglan.ledgers.tables import Tables
from qinglan.ledgers.validate import computed
from qinglan.ledgers.values import Values, from_plain, shown

DELETED = frozenset({"delete"})


@dataclass(frozen=True)
class Marks:
    """Where the names of fields changed in a ledger's history, in order."""

    entries: tuple[tuple[int, dict[str, str], tuple[str, ...]], ...] = ()

    @classmethod
    def of(cls, connection: Connection, tables: Tables) -> Marks:
        """Read the marks of a ledger."""
        versions = tables.versions
        query = select(versions.c.seq, versions.c.content).where(
            versions.c.record == "", versions.c.action == DECLARATION
        )
        found = []
        for seq, text in connection.execute(query.order_by(versions.c.seq)):
            content = json.loads(text)
            found.append((seq, dict(content["renamed"]), tuple(content["dropped"])))
        return cls(tuple(found))

    def today(self, seq: int, values: Values) -> Values:
        """Return values written at `seq` under the names of today."""
        for at, renamed, dropped in self.entries:
            if at > seq:
                values = {renamed.get(name, name): value for name, value in values.items() if name not in dropped}
        return values


def values_at(ledger: Ledger, entry: RowMapping | Mapping[str, Any], marks: Marks) -> Values:
    """Return the values of one version; sealed ones that were erased are absent."""
    content = json.loads(entry["content"])
    kept = marks.today(entry["seq"], content["values"])
    opened = marks.today(entry["seq"], {name: pair[1] for name, pair in (entry["sealed"] or {}).items()})
    found: Values = {}
    for field in ledger.fields:
        value = kept.get(field.id)
        if isinstance(value, dict) and set(value) == {chain.SEALED}:
            value = opened.get(field.id)
        found[field.id] = None if field.type == "computed" else from_plain(field, value)
    return computed(ledger, found)


def entries_of(connection: Connection, tables: Tables, record: str) -> Sequence[RowMapping]:
    """Return the versions of one record, in order."""
    versions = tables.versions
    query = select(versions).where(versions.c.record == record).order_by(versions.c.version)
    return connection.execute(query).mappings().all()


def differences(ledger: Ledger, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the fields that differ; computed ones follow from the others."""
    return [
        field.id
        for field in ledger.fields
        if field.type != "computed" and _kept(before.get(field.id)) != _kept(after.get(field.id))
    ]


def _kept(value: Any) -> Any:
    return None if value == [] else value


def answer_of(ledger: Ledger, scope: Scope, values: Mapping[str, Any]) -> Values:
    """Return values as they are shown to a scope."""
    return hidden(ledger, scope, {field.id: shown(field, values.get(field.id)) for field in ledger.fields})


def changes_of(ledger: Ledger, scope: Scope, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Values]:
    """Return what differs between two states, field by field, as a scope may see it."""
    one, other = answer_of(ledger, scope, before), answer_of(ledger, scope, after)
    return [
        {
            "field": name,
            "title": ledger.field(name).title.model_dump(),
            "before": one[name],
            "after": other[name],
        }
        for name in differences(ledger, before, after)
    ]


def history(ledgers: Ledgers, scope: Scope, ledger_id: str, record: str) -> list[Values]:
    """Return the versions of a record, the newest first, each with what it changed.

    Raises
    ------
    MissingError
        If there is no such record, or the scope may not see it as it is now.
    """
    ledger, tables = ledgers.get(ledger_id), ledgers.tables(ledger_id)
    with reading(ledgers.engine) as connection:
        entries = entries_of(connection, tables, record) if record else []
        marks = Marks.of(connection, tables)
    states = [values_at(ledger, entry, marks) for entry in entries]
    if not states or not may_on(ledger, scope, "read", states[-1]):
        raise no_record(ledger_id, record)
    found: list[Values] = []
    before: Values = {}
    for entry, values in zip(entries, states, strict=True):
        found.append(
            {
                "version": entry["version"],
                "action": entry["action"],
                "at": to_beijing(entry["at"]).isoformat(),
                "who": entry["who"],
                "why": entry["why"],
                "changes": changes_of(ledger, scope, before, values),
            }
        )
        before = values
    return found[::-1]


def as_of(
    connection: Connection, ledger: Ledger, tables: Tables, moment: datetime, record: str | None = None
) -> Iterator[tuple[RowMapping, Values]]:
    """Yield the last version by `moment` of each record that was not deleted then, with its values, by record."""
    versions = tables.versions
    newest = select(func.max(versions.c.seq)).where(versions.c.at <= to_utc(moment), versions.c.record != "")
    if record is not None:
        newest = newest.where(versions.c.record == record)
    newest = newest.group_by(versions.c.record)
    marks = Marks.of(connection, tables)
    query = select(versions).where(versions.c.seq.in_(newest)).order_by(versions.c.record)
    for entry in connection.execute(query).mappings():
        if entry["action"] not in DELETED:
            yield entry, values_at(ledger, entry, marks)
