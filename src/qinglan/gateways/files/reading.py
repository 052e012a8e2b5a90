"""Files into rows of text: what a file is, whether it is whole, and its rows a chunk at a time.

Everything is read as text, so that nothing is silently turned into a number or a date. Row numbers count as the
user's own program counts: the first row of the file, usually the header, is row 1.
"""

from __future__ import annotations

import hashlib
import zipfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import polars as pl

from qinglan.core.errors import InputError

HEAD_ROWS = 12
MAX_COLUMNS = 20_000
UNPACKED_LIMIT = 32 << 30
WORKBOOK_LIMIT = 2 << 30

_PICTURES = {b"\x89PNG": "PNG", b"\xff\xd8\xff": "JPEG", b"GIF8": "GIF", b"BM": "BMP", b"II*\x00": "TIFF"}


@dataclass(frozen=True)
class Chunk:
    """Some consecutive rows.

    Attributes
    ----------
    rows
        ``row`` and text columns ``c0``, ``c1`` …; a blank cell is an empty text or null.
    broken
        ``row, value, lines``: rows whose number of fields is not the header's.
    done
        Bytes of the file read so far.
    """

    rows: pl.DataFrame
    broken: pl.DataFrame
    done: int


BROKEN_SCHEMA = {"row": pl.Int64, "value": pl.String, "lines": pl.Int64}


@dataclass
class Table(ABC):
    """A file that was found to be whole."""

    path: Path
    name: str
    size: int
    sha256: str
    head: list[list[str]] = field(default_factory=list)
    kind: ClassVar[str] = ""

    @property
    def width(self) -> int:
        """Number of columns: that of the widest of the first rows."""
        return max((len(row) for row in self.head), default=0)

    @property
    def title(self) -> str:
        """What the user calls the table: the file, or the sheet of a workbook."""
        return self.name

    @abstractmethod
    def chunks(self, header_rows: int, width: int) -> Iterator[Chunk]:
        """Yield the rows below the header; `width` is the number of the header's fields."""


def column_names(width: int) -> list[str]:
    """Return the names that `Chunk.rows` gives its text columns."""
    return [f"c{index}" for index in range(width)]


def open_table(path: Path, *, name: str | None = None, sheet: str | None = None) -> list[Table]:
    """Return the tables in a file (one, or a workbook's sheets that are not blank), checked to be whole.

    Raises
    ------
    InputError
        If there is no such file, or it is a folder, unreadable, empty, a picture, truncated, of an unknown kind
        or encoding.
    """
    from qinglan.gateways.files import delimited, water_feed, workbook

    name = name or path.name
    start = _first_bytes(path, name)
    size = path.stat().st_size
    if start.startswith(b"PAR1"):
        return [workbook.open_parquet(path, name, size, file_hash(path))]
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        if start.startswith(b"PK"):
            _check_archive(path, name)
        return workbook.open_excel(path, name, size, file_hash(path), sheet)
    if water_feed.is_json(start, path):
        return [water_feed.open_feed(path, name, size, file_hash(path))]
    if sheet is not None:
        raise InputError(
            f"{name} 不是 Excel 工作簿，没有工作表“{sheet}”。",
            f'{name} is no Excel workbook and has no sheet "{sheet}".',
            file=name,
            field="sheet",
        )
    return [delimited.open_delimited(path, name, size, packed=start.startswith(b"\x1f\x8b"))]


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _first_bytes(path: Path, name: str) -> bytes:
    if not path.exists():
        raise InputError(f"没有文件 {name}：请检查路径。", f"There is no file {name}: check the path.", file=name)
    if path.is_dir():
        raise InputError(
            f"{name} 是目录：请写出其中要导入的文件，例如 {name}/*.csv。",
            f"{name} is a folder: name the files in it, such as {name}/*.csv.",
            file=name,
        )
    if not path.is_file():
        raise InputError(f"{name} 不是普通文件，不能导入。", f"{name} is no regular file.", file=name)
    try:
        with path.open("rb") as file:
            start = file.read(4096)
    except OSError as error:
        raise unreadable(name, error) from error
    if not start:
        raise InputError(f"{name} 是空文件（0 字节）。", f"{name} is empty (0 bytes).", file=name)
    for magic, picture in _PICTURES.items():
        if start.startswith(magic) and (picture != "BMP" or b"\x00" in start[:32]):
            raise InputError(
                f"{name} 是图片（{picture}），不是数据表：请提供 CSV、Excel 或 Parquet 文件。",
                f"{name} is a picture ({picture}), not a table: give a CSV, Excel or Parquet file.",
                file=name,
            )
    if start.startswith(b"%PDF"):
        raise InputError(
            f"{name} 是 PDF，不是数据表：请提供 CSV、Excel 或 Parquet 文件。",
            f"{name} is a PDF, not a table: give a CSV, Excel or Parquet file.",
            file=name,
        )
    return start


def unreadable(name: str, error: Exception) -> InputError:
    """Return the refusal of a file that the system does not let us read."""
    reason = getattr(error, "strerror", None) or str(error)
    return InputError(
        f"{name} 无法读取（{reason}）：请检查权限与磁盘。",
        f"{name} cannot be read ({reason}): check permissions and the disk.",
        file=name,
    )


def truncated(name: str, what: str, error: object = "") -> InputError:
    """Return the refusal of a file that ends too early or is damaged; nothing of it is imported."""
    detail = " ".join(str(error).split())[:200]
    zh, en = (f"（{detail}）", f" ({detail})") if detail else ("", "")
    return InputError(
        f"{name} 不完整或已损坏，不能作为 {what} 打开{zh}：请重新下载或导出，本文件未写入任何数据。",
        f"{name} is truncated or damaged and cannot be opened as {what}{en}: download or export it again; "
        "nothing of it was written.",
        file=name,
    )


def _check_archive(path: Path, name: str) -> None:
    """Refuse a ZIP that is damaged, no workbook, or unpacks to far more than a workbook can hold."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, OSError, EOFError, ValueError) as error:
        raise truncated(name, "Excel", error) from error
    if not any(member.filename.startswith("xl/") for member in members):
        raise InputError(
            f"{name} 是压缩包，不是 Excel 工作簿：请先解压，再导入其中的文件。",
            f"{name} is an archive, not an Excel workbook: unpack it and import the files in it.",
            file=name,
        )
    unpacked = sum(member.file_size for member in members)
    if unpacked > WORKBOOK_LIMIT:
        raise too_large(name, WORKBOOK_LIMIT)


def too_large(name: str, limit: int) -> InputError:
    """Return the refusal of a file that unpacks beyond the declared limit."""
    return InputError(
        f"{name} 解压后超过 {limit / (1 << 30):.0f} GB 的上限：请分成几个文件导入。",
        f"{name} unpacks to more than the limit of {limit / (1 << 30):.0f} GB: import it in several files.",
        file=name,
    )


def no_broken_rows() -> pl.DataFrame:
    """Return an empty frame of broken rows."""
    return pl.DataFrame(schema=BROKEN_SCHEMA)


def broken_rows(found: list[dict[str, Any]]) -> pl.DataFrame:
    """Return the frame of broken rows."""
    return pl.DataFrame(found, schema=BROKEN_SCHEMA)
