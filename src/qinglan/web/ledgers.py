"""Ledgers over the API: what they are, their lists, their records, history, remarks, one enterprise's file."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import select
from starlette.responses import Response

from qinglan.base.engine import reading
from qinglan.base.schema import ledger_chains
from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING, to_utc
from qinglan.ledgers import forms, listing
from qinglan.ledgers.bulk import bulk
from qinglan.ledgers.comments import add_comment, comments
from qinglan.ledgers.enterprise_file import enterprise_file
from qinglan.ledgers.erase import erase
from qinglan.ledgers.filters import Filter
from qinglan.ledgers.geo.crs import door
from qinglan.ledgers.history import history
from qinglan.ledgers.records import Record, create, delete_record, read, restore_record, update_record
from qinglan.ledgers.rights import may, require
from qinglan.ledgers.writing import Writing
from qinglan.web.answers import Json
from qinglan.web.identity import CurrentScope, needs
from qinglan.web.state import Serves

router = APIRouter(prefix="/api/v1", tags=["ledgers"])
Text = Annotated[str, Query(max_length=500)]


class RecordBody(BaseModel):
    """A record that is written: its values by field, and for a change the version that was seen."""

    model_config = ConfigDict(extra="forbid")

    values: dict[str, Any]
    version: int | None = Field(default=None, ge=1)
    why: str | None = Field(default=None, max_length=1000)
    merge: bool = False
    crs: str | None = Field(default=None, max_length=40)


class Reason(BaseModel):
    """Why something is done."""

    model_config = ConfigDict(extra="forbid")

    why: str = Field(max_length=1000)
    version: int | None = Field(default=None, ge=1)


class Remark(BaseModel):
    """A remark on a record."""

    model_config = ConfigDict(extra="forbid")

    text: str = Field(max_length=8000)


class Operations(BaseModel):
    """Several operations at once."""

    model_config = ConfigDict(extra="forbid")

    operations: list[dict[str, Any]]
    why: str | None = Field(default=None, max_length=1000)


def asked(
    filters: Annotated[list[str] | None, Query(alias="filter", max_length=20)] = None,
    search: Text = "",
    sort: Annotated[str, Query(max_length=60)] = "",
    columns: Annotated[str, Query(max_length=2000)] = "",
    bbox: Annotated[str, Query(max_length=200)] = "",
    deleted: bool = False,
    as_of: Annotated[str, Query(max_length=40)] = "",
    changed_since: Annotated[str, Query(max_length=40)] = "",
) -> listing.Query:
    """Return what a request asks of a list, page and cursor apart."""
    return listing.Query(
        filters=tuple(Filter.read(one) for one in filters or ()),
        search=search,
        sort=sort,
        columns=tuple(name for name in columns.split(",") if name),
        bbox=bbox,
        deleted=deleted,
        as_of=moment_of(as_of, "as_of", end_of_day=True),
        changed_since=moment_of(changed_since, "changed_since"),
    )


def moment_of(text: str, field: str, *, end_of_day: bool = False) -> datetime | None:
    """Return the moment of a day or time; a day as of which something is asked lasts until its end."""
    if not text:
        return None
    try:
        if len(text) == len("2024-03-01"):
            day = date.fromisoformat(text) + timedelta(days=end_of_day)
            return datetime.combine(day, time(), BEIJING) - timedelta(microseconds=end_of_day)
        return to_utc(datetime.fromisoformat(text.replace(" ", "+")))
    except (ValueError, OverflowError) as error:
        raise InputError(
            f"{field} 应为日期或时间，如 2024-03-01。", f"{field} should be a day or time as 2024-03-01.", field=field
        ) from error


@router.get("/ledgers")
@needs("read")
def list_ledgers(application: Serves, scope: CurrentScope) -> Response:
    """List the ledgers that the caller may see, with how many records each has where all may be seen."""
    ledgers = application.ledgers
    with reading(ledgers.engine) as connection:
        live = {
            row.ledger: row.live for row in connection.execute(select(ledger_chains.c.ledger, ledger_chains.c.live))
        }
    found = [
        forms.brief(ledger, scope, live.get(ledger.id) if scope.places is None else None)
        for ledger in ledgers.declared.values()
        if ledger.id not in ledgers.refused and may(ledger, scope, "read")
    ]
    refused = [
        {"id": name, "zh": error.zh, "en": error.en}
        for name, error in ledgers.refused.items()
        if scope.may("administer")
    ]
    return Json({"ledgers": found, "refused": refused})


@router.get("/ledgers/{ledger_id}")
@needs("read", ledger="ledger_id")
def get_ledger(application: Serves, scope: CurrentScope, ledger_id: str) -> Response:
    """Return what forms, lists and filters need to know of a ledger."""
    ledgers = application.ledgers
    ledger = ledgers.get(ledger_id)
    require(ledger, scope, "read")
    return Json(forms.schema(ledgers, scope, ledger))


Asked = Annotated[listing.Query, Depends(asked)]


@router.get("/ledgers/{ledger_id}/records")
@needs("read", ledger="ledger_id")
def list_records(
    application: Serves,
    scope: CurrentScope,
    ledger_id: str,
    query: Asked,
    limit: Annotated[int, Query(ge=1, le=listing.MOST)] = 50,
    cursor: Text = "",
) -> Response:
    """List records: filtered, searched, sorted, a page at a time."""
    ledgers = application.ledgers
    ledger = ledgers.get(ledger_id)
    found = listing.page(ledgers, scope, ledger_id, replace(query, limit=limit, cursor=cursor))
    return Json(found.answer(ledger, scope, listing.columns_of(ledger, query.columns)))


@router.post("/ledgers/{ledger_id}/records")
@needs("write", ledger="ledger_id", trail=False)
def add_record(application: Serves, scope: CurrentScope, ledger_id: str, body: RecordBody) -> Response:
    """Add a record."""
    values = door(application.ledgers.get(ledger_id), body.values, body.crs)
    made = create(application.ledgers, Writing(scope, body.why), ledger_id, values)
    address = f"/api/v1/ledgers/{ledger_id}/records/{made.record}"
    return _answer(application, scope, made, status_code=201, headers={"Location": address})


@router.post("/ledgers/{ledger_id}/bulk")
@needs("write", ledger="ledger_id", trail=False)
def write_several(application: Serves, scope: CurrentScope, ledger_id: str, body: Operations) -> Response:
    """Do several operations, each on its own; the answer says of each what became of it."""
    outcomes = bulk(application.ledgers, Writing(scope, body.why), ledger_id, body.operations)
    return Json({"done": sum(one.done for one in outcomes), "outcomes": [vars(one) for one in outcomes]})


@router.get("/ledgers/{ledger_id}/records/{record_id}")
@needs("read", ledger="ledger_id")
def get_record(
    application: Serves,
    scope: CurrentScope,
    ledger_id: str,
    record_id: str,
    as_of: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    """Return a record, as it is or as it was."""
    moment = moment_of(as_of, "as_of", end_of_day=True)
    return _answer(application, scope, read(application.ledgers, scope, ledger_id, record_id, as_of=moment))


@router.put("/ledgers/{ledger_id}/records/{record_id}")
@needs("write", ledger="ledger_id", trail=False)
def change_record(
    application: Serves, scope: CurrentScope, ledger_id: str, record_id: str, body: RecordBody
) -> Response:
    """Change the fields that are sent; the others stay."""
    if body.version is None:
        raise InputError("修改须写明所见的版本号 version。", "A change needs the version seen.", field="version")
    changed = update_record(
        application.ledgers,
        Writing(scope, body.why),
        ledger_id,
        record_id,
        door(application.ledgers.get(ledger_id), body.values, body.crs),
        version=body.version,
        merge=body.merge,
    )
    return _answer(application, scope, changed)


@router.delete("/ledgers/{ledger_id}/records/{record_id}")
@needs("write", ledger="ledger_id", trail=False)
def take_out_record(application: Serves, scope: CurrentScope, ledger_id: str, record_id: str, body: Reason) -> Response:
    """Take a record out, with the reason; its history stays."""
    delete_record(application.ledgers, Writing(scope, body.why), ledger_id, record_id, version=body.version)
    return Response(status_code=204)


@router.post("/ledgers/{ledger_id}/records/{record_id}/restore")
@needs("write", ledger="ledger_id", trail=False)
def bring_back_record(
    application: Serves, scope: CurrentScope, ledger_id: str, record_id: str, body: Reason
) -> Response:
    """Bring a record back that was taken out."""
    return _answer(
        application, scope, restore_record(application.ledgers, Writing(scope, body.why), ledger_id, record_id)
    )


@router.post("/ledgers/{ledger_id}/records/{record_id}/erase")
@needs("personal", ledger="ledger_id", trail=False)
def erase_personal_data(
    application: Serves, scope: CurrentScope, ledger_id: str, record_id: str, body: Reason
) -> Response:
    """Erase the personal data of a record from its row and its history."""
    return Json({"versions": erase(application.ledgers, Writing(scope, body.why), ledger_id, record_id)})


@router.get("/ledgers/{ledger_id}/records/{record_id}/history")
@needs("read", ledger="ledger_id")
def get_history(application: Serves, scope: CurrentScope, ledger_id: str, record_id: str) -> Response:
    """Return the versions of a record, the newest first, with what each changed."""
    return Json({"versions": history(application.ledgers, scope, ledger_id, record_id)})


@router.get("/ledgers/{ledger_id}/records/{record_id}/comments")
@needs("read", ledger="ledger_id")
def get_comments(application: Serves, scope: CurrentScope, ledger_id: str, record_id: str) -> Response:
    """Return the remarks on a record."""
    return Json({"comments": comments(application.ledgers, scope, ledger_id, record_id)})


@router.post("/ledgers/{ledger_id}/records/{record_id}/comments")
@needs("write", ledger="ledger_id")
def remark(application: Serves, scope: CurrentScope, ledger_id: str, record_id: str, body: Remark) -> Response:
    """Add a remark to a record."""
    found = add_comment(application.ledgers, scope, ledger_id, record_id, body.text)
    return Json({"comments": found}, status_code=201)


@router.get("/enterprises/{uscc}/file")
@needs("read")
def get_enterprise_file(application: Serves, scope: CurrentScope, uscc: str) -> Response:
    """Return all that is on file about one enterprise, on one timeline."""
    return Json(enterprise_file(application.ledgers, scope, uscc))


def _answer(application: Serves, scope: CurrentScope, record: Record, **more: Any) -> Response:
    ledgers = application.ledgers
    ledger = ledgers.get(record.ledger)
    labels = listing.labels_of(ledgers, scope, ledger, [record], [field.id for field in ledger.fields])
    return Json(record.answer(ledger, scope) | {"labels": labels}, **more)
