"""Entries taken back or superseded stay listed; figures that cannot be are refused, unlikely ones remarked on."""

from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import func, select

from qinglan.base.engine import reading
from qinglan.base.schema import audit, indicator_values
from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING
from qinglan.indicators import board, entries, record, store
from qinglan.indicators.declare import Indicator
from qinglan.indicators.evaluate import evaluate

PM = "air.pm25_mean"
FOREST = "ecology.forest_cover"
FEBRUARY, MARCH = date(2026, 2, 1), date(2026, 3, 1)
LATER = date(2026, 6, 1)


def confirm(application, value, day, *, at=None, note=None):
    store.confirm(application.engine, PM, 2025, value, document=f"函{value}", document_date=day, recorded=at, note=note)


def issue(application, value, day):
    store.issue_target(application.engine, PM, 2025, value, document=f"文{value}", document_date=day)


def ended(application, day=LATER):
    return [
        (one.what, one.value, one.how, one.reason, one.superseded_by)
        for one in entries.ended(application.engine, PM, day)
    ]


def test_a_withdrawal_takes_the_value_back_and_no_earlier_one_returns(application):
    confirm(application, 33.1, FEBRUARY)
    confirm(application, 331, MARCH, note="更正")
    assert ended(application) == [("confirmed", 33.1, "superseded", "更正", "local")]
    entries.withdraw_confirmed(application.engine, PM, 2025, note="小数点错位", who="zhang")
    assert store.values(application.engine, LATER) == []
    assert store.values(application.engine, FEBRUARY) == []
    assert ended(application) == [
        ("confirmed", 33.1, "superseded", "更正", "local"),
        ("confirmed", 331, "withdrawn", "小数点错位", "zhang"),
    ]
    confirm(application, 33.2, MARCH)
    assert [value.value for value in store.values(application.engine, LATER)] == [33.2]
    assert len(ended(application)) == 2
    with reading(application.engine) as connection:
        rows = connection.execute(select(func.count()).select_from(indicator_values)).scalar()
        said = connection.execute(select(audit.c.what, audit.c.who, audit.c.detail).order_by(audit.c.id)).all()
    assert rows == 4  # three entries and the withdrawal: none is gone
    assert said[2] == (
        "indicator.confirm.withdraw",
        "zhang",
        {"year": 2025, "value": 331.0, "document": "函331", "reason": "小数点错位"},
    )


def test_what_was_known_before_a_withdrawal_can_be_asked_for(application):
    first, second = datetime(2026, 3, 2, tzinfo=BEIJING), datetime(2026, 3, 9, tzinfo=BEIJING)
    confirm(application, 331, MARCH, at=first)
    entries.withdraw_confirmed(application.engine, PM, 2025, note="错", recorded=second)
    between = datetime(2026, 3, 5, tzinfo=BEIJING)
    assert [value.value for value in store.values(application.engine, LATER, known_by=between)] == [331]
    assert entries.ended(application.engine, PM, LATER, known_by=between) == []
    (listed,) = entries.ended(application.engine, PM, LATER)
    assert (listed.recorded, listed.superseded) == (first, second)


def test_targets_supersede_each_other_by_their_documents(application):
    issue(application, 35, date(2023, 4, 1))
    issue(application, 36, date(2021, 9, 1))  # the older document is entered afterwards
    assert [target.value for target in store.issued_targets(application.engine, LATER)] == [36, 35]
    assert ended(application) == [("target", 36, "superseded", None, "local")]
    entries.withdraw_target(application.engine, PM, 2025, note="作废")
    assert store.issued_targets(application.engine, LATER) == []
    assert {(value, how) for _, value, how, _, _ in ended(application)} == {(36, "superseded"), (35, "withdrawn")}
    issue(application, 34, date(2021, 1, 1))
    assert [target.value for target in store.issued_targets(application.engine, LATER)] == [34]
    assert 34 not in {value for _, value, *_ in ended(application)}


@pytest.mark.parametrize("withdraw", [entries.withdraw_confirmed, entries.withdraw_target])
def test_nothing_and_no_reason_are_refused(application, withdraw):
    with pytest.raises(InputError) as nothing:
        withdraw(application.engine, PM, 2025, note="错")
    confirm(application, 33.1, MARCH)
    issue(application, 35, MARCH)
    with pytest.raises(InputError) as silent:
        withdraw(application.engine, PM, 2025, note="  ")
    withdraw(application.engine, PM, 2025, note="错")
    with pytest.raises(InputError) as twice:
        withdraw(application.engine, PM, 2025, note="错")
    assert [refusal.value.field for refusal in (nothing, silent, twice)] == ["year", "note", "year"]


def test_the_indicator_lists_what_no_longer_counts(application, report):
    report(FOREST, 2025, 36.66)
    evaluate(application, date(2026, 3, 1), [FOREST])
    record.confirm(application, FOREST, 2025, 36.16, document="省公报", document_date=MARCH)
    found = record.withdraw(application, FOREST, 2025, note="录入有误")
    assert (found["latest"]["value"], found["shown_kind"], found["confirmed"]) == (36.66, "reported", None)
    (listed,) = found["superseded"]
    assert (listed["text"], listed["document_date"], listed["reason"]) == ("36.16", "2026-03-01", "录入有误")
    assert "36.16" not in {entry["text"] for entry in found["history"]}
    assert board.indicator(application, FOREST, date(2026, 2, 28))["superseded"] == []


@pytest.mark.parametrize(("value", "warned"), [(12.2, True), (12.3, False), (36.66, False), (99.9, False)])
def test_three_times_off_the_own_figure_is_remarked_on_and_recorded(application, report, value, warned):
    report(FOREST, 2025, 36.66)  # a third is 12.22, three times are 109.98
    evaluate(application, date(2026, 3, 1), [FOREST])
    found = record.confirm(application, FOREST, 2025, value, document="省公报", document_date=MARCH)
    assert found["confirmed"]["value"] == value
    assert bool(found["warnings"]) == warned
    assert all("36.66" in warning["zh"] for warning in found["warnings"])


@pytest.mark.parametrize(
    ("indicator", "value", "bounds"),
    [
        (FOREST, 100.01, "0 至 100"),
        (FOREST, -0.01, "0 至 100"),
        (PM, 0.0, "0.1 至 1000"),
        ("emissions.cod_reduction", -0.1, "0 至 1000"),
        ("climate.carbon_intensity_reduction", 101.0, "-100 至 100"),
    ],
)
def test_what_cannot_be_is_refused_with_the_bounds(application, indicator, value, bounds):
    with pytest.raises(InputError) as refusal:
        record.confirm(application, indicator, 2025, value, document="省函", document_date=MARCH)
    assert refusal.value.field == "value"
    assert bounds in refusal.value.zh
    assert store.values(application.engine, LATER) == []


def test_a_rise_of_the_intensity_is_a_figure_too(application):
    found = record.confirm(
        application, "climate.carbon_intensity_reduction", 2025, -1.2, document="省函", document_date=MARCH
    )
    assert found["confirmed"]["value"] == -1.2


def test_every_indicator_is_bounded(application):
    bare = [one.id for one in application.declarations.of(Indicator).values() if one.plausible.low is None]
    assert bare == []
