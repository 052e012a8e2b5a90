"""How an indicator stands against its target on a date: state, gap, needed pace. Pure functions of numbers.

Years count only when they are over. The province's yearly targets set the pace; a straight line is a stand-in where
none was issued, and says so; neither is drawn across a break.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Literal

from qinglan.core.declare import Title
from qinglan.core.rounding import exact, half_even
from qinglan.indicators.declare import Break, Comparator

State = Literal["met", "on_pace", "behind", "missed", "no_target", "awaiting_province", "no_pace", "no_data"]
Kind = Literal["estimate", "reported", "confirmed"]
PaceSource = Literal["province", "straight_line"]
GoalStatus = Literal["fixed", "issued", "words", "awaiting", "none"]

TITLES: Mapping[State, Title] = {
    "met": Title(zh="已达成", en="met"),
    "on_pace": Title(zh="符合进度", en="on pace"),
    "behind": Title(zh="落后进度", en="behind"),
    "missed": Title(zh="未达成", en="missed"),
    "no_target": Title(zh="未设目标", en="no target"),
    "awaiting_province": Title(zh="待省下达", en="awaiting the province"),
    "no_pace": Title(zh="进度无从比较", en="pace cannot be judged"),
    "no_data": Title(zh="无数据", en="no data"),
}


@dataclass(frozen=True)
class Reading:
    """The numbers known for one year; `shown` is the one that counts."""

    year: int
    computed: Decimal | None = None
    computed_kind: Literal["estimate", "reported"] = "estimate"
    confirmed: Decimal | None = None

    @property
    def shown(self) -> Decimal | None:
        """The confirmed number where there is one, else the city's own."""
        return self.computed if self.confirmed is None else self.confirmed

    @property
    def shown_kind(self) -> Kind | None:
        """Which of the two `shown` is."""
        if self.confirmed is not None:
            return "confirmed"
        return None if self.computed is None else self.computed_kind

    def difference(self, decimals: int) -> Decimal | None:
        """Return the city's own number minus the confirmed one, each rounded as declared."""
        if self.computed is None or self.confirmed is None:
            return None
        return half_even(self.computed, decimals) - half_even(self.confirmed, decimals)


@dataclass(frozen=True)
class Goal:
    """What must be reached in a year; a value of zero is a target like any other."""

    year: int
    value: Decimal | None
    status: GoalStatus


@dataclass(frozen=True)
class Question:
    """All that a state depends on."""

    comparator: Comparator
    decimals: int
    as_of: date
    baseline_year: int
    final: Goal
    readings: Mapping[int, Reading]
    yearly: Mapping[int, Decimal] = field(default_factory=dict)
    breaks: tuple[Break, ...] = ()

    def value(self, year: int) -> Decimal | None:
        """Return the shown number of a year that is over, rounded as declared."""
        reading = self.readings.get(year)
        if reading is None or reading.shown is None or not is_over(year, self.as_of):
            return None
        return half_even(reading.shown, self.decimals)

    def years(self) -> list[int]:
        """Return the years after the baseline that are over and have a number."""
        return [year for year in sorted(self.readings) if year > self.baseline_year and self.value(year) is not None]

    def broken(self, first: int, last: int) -> Break | None:
        """Return the first break between two years."""
        return next((gap for gap in self.breaks if first <= gap.after and gap.before <= last), None)

    def reaches(self, value: Decimal, goal: Decimal) -> bool:
        """Return whether a rounded number is as good as `goal` asks."""
        return value >= goal if self.comparator == ">=" else value <= goal

    def short_of(self, value: Decimal, goal: Decimal) -> Decimal:
        """Return how far a number falls short of `goal`; negative when it is better."""
        return goal - value if self.comparator == ">=" else value - goal


@dataclass(frozen=True)
class Gap:
    """How far the number of `year` falls short of the target of `goal_year`; zero or less: reached."""

    year: int
    goal_year: int
    value: Decimal


@dataclass(frozen=True)
class Pace:
    """What the number must change by each year from `year` to `until`; zero: reached already."""

    year: int
    until: int
    value: Decimal
    source: PaceSource


@dataclass(frozen=True)
class Standing:
    """How an indicator stands on a date."""

    state: State
    year: int | None = None
    gap: Gap | None = None
    pace: Pace | None = None
    asked: Decimal | None = None
    asked_by: PaceSource | None = None
    broken: Break | None = None
    notes: tuple[Title, ...] = ()

    @property
    def title(self) -> Title:
        """The state in words."""
        return TITLES[self.state]


def is_over(year: int, as_of: date) -> bool:
    """Return whether `year` is over on `as_of`: its last day is its last."""
    return as_of >= date(year, 12, 31)


