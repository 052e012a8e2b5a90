"""The trail: what is written, that nothing in it is changed unseen, and that no secret is in it."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from qinglan.base.engine import transaction
from qinglan.base.identity import accounts, signin, trail
from qinglan.base.identity.identity import Actor, Identity
from qinglan.base.identity.refusals import NotSignedInError
from web.people import MAKER, PASSWORD, Clock

SWAP = (
    "UPDATE trail SET id = 99 WHERE id = 3; UPDATE trail SET id = 3 WHERE id = 4; UPDATE trail SET id = 4 WHERE id = 99"
)


@pytest.fixture
def written(identity: Identity, clock: Clock) -> Identity:
    for number in range(6):
        clock.move(minutes=1)
        with transaction(identity.engine) as connection:
            what = f"thing/{number}"
            trail.append(connection, Actor("zhang", "192.0.2.1"), "change", what, at=clock(), detail={"n": number})
    return identity


def tamper(engine: Engine, statement: str) -> None:
    """Change the table as somebody with the database's own tools would: without the trigger."""
    with transaction(engine) as connection:
        if engine.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER IF EXISTS trail_no_update"))
            connection.execute(text("DROP TRIGGER IF EXISTS trail_no_delete"))
        else:
            connection.execute(text("ALTER TABLE trail DISABLE TRIGGER ALL"))
        for one in statement.split(";"):
            connection.execute(text(one))


def test_a_whole_trail_has_no_findings(written: Identity) -> None:
    assert trail.verify(written.engine) == []
    assert trail.head(written.engine)[0] == 6


@pytest.mark.parametrize(
    ("statement", "entry", "word"),
    [
        ("UPDATE trail SET account = 'li' WHERE id = 3", 3, "改动"),
        ("UPDATE trail SET outcome = 'refused' WHERE id = 6", 6, "改动"),
        ("UPDATE trail SET detail = '{\"n\": 9}' WHERE id = 2", 2, "改动"),
        ("DELETE FROM trail WHERE id = 4", 4, "缺失"),
        ("DELETE FROM trail WHERE id > 4", 5, "删去"),
        (SWAP, 3, "不衔接"),
    ],
)  # fmt: skip
def test_what_was_done_to_it_is_named(written: Identity, statement: str, entry: int, word: str) -> None:
    tamper(written.engine, statement)
    found = trail.verify(written.engine)
    assert found[0].entry == entry
    assert word in "".join(one.zh for one in found)


def test_an_entry_edited_and_hashed_anew_no_longer_fits_its_follower(written: Identity) -> None:
    with written.engine.connect() as connection:
        row = dict(connection.execute(trail.trail.select().where(trail.trail.c.id == 3)).mappings().one())
    forged = trail._hash({**row, "account": "li"})
    tamper(written.engine, f"UPDATE trail SET account = 'li', hash = '{forged}' WHERE id = 3")
    assert [one.entry for one in trail.verify(written.engine)] == [4]


def test_a_whole_new_chain_shows_only_against_a_head_that_was_kept_elsewhere(written: Identity) -> None:
    kept = trail.head(written.engine)
    tamper(written.engine, "DELETE FROM trail; UPDATE trail_head SET last = 0, hash = '" + "0" * 64 + "'")
    with transaction(written.engine) as connection:
        trail.append(connection, Actor("li"), "change", "thing/0", at=written.clock())
    assert trail.verify(written.engine) == []
    assert trail.head(written.engine) != kept


@pytest.mark.parametrize("statement", ["UPDATE trail SET account = 'li'", "DELETE FROM trail WHERE id = 1"])
def test_the_database_itself_refuses_changes(written: Identity, statement: str) -> None:
    with pytest.raises(DBAPIError, match="append-only"), written.engine.begin() as connection:
        connection.execute(text(statement))
    assert trail.verify(written.engine) == []


def test_filters_and_pages(written: Identity, clock: Clock) -> None:
    first = trail.entries(written.engine, limit=4)
    assert [one["id"] for one in first] == [6, 5, 4, 3]
    assert [one["id"] for one in trail.entries(written.engine, before=3)] == [2, 1]
    assert [one["id"] for one in trail.entries(written.engine, start=clock())] == [6]
    assert len(trail.entries(written.engine, end=clock())) == 5
    assert trail.entries(written.engine, account="zhan")[0]["account"] == "zhang"
    for nothing in ({"account": "zh%g"}, {"account": "_____"}, {"action": "export"}, {"outcome": "refused"}):
        assert trail.entries(written.engine, **nothing) == []


@pytest.mark.parametrize("attack", ["' OR '1'='1", "zhang'; DROP TABLE trail; --", '" OR ""="', "%", "\\"])
def test_filters_are_values_and_never_statements(written: Identity, attack: str) -> None:
    for name in ("account", "action", "outcome"):
        assert trail.entries(written.engine, **{name: attack}) == []
    assert trail.head(written.engine)[0] == 6
    # The same text put into a statement would have been obeyed: that is what the parameter stops.
    if attack.startswith("' OR"):
        with written.engine.connect() as connection:
            found = connection.execute(text(f"SELECT count(*) FROM trail WHERE account = '{attack}'")).scalar_one()
        assert found == 6


def test_numbers_of_persons_are_masked_and_passwords_never_written(identity: Identity) -> None:
    accounts.add(identity, MAKER, "zhang", name="某人", phone="13800001234", password=PASSWORD)
    from qinglan.base.scope import EVERYTHING

    accounts.change(identity, MAKER, EVERYTHING, "zhang", {"phone": "13900005678"})
    for account, password in (("zhang", PASSWORD), ("zhang", "Geraten-2024-x"), (PASSWORD, "x")):
        with suppress(NotSignedInError):
            signin.sign_in(identity, account, password)
    with identity.engine.connect() as connection:
        everything = str(connection.execute(text("SELECT * FROM trail")).all())
    assert not re.search(r"13[89]0000\d{4}", everything)
    assert "139****5678" in everything
    assert PASSWORD not in everything
    assert PASSWORD.lower() not in everything
    assert "Geraten" not in everything


def test_what_is_undone_leaves_no_entry(identity: Identity) -> None:
    def fails() -> None:
        with transaction(identity.engine) as connection:
            trail.append(connection, Actor("zhang"), "change", "thing", at=identity.clock())
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert trail.entries(identity.engine) == []
    assert trail.verify(identity.engine) == []


def test_many_writers_at_once_make_one_chain(identity: Identity) -> None:
    from concurrent.futures import ThreadPoolExecutor

    def write(number: int) -> None:
        with transaction(identity.engine) as connection:
            trail.append(connection, Actor(f"a{number}"), "change", "thing", at=identity.clock())

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(write, range(30)))
    assert trail.verify(identity.engine) == []
    assert {one["account"] for one in trail.entries(identity.engine)} == {f"a{number}" for number in range(30)}
