"""Monotone trends without a distribution: Mann–Kendall with ties and seasons, the slope of Theil and Sen.

Sources: Mann (1945), Kendall (1975); Hirsch, Slack and Smith (1982) for seasons; Theil (1950), Sen (1968).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from qinglan.core.errors import InputError
from qinglan.science.statistics.series import numbers, row


@dataclass(frozen=True)
class MannKendall:
    """`s` is the sum of signs, `variance` that of `s` with ties, `z` with continuity, `p` two-sided."""

    n: int
    s: int
    variance: float
    z: float
    p: float
    tau: float


@dataclass(frozen=True)
class TheilSen:
    """The median of all slopes between two points, per unit of time, with its confidence interval."""

    slope: float
    intercept: float
    low: float
    high: float


def mann_kendall(values: ArrayLike) -> MannKendall:
    """Return the Mann–Kendall test of values in time order.

    Missing values (NaN) are left out, as the test allows.

    Raises
    ------
    InputError
        If fewer than three values are left.

    Examples
    --------
    >>> found = mann_kendall([1, 2, 3, 4, 5])
    >>> found.s, round(found.z, 4)
    (10, 2.2045)
    """
    given = _left(values)
    s, variance, pairs = _signs(given)
    return _tested(len(given), s, variance, pairs)


def seasonal_mann_kendall(values: ArrayLike, seasons: int = 12) -> MannKendall:
    """Return the seasonal test: each season (month of the year) against itself, the sums added.

    Parameters
    ----------
    values
        In time order from the first season on; missing values are NaN so that seasons stay in step.
    seasons
        How many make a year.

    Examples
    --------
    >>> seasonal_mann_kendall([1, 10, 2, 11, 3, 12], seasons=2).s
    6
    """
    given = row(values)
    if seasons < 2 or len(given) < 2 * seasons:
        raise InputError(
            f"季节性检验至少要两年、每年两个以上时段；收到 {len(given)} 个值、每年 {seasons} 个。",
            f"The seasonal test needs two years of at least two seasons; got {len(given)} values, {seasons} a year.",
            field="values",
        )
    parts = [given[season::seasons] for season in range(seasons)]
    signs = [_signs(part[np.isfinite(part)]) for part in parts]
    count = int(np.isfinite(given).sum())
    return _tested(count, sum(s for s, _, _ in signs), sum(v for _, v, _ in signs), sum(p for _, _, p in signs))


def theil_sen(values: ArrayLike, times: ArrayLike | None = None, confidence: float = 0.95) -> TheilSen:
    """Return the slope of Theil and Sen with the interval of Sen.

    Parameters
    ----------
    values
        In time order; missing values (NaN) are left out.
    times
        The time of each value, in the unit of the slope; by default 0, 1, 2 …
    confidence
        Of the interval, from the variance of the Mann–Kendall sum.

    Examples
    --------
    >>> theil_sen([2.0, 4.0, 5.0, 8.0, 30.0]).slope
    2.5
    """
    given = row(values)
    at = np.arange(len(given), dtype=np.float64) if times is None else numbers(times, "times")
    if len(at) != len(given):
        raise InputError(
            f"times 有 {len(at)} 个，values 有 {len(given)} 个，应当一样多。",
            f"There are {len(at)} times and {len(given)} values; they should be as many.",
            field="times",
        )
    kept = np.isfinite(given)
    given, at = given[kept], at[kept]
    if len(given) < 3:
        raise _few(len(given))
    slopes = np.sort(pair_slopes(given, at))
    slope = float(np.median(slopes))
    _, variance, _ = _signs(given)
    half = float(stats.norm.ppf(0.5 + confidence / 2)) * sqrt(variance)
    low = max(int(np.floor((len(slopes) - half) / 2)), 0)
    high = min(int(np.ceil((len(slopes) + half) / 2)), len(slopes) - 1)
    intercept = float(np.median(given - slope * at))
    return TheilSen(slope, intercept, float(slopes[low]), float(slopes[high]))


def pair_slopes(given: NDArray[np.float64], at: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the slopes between all pairs of points; the last axis of `given` is time."""
    first, second = np.triu_indices(len(at), 1)
    apart = at[second] - at[first]
    if np.any(apart <= 0):
        raise InputError("times 应当逐个增大。", "times should rise from one to the next.", field="times")
    slopes: NDArray[np.float64] = (given[..., second] - given[..., first]) / apart
    return slopes


def _left(values: ArrayLike) -> NDArray[np.float64]:
    given = row(values)
    given = given[np.isfinite(given)]
    if len(given) < 3:
        raise _few(len(given))
    return given


def _few(count: int) -> InputError:
    return InputError(
        f"趋势检验至少要 3 个值，只有 {count} 个。",
        f"A trend needs at least 3 values; there are {count}.",
        field="values",
    )


def _signs(given: NDArray[np.float64]) -> tuple[int, float, float]:
    n = len(given)
    if n < 2:
        return 0, 0.0, 0.0
    first, second = np.triu_indices(n, 1)
    s = int(np.sign(given[second] - given[first]).sum())
    _, counts = np.unique(given, return_counts=True)
    variance = (_spread([n]) - _spread(counts)) / 18
    pairs = n * (n - 1) / 2
    tied = float((counts * (counts - 1) / 2).sum())
    return s, variance, sqrt(pairs * (pairs - tied))


def _spread(counts: Iterable[int]) -> float:
    return float(sum(int(t) * (int(t) - 1) * (2 * int(t) + 5) for t in counts))


def _tested(n: int, s: int, variance: float, pairs: float) -> MannKendall:
    z = 0.0 if s == 0 or variance == 0 else (s - np.sign(s)) / sqrt(variance)
    p = float(2 * stats.norm.sf(abs(z)))
    return MannKendall(n, s, variance, float(z), p, s / pairs if pairs else 0.0)
