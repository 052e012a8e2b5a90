"""One module a resource; each has a `router`."""

from qinglan.web import (
    identity_oidc,
    identity_people,
    identity_session,
    identity_trail,
    ledgers,
    ledgers_files,
    ledgers_ogc,
)
from qinglan.web.routers import (
    air,
    board,
    evaluations,
    factors,
    health,
    imports,
    jobs,
    lake,
    maps,
    meta,
    series,
    sites,
    standards,
)

IMPORTS_ADDRESS = "/api/v1/imports"
ALL = (
    health.router,
    meta.router,
    board.router,
    evaluations.router,
    sites.router,
    factors.router,
    series.router,
    air.router,
    maps.router,
    imports.router,
    jobs.router,
    standards.router,
    lake.router,
    identity_session.router,
    identity_people.router,
    identity_trail.router,
    identity_oidc.router,
    ledgers.router,
    ledgers_files.router,
    ledgers_ogc.router,
)

__all__ = ["ALL", "IMPORTS_ADDRESS"]
