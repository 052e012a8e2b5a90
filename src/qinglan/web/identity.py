"""Who asks, and whether they may: each route says what it needs, and one place grants or refuses it.

A route declares its need beside its address with `needs`, `open_to_all`, `signed_in` or `while_signing_in`. What
declares nothing is answered to nobody once accounts exist, and a test names it.
"""

from __future__ import annotations

import hmac
import ipaddress
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.cookies import CookieError, SimpleCookie
from typing import Annotated, Any, Literal, TypeVar

import structlog
from fastapi import Depends, FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as Connection

from qinglan.base.engine import transaction
from qinglan.base.identity import sessions, tokens, trail
from qinglan.base.identity.identity import Actor, Identity
from qinglan.base.identity.refusals import NotAllowedError, NotSignedInError, sign_in_needed
from qinglan.base.identity.sessions import Session
from qinglan.base.scope import EVERYTHING, NOBODY, RIGHTS, Scope
from qinglan.base.settings import Settings
from qinglan.core.errors import QinglanError
from qinglan.web.answers import refusal
from qinglan.web.security import SAFE_METHODS, is_loopback
from qinglan.web.state import Served

log = structlog.get_logger("qinglan.web")
Level = Literal["open", "signing_in", "signed_in", "right"]
F = TypeVar("F", bound=Callable[..., Any])

API = "/api/"
CSRF_HEADER = "x-csrf-token"
COOKIE = "qinglan_session"
SECURE_COOKIE = "__Host-qinglan_session"
_ATTRIBUTE = "qinglan_needs"
_STATE = "qinglan_caller"
_FOUND = "qinglan_need"


@dataclass(frozen=True)
class Need:
    """What a route asks of its caller: one of some rights, a finished sign-in, one under way, or nothing.

    Parameters
    ----------
    ledger
        The path parameter that names a ledger, whose own rights then do too.
    trail
        Whether a change or an export through this route is written into the trail here; False where it writes itself.
    """

    level: Level
    rights: tuple[str, ...] = ()
    ledger: str | None = None
    trail: bool = True

    def allows(self, scope: Scope, parameters: Mapping[str, Any]) -> bool:
        """Return whether `scope` has one of the rights."""
        ledger = parameters.get(self.ledger) if self.ledger else None
        return any(scope.may(right, ledger) for right in self.rights)


_OUTSIDE = Need("open", trail=False)
"""What the files of the browser application need, which hold no data."""


def needs(*rights: str, ledger: str | None = None, trail: bool = True) -> Callable[[F], F]:
    """Declare that a route needs one of these rights.

    Examples
    --------
    >>> @needs("read")
    ... def route(): ...
    >>> need_of(route)
    Need(level='right', rights=('read',), ledger=None, trail=True)
    """
    unknown = [right for right in rights if right not in RIGHTS]
    if unknown or not rights:
        raise ValueError(f"no such right: {unknown}")
    return _marked(Need("right", rights, ledger, trail))


def open_to_all(route: F) -> F:
    """Declare that a route is answered to everybody."""
    return _marked(Need("open", trail=False))(route)


def signed_in(route: F) -> F:
    """Declare that a route is answered to everybody who has signed in."""
    return _marked(Need("signed_in", trail=False))(route)


def while_signing_in(route: F) -> F:
    """Declare that a route is answered before the sign-in is finished: the second factor or a new password is due."""
    return _marked(Need("signing_in", trail=False))(route)


def _marked(need: Need) -> Callable[[F], F]:
    def mark(route: F) -> F:
        setattr(route, _ATTRIBUTE, need)
        return route

    return mark


def need_of(endpoint: Any) -> Need | None:
    """Return what a route's function declares, or None if it declares nothing."""
    found = getattr(endpoint, _ATTRIBUTE, None)
    return found if isinstance(found, Need) else None


@dataclass(frozen=True)
class Route:
    """One route of the application with what it needs."""

    path: str
    methods: frozenset[str]
    need: Need | None
    route: Any


def routes_of(app: FastAPI) -> tuple[Route, ...]:
    """Return every route of an application, in the order in which they are tried."""
    return tuple(_routes(app.routes))


def _routes(found: Any) -> Iterator[Route]:
    for one in found:
        inner = getattr(one, "original_router", None) or (None if hasattr(one, "path_regex") else one)
        if inner is not None and hasattr(inner, "routes"):
            yield from _routes(inner.routes)
        else:
            need = need_of(getattr(one, "endpoint", None))
            yield Route(one.path, frozenset(getattr(one, "methods", None) or ()), need, one)


