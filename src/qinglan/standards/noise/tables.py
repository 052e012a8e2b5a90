"""The declared editions of the noise standards, read into what the evaluators ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from qinglan.core.declare import Part, kind
from qinglan.standards.edition import Check, Edition, editions, named

FOLDER = Path(__file__).parent / "editions"
ZONES = "GB 3096"
INDUSTRY = "GB 12348"
CONSTRUCTION = "GB 12523"

Period = Literal["day", "night"]
Kind = Literal["regional", "road_traffic"]


class Hours(Part):
    """The hours at which day and night begin.

    依据: GB 3096—2008 3.4
    """

    day: int
    night: int
    source: str
    check: Check


class ExistingRail(Part):
    """Limits of the background beside existing trunk railways.

    依据: GB 3096—2008 5.3
    """

    zone: str
    day: Decimal
    night: Decimal
    source: str
    check: Check


class SuddenNight(Part):
    """By how much a sudden maximum may exceed the night limit."""

    over: Decimal
    source: str
    check: Check


class NightMaximum(Part):
    """By how much the night's maximum level may exceed the limit, by how often it happens."""

    frequent: Decimal
    occasional: Decimal
    source: str
    check: Check


class NearBuilding(Part):
    """By how much the limits are lowered where a sensitive building is nearer than 1 m and one measures indoors."""

    lower: Decimal
    source: str
    check: Check


@kind("noise_zones")
class NoiseZones(Edition):
    """Limits of the acoustic functional zones: GB 3096."""

    table: str
    hours: Hours
    existing_rail: ExistingRail
    sudden_night: SuddenNight

    @cached_property
    def limits(self) -> Mapping[tuple[str, str], Decimal]:
        """The limits in dB(A) by zone (``0, 1, 2, 3, 4a, 4b``) and period; ``4b existing`` by 5.3."""
        columns = ("zone", "description", "day_dBA", "night_dBA", "source", "check")
        found = {
            (row["zone"], period): Decimal(row[f"{period}_dBA"])
            for row in self.rows(self.table, columns)
            for period in ("day", "night")
        }
        rail = self.existing_rail
        return found | {(f"{rail.zone} existing", "day"): rail.day, (f"{rail.zone} existing", "night"): rail.night}

    def answer(self, given: Any) -> Any:
        """Return a limit for ``{zone, period}``, the day level, rounded, for ``{hours}``."""
        from qinglan.standards.noise.examples import day_level

        if "hours" in given:
            return day_level(given["hours"])
        return float(self.limits[given["zone"], given["period"]])


class Grade(Part):
    """One of the five grades of a city's mean level."""

    level: int
    level_zh: str
    class_zh: str
    class_en: str
    high: Decimal | None


@kind("noise_grades")
class NoiseGrades(Edition):
    """Grades of a city's regional and road-traffic noise: HJ 640."""

    table: str

    def grades(self, kind_of_noise: str, period: str) -> tuple[Grade, ...]:
        """Return the five grades, the best first; the last has no upper end."""
        columns = ("kind", "period", "level", "level_zh", "class_zh", "class_en", "low_dBA", "high_dBA")
        return tuple(
            Grade(
                level=int(row["level"]),
                level_zh=row["level_zh"],
                class_zh=row["class_zh"],
                class_en=row["class_en"],
                high=Decimal(row["high_dBA"]) if row["high_dBA"] else None,
            )
            for row in self.rows(self.table, (*columns, "source", "check"))
            if (row["kind"], row["period"]) == (kind_of_noise, period)
        )

    def answer(self, given: Any) -> Any:
        """Return the grade's Chinese name for ``{kind, period, level}``."""
        from qinglan.standards.noise.examples import grade_word

        return grade_word(given["kind"], given["period"], given["level"])


@kind("noise_boundary")
class NoiseBoundary(Edition):
    """Limits at a boundary: GB 12348 (industry), GB 12523 (construction sites)."""

    table: str
    octave: str | None = None
    structure_borne: str | None = None
    night_maximum: NightMaximum
    near_building: NearBuilding | None = None

    @cached_property
    def limits(self) -> Mapping[tuple[str, str], Decimal]:
        """The limits of equivalent levels in dB(A) by zone and period."""
        return {
            (row["zone"], period): Decimal(row[f"{period}_dBA"])
            for row in self.rows(self.table, ("zone", "day_dBA", "night_dBA", "source", "check"))
            for period in ("day", "night")
        }

    @cached_property
    def indoors(self) -> Mapping[tuple[str, str, str], Decimal]:
        """The limits of structure-borne noise indoors in dB(A) by zone, period and kind of room.

        依据: GB 12348—2008 表2
        """
        if self.structure_borne is None:
            return {}
        columns = ("zone", "room_type", "day_dBA", "night_dBA", "source", "check")
        return {
            (zone, period, row["room_type"]): Decimal(row[f"{period}_dBA"])
            for row in self.rows(self.structure_borne, columns)
            for zone in row["zone"].split()
            for period in ("day", "night")
        }

    @cached_property
    def bands(self) -> Mapping[tuple[str, str, str, str], Decimal]:
        """The limits of octave bands indoors in dB by zone, period, kind of room and band (Hz).

        依据: GB 12348—2008 表3
        """
        if self.octave is None:
            return {}
        names = ("31.5", "63", "125", "250", "500")
        columns = ("zone", "period", "room_type", *(f"dB_{band}Hz" for band in names), "source", "check")
        return {
            (zone, row["period"], room, band): Decimal(row[f"dB_{band}Hz"])
            for row in self.rows(self.octave, columns)
            for zone in row["zone"].split()
            for room in row["room_type"].split()
            for band in names
        }

    def answer(self, given: Any) -> Any:
        """Return a limit for ``{zone, period}``, with ``room`` indoors, with ``band`` of an octave."""
        place = (given["zone"], given["period"])
        if "band" in given:
            return float(self.bands[(*place, given["room"], given["band"])])
        if "room" in given:
            return float(self.indoors[(*place, given["room"])])
        return float(self.limits[place])


def zones(edition: str | None = None) -> tuple[NoiseZones, ...]:
    """Return the editions of GB 3096, the oldest first; or the one that is named."""
    available = editions(FOLDER, NoiseZones, ZONES)
    return available if edition is None else (named(available, edition),)


def city_grades(edition: str | None = None) -> tuple[NoiseGrades, ...]:
    """Return the editions of HJ 640, the oldest first; or the one that is named."""
    available = editions(FOLDER, NoiseGrades, "HJ 640")
    return available if edition is None else (named(available, edition),)


def boundaries(number: str = INDUSTRY, edition: str | None = None) -> tuple[NoiseBoundary, ...]:
    """Return the editions of GB 12348 or GB 12523, the oldest first; or the one that is named."""
    available = editions(FOLDER, NoiseBoundary, number)
    return available if edition is None else (named(available, edition),)
