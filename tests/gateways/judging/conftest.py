from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from qinglan.gateways.judging.declare import find
from qinglan.gateways.judging.files import judge_file
from qinglan.gateways.judging.judging import Judged
from qinglan.gateways.judging.preparing import Wishes


@pytest.fixture
def judged(tmp_path: Path) -> Callable[..., Judged]:
    """Judge a CSV text as a user's file."""

    def do(medium: str, text: str, *, method: str | None = None, encoding: str = "utf-8", **settings: str) -> Judged:
        path = tmp_path / "表.csv"
        path.write_bytes(text.encode(encoding))
        return judge_file(path, find(medium, method), Wishes(settings))

    return do


@pytest.fixture
def workbook(tmp_path: Path) -> Callable[..., Path]:
    """Write the rows of each sheet into an .xlsx."""

    def do(**sheets: Sequence[Sequence[Any]]) -> Path:
        path = tmp_path / "表.xlsx"
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False}) as book:
            date = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
            for name, rows in sheets.items():
                sheet = book.add_worksheet(name)
                for number, row in enumerate(rows):
                    for column, cell in enumerate(row):
                        if cell is not None:
                            sheet.write(number, column, cell, date if hasattr(cell, "year") else None)
        return path

    return do


@pytest.fixture
def old_workbook(tmp_path: Path) -> Callable[..., Path]:
    """Write rows into an .xls, as Excel 97 keeps them: BIFF8 records in one stream of a compound file."""

    def do(rows: Sequence[Sequence[str | float]]) -> Path:
        path = tmp_path / "表.xls"
        path.write_bytes(_compound(_biff8(rows)))
        return path

    return do


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _biff8(rows: Sequence[Sequence[str | float]]) -> bytes:
    name = "数据".encode("utf-16-le")

    def book(offset: int) -> bytes:
        sheet = struct.pack("<IBBBB", offset, 0, 0, 2, 1) + name
        start = _record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 1997, 0, 0x600))
        return start + _record(0x42, struct.pack("<H", 1200)) + _record(0x85, sheet) + _record(0x0A, b"")

    cells = [_record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 1997, 0, 0x600))]
    width = max(len(row) for row in rows)
    cells.append(_record(0x200, struct.pack("<IIHHH", 0, len(rows), 0, width, 0)))
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            place = struct.pack("<HHH", number, column, 0)
            if isinstance(cell, str):
                text = struct.pack("<HB", len(cell), 1) + cell.encode("utf-16-le")
                cells.append(_record(0x204, place + text))
            else:
                cells.append(_record(0x203, place + struct.pack("<d", cell)))
    return book(len(book(0))) + b"".join(cells) + _record(0x0A, b"")


def _compound(stream: bytes) -> bytes:
    """Return a compound file whose only stream is the workbook, padded so that there is no mini stream."""
    stream = stream.ljust(4096, b"\0")
    stream += b"\0" * (-len(stream) % 512)
    sectors = len(stream) // 512
    free, end, table = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 16 + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + b"\0" * 6
    head += struct.pack("<IIIIIIIII", 0, 1, sectors, 0, 4096, end, 0, end, 0)
    head += struct.pack("<109I", sectors + 1, *[free] * 108)

    def entry(name: str, kind: int, child: int, start: int, size: int) -> bytes:
        text = (name + "\0").encode("utf-16-le")
        fields = struct.pack("<HBBIII", len(text), kind, 1, free, free, child)
        return text.ljust(64, b"\0") + fields + b"\0" * 36 + struct.pack("<IQ", start, size)

    folder = entry("Root Entry", 5, 1, end, 0) + entry("Workbook", 2, free, 0, len(stream))
    folder = folder.ljust(512, b"\0")
    chain = [*range(1, sectors), end, end, table]
    return head + stream + folder + struct.pack("<128I", *chain, *[free] * (128 - len(chain)))
