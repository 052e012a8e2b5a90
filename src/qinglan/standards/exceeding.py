"""Lists of the items beyond their limits, with multiples, in steps that every engine plans quickly."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import narwhals as nw

from qinglan.core.frames import with_ratios
from qinglan.standards.single_factor import Limit, Samples, high, low


@dataclass(frozen=True)
class Beyond:
    """An item that may lie beyond its limit: when it does, and what its multiple (C − S)/S is made of, if it has one.

    A limit of zero has no multiple.
    """

    name: str
    holds: nw.Expr
    value: nw.Expr | None = None
    limit: nw.Expr | int = 0


def beyond(samples: Samples, limits: Mapping[str, Limit]) -> list[Beyond]:
    """Return how each item certainly lies beyond its limit; ranges and lower limits have no multiple."""
    found = []
    for item in samples.items:
        limit = limits.get(item.code)
        if limit is None:
            continue
        value = nw.col(high(item)) if item.relation == ">" else nw.col(low(item))
        holds = ~item.meets(value, limit)
        if item.relation == "range":
            holds = holds | ~item.meets(nw.col(high(item)), limit)
        if isinstance(limit, Decimal) and item.relation == "<=":
            found.append(Beyond(item.name, holds, value, item.whole(limit)))
        else:
            found.append(Beyond(item.name, holds))
    return found


def with_exceeding(frame: nw.LazyFrame[Any], lists: Mapping[str, Sequence[Beyond]]) -> nw.LazyFrame[Any]:
    """Add columns that list the items beyond their limit, with multiples: ``无机氮(2.05)、pH``; null where none is.

    Multiples have two decimals, rounded half to even. They are made in steps, which every engine plans quickly.
    """
    ratios: dict[str, tuple[nw.Expr, nw.Expr | int]] = {}
    texts: dict[str, list[nw.Expr]] = {}
    for column, parts in lists.items():
        texts[column] = []
        for number, part in enumerate(parts):
            if part.value is None or (isinstance(part.limit, int) and part.limit == 0):
                texts[column].append(nw.when(part.holds).then(nw.lit(part.name)))
                continue
            name = f"_{column} {number}"
            ratios[name] = nw.when(part.holds).then((part.value - part.limit) * 100), part.limit
            texts[column].append(_written(part.name, nw.col(name)))
    held = with_ratios(frame, ratios) if ratios else frame
    joined_ = held.with_columns(
        nw.concat_str(parts, separator="、", ignore_nulls=True).alias(column) if parts else _nothing().alias(column)
        for column, parts in texts.items()
    )
    return joined_.drop(*ratios).with_columns(
        nw.when(nw.col(column) != "").then(nw.col(column)).alias(column) for column in lists
    )


def _nothing() -> nw.Expr:
    return nw.lit(None, dtype=nw.String)


def _written(name: str, hundredths: nw.Expr) -> nw.Expr:
    whole, rest = (hundredths // 100).cast(nw.String), (hundredths % 100).cast(nw.String).str.zfill(2)
    return nw.concat_str([nw.lit(f"{name}("), whole, nw.lit("."), rest, nw.lit(")")])
