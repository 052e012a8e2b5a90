"""The workbook that a ledger is filled in: headers with units and notes, drop-downs, text columns that stay text."""

from __future__ import annotations

import io
from typing import Any

import xlsxwriter

from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.fields import LedgerField
from qinglan.ledgers.places import Places
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.validate import Context

LISTS = "_lists"
ROWS = 2_000
_WIDTHS = {"text": 22, "date": 13, "datetime": 18, "enterprise": 22, "code": 14, "place": 16}
_SHEET_SIGNS = str.maketrans(dict.fromkeys("[]:*?/\\'", " "))
_TYPES = {
    "text": "文字",
    "number": "数",
    "quantity": "数",
    "date": "日期，如 2024-03-01",
    "datetime": "时间，如 2024-03-01 08:00",
    "boolean": "是 或 否",
    "code": "从下拉列表选",
    "place": "从下拉列表选",
    "enterprise": "18 位统一社会信用代码",
    "reference": "所指记录的编号或名称",
    "geometry": "点写“经度,纬度”；其他用 WKT",
}


def template(ledgers: Ledgers, ledger_id: str) -> bytes:
    """Return an empty workbook for a ledger, with a sheet for each field of detail rows and one that explains."""
    ledger, context = ledgers.get(ledger_id), ledgers.context()
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False}) as workbook:
        lists = _Lists(workbook)
        fields = [one for one in ledger.fields if one.type not in ("computed", "file", "rows")]
        sheet = workbook.add_worksheet(sheet_name(ledger.title.zh))
        _fill(workbook, sheet, lists, ledger, fields, context)
        for one in ledger.fields:
            if one.type == "rows":
                keys = [ledger.field(name) for name in ledger.key]
                columns = [*keys, *(inner for inner in one.fields if inner.id not in ledger.key)]
                _fill(workbook, workbook.add_worksheet(sheet_name(one.title.zh)), lists, ledger, columns, context)
        _explain(workbook, ledger, fields)
        lists.write()
    return buffer.getvalue()


def sheet_name(title: str) -> str:
    """Return a title as a sheet's name: at most 31 letters, none of those that are forbidden."""
    return title.translate(_SHEET_SIGNS).strip()[:31] or "Sheet"


def columns_of(ledger: Ledger, fields: list[LedgerField]) -> list[tuple[LedgerField, str]]:
    """Return the columns with their headers; the one point of a ledger is two."""
    found = []
    for one in fields:
        if one.type == "geometry" and one.of == "point":
            points = [other for other in ledger.fields if other.type == "geometry" and other.of == "point"]
            if len(points) == 1:
                found += [(one, "经度"), (one, "纬度")]
                continue
        found.append((one, header(one)))
    return found


def header(one: LedgerField) -> str:
    """Return a field's header with its unit."""
    return f"{one.title.zh}（{one.unit}）" if one.unit else one.title.zh


class _Lists:
    """Choices of drop-downs, kept on a hidden sheet because a cell's own list takes 255 letters only."""

    def __init__(self, workbook: Any) -> None:
        self._workbook = workbook
        self._columns: list[tuple[str, ...]] = []

    def source(self, choices: tuple[str, ...]) -> str:
        if choices not in self._columns:
            self._columns.append(choices)
        column = xlsxwriter.utility.xl_col_to_name(self._columns.index(choices))
        return f"={LISTS}!${column}$1:${column}${len(choices)}"

    def write(self) -> None:
        if not self._columns:
            return
        sheet = self._workbook.add_worksheet(LISTS)
        for column, choices in enumerate(self._columns):
            for row, choice in enumerate(choices):
                sheet.write_string(row, column, choice)
        sheet.very_hidden()


def _fill(
    workbook: Any, sheet: Any, lists: _Lists, ledger: Ledger, fields: list[LedgerField], context: Context
) -> None:
    bold = {"bold": True, "bg_color": "#DCE6F1", "border": 1, "text_wrap": True, "valign": "vcenter"}
    usual, required = workbook.add_format(bold), workbook.add_format(bold | {"font_color": "#C00000"})
    texts, days = workbook.add_format({"num_format": "@"}), workbook.add_format({"num_format": "yyyy-mm-dd"})
    sheet.freeze_panes(1, 0)
    sheet.set_row(0, 30)
    for column, (one, title) in enumerate(columns_of(ledger, fields)):
        needed = ledger.is_required(one)
        sheet.write_string(0, column, f"*{title}" if needed else title, required if needed else usual)
        sheet.write_comment(0, column, note_of(one, needed=needed), {"x_scale": 1.6})
        form = texts if one.type in ("text", "enterprise", "reference") else days if one.type == "date" else None
        sheet.set_column(column, column, _WIDTHS.get(one.type, 12), form)
        choices = choices_of(one, context)
        if choices and not one.many:
            sheet.data_validation(
                1,
                column,
                ROWS,
                column,
                {
                    "validate": "list",
                    "source": lists.source(choices),
                    "error_title": "不在列表中",
                    "ignore_blank": True,
                },
            )


def choices_of(one: LedgerField, context: Context) -> tuple[str, ...]:
    """Return what a drop-down offers for a field."""
    if one.type == "boolean":
        return ("是", "否")
    if one.type == "place":
        return _named(context.places)
    if one.type != "code":
        return ()
    codes = [code for code in context.codes_of(one) if code.on(context.day)]
    titles = [code.title.zh for code in codes]
    if len(set(titles)) == len(titles):
        return tuple(titles)
    return tuple(f"{code.code} {code.title.zh}" for code in codes)


def _named(places: Places) -> tuple[str, ...]:
    return tuple(place.title.zh for place in places.entries)


def note_of(one: LedgerField, *, needed: bool) -> str:
    """Return what is said about a column: how it is written, its bounds, what it is."""
    said = [_TYPES.get(one.type, ""), "必填" if needed else "选填"]
    if one.many:
        said.append("多个值以顿号分隔")
    if one.unit:
        said.append(f"单位 {one.unit}")
    if one.decimals is not None:
        said.append("整数" if one.decimals == 0 else f"至多 {one.decimals} 位小数")
    if one.minimum is not None or one.maximum is not None:
        low = "" if one.minimum is None else str(one.minimum).replace("today", "今天")
        high = "" if one.maximum is None else str(one.maximum).replace("today", "今天")
        said.append(f"范围 {low} 至 {high}")
    if one.help is not None:
        said.append(one.help.zh)
    return "；".join(part for part in said if part)


def _explain(workbook: Any, ledger: Ledger, fields: list[LedgerField]) -> None:
    sheet = workbook.add_worksheet("填表说明")
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 2, 60)
    bold = workbook.add_format({"bold": True})
    sheet.write_string(0, 0, ledger.title.zh, bold)
    sheet.write_string(0, 1, "红色带 * 的列必填；空白单元格不改动已有内容；表头可以换名、换序，多余的列不读取。")
    for column, word in enumerate(("字段", "写法", "依据")):
        sheet.write_string(2, column, word, bold)
    for row, one in enumerate(fields, start=3):
        clause = ledger.clause_of(one)
        sheet.write_string(row, 0, header(one))
        sheet.write_string(row, 1, note_of(one, needed=ledger.is_required(one)))
        said = one.own or "" if clause is None else " ".join(part for part in (clause.document, clause.clause) if part)
        sheet.write_string(row, 2, said)
