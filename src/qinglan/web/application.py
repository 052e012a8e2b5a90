"""The FastAPI application of one home folder: routes, guards, pages and the jobs worker."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Depends, FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.middleware.gzip import GZipMiddleware
from starlette.responses import Response

from qinglan import __version__
from qinglan.app import Application
from qinglan.jobs import Worker
from qinglan.web import failures, identity
from qinglan.web.answers import Json
from qinglan.web.browser_files import FOLDER, BrowserFiles
from qinglan.web.ledgers_daily import DailyHeads
from qinglan.web.limits import UPLOAD_BODY, BodyLimit
from qinglan.web.observed import Measures, Observed
from qinglan.web.routers import ALL, IMPORTS_ADDRESS
from qinglan.web.security import Guard, SecurityHeaders
from qinglan.web.state import Served
from qinglan.web.worker import WorkerThread


@identity.signed_in
def _description(request: Request) -> Response:
    """Return the description of the API."""
    return Json(request.app.openapi())


def create_application(application: Application, *, browser: Path = FOLDER, upload_bytes: int = UPLOAD_BODY) -> FastAPI:
    """Return the web application of an open home folder.

    Parameters
    ----------
    application
        The open home: base, lake, declarations and the handlers of its jobs.
    browser
        The folder of the built browser application.
    upload_bytes
        The most that one upload may send.
    """
    served = Served(application, Measures(), WorkerThread(Worker(application.engine, application.handlers)))

    daily = DailyHeads(application)

    @asynccontextmanager
    async def running(_: FastAPI) -> AsyncIterator[None]:
        served.worker.start()
        daily.start()
        try:
            yield
        finally:
            daily.stop()
            await run_in_threadpool(served.worker.stop)

    app = FastAPI(
        title="晴岚 Qinglan",
        version=__version__,
        lifespan=running,
        openapi_url=None,
        # Their pages fetch scripts from other hosts, which this server's pages never do.
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        dependencies=[Depends(identity.agreed)],
    )
    app.state.served = served
    for router in ALL:
        app.include_router(router)
    app.get("/api/v1/openapi.json", include_in_schema=False)(_description)
    app.router.default = BrowserFiles(browser)
    failures.add_handlers(app)
    # The last one added is the outermost.
    app.add_middleware(GZipMiddleware, minimum_size=1024, compresslevel=4)
    app.add_middleware(BodyLimit, upload_path=IMPORTS_ADDRESS, upload_bytes=upload_bytes)
    app.add_middleware(Guard, allowed=identity.install(app, served))
    app.add_middleware(failures.Unforeseen)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(Observed, measures=served.measures)
    return app
