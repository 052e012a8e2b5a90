"""What routes reach for: the one application behind the server, its worker and its measurements."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Protocol

from fastapi import Depends, Request
from sqlalchemy import Engine

from qinglan.base.settings import Settings
from qinglan.core.declare import Declarations
from qinglan.jobs import Handler
from qinglan.web.observed import Measures
from qinglan.web.worker import WorkerThread


class Application(Protocol):
    """An open home folder."""

    settings: Settings
    engine: Engine
    lake: Any
    declarations: Declarations
    handlers: Mapping[str, Handler]


@dataclass
class Served:
    """What one server serves."""

    application: Application
    measures: Measures
    worker: WorkerThread


def served(request: Request) -> Served:
    """Return what the server of this request serves."""
    found = request.app.state.served
    assert isinstance(found, Served)
    return found


def application_of(request: Request) -> Application:
    """Return the application of this request's server."""
    return served(request).application


Serving = Annotated[Served, Depends(served)]
Serves = Annotated[Application, Depends(application_of)]
