"""Facts of a declared table as expressions of any engine, without a join."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import Opened, opened, real
from qinglan.standards.qualified import number


def looked_up(key: nw.Expr, table: Mapping[Any, Any], dtype: Any) -> nw.Expr:
    """Return, for each row, what `table` holds under its `key`; null for keys that are not there."""
    held = {name: value for name, value in table.items() if value is not None}
    if not held:
        return nw.lit(None, dtype=dtype)
    return key.replace_strict(list(held), list(held.values()), default=None, return_dtype=dtype)


def amounts(
    frame: Any, required: Sequence[str], numeric: Sequence[str], at_most: Mapping[str, float] | None = None
) -> Opened:
    """Open a frame whose `numeric` columns are amounts: real numbers, not negative; NaN and infinities are null.

    Parameters
    ----------
    frame, required
        As for `opened`.
    numeric
        The columns that hold amounts, as far as the frame has them.
    at_most
        The largest value that a column may hold (100 for a score).

    Raises
    ------
    InputError
        If a column is absent, holds text, or an impossible amount; the column and the amount are named.
    """
    given = opened(frame, required)
    schema = given.frame.collect_schema()
    present = [column for column in numeric if column in schema.names()]
    for column in present:
        if not schema[column].is_numeric():
            raise InputError(
                f"列 {column} 应为数字，现为 {schema[column]}。",
                f"Column {column} should hold numbers; it holds {schema[column]}.",
                field=column,
            )
    if not present:
        return given
    read = given.frame.with_columns(number(nw.col(column), schema[column]).alias(column) for column in present)
    ends = read.select(
        *(nw.col(column).min().alias(f"least {column}") for column in present),
        *(nw.col(column).max().alias(f"most {column}") for column in present),
    )
    _refuse_impossible(ends.collect(backend="pyarrow").to_dict(as_series=False), present, at_most or {})
    return Opened(read, given.back)


def _refuse_impossible(ends: Mapping[str, Any], present: Sequence[str], at_most: Mapping[str, float]) -> None:
    for column in present:
        least, most, limit = ends[f"least {column}"][0], ends[f"most {column}"][0], at_most.get(column)
        too_small, too_large = least is not None and least < 0, limit is not None and (most or 0) > limit
        if too_small or too_large:
            found = least if too_small else most
            zh, en = (
                ("不小于 0", "not be negative") if limit is None else (f"在 0 与 {limit:g} 之间", f"lie in 0–{limit:g}")
            )
            raise InputError(
                f"列 {column} 有 {found:g}：应{zh}。", f"Column {column} holds {found:g}; it should {en}.", field=column
            )


def only(frame: nw.LazyFrame[Any], column: str, allowed: Sequence[str]) -> None:
    """Refuse a column that holds a text other than those `allowed` (or null); the first is named.

    Raises
    ------
    InputError
        If there is one.
    """
    other = ~nw.col(column).is_in(list(allowed)) & ~nw.col(column).is_null()
    found = frame.filter(other).select(nw.col(column).min().alias("found"))
    value = found.collect(backend="pyarrow").to_dict(as_series=False)["found"][0]
    if value is not None:
        raise InputError(
            f"列 {column} 的“{value}”不可取：应为 {'、'.join(allowed)}。",
            f'Column {column} holds "{value}"; it should be one of {", ".join(allowed)}.',
            field=column,
        )


def decimal(whole: nw.Expr, decimals: int) -> nw.Expr:
    """Return whole numbers of 10 to the minus `decimals` as the real numbers that are printed so."""
    return real(whole, 10**decimals)
