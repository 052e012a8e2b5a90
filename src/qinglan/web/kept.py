"""Answers kept while the lake does not change, and the tag by which a browser knows it has one already."""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, TypeVar, cast

from starlette.requests import Request
from starlette.responses import Response

from qinglan import __version__

T = TypeVar("T")


class Kept:
    """Results of one lake revision; the least used go first, all go when the revision moves on.

    Parameters
    ----------
    most
        How many results are kept.
    """

    def __init__(self, most: int = 64) -> None:
        self._most = most
        self._revision: int | None = None
        self._found: OrderedDict[Hashable, Any] = OrderedDict()
        self._making: dict[Hashable, threading.Lock] = {}
        self._lock = threading.Lock()

    def get(self, revision: int, key: Hashable, make: Callable[[], T]) -> T:
        """Return what `make` gave for `key` at this revision; of several that ask at once, one makes it."""
        with self._lock:
            if revision != self._revision:
                self._revision, self._making = revision, {}
                self._found.clear()
            making = self._making.setdefault(key, threading.Lock())
        with making:
            with self._lock:
                if revision == self._revision and key in self._found:
                    self._found.move_to_end(key)
                    return cast("T", self._found[key])
            made = make()
            with self._lock:
                if revision == self._revision:
                    self._found[key] = made
                    while len(self._found) > self._most:
                        oldest, _ = self._found.popitem(last=False)
                        self._making.pop(oldest, None)
            return made


def tag(*parts: object) -> str:
    """Return the entity tag of an answer that depends on `parts` and on this version of the program only."""
    digest = hashlib.blake2b(repr((__version__, *parts)).encode(), digest_size=12).hexdigest()
    return f'W/"{digest}"'


def unchanged(request: Request, etag: str) -> Response | None:
    """Return 304 if the browser has the answer with this tag already."""
    known = {found.strip() for found in request.headers.get("if-none-match", "").split(",")}
    if etag in known:
        return Response(status_code=304, headers=tagged(etag))
    return None


def tagged(etag: str) -> dict[str, str]:
    """Return the headers that have a browser ask each time whether its copy is still good."""
    return {"ETag": etag, "Cache-Control": "private, no-cache"}
