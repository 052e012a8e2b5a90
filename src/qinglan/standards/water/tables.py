"""The declared editions of the surface-water standards, read into what the evaluators ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal, TypeVar

from qinglan.core.declare import Part, Title, kind
from qinglan.core.errors import EditionError
from qinglan.standards.edition import Check, Edition, editions, named

FOLDER = Path(__file__).parent / "editions"

Kind = Literal["river", "lake"]
CLASSES = ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ")
WORST = len(CLASSES)
GOOD = 3
"""Class III: sections as good or better count as good (优良)."""


@dataclass(frozen=True)
class Criterion:
    """An item of table 1 for one kind of water: its five limits and how a value meets them."""

    item: str
    title: Title
    unit: str
    op: str
    limits: tuple[Decimal, ...]
    check: Check


@dataclass(frozen=True)
class SpecificLimit:
    """An item of table 2 or 3, for drinking-water sources: met or not."""

    table: int
    number: int
    item: str
    unit: str
    limit: Decimal
    check: Check


@kind("water_classes")
class WaterClasses(Edition):
    """The classes of surface water: GB 3838."""

    table: str
    specific: str
    saturation_of_class_1: int

    @cached_property
    def _criteria(self) -> Mapping[tuple[str, str], Criterion]:
        columns = (
            *("no", "item", "zh", "en", "water_body", "unit", "op"),
            *("class1", "class2", "class3", "class4", "class5", "note", "source", "check"),
        )
        found = {}
        for row in self.rows(self.table, columns):
            written = [row[f"class{number}"] for number in range(1, 6)]
            if row["op"] == "range":
                limits = tuple(Decimal(end) for end in written[0].split("-"))
            else:
                limits = tuple(Decimal(limit) for limit in written if limit)
            title = Title(zh=row["zh"].removesuffix("值"), en=row["en"])
            criterion = Criterion(row["item"], title, row["unit"], row["op"], limits, row["check"])  # type: ignore[arg-type]
            for body in ("river", "lake") if row["water_body"] == "all" else (row["water_body"],):
                found[row["item"], body] = criterion
        return found

    @cached_property
    def items(self) -> tuple[str, ...]:
        """The items of table 1 in its order."""
        return tuple(dict.fromkeys(item for item, _ in self._criteria))

    @cached_property
    def titles(self) -> Mapping[str, Title]:
        """The items' names."""
        return {item: criterion.title for (item, _), criterion in self._criteria.items()}

    def criterion(self, item: str, body: str = "river") -> Criterion:
        """Return an item's limits for one kind of water.

        Raises
        ------
        EditionError
            If the edition sets none.
        """
        found = self._criteria.get((item, body))
        if found is None:
            raise EditionError(
                f"{self.name} 没有 {item} 的{'湖库' if body == 'lake' else '河流'}限值。",
                f"{self.name} sets no limits for {item} in a {body}.",
                field="factor",
            )
        return found

    @cached_property
    def specific_limits(self) -> Mapping[str, SpecificLimit]:
        """The items of tables 2 and 3, for drinking-water sources, by name."""
        columns = ("table", "no", "item", "cas", "unit", "op", "limit", "note", "source", "check")
        return {
            row["item"]: SpecificLimit(
                *(int(row["table"]), int(row["no"]), row["item"], row["unit"], Decimal(row["limit"])),
                check=row["check"],  # type: ignore[arg-type]
            )
            for row in self.rows(self.specific, columns)
        }

    def answer(self, given: Any) -> Any:
        """Return the class (or, for tables 2 and 3, whether the limit is met) of an example's ``item, value``."""
        from qinglan.standards.water.examples import class_answer

        return class_answer(self, given)


class Word(Part):
    """The word and colour of a section as good as class `worst`."""

    worst: int
    title: Title
    colour: Title


class BasinWord(Part):
    """A basin's word: by the share of class I–III from which it holds, or of worse than V below which it does."""

    word: str
    good_from: Decimal | None = None
    bad_below: Decimal | None = None


class Pollutants(Part):
    """How main pollutants are chosen and written."""

    count: int
    first: tuple[str, ...]
    without_multiple: tuple[str, ...]
    decimals: int


class Means(Part):
    """The least months of a mean."""

    months_of_quarter: int
    months_of_year: int


class Change(Part):
    """From which change of shares (percentage points) a basin has changed somewhat, and markedly."""

    some: Decimal
    marked: Decimal


@kind("water_evaluation")
class WaterEvaluation(Edition):
    """How sections and basins are evaluated: 环办〔2011〕22号."""

    evaluated: tuple[str, ...]
    words: tuple[Word, ...]
    few_sections: int
    basin: tuple[BasinWord, ...]
    pollutants: Pollutants
    means: Means
    share_decimals: int
    change: Change

    def word(self, water_class: int) -> str:
        """Return the word for a class."""
        return next(word.title.zh for word in self.words if water_class <= word.worst)

    def answer(self, given: Any) -> Any:
        """Return the verdict on an example's concentrations, or the word for its shares."""
        from qinglan.standards.water.examples import evaluation_answer

        return evaluation_answer(self, given)


class GradeWord(Part):
    """A trophic grade and the index from which it holds; `included` says whether the bound itself belongs to it."""

    title: Title
    above: Decimal | None = None
    included: bool = False


