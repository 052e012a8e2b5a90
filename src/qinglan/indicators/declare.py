"""What an indicator is, and what a plan wants it to reach.

An ``indicator`` belongs to a domain and holds for every city; a ``target`` belongs to a city's plan and says where
the indicator stood, on which network, by which method, and where it must come to.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, model_validator

from qinglan.core.declare import Clause, Declaration, Declarations, Finding, Part, Title, kind
from qinglan.core.interval import Basis
from qinglan.core.rounding import exact, half_even
from qinglan.core.units import normal

Better = Literal["higher", "lower"]
Comparator = Literal[">=", "<="]
Mark = Literal["O", "P", "D", "M", "U"]
BreakReason = Literal["network", "method", "basis"]
EditionPolicy = Literal["own_day", "period_end"]

REPORTED = "reported"


class Named(Part):
    """A network, method or basis: an id to compare and a title to show."""

    id: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)

    @property
    def title(self) -> Title:
        """The title in both languages."""
        return Title(zh=self.zh, en=self.en)


class Rounding(Part):
    """How the number is rounded for one use; the use belongs to the rounding and is declared with it."""

    decimals: int = Field(ge=0, le=6)
    method: Literal["half_even"] = "half_even"
    use: Title
    basis: Clause | None = None
    check: Mark

    def apply(self, number: float | Decimal) -> Decimal:
        """Return `number` rounded for this use."""
        return half_even(number, self.decimals)


@kind("domain")
class Domain(Declaration):
    """One of the businesses; its indicators, and later its ledgers, rules and flows, lie in its folder."""

    number: str = Field(pattern=r"^D\d\d$")


class Plausible(Part):
    """What a figure can be at all, ends included. Own bounds against slips of the pen; no document sets them."""

    low: Decimal | None = None
    high: Decimal | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Plausible:
        if self.low is not None and self.high is not None and self.low >= self.high:
            raise ValueError("low must lie below high / low 须小于 high")
        return self

    def holds(self, value: float | Decimal) -> bool:
        """Return whether `value` lies within the bounds.

        Examples
        --------
        >>> share = Plausible(low=Decimal(0), high=Decimal(100))
        >>> share.holds(100), share.holds(100.1), Plausible(low=Decimal(0)).holds(10**9)
        (True, False, True)
        """
        number = exact(value)
        return (self.low is None or number >= self.low) and (self.high is None or number <= self.high)

    @property
    def title(self) -> Title:
        """The bounds in words."""
        if self.low is not None and self.high is not None:
            return Title(zh=f"{self.low} 至 {self.high}", en=f"{self.low} to {self.high}")
        if self.low is not None:
            return Title(zh=f"不小于 {self.low}", en=f"at least {self.low}")
        if self.high is not None:
            return Title(zh=f"不大于 {self.high}", en=f"at most {self.high}")
        return Title(zh="不限", en="unbounded")


class Outlook(Part):
    """What is said of the years to come.

    Attributes
    ----------
    odds
        Whether odds of the target are drawn from the yearly values.
    in_year
        What a running year may still show: ``good_days`` (how many may be lost) or ``mean`` (of the days left).
    """

    odds: bool = False
    in_year: Literal["good_days", "mean"] | None = None


@kind("indicator")
class Indicator(Declaration):
    """A number that plans are judged by."""

    domain: str
    unit: str
    unit_title: Title | None = None
    better: Better
    rounding: Rounding
    plausible: Plausible = Plausible()
    compute: str
    parameters: dict[str, Any] = Field(default_factory=dict)
    bases: tuple[Basis, ...] = ("assessed", "audited", "realtime")
    method: Named
    outlook: Outlook = Outlook()
    checks: tuple[Remark, ...] = ()

    @property
    def computed(self) -> bool:
        """Whether the program computes it from measurements; else it is reported each year."""
        return self.compute != REPORTED

    @property
    def series(self) -> str:
        """The factor id under which the lake keeps the reported yearly figures."""
        return str(self.parameters.get("factor", f"indicator:{self.id}"))

    def answer(self, given: Any) -> dict[str, Any]:
        """Return what the declared function makes of an example's `given`."""
        from qinglan.indicators import examples  # the examples are computed by layers that read this one

        return examples.answer(self, given)

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield a missing domain, an unknown spelling of the unit, and a computation without an example."""
        if self.domain not in declarations.of(Domain):
            yield self.finding(f"所属领域“{self.domain}”没有声明。", f'its domain "{self.domain}" is not declared.')
        if normal(self.unit) != self.unit:
            yield self.finding(
                f"单位“{self.unit}”应写作“{normal(self.unit)}”。",
                f'the unit "{self.unit}" should be written "{normal(self.unit)}".',
            )
        if self.computed and not self.examples:
            yield self.finding(
                "由程序计算，却没有算例：请给出 examples，并写明出处或算式。",
                "it is computed but has no example: give examples with their source or arithmetic.",
            )
        if not self.basis:
            yield self.finding("没有写明依据（basis）。", "it names no document it rests on (basis).")


class Remark(Part):
    """A check mark with what it is about, shown wherever the number is shown."""

    mark: Mark
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Baseline(Part):
    """Where the indicator stood; a dash in the plan (no value) is not zero."""

    year: int
    value: Decimal | None = None
    text: str
    network: Named
    method: Named
    basis: Named
    source: Clause
    document_date: date
    note: Title | None = None
    check: Mark = "O"


class Goal(Part):
    """What the plan wants by its last year."""

    year: int
    value: Decimal | None = None
    text: str
    status: Literal["fixed", "awaiting", "words"]
    network: Named
    method: Named
    basis: Named
    note: Title | None = None

    @model_validator(mode="after")
    def _value_fits_status(self) -> Goal:
        if (self.value is None) != (self.status == "awaiting"):
            raise ValueError(
                "fixed and words need a value (zero is one), awaiting has none / "
                "“fixed”“words”须有 value（可以为 0），“awaiting”不得有"
            )
        return self


class Break(Part):
    """Between two years no line, gap or pace is drawn: the numbers stand on different ground."""

    after: int
    before: int
    reason: BreakReason
    title: Title
    check: Mark = "O"

    @model_validator(mode="after")
    def _in_order(self) -> Break:
        if self.after >= self.before:
            raise ValueError("after must be an earlier year than before / after 须早于 before")
        return self


@kind("target")
class Target(Declaration):
    """One line of a plan's table of indicators."""

    plan: str
    row: int = Field(ge=1)
    order: int = Field(default=1, ge=1)
    indicator: str
    binding: Literal["binding", "expected"]
    comparator: Comparator
    baseline: Baseline
    goal: Goal
    edition_policy: EditionPolicy = "period_end"
    reporter: Named
    breaks: tuple[Break, ...] = ()

    def ground(self, year: int) -> Baseline | Goal:
        """Return whose network, method and basis the number of `year` stands on."""
        if any(year <= gap.after for gap in self.breaks):
            return self.baseline
        return self.goal if year > self.baseline.year else self.baseline

    def break_between(self, first: int, last: int) -> Break | None:
        """Return the first break that lies between two years, in either order."""
        low, high = min(first, last), max(first, last)
        return next((gap for gap in self.breaks if low <= gap.after and gap.before <= high), None)

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield an unknown indicator, a comparator against the direction, hidden breaks and needless decimals."""
        indicator = declarations.of(Indicator).get(self.indicator)
        if indicator is None:
            yield self.finding(
                f"指标“{self.indicator}”没有声明。", f'its indicator "{self.indicator}" is not declared.'
            )
            return
        if (indicator.better == "higher") != (self.comparator == ">="):
            yield self.finding(
                f"比较符 {self.comparator} 与指标方向（{indicator.better}）相反。",
                f"the comparator {self.comparator} contradicts the indicator's direction ({indicator.better}).",
            )
        if self.goal.value is not None and not carries(self.goal.value, indicator.rounding.decimals):
            yield self.finding(
                f"目标值 {self.goal.value} 的小数位多于该指标比较时的 {indicator.rounding.decimals} 位。",
                f"the target {self.goal.value} has more decimals than the {indicator.rounding.decimals} compared.",
            )
        if self.baseline.year >= self.goal.year:
            yield self.finding("基准年应早于目标年。", "the baseline year should lie before the target year.")
        for name in ("network", "method", "basis"):
            before, after = getattr(self.baseline, name).id, getattr(self.goal, name).id
            if before != after and not any(gap.reason == name for gap in self.breaks):
                yield self.finding(
                    f"基准与目标的 {name} 不同（{before}、{after}），却没有声明断点（breaks）。",
                    f"baseline and target differ in {name} ({before}, {after}) but no break is declared.",
                )


def carries(number: float | Decimal, decimals: int) -> bool:
    """Return whether `number` needs no more than `decimals` places.

    Examples
    --------
    >>> carries(Decimal("90.9"), 2), carries(Decimal("36.651"), 2)
    (True, False)
    """
    return exact(number) == half_even(number, decimals)


Indicator.model_rebuild()
