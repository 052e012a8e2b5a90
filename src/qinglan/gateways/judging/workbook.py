"""The result on disk: an Excel workbook of three sheets, or CSV or Parquet files where a sheet would be too small."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import polars as pl

from qinglan.base.storage import storage_errors
from qinglan.core.errors import InputError
from qinglan.gateways.judging import tables
from qinglan.gateways.judging.judging import Judged

SHEET_ROWS = 1_048_575
"""Rows below the header that a sheet holds."""

MANY_CELLS = 3_000_000
"""Above it a workbook is made only where it is asked for by name: it takes minutes and gigabytes."""

_ENDINGS = (".xlsx", ".csv", ".parquet")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?")
_MOMENT = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[ T](\d{2}:\d{2}:\d{2})(?:\.0+)?)?")
_WIDEST, _LOOKED_AT = 48, 300


def target(path: Path, out: Path | None, found: Judged, *, force: bool) -> tuple[Path, str | None]:
    """Return where the result goes, and what is to be said of it where that is not what was expected.

    Raises
    ------
    InputError
        If the file is there already, or cannot hold the result.
    """
    rows = len(found.prepared.texts) if found.beside else len(found.verdicts)
    cells = rows * (tables.own_width(found) + len(found.columns))
    said = None
    if out is None:
        stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
        ending = ".xlsx"
        if rows > SHEET_ROWS or len(found.rejects) > SHEET_ROWS:
            ending, said = ".csv", f"有 {rows:,} 行，超过 Excel 每表 1,048,576 行，改写 CSV"
        elif cells > MANY_CELLS:
            ending, said = ".csv", f"有 {cells:,} 格，改写 CSV；仍要 Excel 请用 --out 名称.xlsx"
        out = path.with_name(f"{stem}-评价{ending}")
    if out.suffix.lower() not in _ENDINGS:
        raise InputError(
            f"--out 应以 .xlsx、.csv 或 .parquet 结尾，收到“{out.name}”。",
            f'--out should end in .xlsx, .csv or .parquet; got "{out.name}".',
            field="out",
        )
    if out.suffix.lower() == ".xlsx" and max(rows, len(found.rejects)) > SHEET_ROWS:
        raise InputError(
            f"结果有 {rows:,} 行，超过 Excel 每表 1,048,576 行：请用 --out 名称.csv 或 名称.parquet。",
            f"The result has {rows:,} rows, more than a sheet of Excel holds: use --out NAME.csv or NAME.parquet.",
            field="out",
        )
    if out.exists() and not force:
        raise InputError(
            f"{out.name} 已存在，没有覆盖：请另定 --out，或用 --force 覆盖。",
            f"{out.name} is there already and was kept: choose another --out, or overwrite it with --force.",
            field="out",
        )
    if out.resolve() == path.resolve():
        raise InputError("--out 不能是输入文件本身。", "--out cannot be the file that is judged.", field="out")
    return out, said


def write(found: Judged, out: Path, file: str, line: str, today: date) -> list[Path]:
    """Write the result and return the files made: the one named, and for CSV and Parquet the rejects beside it.

    A file is made under another name and takes its own when it is whole.
    """
    judged, refused = tables.judged_table(found), tables.rejects_table(found)
    kind = out.suffix.lower()
    with storage_errors(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        if kind == ".xlsx":
            grounds = tables.grounds(found, file, line, today)
            return [_whole(out, lambda path: _write_workbook(found, judged, refused, path, grounds))]
        parts = {"": judged}
        if not refused.is_empty():
            parts["-拒收"] = refused
        items = tables.items_table(found)
        if items is not None:
            parts["-分项"] = items
        return [
            _whole(
                out.with_name(f"{out.stem}{mark}{out.suffix}"),
                partial(_write_csv, frame) if kind == ".csv" else frame.write_parquet,
            )
            for mark, frame in parts.items()
        ]


def _whole(path: Path, make: Callable[[Path], None]) -> Path:
    part = path.with_name(f"{path.name}.part")
    try:
        make(part)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return path


def _write_csv(frame: pl.DataFrame, path: Path) -> None:
    with path.open("wb") as stream:
        stream.write(b"\xef\xbb\xbf")
        tables.escaped(frame).write_csv(stream)


def _write_workbook(
    found: Judged, judged: pl.DataFrame, refused: pl.DataFrame, out: Path, grounds: list[tuple[str, ...]]
) -> None:
    import xlsxwriter

    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(out), options) as book:
        formats = _formats(book)
        sheet = book.add_worksheet("评价")
        own = tables.own_width(found)
        _fill(sheet, judged, formats, own, dated=found.prepared.source == "excel")
        _colour(book, sheet, found, judged, own)
        items = tables.items_table(found)
        if items is not None:
            _fill(book.add_worksheet("分项"), items, formats, 0)
        _fill(book.add_worksheet("拒收"), refused, formats, 0)
        _list(book.add_worksheet("依据"), grounds, formats)


def _formats(book: Any) -> dict[str, Any]:
    head = {"bold": True, "text_wrap": True, "valign": "vcenter", "border": 1, "border_color": "#BFBFBF"}
    safe = book.add_format()
    safe.set_quote_prefix()
    return {
        "own": book.add_format(head | {"bg_color": "#E7E6E6"}),
        "verdict": book.add_format(head | {"bg_color": "#DDEBF7"}),
        "moment": book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
        "day": book.add_format({"num_format": "yyyy-mm-dd"}),
        "heading": book.add_format({"bold": True, "font_size": 12, "font_color": "#1F4E78"}),
        "wrap": book.add_format({"text_wrap": True, "valign": "top"}),
        # A text that looks like a formula stays a text even after somebody edits the cell.
        "safe": safe,
    }


def _fill(sheet: Any, frame: pl.DataFrame, formats: dict[str, Any], own: int, *, dated: bool = False) -> None:
    """Write a table with a frozen header, a filter and columns as wide as what they hold."""
    sheet.freeze_panes(1, 0)
    sheet.set_row(0, 30)
    for at, name in enumerate(frame.columns):
        sheet.write_string(0, at, name, formats["own" if at < own else "verdict"])
        column = frame[name]
        sheet.set_column(at, at, _width(name, column))
        cells = _cells(column, dated=dated and at < own)
        sheet.write_column(1, at, cells, _format_of(cells, formats))
        if column.dtype == pl.String:
            for row, text in column.to_frame().with_row_index("_").filter(
                pl.col(name).str.contains(tables.FORMULA)
            ).iter_rows():  # fmt: skip
                if not isinstance(cells[row], float | int):
                    sheet.write_string(row + 1, at, text, formats["safe"])
    if frame.width and not frame.is_empty():
        sheet.autofilter(0, 0, len(frame), frame.width - 1)


def _format_of(cells: list[Any], formats: dict[str, Any]) -> Any:
    times = [cell for cell in cells if isinstance(cell, datetime)]
    if not times:
        return None
    return formats["moment" if any(one.hour or one.minute for one in times) else "day"]


def _cells(column: pl.Series, *, dated: bool) -> list[Any]:
    """Return what is written into the cells: plain decimal numbers as numbers, all else as the text that it is."""
    if column.dtype.is_float():
        return pl.select(pl.when(column.is_finite()).then(column))[:, 0].to_list()
    if column.dtype != pl.String:
        return column.to_list()
    plain = column.str.contains(f"^{_NUMBER.pattern}$") & (column.str.replace_all(r"[-.]", "").str.len_chars() <= 15)
    numbers = pl.select(pl.when(plain).then(column.cast(pl.Float64, strict=False)))[:, 0].to_list()
    texts = column.to_list()
    if dated and _all_moments(column):
        return [None if text is None or not text.strip() else _moment(text) for text in texts]
    return [text if number is None else number for number, text in zip(numbers, texts, strict=True)]


def _all_moments(column: pl.Series) -> bool:
    """Return whether a column holds nothing but times as a workbook's cells give them."""
    filled = column.drop_nulls().filter(column.drop_nulls().str.strip_chars() != "")
    return len(filled) > 0 and bool(filled.str.contains(f"^{_MOMENT.pattern}$").all())


