"""CSV and the like, plain or gzip, in UTF-8 or GB 18030: checked whole once, then streamed in blocks."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, ClassVar, cast

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.csv

from qinglan.core.errors import InputError
from qinglan.gateways.files.reading import (
    HEAD_ROWS,
    MAX_COLUMNS,
    UNPACKED_LIMIT,
    Chunk,
    Table,
    broken_rows,
    column_names,
    too_large,
    truncated,
    unreadable,
)

BLOCK = 8 << 20
# A cell of a wide table becomes a row of its own, so that its blocks must be smaller for the same memory.
WIDE_BLOCK = 2 << 20
_WIDE = 64
_PASS = 4 << 20
_SAMPLE = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26, 27}) + b"\x7f"


@dataclass
class DelimitedTable(Table):
    """A delimited text; `encoding` and `delimiter` were found out, and every byte of it decodes."""

    encoding: str = "utf-8"
    delimiter: str = ","
    packed: bool = False
    tail: int = 0
    """Bytes of half a character at the very end, left out."""
    text_size: int = 0
    kind: ClassVar[str] = "csv"

    def chunks(self, header_rows: int, width: int) -> Iterator[Chunk]:
        """Yield blocks of rows; a row whose number of fields is not the header's is set apart by its number."""
        broken = _Broken()
        with self.path.open("rb") as raw:
            whole = cast("BinaryIO", gzip.GzipFile(fileobj=raw)) if self.packed else raw
            stream = _Bounded(whole, self.text_size - self.tail)
            try:
                reader = pyarrow.csv.open_csv(
                    pa.PythonFile(stream, mode="r"),
                    read_options=pyarrow.csv.ReadOptions(
                        use_threads=False,
                        block_size=BLOCK if width <= _WIDE else min(BLOCK, WIDE_BLOCK),
                        column_names=column_names(width),
                        encoding=self.encoding,
                    ),
                    parse_options=pyarrow.csv.ParseOptions(
                        delimiter=self.delimiter,
                        newlines_in_values=True,
                        ignore_empty_lines=False,
                        invalid_row_handler=broken.take,
                    ),
                    convert_options=pyarrow.csv.ConvertOptions(
                        column_types={name: pa.string() for name in column_names(width)}, strings_can_be_null=False
                    ),
                )
                after = 0
                for batch in reader:
                    numbers = broken.numbers(after, batch.num_rows)
                    after = int(numbers[-1]) if len(numbers) else after
                    rows = cast("pl.DataFrame", pl.from_arrow(pa.Table.from_batches([batch])))
                    rows = rows.with_columns(row=pl.Series(numbers, dtype=pl.Int64)).filter(pl.col("row") > header_rows)
                    yield Chunk(rows, broken.flush(header_rows, width), raw.tell())
                yield Chunk(_no_rows(width), broken.flush(header_rows, width), self.size)
            except (pa.ArrowInvalid, UnicodeDecodeError) as error:
                if isinstance(error, pa.ArrowInvalid) and "Empty CSV" in str(error):
                    return
                raise _unparsable(self.name, error) from error
            except (OSError, EOFError, zlib.error) as error:
                raise unreadable(self.name, error) from error


