"""The declared editions of risk: grades of enterprises, categories of radioactive sources."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from qinglan.core.declare import Part, Title, kind
from qinglan.standards.edition import Edition, editions, named

FOLDER = Path(__file__).parent / "editions"


@dataclass(frozen=True)
class Substance:
    """A substance of appendix A: its critical quantity in tonnes and whether it counts for air and for water."""

    part: int
    name: str
    cas: str
    tonnes: float
    air: str
    water: str
    confidence: str
    check: str


class Process(Part):
    """Points for a set of each kind of process, and the most they make together."""

    listed: int
    high_t_p: int
    eliminated: int
    most: int


class Population(Part):
    """People within 5 km and 500 m from which the surroundings are of type E1 or E2."""

    e1_5km: int
    e1_500m: int
    e2_5km: int
    e2_500m: int


class Grade(Part):
    """A grade of risk; 1 is the worst."""

    grade: int
    title: Title
    colour: str


@kind("enterprise-risk")
class EnterpriseRisk(Edition):
    """How the risk of sudden incidents at an enterprise is graded."""

    table: str
    control: str
    matrix: str
    q_from: tuple[int, int, int]
    m_from: tuple[int, int, int]
    process: Process
    population: Population
    grades: tuple[Grade, ...]

    @cached_property
    def substances(self) -> tuple[Substance, ...]:
        """The substances on file."""
        columns = ("part", "part_name", "name", "cas", "tonnes", "air", "water", "confidence", "source", "check")
        return tuple(
            Substance(
                int(row["part"]),
                row["name"],
                row["cas"],
                float(row["tonnes"]),
                row["air"],
                row["water"],
                row["confidence"],
                row["check"],
            )
            for row in self.rows(self.table, columns)
        )

    @cached_property
    def points(self) -> Mapping[tuple[str, str, str], int]:
        """The points of each medium, item and state."""
        rows = self.rows(self.control, ("medium", "item", "zh", "state", "score", "source", "check"))
        return {(row["medium"], row["item"], row["state"]): int(row["score"]) for row in rows}

    @cached_property
    def grade_of(self) -> Mapping[str, str]:
        """The grade's word for each ``E1Q2M3``."""
        rows = self.rows(self.matrix, ("e", "q", "m", "grade", "source", "check"))
        return {row["e"] + row["q"] + row["m"]: row["grade"] for row in rows}

    def answer(self, given: Any) -> Any:
        """Return the text of an example's grade."""
        import polars as pl

        from qinglan.standards.risk.grade import risk_grade

        columns = dict.fromkeys(("q_air", "m_air", "e_air", "q_water", "m_water", "e_water"))
        types = {name: pl.String if name.startswith("e_") else pl.Float64 for name in columns}
        frame = pl.DataFrame([{"site": "example"} | columns | given], schema={"site": pl.String, **types})
        return risk_grade(frame)["text"].item()


@kind("radioactive-sources")
class RadioactiveSources(Edition):
    """The categories of radioactive sources by nuclide and activity."""

    table: str
    words: Mapping[str, str]

    @cached_property
    def least(self) -> Mapping[str, Mapping[str, float]]:
        """The least activity of each category in becquerel, by nuclide, and the row's ``check``."""
        rows = self.rows(self.table, ("nuclide", "I", "II", "III", "IV", "V", "source", "check"))
        return {row["nuclide"]: {category: float(row[category]) for category in self.words} for row in rows}

    @cached_property
    def checks(self) -> Mapping[str, str]:
        """How sure each nuclide's row is."""
        rows = self.rows(self.table, ("nuclide", "I", "II", "III", "IV", "V", "source", "check"))
        return {row["nuclide"]: row["check"] for row in rows}

    def answer(self, given: Any) -> Any:
        """Return the category of an example's source."""
        import polars as pl

        from qinglan.standards.risk.sources import source_category

        return source_category(pl.DataFrame([{"site": "example"} | given]))["category"].item()


def enterprise_risks(edition: str | None = None) -> tuple[EnterpriseRisk, ...]:
    """Return the editions of HJ 941, the oldest first; or the one that is named."""
    available = editions(FOLDER, EnterpriseRisk, "HJ 941")
    return available if edition is None else (named(available, edition),)


def radioactive_sources(edition: str | None = None) -> tuple[RadioactiveSources, ...]:
    """Return the editions of the categories of sources, the oldest first; or the one that is named."""
    available = editions(FOLDER, RadioactiveSources, "放射源分类办法")
    return available if edition is None else (named(available, edition),)
