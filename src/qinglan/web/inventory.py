"""Which series the lake holds, with their rows and first and last times: one pass over the lake a revision."""

from __future__ import annotations

import polars as pl

from qinglan.core.rounding import exact, half_even
from qinglan.observations.lake import Lake
from qinglan.web.kept import Kept

SERIES = ("site", "factor", "grain", "basis")
SIMULATED = "simulated"


def inventory(lake: Lake, kept: Kept, revision: int) -> pl.DataFrame:
    """Return one row a series: ``site, factor, grain, basis, rows, first, last, simulated`` and its newest value.

    ``time, value, flag`` are those of the newest observation; times are UTC.
    """
    return kept.get(revision, "inventory", lambda: _made(lake))


def _made(lake: Lake) -> pl.DataFrame:
    counted = (
        lake.scan()
        .group_by(SERIES)
        .agg(
            pl.len().alias("rows"),
            pl.col("time").min().alias("first"),
            pl.col("time").max().alias("last"),
            (pl.col("source") == SIMULATED).any().alias("simulated"),
        )
        .collect()
    )
    newest = lake.latest().select(*SERIES, "time", "value", "flag")
    return counted.join(newest, on=list(SERIES), how="left").sort(SERIES)


def value_text(value: float | None) -> str:
    """Return a measured value as it is printed: no digit is added and none is taken away.

    Examples
    --------
    >>> value_text(35.0), value_text(0.84), value_text(None)
    ('35', '0.84', '')
    """
    if value is None:
        return ""
    number = exact(value)
    whole = number == number.to_integral_value()
    return format(half_even(number) if whole else number.normalize(), "f")
