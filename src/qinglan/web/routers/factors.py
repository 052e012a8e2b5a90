"""Factors: those that the lake holds first, then the rest of the catalogue."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from qinglan.catalogue.factors import Factor, all_factors
from qinglan.core.declare import Title
from qinglan.indicators.declare import Indicator
from qinglan.web.answers import Json
from qinglan.web.identity import needs
from qinglan.web.inventory import inventory
from qinglan.web.kept import tag, tagged, unchanged
from qinglan.web.state import Serving

router = APIRouter(prefix="/api/v1/factors", tags=["factors"])


@router.get("")
@needs("read")
def list_factors(serving: Serving, request: Request) -> Response:
    """List factors with their units; those that were measured come first."""
    revision = serving.application.lake.revision
    etag = tag("factors", revision)
    if found := unchanged(request, etag):
        return found
    measured = set(inventory(serving.application.lake, serving.kept, revision)["factor"].unique())
    catalogue = {factor.id: factor for factor in all_factors()}
    reported = {one.series: one for one in serving.application.declarations.of(Indicator).values()}
    present = [_catalogued(factor, True) for factor in catalogue.values() if factor.id in measured]
    others = [_reported(name, reported.get(name)) for name in sorted(measured) if name not in catalogue]
    absent = [_catalogued(factor, False) for factor in catalogue.values() if factor.id not in measured]
    return Json(present + others + absent, headers=tagged(etag))


def _catalogued(factor: Factor, present: bool) -> dict[str, Any]:
    return {
        "id": factor.id,
        "title": factor.title.model_dump(),
        "unit": factor.unit or None,
        "alias": factor.alias,
        "medium": factor.medium or None,
        "present": present,
    }


def _reported(name: str, indicator: Indicator | None) -> dict[str, Any]:
    title = indicator.title if indicator is not None else Title(zh=name, en=name)
    unit = indicator.unit if indicator is not None else None
    return {"id": name, "title": title.model_dump(), "unit": unit, "alias": None, "medium": None, "present": True}
