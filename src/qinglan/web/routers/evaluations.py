"""Evaluations: start the job that computes the plan's indicators."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from qinglan import jobs
from qinglan.app import EVALUATE
from qinglan.core.errors import InputError
from qinglan.indicators.installation import target_of, today
from qinglan.web.answers import Json
from qinglan.web.identity import needs
from qinglan.web.moments import parse_day
from qinglan.web.refusals import unknown
from qinglan.web.state import Serves

router = APIRouter(prefix="/api/v1/evaluations", tags=["evaluations"])


class Wanted(BaseModel):
    """What to evaluate; nothing said is everything, today."""

    model_config = ConfigDict(extra="forbid")

    as_of: str | None = Field(default=None, max_length=40)
    indicators: list[str] | None = Field(default=None, max_length=200)


@router.post("")
@needs("evaluate")
def start_evaluation(application: Serves, wanted: Wanted | None = None) -> Response:
    """Start an evaluation; one that waits already for the same is not doubled."""
    wanted = wanted or Wanted()
    day = parse_day(wanted.as_of, "as_of") if wanted.as_of else today()
    for name in wanted.indicators or ():
        try:
            target_of(application, name, day)
        except InputError as error:
            raise unknown("指标", "indicator", name, "indicators", "/api/v1/board") from error
    arguments = {"as_of": day.isoformat(), "indicators": wanted.indicators}
    waiting = jobs.list_jobs(application.engine, kinds=[EVALUATE], states=["waiting"])
    same = next((job.id for job in waiting if dict(job.arguments) == arguments), None)
    job = same or jobs.enqueue(
        application.engine,
        EVALUATE,
        arguments,
        title_zh=f"评估截至 {day} 的规划指标",
        title_en=f"Evaluate the plan's indicators as of {day}",
    )
    return Json({"job": job}, status_code=202, headers={"Location": f"/api/v1/jobs/{job}"})
