"""The declared editions of the air standards, read into what the evaluators ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

import polars as pl

from qinglan.core.declare import Part, Title, kind
from qinglan.core.errors import EditionError
from qinglan.standards.edition import Check, Edition, editions, in_force, named

FOLDER = Path(__file__).parent / "editions"

TENTHS = 10
"""Concentrations are compared in tenths of their unit: whole numbers for all six pollutants."""


def decimals(pollutant: str) -> int:
    """Return the decimals of a rounded concentration.

    依据: HJ 633—2026 4.2.2; HJ 663—2013 6.3
    """
    return 1 if pollutant.startswith("CO") else 0


class Validity(Part):
    """The least data that make a mean valid.

    依据: GB 3095 表4
    """

    factors: tuple[str, ...]
    averaging: str
    counted: str
    minimum: int
    per: str
    february: int | None = None
    source: str
    check: Check


@kind("limits")
class Limits(Edition):
    """Concentration limits: GB 3095."""

    table: str
    validity: tuple[Validity, ...]

    @cached_property
    def _limits(self) -> Mapping[tuple[str, str, int], Decimal]:
        columns = ("table", "factor", "averaging", "grade1", "grade2", "unit", "binding", "source", "check")
        return {
            (row["factor"], row["averaging"], grade): Decimal(row[f"grade{grade}"])
            for row in self.rows(self.table, columns)
            for grade in (1, 2)
        }

    def limit(self, factor: str, averaging: str, grade: int = 2) -> Decimal:
        """Return a limit in the factor's unit (µg/m³; CO mg/m³).

        Raises
        ------
        EditionError
            If the edition sets none for that averaging time.
        """
        found = self._limits.get((factor, averaging, grade))
        if found is None:
            raise EditionError(
                f"{self.name} 没有 {factor} 的 {averaging} 浓度限值（{grade} 级）。",
                f"{self.name} sets no limit for {factor} over {averaging} (grade {grade}).",
                field="factor",
            )
        return found

    def least(self, factor: str, averaging: str, per: str) -> Validity:
        """Return the validity rule of a factor's mean."""
        for rule in self.validity:
            if factor in rule.factors and rule.averaging == averaging and rule.per == per:
                return rule
        raise EditionError(
            f"{self.name} 没有 {factor} {averaging} 的数据有效性规定（{per}）。",
            f"{self.name} has no validity rule for {factor} over {averaging} ({per}).",
            field="factor",
        )

    def answer(self, given: Any) -> Any:
        """Return the limit that an example asks for, as ``{factor, averaging, grade}``."""
        return float(self.limit(given["factor"], given["averaging"], given.get("grade", 2)))


class Level(Part):
    """One of the six levels of the index, with the words and colour of the standard."""

    level: int
    title: Title
    name: Title
    low: int
    high: int
    colour: str
    colour_title: Title


class Above(Part):
    """What counts when a concentration lies above the last breakpoint of its item."""

    item: str
    over: Decimal
    iaqi: int | None = None
    use: str | None = None
    clause: str
    check: Check


class Items(Part):
    """The items (pollutant/averaging) of the daily report, the hourly report and the network's own practice."""

    day: tuple[str, ...]
    hour: tuple[str, ...]
    feed: tuple[str, ...]


@dataclass(frozen=True)
class Breakpoint:
    """An index value and the concentration, in tenths, that it stands for."""

    iaqi: int
    tenths: int


@kind("index")
class Index(Edition):
    """The air quality index: HJ 633."""

    table: str
    items: Items
    hourly_particles: str
    levels: tuple[Level, ...]
    above: tuple[Above, ...]
    top: int
    least_index: int
    primary_above: int
    missing: Literal["judge_the_rest", "withhold_up_to_100"]

    @cached_property
    def _breakpoints(self) -> Mapping[str, tuple[Breakpoint, ...]]:
        columns = ("factor", "averaging", "iaqi", "concentration", "unit", "source", "check")
        found: dict[str, list[Breakpoint]] = {}
        for row in self.rows(self.table, columns):
            point = Breakpoint(int(row["iaqi"]), int(Decimal(row["concentration"]) * TENTHS))
            found.setdefault(f"{row['factor']}/{row['averaging']}", []).append(point)
        return {item: tuple(points) for item, points in found.items()}

    def breakpoints(self, item: str) -> tuple[Breakpoint, ...]:
        """Return an item's breakpoints; hourly particles are put on those of the 24-hour mean."""
        pollutant, averaging = item.split("/")
        if pollutant.startswith("PM") and averaging == "1h":
            item = f"{pollutant}/{self.hourly_particles}"
        return self._breakpoints[item]

    def beyond(self, item: str) -> Above | None:
        """Return the rule for concentrations above an item's last breakpoint, if the text has one."""
        return next((rule for rule in self.above if rule.item == item), None)

    def answer(self, given: Any) -> Any:
        """Return the index of an example's concentrations, given as ``{item: value}``."""
        from qinglan.standards.air.examples import index_answer

        return index_answer(self, given)


