"""How much a request may send: little as a rule, much where files are uploaded."""

from __future__ import annotations

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from qinglan.web.answers import refusal
from qinglan.web.refusals import TooLargeError

MEBIBYTE = 1024 * 1024
SMALL_BODY = MEBIBYTE
UPLOAD_BODY = 2048 * MEBIBYTE
LEDGER_BODY = 64 * MEBIBYTE
_LEDGER_UPLOAD = re.compile(r"/api/v1/ledgers/[^/]+/(?:files|imports|shapes)")


class BodyLimit:
    """Refuse bodies beyond the limit of their address, by their announced length and again while they arrive."""

    def __init__(self, app: ASGIApp, upload_path: str, upload_bytes: int = UPLOAD_BODY) -> None:
        self.app = app
        self.upload_path = upload_path
        self.upload_bytes = upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its body counted."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        limit = self.upload_bytes if scope["path"] == self.upload_path else SMALL_BODY
        if _LEDGER_UPLOAD.fullmatch(scope["path"]):
            limit = LEDGER_BODY
        announced = Headers(scope=scope).get("content-length", "")
        if announced.isdigit() and int(announced) > limit:
            await refusal(too_large(limit))(scope, receive, send)
            return
        arrived = 0

        async def counted() -> Message:
            nonlocal arrived
            message = await receive()
            if message["type"] == "http.request":
                arrived += len(message.get("body", b""))
                if arrived > limit:
                    # FastAPI passes its own kind of exception on from reading a body, and hides all others.
                    raise HTTPException(413, too_large(limit).problem())  # type: ignore[arg-type]
            return message

        await self.app(scope, counted, send)


def too_large(limit: int) -> TooLargeError:
    """Return the refusal of a body of more than `limit` bytes."""
    shown = f"{limit // MEBIBYTE} MB" if limit >= MEBIBYTE else f"{limit} B"
    return TooLargeError(
        f"发送的内容超过 {shown} 的上限：请把文件分开上传，或在服务器上用 qinglan import 导入。",
        f"The request is larger than {shown}: upload the files one by one, or use qinglan import on the server.",
        field="files",
    )
