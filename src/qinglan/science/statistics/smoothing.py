"""How complete a series is, and what is left of it when its short variations are taken out."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qinglan.core.errors import InputError
from qinglan.science.statistics.series import row


def capture(values: ArrayLike, expected: int | None = None) -> float:
    """Return the share of expected slots that hold a value, 0 to 1.

    Parameters
    ----------
    values
        One for each slot; missing ones NaN. Where absent slots are left out of the row, say how many are `expected`.

    Examples
    --------
    >>> capture([1.0, float("nan"), 3.0, 4.0])
    0.75
    >>> capture([1.0, 3.0], expected=8)
    0.25
    """
    given = row(values)
    slots = len(given) if expected is None else expected
    present = int(np.isfinite(given).sum())
    if slots < 1 or present > slots:
        raise InputError(
            f"应有 {slots} 个时段，却有 {present} 个值。",
            f"{slots} slots are expected, but there are {present} values.",
            field="expected",
        )
    return present / slots


def kolmogorov_zurbenko(values: ArrayLike, window: int, times: int, least: float = 0.5) -> NDArray[np.float64]:
    """Return the series smoothed by a moving mean of `window` slots, `times` times over.

    Parameters
    ----------
    values
        Evenly spaced; missing ones NaN.
    window
        An odd number of slots.
    times
        How often the mean is taken. 15 days 5 times over leaves what lasts longer than about 33 days; 365 days
        3 times over leaves the long-term part.
    least
        The share of a window that must hold values; else the result is NaN there. At the ends the window is what
        lies within the series.

    Notes
    -----
    Source: Rao and Zurbenko (1994), Journal of the Air & Waste Management Association 44, 1089–1092.

    Examples
    --------
    >>> kolmogorov_zurbenko([0, 0, 9, 0, 0], window=3, times=1).tolist()
    [0.0, 3.0, 3.0, 3.0, 0.0]
    """
    found = row(values)
    if window < 1 or window % 2 == 0 or times < 1:
        raise InputError(
            f"窗口应为正奇数、次数应为正整数；收到 {window} 与 {times}。",
            f"The window should be odd and the number of times positive; got {window} and {times}.",
            field="window",
        )
    for _ in range(times):
        found = _moving_mean(found, window, least)
    return found


def _moving_mean(given: NDArray[np.float64], window: int, least: float) -> NDArray[np.float64]:
    half = window // 2
    present = np.isfinite(given)
    ones = np.ones(window)

    def summed(part: NDArray[np.float64]) -> NDArray[np.float64]:
        full: NDArray[np.float64] = np.convolve(part, ones)[half : half + len(part)]
        return full

    total = summed(np.where(present, given, 0.0))
    count = summed(present.astype(np.float64))
    slots = summed(np.ones(len(given)))
    enough = (count > 0) & (count >= least * slots)
    return np.where(enough, total / np.where(enough, count, 1.0), np.nan)
