"""The declared editions of governance: environmental tax, heavy-pollution levels, credit, incident grades."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from qinglan.core.declare import Part, Title, kind
from qinglan.core.errors import EditionError, InputError
from qinglan.standards.edition import Edition, editions, named

FOLDER = Path(__file__).parent / "editions"


@dataclass(frozen=True)
class Equivalent:
    """A taxed pollutant: how much of it makes one pollution equivalent (污染当量值)."""

    medium: str
    group: str
    pollutant: str
    aliases: tuple[str, ...]
    equivalent: Decimal
    unit: str
    one_of: str | None
    above: int | None
    check: str


@dataclass(frozen=True)
class Rate:
    """What a province charges for one equivalent; without pollutants it is for all that have no rate of their own."""

    province: str
    medium: str
    pollutants: tuple[str, ...]
    rate: Decimal
    start: date
    end: date | None
    check: str


class Reduction(Part):
    """The share of the tax that is due at a concentration of at most this share of the standard."""

    concentration: Decimal
    due: Decimal


class First(Part):
    """How many pollutants of an outlet are taxed, the largest first."""

    air: int
    class1: int
    others: int


@kind("tax")
class Tax(Edition):
    """The environmental protection tax."""

    table: str
    amounts: str
    provinces: str
    first: First
    reductions: tuple[Reduction, ...]
    half_below_days: int

    @cached_property
    def equivalents(self) -> tuple[Equivalent, ...]:
        """All rows of annex 2."""
        columns = (
            "medium", "group", "no", "pollutant", "alias", "equivalent", "unit", "one_of", "above", "source", "check",
        )  # fmt: skip
        return tuple(
            Equivalent(
                row["medium"],
                row["group"],
                row["pollutant"],
                tuple(filter(None, row["alias"].split("|"))),
                Decimal(row["equivalent"]),
                row["unit"],
                row["one_of"] or None,
                int(row["above"]) if row["above"] else None,
                row["check"],
            )
            for row in self.rows(self.table, columns)
        )

    @cached_property
    def amount_of(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        """The least and the largest amount of each item of annex 1, yuan."""
        rows = self.rows(self.amounts, ("item", "unit", "least", "most", "source", "check"))
        return {row["item"]: (Decimal(row["least"]), Decimal(row["most"])) for row in rows}

    @cached_property
    def provincial(self) -> tuple[Rate, ...]:
        """All rates that provinces set."""
        columns = ("province", "medium", "pollutants", "rate", "start", "end", "remark", "source", "check")
        return tuple(
            Rate(
                row["province"],
                row["medium"],
                tuple(filter(None, row["pollutants"].split("|"))),
                Decimal(row["rate"]),
                date.fromisoformat(row["start"]),
                date.fromisoformat(row["end"]) if row["end"] else None,
                row["check"],
            )
            for row in self.rows(self.provinces, columns)
        )

    def rates(self, province: str) -> tuple[Rate, ...]:
        """Return the rates of one province, oldest first, general ones before those of named pollutants.

        Raises
        ------
        EditionError
            If none are on file.
        """
        found = [rate for rate in self.provincial if rate.province == province]
        if not found:
            known = "、".join(dict.fromkeys(rate.province for rate in self.provincial))
            raise EditionError(
                f"没有收录“{province}”的适用税额：现有 {known}；也可用 rates 直接给出。",
                f'No rates of "{province}" are on file: there are {known}; or give rates.',
                field="province",
            )
        return tuple(sorted(found, key=lambda rate: (rate.start, bool(rate.pollutants))))

    def answer(self, given: Any) -> Any:
        """Return the tax of an example."""
        from qinglan.standards.governance.examples import tax_answer

        return tax_answer(self, given)


class Level(Part):
    """A level of warning, its words and colour; the strongest has the highest number."""

    level: int
    id: str
    title: Title
    colour: str


@dataclass(frozen=True)
class Term:
    """AQI above `aqi` (or at it, where it is the scale's end) for at least `hours`."""

    level: str
    alternative: int
    aqi: int
    hours: int
    check: str


@kind("heavy-pollution")
class HeavyPollution(Edition):
    """When a run of days reaches a level of heavy-pollution warning."""

    table: str
    levels: tuple[Level, ...]
    top: int

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The terms; those of one level and alternative must hold together."""
        rows = self.rows(self.table, ("level", "alternative", "aqi", "hours", "remark", "source", "check"))
        return tuple(
            Term(row["level"], int(row["alternative"]), int(row["aqi"]), int(row["hours"]), row["check"])
            for row in rows
        )

    def answer(self, given: Any) -> Any:
        """Return the level of an example's ``{aqi, hours}`` run."""
        from qinglan.standards.governance.examples import heavy_answer

        return heavy_answer(self, given)


class CreditGrade(Part):
    """A grade of credit and the least score for it."""

    grade: int
    title: Title
    plate: str
    least: int


@kind("credit")
class Credit(Edition):
    """The environmental credit of enterprises."""

    table: str
    vetoes: str
    grades: tuple[CreditGrade, ...]

    @cached_property
    def indicators(self) -> Mapping[int, tuple[str, Decimal | None]]:
        """The indicators' names and weights in per cent; None where the weight is not confirmed."""
        rows = self.rows(self.table, ("no", "category", "indicator", "weight", "source", "check"))
        return {int(row["no"]): (row["indicator"], Decimal(row["weight"]) if row["weight"] else None) for row in rows}

    @cached_property
    def conditions(self) -> Mapping[int, Title]:
        """The conditions of which one alone makes the worst grade."""
        rows = self.rows(self.vetoes, ("no", "zh", "en", "source", "check"))
        return {int(row["no"]): Title(zh=row["zh"], en=row["en"]) for row in rows}

    def weights(self, own: Mapping[int, float] | None) -> Mapping[int, Decimal]:
        """Return all weights, the confirmed ones completed or replaced by `own`.

        Raises
        ------
        InputError
            If one is lacking, one is unknown, or they do not add up to 100.
        """
        given = {number: Decimal(str(weight)) for number, weight in (own or {}).items()}
        unknown = sorted(set(given) - set(self.indicators))
        found = {number: given.get(number, weight) for number, (_, weight) in self.indicators.items()}
        lacking = [number for number, weight in found.items() if weight is None]
        total = sum(weight for weight in found.values() if weight is not None)
        if unknown or lacking or total != 100:
            raise InputError(
                f"权重应覆盖第 1—{len(found)} 项且合计 100：未确认的有 {'、'.join(map(str, lacking)) or '无'}，"
                f"多出的有 {'、'.join(map(str, unknown)) or '无'}，合计 {total}。请按地方办法用 weights 补齐。",
                f"Weights should cover items 1–{len(found)} and add up to 100: not confirmed {lacking}, unknown "
                f"{unknown}, total {total}. Complete them by weights, from the local rule.",
                field="weights",
            )
        return {number: weight for number, weight in found.items() if weight is not None}

    def answer(self, given: Any) -> Any:
        """Return the grade of an example's ``{score, vetoes, ordinary_incident}``."""
        from qinglan.standards.governance.examples import credit_answer

        return credit_answer(self, given)


class IncidentLevel(Part):
    """A grade of incident; 1 is the worst."""

    level: int
    id: str
    title: Title


@dataclass(frozen=True)
class Criterion:
    """A measure (from at least to below) or a description that makes a grade."""

    level: str
    criterion: str
    at_least: int | None
    below: int | None
    text: str
    check: str


@kind("incident")
class Incident(Edition):
    """The grades of sudden environmental incidents."""

    table: str
    levels: tuple[IncidentLevel, ...]

    @cached_property
    def criteria(self) -> tuple[Criterion, ...]:
        """All criteria, any of which suffices."""
        rows = self.rows(self.table, ("level", "criterion", "at_least", "below", "text", "source", "check"))
        return tuple(
            Criterion(
                row["level"],
                row["criterion"],
                int(row["at_least"]) if row["at_least"] else None,
                int(row["below"]) if row["below"] else None,
                row["text"],
                row["check"],
            )
            for row in rows
        )

    def answer(self, given: Any) -> Any:
        """Return the grade of an example's incident."""
        from qinglan.standards.governance.examples import incident_answer

        return incident_answer(self, given)


E = TypeVar("E", bound=Edition)

TAX = "环境保护税法"
HEAVY = "重污染天气预警分级"
CREDIT = "企业环境信用评价办法"
INCIDENT_PLAN = "国家突发环境事件应急预案"
INCIDENT_REPORT = "突发环境事件信息报告办法"


def taxes(edition: str | None = None) -> tuple[Tax, ...]:
    """Return the editions of the environmental tax, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Tax, TAX), edition)


def heavy_pollution(edition: str | None = None) -> tuple[HeavyPollution, ...]:
    """Return the editions of the heavy-pollution levels, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, HeavyPollution, HEAVY), edition)


def credits_of(edition: str | None = None) -> tuple[Credit, ...]:
    """Return the editions of the credit rule, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Credit, CREDIT), edition)


def incidents(edition: str | None = None) -> tuple[Incident, ...]:
    """Return the two rules that grade incidents (the reporting rule of 2011, the plan of 2014), or the named one."""
    both = (*editions(FOLDER, Incident, INCIDENT_REPORT), *editions(FOLDER, Incident, INCIDENT_PLAN))
    return _chosen(both, edition)


def _chosen(available: tuple[E, ...], edition: str | None) -> tuple[E, ...]:
    return available if edition is None else (named(available, edition),)
