"""OGC API - Features (part 1, core, GeoJSON): ledgers with shapes as collections that QGIS and ogrinfo read."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from sqlalchemy import func, select
from starlette.responses import Response

from qinglan.base.engine import reading
from qinglan.base.scope import Scope
from qinglan.core.errors import InputError
from qinglan.core.interval import to_utc
from qinglan.ledgers import listing
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.faults import MissingError
from qinglan.ledgers.filters import Filter
from qinglan.ledgers.records import Record, read
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.rights import may, require, seen
from qinglan.ledgers.tables import BOX
from qinglan.web.answers import Json
from qinglan.web.identity import CurrentScope, needs
from qinglan.web.state import Serves

router = APIRouter(prefix="/api/v1/ogc", tags=["ogc"])
CONFORMS: Final = tuple(
    f"http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/{part}" for part in ("core", "oas30", "geojson")
)
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
USUAL: Final = 100
_KNOWN: Final = frozenset({"bbox", "datetime", "limit", "cursor", "filter", "f"})
# Beyond this an extent would be a walk over the whole table.
_EXTENT_ROWS: Final = 100_000


class QueryError(InputError):
    """A request that the standard answers with 400."""

    status: ClassVar[int] = 400


class GeoJson(Json):
    """A GeoJSON answer."""

    media_type = "application/geo+json"


def _link(request: Request, path: str, relation: str, media: str = "application/json", **more: Any) -> dict[str, Any]:
    return {"href": f"{str(request.base_url).rstrip('/')}/api/v1{path}", "rel": relation, "type": media, **more}


@router.get("")
@needs("read")
def landing(request: Request) -> Response:
    """Return where everything is."""
    description = "application/vnd.oai.openapi+json;version=3.0"
    return Json(
        {
            "title": "晴岚台账图层 Qinglan ledgers",
            "description": "台账的空间数据。 The shapes of the ledgers.",
            "links": [
                _link(request, "/ogc", "self"),
                _link(request, "/openapi.json", "service-desc", description),
                _link(request, "/ogc/conformance", "conformance"),
                _link(request, "/ogc/collections", "data"),
            ],
        }
    )


@router.get("/conformance")
@needs("read")
def conformance() -> Response:
    """Return what of the standard is kept to."""
    return Json({"conformsTo": CONFORMS})


@router.get("/collections")
@needs("read")
def collections(application: Serves, scope: CurrentScope, request: Request) -> Response:
    """List the ledgers with shapes that the caller may see."""
    ledgers = application.ledgers
    found = [
        _collection(request, ledger)
        for ledger in ledgers.declared.values()
        if ledger.geometry_field and ledger.id not in ledgers.refused and may(ledger, scope, "read")
    ]
    return Json({"links": [_link(request, "/ogc/collections", "self")], "collections": found})


@router.get("/collections/{ledger_id}")
@needs("read", ledger="ledger_id")
def collection(application: Serves, scope: CurrentScope, request: Request, ledger_id: str) -> Response:
    """Return one ledger as a collection, with the box that its shapes fill."""
    ledger = _spatial(application.ledgers, scope, ledger_id)
    box = _extent(application.ledgers, scope, ledger)
    extent = {"extent": {"spatial": {"bbox": [box], "crs": CRS84}}} if box else {}
    return Json(_collection(request, ledger) | extent)


def _spatial(ledgers: Ledgers, scope: Scope, ledger_id: str) -> Ledger:
    ledger = ledgers.get(ledger_id)
    require(ledger, scope, "read")
    if ledger.geometry_field is None:
        raise MissingError(f"台账 {ledger_id} 没有图形。", f"The ledger {ledger_id} has no shapes.", field="ledger")
    return ledger


def _collection(request: Request, ledger: Ledger) -> dict[str, Any]:
    here = f"/ogc/collections/{ledger.id}"
    return {
        "id": ledger.id,
        "title": ledger.title.zh,
        "description": ledger.title.en,
        "itemType": "feature",
        "crs": [CRS84],
        "links": [
            _link(request, here, "self"),
            _link(request, f"{here}/items", "items", "application/geo+json"),
        ],
    }


def _extent(ledgers: Ledgers, scope: Scope, ledger: Ledger) -> list[float] | None:
    records = ledgers.tables(ledger.id).records
    west, south, east, north = (records.c[f"{ledger.geometry_field}_{side}"] for side in BOX)
    some = (
        select(west.label("w"), south.label("s"), east.label("e"), north.label("n"))
        .where(records.c.deleted.is_(None), west.is_not(None), seen(ledger, records, scope))
        .limit(_EXTENT_ROWS)
        .subquery()
    )
    query = select(func.min(some.c.w), func.min(some.c.s), func.max(some.c.e), func.max(some.c.n))
    with reading(ledgers.engine) as connection:
        found = list(connection.execute(query).one())
    return None if None in found else found


@router.get("/collections/{ledger_id}/items")
@needs("read", ledger="ledger_id")
def items(application: Serves, scope: CurrentScope, request: Request, ledger_id: str) -> Response:
    """Return features: within a box, changed within a time, a page at a time."""
    ledgers = application.ledgers
    ledger = _spatial(ledgers, scope, ledger_id)
    query = _query(ledger, request)
    try:
        page = listing.page(ledgers, scope, ledger_id, query)
    except InputError as error:
        raise (error if error.status != InputError.status else _bad(error)) from error
    here = f"/ogc/collections/{ledger_id}/items"
    given = [(name, value) for name, value in request.query_params.multi_items() if name != "cursor"]
    asked = f"?{urlencode(given)}" if given else ""
    links = [_link(request, here + asked, "self", "application/geo+json")]
    if page.cursor is not None:
        following = urlencode([*given, ("cursor", page.cursor)])
        links.append(_link(request, f"{here}?{following}", "next", "application/geo+json"))
    links.append(_link(request, f"/ogc/collections/{ledger_id}", "collection"))
    answer = {
        "type": "FeatureCollection",
        "features": [_feature(ledger, scope, record) for record in page.records],
        "numberReturned": len(page.records),
        "timeStamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "links": links,
    }
    if page.count is not None and page.count_is_exact:
        answer["numberMatched"] = page.count
    return GeoJson(answer)


@router.get("/collections/{ledger_id}/items/{record_id}")
@needs("read", ledger="ledger_id")
def item(application: Serves, scope: CurrentScope, request: Request, ledger_id: str, record_id: str) -> Response:
    """Return one feature."""
    ledger = _spatial(application.ledgers, scope, ledger_id)
    record = read(application.ledgers, scope, ledger_id, record_id)
    here = f"/ogc/collections/{ledger_id}"
    links = [
        _link(request, f"{here}/items/{record_id}", "self", "application/geo+json"),
        _link(request, here, "collection"),
    ]
    return GeoJson(_feature(ledger, scope, record) | {"links": links})


def _feature(ledger: Ledger, scope: Scope, record: Record) -> dict[str, Any]:
    shown = record.answer(ledger, scope)
    values = shown["values"]
    return {
        "type": "Feature",
        "id": record.record,
        "geometry": values[str(ledger.geometry_field)],
        "properties": {
            field.id: values[field.id] for field in ledger.fields if field.type not in ("geometry", "rows", "file")
        }
        | {"updated": shown["updated"]},
    }


def _query(ledger: Ledger, request: Request) -> listing.Query:
    """Read the parameters as the standard names them; one that is not known is refused, as it asks."""
    given = request.query_params
    unknown = sorted(set(given) - _KNOWN)
    if unknown:
        raise QueryError(
            f"不认识参数“{unknown[0][:40]}”。", f'No parameter "{unknown[0][:40]}".', field=unknown[0][:40]
        )
    try:
        limit = int(given.get("limit", USUAL))
        filters = [Filter.read(one) for one in given.getlist("filter")] + _times(given.get("datetime", ""))
        box = _box(given.get("bbox", ""))
    except InputError as error:
        raise _bad(error) from error
    except ValueError as error:
        raise QueryError("limit 应为整数。", "limit should be a whole number.", field="limit") from error
    if limit < 1:
        raise QueryError("limit 应不小于 1。", "limit should be at least 1.", field="limit")
    shape = str(ledger.geometry_field)
    columns = [field.id for field in ledger.fields if field.type not in ("rows", "file", "geometry")]
    query = listing.Query(filters=(*filters, Filter(shape, "filled", "")), bbox=box, columns=(*columns, shape))
    return replace(query, limit=min(limit, listing.MOST), cursor=given.get("cursor", ""))


def _bad(error: InputError) -> QueryError:
    return QueryError(error.zh, error.en, field=error.field)


def _box(text: str) -> str:
    """Return four sides of a box; heights, where given, say nothing here."""
    pieces = text.split(",") if text else []
    return ",".join((*pieces[:2], *pieces[3:5])) if len(pieces) == 6 else text


def _times(text: str) -> list[Filter]:
    """Return the filters of an instant or of an interval with open ends."""
    if not text:
        return []
    start, slash, end = text.partition("/")
    if not slash:
        _moment(start)
        return [Filter("updated", "eq", start)]
    found = []
    for one, operator in ((start, "ge"), (end, "le")):
        if one not in ("", ".."):
            _moment(one)
            found.append(Filter("updated", operator, one))
    return found


def _moment(text: str) -> datetime:
    try:
        return to_utc(datetime.fromisoformat(text))
    except (ValueError, OverflowError) as error:
        raise QueryError(
            "datetime 应为 RFC 3339 的时间或以 / 分开的时段。",
            "datetime should be a time of RFC 3339, or two with / between.",
            field="datetime",
        ) from error
