"""Rows of the lake as the frames that standards judge: counting values, one basis a series, each with its unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from qinglan.catalogue import factors
from qinglan.indicators.compute import Period, Request, preferred, valid_values

BASES = ("assessed", "audited", "realtime", "estimate")
SEA_ITEMS: Mapping[str, str] = {
    "w01001": "ph", "w01009": "do", "cod-alkaline": "cod", "din": "din", "dip": "dip", "w22001": "oil",
    "w20142": "hg", "w20111": "hg", "w20143": "cd", "w20115": "cd", "w20144": "pb", "w20120": "pb",
    "w20117": "cr6", "w20116": "cr", "w20141": "as", "w20119": "as", "w20138": "cu", "w20122": "cu",
    "w20139": "zn", "w20123": "zn", "w20140": "se", "w20128": "se", "w20121": "ni", "w21016": "cn", "w21019": "s",
    "w23002": "vp", "w19002": "las", "w01017": "bod5", "w02003": "fc",
}  # fmt: skip
"""What the items of sea water are called in the standard, by the codes of the catalogue."""
WELL_ITEMS: Mapping[str, str] = {
    "w01001": "ph", "hardness": "hardness", "w01006": "tds", "w21038": "so4", "w21022": "cl", "w20125": "fe",
    "w20124": "mn", "w20138": "cu", "w20122": "cu", "w20139": "zn", "w20123": "zn", "w23002": "phenols",
    "w19002": "las", "w01019": "codmn", "w21003": "nh4n", "w21019": "s", "w21006": "no2n", "w21007": "no3n",
    "w21016": "cn", "w21017": "f", "w20142": "hg", "w20111": "hg", "w20141": "as", "w20119": "as", "w20140": "se",
    "w20128": "se", "w20143": "cd", "w20115": "cd", "w20117": "cr6", "w20144": "pb", "w20120": "pb",
}  # fmt: skip
"""What the items of groundwater are called in the standard, by the codes of the catalogue."""


def counting(rows: pl.DataFrame, bases: Sequence[str] = BASES) -> pl.DataFrame:
    """Return the rows with a value that counts, of each series those of the first basis that it has."""
    return preferred(rows.filter(valid_values()), bases)


def counting_by_period(request: Request, sites: Sequence[str], factors_: Sequence[str] | None = None) -> pl.DataFrame:
    """Return what counts in each of the evaluation's periods, read in one go; bases are chosen period by period."""
    periods = request.periods or (request.period,)
    start, end = min(one.interval[0] for one in periods), max(one.interval[1] for one in periods)
    read = request.scan(sites=sites, factors=factors_, start=start, end=end).collect()
    return pl.concat([counting(within(read, one), request.indicator.bases) for one in periods])


def within(rows: pl.DataFrame, period: Period) -> pl.DataFrame:
    """Return the rows of a period."""
    start, end = period.interval
    return rows.filter(pl.col("time").is_between(start, end, closed="left"))


def judged_frame(rows: pl.DataFrame, names: Mapping[str, str] | None = None) -> pl.DataFrame:
    """Return ``site, factor, time, value, unit, qualifier, limit`` for the evaluators.

    Parameters
    ----------
    rows
        Of the lake, counting ones.
    names
        Factor → the item's name in the standard; other factors are left out. None keeps the codes.
    """
    units = {factor: found.unit for factor in rows["factor"].unique() if (found := factors.find(factor))}
    unit = pl.col("factor").replace_strict(units, default=None, return_dtype=pl.String)
    frame = rows.select(
        "site", "factor", "time", "value", unit.alias("unit"), pl.col("qualifier").cast(pl.String), "limit"
    )
    if names is None:
        return frame
    known = frame.filter(pl.col("factor").is_in(list(names)))
    return known.with_columns(pl.col("factor").replace_strict(names, return_dtype=pl.String))
