"""How far the cells of a workbook reach, told before a reader lays them out as one rectangle.

A stray cell at the far corner makes a sheet of a few kilobytes a rectangle of 17 thousand million cells, which no
memory holds; the reader would take the whole process with it.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from pathlib import Path
from typing import Final

from qinglan.core.errors import InputError
from qinglan.gateways.files.reading import truncated

MOST_CELLS: Final = 30_000_000
"""More than a sheet of all its 1,048,576 rows and 28 columns; they take 1 GB."""
_PIECE: Final = 4 << 20
# Longer than any tag's beginning up to its reference.
_OVERLAP: Final = 256
_REFERENCE: Final = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_ROW: Final = re.compile(rb"""<(?:\w+:)?row\b[^>]{0,200}?\br=["'](\d{1,7})["']""")


def refuse_far_cells(path: Path, name: str) -> None:
    """Refuse an ``.xlsx`` with a sheet whose used cells span too large a rectangle.

    Raises
    ------
    InputError
        If a sheet does, or cannot be unpacked.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.startswith("xl/worksheets/") and member.filename.endswith(".xml"):
                    _refuse_far(archive, member, name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise truncated(name, "Excel", error) from error


def _refuse_far(archive: zipfile.ZipFile, member: zipfile.ZipInfo, name: str) -> None:
    last_row, last_column = 0, 0
    before = b""
    with archive.open(member) as stream:
        while piece := stream.read(_PIECE):
            text = before + piece
            found = _REFERENCE.findall(text)
            last_column = max(last_column, *map(_number, {letters for letters, _ in found}), 0)
            last_row = max(last_row, *(int(row) for _, row in found), *map(int, _ROW.findall(text)), 0)
            before = text[-_OVERLAP:]
    if last_row * last_column > MOST_CELLS:
        raise InputError(
            f"{name} 有工作表用到第 {last_row:,} 行、第 {last_column:,} 列，范围超过 {MOST_CELLS:,} 格："
            "多半是远处有多余的单元格，请删去多余的行列另存，或另存为 CSV 再导入。",
            f"A sheet of {name} reaches row {last_row:,} and column {last_column:,}, more than {MOST_CELLS:,} cells: "
            "most likely a stray cell far away; delete the surplus rows and columns, or save it as CSV.",
            file=name,
        )


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number
