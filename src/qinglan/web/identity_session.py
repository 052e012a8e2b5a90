"""Signing in and out, and what belongs to oneself: password, second factor, sessions, tokens."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from qinglan.base.engine import reading
from qinglan.base.identity import accounts, links, organisations, sessions, signin, tokens, totp
from qinglan.base.identity.identity import Identity
from qinglan.base.identity.refusals import NotAllowedError
from qinglan.base.identity.sessions import Session
from qinglan.base.scope import EVERYTHING, RIGHTS
from qinglan.web.answers import Json
from qinglan.web.identity import (
    Caller,
    Calling,
    People,
    cookie_name,
    is_secure,
    open_to_all,
    signed_in,
    while_signing_in,
)
from qinglan.web.state import Serves

router = APIRouter(prefix="/api/v1", tags=["people"])
Identifier = Annotated[str, Path(max_length=64)]


class Body(BaseModel):
    """What a request carries: nothing unknown."""

    model_config = ConfigDict(extra="forbid")


class Credentials(Body):
    """An account and its password."""

    account: str = Field(min_length=1, max_length=120)
    password: str = Field(min_length=1, max_length=1000, repr=False)


class Code(Body):
    """A code of the second factor."""

    code: str = Field(min_length=6, max_length=12, repr=False)


class NewPassword(Body):
    """The password that is, and the one that shall be."""

    old: str = Field(min_length=1, max_length=1000, repr=False)
    password: str = Field(min_length=1, max_length=1000, repr=False)


class FirstAccount(Body):
    """The administrator that a one-time link makes."""

    link: str = Field(min_length=1, max_length=200, repr=False)
    account: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1, max_length=120)
    password: str = Field(min_length=1, max_length=1000, repr=False)


class NewToken(Body):
    """What a token is for, what it may, and for how many days."""

    title: str = Field(min_length=1, max_length=120)
    rights: list[str] = Field(min_length=1, max_length=40)
    days: int = Field(ge=1, le=3650)
    places: list[str] | None = Field(default=None, max_length=200)
    media: list[str] | None = Field(default=None, max_length=20)


@router.get("/session/policy")
@open_to_all
def sign_in_policy(people: People) -> Response:
    """Return what a password must be and how long a session lasts, each number with where it comes from."""
    policy = people.policy
    parts = {name: getattr(policy, name).model_dump() for name in ("password", "failures", "session", "token", "link")}
    return Json({**parts, "basis": [clause.model_dump(exclude_none=True) for clause in policy.basis]})


@router.post("/session")
@open_to_all
def sign_in(request: Request, application: Serves, people: People, caller: Calling, given: Credentials) -> Response:
    """Sign in with account and password; whatever session the browser had before ends."""
    secret = signin.sign_in(people, given.account, given.password, address=caller.address, agent=caller.agent)
    if caller.session is not None:
        sessions.end(people, caller.actor, caller.session)
    return begun(request, application, people, caller, secret)


@router.post("/session/totp")
@while_signing_in
def give_second_factor(request: Request, application: Serves, people: People, caller: Calling, given: Code) -> Response:
    """Give the code of the second factor; the session gets a new secret."""
    session = required(caller)
    if session.step != "totp":
        raise NotAllowedError("现在不需要验证码。", "No code is due now.", field="code")
    secret = signin.second_factor(people, session, given.code, address=caller.address, agent=caller.agent)
    return begun(request, application, people, caller, secret)


@router.delete("/session")
@while_signing_in
def sign_out(request: Request, application: Serves, people: People, caller: Calling) -> Response:
    """Sign out of this browser."""
    if caller.session is not None:
        sessions.end(people, caller.actor, caller.session)
    answer = Json({"signed_in": False})
    forget(request, application, answer)
    return answer


@router.get("/me")
@while_signing_in
def me(people: People, caller: Calling) -> Response:
    """Return who is signed in, what they may see and do, and which step of the sign-in is due."""
    return Json(about(people, caller))


@router.post("/me/password")
@while_signing_in
def change_password(
    request: Request, application: Serves, people: People, caller: Calling, given: NewPassword
) -> Response:
    """Change one's own password; all sessions end and this browser gets a new one."""
    session = required(caller)
    if session.step == "totp":
        raise NotAllowedError("请先输入双因素验证码。", "Type the code of the second factor first.", step="totp")
    secret = accounts.change_password(
        people, caller.actor, str(session.account["id"]), given.old, given.password, session=session.id
    )
    return begun(request, application, people, caller, secret)


@router.post("/me/totp")
@while_signing_in
def begin_second_factor(people: People, caller: Calling) -> Response:
    """Make a second factor: its secret, the address for an authenticator, and that as a picture."""
    session = _beyond_password(caller)
    made = totp.begin(people, str(session.account["id"]))
    return Json({"secret": made.secret, "uri": made.uri, "svg": made.svg}, headers={"Cache-Control": "no-store"})


@router.post("/me/totp/confirm")
@while_signing_in
def confirm_second_factor(
    request: Request, application: Serves, people: People, caller: Calling, given: Code
) -> Response:
    """Have the second factor count, by a code of it; the session gets a new secret."""
    session = _beyond_password(caller)
    totp.confirm(people, caller.actor, given.code)
    secret = sessions.renew(people, session, address=caller.address, agent=caller.agent)
    return begun(request, application, people, caller, secret)


@router.get("/me/sessions")
@signed_in
def my_sessions(people: People, caller: Calling) -> Response:
    """List where one is signed in."""
    session = required(caller)
    return Json(sessions.listed(people, str(session.account["id"]), session.id))


