"""Everything on file about one indicator on a day, gathered for judging and showing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time

from qinglan.core.declare import Title
from qinglan.core.interval import BEIJING
from qinglan.core.rounding import exact
from qinglan.indicators import store
from qinglan.indicators.city import Plan
from qinglan.indicators.declare import Indicator, Target
from qinglan.indicators.installation import Installation, indicator_of
from qinglan.indicators.state import Goal, Kind, Question, Reading, Standing, State, is_over, judge
from qinglan.indicators.store import IssuedTarget, Value


@dataclass(frozen=True)
class Facts:
    """Everything on file about one indicator on a day."""

    target: Target
    indicator: Indicator
    plan: Plan
    as_of: date
    values: Mapping[tuple[str, Kind], Value]
    issued: tuple[IssuedTarget, ...]

    @property
    def decimals(self) -> int:
        """The declared decimals."""
        return self.indicator.rounding.decimals

    def own(self, period: str) -> Value | None:
        """Return the city's own number of a period; what was reported stands in where nothing was computed."""
        kinds: tuple[Kind, ...] = ("estimate", "reported") if self.indicator.computed else ("reported",)
        for kind in kinds:
            found = self.values.get((period, kind))
            if found is not None and found.value is not None:
                return found
        return None

    def compares(self, value: Value) -> bool:
        """Return whether a number was made by the target's own method; others are never held against it."""
        return value.kind != "estimate" or value.method in (None, self.target.ground(int(value.period[:4])).method.id)

    def confirmed(self, period: str) -> Value | None:
        """Return the confirmed number of a period."""
        return self.values.get((period, "confirmed"))

    def periods(self) -> list[str]:
        """Return the periods with a number, oldest first."""
        return sorted({period for (period, _), value in self.values.items() if value.value is not None})

    def years(self) -> list[str]:
        """Return the whole years among them, those of the plan and its baseline."""
        return [period for period in self.periods() if len(period) == 4 and int(period) <= self.target.goal.year]

    def latest(self) -> str | None:
        """Return the last year of the plan's own period with a number; the baseline's year is not of it."""
        return next((year for year in reversed(self.years()) if int(year) > self.target.baseline.year), None)

    def goal(self) -> Goal:
        """Return the target of the plan's last year: the last one issued for it, else the plan's own."""
        goal = self.target.goal
        issued = [found for found in self.issued if found.year == goal.year]
        if issued:
            return Goal(goal.year, exact(issued[-1].value), "issued")
        return Goal(goal.year, goal.value, goal.status)

    def standing(self) -> Standing:
        """Return how the indicator stands."""
        readings, incomparable = {}, False
        for period in self.years():
            own, confirmed = self.own(period), self.confirmed(period)
            if own is not None and not self.compares(own):
                incomparable = incomparable or int(period) > self.target.baseline.year
                own = None
            readings[int(period)] = Reading(
                int(period),
                None if own is None or own.value is None else exact(own.value),
                "reported" if own is None or own.kind == "reported" else "estimate",
                None if confirmed is None or confirmed.value is None else exact(confirmed.value),
            )
        found = judge(
            Question(
                comparator=self.target.comparator,
                decimals=self.decimals,
                as_of=self.as_of,
                baseline_year=self.target.baseline.year,
                final=self.goal(),
                readings=readings,
                yearly={found.year: exact(found.value) for found in self.issued if found.year != self.target.goal.year},
                breaks=self.target.breaks,
            )
        )
        return _not_compared(found, self.goal()) if incomparable and found.state == "no_data" else found


def facts(
    installation: Installation,
    plan: Plan,
    target: Target,
    as_of: date,
    *,
    values: Sequence[Value],
    issued: Sequence[IssuedTarget],
) -> Facts:
    """Return what is on file about a line of the plan; the plan's own baseline counts as confirmed by the plan."""
    found: dict[tuple[str, Kind], Value] = {}
    baseline = _baseline(target)
    if baseline is not None and is_over(target.baseline.year, as_of):
        found[baseline.period, "confirmed"] = baseline
    for value in values:
        if value.indicator == target.indicator:
            found[value.period, value.kind] = value
    # A figure up to some day of a year says nothing any more once a later one, or the whole year, is there.
    newest = max((period for period, _ in found), key=store.period_end, default="")
    found = {key: value for key, value in found.items() if len(key[0]) == 4 or key[0] == newest}
    return Facts(
        target=target,
        indicator=indicator_of(installation, target),
        plan=plan,
        as_of=as_of,
        values=dict(sorted(found.items())),
        issued=tuple(one for one in issued if one.indicator == target.indicator),
    )


_OTHER_METHOD = Title(
    zh="自测的方法与目标的方法不同，不与目标比较；以核定值为准",
    en="The own estimate is made by another method than the target's and is not held against it; what counts is the "
    "confirmed value",
)


def _not_compared(found: Standing, goal: Goal) -> Standing:
    """Return the standing of an indicator whose only numbers were made by another method than the target's."""
    state: State = "awaiting_province" if goal.value is None else "no_pace"
    return replace(found, state=state, notes=(_OTHER_METHOD,))


def _baseline(target: Target) -> Value | None:
    baseline = target.baseline
    if baseline.value is None:
        return None
    recorded = datetime.combine(baseline.document_date, time(), BEIJING)
    return Value(
        indicator=target.indicator,
        period=str(baseline.year),
        kind="confirmed",
        value=float(baseline.value),
        text=baseline.text,
        network=baseline.network.id,
        method=baseline.method.id,
        basis=baseline.basis.id,
        edition=None,
        document=f"{baseline.source.document} {baseline.source.clause or ''}".strip(),
        document_date=baseline.document_date,
        note=None if baseline.note is None else baseline.note.zh,
        detail={},
        inputs_revision=None,
        simulated=False,
        recorded=recorded,
    )
