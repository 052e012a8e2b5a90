"""Texts into numbers with their qualifiers, or what is wrong with them; a column at a time."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from qinglan.gateways.files.mapping import SENTINELS
from qinglan.gateways.files.values import read_qualifiers, read_values
from qinglan.gateways.judging import rejects
from qinglan.gateways.judging.measures import Measure
from qinglan.gateways.judging.quantities import Conversion, conversion

# -9 and -1 may be slips of a sign, and are refused as negative values; these mean that there is no value.
_SENTINELS = [one for one in map(float, SENTINELS) if one <= -99]
_TAKEN = ("value", "qualifier", "limit", "fault", "detail", "sentinel")


@dataclass(frozen=True)
class Numbers:
    """A column read.

    Attributes
    ----------
    frame
        ``value, qualifier, limit`` (numbers in the measure's unit; see `standards.qualified`), ``fault`` (null: good),
        ``detail`` (what the fault's reason names), a row for each text.
    sentinels
        How many numbers stood for "no value".
    """

    frame: pl.DataFrame
    sentinels: int

    @property
    def some_qualified(self) -> bool:
        """Whether there is a value like ``<0.01``."""
        return self.frame["qualifier"].null_count() < len(self.frame)


def read_numbers(texts: pl.Series, measure: Measure, unit: str | None) -> Numbers:
    """Return the numbers in a column of texts that are all of one item and, unless a cell says otherwise, one unit."""
    header = conversion(unit, measure.unit)
    if header is None:
        return _wrong_unit(texts, str(unit))
    frame = pl.DataFrame({"text": texts.cast(pl.String)})
    number = pl.col("text").cast(pl.Float64, strict=False)
    plain = number.is_finite().fill_null(value=False)
    odd = frame.filter(~plain).unique()
    empty = pl.lit(None, pl.String)
    found = frame.with_columns(pl.when(plain).then(_converted(number, header)).alias("value"), plain.alias("plain"))
    if odd.is_empty():
        found = found.with_columns(
            empty.alias("qualifier"),
            pl.lit(None, pl.Float64).alias("limit"),
            empty.alias("fault"),
            empty.alias("detail"),
        )
    else:
        read = _read(odd, measure, header).rename({"value": "odd_value"})
        found = found.join(read, on="text", how="left", maintain_order="left", nulls_equal=True).with_columns(
            pl.coalesce("value", "odd_value").alias("value")
        )
    return _judged(found, measure, header)


def _read(odd: pl.DataFrame, measure: Measure, header: Conversion) -> pl.DataFrame:
    """Return the distinct texts that are no plain numbers, read."""
    text = pl.col("text").str.replace_all("[≤⩽]", "<").str.replace_all("[≥⩾]", ">")
    read = odd.with_columns(read_values(text))
    suffixes = {
        suffix: conversion(suffix, measure.unit) for suffix in read["suffix"].unique().to_list() if suffix is not None
    }
    number: pl.Expr = _converted(pl.col("number"), header)
    for suffix, own in suffixes.items():
        if own is not None:
            number = pl.when(pl.col("suffix") == suffix).then(_converted(pl.col("number"), own)).otherwise(number)
    wrong = [suffix for suffix, own in suffixes.items() if own is None]
    readable = pl.col("number").is_finite().fill_null(value=False) | pl.col("blank") | pl.col("not_detected")
    sign = pl.when(pl.col("not_detected")).then(pl.lit("ND")).otherwise(pl.col("sign"))
    held = pl.when(~pl.col("not_detected")).then(number)
    return read.select(
        "text",
        pl.when(sign.is_null() | (sign == ">")).then(held).alias("value"),
        pl.when(~pl.col("blank")).then(sign).alias("qualifier"),
        pl.when(sign.is_in(["<", ">"])).then(held).alias("limit"),
        pl.when(pl.col("blank") | pl.col("not_detected"))
        .then(None)
        .when(~readable)
        .then(pl.lit("number"))
        .when(pl.col("suffix").is_in(wrong))
        .then(pl.lit("unit"))
        .alias("fault"),
        pl.col("suffix").alias("detail"),
    )


def _judged(found: pl.DataFrame, measure: Measure, header: Conversion) -> Numbers:
    given = pl.coalesce("value", "limit")
    sentinel = (
        pl.lit(value=False)
        if measure.lowest is None
        else (pl.col("plain") & pl.col("text").cast(pl.Float64, strict=False).is_in(_SENTINELS)).fill_null(value=False)
    )
    marked = found.with_columns(sentinel.alias("sentinel"))
    fault = (
        pl.when(pl.col("sentinel"))
        .then(None)
        .when(pl.col("fault").is_not_null())
        .then(pl.col("fault"))
        .when(pl.lit(not measure.qualified) & pl.col("qualifier").is_not_null())
        .then(pl.lit("qualified"))
    )
    if measure.lowest is not None:
        fault = fault.when(given < measure.lowest).then(pl.lit("negative" if measure.lowest == 0 else "low"))
    if measure.highest is not None:
        fault = fault.when(given > measure.highest).then(pl.lit("high"))
    judged = marked.with_columns(fault.alias("fault"))
    good = judged["fault"].is_null() & ~judged["sentinel"]
    kept = judged.select(
        *(pl.when(pl.lit(good)).then(pl.col(name)).alias(name) for name in ("value", "qualifier", "limit")),
        "fault",
        "detail",
    )
    return Numbers(kept, int(judged["sentinel"].sum()))


def read_tidy(rows: pl.DataFrame, by: dict[str, Measure], default: str | None) -> tuple[pl.DataFrame, int]:
    """Return ``row, value, qualifier, limit, fault, detail`` of the rows of a table that names its items.

    Parameters
    ----------
    rows
        ``row, code`` (of the item), ``value`` (text) and, as far as given, ``unit``, ``qualifier``, ``limit`` (texts).
    default
        The unit of rows that give none.
    """
    unit = pl.col("unit").str.strip_chars() if "unit" in rows.columns else pl.lit(None, pl.String)
    named = rows.with_columns(pl.when(unit != "").then(unit).otherwise(pl.lit(default, pl.String)).alias("unit"))
    parts, sentinels = [], 0
    for (code, given), part in named.partition_by("code", "unit", as_dict=True, maintain_order=True).items():
        measure = by[str(code)]
        said = None if given is None else str(given)
        numbers = read_numbers(part["value"], measure, said)
        sentinels += numbers.sentinels
        read = numbers.frame.with_columns(part["row"], part["value"].alias("text"))
        if "qualifier" in part.columns or "limit" in part.columns:
            read = _beside(read, part, conversion(said, measure.unit) or Conversion(), measure)
        parts.append(read)
    if not parts:
        return pl.DataFrame(schema={"row": pl.Int64}), 0
    return pl.concat(parts), sentinels


def _beside(read: pl.DataFrame, part: pl.DataFrame, own: Conversion, measure: Measure) -> pl.DataFrame:
    """Add what the columns of the qualifier and of the limit of detection say."""
    texts = {name: part[name] if name in part.columns else pl.Series([None] * len(part), dtype=pl.String) for name in
             ("qualifier", "limit")}  # fmt: skip
    sign, unknown = read_qualifiers(pl.col("given_qualifier"))
    stated = read.with_columns(texts["qualifier"].alias("given_qualifier"), texts["limit"].alias("written_limit"))
    stated = stated.with_columns(
        _converted(pl.col("written_limit").cast(pl.Float64, strict=False), own).alias("given_limit")
    ).with_columns(sign.alias("given_sign"), unknown.alias("unknown"))
    nothing_found = pl.col("given_sign").is_in(["<", "ND"])
    beside = stated.with_columns(
        pl.coalesce("qualifier", "given_sign").alias("qualifier"),
        pl.coalesce("limit", pl.when(nothing_found).then(pl.coalesce("given_limit", "value")), "given_limit").alias(
            "limit"
        ),
    ).with_columns(
        pl.when(~pl.col("qualifier").is_in(["<", "ND"]).fill_null(value=False)).then(pl.col("value")).alias("value"),
        pl.when(pl.col("fault").is_null() & pl.col("unknown"))
        .then(pl.lit("word"))
        .when(pl.col("fault").is_null() & pl.lit(not measure.qualified) & pl.col("given_sign").is_not_null())
        .then(pl.lit("qualified"))
        .otherwise(pl.col("fault"))
        .alias("fault"),
    )
    return beside.select(read.columns)


def _converted(number: pl.Expr, own: Conversion) -> pl.Expr:
    return number if own.none else number * own.times / own.by


def _wrong_unit(texts: pl.Series, unit: str) -> Numbers:
    blank = texts.fill_null("").str.strip_chars() == ""
    frame = pl.DataFrame(
        {
            "value": pl.Series([None] * len(texts), dtype=pl.Float64),
            "qualifier": pl.Series([None] * len(texts), dtype=pl.String),
            "limit": pl.Series([None] * len(texts), dtype=pl.Float64),
            "blank": blank,
        }
    )
    return Numbers(
        frame.select(
            "value",
            "qualifier",
            "limit",
            pl.when(~pl.col("blank")).then(pl.lit("unit")).alias("fault"),
            pl.lit(unit).alias("detail"),
        ),
        0,
    )


def refused(rows: pl.DataFrame, column: str, measure: Measure) -> list[pl.DataFrame]:
    """Return the rejects of one item's cells: ``row, text, fault, detail``."""
    found = []
    bounds = {"low": measure.lowest, "high": measure.highest}
    right_zh, right_en = measure.right()
    for fault, detail in rows.filter(pl.col("fault").is_not_null()).select("fault", "detail").unique().rows():
        mine = rows.filter((pl.col("fault") == fault) & pl.col("detail").eq_missing(pl.lit(detail, pl.String)))
        named = str(detail or "") if fault == "unit" else f"{bounds.get(fault) or 0:g}"
        converts = fault == "unit" and measure.unit not in ("", "1")
        right = (f"以 {measure.unit} 计的数", f"a number in {measure.unit}") if converts else (right_zh, right_en)
        found.append(rejects.of(mine, column, pl.col("text"), fault, right, (named, named)))
    return found
