"""The built browser application: its files, and its first page for every address that is one of its own."""

from __future__ import annotations

import mimetypes
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, Response
from starlette.types import Receive, Scope, Send

FOLDER = Path(__file__).parent / "browser"
# A file below assets/ has a hash of its content in its name: it never changes under one name.
IMMUTABLE = "public, max-age=31536000, immutable"
FRESH = "no-cache"
FILE_SUFFIXES = frozenset(
    {".js", ".mjs", ".css", ".map", ".svg", ".png", ".jpg", ".ico", ".woff", ".woff2", ".ttf", ".json", ".txt", ".html"}
)
NOT_BUILT = """<!doctype html>
<html lang="zh-CN">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>晴岚 Qinglan</title>
<style>body{font:16px/1.7 system-ui,sans-serif;max-width:42rem;margin:12vh auto;padding:0 1.5rem;color:#1f2a33}
code{background:#eef2f5;padding:.1em .4em;border-radius:.25em}</style></head>
<body>
<h1>晴岚</h1>
<p>服务已经运行，但浏览器页面还没有生成。请在源码目录里运行 <code>make run</code>，它会先生成页面再启动；接口在
<a href="/api/v1/meta">/api/v1</a>。</p>
<p lang="en">The server is running, but its pages have not been built. Run <code>make run</code> in the source folder:
it builds the pages and then starts; the API is at <a href="/api/v1/meta">/api/v1</a>.</p>
</body></html>
"""

# What the machine's own table says about these has been wrong on Windows.
for _suffix, _type in {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}.items():
    mimetypes.add_type(_type, _suffix)


class BrowserFiles:
    """What the server answers where no route of its own matches."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.folder = folder

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer with a file, with the first page, or with 404."""
        path: str = scope["path"]
        if (
            scope["type"] != "http"
            or scope["method"] not in {"GET", "HEAD"}
            or path.startswith("/api/")
            or path == "/api"
        ):
            raise HTTPException(404)
        response = await run_in_threadpool(self.answer, path)
        await response(scope, receive, send)

    def answer(self, path: str) -> Response:
        """Return the response for one path."""
        index = self.folder / "index.html"
        if not index.is_file():
            return HTMLResponse(NOT_BUILT, status_code=503, headers={"Cache-Control": FRESH})
        found = self._file(path)
        if found is not None and found != index.resolve():
            immutable = found.is_relative_to((self.folder / "assets").resolve())
            return FileResponse(found, headers={"Cache-Control": IMMUTABLE if immutable else FRESH})
        # Addresses of pages may hold dots (/indicators/air.pm25_mean), so only known kinds of file count as files.
        if found is None and (path.startswith("/assets/") or Path(path).suffix.lower() in FILE_SUFFIXES):
            raise HTTPException(404)
        return FileResponse(index, media_type="text/html; charset=utf-8", headers={"Cache-Control": FRESH})

    def _file(self, path: str) -> Path | None:
        if "\x00" in path or "\\" in path:
            return None
        try:
            found = (self.folder / path.lstrip("/")).resolve()
            inside = found.is_relative_to(self.folder.resolve()) and found.is_file()
        except (OSError, ValueError):
            return None
        return found if inside else None
