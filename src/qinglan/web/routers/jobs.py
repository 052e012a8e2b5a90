"""Jobs: what runs, what ran, and a way to stop one."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from qinglan import jobs
from qinglan.app import Application
from qinglan.core.errors import InputError
from qinglan.jobs import Job, JobState
from qinglan.web.answers import Json
from qinglan.web.identity import needs
from qinglan.web.points import iso
from qinglan.web.refusals import unknown
from qinglan.web.state import Serves

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
_MOST_LOG_LINES = 200


@router.get("")
@needs("read", "administer")
def list_jobs(
    application: Serves,
    kind: str | None = None,
    state: JobState | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=32)] = None,
) -> Response:
    """List jobs, the newest first; `before` is the id of the last job of the page before."""
    found = jobs.list_jobs(
        application.engine,
        kinds=None if kind is None else [kind],
        states=None if state is None else [state],
        limit=limit,
        before=before,
    )
    return Json([job.as_json() for job in found])


@router.get("/{job_id}")
@needs("read", "administer")
def get_job(application: Serves, job_id: str) -> Response:
    """Return one job with the end of its log."""
    job = found_job(application, job_id)
    log = jobs.log_of(application.engine, job_id)[-_MOST_LOG_LINES:]
    return Json({**job.as_json(), "log": [{"at": iso(entry.at), "text": entry.text} for entry in log]})


@router.post("/{job_id}/cancel")
@needs("import", "evaluate", "administer")
def cancel_job(application: Serves, job_id: str) -> Response:
    """Cancel a waiting job at once, or ask a running one to stop."""
    found_job(application, job_id)
    return Json(jobs.cancel(application.engine, job_id).as_json())


def found_job(application: Application, job_id: str) -> Job:
    """Return one job, or refuse its id with 404."""
    try:
        return jobs.get(application.engine, job_id)
    except InputError as error:
        raise unknown("作业", "job", job_id, "id", "/api/v1/jobs") from error
