"""What could not be judged: by row, column and value, with the reason and what would be right."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Final

import polars as pl

SCHEMA: Final = {
    "row": pl.Int64,
    "column": pl.String,
    "value": pl.String,
    "zh": pl.String,
    "en": pl.String,
    "right_zh": pl.String,
    "right_en": pl.String,
}
TITLES: Final = {
    "row": "行号",
    "column": "列",
    "value": "值",
    "zh": "原因",
    "right_zh": "应为",
    "en": "reason",
    "right_en": "what would be right",
}
_SHOWN: Final = 200


def none() -> pl.DataFrame:
    """Return an empty frame of rejects."""
    return pl.DataFrame(schema=SCHEMA)


def of(
    rows: pl.DataFrame,
    column: str,
    value: pl.Expr,
    fault: str,
    right: tuple[str, str] = ("", ""),
    detail: tuple[str, str] = ("", ""),
) -> pl.DataFrame:
    """Return the rejects of `rows` (with their number in ``row``) for one fault of one column.

    Parameters
    ----------
    right
        What would be right, in both languages; blank takes that of the fault.
    detail
        What the reason says in its place ``{}``.
    """
    reason = reasons()[fault]
    return rows.select(
        "row",
        pl.lit(column).alias("column"),
        value.cast(pl.String).fill_null("").str.slice(0, _SHOWN).alias("value"),
        pl.lit(reason["zh"].replace("{}", detail[0])).alias("zh"),
        pl.lit(reason["en"].replace("{}", detail[1])).alias("en"),
        pl.lit(right[0] or reason["right_zh"]).alias("right_zh"),
        pl.lit(right[1] or reason["right_en"]).alias("right_en"),
    ).cast(SCHEMA)  # type: ignore[arg-type]


def joined(parts: list[pl.DataFrame]) -> pl.DataFrame:
    """Return all rejects in the order of their rows."""
    found = [part for part in parts if not part.is_empty()]
    return pl.concat(found).sort("row", maintain_order=True) if found else none()


def sentence(reject: dict[str, object], file: str) -> tuple[str, str]:
    """Return one reject as a sentence naming file, row, column and reason, in both languages."""
    column_zh = f"“{reject['column']}”列" if reject["column"] else ""
    column_en = f', column "{reject["column"]}"' if reject["column"] else ""
    value_zh = f"的“{reject['value']}”" if reject["value"] else ""
    value_en = f' ("{reject["value"]}")' if reject["value"] else ""
    right_zh = f"，应为{reject['right_zh']}" if reject["right_zh"] else ""
    right_en = f"; it should be {reject['right_en']}" if reject["right_en"] else ""
    return (
        f"{file} 第 {reject['row']} 行{column_zh}{value_zh}：{reject['zh']}{right_zh}",
        f"{file}, row {reject['row']}{column_en}{value_en}: {reject['en']}{right_en}",
    )


@cache
def reasons() -> dict[str, dict[str, str]]:
    """Return the reasons for which a row is not judged."""
    text = files("qinglan.gateways.judging").joinpath("faults.csv").read_text("utf-8")
    return {row["fault"]: row for row in csv.DictReader(text.splitlines())}