@router.delete("/me/sessions")
@signed_in
def sign_out_everywhere(people: People, caller: Calling) -> Response:
    """Sign out everywhere but here."""
    session = required(caller)
    return Json({"ended": sessions.end_everywhere(people, caller.actor, str(session.account["id"]), but=session.id)})


@router.delete("/me/sessions/{session_id}")
@signed_in
def end_session(people: People, caller: Calling, session_id: Identifier) -> Response:
    """Sign out of one other browser."""
    session = required(caller)
    sessions.end_one(people, caller.actor, str(session.account["id"]), session_id)
    return Json(sessions.listed(people, str(session.account["id"]), session.id))


@router.get("/me/tokens")
@signed_in
def my_tokens(people: People, caller: Calling) -> Response:
    """List one's API tokens; what they are is never shown again."""
    return Json(tokens.listed(people, str(required(caller).account["id"])))


@router.post("/me/tokens")
@signed_in
def make_token(people: People, caller: Calling, given: NewToken) -> Response:
    """Make an API token; the answer is the only one that holds it."""
    account = str(required(caller).account["id"])
    made, secret = tokens.add(
        people,
        caller.actor,
        account,
        title=given.title,
        rights=given.rights,
        days=given.days,
        places=given.places,
        media=given.media,
    )
    return Json({**made, "secret": secret}, status_code=201, headers={"Cache-Control": "no-store"})


@router.delete("/me/tokens/{token_id}")
@signed_in
def revoke_token(people: People, caller: Calling, token_id: Identifier) -> Response:
    """End one of one's own API tokens."""
    account = str(required(caller).account["id"])
    tokens.revoke(people, caller.actor, account, token_id)
    return Json(tokens.listed(people, account))


@router.post("/first-account")
@open_to_all
def first_account(people: People, caller: Calling, given: FirstAccount) -> Response:
    """Make the administrator that a one-time link is for; the answer holds links for those still missing."""
    further = links.redeem(
        people,
        given.link,
        account=given.account,
        name=given.name,
        password=given.password,
        address=caller.address,
    )
    made = {"account": given.account, "further": further}
    return Json(made, status_code=201, headers={"Cache-Control": "no-store"})


def required(caller: Caller) -> Session:
    """Return the session of who asks by a browser.

    Raises
    ------
    NotAllowedError
        If a token asks, or there are no accounts: what belongs to a session has no meaning then.
    """
    if caller.session is None:
        raise NotAllowedError(
            "此操作须在浏览器中登录后进行。", "This is done from a browser where somebody has signed in."
        )
    return caller.session


def _beyond_password(caller: Caller) -> Session:
    session = required(caller)
    if session.step in {"totp", "password"}:
        words = {"totp": ("请先输入双因素验证码。", "Type the code of the second factor first.")}
        zh, en = words.get(session.step, ("请先修改口令。", "Change the password first."))
        raise NotAllowedError(zh, en, step=session.step)
    return session


def begun(request: Request, application: Serves, people: Identity, caller: Caller, secret: str) -> Response:
    """Return who is signed in now, with the session's secret in a cookie that no script can read."""
    session = sessions.find(people, secret)
    scope = caller.scope if session is None else session.scope
    now = Caller(scope, caller.address, caller.agent, session, secret)
    answer = Json(about(people, now), headers={"Cache-Control": "no-store"})
    set_cookie(request, application, answer, secret)
    return answer


def set_cookie(request: Request, application: Serves, answer: Response, secret: str) -> None:
    """Put a session's secret into a cookie."""
    settings = application.settings
    answer.set_cookie(
        cookie_name(settings, request.scope),
        secret,
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_secure(settings, request.scope),
    )


def forget(request: Request, application: Serves, answer: Response) -> None:
    """Take the cookie away."""
    settings = application.settings
    secure = is_secure(settings, request.scope)
    answer.delete_cookie(
        cookie_name(settings, request.scope), path="/", httponly=True, samesite="strict", secure=secure
    )


def about(people: Identity, caller: Caller) -> dict[str, Any]:
    """Return what a page needs to know of who asks."""
    scope, session = caller.scope, caller.session
    found: dict[str, Any] = {
        "accounts": caller.accounts,
        "account": None,
        "step": session.step if session else None,
        "by": "session" if session else "token" if scope.account else "nobody",
        "csrf": sessions.csrf(caller.secret) if caller.secret else None,
        "roles": [{"id": role, "title": people.roles[role].title.model_dump()} for role in sorted(scope.roles)],
        "rights": sorted(scope.rights),
        "rights_titles": {right: RIGHTS[right.partition(":")[0]].model_dump() for right in sorted(scope.rights)},
        **{
            name: None if (held := getattr(scope, name)) is None else sorted(held)
            for name in ("places", "organisations", "media")
        },
    }
    if session is not None:
        row = session.account
        with reading(people.engine) as connection:
            found["organisation_places"] = organisations.places_of(connection, row["organisation"])
        found["account"] = {name: row[name] for name in ("id", "name", "organisation", "email")}
        found["account"]["second_factor"] = row["totp_confirmed"] is not None
        found["expires"] = session.expires
        if session.step is not None:
            found.update(roles=[], rights=[], rights_titles={}, places=[], organisations=[], media=[])
    elif scope.account:
        found["account"] = {"id": scope.account}
    elif not caller.accounts:
        found["rights"] = sorted(EVERYTHING.rights)
    return found
