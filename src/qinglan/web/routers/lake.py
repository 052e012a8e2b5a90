"""The lake: how much it holds and how much waits."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from qinglan.observations.maintenance import status
from qinglan.web.answers import Json
from qinglan.web.identity import needs
from qinglan.web.points import iso
from qinglan.web.state import Serves

router = APIRouter(prefix="/api/v1/lake", tags=["lake"])


@router.get("")
@needs("read", "administer")
def lake_status(application: Serves) -> Response:
    """Return rows, files, last revision and journal backlog."""
    found = status(application.lake)
    return Json({**found, "first": iso(found["first"]), "last": iso(found["last"])})
