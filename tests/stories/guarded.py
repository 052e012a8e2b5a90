"""A page that may talk to its own server only, and says at the end what it should not have done."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Request, Route

_OWN_SCHEMES = {"data", "blob", "about"}
# A violation inside the page reaches the guard as an error on the console.
_TELL_VIOLATIONS = """
document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`))
"""


@dataclass
class Guard:
    """What the pages of one context did: every request to another origin, every error on the console.

    Attributes
    ----------
    origin
        Scheme, host and port of the server.
    expected
        Patterns of errors that belong to the story, such as a refusal that the story asks for.
    """

    origin: str
    foreign: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def watch(self, context: BrowserContext) -> None:
        """Watch all pages of a context; a request to another origin is noted and never sent."""
        context.add_init_script(_TELL_VIOLATIONS)
        context.route(lambda address: not self.is_own(address), self._stop)
        context.on("request", self._requested)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.errors.append(str(error.error)))

    def is_own(self, address: str) -> bool:
        """Return whether an address lies on the server, or in the page itself."""
        parts = urlsplit(address)
        return parts.scheme in _OWN_SCHEMES or f"{parts.scheme}://{parts.netloc}" == self.origin

    def wrongs(self) -> list[str]:
        """Return what no page should have done."""
        unexpected = [error for error in self.errors if not any(re.search(one, error) for one in self.expected)]
        return [f"asked another host: {address}" for address in self.foreign] + unexpected

    def _requested(self, request: Request) -> None:
        if not self.is_own(request.url):
            self.foreign.append(request.url)

    def _stop(self, route: Route) -> None:
        route.abort()

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(f"{message.text} {message.location.get('url', '')}".strip())


@dataclass
class Visitor:
    """One reader: a page with an empty profile, and the guard that watches it."""

    page: Page
    guard: Guard
    origin: str

    def open(self, path: str) -> Page:
        """Open an address of the server."""
        self.page.goto(self.origin + path)
        return self.page


Visits = Callable[..., Visitor]
Json = Any
