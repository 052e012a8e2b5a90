"""Who may call which route: every route of the application, by every role; what declares nothing is found."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from fastapi import APIRouter, FastAPI

from qinglan.app import Application
from qinglan.web.application import create_application
from qinglan.web.identity import CSRF_HEADER, Route, needs, open_to_all, routes_of
from web.people import PEOPLE, Clock, Page, browser, cheap_hashes, complete, populate

# What each role may, written by hand from the roles' declarations: the test would miss a mistake in both alike.
MAY = {
    "leader": {"read", "export", "files"},
    "officer": {"read", "write", "export", "files", "import", "evaluate", "confirm", "personal"},
    "duty": {"read", "write", "export", "files", "import"},
    "police": {"read", "write", "export", "files", "personal"},
    "county-a": {"read", "write", "export", "files", "import"},
    "works-a": {"read", "write", "files"},
    "keeper": {"read", "write", "files", "import"},
    "observer": {"read"},
    "system": {"administer"},
    "security": {"secure"},
    "auditor": {"audit"},
}
OPEN = {
    ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/api/v1/meta"), ("GET", "/api/v1/session/policy"),
    ("POST", "/api/v1/session"), ("POST", "/api/v1/first-account"),
    ("GET", "/api/v1/oidc/start"), ("GET", "/api/v1/oidc/callback"),
}  # fmt: skip
# They end what the next request of the table needs.
NOT_CALLED = {("DELETE", "/api/v1/session")}


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Application]:
    with cheap_hashes(), Application.open(tmp_path_factory.mktemp("rights") / "home") as found:
        found.identity.clock = clock
        populate(found.identity)
        yield found


@pytest.fixture(scope="module")
def app(application: Application) -> FastAPI:
    return create_application(application)


@pytest.fixture(scope="module")
def pages(app: FastAPI, application: Application, clock: Clock) -> dict[str, Page]:
    return {name: complete(app, application, clock, name) for name in MAY}


def test_there_is_a_row_for_every_role(application: Application) -> None:
    assert {PEOPLE[name][0] for name in MAY} == set(application.identity.roles)
    assert len(MAY) >= 8


def undeclared(app: FastAPI) -> list[str]:
    return [route.path for route in routes_of(app) if route.need is None]


def test_every_route_declares_what_it_needs(app: FastAPI) -> None:
    assert undeclared(app) == []
    described = {(method.upper(), path) for path, operations in app.openapi()["paths"].items() for method in operations}
    enumerated = {(method, route.path) for route in routes_of(app) for method in route.methods}
    assert described <= enumerated
    assert enumerated - described == {("GET", "/api/v1/openapi.json")}


def test_a_route_that_declares_nothing_is_found_and_answered_to_nobody(
    application: Application, pages: dict[str, Page]
) -> None:
    app = create_application(application)
    router = APIRouter(prefix="/api/v1")

    @router.get("/forgotten")
    def forgotten() -> str:
        return "everything"

    @router.get("/declared")
    @needs("read")
    def declared() -> str:
        return "what one may read"

    app.include_router(router)
    assert undeclared(app) == ["/api/v1/forgotten"]
    page = browser(app)
    page.client.cookies = pages["officer"].client.cookies
    assert page.get("/declared").json() == "what one may read"
    assert page.get("/forgotten").status_code == 403
    open_to_all(forgotten)
    assert browser(create_and_include(application, router)).get("/forgotten").json() == "everything"


def create_and_include(application: Application, router: APIRouter) -> FastAPI:
    app = create_application(application)
    app.include_router(router)
    return app


def called(page: Page, route: Route, method: str, *, csrf: bool = True) -> int:
    """Ask for a route with ids that nothing has: who may gets something else than 401 and 403."""
    path = re.sub(r"\{year\}", "2024", route.path)
    path = re.sub(r"\{\w+(:\w+)?\}", "nothing", path)
    headers = {CSRF_HEADER: page.csrf} if csrf else {}
    return page.client.request(method, path, headers=headers, follow_redirects=False).status_code


def expected(route: Route, name: str | None) -> set[int] | None:
    """The statuses that are right; None: any but 401 and 403."""
    assert route.need is not None
    if route.need.level == "open":
        return None
    if name is None:
        return {401}
    if route.need.level == "right" and not set(route.need.rights) & MAY[name]:
        return {403}
    return None


def test_every_role_on_every_route(app: FastAPI, pages: dict[str, Page]) -> None:
    wrong, counted, reached = [], 0, 0
    for route in routes_of(app):
        for method in route.methods:
            if (method, route.path) in NOT_CALLED:
                continue
            for name in [None, *MAY]:
                page = browser(app) if name is None else pages[name]
                status, right = called(page, route, method), expected(route, name)
                counted += 1
                reached += right is None
                # A step of one's own sign-in that is not due is refused in words of its own.
                own = route.need is not None and route.need.level in {"signing_in", "open"}
                fits = status in right if right else status != 500 and (own or status not in {401, 403})
                if not fits:
                    wrong.append((method, route.path, name, status))
    assert wrong == []
    assert counted >= 8 * len(app.openapi()["paths"])
    assert reached > 100


def test_only_these_routes_are_open(app: FastAPI) -> None:
    found = {
        (method, route.path)
        for route in routes_of(app)
        for method in route.methods
        if route.need and route.need.level == "open"
    }
    assert found <= OPEN


def test_nobody_signed_in_reaches_no_address_under_the_api(app: FastAPI, pages: dict[str, Page]) -> None:
    for path in ("/nowhere", "/board/", "/../v1/board", "//board"):
        assert browser(app).get(path).status_code == 401, path
    assert pages["observer"].get("/nowhere").status_code == 404
    assert pages["observer"].send("PUT", "/board", {}).status_code == 405


def test_rights_follow_the_grant_and_not_the_session(app: FastAPI, application: Application, clock: Clock) -> None:
    from qinglan.base.identity import grants
    from web.people import MAKER

    page = complete(app, application, clock, "county-b")
    assert page.get("/board").status_code == 200
    held = grants.listed(application.identity, "county-b")[0]["id"]
    grants.revoke(application.identity, MAKER, "county-b", held)
    assert page.get("/board").status_code == 403
    grants.grant(application.identity, MAKER, "county-b", "county_officer")
    assert page.get("/board").status_code == 200
