"""States by hand arithmetic: each case says in its name or comment how the expected figure was made."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qinglan.core.declare import Title
from qinglan.indicators.declare import Break
from qinglan.indicators.state import Goal, Question, Reading, judge

D = Decimal
NETWORK = Break(after=2020, before=2021, reason="network", title=Title(zh="断面更换", en="other sections"))
ENDED = date(2026, 3, 1)


def ask(comparator, decimals, as_of, final, values, *, yearly=None, breaks=(), confirmed=None):
    readings = {
        year: Reading(
            year,
            None if value is None else D(str(value)),
            confirmed=None if (confirmed or {}).get(year) is None else D(str(confirmed[year])),
        )
        for year, value in values.items()
    }
    return judge(
        Question(
            comparator=comparator,
            decimals=decimals,
            as_of=as_of,
            baseline_year=2020,
            final=Goal(2025, None if final is None else D(str(final)), "awaiting" if final is None else "fixed"),
            readings=readings,
            yearly={year: D(str(value)) for year, value in (yearly or {}).items()},
            breaks=breaks,
        )
    )


@pytest.mark.parametrize(
    ("comparator", "decimals", "target", "value", "state", "gap"),
    [
        (">=", 2, "36.65", "36.65", "met", "0.00"),
        (">=", 2, "36.65", "36.644", "missed", "0.01"),  # 36.644 is 36.64, 36.65 − 36.64
        (">=", 2, "36.65", "36.645", "missed", "0.01"),  # half to even: 36.64
        (">=", 2, "36.65", "36.646", "met", "0.00"),
        ("<=", 1, "35", "35.04", "met", "0.0"),  # lower is better; 35.04 is 35.0
        ("<=", 1, "35", "35.06", "missed", "0.1"),
        ("<=", 1, "35", "33.1", "met", "-1.9"),
        ("<=", 2, "0", "0", "met", "0.00"),  # zero is a target
        ("<=", 2, "0", "9.09", "missed", "9.09"),  # 1 of 11 sections
        (">=", 2, "90.9", "90.91", "met", "-0.01"),  # 10 of 11 sections
        (">=", 2, "90.9", "81.82", "missed", "9.08"),  # 9 of 11
    ],
)
def test_when_the_plan_has_ended_its_last_year_decides(comparator, decimals, target, value, state, gap):
    found = ask(comparator, decimals, ENDED, target, {2020: "1", 2024: "1", 2025: value})
    assert (found.state, found.year, found.gap.value) == (state, 2025, D(gap))
    assert found.pace is None


def test_the_last_day_of_the_plan_counts_and_the_day_before_does_not():
    values = {2020: "36.40", 2024: "36.60", 2025: "36.70"}
    assert ask(">=", 2, date(2025, 12, 31), "36.65", values).state == "met"
    before = ask(">=", 2, date(2025, 12, 30), "36.65", values)
    # straight line in 2024: 36.40 + 0.25 × 4/5 = 36.60; 2025 is not over and does not count
    assert (before.state, before.year, before.asked) == ("on_pace", 2024, D("36.60"))


def test_an_ended_plan_without_the_last_years_number_has_no_data_whatever_came_before():
    assert ask(">=", 2, ENDED, "36.65", {2020: "36.4", 2024: "40"}).state == "no_data"


@pytest.mark.parametrize(
    ("value", "state"),
    [("85.5", "on_pace"), ("85.44", "behind"), ("85.46", "on_pace")],  # 82.5 + (90 − 82.5) × 2/5 = 85.5
)
def test_a_straight_line_stands_in_and_says_so(value, state):
    found = ask(">=", 1, date(2023, 5, 1), "90", {2020: "82.5", 2022: value})
    assert (found.state, found.asked, found.asked_by) == (state, D("85.5"), "straight_line")
    assert any("直线" in note.zh for note in found.notes)


def test_lower_is_better_on_the_line():
    # 43 → 35 in five years is 1.6 a year; 2023: 43 − 4.8 = 38.2; from 39 two years are left: (35 − 39)/2 = −2
    found = ask("<=", 1, date(2024, 7, 1), "35", {2020: "43", 2023: "39"})
    assert (found.state, found.asked, found.gap.value) == ("behind", D("38.2"), D("4.0"))
    assert (found.pace.value, found.pace.source, found.pace.until) == (D("-2"), "straight_line", 2025)


def test_the_provinces_yearly_target_goes_before_the_line():
    values = {2020: "43", 2023: "39"}
    found = ask("<=", 1, date(2024, 7, 1), "35", values, yearly={2023: "39.5", 2024: "37"})
    assert (found.state, found.asked, found.asked_by) == ("on_pace", D("39.5"), "province")
    # next issued year: 37 − 39 in one year
    assert (found.pace.value, found.pace.source, found.pace.until) == (D("-2"), "province", 2024)


def test_a_pace_never_leads_to_a_year_that_is_over():
    values = {2020: "43", 2021: "41"}
    found = ask("<=", 1, date(2024, 7, 1), "35", values, yearly={2022: "40", 2023: "39", 2024: "38"})
    # 2022 and 2023 are over without a number; 38 − 41 until 2024: −1 each year
    assert (found.year, found.pace.value, found.pace.until) == (2021, D("-1"), 2024)


def test_a_target_to_be_issued_is_a_state_of_its_own_and_yearly_targets_are_enough_to_judge():
    values = {2020: "43", 2022: "38"}
    assert ask("<=", 1, date(2023, 7, 1), None, values).state == "awaiting_province"
    found = ask("<=", 1, date(2023, 7, 1), None, values, yearly={2022: "38"})
    assert (found.state, found.gap.goal_year, found.gap.value) == ("on_pace", 2022, D("0.0"))
    assert ask("<=", 1, ENDED, None, values | {2025: "30"}, yearly={2022: "38"}).state == "awaiting_province"


@pytest.mark.parametrize("day", [date(2023, 7, 1), ENDED])
@pytest.mark.parametrize("final", [None, "35"])
def test_the_baseline_alone_is_no_data_whether_the_target_is_awaited_or_not(day, final):
    assert ask("<=", 1, day, final, {2020: "43"}).state == "no_data"


def test_no_target_is_not_awaiting():
    question = Question("<=", 1, ENDED, 2020, Goal(2025, None, "none"), {2025: Reading(2025, D(1))})
    assert judge(question).state == "no_target"


def test_no_line_gap_or_pace_across_a_break():
    at_baseline = ask(">=", 2, date(2021, 6, 1), "90.9", {2020: "57.14"}, breaks=(NETWORK,))
    assert (at_baseline.state, at_baseline.pace, at_baseline.gap) == ("no_data", None, None)
    # first year on the new network: below the target, and no line can begin before the break
    first = ask(">=", 2, date(2022, 6, 1), "90.9", {2020: "57.14", 2021: "72.73"}, breaks=(NETWORK,))
    assert (first.state, first.asked, first.gap.value) == ("no_pace", None, D("18.17"))
    # (90.9 − 72.73)/4 = 4.5425, all of it after the break
    assert first.pace.value == D("4.5425")
    # from 2021 on the line is of one network: 72.73 + 18.17 × 2/4 = 81.815, half to even 81.82
    later = ask(">=", 2, date(2024, 6, 1), "90.9", {2020: "57.14", 2021: "72.73", 2023: "81.82"}, breaks=(NETWORK,))
    assert (later.state, later.asked) == ("on_pace", D("81.82"))


def test_a_break_after_the_year_forbids_gap_and_line():
    late = Break(after=2023, before=2024, reason="method", title=Title(zh="方法更换", en="other method"))
    found = ask(">=", 1, date(2023, 6, 1), "90", {2020: "80", 2022: "85"}, breaks=(late,))
    assert (found.state, found.gap, found.pace, found.broken) == ("no_pace", None, None, late)


def test_reaching_the_target_early_is_on_pace_and_needs_nothing_more():
    found = ask("<=", 2, date(2023, 6, 1), "0", {2020: "0", 2022: "0"}, breaks=(NETWORK,))
    assert (found.state, found.gap.value, found.pace.value) == ("on_pace", D("0.00"), D(0))
    assert any("提前" in note.zh for note in found.notes)


def test_a_confirmed_value_overrides_the_estimate_and_the_verdict_is_made_again():
    estimate = ask("<=", 1, ENDED, "35", {2020: "43", 2025: "34.6"})
    confirmed = ask("<=", 1, ENDED, "35", {2020: "43", 2025: "34.6"}, confirmed={2025: "35.2"})
    assert (estimate.state, confirmed.state) == ("met", "missed")
    reading = Reading(2025, D("34.6"), confirmed=D("35.2"))
    assert (reading.shown, reading.shown_kind, reading.difference(1)) == (D("35.2"), "confirmed", D("-0.6"))
    assert Reading(2025, D("34.6"), "reported").shown_kind == "reported"


def test_a_dash_as_baseline_is_not_zero():
    found = ask(">=", 1, date(2022, 6, 1), "35", {2021: "21.5"})
    assert (found.state, found.asked) == ("no_pace", None)
    # second year of numbers: 21.5 + 13.5 × 1/4 = 24.875
    second = ask(">=", 1, date(2023, 6, 1), "35", {2021: "21.5", 2022: "24.8"})
    assert (second.state, second.asked) == ("behind", D("24.9"))


@given(
    value=st.decimals(-1000, 1000, places=3),
    target=st.decimals(-1000, 1000, places=1),
    comparator=st.sampled_from([">=", "<="]),
)
def test_met_exactly_when_the_gap_is_not_positive(value, target, comparator):
    found = ask(comparator, 1, ENDED, target, {2025: value})
    assert (found.state == "met") == (found.gap.value <= 0)


@given(value=st.decimals(0, 100, places=2), target=st.decimals(0, 100, places=2))
def test_the_two_directions_mirror_each_other(value, target):
    higher = ask(">=", 2, ENDED, target, {2025: value})
    lower = ask("<=", 2, ENDED, -target, {2025: -value})
    assert (higher.state, higher.gap.value) == (lower.state, lower.gap.value)
