"""Yearly figures that other departments would report, made for the demo city."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

from qinglan.core.interval import BEIJING

_SCHEMA: Final = {
    "site": pl.String(),
    "factor": pl.String(),
    "grain": pl.String(),
    "time": pl.Datetime("us", "UTC"),
    "basis": pl.String(),
    "value": pl.Float64(),
    "qualifier": pl.String(),
    "limit": pl.Float64(),
    "flag": pl.String(),
    "received": pl.Datetime("us", "UTC"),
}


@dataclass(frozen=True)
class Figure:
    """How one yearly figure goes from its first year to its last.

    Attributes
    ----------
    factor
        The id of its series.
    site
        The network that it speaks of, so that figures of two networks are two series.
    first, last
        Years, both included.
    start, end
        Values of the first and the last year.
    noise
        Standard deviation of the years between.
    decimals
        Decimals it is reported with.
    high
        Upper bound that it never passes; the lower one is 0.
    of
        Where it is a share of so many things (7 sections), every value is a whole number of them, in per cent.
    rises
        True where it is a running sum that never falls.
    """

    factor: str
    site: str
    first: int
    last: int
    start: float
    end: float
    noise: float
    decimals: int
    high: float = float("inf")
    of: int | None = None
    rises: bool = False


def yearly_figures(figures: Sequence[Figure], seed: int) -> pl.DataFrame:
    """Return year-grain observations of basis ``assessed``, each received in the March after its year.

    Examples
    --------
    >>> cover = Figure("forest", "survey", first=2020, last=2025, start=36.4, end=36.65, noise=0.0, decimals=2)
    >>> yearly_figures([cover], seed=1)["value"].to_list()
    [36.4, 36.45, 36.5, 36.55, 36.6, 36.65]
    """
    frames = [_series(figure, seed) for figure in figures]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *frames]).sort("received", "factor", "site")


def _series(figure: Figure, seed: int) -> pl.DataFrame:
    years = range(figure.first, figure.last + 1)
    random = np.random.default_rng([seed, 3, crc32(f"{figure.factor}/{figure.site}".encode())])
    values: NDArray[np.float64] = np.linspace(figure.start, figure.end, len(years), dtype=np.float64)
    # The first and the last year are as given; only the way between is uncertain.
    values[1:-1] += figure.noise * random.standard_normal(max(len(years) - 2, 0))
    if figure.of:
        values = np.round(values / 100 * figure.of) / figure.of * 100
    values = np.asarray(np.round(np.clip(values, 0, figure.high), figure.decimals), dtype=np.float64)
    if figure.rises:
        values = np.maximum.accumulate(values)
    return pl.DataFrame(
        {
            "site": [figure.site] * len(years),
            "factor": [figure.factor] * len(years),
            "grain": ["year"] * len(years),
            "time": [datetime(year, 1, 1, tzinfo=BEIJING) for year in years],
            "basis": ["assessed"] * len(years),
            "value": values,
            "qualifier": [None] * len(years),
            "limit": [None] * len(years),
            "flag": [None] * len(years),
            "received": [datetime(year + 1, 3, 1 + int(random.integers(0, 28)), 10, tzinfo=BEIJING) for year in years],
        },
        schema=_SCHEMA,
    )
