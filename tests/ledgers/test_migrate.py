"""A declaration that changes: what is applied, what is refused with its command, and that history still reads."""

from __future__ import annotations

import pytest
from sqlalchemy import inspect

from ledgers.conftest import POND, Opener, pond
from qinglan.base.engine import reading
from qinglan.base.scope import EVERYTHING
from qinglan.core.errors import DeclarationError
from qinglan.ledgers import migrate
from qinglan.ledgers.history import history
from qinglan.ledgers.listing import Query, page
from qinglan.ledgers.records import create, read, update_record
from qinglan.ledgers.verify import verify
from qinglan.ledgers.writing import Writing

ALL = Writing(EVERYTHING)


ADDED = """  - {id: colour, title: {zh: 颜色, en: Colour}}
  - {id: shape, title: {zh: 范围, en: Shape}, type: geometry, of: polygon}
  - {id: double, title: {zh: 倍, en: Double}, type: computed, expression: volume * 2.0}
  - id: wells"""


def changed(*pairs: tuple[str, str]) -> str:
    text = POND
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


def test_opening_again_changes_nothing(opened: Opener) -> None:
    first = opened()
    record = create(first, ALL, "pond", pond()).record
    again = opened()
    assert again.refused == {}
    assert read(again, EVERYTHING, "pond", record).values["name"] == "一号库"


def test_new_fields_sorts_and_wider_bounds_are_applied(opened: Opener) -> None:
    record = create(opened(), ALL, "pond", pond(wells=[{"name": "J1", "depth": 3}])).record
    text = changed(
        ("sorts: [name, -volume, built]", "sorts: [volume, colour]"),
        ("maximum: 100000000", "maximum: 200000000"),
        ("      - {id: depth", "      - {id: made, title: {zh: 成井, en: Made}, type: date}\n      - {id: depth"),
        ("  - id: wells", ADDED),
    )
    ledgers = opened(text)
    assert ledgers.refused == {}
    found = read(ledgers, EVERYTHING, "pond", record)
    assert (found.values["colour"], found.values["double"]) == (None, 2000.0)
    assert found.values["wells"] == [{"name": "J1", "made": None, "depth": 3.0}]
    update_record(ledgers, ALL, "pond", record, {"colour": "红", "volume": 150000000}, version=1)
    assert page(ledgers, EVERYTHING, "pond", Query(sort="colour")).records[0].values["colour"] == "红"
    names = {index["name"] for index in inspect(ledgers.engine).get_indexes("ledger_pond")}
    assert "ix_ledger_pond_colour" in names
    assert "ix_ledger_pond_built" not in names
    assert list(verify(ledgers)) == []


def test_a_field_is_renamed_with_its_data_and_its_history(opened: Opener) -> None:
    ledgers = opened()
    record = create(ledgers, ALL, "pond", pond(location=[120, 40], wells=[{"name": "J1"}])).record
    update_record(ledgers, ALL, "pond", record, {"volume": 7}, version=1)
    text = changed(
        ("- {id: volume,", "- {id: capacity, was: volume,"),
        ("expression: volume / height", "expression: capacity / height"),
        ("sorts: [name, -volume, built]", "sorts: [name, -capacity, built]"),
        ("- {id: location,", "- {id: position_of, was: location,"),
        ("- id: wells", "- id: borings\n    was: wells"),
    )
    ledgers = opened(text)
    assert ledgers.refused == {}
    found = read(ledgers, EVERYTHING, "pond", record).values
    assert (found["capacity"], found["borings"][0]["name"], found["share"]) == (7.0, "J1", 0.18)
    newest = history(ledgers, EVERYTHING, "pond", record)[0]
    assert [(one["field"], one["before"], one["after"]) for one in newest["changes"]] == [("capacity", 1000.0, 7.0)]
    assert page(ledgers, EVERYTHING, "pond", Query(sort="-capacity", bbox="119,39,121,41")).records
    assert list(verify(ledgers)) == []
    update_record(ledgers, ALL, "pond", record, {"capacity": 8}, version=2)
    assert list(verify(ledgers)) == []


DESTRUCTIVE = [
    (("  - {id: active, title: {zh: 在用, en: Active}, type: boolean}\n", ""), "active"),
    (("en: Built}, type: date, maximum: today}", "en: Built}}"), "built"),
    (("unit: m3,", "unit: t,"), "volume"),
    (("key: code\n", "key: name\n"), "主键"),
    (("type: code, many: true,", "type: code,"), "kinds"),
    (("en: Depth}, type: quantity, unit: m, minimum: 0}", "en: Depth}}"), "wells.depth"),
    (("minimum: 0, maximum: 100000000", "minimum: 0, maximum: 999"), "volume"),
    (("type: boolean}", "type: boolean, required: true}"), "active"),
    (("{one: 一等 / First, two: 二等 / Second}", "{two: 二等 / Second}"), "grade"),
    (("max_length: 20", "max_length: 2"), "name"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "named"), DESTRUCTIVE, ids=[named for _, named in DESTRUCTIVE])
def test_what_would_lose_data_is_refused_with_the_command(opened: Opener, change: tuple[str, str], named: str) -> None:
    record = create(opened(), ALL, "pond", pond(grade="one", built="2001-01-01", kinds=["mo"])).record
    ledgers = opened(changed(change))
    with pytest.raises(DeclarationError) as refused:
        ledgers.get("pond")
    assert named in refused.value.zh
    assert "qinglan ledger migrate pond --destructive" in refused.value.zh
    back = opened()
    assert read(back, EVERYTHING, "pond", record).values["built"] is not None


def test_narrowing_that_all_records_fit_is_applied(opened: Opener) -> None:
    create(opened(), ALL, "pond", pond(active=True, grade="two"))
    text = changed(
        ("type: boolean}", "type: boolean, required: true}"),
        ("{one: 一等 / First, two: 二等 / Second}", "{two: 二等 / Second}"),
        ("maximum: 100000000", "maximum: 1000"),
    )
    assert opened(text).refused == {}


def test_destructive_when_said_so_keeps_the_history(opened: Opener) -> None:
    record = create(opened(), ALL, "pond", pond(active=True, built="2001-01-01")).record
    text = changed(DESTRUCTIVE[0][0], DESTRUCTIVE[1][0])
    ledgers = opened(text)
    plan = migrate.apply(ledgers.engine, ledgers.declared["pond"], ledgers.context(), destructive=True)
    assert set(plan.dropped) == {"active", "built"}
    ledgers = opened(text)
    found = read(ledgers, EVERYTHING, "pond", record).values
    assert "active" not in found
    assert found["built"] is None
    assert list(verify(ledgers)) == []
    with reading(ledgers.engine) as connection:
        kept = connection.exec_driver_sql("SELECT content FROM ledger_pond_versions ORDER BY seq").scalars().first()
    assert '"active":true' in str(kept)


def test_a_refused_ledger_leaves_the_others_working(opened: Opener) -> None:
    other = POND.replace("ledger: pond", "ledger: dam").replace("ledger: pond", "ledger: dam")
    create(opened(POND, other), ALL, "pond", pond())
    ledgers = opened(changed(("maximum: 100000000", "maximum: 999")), other)
    assert set(ledgers.refused) == {"pond"}
    assert create(ledgers, ALL, "dam", pond()).version == 1
