"""Records: written with their history, two people at one, as of a moment, who may."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from ledgers.conftest import USCC, pond
from qinglan.base.engine import reading
from qinglan.base.schema import audit, ledger_chains
from qinglan.base.scope import EVERYTHING, NOBODY, Scope
from qinglan.core.errors import InputError
from qinglan.ledgers.bulk import bulk
from qinglan.ledgers.erase import erase
from qinglan.ledgers.faults import ConflictError, ForbiddenError, MissingError, RecordError
from qinglan.ledgers.history import history
from qinglan.ledgers.records import create, delete_record, read, restore_record, update_record
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.verify import verify
from qinglan.ledgers.writing import Writing

ALL = Writing(EVERYTHING)
EAST = Scope("east", frozenset({"clerk"}), frozenset({"100001"}), None, None, frozenset({"read", "write"}))


def test_what_is_written_comes_back_in_every_type(ledgers: Ledgers) -> None:
    first = create(ledgers, ALL, "pond", pond(code="W002", name="上游"))
    given = pond(
        grade="two", kinds=["mo", "zn"], built="2001-05-06", checked="2024-03-01T08:00", active=False, owner=USCC,
        head="王小明", location=[120.5, 40.7], upstream="W002", wells=[{"name": "J1", "depth": 12.5}, {"name": "J2"}],
    )  # fmt: skip
    made = create(ledgers, ALL, "pond", given)
    found = read(ledgers, EVERYTHING, "pond", made.record).answer(ledgers.get("pond"), EVERYTHING)
    assert found["version"] == 1
    assert found["label"] == "一号库"
    assert found["values"] == {
        "code": "W001", "name": "一号库", "place": "100001", "grade": "two", "kinds": ["mo", "zn"], "volume": 1000.0,
        "height": 40.0, "share": 25.0, "built": "2001-05-06", "checked": "2024-03-01T08:00:00+08:00", "active": False,
        "owner": USCC, "head": "王小明", "location": {"type": "Point", "coordinates": (120.5, 40.7)},
        "upstream": first.record, "plan": None, "wells": [{"name": "J1", "depth": 12.5}, {"name": "J2", "depth": None}],
    }  # fmt: skip


def test_every_fault_is_named_at_once(ledgers: Ledgers) -> None:
    wrong = pond(
        code="X", name="长" * 21, place="东区", grade="three", volume=-1, height="高", built="2999-01-01",
        active="也许", owner="123", location=[200, 40], upstream="W999", wells=[{"depth": -1}], colour="red",
    )  # fmt: skip
    with pytest.raises(RecordError) as refused:
        create(ledgers, ALL, "pond", wrong)
    named = {fault.field for fault in refused.value.faults}
    assert named == {
        "code", "name", "place", "grade", "volume", "height", "built", "active", "owner", "location", "upstream",
        "wells.name", "wells.depth", "colour",
    }  # fmt: skip
    assert all(fault.zh and fault.en for fault in refused.value.faults)
    assert {error["field"] for error in refused.value.problem()["errors"]} == named


def test_a_key_is_unique_among_the_living(ledgers: Ledgers) -> None:
    made = create(ledgers, ALL, "pond", pond())
    with pytest.raises(RecordError, match="W001"):
        create(ledgers, ALL, "pond", pond(name="另一座"))
    delete_record(ledgers, replace(ALL, why="闭库"), "pond", made.record)
    create(ledgers, ALL, "pond", pond(name="新一号"))
    with pytest.raises(RecordError, match="W001"):
        restore_record(ledgers, replace(ALL, why="误删"), "pond", made.record)


def test_an_update_changes_what_is_said_and_history_says_what(ledgers: Ledgers) -> None:
    made = create(ledgers, ALL, "pond", pond(active=True))
    changed = update_record(
        ledgers, replace(ALL, why="换证"), "pond", made.record, {"volume": 2000, "active": False}, version=1
    )
    assert (changed.version, changed.values["volume"], changed.values["share"]) == (2, 2000.0, 50.0)
    assert changed.values["name"] == "一号库"
    newest, oldest = history(ledgers, EVERYTHING, "pond", made.record)
    assert (newest["version"], newest["action"], newest["why"], newest["who"]) == (2, "update", "换证", "local")
    assert [(one["field"], one["before"], one["after"]) for one in newest["changes"]] == [
        ("volume", 1000.0, 2000.0),
        ("active", True, False),
    ]
    assert oldest["action"] == "create"
    same = update_record(ledgers, ALL, "pond", made.record, {"volume": 2000}, version=2)
    assert same.version == 2, "a write that changes nothing is no version"


def test_the_second_of_two_sees_who_changed_what_and_may_merge(ledgers: Ledgers) -> None:
    made = create(ledgers, ALL, "pond", pond())
    first = Writing(replace(EVERYTHING, account="wang"))
    second = Writing(replace(EVERYTHING, account="li"))
    update_record(ledgers, first, "pond", made.record, {"volume": 1500}, version=1)
    with pytest.raises(ConflictError) as told:
        update_record(ledgers, second, "pond", made.record, {"height": 50}, version=1)
    assert told.value.who == "wang"
    assert told.value.current == 2
    assert [(one["field"], one["after"]) for one in told.value.problem()["changes"]] == [("volume", 1500.0)]
    merged = update_record(ledgers, second, "pond", made.record, pond(height=50), version=1, merge=True)
    assert (merged.version, merged.values["volume"], merged.values["height"], merged.values["share"]) == (
        3,
        1500.0,
        50.0,
        30.0,
    )
    with pytest.raises(ConflictError):
        update_record(ledgers, second, "pond", made.record, {"volume": 1}, version=1, merge=True)


def test_as_of_a_moment(ledgers: Ledgers) -> None:
    then = [datetime(2024, month, 1, tzinfo=UTC) for month in (1, 2, 3, 4, 5)]
    made = create(ledgers, replace(ALL, at=then[0]), "pond", pond())
    update_record(ledgers, replace(ALL, at=then[2]), "pond", made.record, {"volume": 5}, version=1)
    delete_record(ledgers, replace(ALL, at=then[4], why="闭库"), "pond", made.record)
    assert read(ledgers, EVERYTHING, "pond", made.record, as_of=then[1]).values["volume"] == 1000.0
    assert read(ledgers, EVERYTHING, "pond", made.record, as_of=then[3]).values["volume"] == 5.0
    for gone in (datetime(2023, 1, 1, tzinfo=UTC), datetime(2024, 6, 1, tzinfo=UTC)):
        with pytest.raises(MissingError):
            read(ledgers, EVERYTHING, "pond", made.record, as_of=gone)


def test_deleting_needs_a_reason_and_can_be_undone(ledgers: Ledgers) -> None:
    made = create(ledgers, ALL, "pond", pond())
    with pytest.raises(InputError, match="原因"):
        delete_record(ledgers, ALL, "pond", made.record)
    delete_record(ledgers, replace(ALL, why="重复"), "pond", made.record, version=1)
    with pytest.raises(InputError, match="恢复"):
        update_record(ledgers, ALL, "pond", made.record, {"volume": 1}, version=2)
    back = restore_record(ledgers, replace(ALL, why="不重复"), "pond", made.record)
    assert (back.version, back.deleted, back.values["volume"]) == (3, None, 1000.0)
    assert [one["action"] for one in history(ledgers, EVERYTHING, "pond", made.record)] == [
        "restore",
        "delete",
        "create",
    ]


def test_bulk_answers_row_by_row(ledgers: Ledgers) -> None:
    made = create(ledgers, ALL, "pond", pond())
    outcomes = bulk(
        ledgers,
        replace(ALL, why="年度核对"),
        "pond",
        [
            {"action": "create", "values": pond(code="W002")},
            {"action": "create", "values": pond(code="bad")},
            {"action": "update", "record": made.record, "version": 9, "values": {"volume": 1}},
            {"action": "delete", "record": made.record},
        ],
    )
    assert [one.done for one in outcomes] == [True, False, False, True]
    assert outcomes[1].problem is not None
    assert outcomes[1].problem["field"] == "code"


def test_a_place_limits_who_reads_and_writes(ledgers: Ledgers) -> None:
    west = create(ledgers, ALL, "pond", pond(code="W002", place="100002"))
    east = create(ledgers, Writing(EAST), "pond", pond())
    assert read(ledgers, EAST, "pond", east.record).record == east.record
    for asked in (read, history):
        with pytest.raises(MissingError):
            asked(ledgers, EAST, "pond", west.record)
    with pytest.raises(MissingError):
        update_record(ledgers, Writing(EAST), "pond", west.record, {"volume": 1}, version=1)
    with pytest.raises(ForbiddenError):
        create(ledgers, Writing(EAST), "pond", pond(code="W003", place="100002"))
    with pytest.raises(ForbiddenError):
        update_record(ledgers, Writing(EAST), "pond", east.record, {"place": "100002"}, version=1)
    with pytest.raises(ForbiddenError):
        create(ledgers, Writing(NOBODY), "pond", pond(code="W004"))
    reader = replace(EAST, rights=frozenset({"read"}))
    with pytest.raises(ForbiddenError):
        update_record(ledgers, Writing(reader), "pond", east.record, {"volume": 1}, version=1)


def test_personal_data_is_masked_in_records_history_and_conflicts(ledgers: Ledgers) -> None:
    made = create(ledgers, ALL, "pond", pond(head="王小明"))
    ledger = ledgers.get("pond")
    assert read(ledgers, EAST, "pond", made.record).answer(ledger, EAST)["values"]["head"] == "王**"
    assert "王小明" not in str(history(ledgers, EAST, "pond", made.record))
    update_record(ledgers, ALL, "pond", made.record, {"head": "李四光"}, version=1)
    with pytest.raises(ConflictError) as told:
        update_record(ledgers, Writing(EAST), "pond", made.record, {"volume": 1}, version=1)
    assert "李四光" not in str(told.value.problem())


def test_erasing_a_person_leaves_the_chain_whole(ledgers: Ledgers) -> None:
    made = create(ledgers, ALL, "pond", pond(head="王小明"))
    update_record(ledgers, ALL, "pond", made.record, {"volume": 5}, version=1)
    assert erase(ledgers, replace(ALL, why="本人要求"), "pond", made.record) == 2
    assert read(ledgers, EVERYTHING, "pond", made.record).values["head"] is None
    with reading(ledgers.engine) as connection:
        rows = connection.execute(select(ledgers.tables("pond").versions)).mappings().all()
    assert "王小明" not in str([dict(row) for row in rows])
    assert list(verify(ledgers)) == []


def test_each_write_is_audited_and_counted(ledgers: Ledgers) -> None:
    made = create(ledgers, ALL, "pond", pond())
    create(ledgers, ALL, "pond", pond(code="W002"))
    update_record(ledgers, ALL, "pond", made.record, {"volume": 5}, version=1)
    delete_record(ledgers, replace(ALL, why="闭库"), "pond", made.record)
    with reading(ledgers.engine) as connection:
        said = connection.scalars(select(audit.c.what).order_by(audit.c.id)).all()
        chain = connection.execute(select(ledger_chains)).mappings().one()
    assert said == ["ledger.create", "ledger.create", "ledger.update", "ledger.delete"]
    assert (chain["seq"], chain["live"]) == (4, 1)
