"""The reject file: what could not be imported, by file, row, field, value and reason, for the user's own program."""

from __future__ import annotations

import csv
import io
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import IO, Any, Self

import polars as pl

from qinglan.base.settings import Settings
from qinglan.base.storage import storage_errors
from qinglan.core.errors import InputError

NAME = "rejects.csv"
COLUMNS = ("file", "row", "field", "value", "reason_zh", "reason_en", "measurements")
_BOM = b"\xef\xbb\xbf"
_IDENTIFIER = re.compile(r"[0-9A-Za-z_-]{1,64}")
FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A spreadsheet takes a text beginning so as a formula; an apostrophe before it keeps it a text."""
_SIGNS = "".join(map(re.escape, FORMULA_STARTS))
_FORMULA = f"^([{_SIGNS}])"
_ESCAPED = f"^'([{_SIGNS}])"
_SHEET_ROWS = 1_000_000
MAX_LINES = 1_000_000
"""Lines written; more would only fill the disk. The counts go on."""


class RejectFile:
    """Writes the reject file of one import anew, a chunk at a time; without rejects there is no file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = 0
        self._stream: IO[bytes] | None = None

    def __enter__(self) -> Self:
        with storage_errors(self.path):
            self.path.unlink(missing_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            with storage_errors(self.path):
                self._stream.close()

    def add(self, file: str, rejects: pl.DataFrame) -> None:
        """Append the rejects of one chunk (`cleaning.REJECTS`) of one file, up to `MAX_LINES` in all."""
        rejects = rejects.head(MAX_LINES - self.lines)
        if rejects.is_empty():
            return
        lines = rejects.join(_reasons(), on="fault", how="left", maintain_order="left").select(
            escaped(pl.lit(file)).alias("file"),
            "row",
            escaped(pl.col("field").fill_null("")).alias("field"),
            escaped(pl.col("value").fill_null("")).alias("value"),
            pl.col("zh").alias("reason_zh"),
            pl.col("en").alias("reason_en"),
            "measurements",
        )
        with storage_errors(self.path):
            if self._stream is None:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._stream = self.path.open("wb")
                self._stream.write(_BOM + (",".join(COLUMNS) + "\r\n").encode())
            self._stream.write(lines.write_csv(include_header=False, line_terminator="\r\n").encode())
        self.lines += len(lines)


def escaped(text: pl.Expr) -> pl.Expr:
    """Return a text that no spreadsheet takes for a formula."""
    return text.str.replace(_FORMULA, "'${1}")


def rejects_path(settings: Settings, import_id: str) -> Path:
    """Return where the reject file of an import is, if there is one.

    Raises
    ------
    InputError
        If the id is none.
    """
    if _IDENTIFIER.fullmatch(import_id) is None:
        raise InputError(f"“{import_id}”不是导入编号。", f'"{import_id}" is no id of an import.', field="id")
    return settings.files / import_id / NAME


def rejects(settings: Settings, import_id: str, offset: int = 0, limit: int = 100) -> tuple[int, list[dict[str, Any]]]:
    """Return how many lines the reject file has, and those from `offset` on, at most `limit` (bounded at 10,000)."""
    path = rejects_path(settings, import_id)
    if not path.is_file():
        return 0, []
    with storage_errors(path):
        lines = pl.scan_csv(path, infer_schema=False)
        total = int(lines.select(pl.len()).collect().item())
        found = lines.slice(max(offset, 0), min(max(limit, 0), 10_000)).collect()
    shown = found.select(
        pl.col("file", "field", "value").fill_null("").str.replace(_ESCAPED, "${1}"),
        pl.col("row").cast(pl.Int64),
        pl.col("measurements").cast(pl.Int64),
        zh="reason_zh",
        en="reason_en",
    ).select("file", "row", "field", "value", "zh", "en", "measurements")
    return total, shown.to_dicts()


def rejects_workbook(settings: Settings, import_id: str) -> bytes:
    """Return the reject file as an Excel workbook (its first million lines); texts stay texts."""
    path = rejects_path(settings, import_id)
    schema = dict.fromkeys(COLUMNS, pl.String)
    lines = pl.DataFrame(schema=schema)
    if path.is_file():
        with storage_errors(path):
            lines = pl.scan_csv(path, infer_schema=False).head(_SHEET_ROWS).collect()
    numbers = lines.with_columns(pl.col("row", "measurements").cast(pl.Int64, strict=False))
    made = io.BytesIO()
    numbers.rename({"reason_zh": "原因", "reason_en": "reason"}).write_excel(made, worksheet="rejects", autofit=False)
    return made.getvalue()


@cache
def _reasons() -> pl.DataFrame:
    text = files("qinglan.gateways.files").joinpath("faults.csv").read_text("utf-8")
    return pl.DataFrame(list(csv.DictReader(text.splitlines())), schema=dict.fromkeys(("fault", "zh", "en"), pl.String))


def known_faults() -> frozenset[str]:
    """Return the names of all reasons for which a row or cell is rejected."""
    return frozenset(_reasons()["fault"])
