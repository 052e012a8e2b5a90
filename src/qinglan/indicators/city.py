"""The city pack: the city, its plans, its places and its sites."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import pairwise
from typing import Literal

from pydantic import Field, model_validator

from qinglan.core.declare import Clause, Declaration, Declarations, Finding, Part, Title, kind

PlanStatus = Literal["planned", "in_force", "final_evaluation", "archived"]
PlaceKind = Literal[
    "city", "district", "county", "county_level_city", "development_zone", "new_district", "park", "basin", "bay"
]
Medium = Literal["air", "water", "sea", "groundwater", "soil", "noise"]
Role = Literal["assessment", "reference", "county", "province", "enterprise", "source"]


class Plan(Part):
    """A plan of the city; several live side by side."""

    id: str
    title: Title
    document: str
    document_date: date
    start: date
    end: date
    archived: date | None = None

    def status(self, day: date) -> PlanStatus:
        """Return how the plan stands on `day`: after its last day it is in final evaluation until it is archived."""
        if self.archived is not None and day >= self.archived:
            return "archived"
        if day > self.end:
            return "final_evaluation"
        return "in_force" if day >= self.start else "planned"


class Province(Part):
    """The province that issues yearly targets and confirms values."""

    adcode: str = Field(pattern=r"^\d{6}$")
    title: Title


@kind("city")
class City(Declaration):
    """The city itself; its adcode is also the site of yearly figures reported for the whole city."""

    adcode: str = Field(pattern=r"^\d{6}$")
    province: Province
    plans: tuple[Plan, ...] = Field(min_length=1)
    pages: tuple[str, ...]

    def plan(self, identifier: str) -> Plan | None:
        """Return the plan with this id."""
        return next((plan for plan in self.plans if plan.id == identifier), None)

    def current_plan(self, day: date) -> Plan:
        """Return the plan to show on `day`: the one in force, else the one that ended last, else the first to come."""
        running = [plan for plan in self.plans if plan.start <= day <= plan.end]
        ended = [plan for plan in self.plans if plan.end < day]
        if running:
            return max(running, key=lambda plan: plan.start)
        return max(ended, key=lambda plan: plan.end) if ended else min(self.plans, key=lambda plan: plan.start)


class Place(Part):
    """A region with an adcode, or a place of its own kind; a tree with dates."""

    id: str
    title: Title
    kind: PlaceKind
    parent: str | None = None
    start: date | None = None
    end: date | None = None
    named_in: Clause | None = None


@kind("places")
class Places(Declaration):
    """The places of a city."""

    city: str
    entries: tuple[Place, ...]

    def on(self, day: date) -> tuple[Place, ...]:
        """Return the places that exist on `day`."""
        return tuple(place for place in self.entries if lasts(place.start, place.end, day))

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield an unknown city, repeated ids and parents that are not places."""
        yield from _city_known(self, self.city, declarations)
        known = {place.id for place in self.entries}
        if len(known) != len(self.entries):
            yield self.finding("有重复的地区编号。", "a place id is given twice.")
        for place in self.entries:
            if place.parent is not None and place.parent not in known:
                yield self.finding(
                    f"{place.id} 的上级“{place.parent}”不在表中。",
                    f"{place.id}'s parent is not listed: {place.parent}.",
                )


def places_below(declarations: Declarations, place: str) -> frozenset[str]:
    """Return a place with all places below it, as far as the declarations know."""
    parents = {one.id: one.parent for held in declarations.of(Places).values() for one in held.entries}
    found, frontier = {place}, {place}
    while frontier:
        frontier = {one for one, parent in parents.items() if parent in frontier} - found
        found |= frontier
    return frozenset(found)


class DatedRole(Part):
    """A role that a site has in ``[start, end)``; no end means still.

    `network` names the list of sites that a figure speaks of, as targets name it; lists change with the plans.
    """

    role: Role
    network: str | None = None
    start: date
    end: date | None = None

    @model_validator(mode="after")
    def _in_order(self) -> DatedRole:
        if self.end is not None and self.end <= self.start:
            raise ValueError("end must lie after start / end 须晚于 start")
        return self


class Simulation(Part):
    """How a simulated site's values are made: which table of items, and how loaded it is in the first and last year.

    `months` are those in which it is sampled.
    """

    profile: str
    load: tuple[float, float] = (1.0, 1.0)
    months: tuple[int, ...] = tuple(range(1, 13))


class Site(Part):
    """Where something is measured.

    Attributes
    ----------
    water_body
        Of surface water: whether it flows or stands, which decides about phosphorus and nitrogen.
    zone
        Of a noise point: the functional zone it lies in.
    """

    id: str
    title: Title
    place: str
    medium: Medium
    longitude: float = Field(ge=-180, le=180)
    latitude: float = Field(ge=-90, le=90)
    water_body: Literal["river", "lake"] | None = None
    zone: str | None = None
    simulated: bool = False
    simulation: Simulation | None = None
    roles: tuple[DatedRole, ...] = Field(min_length=1)

    def has_role(self, role: Role, first: date, last: date, network: str | None = None) -> bool:
        """Return whether the site has `role` (in a network, where one is named) on any day from `first` to `last`."""
        return any(
            held.role == role
            and (network is None or held.network == network)
            and held.start <= last
            and (held.end is None or held.end > first)
            for held in self.roles
        )


@kind("sites")
class Sites(Declaration):
    """The sites of a city."""

    city: str
    entries: tuple[Site, ...]

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield an unknown city, repeated ids, unknown places and roles that overlap."""
        yield from _city_known(self, self.city, declarations)
        if len({site.id for site in self.entries}) != len(self.entries):
            yield self.finding("有重复的点位编号。", "a site id is given twice.")
        known = {
            place.id
            for places in declarations.of(Places).values()
            for place in places.entries
            if places.city == self.city
        }
        for site in self.entries:
            if site.place not in known:
                yield self.finding(f"点位 {site.id} 的地区未声明。", f"site {site.id} lies in an undeclared place.")
            if site.medium == "water" and site.water_body is None:
                yield self.finding(
                    f"地表水点位 {site.id} 没有写明 water_body（river 或 lake）。",
                    f"surface-water site {site.id} does not say its water_body (river or lake).",
                )
            if site.simulation is not None and not site.simulated:
                yield self.finding(
                    f"点位 {site.id} 有 simulation，却没有 simulated: true。",
                    f"site {site.id} has a simulation but is not marked as simulated.",
                )
            roles = sorted(site.roles, key=lambda held: (held.role, held.start))
            for held, after in pairwise(roles):
                if held.role == after.role and (held.end is None or held.end > after.start):
                    yield self.finding(
                        f"点位 {site.id} 的角色 {held.role} 时段重叠。", f"site {site.id}: role {held.role} overlaps."
                    )


def lasts(start: date | None, end: date | None, day: date) -> bool:
    """Return whether `day` lies in ``[start, end)``, where no date means without limit."""
    return (start is None or start <= day) and (end is None or day < end)


def _city_known(declaration: Declaration, city: str, declarations: Declarations) -> Iterator[Finding]:
    if city not in declarations.of(City):
        yield declaration.finding(f"城市“{city}”没有声明。", f'the city "{city}" is not declared.')
