"""Who may talk to the server: pages that it sent, and, while it has no accounts, only this machine.

A page of another site can make a browser send requests to loopback; it cannot forge ``Host`` and ``Origin``.
So a foreign ``Host`` is refused always (a name that was re-bound to 127.0.0.1), a foreign ``Origin`` on every
request that changes something.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qinglan.core.errors import InputError
from qinglan.web.answers import refusal
from qinglan.web.refusals import ForeignRequestError

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
        "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


def is_loopback(host: str) -> bool:
    """Return whether a host name or address is this machine alone.

    Examples
    --------
    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost"), is_loopback("0.0.0.0")
    (True, True, True, False)
    """
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def require_loopback(host: str) -> None:
    """Refuse to listen anywhere but on loopback.

    Raises
    ------
    InputError
        If `host` is another address or name.
    """
    if not is_loopback(host):
        raise InputError(
            f"尚无账户与登录，服务只能绑定本机回环地址，不能绑定 {host}：请用 --host 127.0.0.1。",
            f"There are no accounts yet, so the server binds to loopback only and not to {host}: use --host 127.0.0.1.",
            field="host",
        )


def _host_name(host: str) -> str | None:
    try:
        return urlsplit(f"//{host}").hostname
    except ValueError:
        return None


class Guard:
    """Refuse requests under a foreign host name, and changes that a foreign page asks for."""

    def __init__(self, app: ASGIApp, allowed: Callable[[str], bool] = is_loopback) -> None:
        self.app = app
        self.allowed = allowed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 403 with the reason."""
        if scope["type"] == "http":
            refused = self._refused(scope["method"], Headers(scope=scope))
            if refused:
                await refusal(refused)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _refused(self, method: str, headers: Headers) -> ForeignRequestError | None:
        hosts = headers.getlist("host")
        name = _host_name(hosts[0]) if len(hosts) == 1 else None
        if name is None or not self.allowed(name):
            shown = "、".join(hosts)[:120] or "（无）"
            return ForeignRequestError(
                f"主机名“{shown}”不是本机：请用 http://127.0.0.1 或 http://localhost 打开，或在设置 names 中写明。",
                f'Host "{shown}" is not this machine: open http://127.0.0.1 or http://localhost, '
                "or put the name into the setting names.",
                field="Host",
            )
        if method in SAFE_METHODS:
            return None
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        foreign = origin is not None and origin.lower() not in {
            f"http://{hosts[0]}".lower(),
            f"https://{hosts[0]}".lower(),
        }
        if foreign or site in {"cross-site", "same-site"}:
            shown = (origin or site or "")[:120]
            return ForeignRequestError(
                f"请求来自别的网站（{shown}），不予执行：请在本系统的页面上操作。",
                f"The request comes from another site ({shown}) and is refused: use the pages of this server.",
                field="Origin",
            )
        return None


class SecurityHeaders:
    """Add the headers that keep a page to itself to every answer."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application with the headers added."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, with_headers)
