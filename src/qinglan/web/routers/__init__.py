"""One module a resource; each has a `router`."""

from qinglan.web.routers import health, jobs

IMPORTS_ADDRESS = "/api/v1/imports"
ALL = (health.router, jobs.router)

__all__ = ["ALL", "IMPORTS_ADDRESS"]
