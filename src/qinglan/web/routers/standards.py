"""Standards: which editions are on file, from when to when, and how sure each rule is."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from qinglan.standards.edition import Edition
from qinglan.web.answers import Json
from qinglan.web.identity import needs
from qinglan.web.moments import parse_day
from qinglan.web.state import Serves

router = APIRouter(prefix="/api/v1/standards", tags=["standards"])


@router.get("")
@needs("read")
def list_standards(application: Serves, on: Annotated[str | None, Query(max_length=40)] = None) -> Response:
    """List the editions on file, or those in force on a day."""
    day = parse_day(on, "on") if on else None
    found = [one for one in application.declarations if isinstance(one, Edition)]
    found.sort(key=lambda one: (one.number, one.in_force.start))
    return Json([_shown(one) for one in found if day is None or one.covers(day)])


def _shown(edition: Edition) -> dict[str, Any]:
    return {
        "id": edition.id,
        "standard": edition.number,
        "edition": edition.edition,
        "stage": edition.stage,
        "title": edition.title.model_dump(),
        "start": edition.in_force.start,
        "end": edition.in_force.end,
        "replaces": edition.replaces,
        "state": edition.state,
        "missing": list(edition.lacking),
        "checks": [
            {"mark": rule.check, "rule": rule.rule, "note": {"zh": rule.zh, "en": rule.en}, "clause": rule.clause}
            for rule in edition.rules
        ],
        "basis": [clause.model_dump(exclude_none=True) for clause in edition.basis],
    }