@kind("trophic")
class Trophic(Edition):
    """The trophic state of lakes."""

    table: str
    grades: tuple[GradeWord, ...]
    decimals: int

    @cached_property
    def coefficients(self) -> Mapping[str, tuple[float, float, float]]:
        """For each item ``a``, ``b`` and the square of its correlation with chlorophyll."""
        columns = ("item", "unit", "a", "b", "r", "source", "check")
        return {
            row["item"]: (float(row["a"]), float(row["b"]), float(Decimal(row["r"]) ** 2))
            for row in self.rows(self.table, columns)
        }

    def answer(self, given: Any) -> Any:
        """Return the index of an example's values or item indices."""
        from qinglan.standards.water.examples import trophic_answer

        return trophic_answer(self, given)


@kind("water_ranking")
class WaterRanking(Edition):
    """The index by which the ministry ranks the surface water of cities."""

    decimals: int

    def answer(self, given: Any) -> Any:
        """Return the index of an example's concentrations."""
        from qinglan.standards.water.examples import ranking_answer

        return ranking_answer(self, given)


@dataclass(frozen=True)
class DischargeLimit:
    """A limit of a class of plant; null where the class has none, zero where nothing may be found."""

    table: int
    item: str
    title: str
    unit: str
    op: str
    limits: Mapping[str, tuple[Decimal, ...] | None]
    note: str
    check: Check


@kind("discharge")
class Discharge(Edition):
    """What a municipal wastewater plant may discharge: GB 18918."""

    table: str
    cold: Decimal
    rebuilt: date

    @cached_property
    def limits(self) -> tuple[DischargeLimit, ...]:
        """The rows of tables 1 to 3."""
        columns = ("table", "no", "item", "zh", "unit", "op", *(f"class_{grade}" for grade in GRADES), "note", "source")
        return tuple(
            DischargeLimit(
                *(int(row["table"]), row["item"], row["zh"], row["unit"], row["op"]),
                {grade: _ends(row[f"class_{grade}"]) for grade in GRADES},
                row["note"],
                row["check"],  # type: ignore[arg-type]
            )
            for row in self.rows(self.table, (*columns, "check"))
        )

    def answer(self, given: Any) -> Any:
        """Return whether an example's concentration meets the limit of its class."""
        from qinglan.standards.water.examples import discharge_answer

        return discharge_answer(self, given)


GRADES = ("1A", "1B", "2", "3")


def _ends(written: str) -> tuple[Decimal, ...] | None:
    if written == "not detectable":
        return (Decimal(0),)
    return tuple(Decimal(end) for end in written.split("-")) if written else None


@dataclass(frozen=True)
class BlackOdorousLimit:
    """Where an item is in the light range, and where in the heavy one; `below`: small values are bad."""

    item: str
    unit: str
    light: Decimal
    heavy: Decimal
    below: bool
    check: Check


@kind("black_odorous")
class BlackOdorous(Edition):
    """When an urban water is black and odorous."""

    table: str
    one_item: int
    two_items: int
    of_points: int
    neighbours: int
    shallow: Decimal
    share_of_depth: Decimal

    @cached_property
    def limits(self) -> tuple[BlackOdorousLimit, ...]:
        """The four items."""
        columns = ("item", "unit", "light_low", "light_high", "heavy", "op_heavy", "note", "source", "check")
        found = []
        for row in self.rows(self.table, columns):
            below = row["op_heavy"] == "<"
            light = Decimal(row["light_high"] if below else row["light_low"])
            check: Check = row["check"]  # type: ignore[assignment]
            found.append(BlackOdorousLimit(row["item"], row["unit"], light, Decimal(row["heavy"]), below, check))
        return tuple(found)

    def answer(self, given: Any) -> Any:
        """Return the grade of an example's point."""
        from qinglan.standards.water.examples import black_odorous_answer

        return black_odorous_answer(self, given)


@kind("ecological_flow")
class EcologicalFlow(Edition):
    """How much water a river must keep."""

    table: str
    guarantee: int
    return_share: int
    least_years: int

    @cached_property
    def tennant(self) -> Mapping[str, tuple[Decimal, Decimal]]:
        """For each of Tennant's words the least share (%) of the mean flow, October–March and April–September."""
        columns = ("zh", "en", "oct_mar_percent", "apr_sep_percent", "source", "check")
        return {
            row["zh"]: (
                Decimal(row["oct_mar_percent"].split("-")[0]),
                Decimal(row["apr_sep_percent"].split("-")[0]),
            )
            for row in self.rows(self.table, columns)
        }

    def answer(self, given: Any) -> Any:
        """Return the share (%) of an example's years that keep a month's target."""
        from qinglan.standards.water.examples import flow_answer

        return flow_answer(self, given)


E = TypeVar("E", bound=Edition)


def water_classes(edition: str | None = None) -> tuple[WaterClasses, ...]:
    """Return the editions of GB 3838, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, WaterClasses, "GB 3838"), edition)


def water_evaluations(edition: str | None = None) -> tuple[WaterEvaluation, ...]:
    """Return the editions of the evaluation method, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, WaterEvaluation, "环办〔2011〕22号"), edition)


def _chosen(available: tuple[E, ...], edition: str | None) -> tuple[E, ...]:
    return available if edition is None else (named(available, edition),)


def discharges(edition: str | None = None) -> tuple[Discharge, ...]:
    """Return the editions of GB 18918, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Discharge, "GB 18918"), edition)
