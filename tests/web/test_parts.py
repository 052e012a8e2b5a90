"""The small parts: times, counts, kept answers, texts of cells."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING
from qinglan.web.answers import Json, disposition, harmless
from qinglan.web.inventory import value_text
from qinglan.web.kept import Kept
from qinglan.web.moments import parse_as_of, parse_moment, parse_since
from qinglan.web.points import expected_slots

MIDNIGHT = datetime(2023, 1, 1, tzinfo=BEIJING)


@pytest.mark.parametrize(
    ("grain", "start", "end", "count"),
    [
        ("hour", MIDNIGHT, MIDNIGHT + timedelta(days=365), 8760),
        ("hour", MIDNIGHT + timedelta(minutes=1), MIDNIGHT + timedelta(hours=2), 1),
        ("minute", MIDNIGHT, MIDNIGHT + timedelta(minutes=7, seconds=1), 8),
        # A Beijing day begins at 16:00 UTC: the days of UTC would be 30 here.
        ("day", MIDNIGHT, MIDNIGHT + timedelta(days=31), 31),
        ("month", MIDNIGHT, datetime(2024, 1, 1, tzinfo=BEIJING), 12),
        ("quarter", datetime(2023, 2, 1, tzinfo=BEIJING), datetime(2023, 10, 2, tzinfo=BEIJING), 3),
        ("year", datetime(2020, 12, 31, 16, tzinfo=UTC), datetime(2023, 12, 31, 16, tzinfo=UTC), 3),
        ("hour", MIDNIGHT, MIDNIGHT - timedelta(days=1), 0),
        ("sample", MIDNIGHT, MIDNIGHT + timedelta(days=1), None),
        ("realtime", MIDNIGHT, MIDNIGHT + timedelta(days=1), None),
    ],
)
def test_expected_intervals_are_those_that_begin_in_the_range(
    grain: str, start: datetime, end: datetime, count: int | None
) -> None:
    assert expected_slots(grain, start, end) == count  # type: ignore[arg-type]


@given(
    st.sampled_from(["minute", "hour", "day", "month", "quarter", "year"]),
    st.lists(st.datetimes(datetime(1990, 1, 1), datetime(2060, 1, 1)), min_size=3, max_size=3).map(sorted),
)
def test_two_ranges_expect_what_their_union_expects(grain: str, moments: list[datetime]) -> None:
    first, middle, last = (moment.replace(tzinfo=UTC) for moment in moments)
    parts = expected_slots(grain, first, middle) + expected_slots(grain, middle, last)  # type: ignore
    assert parts == expected_slots(grain, first, last)  # type: ignore[arg-type]


def test_days_and_times_of_an_address() -> None:
    assert parse_moment("2023-01-20", "start") == datetime(2023, 1, 19, 16, tzinfo=UTC)
    assert parse_moment("2023-01-20", "end", end=True) == datetime(2023, 1, 20, 16, tzinfo=UTC)
    assert parse_moment("2023-01-20T08:00", "start") == datetime(2023, 1, 20, tzinfo=UTC)
    assert parse_moment("2023-01-20T08:00+09:00", "end", end=True) == datetime(2023, 1, 19, 23, tzinfo=UTC)
    assert parse_as_of("2023-01-20") == datetime(2023, 1, 20, 15, 59, 59, 999999, tzinfo=UTC)
    # A bare date is a whole Beijing day, also in the other forms of ISO 8601.
    assert parse_moment("20230120", "end", end=True) == datetime(2023, 1, 20, 16, tzinfo=UTC)
    assert parse_as_of("20230120") == parse_as_of("2023-W03-5") == parse_as_of("2023-01-20")
    assert parse_as_of(None) is None
    assert parse_since("17") == 17
    assert parse_since("2023-01-20") == datetime(2023, 1, 19, 16, tzinfo=UTC)


@pytest.mark.parametrize("text", ["²", "①", "1e3", "-1", ""])
def test_what_is_no_revision_and_no_time_is_refused(text: str) -> None:
    with pytest.raises(InputError):
        parse_since(text)


@given(st.text(max_size=40))
def test_any_text_is_a_time_or_refused(text: str) -> None:
    found: datetime | None = None
    with contextlib.suppress(InputError):
        found = parse_moment(text, "start")
    assert found is None or found.tzinfo is UTC


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (35.0, "35"),
        (0.84, "0.84"),
        (1.5e-7, "0.00000015"),
        (100.0, "100"),
        (-0.5, "-0.5"),
        (0.0, "0"),
        (1e30, "1" + "0" * 30),
        (None, ""),
    ],
)
def test_a_value_is_printed_as_it_is(value: float | None, text: str) -> None:
    assert value_text(value) == text


@given(st.text())
def test_no_cell_begins_like_a_formula(text: str) -> None:
    cell = harmless(text)
    assert not cell.startswith(("=", "@", "\t", "\r"))
    if cell.startswith(("+", "-")):
        float(cell)


def test_numbers_that_are_not_finite_are_null() -> None:
    assert Json({"a": float("nan"), "b": float("inf"), "c": 1.5}).body == b'{"a":null,"b":null,"c":1.5}'


@pytest.mark.parametrize("name", ['a"; filename="b.exe', "a\r\nSet-Cookie: x", "数据.csv"])
def test_a_file_name_cannot_leave_its_header(name: str) -> None:
    header = disposition(name)
    assert header.isascii()
    assert "\r" not in header
    assert header.count('"') == 2


class TestKept:
    def test_an_answer_is_made_once_a_revision(self) -> None:
        kept, made = Kept(), []

        def make() -> int:
            made.append(1)
            return len(made)

        assert [kept.get(1, "a", make), kept.get(1, "a", make), kept.get(1, "b", make)] == [1, 1, 2]
        assert kept.get(2, "a", make) == 3
        assert kept.get(1, "a", make) == 4

    def test_the_least_used_goes_first(self) -> None:
        kept, made = Kept(most=2), []
        for key in ("a", "b", "a", "c", "a", "b"):
            kept.get(1, key, lambda key=key: made.append(key))  # type: ignore[misc]
        assert made == ["a", "b", "c", "b"]

    def test_of_many_that_ask_at_once_one_makes_it(self) -> None:
        kept, made, begun = Kept(), [], threading.Event()

        def make() -> str:
            made.append(1)
            begun.wait(0.2)
            return "x"

        threads = [threading.Thread(target=kept.get, args=(1, "a", make)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert made == [1]

    def test_a_failure_is_not_kept(self) -> None:
        kept = Kept()
        with pytest.raises(ZeroDivisionError):
            kept.get(1, "a", lambda: 1 // 0)
        assert kept.get(1, "a", lambda: 5) == 5
