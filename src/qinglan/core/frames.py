"""Frames of any engine: opened in one place, guarded in one place, counted in whole numbers.

Evaluators are written on Narwhals expressions and run on Polars, pandas, DuckDB and PySpark. A value enters as a
whole number of millionths of its unit (`scaled`), sums and counts stay whole numbers, and rounding is done on the
ratio of two whole numbers, so that every engine gives the same digits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING_OFFSET

SCALE = 1_000_000
"""Values are kept to the millionth of their unit."""


@dataclass(frozen=True)
class Opened:
    """A frame as the evaluators see it, and the way back to the engine it came from."""

    frame: nw.LazyFrame[Any]
    back: Callable[[nw.LazyFrame[Any]], Any]

    def give(self, result: nw.LazyFrame[Any]) -> Any:
        """Return `result` as the user's own kind of frame."""
        return self.back(result)


def opened(frame: Any, required: Sequence[str]) -> Opened:
    """Open a native frame and refuse it if a required column is absent.

    Parameters
    ----------
    frame
        A Polars frame (eager or lazy), a pandas frame, a PyArrow table, a DuckDB relation or a PySpark frame.
        Eager frames of other libraries are computed by Polars and come back as what they were.
    required
        The columns that must be there.

    Raises
    ------
    InputError
        If it is no such frame, or lacks a column.
    """
    try:
        found = nw.from_native(frame)
    except TypeError as error:
        raise InputError(
            f"需要 Polars、pandas、PyArrow、DuckDB 或 PySpark 的表，收到 {type(frame).__name__}。",
            f"A frame of Polars, pandas, PyArrow, DuckDB or PySpark is needed; got {type(frame).__name__}.",
        ) from error
    names = found.collect_schema().names()
    absent = [column for column in required if column not in names]
    if absent:
        raise InputError(
            f"缺少列 {'、'.join(absent)}：需要 {'、'.join(required)}，现有 {'、'.join(names)}。",
            f"Missing column(s) {', '.join(absent)}: {', '.join(required)} are needed, {', '.join(names)} are there.",
            field=absent[0],
        )
    if isinstance(found, nw.LazyFrame):
        return Opened(found, lambda result: result.to_native())
    backend = found.implementation
    return Opened(found.lazy(backend="polars"), lambda result: result.collect(backend=backend).to_native())


def on_beijing_clock(frame: nw.LazyFrame[Any], column: str = "time") -> nw.LazyFrame[Any]:
    """Return `frame` with a naive Beijing-time `column`; naive times are Beijing time already.

    Raises
    ------
    InputError
        If the column holds no times, or times with a zone on DuckDB, whose answer depends on its session.
    """
    dtype = frame.collect_schema()[column]
    if not isinstance(dtype, nw.Datetime):
        raise InputError(
            f"列 {column} 应为日期时间，现为 {dtype}。",
            f"Column {column} should hold times; it holds {dtype}.",
            field=column,
        )
    if dtype.time_zone is None or frame.implementation.is_pyspark():
        return frame
    if frame.implementation.is_duckdb():
        raise InputError(
            f"DuckDB 的列 {column} 带时区，结果会随会话时区变化："
            f"请先用 {column} AT TIME ZONE 'Asia/Shanghai' 转为北京时间。",
            f"DuckDB column {column} carries a zone, so its answer depends on the session: convert it first with "
            f"{column} AT TIME ZONE 'Asia/Shanghai'.",
            field=column,
        )
    local = nw.col(column).dt.convert_time_zone("UTC").dt.replace_time_zone(None) + BEIJING_OFFSET
    return frame.with_columns(local.alias(column))


