"""The map."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated

import polars as pl
from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import Response

from qinglan.app import city_folders
from qinglan.core.errors import InputError
from qinglan.core.interval import beijing_day
from qinglan.indicators.installation import today
from qinglan.web.answers import Json
from qinglan.web.identity import needs
from qinglan.web.inventory import inventory
from qinglan.web.kept import tag, tagged, unchanged
from qinglan.web.maps.answer import MEDIA, MapMedium, map_answer, read_boundary
from qinglan.web.moments import parse_as_of
from qinglan.web.state import Served, Serving

router = APIRouter(prefix="/api/v1/map", tags=["map"])


@router.get("")
@needs("read")
def points_of_a_medium(
    serving: Serving,
    request: Request,
    medium: Annotated[str, Query(max_length=40)] = MEDIA[0].id,
    as_of: Annotated[str | None, Query(max_length=40)] = None,
) -> Response:
    """Return the points of one medium with class, word and colour of the latest period by a day."""
    wanted, known_by = _medium(medium), parse_as_of(as_of)
    day = _day(known_by)
    application = serving.application
    revision = application.lake.revision
    key = ("map", wanted.id, day, known_by)
    etag = tag(revision, *key)
    if found := unchanged(request, etag):
        return found
    made = serving.kept.get(
        revision,
        str(key),
        lambda: map_answer(
            application.lake,
            serving.geography,
            application.declarations,
            wanted,
            day,
            boundary=_boundary(serving),
            last=_last(serving, wanted, revision),
            known_by=known_by,
        ),
    )
    return Json(made, headers=tagged(etag))


def _medium(name: str) -> MapMedium:
    found = next((one for one in MEDIA if one.id == name), None)
    if found is None:
        names = [one.id for one in MEDIA]
        raise InputError(
            f"没有“{name[:40]}”这一媒体：应为 {'、'.join(names)} 之一。",
            f'There is no medium "{name[:40]}": it should be one of {", ".join(names)}.',
            field="medium",
        )
    return found


def _day(known_by: datetime | None) -> date:
    """Return the last day that counts: today is not over yet."""
    yesterday = today() - timedelta(days=1)
    if known_by is None:
        return yesterday
    # A bare day counts to its end; an hour of a day leaves that day unfinished.
    ends = beijing_day(known_by + timedelta(microseconds=1))
    return min(yesterday, ends - timedelta(days=1))


def _boundary(serving: Served) -> dict[str, object] | None:
    pack = city_folders().get(serving.application.settings.city)
    return None if pack is None else read_boundary(pack)


def _last(serving: Served, wanted: MapMedium, revision: int) -> datetime | None:
    """Return when the sites of a medium last measured anything."""
    held = inventory(serving.application.lake, serving.kept, revision)
    mine = held.filter(
        pl.col("site").is_in([site.id for site in wanted.sites(serving.geography)]),
        pl.col("grain").is_in(list(wanted.grains)),
    )
    found: datetime | None = mine["last"].max()  # type: ignore[assignment]
    return found
