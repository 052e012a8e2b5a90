"""How answers are written: compact JSON, problem+json, CSV that a spreadsheet cannot be tricked with."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any
from urllib.parse import quote

from pydantic_core import to_json
from starlette.responses import Response, StreamingResponse

from qinglan.core.errors import QinglanError
from qinglan.gateways.files.rejects import FORMULA_STARTS

PROBLEM_TYPE = "application/problem+json"


class Json(Response):
    """Compact JSON from plain Python; numbers that are not finite become null, never ``NaN``."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """Return the bytes of `content`."""
        return to_json(content, inf_nan_mode="null")


def problem_response(problem: dict[str, Any], headers: dict[str, str] | None = None) -> Response:
    """Return a problem+json response with the problem's own status."""
    return Response(
        to_json(problem, inf_nan_mode="null"),
        status_code=int(problem["status"]),
        media_type=PROBLEM_TYPE,
        headers=headers,
    )


def refusal(error: QinglanError) -> Response:
    """Return the response for one of Qinglan's own errors."""
    return problem_response(error.problem())


def harmless(value: object) -> str:
    """Return the text of a cell that no spreadsheet takes for a formula.

    A leading apostrophe is what Excel itself uses for "this is text". Numbers are left as they are.

    Examples
    --------
    >>> harmless("=1+1"), harmless("-3.5"), harmless("-cmd|x"), harmless(None)
    ("'=1+1", '-3.5', "'-cmd|x", '')
    """
    if value is None:
        return ""
    text = str(value)
    if text.startswith(FORMULA_STARTS) and not _is_number(text):
        return "'" + text
    return text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return text.isascii() and text == text.strip()


def csv_lines(rows: Iterable[Sequence[object]]) -> Iterator[bytes]:
    """Yield rows as CSV text in UTF-8 with the mark that Excel needs to see it is UTF-8."""
    yield b"\xef\xbb\xbf"
    for row in rows:
        line = io.StringIO()
        csv.writer(line, lineterminator="\r\n").writerow([harmless(cell) for cell in row])
        yield line.getvalue().encode()


def disposition(name: str) -> str:
    """Return the header that has a browser save the answer as `name` (RFC 6266)."""
    plain = "".join(letter if letter.isascii() and (letter.isalnum() or letter in "._-") else "_" for letter in name)
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def csv_response(name: str, rows: Iterable[Sequence[object]]) -> StreamingResponse:
    """Return rows as a CSV download."""
    return StreamingResponse(
        csv_lines(rows), media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition(name)}
    )


def download(name: str, content: bytes, media_type: str) -> Response:
    """Return bytes as a download."""
    return Response(content, media_type=media_type, headers={"Content-Disposition": disposition(name)})
