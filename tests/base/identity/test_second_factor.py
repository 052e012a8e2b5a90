"""The second factor: asked for, checked, used once; sealed where it is kept."""

from __future__ import annotations

import pyotp
import pytest
from sqlalchemy import select

from qinglan.base.engine import reading, transaction
from qinglan.base.identity import accounts, grants, sessions, signin, totp
from qinglan.base.identity.identity import KEY_FILE, Actor, Identity
from qinglan.base.identity.refusals import ConflictError, NotSignedInError
from qinglan.base.identity.sessions import Session
from qinglan.base.identity.tables import accounts as table
from qinglan.base.scope import EVERYTHING
from qinglan.core.errors import InputError, StorageError
from web.people import MAKER, PASSWORD, Clock, enrolled, settled


@pytest.fixture
def chief(identity: Identity) -> str:
    accounts.add(identity, MAKER, "chief", name="某人", password=PASSWORD)
    grants.grant(identity, MAKER, "chief", "system_administrator")
    settled(identity, "chief")
    return "chief"


def begun(identity: Identity) -> tuple[str, Session]:
    secret = signin.sign_in(identity, "chief", PASSWORD)
    session = sessions.find(identity, secret)
    assert session is not None
    return secret, session


def test_an_administrator_must_have_one(identity: Identity, chief: str) -> None:
    assert begun(identity)[1].step == "enrol"
    enrolled(identity, chief)
    assert begun(identity)[1].step == "totp"


def test_rfc_6238_gives_the_codes_that_are_asked_for(identity: Identity, chief: str, clock: Clock) -> None:
    """RFC 6238, appendix B: the key "12345678901234567890", T = 1111111109 s, SHA-1: 07081804 (last six: 081804)."""
    from datetime import UTC, datetime

    clock.now = datetime.fromtimestamp(1111111109, UTC)
    key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    with transaction(identity.engine) as connection:
        connection.execute(table.update().where(table.c.id == chief).values(totp=identity.seal(key)))
        assert not totp.accepted(connection, identity, chief, "081805")
        assert totp.accepted(connection, identity, chief, "081 804")


def test_a_code_is_right_for_its_minute_and_only_once(identity: Identity, chief: str, clock: Clock) -> None:
    codes = enrolled(identity, chief)
    clock.move(minutes=5)
    first, session = begun(identity)
    code = codes.at(clock())
    full = signin.second_factor(identity, session, code)
    found = sessions.find(identity, full)
    assert found is not None
    assert found.step is None
    assert sessions.find(identity, first) is None, "the session before the second factor has ended"
    _, again = begun(identity)
    with pytest.raises(NotSignedInError):
        signin.second_factor(identity, again, code)
    clock.move(seconds=30)
    assert signin.second_factor(identity, again, codes.at(clock()))
    clock.move(minutes=5)
    _, late = begun(identity)
    with pytest.raises(NotSignedInError):
        signin.second_factor(identity, late, codes.at(clock().timestamp() - 90))


def test_guessing_codes_locks_the_account(identity: Identity, chief: str, clock: Clock) -> None:
    codes = enrolled(identity, chief)
    clock.move(minutes=5)
    for _ in range(5):
        # The password again before each code: it must not forgive the codes that were wrong.
        _, session = begun(identity)
        with pytest.raises(NotSignedInError):
            signin.second_factor(identity, session, "000000" if codes.at(clock()) != "000000" else "000001")
    assert accounts.get(identity, EVERYTHING, chief)["state"] == "locked"
    with pytest.raises(NotSignedInError):
        signin.second_factor(identity, session, codes.at(clock()))


def test_it_counts_only_once_a_code_was_seen(identity: Identity, chief: str, clock: Clock) -> None:
    begun_with = totp.begin(identity, chief)
    assert begun_with.svg.startswith("data:image/svg+xml")
    assert "issuer=Qinglan" in begun_with.uri
    with pytest.raises(InputError):
        totp.confirm(identity, Actor(chief), "000000")
    assert not totp.enrolled(identity, chief)
    totp.confirm(identity, Actor(chief), pyotp.TOTP(begun_with.secret).at(clock()))
    with pytest.raises(ConflictError):
        totp.begin(identity, chief)
    accounts.remove_second_factor(identity, MAKER, EVERYTHING, chief)
    assert totp.begin(identity, chief).secret != begun_with.secret


def test_the_secret_is_sealed_with_a_key_that_only_the_owner_reads(identity: Identity, chief: str) -> None:
    codes = enrolled(identity, chief)
    with reading(identity.engine) as connection:
        kept = connection.scalars(select(table.c.totp)).one()
    assert codes.secret not in kept
    assert identity.unseal(kept) == codes.secret
    key = identity.home / KEY_FILE
    assert key.stat().st_mode & 0o077 == 0
    key.unlink()
    identity.__dict__.pop("_cipher")
    with pytest.raises(StorageError, match=KEY_FILE):
        identity.unseal(kept)
