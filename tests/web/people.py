"""A home with people: one of each role, in two counties and two enterprises."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pyotp
from fastapi import FastAPI
from fastapi.testclient import TestClient
from httpx import Response
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from sqlalchemy import update

from qinglan.app import Application
from qinglan.base.engine import transaction
from qinglan.base.identity import accounts, grants, organisations, passwords, totp
from qinglan.base.identity.identity import Actor, Identity
from qinglan.base.identity.tables import accounts as accounts_table

HERE = "http://127.0.0.1:8212"
PASSWORD = "Shan-Shui-2024!"
MAKER = Actor("cli:test")
ORGANISATIONS = [
    ("bureau", "bureau", None, ["211400"]),
    ("air-section", "section", "bureau", []),
    ("branch-a", "branch", "bureau", ["211481"]),
    ("branch-b", "branch", "bureau", ["211421"]),
    ("works-a", "enterprise", None, ["211481"]),
    ("works-b", "enterprise", None, ["211421"]),
    ("keepers", "operator", None, []),
]
PEOPLE: dict[str, tuple[str, str, dict[str, Any]]] = {
    "leader": ("leader", "bureau", {}),
    "officer": ("section_officer", "air-section", {"media": ["air"]}),
    "duty": ("duty_officer", "bureau", {}),
    "police": ("enforcement", "bureau", {}),
    "county-a": ("county_officer", "branch-a", {}),
    "county-b": ("county_officer", "branch-b", {}),
    "works-a": ("enterprise_contact", "works-a", {}),
    "works-b": ("enterprise_contact", "works-b", {}),
    "keeper": ("operator", "keepers", {"organisations_": ["works-a"]}),
    "observer": ("observer", "bureau", {}),
    "system": ("system_administrator", "bureau", {}),
    "security": ("security_administrator", "bureau", {}),
    "auditor": ("auditor", "bureau", {}),
}


@contextmanager
def cheap_hashes() -> Iterator[None]:
    """Have passwords hashed with little memory and one pass: tests need the form of the hash and not its cost."""
    before = passwords._HASHER
    passwords._HASHER = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1),))
    passwords._of_nobody.cache_clear()
    try:
        yield
    finally:
        passwords._HASHER = before
        passwords._of_nobody.cache_clear()


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    now: datetime = field(default_factory=lambda: datetime.now(UTC))

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> None:
        self.now += timedelta(**by)


def settled(identity: Identity, account: str) -> None:
    """Have an account's first password count as its own, so that no change is due."""
    with transaction(identity.engine) as connection:
        connection.execute(update(accounts_table).where(accounts_table.c.id == account).values(must_change=False))


def populate(identity: Identity) -> None:
    for name, kind, parent, places in ORGANISATIONS:
        organisations.add(identity, MAKER, name, title_zh=f"机构{name}", kind=kind, parent=parent, places=places)
    for name, (role, organisation, limits) in PEOPLE.items():
        accounts.add(
            identity, MAKER, name, name="某人", organisation=organisation, phone="13800001234", password=PASSWORD
        )
        grants.grant(identity, MAKER, name, role, **limits)
        settled(identity, name)


def enrolled(identity: Identity, account: str) -> pyotp.TOTP:
    """Give an account a second factor and return what makes its codes."""
    secret = pyotp.TOTP(totp.begin(identity, account).secret)
    totp.confirm(identity, Actor(account), secret.at(identity.clock()))
    return secret


@dataclass
class Page:
    """A browser that somebody signed in with: cookies, and the page's own token with each change."""

    client: TestClient
    csrf: str = ""

    def get(self, path: str, **more: Any) -> Response:
        return self.client.get("/api/v1" + path, **more)

    def send(self, method: str, path: str, body: Any = None, **more: Any) -> Response:
        headers = {"X-CSRF-Token": self.csrf, **more.pop("headers", {})}
        return self.client.request(method, "/api/v1" + path, json=body, headers=headers, **more)

    def post(self, path: str, body: Any = None, **more: Any) -> Response:
        return self.send("POST", path, body, **more)


def browser(app: FastAPI, *, base: str = HERE) -> Page:
    """A browser in which nobody has signed in; the server's life cycle is not started."""
    return Page(TestClient(app, base_url=base))


def sign_in(app: FastAPI, account: str, password: str = PASSWORD) -> Page:
    page = browser(app)
    answer = page.post("/session", {"account": account, "password": password})
    assert answer.status_code == 200, answer.text
    page.csrf = answer.json()["csrf"]
    return page


def complete(app: FastAPI, application: Application, clock: Clock, account: str) -> Page:
    """Sign in to the end, with the second factor where the role asks for one."""
    identity = application.identity
    page = sign_in(app, account)
    step = page.get("/me").json()["step"]
    if step is None:
        return page
    if step == "enrol":
        secret = pyotp.TOTP(page.post("/me/totp").json()["secret"])
        answer = page.post("/me/totp/confirm", {"code": secret.at(clock.now)})
    else:
        with identity.engine.connect() as connection:
            sealed = (
                connection.execute(accounts_table.select().where(accounts_table.c.id == account))
                .mappings()
                .one()["totp"]
            )
        clock.move(seconds=60)
        answer = page.post("/session/totp", {"code": pyotp.TOTP(identity.unseal(sealed)).at(clock.now)})
    assert answer.status_code == 200, answer.text
    page.csrf = answer.json()["csrf"]
    return page
