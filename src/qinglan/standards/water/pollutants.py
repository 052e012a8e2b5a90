"""环办〔2011〕22号: the main pollutants of a section, those of its basin, and the multiples of class III."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from qinglan.core.frames import cut, real, scaled, with_ratios
from qinglan.standards.lookup import looked_up
from qinglan.standards.water.classes import Judged
from qinglan.standards.water.items import NANO, title_of
from qinglan.standards.water.tables import GOOD, WORST

MICRO = 1_000_000
PLACES = 32
"""More than there are evaluated items: a key's place among them is its remainder."""

_MOST_MULTIPLE = 9_999_999
_NOT = -1


def over_limit(judged: Judged, item: str, is_lake: nw.Expr) -> nw.Expr:
    """Return the multiple by which an item exceeds class III; null where it has none.

    依据: 环办〔2011〕22号 二
    """
    if item in judged.method.pollutants.without_multiple:
        return nw.lit(None, dtype=nw.Float64)
    q = nw.col(f"q {item}")
    third = int(judged.edition.criterion(item, "lake").limits[GOOD - 1] * NANO)
    found = real(q - third, third)
    if item == "tp":
        river = int(judged.edition.criterion(item, "river").limits[GOOD - 1] * NANO)
        found = nw.when(is_lake).then(found).otherwise(real(q - river, river))
    return found


def with_tops(frame: nw.LazyFrame[Any], keys: Sequence[str], count: int) -> nw.LazyFrame[Any]:
    """Return `frame` with ``top 0``, ``top 1`` …: the largest of the columns `keys`, which differ; −1 is none."""
    for rank in range(count):
        below = [nw.col(key) for key in keys]
        if rank:
            before = nw.col(f"top {rank - 1}")
            below = [nw.when(key < before).then(key).otherwise(nw.lit(_NOT, dtype=nw.Int64)) for key in below]
        frame = frame.with_columns(nw.max_horizontal(*below).alias(f"top {rank}"))
    return frame


def with_main_pollutants(judged: Judged, is_lake: nw.Expr) -> nw.LazyFrame[Any]:
    """Return the judged frame with ``main_pollutants``; null where the class is III or better, or not known."""
    rule = judged.method.pollutants
    multiples = [over_limit(judged, item, is_lake).alias(f"m {item}") for item in judged.items]
    whole = [scaled(nw.col(f"m {item}"), MICRO).fill_null(0).alias(f"m {item}") for item in judged.items]
    keys = [_key(judged, item, number).alias(f"k {item}") for number, item in enumerate(judged.items)]
    keyed = cut(judged.frame.with_columns(*multiples).with_columns(*whole)).with_columns(*keys)
    frame = with_tops(keyed, [f"k {item}" for item in judged.items], rule.count)
    tops = range(rule.count)
    scale, step = (_MOST_MULTIPLE + 1) * MICRO, MICRO // 10**rule.decimals
    frame = frame.with_columns(
        *((PLACES - 1 - nw.col(f"top {rank}") % PLACES).alias(f"place {rank}") for rank in tops),
        *(((nw.col(f"top {rank}") // PLACES) % scale).alias(f"multiple {rank}") for rank in tops),
    )
    frame = with_ratios(frame, {f"tenths {rank}": (nw.col(f"multiple {rank}"), step) for rank in tops})
    frame = frame.with_columns(_shown(judged, rank).alias(f"shown {rank}") for rank in tops)
    text = nw.concat_str([f"shown {rank}" for rank in tops], separator="、", ignore_nulls=True)
    joined = frame.with_columns(text.alias("shown"))
    return joined.with_columns(nw.when(nw.col("shown") != "").then(nw.col("shown")).alias("main_pollutants"))


def _key(judged: Judged, item: str, number: int) -> nw.Expr:
    """Return a whole number that orders the items of a section: class, then multiple, then the order of table 1."""
    multiple = nw.col(f"m {item}")
    capped = nw.when(multiple > _MOST_MULTIPLE * MICRO).then(_MOST_MULTIPLE * MICRO).otherwise(multiple)
    place = nw.col(f"c {item}") + (WORST + 1) * (item in judged.method.pollutants.first)
    key = (place * (_MOST_MULTIPLE + 1) * MICRO + capped) * PLACES + (PLACES - 1 - number)
    counts = (nw.col(f"c {item}") > GOOD) & (nw.col("water_class") > GOOD)
    return nw.when(counts).then(key).otherwise(nw.lit(_NOT, dtype=nw.Int64))


def _shown(judged: Judged, rank: int) -> nw.Expr:
    rule = judged.method.pollutants
    steps = 10**rule.decimals
    place, tenths = nw.col(f"place {rank}"), nw.col(f"tenths {rank}")
    plain = [number for number, item in enumerate(judged.items) if item in rule.without_multiple]
    names = {number: title_of(item) + ("" if number in plain else "(") for number, item in enumerate(judged.items)}
    figures = [(tenths // steps).cast(nw.String), (tenths % steps).cast(nw.String).str.zfill(rule.decimals)]
    rest = nw.concat_str([figures[0], nw.lit("."), figures[1], nw.lit(")")])
    rest = nw.when(place.is_in(plain or [_NOT])).then(nw.lit("")).otherwise(rest)
    return nw.when(nw.col(f"top {rank}") > 0).then(nw.concat_str([looked_up(place, names, nw.String), rest]))