@dataclass(frozen=True)
class Caller:
    """Who asks: with an account, or everybody on this machine while there are none."""

    scope: Scope
    address: str
    agent: str = ""
    session: Session | None = None
    secret: str | None = field(default=None, repr=False)
    accounts: bool = True
    """Whether there are accounts at all."""

    @property
    def known(self) -> bool:
        """Whether somebody has signed in, to the end, or nobody needs to."""
        return not self.accounts or bool(self.scope.account)

    @property
    def actor(self) -> Actor:
        """Who is written into the trail."""
        account = str(self.session.account["id"]) if self.session else self.scope.account
        return Actor(account, self.address)


class Authentication:
    """Find out who asks, and answer 401 or 403 before anything of the request is read."""

    def __init__(self, app: ASGIApp, served: Served) -> None:
        self.app = app
        self.served = served
        self._table: tuple[Route, ...] = ()

    async def __call__(self, scope: Connection, receive: Receive, send: Send) -> None:
        """Pass the request on with its caller, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        identity = self.served.application.identity
        found, parameters = self._find(scope)
        need = found.need if found else None
        caller: Caller | None = None
        try:
            caller = await run_in_threadpool(identify, identity, self.served.application.settings, scope)
            scope.setdefault("state", {}).update({_STATE: caller, _FOUND: need})
            authorise(found, caller, scope, parameters)
        except QinglanError as refused:
            if caller is not None and isinstance(refused, NotAllowedError):
                await self._write(identity, caller, scope, "refused", "refused")
            headers = {"WWW-Authenticate": "Bearer"} if isinstance(refused, NotSignedInError) else None
            response = refusal(refused)
            response.headers.update(headers or {})
            await response(scope, receive, send)
            return
        status = 500

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        await self.app(scope, receive, watched)
        action = _noted(need, scope["method"])
        if action and caller.accounts and status < 400:
            await self._write(identity, caller, scope, action, "done")

    def _find(self, scope: Connection) -> tuple[Route | None, Mapping[str, Any]]:
        if not self._table:
            self._table = routes_of(scope["app"])
        for one in self._table:
            match = one.route.path_regex.match(scope["path"])
            if match and scope["method"] in one.methods:
                return one, match.groupdict()
        return None, {}

    async def _write(self, identity: Identity, caller: Caller, scope: Connection, action: str, outcome: str) -> None:
        await run_in_threadpool(
            note, identity, caller.actor, action, f"{scope['method']} {scope['path']}", outcome=outcome
        )


def _noted(need: Need | None, method: str) -> str | None:
    if need is None or not need.trail:
        return None
    if "export" in need.rights:
        return "export"
    return None if method in SAFE_METHODS else "change"


def note(identity: Identity, actor: Actor, action: str, what: str, *, outcome: str = "done") -> None:
    """Write one entry into the trail."""
    with transaction(identity.engine) as connection:
        trail.append(connection, actor, action, what, at=identity.clock(), outcome=outcome)


def identify(identity: Identity, settings: Settings, scope: Connection) -> Caller:
    """Return who asks.

    Raises
    ------
    NotSignedInError
        If a token was shown that is not good: whoever shows one means it.
    """
    headers = Headers(scope=scope)
    address, agent = address_of(settings, scope), headers.get("user-agent", "")
    if not identity.exist():
        return Caller(EVERYTHING, address, agent, accounts=False)
    kind, _, shown = headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer":
        held = tokens.find(identity, shown.strip())
        if held is None:
            raise NotSignedInError(
                "令牌无效：不正确、已过期或已撤销。", "The token is no good: wrong, expired or revoked."
            )
        return Caller(held, address, agent)
    secret = _cookie(headers, cookie_name(settings, scope))
    session = sessions.find(identity, secret) if secret else None
    if session is None:
        return Caller(NOBODY, address, agent)
    return Caller(NOBODY if session.step else session.scope, address, agent, session, secret)


def authorise(found: Route | None, caller: Caller, scope: Connection, parameters: Mapping[str, Any]) -> None:
    """Let a caller through, or refuse.

    Raises
    ------
    NotSignedInError
        If nobody is signed in and the route is not open.
    NotAllowedError
        If a step of the sign-in is due, the right is missing, the route declares none, or a change comes without
        the page's own token.
    """
    need = _OUTSIDE if found is None and not scope["path"].startswith(API) else found.need if found else None
    if not caller.accounts or (need is not None and need.level == "open"):
        return
    if caller.session is None and not caller.scope.account:
        raise sign_in_needed()
    if caller.session is not None and scope["method"] not in SAFE_METHODS:
        require_csrf(caller, Headers(scope=scope).get(CSRF_HEADER, ""))
    if need is not None and need.level == "signing_in":
        return
    if caller.session is not None and caller.session.step:
        raise step_refusal(caller.session.step)
    if found is None:
        return  # The router says that there is no such address.
    if need is None:
        raise NotAllowedError(
            "此接口没有声明所需权限，不予访问。", "This route declares no right and is answered to nobody."
        )
    if need.level == "right" and not need.allows(caller.scope, parameters):
        titles = [RIGHTS[right] for right in need.rights]
        raise NotAllowedError(
            f"您没有此项权限（{'或'.join(title.zh for title in titles)}）；请向安全管理员申请。",
            f"You have not the right to this ({' or '.join(title.en for title in titles)}); "
            "ask a security administrator.",
        )


def require_csrf(caller: Caller, given: str) -> None:
    """Refuse a change that does not carry what only a page of this server was told."""
    if caller.secret is None or not hmac.compare_digest(sessions.csrf(caller.secret).encode(), given.encode()):
        raise NotAllowedError(
            "缺少或不符的 X-CSRF-Token：请刷新页面后重试。",
            "X-CSRF-Token is missing or does not fit: reload the page and try again.",
            field="X-CSRF-Token",
        )


def step_refusal(step: str) -> NotAllowedError:
    """Return the refusal that says which step of the sign-in is due."""
    zh, en = {
        "totp": ("请先输入双因素验证码。", "Type the code of the second factor first."),
        "password": ("请先修改口令。", "Change the password first."),
        "enrol": ("管理员须先启用双因素。", "An administrator must set up the second factor first."),
    }[step]
    return NotAllowedError(zh, en, step=step)


def is_secure(settings: Settings, scope: Connection) -> bool:
    """Return whether the browser speaks TLS with this server or with the proxy before it."""
    return settings.https or scope["scheme"] == "https"


def cookie_name(settings: Settings, scope: Connection) -> str:
    """Return the session's cookie; the prefix has browsers refuse one that was set without TLS or by a subdomain."""
    return SECURE_COOKIE if is_secure(settings, scope) else COOKIE


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        found = SimpleCookie("; ".join(headers.getlist("cookie"))).get(name)
    except CookieError:
        return None
    return None if found is None else found.value


