"""A figure against the same period of the year before, in the words and digits of a bulletin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from qinglan.core.errors import InputError
from qinglan.core.rounding import Number, exact, half_even, text

Better = Literal["higher", "lower"]
Judged = Literal["better", "worse", "same"]


@dataclass(frozen=True)
class Change:
    """`difference` in the figure's unit, `percent` of the figure before (None where that says nothing)."""

    now: Decimal
    before: Decimal
    difference: Decimal
    percent: Decimal | None
    word: str
    zh: str
    judged: Judged | None


def year_on_year(
    now: Number,
    before: Number,
    *,
    decimals: int,
    percent_decimals: int = 1,
    share: bool = False,
    rounded_first: bool = True,
    better: Better | None = None,
) -> Change:
    """Return the change against the year before.

    Parameters
    ----------
    now, before
        Both figures, in one unit.
    decimals
        The decimals with which the figure is published.
    percent_decimals
        The decimals of the percentage.
    share
        The figure is itself a percentage: its change is in percentage points (个百分点), never in per cent.
    rounded_first
        ``True``: from the published (rounded) figures, so that readers can check it. ``False``: from the full
        figures, rounded at the end.
    better
        Which direction is good, for `judged`.

    Notes
    -----
    Rounding is half to even (依据: GB/T 8170—2008 3.2). Figures that are equal when published are 持平.

    Examples
    --------
    >>> year_on_year(35, 40, decimals=0, better="lower").zh
    '下降12.5%'
    >>> year_on_year(86.8, 85.5, decimals=1, share=True).zh
    '上升1.3个百分点'
    """
    shown_now, shown_before = half_even(now, decimals), half_even(before, decimals)
    used_now, used_before = (shown_now, shown_before) if rounded_first else (exact(now), exact(before))
    difference = half_even(used_now - used_before, decimals)
    percent = None
    if not share and used_before > 0:
        percent = half_even((used_now - used_before) / used_before * 100, percent_decimals)
    same = shown_now == shown_before
    word = "持平" if same else "上升" if shown_now > shown_before else "下降"
    amount = "" if same else _amount(difference, percent, decimals, percent_decimals, share)
    return Change(shown_now, shown_before, difference, percent, word, word + amount, _judged(word, better))


def _amount(difference: Decimal, percent: Decimal | None, decimals: int, percent_decimals: int, share: bool) -> str:
    if share:
        return f"{text(abs(difference), decimals)}个百分点"
    if percent is None:
        return text(abs(difference), decimals)
    return f"{text(abs(percent), percent_decimals)}%"


def _judged(word: str, better: Better | None) -> Judged | None:
    if better is None:
        return None
    if word == "持平":
        return "same"
    return "better" if (word == "上升") == (better == "higher") else "worse"


def change_word(now: str, before: str, ladder: Sequence[str]) -> str:
    """Return the word for a move on a ladder of grades, the best first.

    Notes
    -----
    依据: 环办〔2011〕22号 二(四): one step is 有所好转 or 有所变差, two or more 明显好转 or 明显变差.

    Examples
    --------
    >>> change_word("良好", "中度污染", ("优", "良好", "轻度污染", "中度污染", "重度污染"))
    '明显好转'
    """
    for grade in (now, before):
        if grade not in ladder:
            raise InputError(
                f"“{grade}”不在等级 {'、'.join(ladder)} 之中。",
                f'"{grade}" is none of the grades {", ".join(ladder)}.',
                field="now" if grade == now else "before",
            )
    return _word(ladder.index(before) - ladder.index(now), 1, 2)


def share_change_word(good: tuple[Number, Number], bad: tuple[Number, Number]) -> str:
    """Return the word for a change of shares, where a basin's grade is unchanged.

    Parameters
    ----------
    good, bad
        The shares of I–III and of worse than V, now and before, per cent.

    Notes
    -----
    依据: 环办〔2011〕22号 二(四): ΔG − ΔD; up to 10 无明显变化, above 10 and up to 20 有所, above 20 明显.

    Examples
    --------
    >>> share_change_word(good=(80, 65), bad=(2, 5))
    '有所好转'
    """
    moved = (exact(good[0]) - exact(good[1])) - (exact(bad[0]) - exact(bad[1]))
    size = 2 if abs(moved) > 20 else 1 if abs(moved) > 10 else 0
    return _word(size if moved > 0 else -size, 1, 2)


def _word(steps: int, one: int, two: int) -> str:
    if abs(steps) < one:
        return "无明显变化"
    return ("明显" if abs(steps) >= two else "有所") + ("好转" if steps > 0 else "变差")
