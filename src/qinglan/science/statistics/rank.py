"""Spearman's rank correlation with time, the trend test of Daniel, by exact critical values."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import cache
from math import factorial, sqrt
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qinglan.core.errors import InputError
from qinglan.science.statistics.series import numbers

EXACT_UP_TO = 10
LEAST = 5
ALPHAS = (0.05, 0.01)

Direction = Literal["rising", "falling", "none"]


@dataclass(frozen=True)
class RankTrend:
    """The outcome of Daniel's test.

    `rs` is the rank correlation, `critical` the value its size must reach at `alpha`, `source` where that value is
    from: ``exact`` (distribution of all orders), ``table`` (printed table) or ``t`` (approximation above the table).
    """

    n: int
    rs: float
    critical: float
    alpha: float
    significant: bool
    direction: Direction
    word: str
    source: Literal["exact", "table", "t"]


@cache
def square_sums(n: int) -> tuple[int, ...]:
    """Return how many of the n! orders give each sum of squared rank differences, from 0 on.

    Orders are counted by the set of ranks already used, one position after the other.
    """
    most = n * (n * n - 1) // 3 + 1
    ways = np.zeros((1 << n, most), dtype=np.int64)
    ways[0, 0] = 1
    for used in range((1 << n) - 1):
        position = used.bit_count()
        for rank in range(n):
            if used >> rank & 1:
                continue
            squared = (position - rank) ** 2
            ways[used | 1 << rank, squared:] += ways[used, : most - squared]
    return tuple(int(count) for count in ways[-1])


def exact_critical(n: int, alpha: float) -> float:
    """Return the least rank correlation that chance reaches with a probability of at most `alpha`, one-sided.

    Examples
    --------
    >>> round(exact_critical(7, 0.05), 3), round(exact_critical(9, 0.01), 3)
    (0.714, 0.783)
    """
    reached, largest = 0, -1
    for total, count in enumerate(square_sums(n)):
        reached += count
        if reached > alpha * factorial(n):
            break
        if count:
            largest = total
    if largest < 0:
        raise InputError(
            f"{n} 个时段达不到显著性水平 {alpha}。", f"{n} periods cannot reach the level {alpha}.", field="values"
        )
    return 1 - 6 * largest / (n**3 - n)


@cache
def _printed() -> dict[tuple[int, float], float]:
    path = Path(__file__).with_name("spearman_critical.csv")
    with path.open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    return {
        (int(row["n"]), alpha): float(row[column])
        for row in rows
        for alpha, column in zip(ALPHAS, ("wp_0_05", "wp_0_01"), strict=True)
    }


def critical_value(n: int, alpha: float = 0.05) -> tuple[float, Literal["exact", "table", "t"]]:
    """Return the critical value Wp for n periods and where it is from.

    Up to ten periods it is exact. Above, the printed table counts; a number of periods that it leaves out takes the
    (stricter) value of the next smaller one. Beyond the table Student's t gives it.

    依据: 环办〔2011〕22号 附录三 (Daniel 的趋势检验); 秩相关系数临界值表
    """
    if alpha not in ALPHAS:
        raise InputError(
            f"显著性水平应为 0.05 或 0.01，收到 {alpha}。",
            f"The level should be 0.05 or 0.01; got {alpha}.",
            field="alpha",
        )
    if n < LEAST:
        raise InputError(
            f"秩相关检验至少要 {LEAST} 个时段，只有 {n} 个。",
            f"The rank test needs at least {LEAST} periods; there are {n}.",
            field="values",
        )
    if n <= EXACT_UP_TO:
        return exact_critical(n, alpha), "exact"
    printed = _printed()
    last = max(periods for periods, _ in printed)
    if n <= last:
        nearest = max(periods for periods, _ in printed if periods <= n)
        return printed[nearest, alpha], "table"
    t = float(stats.t.ppf(1 - alpha, n - 2))
    return t / sqrt(n - 2 + t * t), "t"


def rank_correlation(values: ArrayLike) -> float:
    """Return ``rs = 1 − 6 Σd² / (N³ − N)`` of values in time order; equal values share their mean rank.

    依据: 环办〔2011〕22号 附录三

    Examples
    --------
    >>> rank_correlation([3, 5, 4, 8, 9])
    0.9
    """
    given = numbers(values)
    return _correlation(given)


def _correlation(given: NDArray[np.float64]) -> float:
    n = len(given)
    difference = stats.rankdata(given) - np.arange(1, n + 1)
    return float(1 - 6 * float(difference @ difference) / (n**3 - n))


def daniel(values: ArrayLike, alpha: float = 0.05) -> RankTrend:
    """Return whether values in time order rise or fall, by the test of Daniel.

    Parameters
    ----------
    values
        One value a period, in time order, at least five, none missing.
    alpha
        0.05 or 0.01, one-sided.

    Raises
    ------
    InputError
        If there are fewer than five values, or one is missing.

    Notes
    -----
    依据: 环办〔2011〕22号 附录三: |rs| ≥ Wp 为显著，rs < 0 下降，rs > 0 上升。 The printed table gives 0.746 for ten
    periods at 0.01 where the exact value is 0.7455; the exact one decides.

    Examples
    --------
    >>> daniel([3, 5, 4, 8, 9]).word
    '显著上升'
    """
    given = numbers(values)
    critical, source = critical_value(len(given), alpha)
    rs = _correlation(given)
    significant = abs(rs) >= critical - 1e-12
    direction: Direction = "none" if not significant else "rising" if rs > 0 else "falling"
    return RankTrend(len(given), rs, critical, alpha, significant, direction, WORDS[direction], source)


WORDS: dict[Direction, str] = {"rising": "显著上升", "falling": "显著下降", "none": "无显著变化趋势"}
"""The words for each direction."""
