"""Workbooks as people make them, written by hand; and the oldest Excel format, which no library here writes."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Sequence
from typing import Any

import xlsxwriter

HEADER = ["编码", "名称", "地区", "总库容", "坝高", "建成日期"]


def book(fill: Callable[[Any, Any], None], **options: Any) -> bytes:
    """A workbook with one sheet, filled by a function of the workbook and the sheet."""
    buffer = io.BytesIO()
    with xlsxwriter.Workbook(buffer, {"strings_to_formulas": False, **options}) as workbook:
        fill(workbook, workbook.add_worksheet("台账"))
    return buffer.getvalue()


def table(*rows: Sequence[Any]) -> bytes:
    """A workbook of plain rows."""

    def fill(_: Any, sheet: Any) -> None:
        for row, cells in enumerate(rows):
            for column, cell in enumerate(cells):
                if cell is not None:
                    sheet.write(row, column, cell)

    return book(fill)


def xls(*rows: Sequence[str | float | None]) -> bytes:
    """A workbook of Excel 97 (BIFF8 in a compound file) with one sheet of texts and numbers."""
    sheet = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 1997, 0, 6))
    for row, cells in enumerate(rows):
        for column, cell in enumerate(cells):
            if isinstance(cell, str):
                text = cell.encode("utf-16-le")
                head = struct.pack("<HHHHB", row, column, 0, len(cell), 1)
                sheet += _record(0x0204, head + text)
            elif cell is not None:
                sheet += _record(0x0203, struct.pack("<HHHd", row, column, 0, float(cell)))
    sheet += _record(0x000A, b"")
    begin = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 1997, 0, 6))
    begin += _record(0x0042, struct.pack("<H", 1200))
    name = "台账"
    bound_length = 4 + 8 + len(name) * 2
    offset = len(begin) + bound_length + 4
    bound = struct.pack("<IBBBB", offset, 0, 0, len(name), 1) + name.encode("utf-16-le")
    stream = begin + _record(0x0085, bound) + _record(0x000A, b"") + sheet
    return _compound(stream)


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _compound(stream: bytes) -> bytes:
    """A compound file with one stream, long enough to lie in whole sectors."""
    stream = stream.ljust(max(4096, -(-len(stream) // 512) * 512), b"\0")
    count = len(stream) // 512
    end, free, table_mark = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD
    chain = [table_mark, end, *range(3, count + 2), end]
    fat = struct.pack(f"<{len(chain)}I", *chain).ljust(512, b"\xff")
    assert len(chain) <= 128
    directory = _entry("Root Entry", 5, free, 1, end, 0) + _entry("Workbook", 2, free, free, 2, len(stream))
    directory += bytes(256)
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(6)
    header += struct.pack("<IIIIIIIII", 0, 1, 1, 0, 4096, end, 0, end, 0) + struct.pack("<I", 0)
    return header.ljust(512, b"\xff") + fat + directory + stream


def _entry(name: str, kind: int, left: int, child: int, start: int, size: int) -> bytes:
    text = (name + "\0").encode("utf-16-le")
    entry = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, left, 0xFFFFFFFF, child)
    return entry + bytes(36) + struct.pack("<IQ", start, size)
