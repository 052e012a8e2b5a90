"""Grants: dates, limits, three administrators apart, and the scope that comes of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from qinglan.base.engine import reading
from qinglan.base.identity import accounts, grants, links, organisations, tokens, trail
from qinglan.base.identity.identity import Identity
from qinglan.base.identity.refusals import ConflictError, NotThereError
from qinglan.base.scope import EVERYTHING, Scope
from qinglan.core.errors import InputError
from web.people import MAKER, PASSWORD, Clock


def scope(identity: Identity, account: str = "zhang") -> Scope:
    with reading(identity.engine) as connection:
        return grants.scope_of(connection, identity, account)


@pytest.fixture
def zhang(identity: Identity) -> str:
    organisations.add(identity, MAKER, "bureau", title_zh="市局", kind="bureau", places=["211400"])
    organisations.add(identity, MAKER, "branch", title_zh="分局", kind="branch", parent="bureau", places=["211481"])
    accounts.add(identity, MAKER, "zhang", name="某人", organisation="branch")
    return "zhang"


def test_a_grant_lasts_from_its_first_day_up_to_its_last(identity: Identity, zhang: str, clock: Clock) -> None:
    today = identity.today()
    grants.grant(identity, MAKER, zhang, "observer", start=today + timedelta(days=1), end=today + timedelta(days=3))
    seen = []
    for _ in range(4):
        seen.append(scope(identity).may("read"))
        clock.move(days=1)
    assert seen == [False, True, True, False]


def test_a_county_officer_sees_the_places_of_the_branch(identity: Identity, zhang: str) -> None:
    grants.grant(identity, MAKER, zhang, "county_officer")
    found = scope(identity)
    assert found.places == {"211481"}
    assert found.covers("write", place="211481")
    assert not found.covers("write", place="211421")


def test_a_granted_place_brings_those_below_it(identity: Identity, zhang: str) -> None:
    grants.grant(identity, MAKER, zhang, "county_officer", places=["211400"])
    assert scope(identity).places == {"211400", "211481", "211421"}


def test_an_enterprise_sees_itself_and_what_is_below_it_while_it_exists(identity: Identity, clock: Clock) -> None:
    organisations.add(identity, MAKER, "works", title_zh="企业", kind="enterprise")
    organisations.add(identity, MAKER, "works-2", title_zh="二厂", kind="enterprise", parent="works")
    accounts.add(identity, MAKER, "li", name="某人", organisation="works")
    grants.grant(identity, MAKER, "li", "enterprise_contact")
    assert scope(identity, "li").organisations == {"works", "works-2"}
    organisations.change(identity, MAKER, EVERYTHING, "works-2", {"end": identity.today() + timedelta(days=1)})
    clock.move(days=1)
    assert scope(identity, "li").organisations == {"works"}


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("system_administrator", "security_administrator"),
        ("security_administrator", "auditor"),
        ("auditor", "system_administrator"),
        ("system_administrator", "section_officer"),
        ("leader", "auditor"),
        ("observer", "security_administrator"),
    ],
)
def test_the_three_administrators_are_apart_from_each_other_and_from_business(
    identity: Identity, zhang: str, first: str, second: str
) -> None:
    grants.grant(identity, MAKER, zhang, first, media=["air"] if first == "section_officer" else None)
    with pytest.raises(ConflictError, match="三员分立"):
        grants.grant(identity, MAKER, zhang, second, media=["air"])
    # One that begins later would come to the same.
    later = identity.today() + timedelta(days=30)
    with pytest.raises(ConflictError):
        grants.grant(identity, MAKER, zhang, second, media=["air"], start=later)


def test_business_roles_may_be_one_persons(identity: Identity, zhang: str) -> None:
    grants.grant(identity, MAKER, zhang, "section_officer", media=["water"])
    grants.grant(identity, MAKER, zhang, "leader")
    found = scope(identity)
    assert found.media is None
    assert found.covers("read", medium="air")
    assert not found.covers("write", medium="air"), "reading everywhere does not widen writing"


@pytest.mark.parametrize(
    ("role", "limits", "field"),
    [
        ("emperor", {}, "role"),
        ("section_officer", {}, "media"),
        ("operator", {}, "organisations"),
        ("operator", {"organisations_": ["nowhere"]}, "organisation"),
        ("observer", {"places": ["999999"]}, "places"),
    ],
)
def test_grants_that_cannot_be(
    identity: Identity, zhang: str, role: str, limits: dict[str, list[str]], field: str
) -> None:
    with pytest.raises(InputError) as refused:
        grants.grant(identity, MAKER, zhang, role, **limits)
    assert refused.value.field == field
    assert scope(identity).rights == frozenset()


def test_what_was_taken_back_stays_on_file(identity: Identity, zhang: str) -> None:
    made = grants.grant(identity, MAKER, zhang, "observer")
    with pytest.raises(ConflictError):
        grants.grant(identity, MAKER, zhang, "observer")
    grants.revoke(identity, MAKER, zhang, made["id"], reason="期满")
    assert not scope(identity).may("read")
    assert [(one["state"], one["reason"]) for one in grants.listed(identity, zhang)] == [("revoked", "期满")]
    with pytest.raises(NotThereError):
        grants.revoke(identity, MAKER, zhang, made["id"])


def test_organisations_form_no_ring_and_end_after_they_begin(identity: Identity, zhang: str) -> None:
    with pytest.raises(InputError, match="自己的上级"):
        organisations.change(identity, MAKER, EVERYTHING, "bureau", {"parent": "branch"})
    with pytest.raises(InputError, match="终止日期"):
        organisations.change(identity, MAKER, EVERYTHING, "bureau", {"end": identity.today()})
    with pytest.raises(ConflictError):
        organisations.add(identity, MAKER, "bureau", title_zh="又一个", kind="bureau")
    with pytest.raises(InputError, match="club"):
        organisations.add(identity, MAKER, "club", title_zh="俱乐部", kind="club")


def test_a_token_gives_no_more_than_its_account_has_when_it_is_used(
    identity: Identity, zhang: str, clock: Clock
) -> None:
    held = grants.grant(identity, MAKER, zhang, "section_officer", media=["air", "water"])
    _, secret = tokens.add(
        identity, MAKER, zhang, title="同步", rights=["read", "write:outfall"], days=30, media=["water", "soil"]
    )
    found = tokens.find(identity, secret)
    assert found is not None
    assert (found.rights, found.media) == ({"read", "write:outfall"}, {"water"})
    assert found.may("write", "outfall")
    assert not found.may("write", "tailings_pond")
    assert not found.may("export")
    grants.revoke(identity, MAKER, zhang, held["id"])
    assert tokens.find(identity, secret) == Scope.of(zhang, [])
    clock.move(days=30)
    assert tokens.find(identity, secret) is None


def test_a_token_is_kept_as_a_hash_and_ends_when_it_is_revoked(identity: Identity, zhang: str) -> None:
    grants.grant(identity, MAKER, zhang, "observer")
    made, secret = tokens.add(identity, MAKER, zhang, title="同步", rights=["read"], days=1)
    assert secret not in str(tokens.listed(identity, zhang))
    with identity.engine.connect() as connection:
        rows = (
            connection.exec_driver_sql("select * from tokens").all()
            + connection.exec_driver_sql("select detail from trail").all()
        )
    assert secret not in str(rows)
    for wrong in ("", "qlt_", secret[:-1], secret.lower(), str(rows[0][1])):
        assert tokens.find(identity, wrong) is None
    tokens.revoke(identity, MAKER, zhang, made["id"])
    assert tokens.find(identity, secret) is None
    with pytest.raises(NotThereError):
        tokens.revoke(identity, MAKER, zhang, made["id"])


@pytest.mark.parametrize("right", ["administer", "secure", "audit", "fly", "administer:outfall"])
def test_no_token_has_what_asks_for_a_second_factor(identity: Identity, zhang: str, right: str) -> None:
    with pytest.raises(InputError) as refused:
        tokens.add(identity, MAKER, zhang, title="x", rights=["read", right], days=1)
    assert refused.value.field == "rights"


def test_the_first_link_makes_one_administrator_once_and_hands_on_two(identity: Identity, clock: Clock) -> None:
    secret = links.make(identity, MAKER)
    assert not identity.exist()
    with pytest.raises(NotThereError):
        links.redeem(identity, secret + "x", account="chief", name="某甲", password=PASSWORD)
    further = links.redeem(identity, secret, account="chief", name="某甲", password=PASSWORD)
    assert identity.exist()
    assert scope(identity, "chief").rights == {"administer"}
    assert [one["role"] for one in further] == ["security_administrator", "auditor"]
    with pytest.raises(NotThereError):
        links.redeem(identity, secret, account="second", name="某乙", password=PASSWORD)
    with pytest.raises(ConflictError):
        links.make(identity, MAKER)
    assert links.redeem(identity, further[0]["link"], account="guard", name="某乙", password=PASSWORD) == []
    assert scope(identity, "guard").rights == {"secure"}
    assert links.missing(identity) == ["auditor"]
    clock.move(hours=169)
    with pytest.raises(NotThereError):
        links.redeem(identity, further[1]["link"], account="eyes", name="某丙", password=PASSWORD)


def test_an_older_link_ends_with_a_newer_and_all_end_in_a_day(identity: Identity, clock: Clock) -> None:
    older, newer = links.make(identity, MAKER), links.make(identity, MAKER)
    for secret, hours in ((older, 0), (newer, 25)):
        clock.move(hours=hours)
        with pytest.raises(NotThereError):
            links.redeem(identity, secret, account="chief", name="某甲", password=PASSWORD)
    assert not identity.exist()


def test_of_two_who_open_the_link_at_once_one_gets_in(identity: Identity) -> None:
    from concurrent.futures import ThreadPoolExecutor

    secret = links.make(identity, MAKER)

    def opened(number: int) -> bool:
        try:
            links.redeem(identity, secret, account=f"chief{number}", name="某甲", password=PASSWORD)
        except NotThereError:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(opened, range(4))) == [False, False, False, True]
    assert trail.verify(identity.engine) == []
