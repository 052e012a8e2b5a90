"""Trends, changes and completeness against published series, printed tables and hand arithmetic."""

from __future__ import annotations

import csv
from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qinglan.core.errors import InputError
from qinglan.science import statistics
from qinglan.science.statistics.rank import exact_critical, square_sums

NILE = """
1120 1160 963 1210 1160 1160 813 1230 1370 1140 995 935 1110 994 1020 960 1180 799 958 1140 1100 1210 1150 1250 1260
1220 1030 1100 774 840 874 694 940 833 701 916 692 1020 1050 969 831 726 456 824 702 1120 1100 832 764 821 768 845 864
862 698 845 744 796 1040 759 781 865 845 944 984 897 822 1010 771 676 649 846 812 742 801 1040 860 874 848 890 744 749
838 1050 918 986 797 923 975 815 1020 906 901 1170 912 746 919 718 714 740
"""
"""Yearly flow of the Nile at Aswan, 1871–1970, 10⁸ m³: the series that statistical packages ship."""


def nile() -> list[float]:
    return [float(value) for value in NILE.split()]


def test_mann_kendall_on_the_nile() -> None:
    assert len(nile()) == 100
    found = statistics.mann_kendall(nile())
    assert found.s == -1387
    assert round(found.z, 3) == -4.128
    assert found.p < 0.0001
    assert round(statistics.theil_sen(nile()).slope, 1) == -2.6


def test_mann_kendall_variance_with_ties_by_hand() -> None:
    """1 2 2 3: pairs +1 +1 +1 0 +1 +1 = 5; (4·3·13 − 2·1·9)/18 = (156 − 18)/18; z = 4/√7.6667."""
    found = statistics.mann_kendall([1, 2, 2, 3])
    assert found.s == 5
    assert found.variance == pytest.approx(138 / 18)
    assert found.z == pytest.approx(4 / (138 / 18) ** 0.5)
    assert found.tau == pytest.approx(5 / (6 * 5) ** 0.5)


def test_seasons_are_compared_with_themselves_only() -> None:
    """Two seasons, each rising by one a year: 3 + 3 pairs; the jump between seasons counts for nothing."""
    rising = [1, 100, 2, 101, 3, 102]
    found = statistics.seasonal_mann_kendall(rising, seasons=2)
    assert found.s == 6
    assert found.variance == pytest.approx(2 * 3 * 2 * 11 / 18)
    with_gap = statistics.seasonal_mann_kendall([1, 100, float("nan"), 101, 3, 102], seasons=2)
    assert (with_gap.s, with_gap.n) == (4, 5)


def test_theil_sen_with_uneven_times_and_an_outlier() -> None:
    found = statistics.theil_sen([0, 2, 6, 80, 14], times=[2010, 2011, 2013, 2014, 2017])
    assert found.slope == 2.0
    assert found.low <= 2.0 <= found.high
    assert found.intercept == pytest.approx(-4020)


@pytest.mark.golden
def test_exact_critical_values_equal_the_printed_table(shared: Path) -> None:
    """The printed 0.746 (ten periods, 0.01) stands for 0.7455 = 1 − 6·42/990 and is the one not rounded to nearest."""
    with (shared / "standards/water/spearman_critical.csv").open(encoding="utf-8", newline="") as table:
        rows = [row for row in csv.DictReader(table) if int(row["n"]) <= 10]
    assert [row["n"] for row in rows] == ["5", "6", "7", "8", "9", "10"]
    different = []
    for row in rows:
        for alpha, column in ((0.05, "wp_0_05_one_sided"), (0.01, "wp_0_01_one_sided")):
            value, source = statistics.critical_value(int(row["n"]), alpha)
            assert source == "exact"
            assert value == pytest.approx(float(row[column]), abs=0.0006)
            if f"{value:.3f}" != row[column]:
                different.append((row["n"], alpha, row[column]))
    assert different == [("10", 0.01, "0.746")]


@pytest.mark.golden
def test_the_printed_table_is_carried_whole(shared: Path) -> None:
    with (shared / "standards/water/spearman_critical.csv").open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table):
            if int(row["n"]) > 10:
                assert statistics.critical_value(int(row["n"]), 0.05) == (float(row["wp_0_05_one_sided"]), "table")
                assert statistics.critical_value(int(row["n"]), 0.01) == (float(row["wp_0_01_one_sided"]), "table")


def test_critical_values_between_and_beyond_the_table() -> None:
    assert statistics.critical_value(11) == (0.564, "table")
    assert statistics.critical_value(13) == (0.506, "table")
    value, source = statistics.critical_value(40)
    assert source == "t"
    assert 0.26 < value < 0.27  # t(0.95; 38) = 1.686: 1.686/√(38 + 2.842)


