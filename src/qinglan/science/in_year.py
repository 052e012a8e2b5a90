"""What the rest of a year may still show: exact arithmetic on counts and means, no forecast."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from math import ceil, floor

from qinglan.core.errors import InputError
from qinglan.core.rounding import Number, exact, half_even


@dataclass(frozen=True)
class GoodDays:
    """`may_lose` is how many of the days left may still not be good; negative: the target is out of reach by so many.

    `needed` is how many good days the whole year needs.
    """

    good: int
    counted: int
    left: int
    needed: int
    may_lose: int
    reachable: bool
    safe: bool


@dataclass(frozen=True)
class RemainingMean:
    """The mean that the periods left must keep to, exact, and rounded with the figure's decimals on the safe side."""

    known: int
    left: int
    mean: Fraction
    text: str
    reachable: bool


def days_left(day: date) -> int:
    """Return how many days of the year come after `day`.

    Examples
    --------
    >>> days_left(date(2024, 2, 28)), days_left(date(2023, 12, 31))
    (307, 0)
    """
    return (date(day.year, 12, 31) - day).days


def good_days_left(good: int, counted: int, left: int, target: Number, decimals: int | None = None) -> GoodDays:
    """Return how many good days may still be lost.

    Parameters
    ----------
    good, counted
        Good days and valid days so far.
    left
        Days left; all are taken to become valid.
    target
        The least share of good days, per cent of valid days.
    decimals
        The decimals with which the share is rounded (half to even) before it is compared; None compares it whole.

    Raises
    ------
    InputError
        If a count is negative or there are more good than counted days.

    Examples
    --------
    300 days counted, 265 good, 65 left, 87.5 %: 365 × 0.875 = 319.4, so 320 are needed and 10 may be lost.

    >>> good_days_left(265, 300, 65, 87.5).may_lose
    10
    """
    if min(good, counted, left) < 0 or good > counted or counted + left == 0:
        raise InputError(
            f"优良 {good} 天、有效 {counted} 天、剩余 {left} 天不成立。",
            f"{good} good days of {counted} valid days with {left} left cannot be.",
            field="good",
        )
    total, share = counted + left, exact(target)
    needed = ceil(Fraction(share) * total / 100)
    while decimals is not None and needed > 0 and _rounded(needed - 1, total, decimals) >= share:
        needed -= 1
    may_lose = left - (needed - good)
    return GoodDays(good, counted, left, needed, may_lose, may_lose >= 0, good >= needed)


def _rounded(good: int, total: int, decimals: int) -> Decimal:
    return half_even(Decimal(good) * 100 / Decimal(total), decimals)


def remaining_mean(
    known: Sequence[Number], target: Number, periods: int = 12, decimals: int = 0, *, at_most: bool = True
) -> RemainingMean:
    """Return the mean that the rest of the periods may show (``at_most``) or must show for the target.

    Parameters
    ----------
    known
        The values of the periods so far, each of equal weight.
    target
        The mean of all `periods`.
    decimals
        Of the text; it is rounded to the safe side (down for ``at_most``, else up).

    Raises
    ------
    InputError
        If no period is left.

    Examples
    --------
    Ten months with a sum of 310 and a target of 30: (30 × 12 − 310) / 2 = 25.

    >>> remaining_mean([31] * 10, 30).mean
    Fraction(25, 1)
    """
    left = periods - len(known)
    if left < 1:
        raise InputError(
            f"{periods} 个时段都已有值，没有剩余。",
            f"All {periods} periods have a value; none is left.",
            field="known",
        )
    mean = (Fraction(exact(target)) * periods - sum(Fraction(exact(value)) for value in known)) / left
    step = 10**decimals
    whole = floor(mean * step) if at_most else ceil(mean * step)
    text = format(Decimal(whole) / Decimal(step), f".{decimals}f")
    return RemainingMean(len(known), left, mean, text, mean >= 0 or not at_most)
