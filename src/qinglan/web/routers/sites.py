"""Sites: those of the city pack, and those that only the lake knows."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from qinglan.indicators.city import Site
from qinglan.web.answers import Json
from qinglan.web.identity import needs
from qinglan.web.inventory import inventory
from qinglan.web.kept import tag, tagged, unchanged
from qinglan.web.places import Geography
from qinglan.web.state import Serving

router = APIRouter(prefix="/api/v1/sites", tags=["sites"])


@router.get("")
@needs("read")
def list_sites(serving: Serving, request: Request) -> Response:
    """List all sites: the city pack's in its own order, then others that measured something."""
    revision = serving.application.lake.revision
    etag = tag("sites", revision)
    if found := unchanged(request, etag):
        return found
    geography = serving.geography
    measured = inventory(serving.application.lake, serving.kept, revision)
    simulated = dict(measured.group_by("site").agg(measured["simulated"].any()).rows()) if measured.height else {}
    declared = [_declared(site, geography, simulated.get(site.id, False)) for site in geography.sites.values()]
    others = [
        _measured_only(site, geography, simulated[site]) for site in sorted(simulated) if site not in geography.sites
    ]
    return Json(declared + others, headers=tagged(etag))


def _declared(site: Site, geography: Geography, simulated: bool) -> dict[str, Any]:
    return {
        "id": site.id,
        "title": site.title.model_dump(),
        "place": site.place,
        "place_title": _dumped(geography, site.place),
        "medium": site.medium,
        "roles": [{"role": held.role, "start": held.start, "end": held.end} for held in site.roles],
        "longitude": site.longitude,
        "latitude": site.latitude,
        "simulated": site.simulated or simulated,
    }


def _measured_only(site: str, geography: Geography, simulated: bool) -> dict[str, Any]:
    # Yearly figures of a whole place are kept under the place's own id.
    title = geography.place_title(site) or geography.site_title(site)
    place = site if site in geography.places else None
    return {
        "id": site,
        "title": title.model_dump(),
        "place": place,
        "place_title": _dumped(geography, site) if place else None,
        "medium": None,
        "roles": [],
        "longitude": None,
        "latitude": None,
        "simulated": simulated,
    }


def _dumped(geography: Geography, place: str) -> dict[str, str] | None:
    title = geography.place_title(place)
    return None if title is None else title.model_dump()
