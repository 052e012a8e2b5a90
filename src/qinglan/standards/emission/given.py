"""What all evaluators of online data do first: clock, stamp, factor, flag and unit."""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from qinglan.catalogue import factors, flags
from qinglan.core import units
from qinglan.core.errors import InputError
from qinglan.core.frames import on_beijing_clock
from qinglan.core.interval import Stamp
from qinglan.standards.lookup import looked_up
from qinglan.standards.qualified import number

OXYGEN: Final = "a19001"
GAS_FLOW: Final = "a00000"
WATER_FLOW: Final = "w00000"
FURNACE: Final = "a01901"


def measured(frame: nw.LazyFrame[Any], stamp: Stamp, length: str = "1h") -> nw.LazyFrame[Any]:
    """Return `frame` on the Beijing clock, stamped at the start, with the national codes and a real-number ``value``.

    Values come in the factor's own unit, from that of a column ``unit`` if there is one. A value whose flag is not
    valid becomes null; the flag and all marks are kept as they were given.

    Raises
    ------
    InputError
        If the stamp is not said, ``value`` holds no numbers, or a unit is of another kind than its factor's.
    """
    if stamp not in ("start", "end"):
        raise InputError(
            f"必须说明时间标记是时段的起点（start）还是终点（end），收到“{stamp}”。",
            f'Say whether times mark the start or the end of the period; got "{stamp}".',
            field="stamp",
        )
    frame = on_beijing_clock(frame)
    if stamp == "end":
        frame = frame.with_columns(nw.col("time").dt.offset_by(f"-{length}"))
    schema = frame.collect_schema()
    if not schema["value"].is_numeric():
        raise InputError(
            f"列 value 应为数字，现为 {schema['value']}。",
            f"Column value should hold numbers; it holds {schema['value']}.",
            field="value",
        )
    value = number(nw.col("value"), schema["value"])
    if "flag" in schema.names():
        unusable = [flag.id for flag in flags.all_flags().values() if not flag.valid]
        counts = ~nw.col("flag").cast(nw.String).is_in(unusable).fill_null(value=False)
        value = nw.when(counts).then(value)
    if "factor" not in schema.names():
        return frame.with_columns(value.alias("value"))
    coded = frame.with_columns(value.alias("value"), factor=_coded(frame))
    return coded.with_columns((nw.col("value") * to_own_unit(coded)).alias("value"))


def _coded(frame: nw.LazyFrame[Any]) -> nw.Expr:
    """Return the national code of each factor, by whatever usual name; others stay as they are."""
    known = {name: found.id for name in written_in(frame, "factor") if (found := factors.find(name)) is not None}
    written = nw.col("factor").cast(nw.String)
    return nw.coalesce(looked_up(written, known, nw.String), written)


def start_of(frame: nw.LazyFrame[Any], every: str) -> nw.Expr:
    """Return the start of the hour or day that each time lies in, without a zone on every engine."""
    start = nw.col("time").dt.truncate(every)
    # Spark's truncation gives a time of its session's zone, which shows the same clock.
    return start.dt.replace_time_zone(None) if frame.implementation.is_pyspark() else start


def to_own_unit(frame: nw.LazyFrame[Any]) -> nw.Expr:
    """Return what each row's number is multiplied by to be in the unit in which its factor is kept.

    Raises
    ------
    InputError
        If a row's ``unit`` is of another kind than its factor's.
    """
    if "unit" not in frame.collect_schema().names():
        return nw.lit(1.0)
    pairs = frame.select("factor", "unit").unique().collect(backend="pyarrow").to_dict(as_series=False)
    found: dict[str, float] = {}
    for factor, unit in zip(pairs["factor"], pairs["unit"], strict=True):
        own = own_unit(str(factor))
        if unit is not None and own:
            found[f"{factor}|{unit}"] = float(units.factor_between(str(unit), own))
    written = nw.concat_str([nw.col("factor"), nw.col("unit")], separator="|")
    return looked_up(written, found, nw.Float64).fill_null(1.0)


def own_unit(factor: str) -> str:
    """Return the unit in which a factor is kept; empty where none is known."""
    found = factors.find(factor)
    return found.unit if found else ""


def written_in(frame: nw.LazyFrame[Any], column: str) -> list[str]:
    """Return the different texts of a column."""
    found = frame.select(column).unique().collect(backend="pyarrow").to_dict(as_series=False)[column]
    return sorted(str(text) for text in found if text is not None)
