"""Zones, periods, rooms and bands as people write them, and levels in tenths of a decibel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, half_even_ratio, scaled

TENTH = SCALE // 10
LOUDEST = 150
"""No environmental level is higher; one that is, or is below zero, is no measurement."""

PERIODS = {"day": "day", "昼间": "day", "昼": "day", "night": "night", "夜间": "night", "夜": "night"}
OCCASIONS = {"frequent": "frequent", "频发": "frequent", "occasional": "occasional", "偶发": "occasional"}
ROOMS = {"A": "A", "B": "B", "A类": "A", "B类": "B", "A类房间": "A", "B类房间": "B"}
LEVELS = ("Leq", "leq", "LAeq", "Leq(A)", "等效声级", "等效连续A声级", "噪声", "a50001", "B03")


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
    """Return tenths as decibels.

    Polars multiplies by the reciprocal of a literal divisor (126 / 10 is then 12.600000000000001), but not of a column.
    """
    return tenths.cast(nw.Float64) / (tenths * 0 + 10).cast(nw.Float64)
