"""Imports: files handed in, what became of them, and what was rejected."""

from __future__ import annotations

from typing import Annotated, Any, get_args

from fastapi import APIRouter, Query
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response

from qinglan.app import Application
from qinglan.core.errors import DeclarationError, InputError
from qinglan.core.interval import BASES
from qinglan.gateways.files import records
from qinglan.gateways.files.mapping import LayoutName, Medium
from qinglan.gateways.files.records import ImportOptions
from qinglan.gateways.files.rejects import COLUMNS, rejects, rejects_path, rejects_workbook
from qinglan.web.answers import Json, csv_response, disposition, download
from qinglan.web.identity import needs
from qinglan.web.refusals import unknown
from qinglan.web.state import Serves
from qinglan.web.uploads import Form, received

router = APIRouter(prefix="/api/v1/imports", tags=["imports"])
_WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FORM = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}},
                        "basis": {"type": "string", "enum": list(BASES)},
                        "source": {"type": "string"},
                        "layout": {"type": "string", "enum": list(get_args(LayoutName))},
                        "stamp": {"type": "string", "enum": ["", "start", "end"]},
                        "map": {"type": "string"},
                        "medium": {"type": "string", "enum": list(get_args(Medium))},
                    },
                }
            }
        },
    }
}


@router.get("")
@needs("import")
def list_imports(
    application: Serves,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    before: Annotated[str | None, Query(max_length=32)] = None,
) -> Response:
    """List imports, the newest first; `before` is the id of the last one of the page before."""
    return Json(records.list_imports(application.engine, limit=limit, before=before))


@router.post("", openapi_extra=_FORM)
@needs("import")
async def start_import(application: Serves, request: Request) -> Response:
    """Take files in and start the job that imports them."""
    async with received(request, application.settings.files) as form:
        identifier = await run_in_threadpool(_start, application, form)
    made = await run_in_threadpool(records.get_import, application.engine, identifier)
    return Json(made, status_code=202, headers={"Location": f"/api/v1/imports/{identifier}"})


@router.get("/{import_id}")
@needs("import")
def get_import(application: Serves, import_id: str) -> Response:
    """Return one import with its counts and progress."""
    return Json(_found(application, import_id))


@router.get("/{import_id}/rejects")
@needs("import")
def list_rejects(
    application: Serves,
    import_id: str,
    offset: Annotated[int, Query(ge=0)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> Response:
    """List what could not be imported, by file, row and field, with the reason."""
    _found(application, import_id)
    total, rows = rejects(application.settings, import_id, offset, limit)
    return Json({"total": total, "offset": offset, "rows": rows})


@router.get("/{import_id}/rejects.csv")
@needs("import")
def rejects_csv(application: Serves, import_id: str) -> Response:
    """Return the reject file."""
    _found(application, import_id)
    path, name = rejects_path(application.settings, import_id), f"rejects-{import_id}.csv"
    if not path.is_file():
        return csv_response(name, [COLUMNS])
    return FileResponse(path, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": disposition(name)})


@router.get("/{import_id}/rejects.xlsx")
@needs("import")
def rejects_xlsx(application: Serves, import_id: str) -> Response:
    """Return the reject file as a workbook."""
    _found(application, import_id)
    return download(f"rejects-{import_id}.xlsx", rejects_workbook(application.settings, import_id), _WORKBOOK)


def _found(application: Application, import_id: str) -> dict[str, Any]:
    try:
        return records.get_import(application.engine, import_id)
    except InputError as error:
        raise unknown("导入", "import", import_id, "id", "/api/v1/imports") from error


def _start(application: Application, form: Form) -> str:
    options = ImportOptions(
        basis=_chosen(form, "basis", BASES),
        source=_source(form),
        layout=_chosen(form, "layout", get_args(LayoutName)) or "auto",
        stamp=_chosen(form, "stamp", ("start", "end")),
        mapping=form.fields.get("map", "").strip() or None,
        medium=_chosen(form, "medium", get_args(Medium)) or "air",
    )
    try:
        return records.start_import(
            application.engine,
            application.settings,
            [upload.path for upload in form.uploads],
            options,
            names=[upload.name for upload in form.uploads],
        )
    except DeclarationError as error:
        # A mapping that came with the request is the sender's to mend, unlike one of the server's own.
        raise InputError(error.zh, error.en, field="map") from error


def _chosen(form: Form, field: str, words: tuple[str, ...]) -> Any:
    given = form.fields.get(field, "").strip()
    if not given:
        return None
    if given not in words:
        raise InputError(
            f"{field} 的值“{given[:40]}”不可用：应为 {'、'.join(words)} 之一。",
            f'{field}: "{given[:40]}" is not one of {", ".join(words)}.',
            field=field,
        )
    return given


def _source(form: Form) -> str | None:
    given = form.fields.get("source", "").strip()
    if not given:
        return None
    # It becomes a column of the lake and part of file headers: a word, not a sentence.
    if len(given) > 64 or not all(letter.isalnum() or letter in "-_." for letter in given):
        raise InputError(
            "source 应为不超过 64 个字的一个词（字母、汉字、数字、- _ .）。",
            "source should be one word of at most 64 letters, digits, - _ or . .",
            field="source",
        )
    return given
