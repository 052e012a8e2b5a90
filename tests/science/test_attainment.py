"""The odds of a target: refusals, properties, and agreement with Student's t worked by hand; the year's arithmetic."""

from __future__ import annotations

from datetime import date
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from qinglan.core.errors import InputError
from qinglan.science import in_year
from qinglan.science.attainment import odds, odds_from_months

FALLING = [42.0, 40.0, 39.0, 37.0, 36.0, 34.0, 33.0]
YEARS = range(2018, 2025)


def by_method(found: object) -> dict[str, float]:
    return {method.id: method.odds for method in found.methods}  # type: ignore[attr-defined]


def test_methods_by_hand() -> None:
    """0, 2, 1, 3, 2, 4 for 0…5; one ahead, at most 3.

    Walk: drift 4/5 = 0.8; squared steps less drift 1.44 + 3.24 + 1.44 + 3.24 + 1.44 = 10.8, over 4 = 2.7;
    scale √(2.7 · 1 · 1.2) = 1.8; centre 4.8: t₄((3 − 4.8) / 1.8) = t₄(−1).
    Line: slope 11/17.5, centre 2 + 3.5 · 11/17.5 = 4.2; residual sum 10 − 11²/17.5 = 3.0857, over 4 = 0.77143;
    scale √(0.77143 · (1 + 1/6 + 12.25/17.5)) = 1.2; t₄((3 − 4.2) / 1.2) = t₄(−1).
    """
    found = odds([0, 2, 1, 3, 2, 4], range(6), target=3, by=6, comparator="<=")
    assert by_method(found)["random_walk"] == pytest.approx(stats.t.cdf(-1.0, 4))
    assert by_method(found)["linear"] == pytest.approx(stats.t.cdf(-1.0, 4), abs=1e-3)
    assert sum(method.weight for method in found.methods) == pytest.approx(1)
    assert found.spread == pytest.approx(max(by_method(found).values()) - min(by_method(found).values()))
    assert min(by_method(found).values()) <= found.odds <= max(by_method(found).values())


def test_far_targets_are_nearly_sure_and_nearly_lost() -> None:
    assert odds(FALLING, YEARS, 60, 2025, "<=").odds > 0.98
    assert odds(FALLING, YEARS, 5, 2025, "<=").odds < 0.02
    assert odds(FALLING, YEARS, 60, 2025, ">=").odds < 0.02


def test_a_figure_that_never_moved() -> None:
    """Six equal values: the chance of a first move is taken as 1 in 7."""
    assert odds([100] * 6, range(2019, 2025), 100, 2025, ">=").odds == pytest.approx(6 / 7)
    assert odds([99] * 6, range(2019, 2025), 100, 2025, ">=").odds == pytest.approx(1 / 7)


def test_the_same_seed_gives_the_same_odds() -> None:
    first, again = (odds(FALLING, YEARS, 32, 2026, "<=", seed=3) for _ in range(2))
    assert first == again
    assert (first.first, first.last, first.points, first.ahead) == (2018, 2024, 7, 2)


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"values": FALLING[:5], "periods": range(2018, 2023)}, "只有 5 个点"),
        ({"breaks": [2020]}, "2020 之后口径中断"),
        ({"by": 2024}, "不晚于"),
        ({"periods": [2018, 2019, 2019, 2021, 2022, 2023, 2024]}, "逐个增大"),
        ({"periods": range(2018, 2024)}, "一样多"),
        ({"values": [*FALLING[:6], float("nan")]}, "第 7 个值"),
        ({"comparator": "="}, "comparator"),
        ({"target": float("inf")}, "有限"),
    ],
)
def test_what_cannot_be_foretold_is_refused(change: dict[str, object], named: str) -> None:
    arguments = {"values": FALLING, "periods": YEARS, "target": 30, "by": 2025, "comparator": "<="}
    with pytest.raises(InputError, match=named):
        odds(**(arguments | change))  # type: ignore[arg-type]


def test_a_break_before_the_first_point_does_not_matter() -> None:
    assert odds(FALLING, YEARS, 33, 2025, "<=", breaks=[2017]).odds == odds(FALLING, YEARS, 33, 2025, "<=").odds


@settings(max_examples=20, deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=6, max_size=10), st.floats(-60, 60), st.floats(0, 20))
def test_an_easier_target_never_has_lower_odds(values: list[float], target: float, easier: float) -> None:
    periods, by = range(len(values)), len(values) + 1
    low = odds(values, periods, target, by, "<=")
    high = odds(values, periods, target + easier, by, "<=")
    assert 0 <= low.odds <= high.odds + 1e-12 <= 1 + 1e-9


