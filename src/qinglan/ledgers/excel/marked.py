"""The file that was handed in, with every error marked in its cell and listed beside it."""

from __future__ import annotations

import io
from collections import defaultdict
from datetime import date, datetime, timedelta
from datetime import time as clock
from typing import Any

import xlsxwriter

from qinglan.ledgers.excel.reading import CellFault, Checked, letter
from qinglan.ledgers.excel.workbook import Book, Sheet


def marked_copy(book: Book, checked: Checked, *, only_refused: bool = False) -> bytes:
    """Return a workbook with the cells as they were read, errors in red with their reason, and a list of all.

    Parameters
    ----------
    only_refused
        Leave the good rows out: what is left is corrected and handed in again.
    """
    faults = checked.all_faults()
    refused = {(line.sheet, line.row) for line in checked.lines if line.action == "refused"}
    good = {(line.sheet, line.row) for line in checked.lines} - refused
    buffer = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "nan_inf_to_errors": True}
    with xlsxwriter.Workbook(buffer, options) as workbook:
        _list(workbook, faults)
        for sheet in book.sheets:
            _sheet(workbook, sheet, faults, good if only_refused else set())
    return buffer.getvalue()


def _list(workbook: Any, faults: list[CellFault]) -> None:
    sheet = workbook.add_worksheet("问题 problems")
    bold = workbook.add_format({"bold": True, "bg_color": "#F2DCDB"})
    for column, (word, width) in enumerate(
        (("工作表", 18), ("行", 8), ("列", 6), ("内容", 24), ("原因", 60), ("Reason", 60))
    ):
        sheet.set_column(column, column, width)
        sheet.write_string(0, column, word, bold)
    for row, fault in enumerate(faults, start=1):
        sheet.write_string(row, 0, fault.sheet)
        sheet.write_number(row, 1, fault.row)
        for column, text in enumerate((fault.column, fault.value, fault.zh, fault.en), start=2):
            sheet.write_string(row, column, text or "")


def _sheet(workbook: Any, sheet: Sheet, faults: list[CellFault], left_out: set[tuple[str, int]]) -> None:
    into = workbook.add_worksheet(_free_name(workbook, sheet.name))
    red = {"bg_color": "#FFC7CE", "font_color": "#9C0006"}
    forms = {
        marked: {
            "text": workbook.add_format(red if marked else {}),
            "day": workbook.add_format((red if marked else {}) | {"num_format": "yyyy-mm-dd"}),
            "moment": workbook.add_format((red if marked else {}) | {"num_format": "yyyy-mm-dd hh:mm"}),
        }
        for marked in (False, True)
    }
    said: dict[tuple[int, str], list[str]] = defaultdict(list)
    for fault in faults:
        if fault.sheet == sheet.name:
            said[fault.row, fault.column or "A"].append(f"{fault.zh} {fault.en}")
    at = 0
    for number, row in enumerate(sheet.rows, start=1):
        if (sheet.name, number) in left_out:
            continue
        for index, cell in enumerate(row):
            reasons = said.get((number, letter(index)))
            _cell(into, at, index, cell, forms[bool(reasons)])
            if reasons:
                into.write_comment(at, index, "\n".join(reasons)[:2_000], {"x_scale": 2.5})
        at += 1


def _free_name(workbook: Any, name: str) -> str:
    taken = {sheet.get_name().lower() for sheet in workbook.worksheets()}
    base = "".join(sign for sign in name if sign not in "[]:*?/\\'")[:28] or "Sheet"
    return next(one for one in (base, *(f"{base}{n}" for n in range(2, 999))) if one.lower() not in taken)


def _cell(sheet: Any, row: int, column: int, cell: Any, forms: dict[str, Any]) -> None:
    if cell is None:
        sheet.write_blank(row, column, None, forms["text"])
    elif isinstance(cell, bool):
        sheet.write_boolean(row, column, cell, forms["text"])
    elif isinstance(cell, int | float):
        sheet.write_number(row, column, cell, forms["text"])
    elif isinstance(cell, datetime):
        plain = cell.time() == clock()
        sheet.write_datetime(row, column, cell, forms["day" if plain else "moment"])
    elif isinstance(cell, date):
        sheet.write_datetime(row, column, cell, forms["day"])
    elif isinstance(cell, timedelta | clock):
        sheet.write_string(row, column, str(cell), forms["text"])
    else:
        sheet.write_string(row, column, str(cell)[:32_767], forms["text"])
