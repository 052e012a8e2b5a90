"""Everything that can refuse a file as a whole, done before anything of it is written."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import polars as pl

from qinglan.core.errors import InputError
from qinglan.core.interval import Basis, Grain, Stamp
from qinglan.gateways.files.cleaning import Rules, check_units
from qinglan.gateways.files.layouts import Layout, find_layout, water_names
from qinglan.gateways.files.mapping import LayoutName, Mapping, Medium
from qinglan.gateways.files.reading import Chunk, Table, open_table
from qinglan.gateways.files.times import Clock, guess_grain
from qinglan.gateways.files.water_feed import FLAGS, FeedTable

Checked = Callable[[int], None]


@dataclass(frozen=True)
class Wishes:
    """What the caller says about the files; what is None the mapping may say, else it is guessed."""

    mapping: Mapping
    basis: Basis | None = None
    source: str | None = None
    layout: LayoutName = "auto"
    stamp: Stamp | None = None
    grain: Grain | None = None
    medium: Medium = "air"


@dataclass(frozen=True)
class Prepared:
    """A file that can be imported: whole, understood, with at least one row."""

    table: Table
    rules: Rules
    source: str
    guesses: tuple[tuple[str, str], ...]

    def chunks(self) -> Iterator[Chunk]:
        """Yield the rows below the header."""
        return self.table.chunks(self.rules.layout.header_rows, self.rules.layout.width)


def prepare(path: Path, name: str, wishes: Wishes, now: datetime, checked: Checked | None = None) -> Prepared:
    """Return a file ready to be imported.

    Parameters
    ----------
    now
        The present moment, against which times in the future are rejected.
    checked
        Called with the bytes of the file that were looked at.

    Raises
    ------
    InputError
        If the file is not whole, its columns are not understood, or it has no row.
    """
    mapping = wishes.mapping
    if wishes.layout != "auto":
        mapping = mapping.model_copy(update={"layout": wishes.layout})
    if wishes.medium == "water":
        mapping = mapping.model_copy(update={"factors": water_names() | mapping.factors})
    tables = open_table(path, name=name, sheet=mapping.sheet)
    if isinstance(tables[0], FeedTable):
        mapping = _feed_mapping(tables[0], mapping, name)
    table, layout = _table(tables, mapping, name)
    guesses = [*_unread(tables, table), *layout.guesses]
    first: Chunk | None = None
    for chunk in table.chunks(layout.header_rows, layout.width):
        if first is None and (len(chunk.rows) or len(chunk.broken)):
            first = chunk
        if checked is not None:
            checked(chunk.done)
    if first is None:
        raise InputError(f"{name} 只有表头，没有数据行。", f"{name} has a header and no rows of data.", file=name)
    grain, stamp = _grain_and_stamp(layout, first, wishes, name, guesses)
    clock = Clock(
        grain,
        stamp,
        mapping.offset,
        now,
        mapping.time_format,
        bare_midnight=table.kind == "excel" and "time" in layout.roles,
    )
    basis = wishes.basis or mapping.basis or "realtime"
    rules = Rules(layout, clock, basis, mapping)
    check_units(rules)
    national = layout.kind in ("national-feed", "water-feed")
    source = wishes.source or mapping.source or ("cnemc" if national else "file")
    if layout.ignored:
        some = layout.ignored[:8]
        guesses.append((f"未用的列：{'、'.join(some)}", f"columns not used: {', '.join(some)}"))
    return Prepared(table, rules, source, tuple(guesses))


def _table(tables: list[Table], mapping: Mapping, name: str) -> tuple[Table, Layout]:
    """Return the first sheet whose header is understood; the first sheet's refusal if none is."""
    if isinstance(tables[0], FeedTable):
        return tables[0], tables[0].layout()
    refusal: InputError | None = None
    for table in tables:
        try:
            return table, find_layout(table.head, mapping, name)
        except InputError as error:
            refusal = refusal or error
    assert refusal is not None
    raise refusal


