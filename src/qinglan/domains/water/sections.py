"""National sections of rivers and lakes: which of them count in a period, and the class of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache

import polars as pl

from qinglan.catalogue.factors import all_factors
from qinglan.domains.samples import counting, judged_frame
from qinglan.indicators.city import Site
from qinglan.indicators.compute import Request, Used, used
from qinglan.standards import water
from qinglan.standards.water.items import item_of

CITY = "city"
"""The network of sections whose role names none."""


@cache
def evaluated_factors() -> tuple[str, ...]:
    """Return the catalogue's factors that decide about a section's class."""
    wanted = set(water.water_evaluations()[-1].evaluated)
    return tuple(factor.id for factor in all_factors() if factor.medium == "water" and item_of(factor.id) in wanted)


@dataclass(frozen=True)
class Sections:
    """The sections of one network in a period, their classes and what they were made of."""

    network: str
    members: tuple[Site, ...]
    classes: pl.DataFrame
    shares: pl.DataFrame
    series: tuple[Used, ...]


def members(sites: Sequence[Site], first: date, last: date, network: str) -> tuple[Site, ...]:
    """Return the surface-water sites that are assessed in a network on any of the days."""
    named = network or None
    return tuple(site for site in sites if site.medium == "water" and site.has_role("assessment", first, last, named))


def section_rows(rows: pl.DataFrame, bases: Sequence[str]) -> pl.DataFrame:
    """Return what counts of monthly values and samples: where a section has monthly values, these and no samples.

    The monthly value is the national station's own, made of samples and automatic values; the two are not mixed.
    """
    held = rows.filter(pl.col("grain").is_in(["month", "sample"]))
    monthly = (pl.col("grain") == "month").any().over("site")
    return counting(held.filter((pl.col("grain") == "month") | ~monthly), bases)


def kinds_of(sites: Sequence[Site]) -> pl.DataFrame:
    """Return ``site, kind`` of surface waters."""
    return pl.DataFrame(
        {"site": [site.id for site in sites], "kind": [site.water_body for site in sites]},
        schema={"site": pl.String, "kind": pl.String},
    )


def sections(request: Request) -> Sections:
    """Return the sections of the request's network and period, made once an evaluation."""
    key = ("sections", request.network, request.period, request.indicator.bases)
    return request.once(key, lambda: _sections(request))


def _sections(request: Request) -> Sections:
    period, network = request.period, request.network or CITY
    found = members(request.sites, period.first, period.last, request.network)
    start, end = period.interval
    read = request.scan(sites=[site.id for site in found], factors=list(evaluated_factors()), start=start, end=end)
    rows = section_rows(read.collect(), request.indicator.bases)
    if rows.is_empty():
        return Sections(network, found, pl.DataFrame(), pl.DataFrame(), ())
    frame = judged_frame(rows).join(kinds_of(found), on="site")
    classes = water.section_assessment(frame, "kind", period="year").sort("site")
    if period.complete:
        # A year of fewer than eight months has no class that counts.
        classes = classes.with_columns(pl.when("enough").then("water_class").alias("water_class"))
    listed = pl.DataFrame(
        [
            (network, site.id, held.start, held.end - timedelta(days=1) if held.end else None)
            for site in found
            for held in site.roles
            if held.role == "assessment" and (not request.network or held.network == request.network)
        ],
        schema={"network": pl.String, "site": pl.String, "start": pl.Date, "end": pl.Date},
        orient="row",
    )
    shares = water.network_shares(
        classes.select("site", "period", "last_month", "water_class"),
        listed,
        decimals=request.indicator.rounding.decimals,
    )
    return Sections(network, found, classes, shares, used(rows))
