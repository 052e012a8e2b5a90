"""A hand in the database is seen: each attack, what names it, and that without this check nothing would."""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from sqlalchemy import Connection, delete, select, text, update

from ledgers.conftest import pond
from qinglan.base.engine import transaction
from qinglan.base.schema import ledger_chains
from qinglan.base.scope import EVERYTHING
from qinglan.ledgers import chain, heads
from qinglan.ledgers.records import create, delete_record, update_record
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.values import canonical
from qinglan.ledgers.verify import CHECKS, verify
from qinglan.ledgers.writing import Writing

ALL = Writing(EVERYTHING)


def filled(ledgers: Ledgers) -> list[str]:
    records = [
        create(ledgers, ALL, "pond", pond(code=f"W00{n}", name=f"{n}号", head="王小明", wells=[{"name": "J1"}])).record
        for n in (1, 2, 3)
    ]
    update_record(ledgers, ALL, "pond", records[0], {"volume": 7}, version=1)
    delete_record(ledgers, replace(ALL, why="闭库"), "pond", records[2])
    heads.sign(ledgers)
    return records


def rehash(connection: Connection, ledgers: Ledgers) -> None:
    """What somebody with the program's source would do: hash the chain anew from beginning to end."""
    versions = ledgers.tables("pond").versions
    previous, seq = chain.START, 0
    for entry in list(chain.entries(connection, ledgers.tables("pond"))):
        seq = entry["seq"]
        hashed = chain.hash_of("pond", seq, previous, entry)
        connection.execute(update(versions).where(versions.c.seq == seq).values(previous=previous, hash=hashed))
        previous = hashed
    connection.execute(update(ledger_chains).values(seq=seq, hash=previous))


def row_edited(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    table = ledgers.tables("pond").records
    connection.execute(update(table).where(table.c.record == records[0]).values(volume=1))


def detail_edited(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    connection.execute(update(ledgers.tables("pond").details["wells"]).values(name="J9"))


def row_undeleted(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    connection.execute(update(ledgers.tables("pond").records).values(deleted=None))


def row_removed(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    table = ledgers.tables("pond").records
    connection.execute(delete(table).where(table.c.record == records[1]))


def rows_swapped(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    for old, new in ((records[0], "x"), (records[1], records[0]), ("x", records[1])):
        connection.execute(text("UPDATE ledger_pond SET record = :new WHERE record = :old"), {"new": new, "old": old})


def version_edited(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    versions = ledgers.tables("pond").versions
    content = json.loads(connection.scalars(select(versions.c.content).where(versions.c.seq == 1)).one())
    content["values"]["volume"] = 1.0
    connection.execute(update(versions).where(versions.c.seq == 1).values(content=canonical(content)))


def version_reattributed(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    versions = ledgers.tables("pond").versions
    connection.execute(update(versions).where(versions.c.seq == 1).values(who="somebody"))


def versions_swapped(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    for old, new in ((1, 99), (2, 1), (99, 2)):
        connection.execute(
            text("UPDATE ledger_pond_versions SET seq = :new WHERE seq = :old"), {"new": new, "old": old}
        )


def sealed_edited(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    versions = ledgers.tables("pond").versions
    connection.execute(update(versions).where(versions.c.seq == 2).values(sealed={"head": ["00", "李四"]}))
    table = ledgers.tables("pond").records
    connection.execute(update(table).where(table.c.record == records[1]).values(head="李四"))


def tail_cut(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    """The last entry, the deletion, goes; the row is put back as it was."""
    versions, table = ledgers.tables("pond").versions, ledgers.tables("pond").records
    connection.execute(delete(versions).where(versions.c.seq == 5))
    connection.execute(update(table).where(table.c.record == records[2]).values(deleted=None, version=1))


def version_edited_and_rehashed(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    version_edited(connection, ledgers, records)
    rehash(connection, ledgers)


def tail_cut_and_rehashed(connection: Connection, ledgers: Ledgers, records: list[str]) -> None:
    tail_cut(connection, ledgers, records)
    rehash(connection, ledgers)


Attack = Callable[[Connection, Ledgers, list[str]], None]
ATTACKS: list[tuple[Attack, set[str], int | None]] = [
    (row_edited, {"rows"}, 0),
    (detail_edited, {"rows"}, 0),
    (row_undeleted, {"rows"}, 2),
    (row_removed, {"rows"}, 1),
    (rows_swapped, {"rows"}, 0),
    (version_edited, {"chain"}, 0),
    (version_reattributed, {"chain"}, 0),
    (versions_swapped, {"chain"}, 0),
    (sealed_edited, {"sealed"}, 1),
    (tail_cut, {"end", "heads"}, None),
    (version_edited_and_rehashed, {"heads"}, None),
    (tail_cut_and_rehashed, {"heads"}, None),
]


@pytest.mark.parametrize(("attack", "caught_by", "named"), ATTACKS, ids=lambda one: getattr(one, "__name__", None))
def test_an_attack_is_named_by_its_check_and_by_no_other(
    ledgers: Ledgers, attack: Attack, caught_by: set[str], named: int | None
) -> None:
    records = filled(ledgers)
    assert list(verify(ledgers)) == []
    with transaction(ledgers.engine) as connection:
        attack(connection, ledgers, records)
    found = list(verify(ledgers))
    assert {one.check for one in found} & caught_by
    assert all(one.ledger == "pond" and one.zh and one.en for one in found)
    if named is not None:
        assert records[named] in {one.record for one in found}
    assert list(verify(ledgers, checks=CHECKS - {one.check for one in found})) == []
    assert {one.check for one in found} == caught_by


def test_a_file_of_heads_that_was_changed_is_not_believed(ledgers: Ledgers) -> None:
    filled(ledgers)
    path = next((ledgers.home / "heads").glob("*.json"))
    path.write_text(path.read_text("utf-8").replace('"seq": 5', '"seq": 4'), "utf-8")
    assert [(one.check, "签名" in one.zh) for one in verify(ledgers)] == [("heads", True)]


def test_the_key_is_readable_by_its_owner_only(ledgers: Ledgers) -> None:
    heads.sign(ledgers)
    assert (ledgers.home / "heads" / "heads.key").stat().st_mode & 0o077 == 0


def test_many_writing_at_once_make_one_whole_chain(ledgers: Ledgers) -> None:
    def write(worker: int) -> None:
        for number in range(5):
            create(ledgers, ALL, "pond", pond(code=f"W{worker}{number}0"))

    with ThreadPoolExecutor(4) as workers:
        list(workers.map(write, range(4)))
    assert list(verify(ledgers)) == []
    with transaction(ledgers.engine) as connection:
        chained = connection.execute(select(ledger_chains)).mappings().one()
    assert (chained["seq"], chained["live"]) == (20, 20)
