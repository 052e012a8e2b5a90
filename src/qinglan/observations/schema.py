"""The one row of the lake, and what a frame must be before it may enter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from qinglan.core.errors import InputError
from qinglan.core.interval import BASES, GRAINS

TIME: Final = pl.Datetime("us", "UTC")
OBSERVATION: Final[Mapping[str, pl.DataType]] = {
    "site": pl.String(),
    "factor": pl.String(),
    "grain": pl.String(),
    "time": TIME,
    "basis": pl.String(),
    "value": pl.Float64(),
    "qualifier": pl.String(),
    "limit": pl.Float64(),
    "flag": pl.String(),
    "source": pl.String(),
    "received": TIME,
    "revision": pl.Int64(),
}
KEY: Final = ("site", "factor", "grain", "time", "basis")
"""One observation: what two sources may both speak of."""
IDENTITY: Final = (*KEY, "source")
"""One source's word on one observation: what a correction replaces."""
CONTENT: Final = ("value", "qualifier", "limit", "flag")
"""What is said; two rows of one identity with the same content are a repeat."""
ORDER: Final = ("site", "factor", "time", "basis")
"""How both tables are sorted inside a partition."""
PARTITION: Final = ("grain", "month")
LONGEST_ID: Final = 64
"""Most letters of a site's or factor's id: what the base's table of newest values and an address have room for."""

_MEASURED: Final = (*KEY, *CONTENT)
_OPTIONAL: Final = ("qualifier", "limit", "flag")
_QUALIFIERS: Final = ("<", ">", "ND")


def month_of(time: str = "time") -> pl.Expr:
    """Return the partition month (`2023-01`) of a UTC time column."""
    return pl.col(time).dt.strftime("%Y-%m").alias("month")


def empty() -> pl.DataFrame:
    """Return a frame of observations with no rows."""
    return pl.DataFrame(schema=dict(OBSERVATION))


def validate(frame: pl.DataFrame) -> pl.DataFrame:
    """Return the frame in the lake's types, or refuse it by column and row.

    NaN and infinities become null; empty texts in `qualifier` and `flag` become null. Sentinels such as
    -9999 are the importer's to remove.

    Parameters
    ----------
    frame
        Columns `site, factor, grain, time, basis, value`, and where known `qualifier, limit, flag` and
        `received` (when it was acknowledged; absent or null: now). `time` and `received` carry a time zone.

    Raises
    ------
    InputError
        A column is missing or unknown, cannot be read as its type, or a key field is null or not a known word.

    Examples
    --------
    >>> from datetime import datetime, timezone
    >>> row = {"site": "1001A", "factor": "a34004", "grain": "hour", "basis": "realtime", "value": float("nan")}
    >>> row["time"] = datetime(2023, 1, 20, tzinfo=timezone.utc)
    >>> validate(pl.DataFrame([row]))["value"].to_list()
    [None]
    """
    known = {*_MEASURED, "received"}
    for name in frame.columns:
        if name not in known:
            raise InputError(
                f"观测数据有未知的列“{name}”，应为：{'、'.join(_MEASURED)}。",
                f"Observations have an unknown column {name!r}; they may have {', '.join(_MEASURED)}.",
                field=name,
            )
    for name in _MEASURED:
        if name not in frame.columns and name not in _OPTIONAL:
            raise InputError(f"观测数据缺少列“{name}”。", f"Observations lack the column {name!r}.", field=name)
    columns = [*_MEASURED, *(["received"] if "received" in frame.columns else [])]
    cast = frame.select(
        _cast(frame, name) if name in frame.columns else pl.lit(None, OBSERVATION[name]).alias(name) for name in columns
    )
    cast = cast.with_columns(
        pl.when(pl.col("value", "limit").is_finite()).then(pl.col("value", "limit")),
        pl.when(pl.col("qualifier", "flag") != "").then(pl.col("qualifier", "flag")),
    )
    for name in KEY:
        _refuse_where(cast, name, pl.col(name).is_null(), "为空，每行都要有", "is empty; every row needs one")
    for name in ("site", "factor"):
        _refuse_where(cast, name, pl.col(name) == "", "为空，每行都要有", "is empty; every row needs one")
    for name in ("site", "factor"):
        too_long = pl.col(name).str.len_chars() > LONGEST_ID
        _refuse_where(
            cast, name, too_long, f"过长，至多 {LONGEST_ID} 个字", f"is too long; {LONGEST_ID} letters at most"
        )
    for name, words in (("grain", GRAINS), ("basis", BASES), ("qualifier", _QUALIFIERS)):
        unknown = pl.col(name).is_not_null() & ~pl.col(name).is_in(words)
        right = "、".join(words)
        _refuse_where(cast, name, unknown, f"不可用，应为 {right}", f"is not one of {', '.join(words)}")
    return cast


def _cast(frame: pl.DataFrame, name: str) -> pl.Expr:
    wanted, found = OBSERVATION[name], frame.schema[name]
    column = pl.col(name)
    if wanted == TIME:
        if found == pl.Null:
            return column.cast(TIME)
        if not isinstance(found, pl.Datetime) or found.time_zone is None:
            raise InputError(
                f"列“{name}”的类型是 {found}，应为带时区的时间。",
                f"Column {name!r} is {found}; it must be a time with a time zone.",
                field=name,
            )
        return column.dt.cast_time_unit("us").dt.convert_time_zone("UTC")
    texts = (pl.String, pl.Categorical, pl.Enum, pl.Null)
    if wanted == pl.String and not isinstance(found, texts) and found not in texts:
        raise _wrong_type(name, found, "文字", "text")
    if wanted == pl.Float64 and not (found.is_numeric() or found == pl.Null):
        raise _wrong_type(name, found, "数字", "a number")
    return column.cast(wanted)


def _wrong_type(name: str, found: pl.DataType, zh: str, en: str) -> InputError:
    return InputError(
        f"列“{name}”的类型是 {found}，应为{zh}。", f"Column {name!r} is {found}; it must be {en}.", field=name
    )


def _refuse_where(frame: pl.DataFrame, name: str, wrong: pl.Expr, zh: str, en: str) -> None:
    at = frame.select(wrong.fill_null(False).arg_true().first()).item()
    if at is None:
        return
    value = frame[name][at]
    shown = "" if value is None else repr(value)
    raise InputError(
        f"第 {at + 1} 行的“{name}”{shown}{zh}。", f"Row {at + 1}: {name} {shown} {en}.", row=at + 1, field=name
    )