def address_of(settings: Settings, scope: Connection) -> str:
    """Return the caller's address; a proxy's word is taken only from the proxies in the settings."""
    client = scope.get("client")
    address = str(client[0]) if client else ""
    if address in settings.proxies:
        said = Headers(scope=scope).get("x-forwarded-for", "").split(",")
        further = [one.strip() for one in said if one.strip() and one.strip() not in settings.proxies]
        address = further[-1] if further else address
    return address[:64]


def host_allowed(served: Served, name: str) -> bool:
    """Return whether the server answers under a host name: loopback, or with accounts its addresses and names.

    A name that was re-bound is never an address, so addresses are safe; other names must be in the settings.
    """
    if is_loopback(name):
        return True
    if not served.application.identity.exist():
        return False
    return name.lower() in {one.lower() for one in served.application.settings.names} or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def caller_of(request: Request) -> Caller:
    """Return who asks."""
    found = getattr(request.state, _STATE, None)
    assert isinstance(found, Caller)
    return found


def agreed(request: Request) -> None:
    """Refuse a request that reaches another route than the one it was let through for."""
    if caller_of(request).accounts and need_of(request.scope.get("endpoint")) is not getattr(
        request.state, _FOUND, None
    ):
        raise NotAllowedError(
            "此接口没有声明所需权限，不予访问。", "This route declares no right and is answered to nobody."
        )


def current_scope(request: Request) -> Scope:
    """Return what the caller may see and do."""
    return caller_of(request).scope


def identity_of(request: Request) -> Identity:
    """Return the people of this request's server."""
    served = request.app.state.served
    assert isinstance(served, Served)
    return served.application.identity


def install(app: FastAPI, served: Served) -> Callable[[str], bool]:
    """Put the authentication into an application; return which host names it answers under."""
    app.add_middleware(Authentication, served=served)
    return partial(host_allowed, served)


CurrentScope = Annotated[Scope, Depends(current_scope)]
Calling = Annotated[Caller, Depends(caller_of)]
People = Annotated[Identity, Depends(identity_of)]
