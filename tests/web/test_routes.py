"""Every route is in the contract, every route of the contract is there, and none lets a foreign page change things."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

CONTRACT = Path(__file__).parents[2] / "docs" / "guide" / "architecture.md"
_ROUTE = re.compile(r"(GET|POST|PUT|PATCH|DELETE) (/[^`\s?]*)")
METHODS = {"get", "post", "put", "patch", "delete"}


def contract() -> set[tuple[str, str]]:
    """The routes of the table under "The API", those outside /api/v1 left out."""
    text = CONTRACT.read_text("utf-8").split("## The API")[1].split("\n`Card`")[0]
    found = set()
    for line in text.splitlines():
        if line.startswith("| `") and "outside `/api/v1`" not in line:
            cell = line.split(" | ")[0]
            found |= {(method, re.sub(r"\{\w+\}", "{}", path)) for method, path in _ROUTE.findall(cell)}
    return found


def served(client: TestClient) -> set[tuple[str, str]]:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    return {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path.removeprefix("/api/v1")))
        for path, operations in paths.items()
        for method in operations
        if path.startswith("/api/v1/") and method in METHODS
    }


def test_the_contract_is_served_and_nothing_else(client: TestClient) -> None:
    assert served(client) == contract()


def test_no_route_hides_from_the_description(client: TestClient) -> None:
    app = client.app
    assert isinstance(app, FastAPI)
    hidden = [
        route
        for router in app.routes
        for route in getattr(getattr(router, "original_router", router), "routes", [])
        if not getattr(route, "include_in_schema", True)
    ]
    assert hidden == []


def test_every_change_is_refused_to_a_foreign_page(client: TestClient) -> None:
    changing = [(method, path) for method, path in served(client) if method != "GET"]
    assert len(changing) >= 5
    for method, path in changing:
        answer = client.request(
            method, "/api/v1" + path.replace("{}", "x"), headers={"origin": "http://evil.example"}, json={}
        )
        assert answer.status_code == 403, path
        assert answer.json()["field"] == "Origin"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_what_monitors_ask_is_outside_the_api(client: TestClient, path: str) -> None:
    assert client.get(path).status_code == 200