@dataclass
class _Broken:
    """Rows that the parser could not fit to the columns, until the next chunk takes them."""

    waiting: list[dict[str, Any]] = field(default_factory=list)
    rows: list[int] = field(default_factory=list)

    def take(self, row: pa.csv.InvalidRow) -> str:
        text = row.text or ""
        self.rows.append(row.number)
        self.waiting.append(
            {"row": row.number, "value": text[:200], "lines": text.count("\n") + 1, "fields": row.actual_columns}
        )
        return "skip"

    def numbers(self, after: int, count: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Return the numbers of the next `count` good rows after row `after`."""
        missing = np.asarray(self.rows, dtype=np.int64)
        missing = missing[missing > after]
        candidates = np.arange(after + 1, after + 1 + count + len(missing), dtype=np.int64)
        self.rows = missing.tolist()
        return np.setdiff1d(candidates, missing, assume_unique=True)[:count]

    def flush(self, header_rows: int, width: int) -> pl.DataFrame:
        """Return the rows set apart since the last time; blank lines and rows above the header are nothing."""
        kept = [
            {key: row[key] for key in ("row", "value", "lines")}
            for row in self.waiting
            if row["row"] > header_rows and row["value"].strip() and row["fields"] != width
        ]
        self.waiting = []
        return broken_rows(kept)


class _Bounded(io.RawIOBase):
    """The first `limit` bytes of a stream."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream = stream
        self._left = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        wanted = self._left if size < 0 else min(size, self._left)
        found = self._stream.read(wanted) if wanted else b""
        self._left -= len(found)
        return found


def open_delimited(path: Path, name: str, size: int, *, packed: bool) -> DelimitedTable:
    """Return a delimited text whose every byte was read once: it decodes, and a gzip unpacks to its end.

    Raises
    ------
    InputError
        If it is binary, of an unknown encoding, truncated (gzip), or unpacks beyond the limit.
    """
    table = DelimitedTable(path, name, size, "", packed=packed)
    for encoding in ("utf-8", "gb18030"):
        outcome = _decodes(table, encoding)
        if outcome:
            break
    else:
        raise InputError(
            f"{name} 的文字编码既不是 UTF-8 也不是 GB 18030：请另存为 UTF-8 的 CSV 再导入。",
            f"The text of {name} is neither UTF-8 nor GB 18030: save it as CSV in UTF-8 and import again.",
            file=name,
            field="encoding",
        )
    _read_head(table)
    return table


def _decodes(table: DelimitedTable, encoding: str) -> bool:
    """Read the whole file in one encoding; set its hash, size of text and half last character."""
    name = table.name
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    digest = hashlib.sha256()
    unpacker = zlib.decompressobj(wbits=31) if table.packed else None
    text_size = 0
    try:
        with table.path.open("rb") as file:
            while block := file.read(_PASS):
                digest.update(block)
                while block:
                    if unpacker is None:
                        text, block = block, b""
                    else:
                        if unpacker.eof:
                            # Several gzip members one after another are one text; zero padding is none.
                            if not block.strip(b"\x00"):
                                break
                            unpacker = zlib.decompressobj(wbits=31)
                        text = unpacker.decompress(block, _PASS)
                        block = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
                    text_size += len(text)
                    if text_size > UNPACKED_LIMIT:
                        raise too_large(name, UNPACKED_LIMIT)
                    _refuse_binary(text, name, first=text_size == len(text))
                    decoder.decode(text)
    except UnicodeDecodeError:
        return False
    except zlib.error as error:
        raise truncated(name, "gzip", error) from error
    except OSError as error:
        raise unreadable(name, error) from error
    if unpacker is not None and not unpacker.eof:
        raise truncated(name, "gzip")
    if text_size == 0:
        raise InputError(f"{name} 解压后是空文件。", f"{name} unpacks to nothing.", file=name)
    half = decoder.getstate()[0]
    table.encoding, table.sha256, table.text_size, table.tail = encoding, digest.hexdigest(), text_size, len(half)
    return True


def _refuse_binary(text: bytes, name: str, *, first: bool) -> None:
    if first and text.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise InputError(
            f"{name} 的文字编码是 UTF-16：请另存为 UTF-8 的 CSV 再导入。",
            f"The text of {name} is UTF-16: save it as CSV in UTF-8 and import again.",
            file=name,
            field="encoding",
        )
    if len(text) != len(text.translate(None, _CONTROLS)):
        raise InputError(
            f"{name} 不是文字表格（含二进制字节）：请提供 CSV、Excel 或 Parquet 文件。",
            f"{name} is no text table (it holds binary bytes): give a CSV, Excel or Parquet file.",
            file=name,
        )


def _read_head(table: DelimitedTable) -> None:
    with table.path.open("rb") as raw:
        stream = gzip.GzipFile(fileobj=raw) if table.packed else raw
        sample = cast("BinaryIO", _Bounded(cast("BinaryIO", stream), table.text_size - table.tail)).read(_SAMPLE)
    text = sample.decode(table.encoding, errors="ignore").removeprefix("\ufeff")
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(sample) == _SAMPLE:
        text = text[: text.rfind("\n") + 1] or text
    heads = {delimiter: _head_rows(text, delimiter, table.name) for delimiter in _DELIMITERS}

    def usual_width(delimiter: str) -> int:
        widths = [len(row) for row in heads[delimiter] if row]
        usual = max(set(widths), key=lambda width: (widths.count(width), width), default=0)
        return usual if usual > 1 else 0

    table.delimiter = max(_DELIMITERS, key=usual_width)
    table.head = heads[table.delimiter]
    if table.width > MAX_COLUMNS:
        raise InputError(
            f"{table.name} 有 {table.width} 列，超过上限 {MAX_COLUMNS} 列。",
            f"{table.name} has {table.width} columns, more than the limit of {MAX_COLUMNS}.",
            file=table.name,
        )


def _head_rows(text: str, delimiter: str, name: str) -> list[list[str]]:
    try:
        return list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), HEAD_ROWS))
    except csv.Error as error:
        raise _unparsable(name, error) from error


def _unparsable(name: str, error: Exception) -> InputError:
    detail = " ".join(str(error).split())[:160]
    return InputError(
        f"{name} 不能按行列读出，多半有一个引号没有配对（{detail}）：请在表格程序中打开检查后另存为 CSV。",
        f"{name} cannot be read as rows and columns, most likely a quote is not closed ({detail}): "
        "open it in a spreadsheet, check it and save it as CSV again.",
        file=name,
    )


def _no_rows(width: int) -> pl.DataFrame:
    return pl.DataFrame(schema=dict.fromkeys(column_names(width), pl.String) | {"row": pl.Int64})
