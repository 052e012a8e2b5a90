"""What routes reach for: the one application behind the server, its worker and its measurements."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Request

from qinglan.app import Application
from qinglan.base.identity.oidc import Provider
from qinglan.web.kept import Kept
from qinglan.web.observed import Measures
from qinglan.web.places import Geography
from qinglan.web.worker import WorkerThread


@dataclass
class Served:
    """What one server serves."""

    application: Application
    measures: Measures
    worker: WorkerThread
    kept: Kept = field(default_factory=Kept)

    @cached_property
    def provider(self) -> Provider:
        """The provider at which people may sign in."""
        return Provider(self.application.settings)

    @cached_property
    def geography(self) -> Geography:
        """The city's places and sites."""
        return Geography.of(self.application.declarations, self.application.city)


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
