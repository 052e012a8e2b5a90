"""The declared editions on online monitoring of pollution sources, read into what the evaluators ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import Field

from qinglan.core.declare import Part, Title, kind
from qinglan.core.errors import InputError
from qinglan.standards.edition import Check, Edition, editions, named

FOLDER = Path(__file__).parent / "editions"

Medium = Literal["wastewater", "gas", "station", "surface-water"]
Effect = Literal["invalid", "exempt", "none"]


@dataclass(frozen=True)
class ArrivalRule:
    """What a factor's values must be like on arrival.

    Attributes
    ----------
    low, high
        The range, in `unit`; a value outside it is no measurement.
    times, least
        A jump: at least `times` the value before (or a fraction of it), and at least `least` away from it.
    constant
        So many equal values in a row, none of them zero, are doubted.
    neighbours
        A day's mean so many times above or below the median of the neighbours' is doubted; None: not asked.
    """

    factor: str
    unit: str
    low: Decimal
    high: Decimal
    times: Decimal
    least: Decimal
    constant: int
    neighbours: Decimal | None
    check: Check


@kind("validity")
class Validity(Edition):
    """What is doubted on arrival: ranges, jumps, constant values, drift against neighbours."""

    table: str
    least_neighbours: int

    @cached_property
    def _rules(self) -> Mapping[str, Mapping[str, ArrivalRule]]:
        columns = (
            *("medium", "factor", "unit", "low", "high", "jump_times", "jump_least", "constant", "neighbours"),
            *("source", "check"),
        )
        found: dict[str, dict[str, ArrivalRule]] = {}
        for row in self.rows(self.table, columns):
            found.setdefault(row["medium"], {})[row["factor"]] = ArrivalRule(
                factor=row["factor"],
                unit=row["unit"],
                low=Decimal(row["low"]),
                high=Decimal(row["high"]),
                times=Decimal(row["jump_times"]),
                least=Decimal(row["jump_least"]),
                constant=int(row["constant"]),
                neighbours=Decimal(row["neighbours"]) if row["neighbours"] else None,
                check=row["check"],  # type: ignore[arg-type]
            )
        return found

    def of(self, medium: str) -> Mapping[str, ArrivalRule]:
        """Return the rules of one medium, by factor.

        Raises
        ------
        InputError
            If there is no such medium.
        """
        if medium not in self._rules:
            raise InputError(
                f"medium 应为 {'、'.join(self._rules)} 之一，收到“{medium}”。",
                f'medium should be one of {", ".join(self._rules)}; got "{medium}".',
                field="medium",
            )
        return self._rules[medium]

    def answer(self, given: Any) -> Any:
        """Return what is doubted of the last of an example's values."""
        from qinglan.standards.emission.examples import arrival_answer

        return arrival_answer(self, given)


class Substitute(Part):
    """Which valid hours before a gap stand in for it: 依据 HJ 75—2017 12.2."""

    capture_from: int
    capture_below: int | None = None
    longer_than: int = 0
    hours: int


@kind("gas_online")
class GasOnline(Edition):
    """Continuous monitoring of flue gas: when means are valid, and what stands in for gaps in totals."""

    minutes_of_hour: int
    hours_of_day: int
    oxygen_of_air: int
    substitutes: tuple[Substitute, ...] = Field(min_length=1)

    def answer(self, given: Any) -> Any:
        """Return the mean, converted value or substitute that an example asks for."""
        from qinglan.standards.emission.examples import gas_answer

        return gas_answer(self, given)


@kind("water_online")
class WaterOnline(Edition):
    """Online monitoring of waste water: daily means weighted by the flow, and what stands in for lost days."""

    share_of_day: Decimal
    plain: tuple[str, ...]

    def answer(self, given: Any) -> Any:
        """Return the daily mean that an example asks for."""
        from qinglan.standards.emission.examples import water_answer

        return water_answer(self, given)


@kind("incineration_online")
class IncinerationOnline(Edition):
    """Automatic monitoring data of waste incinerators, as they are used for enforcement."""

    furnace: Decimal
    slots_a_day: int
    hours_a_year: int
    dust_of_exempt: Decimal

    def answer(self, given: Any) -> Any:
        """Return how often an example's furnace was too cold, and whether that counts."""
        from qinglan.standards.emission.examples import furnace_answer

        return furnace_answer(self, given)


@dataclass(frozen=True)
class Mark:
    """A mark that an enterprise sets on its data, and what it does to a candidate."""

    id: str
    title: Title
    of: Literal["device", "condition"]
    effect: Effect
    note: str
    check: Check


@kind("online_marks")
class OnlineMarks(Edition):
    """Marks of enterprises on automatic monitoring data."""

    table: str

    @cached_property
    def marks(self) -> Mapping[str, Mark]:
        """The marks by id, in the order of the table."""
        columns = ("mark", "zh", "en", "of", "effect", "note", "source", "check")
        return {
            row["mark"]: Mark(
                row["mark"],
                Title(zh=row["zh"], en=row["en"]),
                row["of"],  # type: ignore[arg-type]
                row["effect"],  # type: ignore[arg-type]
                row["note"],
                row["check"],  # type: ignore[arg-type]
            )
            for row in self.rows(self.table, columns)
        }

    def answer(self, given: Any) -> Any:
        """Return the exemption that an example's mark gives."""
        from qinglan.standards.emission.examples import mark_answer

        return mark_answer(self, given)


@kind("transmission")
class Transmission(Edition):
    """The effective rate of transmission."""

    least: int
    decimals: int

    def answer(self, given: Any) -> Any:
        """Return the effective rate of an example's counts."""
        from qinglan.standards.emission.examples import transmission_answer

        return transmission_answer(self, given)


E = TypeVar("E", bound=Edition)


def validities(edition: str | None = None) -> tuple[Validity, ...]:
    """Return the editions of the rules on arrival, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Validity, "晴岚到达校验"), edition)


def gas_onlines(edition: str | None = None) -> tuple[GasOnline, ...]:
    """Return the editions of HJ 75, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, GasOnline, "HJ 75"), edition)


def water_onlines(edition: str | None = None) -> tuple[WaterOnline, ...]:
    """Return the editions of HJ 356, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, WaterOnline, "HJ 356"), edition)


def incinerations(edition: str | None = None) -> tuple[IncinerationOnline, ...]:
    """Return the editions of the rules on incinerators' data, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, IncinerationOnline, "生态环境部令第10号"), edition)


def online_marks(edition: str | None = None) -> tuple[OnlineMarks, ...]:
    """Return the editions of the marking rules, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, OnlineMarks, "生态环境部公告 2022年第21号"), edition)


def transmissions(edition: str | None = None) -> tuple[Transmission, ...]:
    """Return the editions of the effective rate of transmission, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Transmission, "传输有效率"), edition)


def _chosen(available: tuple[E, ...], edition: str | None) -> tuple[E, ...]:
    return available if edition is None else (named(available, edition),)
