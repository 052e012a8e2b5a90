"""Signing in at the provider of the settings, and linking its subjects to accounts."""

from __future__ import annotations

import hmac
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from pydantic import Field
from starlette.responses import RedirectResponse, Response

from qinglan.base.identity import accounts, oidc
from qinglan.base.identity.refusals import NotSignedInError
from qinglan.core.errors import InputError
from qinglan.web.answers import Json
from qinglan.web.identity import Calling, People, is_secure, needs, open_to_all
from qinglan.web.identity_session import Body, Identifier, set_cookie
from qinglan.web.state import Serves, Serving

router = APIRouter(prefix="/api/v1", tags=["people"])
COOKIE = "qinglan_oidc"
_PATH = "/api/v1/oidc"
_SECONDS = 600


class Subject(Body):
    """What a provider calls somebody."""

    subject: str = Field(min_length=1, max_length=255)


@router.get("/oidc/start")
@open_to_all
def start(request: Request, application: Serves, serving: Serving, people: People) -> Response:
    """Send the browser to the provider."""
    if not people.exist():
        raise InputError("尚无账户，无需登录。", "There are no accounts yet: nobody needs to sign in.", field="oidc")
    scheme = "https" if is_secure(application.settings, request.scope) else "http"
    redirect = f"{scheme}://{urlsplit(str(request.url)).netloc}{_PATH}/callback"
    attempt = serving.provider.begin(people, redirect)
    answer = RedirectResponse(attempt.address, status_code=303)
    # Lax, for the provider sends the browser back from another site; it holds nothing but what comes back as well.
    answer.set_cookie(
        COOKIE,
        attempt.state,
        max_age=_SECONDS,
        path=_PATH,
        httponly=True,
        samesite="lax",
        secure=is_secure(application.settings, request.scope),
    )
    return answer


@router.get("/oidc/callback")
@open_to_all
def callback(
    request: Request,
    application: Serves,
    serving: Serving,
    people: People,
    caller: Calling,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=2000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Take the browser back from the provider and sign it in."""
    held = request.cookies.get(COOKIE, "")
    if error or not code or not state or not hmac.compare_digest(held.encode(), state.encode()):
        raise NotSignedInError(
            "未能登录：统一身份认证没有确认，或登录不是从这个浏览器发起的。",
            "Not signed in: the provider did not agree, or the sign-in was not begun in this browser.",
        )
    secret = serving.provider.finish(people, code, state, address=caller.address, agent=caller.agent)
    answer = RedirectResponse("/", status_code=303)
    set_cookie(request, application, answer, secret)
    answer.delete_cookie(COOKIE, path=_PATH)
    return answer


@router.post("/accounts/{account_id}/link")
@needs("administer", trail=False)
def link_account(
    application: Serves, people: People, caller: Calling, account_id: Identifier, given: Subject
) -> Response:
    """Say which account a subject of the provider is."""
    issuer = application.settings.oidc_issuer
    if not issuer:
        raise InputError(
            "没有配置统一身份认证（oidc_issuer）。", "No provider is set (oidc_issuer).", field="oidc_issuer"
        )
    accounts.get(people, caller.scope, account_id, rights=("administer",))
    oidc.link(people, caller.actor, issuer, account_id, given.subject)
    return Json({"id": account_id, "issuer": issuer, "subject": given.subject})
