"""What is shown, as a workbook, CSV or GeoJSON; no text of a record ever becomes a formula."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

import xlsxwriter

from qinglan.base.scope import Scope
from qinglan.core.errors import InputError
from qinglan.core.interval import to_beijing
from qinglan.ledgers import listing
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.excel.template import columns_of, sheet_name
from qinglan.ledgers.fields import LedgerField
from qinglan.ledgers.listing import Query
from qinglan.ledgers.records import Record
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.rights import hidden
from qinglan.ledgers.shapes import geojson_of
from qinglan.ledgers.validate import Context
from qinglan.ledgers.values import Values

MOST = 200_000
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def exported(
    ledgers: Ledgers, scope: Scope, ledger_id: str, query: Query
) -> Iterator[tuple[Record, Values, dict[str, str]]]:
    """Yield the records of a list with their values as the scope may see them, and the labels of their references.

    Raises
    ------
    InputError
        If there are more than one file takes.
    """
    ledger, done = ledgers.get(ledger_id), 0
    for page in listing.every(ledgers, scope, ledger_id, query):
        done += len(page.records)
        if done > MOST:
            raise InputError(f"一次至多导出 {MOST} 条：请加筛选。", f"At most {MOST} at once: filter.", field="filter")
        for record in page.records:
            yield record, hidden(ledger, scope, dict(record.values)), page.labels


def as_workbook(ledgers: Ledgers, scope: Scope, ledger_id: str, query: Query) -> bytes:
    """Return the list as a workbook in the form of the template, so that it can be changed and handed in again."""
    ledger, context = ledgers.get(ledger_id), ledgers.context()
    names = listing.columns_of(ledger, query.columns or [one.id for one in ledger.fields if one.type != "file"])
    flat = [ledger.field(name) for name in names if ledger.field(name).type != "rows"]
    detailed = [ledger.field(name) for name in names if ledger.field(name).type == "rows"]
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "default_date_format": "yyyy-mm-dd"}
    with xlsxwriter.Workbook(buffer, options) as workbook:
        sheet = workbook.add_worksheet(sheet_name(ledger.title.zh))
        keys = [ledger.field(name) for name in ledger.key]
        inside = {one.id: (workbook.add_worksheet(sheet_name(one.title.zh)), [0]) for one in detailed}
        _head(workbook, sheet, columns_of(ledger, flat))
        for one in detailed:
            _head(workbook, inside[one.id][0], [*columns_of(ledger, keys), *columns_of(ledger, list(one.fields))])
        moments = workbook.add_format({"num_format": "yyyy-mm-dd hh:mm"})
        for row, (_, values, labels) in enumerate(exported(ledgers, scope, ledger_id, query), start=1):
            _write(sheet, row, cells_of(ledger, flat, values, labels, context), moments)
            for one in detailed:
                into, at = inside[one.id]
                for detail in values.get(one.id) or () if isinstance(values.get(one.id), list) else ():
                    at[0] += 1
                    cells = cells_of(ledger, keys, values, labels, context)
                    _write(into, at[0], cells + cells_of(ledger, list(one.fields), detail, labels, context), moments)
    return buffer.getvalue()


def _head(workbook: Any, sheet: Any, columns: Sequence[tuple[LedgerField, str]]) -> None:
    bold = workbook.add_format({"bold": True, "bg_color": "#DCE6F1", "border": 1})
    sheet.freeze_panes(1, 0)
    for column, (_, title) in enumerate(columns):
        sheet.write_string(0, column, title, bold)
        sheet.set_column(column, column, 18)


def _write(sheet: Any, row: int, cells: Sequence[Any], moments: Any) -> None:
    for column, cell in enumerate(cells):
        if isinstance(cell, bool):
            sheet.write_string(row, column, "是" if cell else "否")
        elif isinstance(cell, int | float):
            sheet.write_number(row, column, cell)
        elif isinstance(cell, datetime):
            sheet.write_datetime(row, column, to_beijing(cell).replace(tzinfo=None), moments)
        elif isinstance(cell, date):
            sheet.write_datetime(row, column, datetime(cell.year, cell.month, cell.day))  # noqa: DTZ001
        elif cell is not None:
            sheet.write_string(row, column, str(cell)[:32_767])


def cells_of(
    ledger: Ledger, fields: Sequence[LedgerField], values: Values, labels: dict[str, str], context: Context
) -> list[Any]:
    """Return the cells of one record: titles for codes and places, labels for references, two for a point."""
    found: list[Any] = []
    for one, title in columns_of(ledger, list(fields)):
        value = values.get(one.id)
        if one.type == "geometry":
            found.append(_shape_cell(title, value))
        elif isinstance(value, list):
            found.append("、".join(str(_worded(one, item, labels, context)) for item in value))
        else:
            found.append(_worded(one, value, labels, context))
    return found


def _shape_cell(title: str, value: Any) -> Any:
    if not isinstance(value, bytes):
        return value
    import shapely

    found = shapely.from_wkb(value)
    if title in ("经度", "纬度") and found.geom_type == "Point":
        return float(found.x if title == "经度" else found.y)
    return shapely.to_wkt(found, rounding_precision=8)


def _worded(one: LedgerField, value: Any, labels: dict[str, str], context: Context) -> Any:
    if value is None or value == "***":
        return value
    if one.type == "code":
        return next((code.title.zh for code in context.codes_of(one) if code.code == value), value)
    if one.type == "place":
        place = context.places.by_id.get(str(value))
        return value if place is None else place.title.zh
    if one.type == "reference":
        return labels.get(str(value), value)
    if one.type == "file":
        return value.get("name") if isinstance(value, dict) else value
    return value


def harmless(cell: Any) -> str:
    """Return the text of a CSV's cell that no spreadsheet takes for a formula.

    Examples
    --------
    >>> harmless("=1+1"), harmless(-3.5), harmless("-cmd|x"), harmless(None), harmless(True)
    ("'=1+1", '-3.5', "'-cmd|x", '', '是')
    """
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, int | float):
        return repr(cell)
    if isinstance(cell, datetime):
        return to_beijing(cell).strftime("%Y-%m-%d %H:%M:%S")
    text = str(cell)
    return "'" + text if text.startswith(FORMULA_STARTS) else text


def as_csv(ledgers: Ledgers, scope: Scope, ledger_id: str, query: Query) -> Iterator[bytes]:
    """Yield the list as CSV in UTF-8 with the mark that Excel needs; detail rows and files are left out."""
    ledger, context = ledgers.get(ledger_id), ledgers.context()
    names = listing.columns_of(ledger, query.columns or [one.id for one in ledger.fields])
    flat = [ledger.field(name) for name in names if ledger.field(name).type not in ("rows", "file")]
    yield b"\xef\xbb\xbf" + _csv_line([title for _, title in columns_of(ledger, flat)])
    for _, values, labels in exported(ledgers, scope, ledger_id, query):
        yield _csv_line(cells_of(ledger, flat, values, labels, context))


def _csv_line(cells: Sequence[Any]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([harmless(cell) for cell in cells])
    return line.getvalue().encode()


def as_geojson(ledgers: Ledgers, scope: Scope, ledger_id: str, query: Query) -> Iterator[bytes]:
    """Yield the list as a GeoJSON collection in longitude and latitude.

    Raises
    ------
    InputError
        If the ledger has no shapes.
    """
    ledger = ledgers.get(ledger_id)
    shape = ledger.geometry_field
    if shape is None:
        raise InputError("这个台账没有图形字段。", "The ledger has no shapes.", field="ledger")
    names = listing.columns_of(ledger, query.columns)
    wanted = listing.columns_of(ledger, [*names, shape])
    yield b'{"type":"FeatureCollection","features":['
    query = Query(**(vars(query) | {"columns": tuple(wanted)}))
    for number, (record, values, _) in enumerate(exported(ledgers, scope, ledger_id, query)):
        kept = values.get(shape)
        shown = record.answer(ledger, scope)["values"]
        feature = {
            "type": "Feature",
            "id": record.record,
            "geometry": geojson_of(kept) if isinstance(kept, bytes) else None,
            "properties": {name: shown[name] for name in names if name != shape},
        }
        yield (b"," if number else b"") + json.dumps(feature, ensure_ascii=False).encode()
    yield b"]}"
