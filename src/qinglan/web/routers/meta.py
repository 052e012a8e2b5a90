"""What every page wants to know first: the city, the plan, today."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from qinglan import __version__
from qinglan.indicators.board import plan_answer
from qinglan.indicators.installation import today
from qinglan.web.answers import Json
from qinglan.web.inventory import inventory
from qinglan.web.state import Serving

router = APIRouter(prefix="/api/v1/meta", tags=["meta"])


@router.get("")
def meta(serving: Serving) -> Response:
    """Return the version, the city, its plan of today, and whether there is anything in the lake yet."""
    application, day = serving.application, today()
    revision = application.lake.revision
    measured = inventory(application.lake, serving.kept, revision)
    return Json(
        {
            "version": __version__,
            "city": {
                "id": application.city.id,
                "title": application.city.title.model_dump(),
                "place": application.city.adcode,
            },
            "plan": plan_answer(application.city.current_plan(day), day),
            "plans": [plan_answer(plan, day) for plan in application.city.plans],
            "today": day,
            "simulated": bool(measured["simulated"].any()),
            "first_run": revision == 0,
            "revision": revision,
        }
    )