def _feed_mapping(table: FeedTable, mapping: Mapping, name: str) -> Mapping:
    """Return the mapping with the feed's own flags; the day of fetching must be known."""
    if mapping.layout not in ("auto", "water-feed"):
        raise InputError(
            f"{name} 是国家地表水自动监测的发布数据（JSON），版式应为 water-feed 或 auto。",
            f"{name} is the national surface-water feed (JSON); its layout is water-feed or auto.",
            file=name,
            field="layout",
        )
    table.fetched = mapping.date or table.fetched
    if table.fetched is None:
        raise InputError(
            f"{name} 的时间没有年份（如 03-31 08:00），文件名也没有日期：请把抓取日期写进文件名"
            "（如 water_2021-03-31.json），或在映射文件写 date: 2021-03-31。",
            f"The times of {name} have no year (such as 03-31 08:00), nor has its name a date: put the day of fetching "
            "into the name (such as water_2021-03-31.json), or write date: 2021-03-31 in the mapping.",
            file=name,
            field="date",
        )
    return mapping.model_copy(update={"flags": {**FLAGS, **mapping.flags}})


def _unread(tables: list[Table], read: Table) -> list[tuple[str, str]]:
    """Name the sheets that hold something and are not read: of a workbook, one sheet is imported at a time."""
    others = [table.title for table in tables if table is not read]
    if not others:
        return []
    return [
        (
            f"只读工作表“{read.title}”，未读：{'、'.join(others)}；要读别的，请在映射文件写 sheet",
            f'only the sheet "{read.title}" is read, not {", ".join(others)}; name another under sheet in the mapping',
        )
    ]


def _grain_and_stamp(
    layout: Layout, first: Chunk, wishes: Wishes, name: str, guesses: list[tuple[str, str]]
) -> tuple[Grain, Stamp]:
    mapping = wishes.mapping
    if layout.kind == "national-feed":
        if (wishes.stamp or mapping.stamp) == "start":
            raise InputError(
                f"{name} 是国家站点宽表，其时间是小时的结束，不能按 stamp: start 读取。",
                f"{name} is the national feed's table, which is stamped at the hour's end; stamp: start is wrong.",
                file=name,
                field="stamp",
            )
        return "hour", "end"
    if layout.kind == "water-feed":
        return "sample", "start"
    grain = wishes.grain or mapping.grain
    if grain is None:
        grain = _guessed_grain(layout, first, mapping, name)
        if wishes.medium == "water" and grain in ("minute", "hour", "day"):
            # Water is sampled: automatic stations every four hours, laboratories on a day. None of it is a mean.
            grain = "sample"
        guesses.append((f"时段当作 {grain}", f"grain taken as {grain}"))
    stamp = wishes.stamp or mapping.stamp
    if grain in ("hour", "minute") and stamp is None:
        column = layout.title("time") if "time" in layout.roles else layout.title("date")
        raise InputError(
            f"{name} 的“{column}”是小时的开始还是结束？请写明 --stamp start 或 --stamp end"
            "（页面上选“小时时标”，或在映射文件写 stamp）。",
            f'Is "{column}" of {name} the start or the end of the interval? Say --stamp start or --stamp end, '
            "choose the stamp on the page, or write stamp in the mapping.",
            file=name,
            field="stamp",
        )
    if grain == "minute" and stamp == "end":
        raise InputError(
            f"{name}：分钟数据的时间只支持 stamp: start（起始时刻）。",
            f"{name}: minutes are read with stamp: start only.",
            file=name,
            field="stamp",
        )
    return grain, stamp or "start"


def _guessed_grain(layout: Layout, first: Chunk, mapping: Mapping, name: str) -> Grain:
    if "hour" in layout.roles:
        return "hour"
    if mapping.time_format is not None:
        has_hour = any(sign in mapping.time_format for sign in ("%H", "%I", "%k", "%T", "%R"))
        return "hour" if has_hour else "day" if "%d" in mapping.time_format else "month"
    role = "time" if "time" in layout.roles else "date"
    texts = first.rows[f"c{layout.roles[role]}"] if len(first.rows) else pl.Series([], dtype=pl.String)
    # No time can be read: every row will be rejected by name, whatever the grain.
    return guess_grain(texts) or "day"
