"""Accounts and passwords: what is refused, what is kept, what an owner may do."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from qinglan.base.engine import reading
from qinglan.base.identity import accounts, organisations, passwords, sessions, signin
from qinglan.base.identity.identity import Actor, Identity
from qinglan.base.identity.refusals import ConflictError, NotSignedInError, NotThereError, TooOftenError
from qinglan.base.identity.tables import accounts as table
from qinglan.base.identity.tables import sessions as sessions_table
from qinglan.base.identity.throttle import Throttle
from qinglan.base.scope import EVERYTHING, Scope
from qinglan.core.errors import InputError
from web.people import MAKER, PASSWORD, Clock, settled

OTHER = "Haibin-Yanhe-77"


def made(identity: Identity, account: str = "zhang", **more: str) -> None:
    accounts.add(identity, MAKER, account, name="某人", password=PASSWORD, **more)
    settled(identity, account)


def test_an_account_is_kept_without_its_password(identity: Identity) -> None:
    found, first = accounts.add(identity, MAKER, "zhang", name="某人")
    assert found["state"] == "active"
    assert found["must_change"] is True
    with reading(identity.engine) as connection:
        row = connection.execute(select(table)).mappings().one()
    assert first not in str(dict(row))
    assert str(row["password"]).startswith("$argon2id$")
    assert passwords.matches(first, row["password"])
    assert not passwords.matches(first + "x", row["password"])
    assert not passwords.matches(first, None)


@pytest.mark.parametrize("name", ["Zhang", "z", "-zhang", "张伟", "a b", "zhang/../x", "x" * 64, ""])
def test_names_that_no_account_may_have(identity: Identity, name: str) -> None:
    with pytest.raises(InputError):
        accounts.add(identity, MAKER, name, name="某人")


def test_no_name_is_given_twice_and_no_account_is_without_its_organisation(identity: Identity) -> None:
    made(identity)
    with pytest.raises(ConflictError):
        accounts.add(identity, MAKER, "zhang", name="另一人")
    with pytest.raises(InputError, match="nowhere"):
        accounts.add(identity, MAKER, "li", name="某人", organisation="nowhere")


@pytest.mark.parametrize(
    ("password", "word"),
    [
        ("Short-1a", "12"),
        ("alllowercaseletters", "3 类"),
        ("lower-case-only-here", "3 类"),
        ("Zhang-Feng-2024!", "账户名"),
        ("Password-123456!", "常见"),
        ("Aa1!Aa1!Aa1!Aa1!", "常见"),
        ("x" * 129, "128"),
    ],
)
def test_passwords_that_the_policy_refuses(identity: Identity, password: str, word: str) -> None:
    with pytest.raises(InputError, match=word) as refused:
        passwords.require_good(identity.policy, password, ("zhang", "某人"))
    assert password not in str(refused.value)


def test_each_made_up_password_is_acceptable(identity: Identity) -> None:
    found = {accounts.made_up(identity) for _ in range(50)}
    assert len(found) == 50
    for one in found:
        passwords.require_good(identity.policy, one)


def test_changing_the_password_ends_every_other_session_and_refuses_the_last_five(identity: Identity) -> None:
    made(identity)
    first, second = (signin.sign_in(identity, "zhang", PASSWORD) for _ in range(2))
    session = sessions.find(identity, first)
    assert session is not None
    with pytest.raises(InputError, match="原口令"):
        accounts.change_password(identity, Actor("zhang"), "zhang", "wrong", OTHER, session=session.id)
    with pytest.raises(InputError, match="最近"):
        accounts.change_password(identity, Actor("zhang"), "zhang", PASSWORD, PASSWORD, session=session.id)
    third = accounts.change_password(identity, Actor("zhang"), "zhang", PASSWORD, OTHER, session=session.id)
    assert [sessions.find(identity, one) is not None for one in (first, second, third)] == [False, False, True]
    with pytest.raises(NotSignedInError):
        signin.sign_in(identity, "zhang", PASSWORD)
    # Five others later the first one may be used again.
    old = OTHER
    for number in range(5):
        now = sessions.find(identity, third)
        assert now is not None
        new = f"Zu-Fung-{number}-Wald"
        third = accounts.change_password(identity, Actor("zhang"), "zhang", old, new, session=now.id)
        old = new
    now = sessions.find(identity, third)
    assert now is not None
    assert accounts.change_password(identity, Actor("zhang"), "zhang", old, PASSWORD, session=now.id)


def test_a_password_grows_old(identity: Identity, clock: Clock) -> None:
    made(identity)
    clock.move(days=90)
    session = sessions.find(identity, signin.sign_in(identity, "zhang", PASSWORD))
    assert session is not None
    assert session.step is None
    clock.move(days=1)
    session = sessions.find(identity, signin.sign_in(identity, "zhang", PASSWORD))
    assert session is not None
    assert session.step == "password"


def test_five_failures_lock_for_thirty_minutes_even_against_the_right_password(
    identity: Identity, clock: Clock
) -> None:
    made(identity)
    for _ in range(4):
        with pytest.raises(NotSignedInError):
            signin.sign_in(identity, "zhang", "wrong")
    signin.sign_in(identity, "zhang", PASSWORD)  # A success forgets the failures before it.
    for _ in range(5):
        with pytest.raises(NotSignedInError):
            signin.sign_in(identity, "zhang", "wrong")
    with pytest.raises(NotSignedInError):
        signin.sign_in(identity, "zhang", PASSWORD)
    assert accounts.get(identity, EVERYTHING, "zhang")["state"] == "locked"
    clock.move(minutes=29)
    with pytest.raises(NotSignedInError):
        signin.sign_in(identity, "zhang", PASSWORD)
    clock.move(minutes=1)
    assert signin.sign_in(identity, "zhang", PASSWORD)


def test_an_administrator_ends_a_lock_and_a_disabled_account_is_nobody(identity: Identity) -> None:
    made(identity)
    for _ in range(5):
        with pytest.raises(NotSignedInError):
            signin.sign_in(identity, "zhang", "wrong")
    accounts.unlock(identity, MAKER, EVERYTHING, "zhang")
    secret = signin.sign_in(identity, "zhang", PASSWORD)
    accounts.set_disabled(identity, MAKER, EVERYTHING, "zhang", True, reason="调离")
    assert sessions.find(identity, secret) is None
    with pytest.raises(NotSignedInError):
        signin.sign_in(identity, "zhang", PASSWORD)
    accounts.set_disabled(identity, MAKER, EVERYTHING, "zhang", False)
    assert signin.sign_in(identity, "zhang", PASSWORD)


def test_every_refusal_reads_the_same(identity: Identity) -> None:
    made(identity)
    made(identity, "gone")
    accounts.set_disabled(identity, MAKER, EVERYTHING, "gone", True)
    said = set()
    for account, password in (("zhang", "wrong"), ("nobody", "wrong"), ("gone", PASSWORD), ("", ""), ("a" * 500, "x")):
        with pytest.raises(NotSignedInError) as refused:
            signin.sign_in(identity, account, password)
        said.add(str(refused.value))
    assert len(said) == 1


def test_an_unknown_name_costs_one_hash_like_a_known_one(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    made(identity)
    counted: list[str] = []
    real = passwords._HASHER.verify
    monkeypatch.setattr(passwords._HASHER, "verify", lambda *given: counted.append(given[1]) or real(*given))
    for account in ("zhang", "nobody"):
        before = len(counted)
        with pytest.raises(NotSignedInError):
            signin.sign_in(identity, account, "wrong")
        assert len(counted) == before + 1
    # Of the same kind and cost: memory, passes and lanes stand at the beginning of the hash.
    assert counted[0].split("$")[:4] == counted[1].split("$")[:4]


def test_an_address_that_fails_too_often_is_stopped_whichever_accounts_it_tries(
    identity: Identity, clock: Clock
) -> None:
    made(identity)
    identity.throttle = Throttle(3, identity.throttle._window, 100)
    for number in range(3):
        with pytest.raises(NotSignedInError):
            signin.sign_in(identity, f"guess{number}", "wrong", address="192.0.2.1")
    with pytest.raises(TooOftenError):
        signin.sign_in(identity, "zhang", PASSWORD, address="192.0.2.1")
    assert signin.sign_in(identity, "zhang", PASSWORD, address="192.0.2.2")
    clock.move(minutes=11)
    assert signin.sign_in(identity, "zhang", PASSWORD, address="192.0.2.1")


def test_a_million_addresses_do_not_fill_the_memory(identity: Identity, clock: Clock) -> None:
    throttle = Throttle(30, identity.throttle._window, 50)
    for number in range(5000):
        throttle.failed(f"10.0.{number // 250}.{number % 250}", clock())
    assert len(throttle) == 50
    for number in range(40):
        throttle.failed(f"2001:db8::{number:x}", clock())
    assert throttle.stopped("2001:db8::ffff", clock())
    assert not throttle.stopped("2001:db9::1", clock())


def test_who_administers_one_enterprise_sees_no_other(identity: Identity) -> None:
    for name in ("works-a", "works-b"):
        organisations.add(identity, MAKER, name, title_zh=name, kind="enterprise")
        made(identity, f"of-{name}", organisation=name)
    mine = Scope("boss", frozenset(), None, frozenset({"works-a"}), None, frozenset({"administer", "secure"}))
    assert [one["id"] for one in accounts.listed(identity, mine)] == ["of-works-a"]
    assert [one["id"] for one in organisations.listed(identity, mine)] == ["works-a"]
    for attempt in (
        lambda: accounts.get(identity, mine, "of-works-b"),
        lambda: accounts.reset_password(identity, MAKER, mine, "of-works-b"),
        lambda: accounts.set_disabled(identity, MAKER, mine, "of-works-b", True),
        lambda: accounts.unlock(identity, MAKER, mine, "of-works-b"),
        lambda: accounts.remove_second_factor(identity, MAKER, mine, "of-works-b"),
        lambda: accounts.change(identity, MAKER, mine, "of-works-b", {"name": "x"}),
        lambda: accounts.change(identity, MAKER, mine, "of-works-a", {"organisation": "works-b"}),
        lambda: accounts.change(identity, MAKER, mine, "of-works-a", {"organisation": None}),
        lambda: accounts.add(identity, MAKER, "spy", name="x", organisation="works-b", scope=mine),
        lambda: accounts.add(identity, MAKER, "spy", name="x", scope=mine),
        lambda: organisations.get(identity, mine, "works-b"),
        lambda: organisations.change(identity, MAKER, mine, "works-b", {"note": "x"}),
    ):
        with pytest.raises(NotThereError):
            attempt()
    assert accounts.reset_password(identity, MAKER, mine, "of-works-a")


def test_sessions_end_by_idleness_by_age_and_by_number(identity: Identity, clock: Clock) -> None:
    made(identity)
    secret = signin.sign_in(identity, "zhang", PASSWORD)
    for _ in range(24):
        clock.move(minutes=29)
        assert sessions.find(identity, secret) is not None
    clock.move(minutes=29)
    assert sessions.find(identity, secret) is None, "twelve hours are over"
    secret = signin.sign_in(identity, "zhang", PASSWORD)
    clock.move(minutes=30)
    assert sessions.find(identity, secret) is None, "half an hour without a request"
    several = []
    for _ in range(6):
        clock.move(seconds=1)
        several.append(signin.sign_in(identity, "zhang", PASSWORD))
    assert [sessions.find(identity, one) is not None for one in several] == [False, *[True] * 5]


def test_what_is_stored_of_a_session_does_not_sign_in(identity: Identity) -> None:
    made(identity)
    secret = signin.sign_in(identity, "zhang", PASSWORD)
    with reading(identity.engine) as connection:
        row = connection.execute(select(sessions_table)).mappings().one()
    for stored in (row["id"], row["public_id"]):
        assert sessions.find(identity, stored) is None
    assert secret not in str(dict(row))
    assert sessions.csrf(secret) not in str(dict(row))
