"""Whether the server lives, whether it can work, and its measurements."""

from __future__ import annotations

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from sqlalchemy import func, select
from starlette.responses import Response

from qinglan.base.engine import reading
from qinglan.base.schema import jobs
from qinglan.core.errors import QinglanError
from qinglan.observations.maintenance import status
from qinglan.web.answers import Json
from qinglan.web.identity import needs, open_to_all
from qinglan.web.state import Served, Serving

router = APIRouter(tags=["health"])
_JOB_STATES = ("waiting", "running", "done", "failed", "cancelled")


@router.get("/healthz")
@open_to_all
def healthz() -> Response:
    """Answer that the process serves requests."""
    return Json({"state": "alive"})


@router.get("/readyz")
@open_to_all
def readyz(serving: Serving) -> Response:
    """Answer whether base and lake open and the jobs worker runs; 503 if not."""
    checks = {"base": _base(serving), "lake": _lake(serving), "worker": "ok" if serving.worker.alive else "stopped"}
    ready = all(found == "ok" for found in checks.values())
    return Json({"ready": ready, "checks": checks}, status_code=200 if ready else 503)


@router.get("/metrics")
@needs("read", "administer")
def metrics(serving: Serving) -> Response:
    """Return the measurements in Prometheus' text form."""
    measures = serving.measures
    measures.worker.set(serving.worker.alive)
    with reading(serving.application.engine) as connection:
        rows = connection.execute(select(jobs.c.state, func.count()).group_by(jobs.c.state)).all()
    counts = {row[0]: row[1] for row in rows}
    for state in _JOB_STATES:
        measures.jobs.labels(state).set(counts.get(state, 0))
    found = status(serving.application.lake)
    measures.lake_rows.set(found["history"]["rows"])
    measures.lake_revision.set(found["revision"])
    measures.backlog.set(found["backlog"]["rows"])
    return Response(generate_latest(measures.registry), media_type=CONTENT_TYPE_LATEST)


def _base(serving: Served) -> str:
    try:
        with reading(serving.application.engine) as connection:
            connection.execute(select(1))
    except QinglanError as error:
        return str(error)
    return "ok"


def _lake(serving: Served) -> str:
    try:
        _ = serving.application.lake.revision
    except QinglanError as error:
        return str(error)
    return "ok"