def _moment(text: str) -> datetime:
    found = _MOMENT.fullmatch(text.strip())
    assert found is not None
    return datetime.fromisoformat(f"{found[1]}T{found[2] or '00:00:00'}")


def _width(name: str, column: pl.Series) -> float:
    shown = [name, *(str(value) for value in islice(column.drop_nulls(), _LOOKED_AT))]
    return min(max(max(map(_columns, shown)) + 2, 8), _WIDEST)


def _columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(sign) in "WFA" else 1 for sign in text)


def _colour(book: Any, sheet: Any, found: Judged, frame: pl.DataFrame, own: int) -> None:
    if frame.is_empty():
        return
    names = list(found.columns)
    for name, colours in found.judgement.colours.items():
        if name not in names:
            continue
        at = own + names.index(name)
        for word, colour in colours.items():
            value = word if frame[frame.columns[at]].dtype.is_numeric() else f'"{word}"'
            fill = book.add_format({"bg_color": colour, "font_color": _on(colour)})
            sheet.conditional_format(
                1, at, len(frame), at, {"type": "cell", "criteria": "==", "value": value, "format": fill}
            )


def _on(colour: str) -> str:
    """Return black or white, whichever reads better on a colour."""
    red, green, blue = (int(colour[at : at + 2], 16) for at in (1, 3, 5))
    return "#000000" if red * 299 + green * 587 + blue * 114 > 140_000 else "#FFFFFF"


def _list(sheet: Any, lines: list[tuple[str, ...]], formats: dict[str, Any]) -> None:
    for at, width in enumerate((22, 60, 24, 26, 40, 40)):
        sheet.set_column(at, at, width)
    for row, cells in enumerate(lines):
        for at, cell in enumerate(cells):
            sheet.write_string(row, at, cell, formats["heading" if len(cells) == 1 else "wrap"])