def judge(question: Question) -> Standing:
    """Return how the indicator stands.

    Examples
    --------
    Good days: 82.5 % in 2020, 90 % wanted in 2025; a straight line asks for 85.5 % in 2022 (82.5 + 7.5 × 2/5).

    >>> readings = {2020: Reading(2020, confirmed=Decimal("82.5")), 2022: Reading(2022, Decimal("85.6"))}
    >>> asked = Question(">=", 1, date(2023, 6, 1), 2020, Goal(2025, Decimal("90"), "fixed"), readings)
    >>> judge(asked).state, judge(asked).asked, judge(asked).gap.value
    ('on_pace', Decimal('85.5'), Decimal('4.4'))
    """
    final = question.final
    years = question.years()
    year = years[-1] if years else None
    ended = is_over(final.year, question.as_of)
    if final.value is None and (not question.yearly or ended):
        if final.status == "none":
            return Standing("no_target", year)
        # Without any number there is nothing that a target could be held against; the target says itself it is awaited.
        if year is not None:
            return Standing("awaiting_province", year)
    elif ended:
        return _ended(question)
    if year is None:
        note = Title(zh="基准年之后还没有完整年度的数值", en="no full year after the baseline has a number yet")
        return Standing("no_data", None, pace=_pace(question, question.baseline_year), notes=(note,))
    return _running(question, year)


def _ended(question: Question) -> Standing:
    goal = question.final
    value = question.value(goal.year)
    if value is None or goal.value is None:
        note = Title(
            zh=f"规划期已满，{goal.year} 年的数值尚缺", en=f"the plan has ended; {goal.year} has no number yet"
        )
        return Standing("no_data", None, notes=(note,))
    gap = Gap(goal.year, goal.year, question.short_of(value, goal.value))
    return Standing("met" if question.reaches(value, goal.value) else "missed", goal.year, gap)


def _running(question: Question, year: int) -> Standing:
    value = question.value(year)
    assert value is not None
    final = question.final
    broken = question.broken(year, final.year)
    gap = None
    if final.value is not None and broken is None:
        gap = Gap(year, final.year, question.short_of(value, final.value))
    elif year in question.yearly:
        gap = Gap(year, year, question.short_of(value, question.yearly[year]))
    pace = _pace(question, year)
    notes: tuple[Title, ...] = ()
    if gap is not None and gap.goal_year == final.year and gap.value <= 0:
        notes = (Title(zh="提前达到目标值，仍须保持到目标年", en="already at the target; it must hold until its year"),)
    if year in question.yearly:
        asked = question.yearly[year]
        state: State = "on_pace" if question.reaches(value, asked) else "behind"
        return Standing(state, year, gap, pace, asked, "province", broken, notes)
    if notes:
        return Standing("on_pace", year, gap, pace, final.value, None, broken, notes)
    line = _line(question, year)
    if line is None:
        note = Title(
            zh="省里未下达本年度目标，直线也无从画起", en="no yearly target was issued, and no line can be drawn"
        )
        return Standing("no_pace", year, gap, pace, broken=broken, notes=(note,))
    state = "on_pace" if question.reaches(value, line) else "behind"
    stand_in = Title(
        zh="省里未下达年度目标，以直线代替时序进度",
        en="no yearly target was issued; a straight line stands in for the pace",
    )
    return Standing(state, year, gap, pace, line, "straight_line", broken, (stand_in,))


def _line(question: Question, year: int) -> Decimal | None:
    """Return what a straight line to the final target asks in `year`; it begins after the last break."""
    final = question.final
    if final.value is None or question.broken(year, final.year) is not None:
        return None
    starts = [
        first
        for first in (question.baseline_year, *question.years())
        if first < year and question.value(first) is not None and question.broken(first, year) is None
    ]
    if not starts:
        return None
    first = min(starts)
    begun = question.value(first)
    assert begun is not None
    asked = begun + (final.value - begun) * (year - first) / (final.year - first)
    return half_even(exact(asked), question.decimals)


def _pace(question: Question, year: int) -> Pace | None:
    value = question.value(year)
    if value is None:
        return None
    issued = sorted(found for found in question.yearly if found > year and not is_over(found, question.as_of))
    final = question.final
    source: PaceSource
    if issued:
        until, goal, source = issued[0], question.yearly[issued[0]], "province"
    elif final.value is not None and final.year > year:
        until, goal = final.year, final.value
        source = "province" if final.status == "issued" and until - year == 1 else "straight_line"
    else:
        return None
    if question.broken(year, until) is not None:
        return None
    needed = Decimal(0) if question.reaches(value, goal) else (goal - value) / (until - year)
    return Pace(year, until, needed, source)
