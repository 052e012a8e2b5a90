"""Signing in at a provider: a real one on loopback; every lie that it could tell is refused."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from qinglan.app import Application
from qinglan.base.identity import accounts, oidc
from qinglan.base.identity.oidc import Provider as Known
from qinglan.base.scope import EVERYTHING
from qinglan.web.application import create_application
from web.people import HERE, MAKER, Clock, Page, browser, cheap_hashes, complete, populate
from web.provider import CLIENT, SECRET, Provider


@pytest.fixture(scope="module")
def running() -> Iterator[Provider]:
    provider = Provider()
    server = provider.start()
    yield provider
    server.should_exit = True


@pytest.fixture
def provider(running: Provider) -> Iterator[Provider]:
    yield running
    running.subject, running.username, running.foreign_key = "person-4711", "leader", False
    running.claims.clear()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory, running: Provider) -> Iterator[Application]:
    with cheap_hashes(), Application.open(tmp_path_factory.mktemp("oidc") / "home") as found:
        populate(found.identity)
        found.settings = found.settings.model_copy(
            update={"oidc_issuer": running.issuer, "oidc_client_id": CLIENT, "oidc_client_secret": SECRET}
        )
        oidc.link(found.identity, MAKER, running.issuer, "officer", "person-4711")
        yield found


@pytest.fixture
def app(application: Application) -> FastAPI:
    return create_application(application)


def begun(app: FastAPI) -> tuple[Page, str]:
    """A browser that was sent to the provider, and where it was sent."""
    page = browser(app)
    answer = page.get("/oidc/start", follow_redirects=False)
    assert answer.status_code == 303, answer.text
    return page, answer.headers["location"]


def back(where: str) -> str:
    """What the provider sends the browser back to."""
    answer = httpx.get(where, follow_redirects=False, timeout=20)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def finished(page: Page, location: str) -> Any:
    parts = urlsplit(location)
    return page.client.get(f"{parts.path}?{parts.query}", follow_redirects=False)


def test_a_linked_subject_is_signed_in_as_its_account(app: FastAPI, provider: Provider) -> None:
    page, where = begun(app)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(where).query).items()}
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{HERE}/api/v1/oidc/callback"
    assert "openid" in asked["scope"]
    assert len(asked["state"]) >= 43
    assert asked["nonce"] != asked["state"]
    answer = finished(page, back(where))
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert "SameSite=strict" in answer.headers["set-cookie"]
    me = page.get("/me").json()
    assert (me["account"]["id"], me["step"]) == ("officer", None)
    assert page.get("/board").status_code == 200


def test_the_answer_is_good_once_and_in_the_browser_that_asked(app: FastAPI, provider: Provider) -> None:
    page, where = begun(app)
    location = back(where)
    assert finished(browser(app), location).status_code == 401, "another browser: somebody was lured into a sign-in"
    other, _ = begun(app)
    assert finished(other, location).status_code == 401, "the cookie of another attempt"
    assert finished(page, location).status_code == 303
    page.client.cookies.set("qinglan_oidc", parse_qs(urlsplit(location).query)["state"][0])
    assert finished(page, location).status_code == 401, "used"


def test_the_code_alone_is_worth_nothing_without_the_verifier(app: FastAPI, provider: Provider) -> None:
    _, where = begun(app)
    code = parse_qs(urlsplit(back(where)).query)["code"][0]
    given = {"grant_type": "authorization_code", "code": code, "redirect_uri": f"{HERE}/api/v1/oidc/callback"}
    for more in ({}, {"code_verifier": "x" * 43}):
        answer = httpx.post(provider.issuer + "/token", data={**given, **more}, auth=(CLIENT, SECRET), timeout=20)
        assert answer.status_code == 400


@pytest.mark.parametrize(
    "lie",
    [
        {"iss": "http://evil.example"},
        {"aud": ["another-system"]},
        {"aud": [CLIENT, "another-system"]},
        {"azp": "another-system"},
        {"nonce": "of another sign-in"},
        {"exp": int(time.time()) - 3600},
        {"iat": int(time.time()) + 3600},
        {"sub": ""},
    ],
    ids="-".join,
)
def test_what_is_not_meant_for_us_is_refused(app: FastAPI, provider: Provider, lie: dict[str, Any]) -> None:
    provider.claims.update(lie)
    page, where = begun(app)
    answer = finished(page, back(where))
    assert answer.status_code == 401
    assert "qinglan_session" not in answer.headers.get("set-cookie", "")
    provider.claims.clear()
    page, where = begun(app)
    assert finished(page, back(where)).status_code == 303


def test_another_key_is_refused(app: FastAPI, provider: Provider) -> None:
    provider.foreign_key = True
    page, where = begun(app)
    assert finished(page, back(where)).status_code == 401


def test_a_subject_that_nobody_linked_is_nobody(app: FastAPI, provider: Provider) -> None:
    provider.subject, provider.username = "stranger", "leader"
    page, where = begun(app)
    answer = finished(page, back(where))
    assert answer.status_code == 401
    assert "系统管理员" in answer.json()["zh"]


def test_a_claim_links_an_account_by_its_name_once(application: Application, provider: Provider) -> None:
    application.settings = application.settings.model_copy(update={"oidc_claim": "preferred_username"})
    app = create_application(application)
    provider.subject, provider.username = "person-9", "duty"
    page, where = begun(app)
    assert finished(page, back(where)).status_code == 303
    assert page.get("/me").json()["account"]["id"] == "duty"
    provider.subject = "person-10"  # Another person of the same name does not come into the account.
    page, where = begun(app)
    assert finished(page, back(where)).status_code == 401


def test_a_disabled_account_and_an_administrator_without_second_factor(
    application: Application, app: FastAPI, provider: Provider
) -> None:
    identity = application.identity
    oidc.link(identity, MAKER, provider.issuer, "system", "person-boss")
    provider.subject = "person-boss"
    page, where = begun(app)
    assert finished(page, back(where)).status_code == 303
    assert page.get("/accounts").json()["step"] == "enrol"
    accounts.set_disabled(identity, MAKER, EVERYTHING, "system", True)
    page, where = begun(app)
    assert finished(page, back(where)).status_code == 401
    accounts.set_disabled(identity, MAKER, EVERYTHING, "system", False)


def test_an_administrator_links_over_the_api(application: Application, app: FastAPI, provider: Provider) -> None:
    clock = Clock()
    application.identity.clock = clock
    page = complete(app, application, clock, "system")
    answer = page.post("/accounts/police/link", {"subject": "person-police"})
    assert answer.json() == {"id": "police", "issuer": provider.issuer, "subject": "person-police"}
    assert page.post("/accounts/leader/link", {"subject": "person-police"}).status_code == 409
    assert page.post("/accounts/nobody/link", {"subject": "x"}).status_code == 404


def test_a_provider_that_is_not_there_or_is_another_is_said(application: Application, provider: Provider) -> None:
    for issuer in ("http://127.0.0.1:9", provider.issuer + "/"):
        settings = application.settings.model_copy(update={"oidc_issuer": issuer})
        app = create_application(application)
        app.state.served.__dict__["provider"] = Known(settings)
        answer = TestClient(app, base_url=HERE).get("/api/v1/oidc/start", follow_redirects=False)
        assert answer.status_code == 503
        assert issuer in answer.json()["en"]


def test_without_a_provider_there_is_nothing_to_start(application: Application) -> None:
    app = create_application(application)
    app.state.served.__dict__["provider"] = Known(application.settings.model_copy(update={"oidc_issuer": ""}))
    answer = TestClient(app, base_url=HERE).get("/api/v1/oidc/start", follow_redirects=False)
    assert (answer.status_code, answer.json()["field"]) == (422, "oidc_issuer")
