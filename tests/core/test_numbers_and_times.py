"""Rounding, units, intervals and working days, against arithmetic by hand and published calendars."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_EVEN, Decimal

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qinglan.core.calendar import add_working_days, is_working_day, working_days
from qinglan.core.errors import InputError, QinglanError
from qinglan.core.frames import half_even_ratio, listed, real, scaled, up_ratio
from qinglan.core.interval import beijing_day, days_of_year, hour_start, to_beijing, to_utc
from qinglan.core.rounding import exact, half_even, text, up
from qinglan.core.units import factor_between, normal


@pytest.mark.parametrize(
    ("number", "decimals", "expected"),
    [("2.5", 0, "2"), ("3.5", 0, "4"), ("-2.5", 0, "-2"), (0.25, 1, "0.2"), (0.35, 1, "0.4"), (1.15, 1, "1.2")],
)
def test_half_goes_to_the_even_neighbour(number: str | float, decimals: int, expected: str) -> None:
    assert half_even(number, decimals) == Decimal(expected)


def test_up_goes_up() -> None:
    assert [up(number) for number in ("82.0", "82.1", "-0.5")] == [82, 83, 0]


def test_text_shows_all_declared_places() -> None:
    assert [text(82.5, 2), text(1.085, 2), text(None, 2), text(43, 0)] == ["82.50", "1.08", "", "43"]


@given(numerator=st.integers(-(10**12), 10**12), denominator=st.integers(1, 10**7))
def test_ratios_of_whole_numbers_round_as_decimals_do(numerator: int, denominator: int) -> None:
    frame = nw.from_native(pl.DataFrame({"a": [numerator], "b": [denominator]}).lazy())
    found = frame.select(
        half_even_ratio(nw.col("a"), nw.col("b")).alias("even"), up_ratio(nw.col("a"), nw.col("b")).alias("up")
    ).collect()
    exact = Decimal(numerator) / Decimal(denominator)
    twice = 2 * numerator % (2 * denominator)
    if twice != denominator:  # the quotient of two decimals is cut, which matters only in a tie
        assert found["even"][0] == int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))
    else:
        assert found["even"][0] % 2 == 0
        assert abs(2 * found["even"][0] * denominator - 2 * numerator) == denominator
    assert found["up"][0] == -(-numerator // denominator)


def test_what_is_no_number_has_no_scaled_value() -> None:
    values = [1.15, 0.1 + 0.2, None, float("nan"), float("inf"), float("-inf"), -2.5]
    frame = nw.from_native(pl.DataFrame({"v": values}, strict=False).lazy())
    found = frame.select(scaled(nw.col("v")).alias("q")).collect()["q"].to_list()
    assert found == [1_150_000, 300_000, None, None, None, None, -2_500_000]


def test_whole_numbers_become_the_nearest_real_numbers() -> None:
    whole = list(range(0, 30_000_000_000, 10_010_000))
    frame = nw.from_native(pl.DataFrame({"q": whole}).lazy())
    assert frame.select(real(nw.col("q"))).collect()["q"].to_list() == [number / 1_000_000 for number in whole]


def test_lists_keep_the_order_that_was_given() -> None:
    frame = nw.from_native(pl.DataFrame({"a": [True, False], "b": [True, False]}).lazy())
    found = frame.select(listed([(nw.col("b"), "乙"), (nw.col("a"), "甲")]).alias("t")).collect()["t"].to_list()
    assert found == ["乙、甲", None]


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("μg/m³", "ug/m3"),
        ("µg/m3", "ug/m3"),
        ("微克/立方米", "ug/m3"),
        ("MG/L", "mg/L"),
        ("万吨", "10^4 t"),
        ("%", "%"),
    ],
)
def test_units_are_written_in_many_ways(written: str, unit: str) -> None:
    assert normal(written) == unit


def test_units_of_one_dimension_convert_exactly() -> None:
    assert factor_between("mg/m3", "ug/m3") == 1000
    assert factor_between("公顷", "km2") == Decimal("0.01")
    assert factor_between("1", "%") == 100
    with pytest.raises(InputError, match="mg/L"):
        factor_between("ug/m3", "mg/L")


def test_a_naive_time_is_beijing_time() -> None:
    assert to_utc(datetime(2025, 1, 1)) == datetime(2024, 12, 31, 16, tzinfo=timezone.utc)
    assert beijing_day(datetime(2024, 12, 31, 16, tzinfo=timezone.utc)) == date(2025, 1, 1)
    assert to_beijing(datetime(2024, 12, 31, 16, tzinfo=timezone.utc)).utcoffset() == timedelta(hours=8)


def test_the_hour_stamped_at_its_end_began_an_hour_before() -> None:
    assert hour_start(datetime(2025, 1, 1), "end") == datetime(2024, 12, 31, 23)
    assert hour_start(datetime(2025, 1, 1), "start") == datetime(2025, 1, 1)


def test_leap_years() -> None:
    assert [days_of_year(year) for year in (1900, 2000, 2020, 2025)] == [365, 366, 366, 365]


def test_working_days_follow_the_state_councils_exchanges() -> None:
    """国办发明电〔2024〕12号: 2025-01-26 (a Sunday) and 02-08 (a Saturday) are worked; 01-28 to 02-04 are off."""
    assert is_working_day(date(2025, 1, 26))
    assert is_working_day(date(2025, 2, 8))
    assert not any(is_working_day(date(2025, 1, 28) + timedelta(days=number)) for number in range(8))
    assert add_working_days(date(2025, 1, 27), 1) == date(2025, 2, 5)
    assert list(working_days(date(2025, 1, 25), date(2025, 1, 28))) == [date(2025, 1, 26), date(2025, 1, 27)]


def test_a_year_without_an_order_is_refused() -> None:
    with pytest.raises(InputError, match="2050"):
        is_working_day(date(2050, 1, 3))
    with pytest.raises(InputError, match="-1"):
        add_working_days(date(2025, 1, 1), -1)


def test_an_error_says_the_same_in_both_languages_and_keeps_the_place() -> None:
    error = InputError("第 3 行有误。", "Row 3 is wrong.", file="a.csv", row=3, field="value")
    assert error.problem() == {
        "type": "urn:qinglan:InputError",
        "title": "InputError",
        "status": 422,
        "detail": "第 3 行有误。",
        "zh": "第 3 行有误。",
        "en": "Row 3 is wrong.",
        "file": "a.csv",
        "row": 3,
        "field": "value",
    }
    assert (error.sentence(), error.sentence("en"), error.exit_code) == ("第 3 行有误。", "Row 3 is wrong.", 2)
    assert isinstance(error, QinglanError)


@pytest.mark.parametrize("number", [1e28, -1e308, 1.7976931348623157e308])
def test_a_large_number_is_rounded_and_printed_like_any_other(number):
    assert half_even(number, 2) == up(number, 1) == exact(number)
    assert text(number, 1).endswith("0.0")
