"""Files of ledgers over the API: templates, exports, imports with their preview, attachments."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response, StreamingResponse

from qinglan.app import Application
from qinglan.base.scope import Scope
from qinglan.core.errors import InputError
from qinglan.ledgers import attachments, listing
from qinglan.ledgers.excel import importing
from qinglan.ledgers.excel.export import as_csv, as_geojson, as_workbook
from qinglan.ledgers.excel.template import template
from qinglan.ledgers.geo.layers import as_layer
from qinglan.ledgers.rights import require
from qinglan.ledgers.writing import Writing
from qinglan.web.answers import Json, disposition, download
from qinglan.web.identity import CurrentScope, needs
from qinglan.web.ledgers import Asked
from qinglan.web.state import Serves
from qinglan.web.uploads import Form, received

router = APIRouter(prefix="/api/v1/ledgers/{ledger_id}", tags=["ledgers"])
WORKBOOK = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
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
                        "crs": {"type": "string"},
                    },
                }
            }
        },
    }
}
# What a browser shows by itself without running anything; all else is saved.
_SHOWN = frozenset({"application/pdf", "image/png", "image/jpeg", "image/gif", "image/webp", "text/plain"})


class Decision(BaseModel):
    """How a checked file is written."""

    model_config = ConfigDict(extra="forbid")

    mode: Literal["all", "good"] = "all"
    why: str | None = Field(default=None, max_length=1000)


@router.get("/template.xlsx")
@needs("read", ledger="ledger_id")
def get_template(application: Serves, scope: CurrentScope, ledger_id: str) -> Response:
    """Return the workbook that the ledger is filled in."""
    ledger = application.ledgers.get(ledger_id)
    require(ledger, scope, "read")
    return download(f"{ledger.title.zh}-模板.xlsx", template(application.ledgers, ledger_id), WORKBOOK)


@router.get("/export.xlsx")
@needs("export", ledger="ledger_id")
def export_workbook(application: Serves, scope: CurrentScope, ledger_id: str, query: Asked) -> Response:
    """Return the list that is shown as a workbook that can be handed in again."""
    ledger = application.ledgers.get(ledger_id)
    return download(f"{ledger.title.zh}.xlsx", as_workbook(application.ledgers, scope, ledger_id, query), WORKBOOK)


@router.get("/export.csv")
@needs("export", ledger="ledger_id")
def export_csv(application: Serves, scope: CurrentScope, ledger_id: str, query: Asked) -> Response:
    """Return the list that is shown as CSV."""
    return _streamed(application, scope, ledger_id, query, "csv")


@router.get("/export.geojson")
@needs("export", ledger="ledger_id")
def export_geojson(application: Serves, scope: CurrentScope, ledger_id: str, query: Asked) -> Response:
    """Return the list that is shown as GeoJSON in longitude and latitude."""
    return _streamed(application, scope, ledger_id, query, "geojson")


@router.get("/export.gpkg")
@needs("export", ledger="ledger_id")
def export_geopackage(application: Serves, scope: CurrentScope, ledger_id: str, query: Asked) -> Response:
    """Return the shapes that are shown as a GeoPackage."""
    content = as_layer(application.ledgers, scope, ledger_id, query, "gpkg")
    return download(f"{ledger_id}.gpkg", content, "application/geopackage+sqlite3")


@router.get("/export.shp.zip")
@needs("export", ledger="ledger_id")
def export_shapefile(application: Serves, scope: CurrentScope, ledger_id: str, query: Asked) -> Response:
    """Return the shapes that are shown as a Shapefile in an archive."""
    content = as_layer(application.ledgers, scope, ledger_id, query, "shp")
    return download(f"{ledger_id}.zip", content, "application/zip")


def _streamed(
    application: Application, scope: Scope, ledger_id: str, query: listing.Query, kind: Literal["csv", "geojson"]
) -> Response:
    ledgers = application.ledgers
    # What cannot be answered is refused before the first byte says that all is well.
    listing.page(ledgers, scope, ledger_id, replace(query, limit=1), right="export")
    make, media = (as_csv, "text/csv; charset=utf-8") if kind == "csv" else (as_geojson, "application/geo+json")
    if kind == "geojson" and ledgers.get(ledger_id).geometry_field is None:
        raise InputError("这个台账没有图形字段。", "The ledger has no shapes.", field="ledger")
    name = f"{ledgers.get(ledger_id).title.zh}.{kind}"
    headers = {"Content-Disposition": disposition(name)}
    return StreamingResponse(make(ledgers, scope, ledger_id, query), media_type=media, headers=headers)


@router.post("/imports", openapi_extra=_FORM)
@needs("import", ledger="ledger_id", trail=False)
async def check_import(application: Serves, scope: CurrentScope, ledger_id: str, request: Request) -> Response:
    """Check a file and show what it would do; nothing is written."""
    async with received(request, application.settings.files) as form:
        found = await run_in_threadpool(_checked, application, scope, ledger_id, form)
    return Json(found, status_code=201, headers={"Location": f"/api/v1/ledgers/{ledger_id}/imports/{found['id']}"})


def _checked(application: Application, scope: Scope, ledger_id: str, form: Form) -> dict[str, Any]:
    if len(form.uploads) != 1:
        raise InputError("请一次上传一个文件，字段名为 files。", "Upload one file, in the field files.", field="files")
    name, content = form.uploads[0].name, form.uploads[0].path.read_bytes()
    crs = form.fields.get("crs", "").strip() or None
    return importing.check_file(application.ledgers, scope, ledger_id, name, content, crs=crs)


@router.get("/imports/{import_id}")
@needs("import", ledger="ledger_id")
def get_import(application: Serves, scope: CurrentScope, ledger_id: str, import_id: str) -> Response:
    """Return an import: what it would do to what is on file now, or that it was written."""
    return Json(importing.get_import(application.ledgers, scope, ledger_id, import_id))


@router.post("/imports/{import_id}/write")
@needs("import", ledger="ledger_id", trail=False)
def write_import(application: Serves, scope: CurrentScope, ledger_id: str, import_id: str, body: Decision) -> Response:
    """Write a checked file: all of it or nothing, or its good rows."""
    written = importing.write_import(application.ledgers, Writing(scope, body.why), ledger_id, import_id, body.mode)
    return Json(written)


@router.get("/imports/{import_id}/marked.xlsx")
@needs("import", ledger="ledger_id")
def get_marked(application: Serves, scope: CurrentScope, ledger_id: str, import_id: str) -> Response:
    """Return the file with every error marked in its cell."""
    return download(
        f"marked-{import_id}.xlsx", importing.marked(application.ledgers, scope, ledger_id, import_id), WORKBOOK
    )


@router.get("/imports/{import_id}/rest.xlsx")
@needs("import", ledger="ledger_id")
def get_rest(application: Serves, scope: CurrentScope, ledger_id: str, import_id: str) -> Response:
    """Return the rows that were not written, to be corrected and handed in again."""
    content = importing.marked(application.ledgers, scope, ledger_id, import_id, rest=True)
    return download(f"rest-{import_id}.xlsx", content, WORKBOOK)


@router.post("/files", openapi_extra=_FORM)
@needs("write", ledger="ledger_id")
async def upload(application: Serves, scope: CurrentScope, ledger_id: str, request: Request) -> Response:
    """Keep files for a ledger; a record then names them by their sha256."""
    async with received(request, application.settings.files) as form:
        kept = await run_in_threadpool(_keep, application, scope, ledger_id, form)
    return Json({"files": kept}, status_code=201)


def _keep(application: Application, scope: Scope, ledger_id: str, form: Form) -> list[Any]:
    if not form.uploads:
        raise InputError("请上传文件，字段名为 files。", "Upload files, in the field files.", field="files")
    return [
        attachments.keep(application.ledgers, scope, ledger_id, one.name, one.path.read_bytes()) for one in form.uploads
    ]


@router.get("/records/{record_id}/files")
@needs("files", ledger="ledger_id")
def list_files(application: Serves, scope: CurrentScope, ledger_id: str, record_id: str) -> Response:
    """Return the files of a record."""
    return Json({"files": attachments.described(application.ledgers, scope, ledger_id, record_id)})


@router.get("/records/{record_id}/files/{sha256}")
@needs("files", ledger="ledger_id")
def get_file(
    application: Serves,
    scope: CurrentScope,
    ledger_id: str,
    record_id: str,
    sha256: str,
    save: Annotated[bool, Query()] = True,
) -> Response:
    """Return a file of a record, to be saved, or shown where a browser can do so without running anything."""
    path, name, media = attachments.open_file(application.ledgers, scope, ledger_id, record_id, sha256)
    how = disposition(name)
    if not save and media in _SHOWN:
        how = how.replace("attachment", "inline", 1)
    return FileResponse(
        path,
        media_type=media if media in _SHOWN else "application/octet-stream",
        headers={
            "Content-Disposition": how,
            "X-Content-Type-Options": "nosniff",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        },
    )
