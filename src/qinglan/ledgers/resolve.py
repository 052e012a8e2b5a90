"""References: from what people write, a record's id, key or label, to its id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, select

from qinglan.base.schema import ledger_files
from qinglan.base.scope import Scope
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.faults import Fault
from qinglan.ledgers.fields import LedgerField
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.rights import seen
from qinglan.ledgers.values import Values

SEPARATOR = "/"
_BATCH = 300


@dataclass
class Resolver:
    """Looks references up, each target once."""

    connection: Connection
    ledgers: Ledgers
    scope: Scope
    known: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def resolve(self, ledger: Ledger, values: Values, before: Mapping[str, Any] | None = None) -> list[Fault]:
        """Put ids in place of what was written, in `values`; return what points to nothing."""
        faults: list[Fault] = []
        for one in ledger.fields:
            given = values.get(one.id)
            if given is None or (before is not None and before.get(one.id) == given):
                continue
            if one.type == "reference":
                texts = given if one.many else [given]
                found = [self._found(one, text, one.id, faults) for text in texts]
                values[one.id] = found if one.many else found[0]
            elif one.type == "file":
                faults += self._unknown_files(ledger, one, given)
            elif one.type == "rows":
                for position, row in enumerate(given, start=1):
                    self._resolve_row(one, row, position, faults)
        return faults

    def _unknown_files(self, ledger: Ledger, one: LedgerField, given: list[Values]) -> list[Fault]:
        """Return a fault for each file that was not uploaded into this ledger: a hash alone opens nobody's file."""
        hashes = [file["sha256"] for file in given]
        query = select(ledger_files.c.sha256).where(
            ledger_files.c.ledger == ledger.id, ledger_files.c.sha256.in_(hashes)
        )
        there = set(self.connection.scalars(query))
        return [
            Fault(
                one.id,
                f"{one.title.zh}：没有上传过附件 {hashed[:16]}。",
                f"{one.title.en}: no file {hashed[:16]} was uploaded.",
            )
            for hashed in hashes
            if hashed not in there
        ]

    def _resolve_row(self, one: LedgerField, row: Values, position: int, faults: list[Fault]) -> None:
        for inner in one.fields:
            if inner.type == "reference" and row.get(inner.id) is not None:
                row[inner.id] = self._found(inner, row[inner.id], f"{one.id}.{inner.id}", faults, position)

    def _found(
        self, one: LedgerField, text: str, name: str, faults: list[Fault], position: int | None = None
    ) -> str | None:
        assert one.ledger is not None
        found = self.look_up(one.ledger, text)
        if found is None:
            title = self.ledgers.get(one.ledger).title
            faults.append(
                Fault(
                    name,
                    f"{one.title.zh}：台账“{title.zh}”中没有“{text[:60]}”，或有多条同名。",
                    f'{one.title.en}: no single record "{text[:60]}" in {one.ledger}.',
                    position,
                )
            )
        return found

    def look_up(self, target: str, text: str) -> str | None:
        """Return the id of the one record that has this id, key or label; None if there is none or several."""
        if (target, text) not in self.known:
            self.known[target, text] = self._look_up(target, text)
        return self.known[target, text]

    def _look_up(self, target: str, text: str) -> str | None:
        ledger, records = self.ledgers.get(target), self.ledgers.tables(target).records
        visible: Select[Any] = select(records.c.record).where(
            records.c.deleted.is_(None), seen(ledger, records, self.scope)
        )
        ways = [visible.where(records.c.record == text)]
        pieces = text.split(SEPARATOR) if len(ledger.key) > 1 else [text]
        if len(pieces) == len(ledger.key) and all(ledger.field(one).type in _TEXTS for one in ledger.key):
            ways.append(
                visible.where(*(records.c[one] == piece for one, piece in zip(ledger.key, pieces, strict=True)))
            )
        if ledger.field(ledger.label).type == "text":
            ways.append(visible.where(records.c[ledger.label] == text))
        for way in ways:
            found = self.connection.scalars(way.limit(2)).all()
            if len(found) == 1:
                return str(found[0])
        return None


_TEXTS = frozenset({"text", "enterprise", "code", "place"})


def labels(connection: Connection, ledgers: Ledgers, scope: Scope, wanted: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return the labels of records, by ``(ledger, record)`` asked for; those not to be seen are absent."""
    by_ledger: dict[str, set[str]] = {}
    for target, record in wanted:
        by_ledger.setdefault(target, set()).add(record)
    found: dict[str, str] = {}
    for target, some in by_ledger.items():
        ledger, records = ledgers.get(target), ledgers.tables(target).records
        ids = sorted(some)
        for start in range(0, len(ids), _BATCH):
            query = select(records.c.record, records.c[ledger.label]).where(
                records.c.record.in_(ids[start : start + _BATCH]), seen(ledger, records, scope)
            )
            found |= {record: str(label) for record, label in connection.execute(query) if label is not None}
    return found
