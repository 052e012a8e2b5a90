"""Every operation of the API is called with generated input: nothing fails inside, nothing opens without a right."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings

from qinglan.app import Application
from qinglan.web.application import create_application
from web.people import Clock, Page, browser, cheap_hashes, complete, populate

# A seed and a number of examples that end in less than a minute; a soak takes as many as it is told.
EXAMPLES = int(os.environ.get("QINGLAN_FUZZ_EXAMPLES", "4"))
# Their effect is outside of what a generated call should do: they end the caller's own session or leave the host.
LEFT_OUT = {
    ("DELETE", "/api/v1/session"),
    ("POST", "/api/v1/me/password"),
    ("POST", "/api/v1/me/totp"),
    ("DELETE", "/api/v1/accounts/{account_id}/sessions"),
    ("GET", "/api/v1/oidc/start"),
}
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def application(tmp_path_factory: pytest.TempPathFactory, clock: Clock) -> Iterator[Application]:
    with cheap_hashes(), Application.open(tmp_path_factory.mktemp("fuzz") / "home") as found:
        found.identity.clock = clock
        populate(found.identity)
        yield found


@pytest.fixture(scope="module")
def app(application: Application) -> Any:
    return create_application(application)


@pytest.fixture(scope="module")
def pages(app: Any, application: Application, clock: Clock) -> dict[str, Page]:
    """Together they have every right that there is."""
    return {name: complete(app, application, clock, name) for name in ("officer", "system", "security", "auditor")}


def test_no_operation_fails_inside_or_opens_to_nobody(app: Any, pages: dict[str, Page]) -> None:
    called = set()
    for found in schemathesis.openapi.from_dict(app.openapi()).get_all_operations():
        operation = found.ok()
        method, path = operation.method.upper(), operation.path
        if (method, path) in LEFT_OUT:
            continue

        @bounded
        @given(case=operation.as_strategy())
        def call(case: Any) -> None:
            everybody(case, app, pages)

        call()
        called.add((method, path))
    assert len(called) > 60


def everybody(case: Any, app: Any, pages: dict[str, Page]) -> None:
    """Send one generated request as nobody and as four people."""
    for name in (None, *pages):
        page = browser(app) if name is None else pages[name]
        arguments = case.as_transport_kwargs()
        headers = {**(arguments.pop("headers", None) or {}), "X-CSRF-Token": page.csrf}
        url = arguments.pop("url").removeprefix("http://127.0.0.1:8212")
        arguments.pop("cookies", None)
        allowed = {"params", "json", "data", "files", "content"}
        more = {key: value for key, value in arguments.items() if key in allowed}
        method = arguments["method"]
        sent = {key: value for key, value in headers.items() if str(value).isascii() and "\n" not in str(value)}
        sent.pop("Authorization", None)
        try:
            request = page.client.build_request(method, url, headers=sent, **more)
            request.read()
        except (AttributeError, TypeError):
            continue  # The client itself cannot write it down as a form.
        answer = page.client.send(request, follow_redirects=False)
        assert answer.status_code != 500, (method, url, answer.text)
        if answer.status_code >= 400 and answer.status_code not in {503}:
            assert answer.headers["content-type"].startswith("application/problem+json"), (method, url)
            assert answer.json()["zh"]
            assert answer.json()["en"]
