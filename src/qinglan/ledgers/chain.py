"""The hash chain of a ledger: every version holds the hash of the one before it, so none can be changed alone."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, insert, select, update

from qinglan.base.schema import ledger_chains
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.tables import Tables
from qinglan.ledgers.values import Values, canonical, digest, plain_values

START = "0" * 64
SEALED = "sealed"


@dataclass(frozen=True)
class Version:
    """One entry of a ledger's history, as it is about to be written."""

    record: str
    version: int
    action: str
    at: datetime
    who: str
    why: str | None
    content: str
    sealed: dict[str, Any] | None
    living: int = 0
    """What it adds to the number of records that are not deleted."""


def content_of(ledger: Ledger, values: Mapping[str, Any], *, simulated: bool) -> tuple[str, dict[str, Any] | None]:
    """Return a record as history keeps it, and apart from it the sealed values with their salts."""
    kept = plain_values(ledger.fields, values)
    sealed: dict[str, Any] = {}
    for field in ledger.fields:
        if field.sealed and field.id in kept:
            salt = secrets.token_hex(16)
            sealed[field.id] = [salt, kept[field.id]]
            kept[field.id] = {SEALED: sealed_hash(salt, kept[field.id])}
    content: Values = {"values": kept}
    if simulated:
        content["simulated"] = True
    return canonical(content), sealed or None


def sealed_hash(salt: str, value: Any) -> str:
    """Return what stands for a sealed value in the chain."""
    return digest(salt + canonical(value))


def hash_of(ledger: str, seq: int, previous: str, version: Version | RowMapping) -> str:
    """Return the hash of one entry."""
    get = version.__getitem__ if isinstance(version, Mapping) else version.__getattribute__
    moment: datetime = get("at")
    parts = [
        ledger,
        seq,
        get("record"),
        get("version"),
        get("action"),
        moment.astimezone(UTC).isoformat(),
        get("who"),
        get("why"),
        get("content"),
        previous,
    ]
    return digest(canonical(parts))


def append(connection: Connection, ledger: str, tables: Tables, versions: Sequence[Version]) -> tuple[int, str]:
    """Add entries to the chain of a ledger; return the number and hash of the last.

    Taking the numbers first locks the chain's row until the transaction ends, on every database.
    """
    chain = ledger_chains
    living = sum(version.living for version in versions)
    connection.execute(
        update(chain)
        .where(chain.c.ledger == ledger)
        .values(seq=chain.c.seq + len(versions), live=chain.c.live + living)
    )
    head = connection.execute(select(chain).where(chain.c.ledger == ledger)).mappings().one()
    seq, previous = head["seq"] - len(versions), head["hash"]
    rows = []
    for version in versions:
        seq += 1
        hashed = hash_of(ledger, seq, previous, version)
        rows.append(
            {
                "seq": seq,
                "record": version.record,
                "version": version.version,
                "action": version.action,
                "at": version.at,
                "who": version.who,
                "why": version.why,
                "content": version.content,
                "sealed": version.sealed,
                "previous": previous,
                "hash": hashed,
            }
        )
        previous = hashed
    connection.execute(insert(tables.versions), rows)
    connection.execute(update(chain).where(chain.c.ledger == ledger).values(hash=previous))
    return seq, previous


def lock(connection: Connection, ledger: str) -> None:
    """Let no other transaction write this ledger until this one ends: keys are looked up before they are written."""
    chain = ledger_chains
    connection.execute(update(chain).where(chain.c.ledger == ledger).values(seq=chain.c.seq))


def entries(connection: Connection, tables: Tables, *, after: int = 0, batch: int = 5_000) -> Iterator[RowMapping]:
    """Yield the entries of a chain in order."""
    versions = tables.versions
    while True:
        query = select(versions).where(versions.c.seq > after).order_by(versions.c.seq).limit(batch)
        rows = connection.execute(query).mappings().all()
        yield from rows
        if len(rows) < batch:
            return
        after = rows[-1]["seq"]
