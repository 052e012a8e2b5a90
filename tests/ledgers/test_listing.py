"""Lists: typed filters, sorts and pages against a list made by hand, and what a scope must not learn."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from ledgers.conftest import pond
from ledgers.test_records import EAST
from qinglan.base.engine import transaction
from qinglan.base.scope import EVERYTHING, Scope
from qinglan.core.errors import InputError
from qinglan.ledgers import listing
from qinglan.ledgers.faults import ForbiddenError
from qinglan.ledgers.filters import Filter
from qinglan.ledgers.forms import schema
from qinglan.ledgers.listing import Query, page
from qinglan.ledgers.records import create, delete_record
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.validate import check
from qinglan.ledgers.writing import Writing, insert_many

ALL = Writing(EVERYTHING)
ROWS = [
    {"code": "W001", "name": "甲库", "volume": 10, "place": "100001", "built": "2001-01-01", "active": True,
     "kinds": ["mo"]},
    {"code": "W002", "name": "乙库", "volume": 30, "place": "100002", "built": "2002-02-02", "active": False},
    {"code": "W003", "name": "丙%库", "volume": 20, "place": "100002-park", "kinds": ["mo", "zn"], "grade": "one"},
    {"code": "W004", "name": "丁_库", "place": "100000", "head": "王小明", "location": [120.5, 40.5]},
    {"code": "W005", "name": "Wu", "volume": 30, "place": "100001", "grade": "two", "location": [121.5, 41.5]},
]  # fmt: skip


@pytest.fixture
def filled(ledgers: Ledgers) -> Ledgers:
    for row in ROWS:
        create(ledgers, ALL, "pond", row)
    return ledgers


def codes(ledgers: Ledgers, scope: Scope = EVERYTHING, **query: Any) -> list[str]:
    return [record.values["code"] for record in page(ledgers, scope, "pond", Query(**query)).records]


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("volume:ge:20", ["W002", "W003", "W005"]),
        ("volume:between:10..20", ["W001", "W003"]),
        ("volume:blank", ["W004"]),
        ("volume:ne:30", ["W001", "W003", "W004"]),
        ("name:contains:库", ["W001", "W002", "W003", "W004"]),
        ("name:contains:%", ["W003"]),
        ("name:contains:_", ["W004"]),
        ("name:starts:w", ["W005"]),
        ("name:eq:甲库' OR '1'='1", []),
        ("code:in:W001,W004", ["W001", "W004"]),
        ("place:eq:100002", ["W002"]),
        ("place:below:100002", ["W002", "W003"]),
        ("built:lt:2002-02-02", ["W001"]),
        ("active:eq:false", ["W002"]),
        ("active:filled", ["W001", "W002"]),
        ("kinds:has:mo", ["W001", "W003"]),
        ("kinds:has:m", []),
        ("location:bbox:120,40,121,41", ["W004"]),
        ("location:filled", ["W004", "W005"]),
        ("updated:ge:2020-01-01", ["W001", "W002", "W003", "W004", "W005"]),
        ("updated:eq:2020-01-01", []),
        ("created_by:eq:local", ["W001", "W002", "W003", "W004", "W005"]),
        ("simulated:eq:true", []),
    ],
)
def test_a_filter(filled: Ledgers, asked: str, found: list[str]) -> None:
    assert sorted(codes(filled, filters=(Filter.read(asked),))) == found


@pytest.mark.parametrize(
    "asked",
    [
        "colour:eq:red",
        "volume:contains:1",
        "volume:ge:much",
        "wells:eq:1",
        "built:eq:yesterday",
        "location:bbox:1,2",
        "x",
    ],
)
def test_a_filter_that_cannot_be_is_refused_by_name(filled: Ledgers, asked: str) -> None:
    with pytest.raises(InputError) as refused:
        codes(filled, filters=(Filter.read(asked),))
    assert refused.value.field in ("filter", "bbox")


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("volume", ["W001", "W003", "W002", "W005", "W004"]),
        ("-volume", ["W005", "W002", "W003", "W001", "W004"]),
        ("built", ["W001", "W002", "W003", "W004", "W005"]),
        ("-code", ["W005", "W004", "W003", "W002", "W001"]),
        ("created", ["W001", "W002", "W003", "W004", "W005"]),
    ],
)
@pytest.mark.parametrize("limit", [1, 2, 5])
def test_pages_follow_each_other_in_every_sort(filled: Ledgers, sort: str, found: list[str], limit: int) -> None:
    walked, cursor, pages = [], "", 0
    while True:
        one = page(filled, EVERYTHING, "pond", Query(sort=sort, limit=limit, cursor=cursor))
        walked += [record.values["code"] for record in one.records]
        pages += 1
        if one.cursor is None:
            break
        cursor = one.cursor
    assert walked == found
    assert pages == -(-5 // limit)


@pytest.mark.parametrize("cursor", ["x", "W10", "bnVsbA", "WyJuYW1lIixmYWxzZSx7fSwicmVjIl0"])
def test_a_cursor_that_was_not_given_is_refused(filled: Ledgers, cursor: str) -> None:
    with pytest.raises(InputError, match="cursor"):
        codes(filled, sort="name", cursor=cursor)


def test_searching_goes_through_texts_but_not_personal_data(filled: Ledgers) -> None:
    assert codes(filled, search="库 w00", sort="code") == ["W001", "W002", "W003", "W004"]
    assert codes(filled, search="wu") == ["W005"]
    assert codes(filled, search="王小明") == []
    assert codes(filled, search="%") == ["W003"]


def test_a_scope_sees_its_places_and_counts_only_them(filled: Ledgers) -> None:
    found = page(filled, EAST, "pond", Query())
    assert sorted(record.values["code"] for record in found.records) == ["W001", "W005"]
    assert (found.count, found.count_is_exact) == (2, True)
    assert page(filled, EVERYTHING, "pond", Query()).count == 5


def test_who_may_not_see_a_value_may_not_guess_it(filled: Ledgers) -> None:
    for query in ({"filters": (Filter.read("head:starts:王"),)}, {"sort": "head"}):
        with pytest.raises(InputError):
            codes(filled, EAST, **query)
    assert codes(filled, filters=(Filter.read("head:starts:王"),)) == ["W004"]


def test_no_right_no_list(filled: Ledgers) -> None:
    with pytest.raises(ForbiddenError):
        codes(filled, replace(EAST, rights=frozenset()))
    with pytest.raises(ForbiddenError):
        list(listing.every(filled, EAST, "pond", Query()))


def test_deleted_records_are_listed_only_when_asked(filled: Ledgers) -> None:
    first = page(filled, EVERYTHING, "pond", Query(sort="code", limit=1)).records[0]
    delete_record(filled, replace(ALL, why="闭库"), "pond", first.record)
    assert "W001" not in codes(filled)
    assert "W001" in codes(filled, deleted=True)


def test_a_list_as_of_a_moment(ledgers: Ledgers) -> None:
    moments = [datetime(2024, month, 1, tzinfo=UTC) for month in (1, 3)]
    records = [
        create(ledgers, replace(ALL, at=at), "pond", pond(code=f"W00{number}", place=place)).record
        for number, (at, place) in enumerate(zip(moments, ("100001", "100002"), strict=True), start=1)
    ]
    delete_record(ledgers, replace(ALL, why="闭库", at=datetime(2024, 4, 1, tzinfo=UTC)), "pond", records[0])
    assert codes(ledgers, as_of=datetime(2024, 2, 1, tzinfo=UTC)) == ["W001"]
    assert codes(ledgers, as_of=datetime(2024, 3, 2, tzinfo=UTC), limit=1) == ["W001"]
    assert sorted(codes(ledgers, as_of=datetime(2024, 3, 2, tzinfo=UTC))) == ["W001", "W002"]
    assert codes(ledgers, as_of=datetime(2024, 5, 1, tzinfo=UTC)) == ["W002"]
    assert codes(ledgers, EAST, as_of=datetime(2024, 3, 2, tzinfo=UTC)) == ["W001"]


def test_long_lists_are_sorted_as_declared_only(filled: Ledgers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "SORTED_WITHOUT_INDEX", 4)
    assert len(codes(filled, sort="-volume")) == 5
    with pytest.raises(InputError, match="声明的排序"):
        codes(filled, sort="height")


def test_counts_stop_where_they_would_cost(filled: Ledgers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNTED", 2)
    found = page(filled, EVERYTHING, "pond", Query(filters=(Filter.read("volume:filled"),), limit=1))
    assert (found.count, found.count_is_exact) == (2, False)


def test_a_declared_sort_is_read_from_its_index(ledgers: Ledgers) -> None:
    ledger = ledgers.get("pond")
    some = [check(ledger, pond(code=f"W{n:03}", name=f"库{n}"), ledgers.context()).values for n in range(500)]
    with transaction(ledgers.engine) as connection:
        insert_many(connection, ledgers, ledger, ALL, some)
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(
                "EXPLAIN QUERY PLAN SELECT * FROM ledger_pond WHERE deleted IS NULL AND name IS NOT NULL "
                "AND (name, record) > ('库1', '') ORDER BY name, record LIMIT 51"
            ).all()
            assert "ix_ledger_pond_name" in str(plan)
            assert "TEMP B-TREE" not in str(plan)
    assert page(ledgers, EVERYTHING, "pond", Query(limit=7)).count == 500


def test_the_schema_says_what_a_form_and_a_filter_need(filled: Ledgers) -> None:
    found = schema(filled, EAST, filled.get("pond"))
    fields = {one["id"]: one for one in found["fields"]}
    assert fields["code"]["required"]
    assert fields["grade"]["codes"][0] == {"code": "one", "title": {"zh": "一等", "en": "First"}, "in_force": True}
    assert fields["head"]["masked"] is True
    assert fields["share"]["editable"] is False
    assert [inner["id"] for inner in fields["wells"]["fields"]] == ["name", "depth"]
    assert found["related"] == [
        {"ledger": "pond", "title": {"zh": "尾矿库", "en": "Tailings ponds"}, "field": "upstream"}
    ]
    assert found["rights"] == ["read", "write"]
