"""Examples of indicators: a year written in a few lines is spread over hours and sites and computed like any other.

An example's ``given`` names a year, the sites with their roles and what each adds to a day's value, and runs of
days with the value that every hour of the day has; or, of sampled media, sites with the values of their months.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Literal

import polars as pl
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from qinglan.core.declare import Part, Title
from qinglan.core.errors import DeclarationError
from qinglan.core.interval import BEIJING, to_utc
from qinglan.indicators.city import DatedRole, Medium, Role, Site
from qinglan.indicators.compute import Period, Request, Scan, estimate
from qinglan.indicators.declare import Indicator

CITY = "000000"
_RECEIVED = datetime(2000, 1, 1, tzinfo=BEIJING)


class ExampleSite(Part):
    """A site of an example."""

    id: str
    role: Role
    add: dict[str, float] = Field(default_factory=dict)


class Run(Part):
    """As many days one after the other, every hour with the same values."""

    count: int = Field(ge=1)
    values: dict[str, float]


class HourlyYear(Part):
    """A year of hours at a few sites."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    year: int
    sites: tuple[ExampleSite, ...] = Field(min_length=1)
    days: tuple[Run, ...] = Field(min_length=1)


class SampledSite(Part):
    """A site of an example that has the same values in each of its months; ``<0.05`` is below detection."""

    id: str
    medium: Medium
    role: Role
    network: str | None = None
    water_body: Literal["river", "lake"] | None = None
    months: tuple[int, ...] = tuple(range(1, 13))
    values: dict[str, float | str]


class SampledYear(Part):
    """A year of monthly values or samples at a few sites."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    year: int
    network: str = ""
    grain: Literal["month", "sample"] = "sample"
    samples: tuple[SampledSite, ...] = Field(min_length=1)


def answer(indicator: Indicator, given: Any) -> dict[str, Any]:
    """Return what the indicator's function makes of an example: value to six places, text, valid, expected.

    Raises
    ------
    DeclarationError
        If `given` is not of the form above.
    """
    try:
        sampled = isinstance(given, dict) and "samples" in given
        form: type[HourlyYear] | type[SampledYear] = SampledYear if sampled else HourlyYear
        example = TypeAdapter(form).validate_python(given)
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors())
        raise DeclarationError(
            f"指标 {indicator.id} 的算例写法不对：{faults}。",
            f"An example of indicator {indicator.id} is not well formed: {faults}.",
            file=str(indicator.file),
            field="examples",
        ) from error
    found = estimate(
        Request(
            indicator=indicator,
            period=Period(example.year),
            scan=scanning(samples(example) if isinstance(example, SampledYear) else hours(example)),
            city=CITY,
            network=example.network if isinstance(example, SampledYear) else "",
            sites=_sites(example),
        )
    )
    return {
        "value": None if found.value is None else round(found.value, 6),
        "text": found.text,
        "valid": found.valid,
        "expected": found.expected,
    }


def samples(example: SampledYear) -> pl.DataFrame:
    """Return the example's observations in the lake's columns: each month at 8 o'clock of its fifth day."""
    rows = [
        (site.id, factor, datetime(example.year, month, day, hour, tzinfo=BEIJING), str(value))
        for site in example.samples
        for month in site.months
        for factor, value in site.values.items()
        for day, hour in [(1, 0) if example.grain == "month" else (5, 8)]
    ]
    frame = pl.DataFrame(
        rows,
        schema={"site": pl.String, "factor": pl.String, "time": pl.Datetime("us", "UTC"), "written": pl.String},
        orient="row",
    )
    number = pl.col("written").str.strip_prefix("<").cast(pl.Float64)
    below = pl.col("written").str.starts_with("<")
    return frame.select(
        "site",
        "factor",
        pl.lit(example.grain).alias("grain"),
        "time",
        pl.lit("assessed").alias("basis"),
        number.alias("value"),
        pl.when(below).then(pl.lit("<")).alias("qualifier"),
        pl.when(below).then(number).alias("limit"),
        pl.lit(None, pl.String).alias("flag"),
        pl.lit("example").alias("source"),
        pl.lit(to_utc(_RECEIVED)).alias("received"),
        pl.lit(0, pl.Int64).alias("revision"),
    )


def hours(example: HourlyYear) -> pl.DataFrame:
    """Return the example's observations in the lake's columns."""
    first = to_utc(datetime.combine(date(example.year, 1, 1), time(), BEIJING))
    runs = pl.DataFrame(
        {
            "run": range(len(example.days)),
            "days": [run.count for run in example.days],
        }
    )
    clock = (
        runs.with_columns((pl.col("days").cum_sum() - pl.col("days")).alias("before"))
        .with_columns(pl.int_ranges(pl.col("before") * 24, (pl.col("before") + pl.col("days")) * 24).alias("hour"))
        .explode("hour")
        .select("run", (pl.lit(first) + pl.col("hour") * timedelta(hours=1)).alias("time"))
    )
    values = pl.DataFrame(
        [
            {"run": run, "site": site.id, "factor": factor, "value": value + site.add.get(factor, 0.0)}
            for run, days in enumerate(example.days)
            for factor, value in days.values.items()
            for site in example.sites
        ],
        schema={"run": pl.Int64, "site": pl.String, "factor": pl.String, "value": pl.Float64},
    )
    return clock.join(values, on="run").select(
        "site",
        "factor",
        pl.lit("hour").alias("grain"),
        "time",
        pl.lit("assessed").alias("basis"),
        "value",
        pl.lit(None, pl.String).alias("qualifier"),
        pl.lit(None, pl.Float64).alias("limit"),
        pl.lit(None, pl.String).alias("flag"),
        pl.lit("example").alias("source"),
        pl.lit(to_utc(_RECEIVED)).alias("received"),
        pl.lit(0, pl.Int64).alias("revision"),
    )


def scanning(frame: pl.DataFrame) -> Scan:
    """Return a scan that reads a frame in memory as it would read the lake."""

    def scan(
        *,
        sites: Sequence[str] | None = None,
        factors: Sequence[str] | None = None,
        grain: str | None = None,
        start: datetime | None = None,
        end: datetime | None = None,
    ) -> pl.LazyFrame:
        found = frame.lazy()
        if sites is not None:
            found = found.filter(pl.col("site").is_in(list(sites)))
        if factors is not None:
            found = found.filter(pl.col("factor").is_in(list(factors)))
        if grain is not None:
            found = found.filter(pl.col("grain") == grain)
        if start is not None:
            found = found.filter(pl.col("time") >= start)
        if end is not None:
            found = found.filter(pl.col("time") < end)
        return found

    return scan


def _sites(example: HourlyYear | SampledYear) -> tuple[Site, ...]:
    since = date(example.year, 1, 1)
    if isinstance(example, HourlyYear):
        return tuple(_site(site.id, "air", DatedRole(role=site.role, start=since)) for site in example.sites)
    return tuple(
        _site(site.id, site.medium, DatedRole(role=site.role, network=site.network, start=since), site.water_body)
        for site in example.samples
    )


def _site(identifier: str, medium: Medium, role: DatedRole, water_body: Literal["river", "lake"] | None = None) -> Site:
    return Site(
        id=identifier,
        title=Title(zh=identifier, en=identifier),
        place=CITY,
        medium=medium,
        longitude=0,
        latitude=0,
        water_body=water_body,
        roles=(role,),
    )
