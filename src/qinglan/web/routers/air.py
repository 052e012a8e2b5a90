"""The air calendar."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from qinglan.core.errors import InputError
from qinglan.core.interval import beijing_day
from qinglan.indicators.installation import today
from qinglan.standards.air.tables import indices
from qinglan.web.air_calendar import Scope, calendar
from qinglan.web.answers import Json
from qinglan.web.identity import needs
from qinglan.web.kept import tag, tagged, unchanged
from qinglan.web.moments import parse_as_of
from qinglan.web.naming import known_site
from qinglan.web.refusals import unknown
from qinglan.web.state import Served, Serving

router = APIRouter(prefix="/api/v1/air", tags=["air"])
Name = Annotated[str | None, Query(max_length=64)]


@router.get("/calendar")
@needs("read")
def air_calendar(
    serving: Serving,
    request: Request,
    *,
    year: Annotated[int, Query(ge=1900, le=2200)],
    place: Name = None,
    site: Name = None,
    as_of: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Return the days of a year: of one site, of a place by its assessment stations, else of the whole city."""
    scope, known_by = _scope(serving, place, site, year), parse_as_of(as_of)
    day = today() if known_by is None else min(today(), beijing_day(known_by))
    first = indices()[0].in_force.start.year
    if year < first:
        raise InputError(
            f"{year} 年没有收录现行的空气质量指数版本：请选 {first} 年或以后。",
            f"No edition of the air quality index is on file for {year}: choose {first} or later.",
            field="year",
        )
    lake = serving.application.lake
    revision = lake.revision
    key = ("calendar", scope.shown(), year, day, known_by)
    etag = tag(revision, *key)
    if found := unchanged(request, etag):
        return found
    made = serving.kept.get(revision, str(key), lambda: calendar(lake, scope, year, day, known_by=known_by))
    return Json(made, headers=tagged(etag))


def _scope(serving: Served, place: str | None, site: str | None, year: int) -> Scope:
    if place and site:
        raise InputError("place 与 site 只能给一个。", "Give place or site, not both.", field="site")
    geography = serving.geography
    if site:
        identifier = known_site(serving, site)
        return Scope(identifier, geography.site_title(identifier), None)
    identifier = place or geography.city.adcode
    title = geography.city.title if identifier == geography.city.adcode else geography.place_title(identifier)
    if title is None:
        raise unknown("地区", "place", identifier, "place", "/api/v1/sites")
    return Scope(identifier, title, geography.assessed(identifier, date(year, 1, 1), date(year, 12, 31)))
