"""Sheets of a workbook or a CSV as rows of cells, with merged cells filled, whatever program wrote them."""

from __future__ import annotations

import csv
import html
import io
import re
import zipfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import python_calamine

from qinglan.core.declare import Title
from qinglan.core.errors import InputError

MOST_ROWS: Final = 100_000
MOST_COLUMNS: Final = 500
MOST_UNPACKED: Final = 400 << 20
MOST_CELLS: Final = 30_000_000
_ZIP = b"PK\x03\x04"
_COMPOUND = b"\xd0\xcf\x11\xe0"
_REFERENCE: Final = re.compile(rb"""\br=["']([A-Z]{1,3})(\d{1,7})["']""")
_ERROR: Final = re.compile(
    rb"""<c\b(?=[^>]*\bt="e")[^>]*\br="([A-Z]{1,3})(\d{1,7})"[^>]*>(?:<f\b[^>]*>[^<]*</f>|<f\b[^>]*/>)?<v>([^<]*)</v>"""
)
_DELIMITERS = (",", "\t", ";", "|")


@dataclass
class Sheet:
    """The cells of one sheet from its first row; blank cells are None."""

    name: str
    rows: list[list[Any]]
    merged: list[tuple[int, int, int, int]] = field(default_factory=list)
    """First row, first column, last row, last column, from 0."""


@dataclass
class Book:
    """The sheets that were read, and what has to be said about those that were not."""

    name: str
    sheets: list[Sheet]
    notes: list[Title] = field(default_factory=list)


def open_book(content: bytes, name: str) -> Book:
    """Return the visible sheets of a workbook (.xlsx, .xls, .ods), or the one of a CSV in UTF-8 or GB 18030.

    Raises
    ------
    InputError
        If it is none of these, is protected or damaged, or unpacks to far more than a sheet of people's work.
    """
    if not content:
        raise InputError(f"{name} 是空文件。", f"{name} is empty.", file=name)
    if content.startswith(_ZIP):
        _refuse_bomb(content, name)
        found = _workbook(content, name)
        _put_errors(content, found)
        return found
    if content.startswith(_COMPOUND):
        return _workbook(content, name)
    return Book(name, [_delimited(content, name)])


def _refuse_bomb(content: bytes, name: str) -> None:
    """Refuse what would fill the memory before a reader has looked at it."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MOST_UNPACKED:
                raise _too_large(name)
            for member in members:
                if member.filename.startswith("xl/worksheets/") and member.filename.endswith(".xml"):
                    _refuse_far(archive.read(member), name)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise _unreadable(name) from error


def _refuse_far(sheet: bytes, name: str) -> None:
    last_row, columns = 0, set()
    for letters, row in _REFERENCE.findall(sheet):
        last_row = max(last_row, int(row))
        columns.add(letters)
    if last_row * max((_number(letters) for letters in columns), default=0) > MOST_CELLS:
        raise _too_large(name)


def _number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def _too_large(name: str) -> InputError:
    return InputError(
        f"{name} 展开后过大：请删去多余的行列或另存为 CSV。",
        f"{name} unpacks to too much: delete surplus rows and columns, or save it as CSV.",
        file=name,
    )


def _unreadable(name: str) -> InputError:
    return InputError(
        f"{name} 不是可读的 Excel 或 CSV 文件（损坏或有密码）：请另存为不带密码的 .xlsx。",
        f"{name} is no readable Excel or CSV file (damaged or protected): save it as .xlsx without a password.",
        file=name,
    )


def _workbook(content: bytes, name: str) -> Book:
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
        found = Book(name, [])
        for described in workbook.sheets_metadata:
            if described.visible != python_calamine.SheetVisibleEnum.Visible:
                zh, en = f"隐藏的工作表“{described.name}”未读取。", f'The hidden sheet "{described.name}" was not read.'
                found.notes.append(Title(zh=zh, en=en))
            elif described.typ == python_calamine.SheetTypeEnum.WorkSheet:
                found.sheets.append(_sheet(workbook, described.name))
    except (python_calamine.CalamineError, OSError, ValueError) as error:
        raise _unreadable(name) from error
    return found


def _sheet(workbook: Any, name: str) -> Sheet:
    sheet = workbook.get_sheet_by_name(name)
    rows = [list(row)[:MOST_COLUMNS] for row in sheet.to_python(skip_empty_area=False)]
    rows = [[None if cell == "" else cell for cell in row] for row in rows]
    while rows and all(cell is None for cell in rows[-1]):
        rows.pop()
    merged = [
        (first[0], first[1], last[0], last[1])
        for first, last in (sheet.merged_cell_ranges or ())
        if first[0] < len(rows)
    ]
    return Sheet(name, rows, merged)


def _put_errors(content: bytes, book: Book) -> None:
    """Put Excel's error values into the cells that have them: the reader gives them as blank, which they are not."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = set(archive.namelist())
        if not {"xl/workbook.xml", "xl/_rels/workbook.xml.rels"} <= members:
            return
        relations = {
            _attribute(tag, b"Id"): _attribute(tag, b"Target").removeprefix("/xl/")
            for tag in re.findall(rb"<Relationship\b[^>]*>", archive.read("xl/_rels/workbook.xml.rels"))
        }
        for tag in re.findall(rb"<sheet\b[^>]*>", archive.read("xl/workbook.xml")):
            name, target = html.unescape(_attribute(tag, b"name")), relations.get(_attribute(tag, b"r:id"), "")
            sheet = next((one for one in book.sheets if one.name == name), None)
            if sheet is None or f"xl/{target}" not in members:
                continue
            for letters, row, value in _ERROR.findall(archive.read(f"xl/{target}")):
                at, column = int(row) - 1, _number(letters) - 1
                if at < len(sheet.rows) and column < len(sheet.rows[at]):
                    sheet.rows[at][column] = value.decode()


def _attribute(tag: bytes, name: bytes) -> str:
    found = re.search(rb"\b" + name + rb"=\"([^\"]*)\"", tag)
    return found[1].decode("utf-8", "replace") if found else ""


def _delimited(content: bytes, name: str) -> Sheet:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    else:
        raise _unreadable(name)
    if "\x00" in text:
        raise _unreadable(name)
    head = text[:20_000].splitlines()[:20]
    delimiter = max(_DELIMITERS, key=lambda one: sum(line.count(one) for line in head))
    try:
        rows: list[list[Any]] = [
            [cell.strip() or None for cell in row][:MOST_COLUMNS]
            for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        ]
    except csv.Error as error:
        raise _unreadable(name) from error
    while rows and all(cell is None for cell in rows[-1]):
        rows.pop()
    return Sheet(Path(name).stem or name, rows)
