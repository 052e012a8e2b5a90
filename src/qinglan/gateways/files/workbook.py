"""Excel workbooks and Parquet files, as rows of text."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet

from qinglan.core.errors import InputError
from qinglan.gateways.files.reading import (
    HEAD_ROWS,
    MAX_COLUMNS,
    Chunk,
    Table,
    column_names,
    no_broken_rows,
    truncated,
    unreadable,
)
from qinglan.gateways.files.sheet_size import refuse_far_cells

_ROWS = 50_000
_CELLS = 1_000_000


@dataclass
class ParquetTable(Table):
    """A Parquet file; its records count from row 2, after the row of names."""

    kind: ClassVar[str] = "parquet"

    def chunks(self, header_rows: int, width: int) -> Iterator[Chunk]:
        """Yield batches of records, every column as text."""
        try:
            with pyarrow.parquet.ParquetFile(self.path) as file:
                total = max(file.metadata.num_rows, 1)
                done = 0
                for batch in file.iter_batches(batch_size=max(1_000, min(_ROWS * 4, _CELLS * 2 // max(width, 1)))):
                    frame = cast("pl.DataFrame", pl.from_arrow(pa.Table.from_batches([batch])))
                    frame.columns = column_names(width)
                    rows = frame.select(_as_text(frame[name]) for name in frame.columns)
                    rows = rows.with_columns(row=pl.int_range(done + 2, done + 2 + len(rows), dtype=pl.Int64))
                    done += len(rows)
                    rows = rows.filter(pl.col("row") > header_rows)
                    yield Chunk(rows, no_broken_rows(), self.size * done // total)
        except (pa.ArrowException, OSError) as error:
            raise truncated(self.name, "Parquet", error) from error


@dataclass
class ExcelTable(Table):
    """One sheet of a workbook."""

    workbook: Any = None
    sheet: str = ""
    kind: ClassVar[str] = "excel"

    @property
    def title(self) -> str:
        """The name of the sheet."""
        return self.sheet

    def chunks(self, header_rows: int, width: int) -> Iterator[Chunk]:
        """Yield runs of rows, every cell as text; whole numbers without a decimal point."""
        sheet = self.workbook.get_sheet_by_name(self.sheet)
        total = max(sheet.total_height, 1)
        rows = iter(sheet.iter_rows())
        done = 0
        size = max(1_000, min(_ROWS, _CELLS // max(width, 1)))
        while some := list(islice(rows, size)):
            frame = _text_frame(some, width)
            frame = frame.with_columns(row=pl.int_range(done + 1, done + 1 + len(frame), dtype=pl.Int64))
            done += len(frame)
            yield Chunk(
                frame.filter(pl.col("row") > header_rows), no_broken_rows(), self.size * min(done, total) // total
            )


def open_parquet(path: Path, name: str, size: int, sha256: str) -> ParquetTable:
    """Return a Parquet file's table.

    Raises
    ------
    InputError
        If the file is truncated or damaged, or has nested columns.
    """
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            schema = file.schema_arrow
    except (pa.ArrowException, OSError) as error:
        raise truncated(name, "Parquet", error) from error
    nested = [column.name for column in schema if pa.types.is_nested(column.type)]
    if nested:
        raise InputError(
            f"{name} 的列 {'、'.join(nested)} 是嵌套类型：请展开成普通列再导入。",
            f"{name}: columns {', '.join(nested)} are nested; flatten them and import again.",
            file=name,
            field=nested[0],
        )
    return ParquetTable(path, name, size, sha256, [[str(column) for column in schema.names]])


def open_excel(path: Path, name: str, size: int, sha256: str, wanted: str | None) -> list[Table]:
    """Return the sheets that are not blank, or the one that is wanted.

    Raises
    ------
    InputError
        If the workbook is truncated, protected, spans too many cells, or has no such sheet or nothing in it.
    """
    import python_calamine

    if zipfile.is_zipfile(path):
        refuse_far_cells(path, name)
    try:
        workbook = python_calamine.load_workbook(str(path))
        names = list(workbook.sheet_names)
    except python_calamine.PasswordError as error:
        raise InputError(
            f"{name} 有打开密码：请去掉密码后另存再导入。",
            f"{name} is protected by a password: save it without and import again.",
            file=name,
        ) from error
    except OSError as error:
        raise unreadable(name, error) from error
    except python_calamine.CalamineError as error:
        raise truncated(name, "Excel", error) from error
    if wanted is not None and wanted not in names:
        raise InputError(
            f"{name} 没有工作表“{wanted}”，只有：{'、'.join(names)}。",
            f'{name} has no sheet "{wanted}", only: {", ".join(names)}.',
            file=name,
            field="sheet",
        )
    tables: list[Table] = []
    for sheet_name in names if wanted is None else [wanted]:
        try:
            sheet = workbook.get_sheet_by_name(sheet_name)
            head = [list(row) for row in islice(sheet.iter_rows(), HEAD_ROWS)]
        except python_calamine.CalamineError as error:
            raise truncated(name, "Excel", error) from error
        width = max((len(row) for row in head), default=0)
        if width == 0 or width > MAX_COLUMNS:
            continue
        texts = _text_frame(head, width).fill_null("").rows()
        if any(cell for row in texts for cell in row):
            tables.append(
                ExcelTable(path, name, size, sha256, [list(row) for row in texts], workbook=workbook, sheet=sheet_name)
            )
    if not tables:
        raise InputError(f"{name} 的工作表都是空的。", f"All sheets of {name} are blank.", file=name)
    return tables


def _text_frame(rows: list[list[Any]], width: int) -> pl.DataFrame:
    """Return cells of mixed types as text, a column at a time: rows of mixed types are refused by the frame."""
    columns = [
        pl.Series(name, cells, dtype=pl.String, strict=False)
        for name, cells in zip(column_names(width), zip(*rows, strict=True), strict=True)
    ]
    return pl.DataFrame(columns).with_columns(pl.all().str.replace(r"^(-?\d+)\.0$", "${1}"))


def _as_text(column: pl.Series) -> pl.Series:
    if isinstance(column.dtype, pl.Datetime):
        zoned = column.dtype.time_zone is not None
        if zoned:
            column = column.dt.convert_time_zone("UTC")
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S" + ("Z" if zoned else ""))
    text = column.cast(pl.String, strict=False)
    return text.str.replace(r"^(-?\d+)\.0$", "${1}") if column.dtype.is_float() else text