def test_units_change_no_odds() -> None:
    in_other_unit = odds([value * 1000 + 7 for value in FALLING], YEARS, 32 * 1000 + 7, 2026, "<=")
    assert in_other_unit.odds == pytest.approx(odds(FALLING, YEARS, 32, 2026, "<=").odds, abs=1e-9)


def test_months_of_a_year_under_way_leave_the_rest_to_be_foretold() -> None:
    """Past years: 40 in the first half, 20 in the second. After a first half at 50, a mean of 30 needs 10 a month."""
    past = {
        (year, month): 40.0 if month <= 6 else 20.0 + year % 2 for year in range(2017, 2025) for month in range(1, 13)
    }
    bad = past | {(2025, month): 50.0 for month in range(1, 7)}
    good = past | {(2025, month): 36.0 for month in range(1, 7)}
    assert odds_from_months(bad, 30, 2025, "<=").odds < 0.05
    assert odds_from_months(good, 30, 2025, "<=").odds > 0.95
    assert odds_from_months(past, 30.6, 2025, "<=").points == 8


def test_a_year_with_a_month_missing_does_not_count() -> None:
    past = {(year, month): 30.0 + year % 3 for year in range(2019, 2025) for month in range(1, 13)}
    del past[2021, 7]
    with pytest.raises(InputError, match="只有 5 个点"):
        odds_from_months(past, 30, 2025, "<=")
    with pytest.raises(InputError, match="1 月起连续"):
        odds_from_months(past | {(2025, 2): 30.0}, 30, 2025, "<=")


def test_good_days_by_hand() -> None:
    """365 days at 87.5 %: 319.375 needs 320. 265 so far, so 55 of the 65 left; 10 may be lost."""
    found = in_year.good_days_left(265, 300, 65, 87.5)
    assert (found.needed, found.may_lose, found.reachable, found.safe) == (320, 10, True, False)
    lost = in_year.good_days_left(200, 300, 65, 87.5)
    assert (lost.may_lose, lost.reachable) == (-55, False)
    assert in_year.good_days_left(320, 330, 35, "87.5").safe


def test_rounding_of_the_share_can_give_a_day() -> None:
    """319/365 = 87.397 %: 87.4 at one decimal. Against 87.4, whole comparison needs 320, rounded needs 319."""
    assert in_year.good_days_left(265, 300, 65, 87.4).needed == 320
    assert in_year.good_days_left(265, 300, 65, 87.4, decimals=1).needed == 319


def test_remaining_mean_by_hand() -> None:
    """(30 · 12 − 310) / 2 = 25; (30 · 12 − 320.5) / 2 = 19.75, shown as 19 for at most and 20 for at least."""
    found = in_year.remaining_mean([31] * 10, 30)
    assert (found.mean, found.text, found.left) == (Fraction(25), "25", 2)
    uneven = [32.05] * 10
    assert in_year.remaining_mean(uneven, 30).mean == Fraction("19.75")
    assert in_year.remaining_mean(uneven, 30).text == "19"
    assert in_year.remaining_mean(uneven, 30, at_most=False).text == "20"
    assert in_year.remaining_mean(uneven, 30, decimals=1).text == "19.7"
    assert not in_year.remaining_mean([40] * 10, 30).reachable
    with pytest.raises(InputError, match="没有剩余"):
        in_year.remaining_mean([30] * 12, 30)


def test_days_left() -> None:
    assert in_year.days_left(date(2024, 12, 31)) == 0
    assert in_year.days_left(date(2024, 1, 1)) == 365
    assert in_year.days_left(date(2023, 9, 30)) == 92


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(InputError, match="不成立"):
        in_year.good_days_left(301, 300, 65, 87.5)


def test_odds_are_calibrated_on_a_small_sample() -> None:
    """The benchmark in a small form: on walks with drift, odds above 0.8 come true more often than those below 0.2."""
    draw = np.random.default_rng(5)
    outcomes: dict[bool, list[bool]] = {True: [], False: []}
    for _ in range(60):
        values = np.cumsum(draw.normal(0.2, 1, 13))
        target = float(values[11] + draw.normal(0, 2))
        found = odds(values[:12].tolist(), range(12), target, 12, "<=").odds
        if not 0.2 < found < 0.8:
            outcomes[found >= 0.8].append(bool(values[12] <= target))
    assert np.mean(outcomes[True]) > 0.75
    assert np.mean(outcomes[False]) < 0.25
