"""The trail of who did what, for the auditor alone."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated, Any, Literal

import xlsxwriter
from fastapi import APIRouter, Depends, Query
from starlette.responses import Response

from qinglan.base.identity import trail
from qinglan.base.identity.identity import Identity
from qinglan.web.answers import Json, csv_response, download
from qinglan.web.identity import Calling, People, needs, note
from qinglan.web.moments import parse_moment

router = APIRouter(prefix="/api/v1", tags=["people"])
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_PAGE = 2000
_SHEET_ROWS = 1_000_000
Outcome = Literal["done", "refused"]


def _filters(
    account: Annotated[str | None, Query(max_length=64)] = None,
    action: Annotated[str | None, Query(max_length=64)] = None,
    outcome: Outcome | None = None,
    start: Annotated[str | None, Query(max_length=40)] = None,
    end: Annotated[str | None, Query(max_length=40)] = None,
) -> dict[str, Any]:
    moments: dict[str, datetime | None] = {
        "start": parse_moment(start, "start") if start else None,
        "end": parse_moment(end, "end", end=True) if end else None,
    }
    return {"account": account, "action": action, "outcome": outcome, **moments}


Filters = Annotated[dict[str, Any], Depends(_filters)]


@router.get("/trail")
@needs("audit")
def list_trail(
    people: People,
    filters: Filters,
    before: Annotated[int | None, Query(ge=1, le=2**62)] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> Response:
    """List who did what, the newest first; `before` is the number of the last entry of the page before."""
    found = trail.entries(people.engine, **filters, before=before, limit=limit)
    actions = [{"id": action, "title": title.model_dump()} for action, title in trail.ACTIONS.items()]
    following = found[-1]["id"] if len(found) == limit else None
    return Json({"entries": found, "before": following, "actions": actions})


@router.get("/trail/verify")
@needs("audit")
def verify_trail(people: People) -> Response:
    """Return whether every entry is there and unchanged, and the head to keep outside of the base."""
    found = trail.verify(people.engine)
    last, hashed = trail.head(people.engine)
    return Json(
        {
            "whole": not found,
            "findings": [{"entry": one.entry, "zh": one.zh, "en": one.en} for one in found],
            "head": {"entry": last, "hash": hashed},
        }
    )


@router.get("/trail.csv")
@needs("audit")
def trail_csv(people: People, caller: Calling, filters: Filters) -> Response:
    """Return the trail as CSV; that it was taken out is an entry of its own."""
    note(people, caller.actor, "export", "trail.csv")
    return csv_response("trail.csv", _rows(people, filters))


@router.get("/trail.xlsx")
@needs("audit")
def trail_xlsx(people: People, caller: Calling, filters: Filters) -> Response:
    """Return the trail as a workbook; that it was taken out is an entry of its own."""
    note(people, caller.actor, "export", "trail.xlsx")
    made = io.BytesIO()
    # Texts stay texts: what somebody typed never becomes a formula or a link.
    options = {"strings_to_formulas": False, "strings_to_urls": False, "constant_memory": True}
    with xlsxwriter.Workbook(made, options) as book:
        sheet = book.add_worksheet("trail")
        for number, row in enumerate(_rows(people, filters)):
            if number > _SHEET_ROWS:
                break
            sheet.write_row(number, 0, row)
    return download("trail.xlsx", made.getvalue(), _WORKBOOK)


def _rows(people: Identity, filters: dict[str, Any]) -> Iterator[list[Any]]:
    """Yield heading and rows, a page at a time: no transaction stays open while somebody downloads slowly."""
    before: int | None = None
    yield trail.HEADING
    while True:
        found = trail.entries(people.engine, **filters, before=before, limit=_PAGE)
        yield from (trail.table_row(row) for row in found)
        if len(found) < _PAGE:
            return
        before = found[-1]["id"]