@pytest.mark.parametrize("n", [3, 4, 5, 6])
def test_square_sums_count_every_order(n: int) -> None:
    counted = [0] * (n * (n * n - 1) // 3 + 1)
    for order in permutations(range(n)):
        counted[sum((place - rank) ** 2 for place, rank in enumerate(order))] += 1
    assert list(square_sums(n)) == counted


def test_too_few_orders_to_be_significant() -> None:
    with pytest.raises(InputError, match="4 个时段"):
        exact_critical(4, 0.01)


def test_daniel_by_hand() -> None:
    """Ranks 1 3 2 4 5: Σd² = 2, rs = 1 − 12/120 = 0.9 = Wp(5; 0.05): significant at 0.05, not at 0.01."""
    found = statistics.daniel([3, 5, 4, 8, 9])
    assert (found.rs, found.significant, found.direction) == (0.9, True, "rising")
    assert not statistics.daniel([3, 5, 4, 8, 9], alpha=0.01).significant
    assert statistics.daniel([9, 8, 4, 5, 3]).word == "显著下降"
    assert statistics.daniel([1, 9, 2, 8, 3]).word == "无显著变化趋势"


def test_wrong_series_are_refused() -> None:
    with pytest.raises(InputError, match="至少要 5 个"):
        statistics.daniel([1, 2, 3, 4])
    with pytest.raises(InputError, match="第 3 个值"):
        statistics.daniel([1, 2, None, 4, 5])
    with pytest.raises(InputError, match="应为 0"):
        statistics.daniel([1, 2, 3, 4, 5], alpha=0.1)
    with pytest.raises(InputError, match="数字"):
        statistics.mann_kendall(["a", "b", "c"])
    with pytest.raises(InputError, match="至少要 3 个"):
        statistics.mann_kendall([1, 2, float("nan")])
    with pytest.raises(InputError, match="逐个增大"):
        statistics.theil_sen([1, 2, 3], times=[1, 1, 2])


@given(st.lists(st.integers(-1000, 1000), min_size=5, max_size=25))
def test_turning_time_round_turns_the_trend_round(values: list[int]) -> None:
    assert statistics.mann_kendall(values[::-1]).s == -statistics.mann_kendall(values).s
    assert statistics.theil_sen(values[::-1]).slope == pytest.approx(-statistics.theil_sen(values).slope)


@given(st.lists(st.integers(-1000, 1000), min_size=5, max_size=25), st.integers(1, 50), st.integers(-100, 100))
def test_units_change_no_rank(values: list[int], scale: int, shift: int) -> None:
    moved = [value * scale + shift for value in values]
    assert statistics.rank_correlation(moved) == statistics.rank_correlation(values)
    assert statistics.mann_kendall(moved).s == statistics.mann_kendall(values).s


def test_year_on_year_from_published_and_from_full_figures() -> None:
    """35 against 40: −5/40 = −12.5 %. 34.6 against 39.5, published 35 and 40 (half to even): full −12.4 %."""
    published = statistics.year_on_year(34.6, 39.5, decimals=0, better="lower")
    assert (published.zh, published.judged) == ("下降12.5%", "better")
    full = statistics.year_on_year(34.6, 39.5, decimals=0, rounded_first=False)
    assert full.zh == "下降12.4%"


def test_shares_change_by_points_and_equal_figures_are_level() -> None:
    """The ministry's 85.5 and 86.8 % of good days in 2023."""
    assert statistics.year_on_year(86.8, 85.5, decimals=1, share=True, better="higher").zh == "上升1.3个百分点"
    level = statistics.year_on_year(30.4, 29.6, decimals=0, better="lower")
    assert (level.zh, level.judged) == ("持平", "same")
    from_nothing = statistics.year_on_year(3, 0, decimals=0, better="lower")
    assert (from_nothing.percent, from_nothing.zh, from_nothing.judged) == (None, "上升3", "worse")


LADDER = ("优", "良好", "轻度污染", "中度污染", "重度污染")


@pytest.mark.parametrize(
    ("now", "before", "word"),
    [
        ("良好", "良好", "无明显变化"),
        ("优", "良好", "有所好转"),
        ("中度污染", "轻度污染", "有所变差"),
        ("优", "轻度污染", "明显好转"),
        ("重度污染", "优", "明显变差"),
    ],
)
def test_words_of_a_move_on_the_ladder(now: str, before: str, word: str) -> None:
    assert statistics.change_word(now, before, LADDER) == word


def test_a_grade_off_the_ladder_is_refused() -> None:
    with pytest.raises(InputError, match="一般"):
        statistics.change_word("一般", "优", LADDER)


@pytest.mark.parametrize(
    ("good", "bad", "word"),
    [
        ((75, 65), (5, 5), "无明显变化"),
        ((75.1, 65), (5, 5), "有所好转"),
        ((85, 65), (5, 5), "有所好转"),
        ((85, 65), (4.9, 5), "明显好转"),
        ((60, 65), (15, 5), "有所变差"),
        ((60, 75), (15, 5), "明显变差"),
    ],
)
def test_words_of_shares(good: tuple[float, float], bad: tuple[float, float], word: str) -> None:
    assert statistics.share_change_word(good, bad) == word


def test_kolmogorov_zurbenko_by_hand() -> None:
    """[0 0 9 0 0] three wide: 0 3 3 3 0; again: 1.5 2 3 2 1.5 (two slots at each end)."""
    assert statistics.kolmogorov_zurbenko([0, 0, 9, 0, 0], 3, 2).tolist() == [1.5, 2, 3, 2, 1.5]
    found = statistics.kolmogorov_zurbenko([1, np.nan, np.nan, np.nan, 5], 3, 1)
    assert found[0] == 1
    assert np.isnan(found[1:4]).all()
    with pytest.raises(InputError, match="奇数"):
        statistics.kolmogorov_zurbenko([1, 2, 3], 2, 1)


def test_a_yearly_cycle_is_taken_out() -> None:
    days = np.arange(4 * 365)
    smooth = statistics.kolmogorov_zurbenko(40 + 10 * np.sin(2 * np.pi * days / 365), 365, 1)
    assert np.abs(smooth[365:-365] - 40).max() < 1e-9


def test_capture_counts_expected_slots() -> None:
    assert statistics.capture([1, 2, float("nan"), 4]) == 0.75
    assert statistics.capture([1.0, 2.0], expected=24) == pytest.approx(2 / 24)
    with pytest.raises(InputError, match="应有 1 个"):
        statistics.capture([1.0, 2.0], expected=1)
