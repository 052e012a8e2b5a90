"""The columns beside the items: times, days, words and numbers, each cell read or refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import polars as pl

from qinglan.catalogue.factors import folded, folded_expression
from qinglan.gateways.files.times import Clock, parse_times
from qinglan.gateways.files.values import BLANKS, narrow
from qinglan.gateways.judging import cells, rejects
from qinglan.gateways.judging.declare import Column
from qinglan.gateways.judging.measures import Measure

_BEIJING = timedelta(hours=8)
_MONTH = r"^(?:19|20)\d{2}\s*(?:年|[-/.年]?\s*\d{1,2}\s*月?)?$"
_TRUE = ("是", "有", "true", "1", "1.0", "y", "yes", "√", "t")
_FALSE = ("否", "无", "false", "0", "0.0", "n", "no", "×", "f")


def read(
    rows: pl.DataFrame, role: str, column: Column, header: str, unit: str | None
) -> tuple[pl.Series, pl.DataFrame]:
    """Return what the evaluator gets of a column of texts, and the cells that cannot be read.

    Parameters
    ----------
    rows
        ``row`` and ``text``.
    """
    made = {"text": _texts, "number": _numbers, "time": _times, "date": _times, "month": _times, "boolean": _booleans}[
        column.type
    ]
    found, faults = made(rows, column, header, unit)
    if column.required and not column.may_be_blank:
        blank = rows.filter(found.is_null() & ~rows["row"].is_in(faults["row"].to_list()))
        faults = rejects.joined([faults, rejects.of(blank, header, pl.col("text"), "blank", _right(column))])
    return found.alias(role), faults


def _right(column: Column) -> tuple[str, str]:
    if column.words:
        shown = [(spellings[0] if spellings else word) for word, spellings in column.words.items()]
        return f"{'、'.join(shown)} 之一", f"one of {', '.join(column.words)}"
    if column.type in ("time", "date", "month"):
        reason = rejects.reasons()["time_unreadable"]
        return reason["right_zh"], reason["right_en"]
    if column.type == "boolean":
        return "是或否", "yes or no"
    return column.title.zh, column.title.en


def _texts(rows: pl.DataFrame, column: Column, header: str, _: str | None) -> tuple[pl.Series, pl.DataFrame]:
    text = narrow(pl.col("text"))
    if not column.words:
        plain = rows.select(pl.when(text != "").then(text).alias("found"))["found"]
        return plain, rejects.none()
    known = {folded(word): said for said, words in column.words.items() for word in (said, *words)}
    read = rows.with_columns(folded_expression("text").alias("_folded")).select(
        "row",
        "text",
        pl.col("_folded").replace_strict(known, default=None, return_dtype=pl.String).alias("found"),
        (text == "").alias("blank"),
    )
    unknown = read.filter(pl.col("found").is_null() & ~pl.col("blank"))
    if column.lenient:
        return read["found"], rejects.none()
    return read["found"], rejects.of(unknown, header, pl.col("text"), "word", _right(column))


def _numbers(rows: pl.DataFrame, column: Column, header: str, unit: str | None) -> tuple[pl.Series, pl.DataFrame]:
    measure = Measure(header, header, column.unit, (), column.lowest, column.highest, qualified=False)
    found = cells.read_numbers(rows["text"], measure, unit).frame
    beside = found.with_columns(rows["row"], rows["text"])
    return found["value"], rejects.joined(cells.refused(beside, header, measure))


def _booleans(rows: pl.DataFrame, column: Column, header: str, _: str | None) -> tuple[pl.Series, pl.DataFrame]:
    text = narrow(pl.col("text")).str.to_lowercase()
    read = rows.select(
        "row",
        "text",
        pl.when(text.is_in(_TRUE)).then(True).when(text.is_in(_FALSE)).then(False).alias("found"),
        text.is_in(["", *(blank for blank in BLANKS if blank not in _FALSE)]).alias("blank"),
    )
    unknown = read.filter(pl.col("found").is_null() & ~pl.col("blank"))
    return read["found"], rejects.of(unknown, header, pl.col("text"), "word", _right(column))


def _times(rows: pl.DataFrame, column: Column, header: str, _: str | None) -> tuple[pl.Series, pl.DataFrame]:
    clock = Clock("sample", "start", _BEIJING, datetime.now(UTC))
    parsed = parse_times(rows["text"], clock)
    read = rows.join(parsed, on="text", how="left", maintain_order="left", nulls_equal=True).with_columns(
        (pl.col("time").dt.replace_time_zone(None) + _BEIJING).alias("time"),
        pl.when(pl.col("fault") == "time_blank")
        .then(None)
        .when(pl.col("fault") != "time_future")
        .then(pl.lit("time_unreadable"))
        .otherwise(pl.col("fault"))
        .alias("fault"),
    )
    if column.type in ("date", "month"):
        day = pl.col("time").dt.date()
        monthly = narrow(pl.col("text")).str.contains(_MONTH) & pl.lit(column.type == "date")
        read = read.with_columns(
            pl.when(pl.col("time") != day.cast(pl.Datetime("us")))
            .then(pl.lit("date_hour"))
            .when(pl.col("fault").is_null() & monthly)
            .then(pl.lit("date_month"))
            .otherwise(pl.col("fault"))
            .alias("fault"),
            day.alias("time"),
        )
    refused = [
        rejects.of(read.filter(pl.col("fault") == fault), header, pl.col("text"), fault)
        for fault in ("time_unreadable", "time_future", "date_hour", "date_month")
    ]
    good = read.select(pl.when(pl.col("fault").is_null()).then(pl.col("time")).alias("time"))
    return good["time"], rejects.joined(refused)
