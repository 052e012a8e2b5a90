"""Yearly figures that other departments would report, made for the demo city."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zlib import crc32

import numpy as np
import polars as pl
from numpy.typing import NDArray

from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING

Values = NDArray[np.float64]
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
    site
        The place it speaks of.
    start, end
        Values of the first and the last year.
    noise
        Standard deviation of the years between.
    decimals
        Decimals it is reported with.
    low, high
        Bounds that it never leaves.
    of
        Where it is a share of so many things (7 sections), every value is a whole number of them, in per cent.
    rises
        True where it is a running sum that never falls.
    first
        First year that has a figure, where later than the first asked for.
    before
        The first year's figure where it stands on another network than the rest (7 sections, then 11); `start` is
        then the second year's.
    """

    site: str
    start: float
    end: float
    noise: float
    decimals: int
    low: float = 0.0
    high: float = float("inf")
    of: int | None = None
    rises: bool = False
    first: int | None = None
    before: float | None = None


def yearly_figures(figures: Mapping[str, Figure], years: Iterable[int], seed: int) -> pl.DataFrame:
    """Return year-grain observations of `figures` (by factor id), received in the March after each year.

    Raises
    ------
    InputError
        If no year is asked for.

    Examples
    --------
    >>> cover = {"forest": Figure(site="city", start=36.4, end=36.65, noise=0.0, decimals=2)}
    >>> yearly_figures(cover, range(2020, 2026), seed=1)["value"].to_list()
    [36.4, 36.45, 36.5, 36.55, 36.6, 36.65]
    """
    wanted = sorted(years)
    if not wanted:
        raise InputError("没有要模拟的年份。", "There is no year to simulate.", field="years")
    frames = [_series(factor, figure, wanted, seed) for factor, figure in sorted(figures.items())]
    return pl.concat([pl.DataFrame(schema=_SCHEMA), *frames]).sort("received", "factor", "site")


def _series(factor: str, figure: Figure, years: list[int], seed: int) -> pl.DataFrame:
    years = [year for year in years if figure.first is None or year >= figure.first]
    random = np.random.default_rng([seed, 3, crc32(f"{factor}/{figure.site}".encode())])
    own = years if figure.before is None else years[1:]
    values: Values = np.linspace(figure.start, figure.end, len(own), dtype=np.float64)
    # The first and the last year are as given; only the way between is uncertain.
    values[1:-1] += figure.noise * random.standard_normal(max(len(own) - 2, 0))
    if figure.of:
        values = np.round(values / 100 * figure.of) / figure.of * 100
    values = np.asarray(np.round(np.clip(values, figure.low, figure.high), figure.decimals), dtype=np.float64)
    if figure.rises:
        values = np.maximum.accumulate(values)
    if figure.before is not None:
        values = np.concatenate([[figure.before], values])
    return pl.DataFrame(
        {
            "site": [figure.site] * len(years),
            "factor": [factor] * len(years),
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
