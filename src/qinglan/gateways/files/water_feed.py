"""The national surface-water feed: JSON with HTML in its cells, one record a section, values every four hours.

A cell may carry the unrounded value (原始值) and a section's name its city and river; times have no year. What the
lake has no column for (province, basin, city, river) goes to a list of sections beside the rejects; the published
class is a series of its own.
"""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, ClassVar, Final

import polars as pl

from qinglan.catalogue import factors
from qinglan.core.errors import InputError
from qinglan.gateways.files.layouts import Layout, Measured, split_unit
from qinglan.gateways.files.reading import Chunk, Table, broken_rows, column_names, too_large, truncated

CLASS_FACTOR: Final = "water-class"
FLAGS: Final[dict[str, str | None]] = {
    "正常": None,
    "维护": "M",
    "停站": "F",
    "停运": "F",
    "不具备运行条件": "F",
    "故障": "D",
}
"""What the feed says of a station, as flags; values under maintenance are kept and do not count."""
_CLASSES: Final = {"Ⅰ": "1", "Ⅱ": "2", "Ⅲ": "3", "Ⅳ": "4", "Ⅴ": "5", "劣Ⅴ": "6"}
_PROVINCE, _BASIN, _SECTION, _TIME, _CLASS, _STATE = (
    *("省份", "流域", "断面名称", "监测时间", "水质类别", "站点情况"),
)
_NEEDED: Final = (_PROVINCE, _SECTION, _TIME)
_LIMIT: Final = 256 << 20
_DAY_IN_NAME: Final = re.compile(r"(20\d{2})[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])")
_TAG: Final = r"<[^>]*>"
ATTRIBUTES: Final = ("site", "province", "basin", "section", "city", "river")


@dataclass
class FeedTable(Table):
    """One answer of the feed; `rows` are its cells as they came."""

    rows: pl.DataFrame = field(default_factory=pl.DataFrame)
    titles: tuple[str, ...] = ()
    broken: list[dict[str, Any]] = field(default_factory=list)
    fetched: date | None = None
    kind: ClassVar[str] = "water-feed"

    def chunks(self, header_rows: int, width: int) -> Iterator[Chunk]:
        """Yield all rows: the section as province/name, the time with its year, unrounded values, class as a number."""
        cells = [_measured(name) for name in self._measured_columns()]
        state = self._column(_STATE)
        texts = self.rows.select(
            "row", self.site().alias("c0"), self._moment().alias("c1"), state.alias("c2"), self._class().alias("c3"),
            *(cell.alias(f"c{place}") for place, cell in enumerate(cells, start=4)),
        )  # fmt: skip
        yield Chunk(texts, broken_rows(self.broken), self.size)

    def layout(self) -> Layout:
        """Return which of the columns of `chunks` is what."""
        measured = {3: Measured(_CLASS, CLASS_FACTOR)} if _CLASS in self.titles else {}
        unknown = []
        for place, position in enumerate(self._measured_positions(), start=4):
            title = self.titles[position]
            bare, unit = split_unit(title)
            known = factors.find(bare)
            if known is None:
                unknown.append(title)
            else:
                measured[place] = Measured(title, known.id, unit)
        header = (_SECTION, _TIME, _STATE, _CLASS, *(self.titles[place] for place in self._measured_positions()))
        guess = (
            "按国家地表水自动监测发布数据读取：时间为采样时刻，断面写作“省份/断面名称”，有原始值的取原始值",
            "read as the national surface-water feed: times are instants, sections province/name, values unrounded",
        )
        return Layout("water-feed", header, 1, {"site": 0, "time": 1, "flag": 2}, measured, (guess,), tuple(unknown))

    def attributes(self) -> pl.DataFrame:
        """Return what the feed says of each section and the lake has no column for."""
        name = self._cell(_SECTION)
        return self.rows.select(
            self.site().alias("site"),
            _plain(self._cell(_PROVINCE)).alias("province"),
            _plain(self._column(_BASIN)).alias("basin"),
            _plain(name).alias("section"),
            name.str.extract(r"所在地市[:：]([^&'\"\n]*)").alias("city"),
            name.str.extract(r"所属河流[:：]([^&'\"\n]*)").alias("river"),
        ).unique("site", keep="first", maintain_order=True)

    def site(self) -> pl.Expr:
        """Return the section as ``province/name``: names alone are not their own."""
        parts = [_plain(self._cell(_PROVINCE)), _plain(self._cell(_SECTION))]
        return pl.concat_str(parts, separator="/").str.strip_chars("/ ")

    def _moment(self) -> pl.Expr:
        """Return the time with its year: the last such day before or on the day of fetching."""
        written = _plain(self._cell(_TIME))
        assert self.fetched is not None
        day = written.str.slice(0, 5)
        year = pl.when(day <= f"{self.fetched:%m-%d}").then(self.fetched.year).otherwise(self.fetched.year - 1)
        bare = written.str.contains(r"^\d{2}-\d{2}\b")
        return pl.when(bare).then(pl.concat_str([year.cast(pl.String), written], separator="-")).otherwise(written)

    def _class(self) -> pl.Expr:
        written = _plain(self._column(_CLASS))
        return written.replace(_CLASSES)

    def _measured_positions(self) -> list[int]:
        apart = {_PROVINCE, _BASIN, _SECTION, _TIME, _CLASS, _STATE}
        return [place for place, title in enumerate(self.titles) if title not in apart]

    def _measured_columns(self) -> list[str]:
        return [f"c{place}" for place in self._measured_positions()]

    def _cell(self, title: str) -> pl.Expr:
        return pl.col(f"c{self.titles.index(title)}").fill_null("")

    def _column(self, title: str) -> pl.Expr:
        return self._cell(title) if title in self.titles else pl.lit("")