class CityRule(Part):
    """How many of a city's stations must be valid for the city's value to be.

    依据: HJ 663—2013 6.1
    """

    share: Decimal
    few: int
    share_of_few: Decimal
    source: str
    check: Check


class Ozone(Part):
    """When a day's largest 8-hour ozone mean is valid."""

    hours_of_window: int
    windows: int
    exceeding_is_valid: bool
    source: str
    check: Check


@dataclass(frozen=True)
class Statistic:
    """A yearly statistic of a pollutant and the limit it is compared with."""

    factor: str
    statistic: str
    percentile: int | None
    averaging: str


@kind("evaluation")
class Evaluation(Edition):
    """How a year is evaluated: HJ 663."""

    table: str
    ozone: Ozone
    city: CityRule
    multiple_decimals: int
    share_decimals: int

    @cached_property
    def yearly(self) -> tuple[Statistic, ...]:
        """The yearly statistics in the order of the table."""
        columns = ("factor", "period", "statistic", "percentile", "compared_with", "source", "check")
        found = []
        for row in self.rows(self.table, columns):
            if row["period"] != "year":
                continue
            percentile = int(row["percentile"]) if row["percentile"] else None
            day = "mda8" if row["factor"] == "O3" else "24h"
            averaging = "1y" if row["compared_with"] == "annual_limit" else day
            name = f"p{percentile}" if percentile else "mean"
            found.append(Statistic(row["factor"], name, percentile, averaging))
        return tuple(found)

    def answer(self, given: Any) -> Any:
        """Return the statistic that an example asks for."""
        from qinglan.standards.air.examples import evaluation_answer

        return evaluation_answer(self, given)


@kind("ranking")
class Ranking(Edition):
    """The composite index by which the ministry ranks cities."""

    statistics: dict[str, str]
    decimals: int

    def answer(self, given: Any) -> Any:
        """Return the composite index of an example's period statistics, given as ``{factor: value, date}``."""
        from qinglan.standards.air.examples import ranking_answer

        return ranking_answer(self, given)


E = TypeVar("E", bound=Edition)


def limits(edition: str | None = None) -> tuple[Limits, ...]:
    """Return the editions of GB 3095, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Limits, "GB 3095"), edition)


def indices(edition: str | None = None) -> tuple[Index, ...]:
    """Return the editions of HJ 633, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Index, "HJ 633"), edition)


def evaluations(edition: str | None = None) -> tuple[Evaluation, ...]:
    """Return the editions of HJ 663, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Evaluation, "HJ 663"), edition)


def _chosen(available: tuple[E, ...], edition: str | None) -> tuple[E, ...]:
    return available if edition is None else (named(available, edition),)


def classes(on: date | None = None) -> pl.DataFrame:
    """Return the six levels with their words and colours, as the edition in force on a day has them.

    Returns
    -------
    polars.DataFrame
        ``level, level_zh, level_en, class_zh, class_en, low, high, colour, colour_zh, colour_en``.
    """
    index = in_force(indices(), on) if on else indices()[-1]
    return pl.DataFrame(
        {
            "level": [level.level for level in index.levels],
            "level_zh": [level.name.zh for level in index.levels],
            "level_en": [level.name.en for level in index.levels],
            "class_zh": [level.title.zh for level in index.levels],
            "class_en": [level.title.en for level in index.levels],
            "low": [level.low for level in index.levels],
            "high": [level.high for level in index.levels],
            "colour": [level.colour for level in index.levels],
            "colour_zh": [level.colour_title.zh for level in index.levels],
            "colour_en": [level.colour_title.en for level in index.levels],
        }
    )
