"""What every page wants to know first: the city, the plan, today."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from qinglan import __version__
from qinglan.indicators.board import plan_answer
from qinglan.indicators.installation import today
from qinglan.web.answers import Json
from qinglan.web.identity import Calling, open_to_all
from qinglan.web.inventory import inventory
from qinglan.web.state import Serving

router = APIRouter(prefix="/api/v1/meta", tags=["meta"])


@router.get("")
@open_to_all
def meta(serving: Serving, caller: Calling) -> Response:
    """Return the version, the city, its plan of today, and whether there is anything in the lake yet.

    Who has not signed in is told no more than the sign-in page shows.
    """
    application, day = serving.application, today()
    public = {
        "version": __version__,
        "city": {
            "id": application.city.id,
            "title": application.city.title.model_dump(),
            "place": application.city.adcode,
        },
        "today": day,
        "accounts": caller.accounts,
        "signed_in": caller.accounts and caller.known,
        "oidc": {"title": application.settings.oidc_title} if application.settings.oidc_issuer else None,
    }
    if not caller.known:
        return Json(public)
    revision = application.lake.revision
    measured = inventory(application.lake, serving.kept, revision)
    return Json(
        {
            **public,
            "plan": plan_answer(application.city.current_plan(day), day),
            "pages": application.city.pages,
            "plans": [plan_answer(plan, day) for plan in application.city.plans],
            "simulated": bool(measured["simulated"].any()),
            "first_run": revision == 0,
            "revision": revision,
        }
    )
