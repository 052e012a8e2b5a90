"""Zones, periods, rooms and bands as people write them, and levels in tenths of a decibel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import SCALE, Opened, half_even_ratio, opened, real, scaled

TENTH = SCALE // 10
LOUDEST = 150
"""No environmental level is higher; one that is, or is below zero, is no measurement."""

PERIODS = {"day": "day", "昼间": "day", "昼": "day", "night": "night", "夜间": "night", "夜": "night"}
OCCASIONS = {"frequent": "frequent", "频发": "frequent", "occasional": "occasional", "偶发": "occasional"}
ROOMS = {"A": "A", "B": "B", "A类": "A", "B类": "B", "A类房间": "A", "B类房间": "B"}
LEVELS = ("Leq", "leq", "LAeq", "Leq(A)", "等效声级", "等效连续A声级", "噪声", "a50001", "B03")
_LEVEL_COLUMNS = ("value", "ld", "ln", "night_max", "maximum")
MEASURED = (*_LEVEL_COLUMNS, "length")


def zone_words(zones: Iterable[str]) -> dict[str, str]:
    """Return every way of writing each zone."""
    found: dict[str, str] = {}
    for zone in zones:
        written = [zone, zone.upper(), f"{zone}类", f"{zone}类区", f"{zone}类功能区"]
        if zone.isdigit():
            written.append(f"{zone}.0")
        if zone.endswith(" existing"):
            written += [zone.replace(" existing", "既有"), zone.replace(" existing", "类既有铁路")]
        found |= dict.fromkeys(written, zone)
    return found


def limit_of(keys: tuple[str, ...], limits: Mapping[Any, Decimal]) -> nw.Expr:
    """Return the limit, in tenths of a decibel, that the row's `keys` have; null where there is none."""
    joined = nw.concat_str([nw.col(key) for key in keys], separator="|")
    tenths = {"|".join(key): int(limit * 10) for key, limit in limits.items()}
    return joined.replace_strict(tenths, default=None, return_dtype=nw.Int64)


def plausible(column: str) -> nw.Expr:
    """Return the levels of `column`; null where it is no number or no level that can be."""
    level = nw.col(column).cast(nw.Float64)
    return nw.when(level.is_finite() & (level >= 0) & (level <= LOUDEST)).then(level)


def tenths_of(level: nw.Expr) -> nw.Expr:
    """Return levels rounded half to even at 0.1 dB, in tenths."""
    return half_even_ratio(scaled(level), TENTH)


def decibels(tenths: nw.Expr) -> nw.Expr:
    """Return tenths as decibels."""
    return real(tenths, 10)


def heard(frame: Any, required: Sequence[str]) -> Opened:
    """Open a frame whose levels and lengths are numbers.

    Raises
    ------
    InputError
        If a column is absent, or one of levels holds text.
    """
    given = opened(frame, required)
    schema = given.frame.collect_schema()
    for column in MEASURED:
        if column in schema.names() and not (schema[column].is_numeric() or schema[column] == nw.Unknown):
            raise InputError(
                f"列 {column} 应为数字（dB(A)），现为 {schema[column]}。",
                f"Column {column} should hold numbers, dB(A); it holds {schema[column]}.",
                field=column,
            )
    return given


def rejects(frame: Any) -> Any:
    """Return the rows that no evaluator of noise counts, with ``field, zh, en`` saying why.

    Parameters
    ----------
    frame
        A frame of any evaluator of noise: levels in ``value, ld, ln, night_max`` or ``maximum``, of roads with
        ``length``, optionally ``factor``.

    Returns
    -------
    frame
        Those rows with all their columns, and the first thing that is wrong with each: no level, a level that cannot
        be (below 0 or above 150 dB), a stretch of road without length, a factor that is no equivalent level.

    Raises
    ------
    InputError
        If no column holds a level, or one holds text.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"site": ["a", "b", "c"], "value": [50.0, None, 530.0]})
    >>> rejects(seen).select("site", "zh").rows()
    [('b', '没有数值'), ('c', '不可能大于 150')]
    """
    given = heard(frame, ())
    names = given.frame.collect_schema().names()
    present = [column for column in _LEVEL_COLUMNS if column in names]
    if not present:
        raise InputError(
            f"没有声级的列（{'、'.join(_LEVEL_COLUMNS)}）：现有 {'、'.join(names)}。",
            f"There is no column of levels ({', '.join(_LEVEL_COLUMNS)}): {', '.join(names)} are there.",
            field="value",
        )
    reasons: list[tuple[nw.Expr, str, str, str]] = []
    if "factor" in names:
        other = ~nw.col("factor").cast(nw.String).is_in(LEVELS)
        reasons.append((other.fill_null(value=True), "factor", "不是等效声级（Leq）", "no equivalent level (Leq)"))
    for column in present:
        level = nw.col(column).cast(nw.Float64)
        # A maximum is given for some rows only; the level itself is what a row is there for.
        if column in ("value", "ld", "ln"):
            absent = (~level.is_finite()).fill_null(value=True)
            reasons.append((absent, column, "没有数值", "no number"))
        reasons.append(((level < 0).fill_null(value=False), column, "不可能为负值", "cannot be negative"))
        reasons.append(
            (
                (level > LOUDEST).fill_null(value=False),
                column,
                f"不可能大于 {LOUDEST}",
                f"cannot be above {LOUDEST}",
            )
        )
    if "length" in names:
        unmeasured = ~(nw.col("length").cast(nw.Float64) > 0).fill_null(value=False)
        reasons.append((unmeasured, "length", "没有路段长度", "no length of the road"))
    marked = given.frame.with_columns(
        _first([(holds, field) for holds, field, _, _ in reasons]).alias("field"),
        _first([(holds, zh) for holds, _, zh, _ in reasons]).alias("zh"),
        _first([(holds, en) for holds, _, _, en in reasons]).alias("en"),
    )
    return given.give(marked.filter(~nw.col("field").is_null()))


def _first(reasons: Sequence[tuple[nw.Expr, str]]) -> nw.Expr:
    found = nw.lit(None, dtype=nw.String)
    for condition, text in reversed(reasons):
        found = nw.when(condition).then(nw.lit(text)).otherwise(found)
    return found
