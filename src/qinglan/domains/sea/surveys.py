"""Surveys of coastal water: the class of each point in spring, summer and autumn, and the shares by points."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from qinglan.domains.samples import SEA_ITEMS, judged_frame
from qinglan.indicators.city import Site
from qinglan.standards import sea

SURVEYS = {"春": (3, 4, 5), "夏": (6, 7, 8), "秋": (9, 10, 11)}
"""The survey that a month belongs to. 依据: HJ 442—2020 (春、夏、秋三期, check M)."""


def points(sites: Sequence[Site], first: date, last: date, network: str | None = None) -> tuple[Site, ...]:
    """Return the coastal points that are assessed on any of the days."""
    return tuple(
        site for site in sites if site.medium == "sea" and site.has_role("assessment", first, last, network or None)
    )


def classes(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the class of each point in each survey, with ``year, survey``; samples out of season have no survey.

    Parameters
    ----------
    rows
        Samples of the lake that count, see `samples.counting`.
    """
    frame = judged_frame(rows.filter(pl.col("grain") == "sample"), SEA_ITEMS)
    if frame.is_empty():
        return pl.DataFrame()
    local = pl.col("time").dt.convert_time_zone("UTC").dt.offset_by("8h")
    seasons = {month: name for name, months in SURVEYS.items() for month in months}
    judged: pl.DataFrame = sea.point_class(frame)
    survey = local.dt.month().replace_strict(seasons, default=None, return_dtype=pl.String)
    return judged.with_columns(local.dt.year().alias("year"), survey.alias("survey")).sort("site", "time")
