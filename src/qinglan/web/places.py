"""Sites and places of the city, for routes that name them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from qinglan.core.declare import Declarations, Title
from qinglan.indicators.city import City, Medium, Place, Places, Site, Sites

MEDIA: tuple[Medium, ...] = ("air", "water", "sea", "groundwater", "soil", "noise")


@dataclass(frozen=True)
class Geography:
    """What the city pack says about where things are."""

    city: City
    places: dict[str, Place]
    sites: dict[str, Site]

    @classmethod
    def of(cls, declarations: Declarations, city: City) -> Geography:
        """Collect the places and sites of one city."""
        places = [one for held in declarations.of(Places).values() if held.city == city.id for one in held.entries]
        sites = [one for held in declarations.of(Sites).values() if held.city == city.id for one in held.entries]
        # The files of a pack come in the order of their names; lists of sites begin with the air.
        sites.sort(key=lambda one: MEDIA.index(one.medium))
        return cls(city, {one.id: one for one in places}, {one.id: one for one in sites})

    def site_title(self, site: str) -> Title:
        """Return a site's title; its id where the city pack does not know it."""
        found = self.sites.get(site)
        return found.title if found is not None else Title(zh=site, en=site)

    def place_title(self, place: str) -> Title | None:
        """Return a place's title, or None where the city pack does not know it."""
        found = self.places.get(place)
        return found.title if found is not None else None

    def under(self, place: str) -> frozenset[str]:
        """Return the ids of a place and of all places below it."""
        found, frontier = {place}, {place}
        while frontier:
            frontier = {one.id for one in self.places.values() if one.parent in frontier} - found
            found |= frontier
        return frozenset(found)

    def assessed(self, place: str, first: date, last: date) -> tuple[Site, ...]:
        """Return the air sites of a place that are assessment stations on any day from `first` to `last`."""
        below = self.under(place)
        return tuple(
            site
            for site in self.sites.values()
            if site.medium == "air" and site.place in below and site.has_role("assessment", first, last)
        )
