"""Tables to be judged: a file's, read whole as text, or one written out in a declaration's example."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import polars as pl

from qinglan.core.errors import InputError
from qinglan.gateways.files.reading import Chunk, Table, column_names, no_broken_rows


@dataclass
class WrittenTable(Table):
    """A table given as CSV text."""

    text: str = ""
    kind: ClassVar[str] = "csv"

    def chunks(self, header_rows: int, width: int) -> Iterator[Chunk]:
        """Yield its rows in one piece."""
        rows = [[*row, *[""] * (width - len(row))] for row in csv.reader(self.text.splitlines())]
        frame = pl.DataFrame(rows, schema=dict.fromkeys(column_names(width), pl.String), orient="row")
        frame = frame.with_columns(pl.int_range(1, len(rows) + 1, dtype=pl.Int64).alias("row"))
        yield Chunk(frame.filter(pl.col("row") > header_rows), no_broken_rows(), len(self.text))


def written(text: str, name: str = "表") -> WrittenTable:
    """Return CSV text as a table.

    Raises
    ------
    InputError
        If there is nothing in it.
    """
    head = list(csv.reader(text.splitlines()))
    if not head:
        raise InputError(f"{name} 是空的。", f"{name} is blank.", file=name)
    return WrittenTable(Path(name), name, len(text), "", head[:12], text=text)


def rows_of(table: Table, header_rows: int, width: int) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return all rows below the header as text (``row, c0, c1 …``), blank ones left out, and the broken ones."""
    names = column_names(width)
    chunks = list(table.chunks(header_rows, table.width if table.kind != "csv" else width))
    if not chunks:
        empty = pl.DataFrame(schema=dict.fromkeys(names, pl.String) | {"row": pl.Int64})
        return empty, no_broken_rows()
    rows = pl.concat([chunk.rows.select("row", *names) for chunk in chunks])
    blank = pl.all_horizontal(pl.col(names).fill_null("").str.strip_chars() == "")
    return rows.filter(~blank), pl.concat([chunk.broken for chunk in chunks])
