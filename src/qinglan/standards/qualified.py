"""Values with a qualifier: ``<0.01``, ``0.01L``, ``ND``, ``未检出``, ``>24000``.

A laboratory that finds nothing writes what it could have found. Such a value is no number: what is known is that the
true one lies between zero and the limit of detection, or above the upper end of the range. The evaluators judge by
both ends and say 无法判定 where the two differ; means take half the limit of detection.
"""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError

BELOW = "<"
ABOVE = ">"
NOT_DETECTED = "ND"
COLUMNS = ("value", "qualifier", "limit")

_NUMBER = r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_SIGNS = (("＜", "<"), ("＞", ">"), ("≤", "<"), ("≥", ">"), ("。", "."))
_NOTHING_FOUND = ("ND", "N.D.", "未检出", "低于检出限", "<DL", "<MDL")
_NOTHING_GIVEN = ("", "-", "--", "—", "/", "NA", "N/A", "NAN", "NULL", "NONE", "未测", "无", "缺测")


def split(frame: nw.LazyFrame[Any], *, lenient: bool = False) -> nw.LazyFrame[Any]:
    """Return `frame` with ``value`` (a number or null), ``qualifier`` (``<``, ``>``, ``ND`` or null) and ``limit``.

    Parameters
    ----------
    frame
        A lazy Narwhals frame with a column ``value`` of numbers or text; ``qualifier`` and ``limit`` may be there
        already (text in ``value`` comes first).
    lenient
        Take text that is no value for null instead of refusing it.

    Returns
    -------
    frame
        With ``<``: ``value`` null and ``limit`` the limit of detection. With ``>``: ``value`` and ``limit`` the upper
        end of the range. With ``ND``: ``value`` null, ``limit`` as given or null.

    Raises
    ------
    InputError
        If a text is neither a number nor a qualified one; the first is quoted.
    """
    schema = frame.collect_schema()
    names = schema.names()
    given_qualifier = nw.col("qualifier").cast(nw.String) if "qualifier" in names else nw.lit(None, dtype=nw.String)
    given_limit = number(nw.col("limit"), schema["limit"]) if "limit" in names else nw.lit(None, dtype=nw.Float64)
    is_text = schema["value"] == nw.String
    if is_text:
        frame = frame.with_columns(_folded(nw.col("value").cast(nw.String)).alias("_written"))
        written, is_number, is_below, is_above, is_nothing = _read()
        if not lenient:
            _refuse(frame, ~(is_number | is_below | is_above | is_nothing | written.is_in(_NOTHING_GIVEN)))
        bare = written.str.replace_all(r"[<>L]", "")
        held: nw.Expr = nw.when(is_number | is_below | is_above).then(bare).cast(nw.Float64)
        from_text = (
            nw.when(is_below).then(nw.lit(BELOW)).when(is_above).then(nw.lit(ABOVE))
            .when(is_nothing).then(nw.lit(NOT_DETECTED))
        )  # fmt: skip
        qualifier: nw.Expr = nw.coalesce(from_text, _normal(given_qualifier))
    else:
        held = number(nw.col("value"), schema["value"])
        qualifier = _normal(given_qualifier)
    marked = frame.with_columns(held.alias("_held"), qualifier.alias("qualifier"), given_limit.alias("_limit"))
    below = nw.col("qualifier") == BELOW
    nothing = nw.col("qualifier") == NOT_DETECTED
    ends = [nw.col("_held"), nw.col("_limit")] if is_text else [nw.col("_limit"), nw.col("_held")]
    end = nw.when(below | (nw.col("qualifier") == ABOVE)).then(nw.coalesce(*ends))
    return marked.with_columns(
        nw.when(~(below | nothing).fill_null(value=False)).then(nw.col("_held")).alias("value"),
        nw.when(nothing).then(nw.col("_limit")).otherwise(end).alias("limit"),
    ).drop("_held", "_limit", *(["_written"] if is_text else []))


def number(column: nw.Expr, dtype: Any) -> nw.Expr:
    """Return a column of numbers in double precision; NaN and infinities are null.

    Single precision goes by the decimal number that a person reads: 0.2 is 0.2, not 0.200000003.
    """
    real = column.cast(nw.String).cast(nw.Float64) if dtype == nw.Float32 else column.cast(nw.Float64)
    return nw.when(real.is_finite()).then(real)


def halved(value: nw.Expr, qualifier: nw.Expr, limit: nw.Expr) -> nw.Expr:
    """Return what enters a mean: the value, or half the limit of detection where nothing was found.

    A text that says ND without a limit enters no mean. 依据: 环办〔2011〕22号 的监测网络技术惯例 (check M)
    """
    found_nothing = qualifier.is_in((BELOW, NOT_DETECTED))
    return nw.when(found_nothing).then(limit / 2).otherwise(value)


def lowest(value: nw.Expr, qualifier: nw.Expr) -> nw.Expr:
    """Return the least that the true value can be."""
    found_nothing = qualifier.is_in((BELOW, NOT_DETECTED))
    return nw.when(found_nothing).then(nw.lit(0.0)).otherwise(value)


def highest(value: nw.Expr, qualifier: nw.Expr, limit: nw.Expr) -> nw.Expr:
    """Return the most that the true value can be; null where that is not known (``>``, or ND without a limit)."""
    found_nothing = qualifier.is_in((BELOW, NOT_DETECTED))
    bound = nw.when(found_nothing).then(limit)
    return nw.when(qualifier.is_null()).then(value).otherwise(bound)


def _folded(column: nw.Expr) -> nw.Expr:
    written = column.str.replace_all(r"[\s　,，]", "").str.to_uppercase().fill_null("")
    for sign, plain in _SIGNS:
        written = written.str.replace_all(sign, plain, literal=True)
    return written


def _read() -> tuple[nw.Expr, nw.Expr, nw.Expr, nw.Expr, nw.Expr]:
    written = nw.col("_written")
    is_number = written.str.contains(f"^{_NUMBER}$")
    is_below = written.str.contains(f"^<{_NUMBER}L?$") | written.str.contains(f"^{_NUMBER}L$")
    is_above = written.str.contains(f"^>{_NUMBER}$")
    return written, is_number, is_below, is_above, written.is_in(_NOTHING_FOUND)


def _normal(qualifier: nw.Expr) -> nw.Expr:
    written = qualifier.str.strip_chars().str.to_uppercase()
    return (
        nw.when(written.is_in(("<", "＜", "≤", "L"))).then(nw.lit(BELOW))
        .when(written.is_in((">", "＞", "≥"))).then(nw.lit(ABOVE))
        .when(written.is_in(_NOTHING_FOUND)).then(nw.lit(NOT_DETECTED))
    )  # fmt: skip


def _refuse(frame: nw.LazyFrame[Any], is_wrong: nw.Expr) -> None:
    wrong = frame.filter(is_wrong).select(nw.col("value").min().alias("first"), nw.len().alias("rows")).collect()
    found = wrong.to_dict(as_series=False)
    if found["rows"][0]:
        first, rows = found["first"][0], found["rows"][0]
        raise InputError(
            f"列 value 有 {rows} 行不是数值也不是“<0.01”“0.01L”“ND”“未检出”一类的写法，例如“{first}”：请改正或删去。",
            f'Column value has {rows} row(s) that are neither a number nor written like "<0.01", "0.01L" or "ND", '
            f'such as "{first}": mend or remove them.',
            field="value",
        )
