"""`qinglan audit verify`: rows, versions, chain and signed heads compared, and every difference named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from sqlalchemy import Connection, select

from qinglan.base.engine import reading
from qinglan.base.schema import ledger_chains
from qinglan.ledgers import chain, heads
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.history import DELETED, Marks, differences, values_at
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.store import records_in_order
from qinglan.ledgers.tables import Tables
from qinglan.ledgers.values import columns

Check = Literal["chain", "sealed", "rows", "end", "heads"]
CHECKS: frozenset[str] = frozenset(get_args(Check))
_MOST = 1_000


@dataclass(frozen=True)
class Difference:
    """One thing that is not as it was written."""

    ledger: str
    record: str | None
    seq: int | None
    check: str
    zh: str
    en: str

    def answer(self) -> dict[str, Any]:
        """Return it as plain values."""
        return vars(self)


def verify(ledgers: Ledgers, *, only: str | None = None, checks: frozenset[str] = CHECKS) -> Iterator[Difference]:
    """Yield what was changed past the program.

    Parameters
    ----------
    only
        One ledger; else all.
    checks
        ``chain``: every entry has the hash of its content and follows the one before it; ``sealed``: sealed values
        are those that were hashed; ``rows``: each row is what its last version says, and none is missing or added;
        ``end``: the chain ends where the base says; ``heads``: it still holds what was signed.
    """
    names = [only] if only else sorted(set(ledgers.declared) - set(ledgers.refused))
    for name in names:
        yield from _of_ledger(ledgers, ledgers.get(name), checks)
    if "heads" in checks:
        yield from _heads(ledgers, set(names))


def _of_ledger(ledgers: Ledgers, ledger: Ledger, checks: frozenset[str]) -> Iterator[Difference]:
    tables = ledgers.tables(ledger.id)
    with reading(ledgers.engine) as connection:
        last: dict[str, tuple[int, int]] = {}
        previous, expected = chain.START, 1
        for entry in chain.entries(connection, tables):
            if "chain" in checks:
                yield from _link(ledger, entry, previous, expected)
            if "sealed" in checks:
                yield from _sealed(ledger, entry)
            if entry["record"]:
                last[entry["record"]] = (entry["seq"], entry["version"])
            previous, expected = entry["hash"], entry["seq"] + 1
        if "end" in checks:
            yield from _end(connection, ledger, previous, expected - 1)
        if "rows" in checks:
            yield from _rows(connection, ledger, tables, last)


def _link(ledger: Ledger, entry: Any, previous: str, expected: int) -> Iterator[Difference]:
    record, seq = entry["record"] or None, entry["seq"]
    if seq != expected:
        zh, en = f"第 {expected} 至 {seq - 1} 条缺失", f"the entries {expected} to {seq - 1} are missing"
        yield Difference(ledger.id, record, seq, "chain", f"历史链{zh}。", f"In the chain {en}.")
    elif entry["previous"] != previous:
        yield Difference(
            ledger.id,
            record,
            seq,
            "chain",
            f"第 {seq} 条与前一条不相接。",
            f"Entry {seq} does not follow the one before.",
        )
    if chain.hash_of(ledger.id, seq, entry["previous"], entry) != entry["hash"]:
        yield Difference(
            ledger.id, record, seq, "chain", f"第 {seq} 条的内容被改动过。", f"The content of entry {seq} was changed."
        )


def _sealed(ledger: Ledger, entry: Any) -> Iterator[Difference]:
    if not entry["sealed"]:
        return
    values = json.loads(entry["content"])["values"]
    for name, (salt, value) in entry["sealed"].items():
        if values.get(name) != {chain.SEALED: chain.sealed_hash(salt, value)}:
            yield Difference(
                ledger.id,
                entry["record"],
                entry["seq"],
                "sealed",
                f"第 {entry['seq']} 条的加封字段 {name} 被改动过。",
                f"The sealed field {name} of entry {entry['seq']} was changed.",
            )


def _end(connection: Connection, ledger: Ledger, hashed: str, seq: int) -> Iterator[Difference]:
    query = select(ledger_chains).where(ledger_chains.c.ledger == ledger.id)
    head = connection.execute(query).mappings().first()
    if head is None or head["seq"] != seq or head["hash"] != hashed:
        said = "?" if head is None else head["seq"]
        yield Difference(
            ledger.id,
            None,
            seq,
            "end",
            f"历史链止于第 {seq} 条，而账上应有 {said} 条：末尾被截断或替换。",
            f"The chain ends at entry {seq}, the base says {said}: its tail was cut or replaced.",
        )


def _rows(
    connection: Connection, ledger: Ledger, tables: Tables, last: dict[str, tuple[int, int]]
) -> Iterator[Difference]:
    marks = Marks.of(connection, tables)
    versions = tables.versions
    unseen = dict(last)
    for row, values in records_in_order(connection, ledger, tables):
        record = row["record"]
        place = unseen.pop(record, None)
        if place is None:
            yield Difference(ledger.id, record, None, "rows", "这条记录没有历史。", "The record has no history.")
            continue
        entry = connection.execute(select(versions).where(versions.c.seq == place[0])).mappings().one()
        wanted = values_at(ledger, entry, marks)
        wrong = differences(ledger, wanted, values)
        derived = columns(ledger, wanted)
        wrong += [name for name, value in derived.items() if name not in wrong and _differs(row[name], value)]
        simulated = bool(json.loads(entry["content"]).get("simulated", False))
        for name, value in (("version", entry["version"]), ("updated_by", entry["who"]), ("simulated", simulated)):
            wrong += [name] if row[name] != value else []
        if (row["deleted"] is not None) != (entry["action"] in DELETED):
            wrong.append("deleted")
        if wrong:
            yield Difference(
                ledger.id,
                record,
                place[0],
                "rows",
                f"记录与其最后一版不符：{'、'.join(wrong)}。",
                f"The record differs from its last version: {', '.join(wrong)}.",
            )
    for record, (seq, _) in list(unseen.items())[:_MOST]:
        yield Difference(ledger.id, record, seq, "rows", "记录从表中消失。", "The record is gone from its table.")


def _differs(kept: Any, wanted: Any) -> bool:
    if isinstance(kept, memoryview | bytes):
        return wanted is None or bytes(kept) != bytes(wanted)
    return bool(kept != wanted)


def _heads(ledgers: Ledgers, names: set[str]) -> Iterator[Difference]:
    for head in heads.signed(ledgers):
        if isinstance(head, tuple):
            yield _untrusted(*head)
        elif head.ledger in names and head.seq > 0:
            versions = ledgers.tables(head.ledger).versions
            with reading(ledgers.engine) as connection:
                hashed = connection.scalars(select(versions.c.hash).where(versions.c.seq == head.seq)).first()
            if hashed != head.hash:
                what = ("缺失", "is missing") if hashed is None else ("与签名不符", "differs from what was signed")
                yield Difference(
                    head.ledger,
                    None,
                    head.seq,
                    "heads",
                    f"{head.at} 签名的第 {head.seq} 条{what[0]}（{head.file.name}）。",
                    f"Entry {head.seq}, signed at {head.at}, {what[1]} ({head.file.name}).",
                )


def _untrusted(path: Path, reason: str) -> Difference:
    words = {"signature": ("签名不对", "has a wrong signature"), "unreadable": ("无法读取", "cannot be read")}[reason]
    return Difference(
        "", None, None, "heads", f"链头文件 {path.name} {words[0]}。", f"The file of heads {path.name} {words[1]}."
    )
