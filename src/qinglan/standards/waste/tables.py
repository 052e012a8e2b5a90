"""The declared editions of waste: the hazardous-waste list, tailings ponds, land for livestock manure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from qinglan.core.declare import Part, kind
from qinglan.standards.edition import Edition, editions, named

FOLDER = Path(__file__).parent / "editions"


@kind("hazardous-waste")
class HazardousWaste(Edition):
    """The national list of hazardous waste."""

    table: str
    categories: str
    codes_from: str
    total: int

    @property
    def superseded(self) -> bool:
        """Whether the codes on file are those of an older edition."""
        return self.codes_from != self.edition

    @cached_property
    def hazards(self) -> Mapping[str, str]:
        """The hazards of each code, as the list writes them: ``T``, ``C,T``, ``T/C/I/R``."""
        rows = self.rows(self.table, ("code", "category", "hazard", "source", "check"))
        return {row["code"]: row["hazard"] for row in rows}

    @cached_property
    def names(self) -> Mapping[str, str]:
        """The names of the categories that hold codes."""
        rows = self.rows(self.categories, ("category", "name", "codes", "source", "check"))
        return {row["category"]: row["name"] for row in rows if int(row["codes"])}

    def answer(self, given: Any) -> Any:
        """Return the verdict on an example's code."""
        import polars as pl

        from qinglan.standards.waste.codes import check_codes

        return check_codes(pl.DataFrame([given]), edition=self.id)["verdict"].item()


@dataclass(frozen=True)
class SafetyGrade:
    """A grade of a pond and from which volume (10⁴ m³) and height (m) it is."""

    grade: str
    volume: float
    height: float


@kind("tailings")
class Tailings(Edition):
    """The environmental risk of tailings ponds, and their grade by size."""

    table: str
    safety: str
    over: tuple[int, int]

    @cached_property
    def grade_of(self) -> Mapping[str, str]:
        """The grade's word for each ``H1S2R3``."""
        rows = self.rows(self.table, ("h", "s", "r", "grade", "source", "check"))
        return {row["h"] + row["s"] + row["r"]: row["grade"] for row in rows}

    @cached_property
    def sizes(self) -> tuple[SafetyGrade, ...]:
        """The grades by size, the largest first."""
        columns = ("grade", "volume_from", "volume_below", "height_from", "height_below", "source", "check")
        return tuple(
            SafetyGrade(row["grade"], float(row["volume_from"]), float(row["height_from"]))
            for row in self.rows(self.safety, columns)
        )

    def answer(self, given: Any) -> Any:
        """Return the text of an example's grade."""
        import polars as pl

        from qinglan.standards.waste.tailings import tailings_risk

        return tailings_risk(pl.DataFrame([{"site": "example"} | given]))["text"].item()


class Supply(Part):
    """Kilograms of nitrogen and phosphorus, or shares of them."""

    n: float
    p: float


@kind("manure")
class Manure(Edition):
    """How many animals the manure of which a piece of land can take."""

    table: str
    pigs_equal: Mapping[str, float]
    supply: Supply
    share_from_fertiliser: Mapping[str, float]
    season_use: Supply
    manure_share: float

    @cached_property
    def crops(self) -> Mapping[str, Supply]:
        """Nitrogen and phosphorus that a crop takes up for 100 kg of yield (1 m³ of wood), kg."""
        rows = self.rows(self.table, ("group", "crop", "n", "p", "unit", "source", "check"))
        return {row["crop"]: Supply(n=float(row["n"]), p=float(row["p"])) for row in rows}

    @cached_property
    def by_volume(self) -> tuple[str, ...]:
        """The crops whose yield is in cubic metres of wood."""
        rows = self.rows(self.table, ("group", "crop", "n", "p", "unit", "source", "check"))
        return tuple(row["crop"] for row in rows if "m3" in row["unit"])

    def answer(self, given: Any) -> Any:
        """Return the pig equivalents that an example's field can take, with the one decimal of the guide's tables."""
        import polars as pl

        from qinglan.standards.waste.manure import land_capacity

        field = pl.DataFrame([{"site": "example", "crop": given["crop"], "harvest": given["kilograms"], "soil": "II"}])
        return round(float(land_capacity(field)["capacity"].item()), 1)


E = TypeVar("E", bound=Edition)


def hazardous_wastes(edition: str | None = None) -> tuple[HazardousWaste, ...]:
    """Return the editions of the list, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, HazardousWaste, "国家危险废物名录"), edition)


def tailings_rules(edition: str | None = None) -> tuple[Tailings, ...]:
    """Return the editions of HJ 740, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Tailings, "HJ 740"), edition)


def manures(edition: str | None = None) -> tuple[Manure, ...]:
    """Return the editions of the manure guide, the oldest first; or the one that is named."""
    return _chosen(editions(FOLDER, Manure, "畜禽粪污土地承载力测算技术指南"), edition)


def _chosen(available: tuple[E, ...], edition: str | None) -> tuple[E, ...]:
    return available if edition is None else (named(available, edition),)