def is_json(start: bytes, path: Path) -> bool:
    """Return whether a file, plain or gzip, begins like a JSON object."""
    if start.startswith(b"\x1f\x8b"):
        try:
            with gzip.open(path) as stream:
                start = stream.read(64)
        except (OSError, EOFError, zlib.error):
            return False
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{")


def open_feed(path: Path, name: str, size: int, sha256: str) -> FeedTable:
    """Return the feed's answer in a JSON file.

    Raises
    ------
    InputError
        If it is no JSON, not the feed's, or holds no section.
    """
    content = _content(path, name)
    titles = tuple(re.sub(_TAG, "", str(title)).strip() for title in content.get("thead") or ())
    rows = content.get("tbody")
    absent = [title for title in _NEEDED if title not in titles]
    if absent or not isinstance(rows, list):
        raise InputError(
            f"{name} 不是国家地表水自动监测的发布数据：应有 thead（含 {'、'.join(_NEEDED)}）与 tbody。",
            f"{name} is not the national surface-water feed: it should have thead (with {', '.join(_NEEDED)}) and "
            "tbody.",
            file=name,
            field=absent[0] if absent else "tbody",
        )
    width = len(titles)
    whole = [isinstance(row, list) and len(row) == width for row in rows]
    good = [
        (place, *(None if cell is None else str(cell) for cell in row))
        for place, (row, fits) in enumerate(zip(rows, whole, strict=True), start=2)
        if fits
    ]
    broken = [
        {"row": place, "value": json.dumps(row, ensure_ascii=False)[:200], "lines": 1}
        for place, (row, fits) in enumerate(zip(rows, whole, strict=True), start=2)
        if not fits
    ]
    schema: dict[str, Any] = {"row": pl.Int64} | dict.fromkeys(column_names(width), pl.String)
    frame = pl.DataFrame(good, schema=schema, orient="row")
    return FeedTable(path, name, size, sha256, [list(titles)], frame, titles, broken, day_in_name(name))


def day_in_name(name: str) -> date | None:
    """Return the day that a file's name carries.

    Examples
    --------
    >>> day_in_name("sample_2021-03-31.json.gz"), day_in_name("water.json")
    (datetime.date(2021, 3, 31), None)
    """
    found = _DAY_IN_NAME.search(name)
    if found is None:
        return None
    try:
        return date(*(int(part) for part in found.groups()))
    except ValueError:
        return None


def _content(path: Path, name: str) -> dict[str, Any]:
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
        with gzip.open(path) if packed else path.open("rb") as stream:
            text = stream.read(_LIMIT + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise truncated(name, "JSON", error) from error
    if len(text) > _LIMIT:
        raise too_large(name, _LIMIT)
    try:
        content = json.loads(text.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise truncated(name, "JSON", error) from error
    return content if isinstance(content, dict) else {}


def _plain(cell: pl.Expr) -> pl.Expr:
    return cell.fill_null("").str.replace_all(_TAG, "").str.strip_chars()


def _measured(column: str) -> pl.Expr:
    """Return a cell's value: the unrounded one where the cell carries it."""
    cell = pl.col(column).fill_null("")
    exact = cell.str.extract(r"原始值[:：]\s*([^'\"<>]*)").str.strip_chars()
    return pl.when(exact.fill_null("") != "").then(exact).otherwise(_plain(cell))
