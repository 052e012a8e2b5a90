"""A scope becomes a condition in one place: grants do not lend their limits to each other."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Column, MetaData, String, Table, create_engine, select

from qinglan.base.scope import EVERYTHING, NOBODY, RIGHTS, Scope, masks, visible

TABLE = Table("t", MetaData(), *(Column(name, String) for name in ("id", "place", "organisation", "medium")))
ROWS = [
    {"id": "county-air", "place": "211481", "organisation": "e1", "medium": "air"},
    {"id": "county-water", "place": "211481", "organisation": "e2", "medium": "water"},
    {"id": "other-air", "place": "211421", "organisation": "e1", "medium": "air"},
    {"id": "other-water", "place": "211421", "organisation": "e2", "medium": "water"},
    {"id": "nowhere", "place": None, "organisation": None, "medium": None},
]
ALL = {row["id"] for row in ROWS}


def part(rights: str, places: str | None = None, organisations: str | None = None, media: str | None = None) -> Scope:
    def sets(text: str | None) -> frozenset[str] | None:
        return None if text is None else frozenset(text.split())

    return Scope("a", frozenset(), sets(places), sets(organisations), sets(media), frozenset(rights.split()))


def seen(scope: Scope, right: str = "read", ledger: str | None = None) -> set[str]:
    engine = create_engine("sqlite://")
    TABLE.metadata.create_all(engine)
    with engine.begin() as connection:
        connection.execute(TABLE.insert(), ROWS)
        condition = visible(
            TABLE, scope, place="place", organisation="organisation", medium="medium", right=right, ledger=ledger
        )
        return set(connection.scalars(select(TABLE.c.id).where(condition)))


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        (EVERYTHING, ALL),
        (NOBODY, set()),
        (part("read"), ALL),
        (part("write"), set()),
        (part("read", places="211481"), {"county-air", "county-water"}),
        (part("read", places="211481", media="air"), {"county-air"}),
        (part("read", organisations="e1"), {"county-air", "other-air"}),
        (part("read", places=""), set()),
        (part("read:outfall"), set()),
    ],
)
def test_who_sees_which_rows(scope: Scope, expected: set[str]) -> None:
    assert seen(scope) == expected


def test_a_right_of_one_ledger_holds_in_it_alone() -> None:
    assert seen(part("read:outfall"), ledger="outfall") == ALL
    assert seen(part("read:outfall"), ledger="tailings_pond") == set()


def test_grants_do_not_lend_their_limits_to_each_other() -> None:
    both = Scope.of("a", [part("read write", places="211481", media="water"), part("read", media="air")])
    assert seen(both) == {"county-water", "county-air", "other-air"}
    assert seen(both, "write") == {"county-water"}
    # One union of all grants, which is what the fields alone say, would have let it write everywhere.
    assert seen(replace(both, parts=()), "write") == {"county-air", "county-water", "other-air", "other-water"}
    assert both.covers("write", place="211481", medium="water")
    assert not both.covers("write", place="211481", medium="air")
    assert not both.covers("write", place="211421")


def test_no_grant_is_nothing() -> None:
    assert seen(Scope.of("a", [])) == set()
    assert not any(Scope.of("a", []).may(right) for right in RIGHTS)


def test_masks_fall_only_for_who_may_see_personal_data() -> None:
    fields = {"phone": "phone", "id_number": "id_number", "contact": "name"}
    hidden = masks(part("read"), fields)
    given = {"phone": "13800001234", "id_number": "211402199001011234", "contact": "王小明"}
    assert {name: hidden[name](value) for name, value in given.items()} == {
        "phone": "138****1234",
        "id_number": "211402********1234",
        "contact": "王**",
    }
    assert hidden["phone"](None) is None
    assert masks(part("read personal"), fields) == {}
