"""What a request may name: sites and factors that are declared, catalogued or in the lake."""

from __future__ import annotations

from qinglan.catalogue import factors
from qinglan.core.declare import Title
from qinglan.core.errors import InputError
from qinglan.indicators.declare import Indicator
from qinglan.web.inventory import inventory
from qinglan.web.refusals import unknown
from qinglan.web.state import Served


def known_site(served: Served, site: str) -> str:
    """Return a site's id.

    Raises
    ------
    NotFoundError
        If neither the city pack nor the lake has it.
    """
    if site in served.geography.sites or site in served.geography.places:
        return site
    lake = served.application.lake
    if site in inventory(lake, served.kept, lake.revision)["site"]:
        return site
    raise unknown("点位", "site", site, "site", "/api/v1/sites")


def known_factor(served: Served, factor: str) -> str:
    """Return a factor's id, given it or another way of writing it.

    Raises
    ------
    InputError
        If neither the catalogue, nor an indicator, nor the lake has it; near ones are suggested.
    """
    found = factors.find(factor)
    if found is not None:
        return found.id
    if _reported(served, factor) is not None:
        return factor
    lake = served.application.lake
    if factor in inventory(lake, served.kept, lake.revision)["factor"]:
        return factor
    try:
        return factors.get(factor).id
    except InputError as error:
        error.field = "factor"
        raise


def factor_title(served: Served, factor: str) -> Title:
    """Return a factor's title; its id where nothing knows it."""
    found = factors.find(factor) or _reported(served, factor)
    return found.title if found is not None else Title(zh=factor, en=factor)


def unit_of(served: Served, factor: str) -> str | None:
    """Return the unit that values of a factor are kept in, or None where none is known."""
    found = factors.find(factor) or _reported(served, factor)
    return (found.unit or None) if found is not None else None


def _reported(served: Served, factor: str) -> Indicator | None:
    declared = served.application.declarations.of(Indicator).values()
    return next((one for one in declared if one.series == factor), None)
