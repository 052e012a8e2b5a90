from __future__ import annotations

from datetime import date, datetime

import pytest
from sqlalchemy import func, select

from qinglan.base.engine import reading
from qinglan.base.schema import audit, indicator_values
from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING
from qinglan.indicators import store
from qinglan.indicators.compute import Estimate
from qinglan.indicators.declare import Target

PM = "air.pm25_mean"


@pytest.fixture
def ground(application):
    return application.declarations.get(Target, "huludao-14fyp.01").goal


def made(value, period="2025"):
    return Estimate(indicator=PM, period=period, value=value, text=str(value), function=PM)


def test_a_number_that_comes_out_as_before_is_not_recorded_again(application, ground):
    def record(value):
        return store.record_estimates(application.engine, [(made(value), ground)], as_of=date(2026, 1, 2))

    assert [record(34.6), record(34.6), record(34.7), record(34.6)] == [1, 0, 1, 1]
    found = store.values(application.engine, date(2026, 1, 2))
    assert [value.value for value in found] == [34.6, 34.7, 34.6]
    with reading(application.engine) as connection:
        still = connection.execute(
            select(func.count()).where(indicator_values.c.superseded.is_(None)).select_from(indicator_values)
        ).scalar()
    assert still == 1


def test_what_was_known_at_a_moment_can_be_asked_for(application, ground):
    january, march = datetime(2026, 1, 5, tzinfo=BEIJING), datetime(2026, 3, 5, tzinfo=BEIJING)
    for value, moment in ((34.6, january), (34.9, march)):
        store.record_estimates(application.engine, [(made(value), ground)], as_of=moment.date(), recorded=moment)
    known = store.values(application.engine, date(2026, 6, 1), known_by=datetime(2026, 2, 1, tzinfo=BEIJING))
    assert [value.value for value in known] == [34.6]


def test_documents_hold_from_their_date_on(application):
    store.confirm(
        application.engine, PM, 2025, 33.1, document="省认定函", document_date=date(2026, 2, 1), note="年度认定"
    )
    store.issue_target(application.engine, PM, 2025, 35, document="省下达函", document_date=date(2021, 9, 1))
    assert store.values(application.engine, date(2026, 1, 31)) == []
    assert [value.value for value in store.values(application.engine, date(2026, 2, 1))] == [33.1]
    assert store.issued_targets(application.engine, date(2021, 8, 31)) == []
    assert [target.value for target in store.issued_targets(application.engine, date(2021, 9, 1))] == [35]
    with reading(application.engine) as connection:
        said = connection.execute(select(audit.c.what, audit.c.object)).all()
    assert said == [("indicator.confirm", f"indicator/{PM}"), ("indicator.target", f"indicator/{PM}")]


def test_the_last_document_on_a_year_is_the_one_and_the_first_stays_on_file(application):
    for value, day in ((36, date(2021, 9, 1)), (35, date(2023, 4, 1))):
        store.issue_target(application.engine, PM, 2025, value, document=f"文{value}", document_date=day)
    assert [target.value for target in store.issued_targets(application.engine, date(2024, 1, 1))] == [36, 35]
    assert [target.value for target in store.issued_targets(application.engine, date(2022, 1, 1))] == [36]


@pytest.mark.parametrize(
    ("value", "document", "day", "field"),
    [
        (float("nan"), "函", date(2026, 1, 1), "value"),
        (33.0, "  ", date(2026, 1, 1), "document"),
        (33.0, "函", date(2025, 6, 1), "document_date"),
    ],
)
def test_what_no_document_can_say_is_refused(application, value, document, day, field):
    with pytest.raises(InputError) as refusal:
        store.confirm(application.engine, PM, 2025, value, document=document, document_date=day)
    assert refusal.value.field == field
    assert store.values(application.engine, date(2026, 6, 1)) == []