def settled(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Compute a Polars frame now, and cut Spark's plan here; DuckDB stays lazy.

    Two branches of one lazy Polars frame would make it keep the whole input in memory for the second branch, and
    Spark would plan and compute what lies before the branch once for each.
    """
    return frame.collect().lazy() if frame.implementation.is_polars() else cut(frame)


def cut(frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """Cut Spark's plan here, so that what follows is planned by itself; other engines stay as they are.

    Spark plans a long chain of long expressions in minutes, its parts in seconds, and compiles no method above 64 kB.
    """
    if not frame.implementation.is_pyspark():
        return frame
    checkpoint: nw.LazyFrame[Any] = nw.from_native(frame.to_native().localCheckpoint(eager=False))
    return checkpoint


def scaled(column: nw.Expr, scale: int = SCALE) -> nw.Expr:
    """Return the values as whole numbers of 1/`scale`; NaN and infinities become null."""
    number = column.cast(nw.Float64)
    return (nw.when(number.is_finite()).then(number * scale + 0.5)).floor().cast(nw.Int64)


def half_even_ratio(numerator: nw.Expr, denominator: nw.Expr | int) -> nw.Expr:
    """Return ``numerator / denominator`` rounded half to even, for whole numbers and a positive denominator.

    依据: GB/T 8170—2008 3.2
    """
    return _to_even(numerator, denominator, numerator // denominator)


def _to_even(numerator: nw.Expr, denominator: nw.Expr | int, quotient: nw.Expr) -> nw.Expr:
    rest = numerator - quotient * denominator
    goes_up = (rest * 2 > denominator) | ((rest * 2 == denominator) & (quotient % 2 != 0))
    return nw.when(goes_up).then(quotient + 1).otherwise(quotient)


def with_ratios(frame: nw.LazyFrame[Any], ratios: Mapping[str, tuple[nw.Expr, nw.Expr | int]]) -> nw.LazyFrame[Any]:
    """Return `frame` with columns of `half_even_ratio`, made in steps.

    Each operand is computed once, where one expression repeats it seven times: with many columns, or operands that
    are long themselves, Spark takes minutes to plan the one and seconds to plan the other.
    """
    operands = {}
    for name, (numerator, denominator) in ratios.items():
        operands[f"_numerator {name}"] = numerator
        operands[f"_denominator {name}"] = nw.lit(denominator) if isinstance(denominator, int) else denominator
    held = frame.with_columns(
        expression.cast(nw.Int64).alias(name) for name, expression in operands.items()
    ).with_columns(
        (nw.col(f"_numerator {name}") // nw.col(f"_denominator {name}")).alias(f"_quotient {name}") for name in ratios
    )
    rounded = held.with_columns(
        _to_even(nw.col(f"_numerator {name}"), nw.col(f"_denominator {name}"), nw.col(f"_quotient {name}")).alias(name)
        for name in ratios
    )
    return rounded.drop(*operands, *(f"_quotient {name}" for name in ratios))


def up_ratio(numerator: nw.Expr, denominator: nw.Expr | int) -> nw.Expr:
    """Return ``numerator / denominator`` rounded up, for whole numbers and a positive denominator."""
    return (numerator + (denominator - 1)) // denominator


def listed(conditions: Sequence[tuple[nw.Expr, str]]) -> nw.Expr:
    """Return the names whose condition holds, joined by 、 in the given order; null when none does."""
    parts = [nw.when(condition).then(nw.lit(name)) for condition, name in conditions]
    text = nw.concat_str(parts, separator="、", ignore_nulls=True)
    return nw.when(text != "").then(text)


def with_lists(frame: nw.LazyFrame[Any], lists: Mapping[str, Sequence[tuple[nw.Expr, str]]]) -> nw.LazyFrame[Any]:
    """Return `frame` with columns of `listed`, made in steps, so that each condition is computed once."""
    if not lists:
        return frame
    texts = [
        nw.concat_str(
            [nw.when(condition).then(nw.lit(name)) for condition, name in conditions], separator="、", ignore_nulls=True
        ).alias(column)
        for column, conditions in lists.items()
    ]
    return frame.with_columns(*texts).with_columns(
        nw.when(nw.col(column) != "").then(nw.col(column)).alias(column) for column in lists
    )


def real(column: nw.Expr, scale: int = SCALE) -> nw.Expr:
    """Return whole numbers of 1/`scale` as the real numbers nearest to them.

    The divisor is made from the column, because Polars multiplies by the reciprocal of a literal divisor, which
    misses the nearest number in the last digit.
    """
    number = column.cast(nw.Float64)
    return number / (number * 0 + scale)


def long(
    wide: nw.LazyFrame[Any],
    keys: Sequence[str],
    parts: Mapping[str, Mapping[str, nw.Expr]],
    given: nw.LazyFrame[Any],
) -> nw.LazyFrame[Any]:
    """Return one row for each row of `wide` and each name in `parts`, without computing `wide` twice.

    Parameters
    ----------
    parts
        For each name, the columns of its row; all names have the same columns.
    given
        The frame that `wide` was made from; its engine makes the table of names.
    """
    columns: dict[str, nw.Expr] = {}
    for number, part in enumerate(parts.values()):
        for name, expression in part.items():
            chosen = nw.when(nw.col("_part") == number).then(expression)
            columns[name] = chosen.otherwise(columns[name]) if name in columns else chosen
    joined = wide.join(_numbers(len(parts), given), how="cross")
    return joined.select(*keys, *(column.alias(name) for name, column in columns.items()))


def _numbers(count: int, given: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    if given.implementation.is_polars():
        return nw.from_dict({"_part": list(range(count))}, backend="polars").lazy()
    one = given.select(nw.lit(0, dtype=nw.Int64).alias("_part")).head(1)
    return nw.concat([one.select(nw.lit(number, dtype=nw.Int64).alias("_part")) for number in range(count)])
