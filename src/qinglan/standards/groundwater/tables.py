"""The declared editions of the groundwater standards, read into what the evaluators ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from qinglan.core.declare import Part, kind
from qinglan.standards.edition import Edition, editions, named
from qinglan.standards.single_factor import Item, Limit

FOLDER = Path(__file__).parent / "editions"
WORDS = ("Ⅰ类", "Ⅱ类", "Ⅲ类", "Ⅳ类", "Ⅴ类")
FACTORS = ("D", "R", "A", "S", "T", "I", "C")
_NAMES: Mapping[str, tuple[str, ...]] = {
    "ph": ("pH值", "w01001"), "hardness": ("总硬度(以CaCO3计)",), "tds": ("TDS",), "codmn": ("高锰酸盐指数", "CODMn"),
    "nh4n": ("NH3-N", "NH4-N", "氨氮(以N计)"), "no2n": ("亚硝酸盐氮", "亚硝酸盐(以N计)", "NO2-N"),
    "no3n": ("硝酸盐氮", "硝酸盐(以N计)", "NO3-N"), "so4": ("SO4",), "cl": ("Cl",), "f": ("F",),
    "cr6": ("六价铬", "Cr6+"),
    "fe": ("Fe",), "mn": ("Mn",), "cu": ("Cu",), "zn": ("Zn",), "al": ("Al",), "na": ("Na",), "hg": ("Hg",),
    "as": ("As",), "se": ("Se",), "cd": ("Cd",), "pb": ("Pb",), "las": ("LAS",), "phenols": ("挥发酚",),
    "chcl3": ("氯仿",), "i": ("碘",), "coliform": ("总大肠菌群数",), "bacteria": ("细菌总数",),
}  # fmt: skip


@kind("groundwater_classes")
class GroundwaterClasses(Edition):
    """The five classes of groundwater: GB/T 14848."""

    table: str

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The 39 routine and 54 other items in the order of the tables."""
        columns = ("table", "no", "code", "name", "group", "unit", "op", "I", "II", "III", "IV", "V")
        return tuple(
            Item(
                row["code"] or row["no"],
                row["name"],
                row["unit"],
                "range" if row["op"] == "range" else "<=",
                _limits(row),
                _NAMES.get(row["code"], ()),
                nil_is_best=row["I"] == "not detected",
                highest=Decimal(14) if row["code"] == "ph" else Decimal(1) if row["op"] == "text" else None,
            )
            for row in self.rows(self.table, (*columns, "note", "source", "check"))
        )

    @cached_property
    def routine(self) -> tuple[str, ...]:
        """The 39 items of table 1."""
        return tuple(item.code for item in self.items[:39])

    def limits(self, number: int) -> dict[str, Limit]:
        """Return the limit of each item in one class."""
        return {item.code: item.limits[number - 1] for item in self.items}

    def answer(self, given: Any) -> Any:
        """Return ``{class}`` of one sample's values, given as ``{item: value}``."""
        from qinglan.standards.groundwater.examples import class_answer

        return class_answer(given)


def _limits(row: dict[str, str]) -> tuple[Limit, ...]:
    return tuple(_limit(row["op"], row[number]) for number in ("I", "II", "III", "IV"))


def _limit(relation: str, text: str) -> Limit:
    if relation == "text" or text == "not detected":
        return Decimal(0)
    if text.startswith(">"):
        return None
    if relation == "range":
        ends = [Decimal(end) for part in text.split(" or ") for end in part.split("-")]
        return min(ends), max(ends)
    return Decimal(text)


class ScoreWord(Part):
    """A word for a score F; the first that fits is the word."""

    word: str
    below: Decimal | None = None


@kind("groundwater_score")
class GroundwaterScore(Edition):
    """The scores of the replaced edition of 1993, which papers still use."""

    scores: tuple[int, ...]
    excluded: tuple[str, ...]
    grades: tuple[ScoreWord, ...]

    def answer(self, given: Any) -> Any:
        """Return ``{f, word}`` of one sample's values, given as ``{item: value}``."""
        from qinglan.standards.groundwater.examples import score_answer

        return score_answer(given)


@dataclass(frozen=True)
class Bin:
    """A range of a quantity, from `low` on, and its rating."""

    low: float
    rating: int


@kind("drastic")
class Drastic(Edition):
    """Ratings and weights of the DRASTIC index."""

    weights: str
    ratings: str
    units: dict[str, dict[str, float]]
    classes: tuple[int, ...]

    @cached_property
    def weight(self) -> Mapping[str, Mapping[str, int]]:
        """The weights by use (``generic``, ``pesticide``) and factor."""
        rows = self.rows(self.weights, ("factor", "name", "weight", "weight_pesticide", "source", "check"))
        return {
            use: {row["factor"]: int(row[column]) for row in rows}
            for use, column in (("generic", "weight"), ("pesticide", "weight_pesticide"))
        }

    @property
    def _table(self) -> tuple[dict[str, str], ...]:
        columns = ("factor", "low", "high", "unit_or_medium", "rating", "typical_rating", "note", "source", "check")
        return self.rows(self.ratings, columns)

    def bins(self, factor: str) -> tuple[Bin, ...]:
        """Return the bins of a measured factor (D, R, T, C), the lowest first."""
        return tuple(
            Bin(float(row["low"]), int(row["rating"])) for row in self._table if row["factor"] == factor and row["low"]
        )

    def media(self, factor: str) -> dict[str, tuple[int, int, int]]:
        """Return the typical, lowest and highest rating of each medium of a factor (A, S, I)."""
        found = {}
        for row in self._table:
            if row["factor"] == factor and not row["low"]:
                ends = [int(end) for end in row["rating"].split("-")]
                found[row["unit_or_medium"]] = (int(row["typical_rating"] or ends[0]), ends[0], ends[-1])
        return found

    def answer(self, given: Any) -> Any:
        """Return the index of one place's ratings, given as ``{factor: rating}``."""
        from qinglan.standards.groundwater.vulnerability import drastic_index

        return float(drastic_index({factor: [float(rating)] for factor, rating in given.items()})[0])


def classes(edition: str | None = None) -> tuple[GroundwaterClasses, ...]:
    """Return the editions of GB/T 14848, the oldest first; or the one that is named."""
    available = editions(FOLDER, GroundwaterClasses, "GB/T 14848")
    return available if edition is None else (named(available, edition),)


def score() -> GroundwaterScore:
    """Return the rules of the scores of 1993."""
    available: tuple[GroundwaterScore, ...] = editions(FOLDER, GroundwaterScore, "GB/T 14848 评分法")
    return available[-1]


def drastic_tables() -> Drastic:
    """Return the ratings and weights of DRASTIC."""
    available: tuple[Drastic, ...] = editions(FOLDER, Drastic, "DRASTIC")
    return available[-1]
