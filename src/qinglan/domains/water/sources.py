"""Central drinking-water sources: the tests of surface sources and of wells, and whether each meets."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import polars as pl

from qinglan.domains.samples import WELL_ITEMS, judged_frame
from qinglan.domains.water.sections import kinds_of
from qinglan.indicators.city import Site
from qinglan.standards import groundwater, water

WELL_GOOD = 3
"""The worst class of groundwater that a source may have. 依据: GB/T 14848—2017 (Ⅲ类); HJ 774—2015."""

_COLUMNS = ("site", "time", "meets", "exceeding", "undetermined", "edition", "stage", "clause", "missing", "note")


def sources(sites: Sequence[Site], first: date, last: date) -> tuple[Site, ...]:
    """Return the drinking-water sources in use on any of the days."""
    return tuple(site for site in sites if site.has_role("source", first, last))


def tests(rows: pl.DataFrame, found: Sequence[Site]) -> pl.DataFrame:
    """Return each test of each source: ``site, time, meets`` (null = 无法判定) with items, edition and clause.

    Parameters
    ----------
    rows
        Samples of the lake that count, see `samples.counting`.
    found
        The sources.
    """
    counted = rows.filter(pl.col("grain").is_in(["sample", "month"]))
    surface = [site for site in found if site.medium == "water"]
    wells = [site.id for site in found if site.medium == "groundwater"]
    frames: list[pl.DataFrame] = []
    of_surface = counted.filter(pl.col("site").is_in([site.id for site in surface]))
    if of_surface.height:
        frame = judged_frame(of_surface).join(kinds_of(surface), on="site")
        frames.append(water.source_tests(frame, "kind"))
    of_wells = counted.filter(pl.col("site").is_in(wells), pl.col("factor").is_in(list(WELL_ITEMS)))
    if of_wells.height:
        classes = groundwater.well_class(judged_frame(of_wells, WELL_ITEMS))
        frames.append(
            classes.with_columns(
                (pl.col("water_class") <= WELL_GOOD).alias("meets"), pl.lit(None, pl.String).alias("undetermined")
            )
        )
    if not frames:
        return pl.DataFrame(schema={"site": pl.String, "time": pl.Datetime("us", "UTC"), "meets": pl.Boolean})
    texts = [pl.col(name).cast(pl.String) for name in _COLUMNS[3:]]
    return pl.concat([frame.select(*_COLUMNS[:3], *texts) for frame in frames]).sort("site", "time")
