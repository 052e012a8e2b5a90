"""The city's air indicators, from hourly observations of its assessment stations.

依据: HJ 663—2013 附录A: a city's value is the mean of its evaluation stations; the clean reference station and county
stations do not enter. Station days are made first, then the city's days, then the year.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

import polars as pl

from qinglan.core.declare import Title
from qinglan.core.rounding import text as printed
from qinglan.indicators.compute import Estimate, Request, Step, Used, function, nothing, preferred, used, valid_values
from qinglan.standards import air

FACTORS = {"a34004": "PM2.5", "a34002": "PM10", "a21026": "SO2", "a21004": "NO2", "a21005": "CO", "a05024": "O3"}
NO_DUST = "_without_dust"


@dataclass(frozen=True)
class CityDays:
    """The city's daily values in a period, and the hours they were made of."""

    days: pl.DataFrame
    stations: tuple[str, ...]
    series: tuple[Used, ...]

    @property
    def bases(self) -> str:
        """The bases of the hours, joined by 、."""
        return "、".join(sorted({series.basis for series in self.series}))

    def of(self, factor: str) -> tuple[Used, ...]:
        """Return the series that a factor's figure is made of; the index is made of all six."""
        return tuple(series for series in self.series if factor in ("aqi", FACTORS[series.factor]))


@function("air.pm25_mean")
def pm25_mean(request: Request) -> Estimate:
    """Return the city's mean PM2.5 of the period, in µg/m³."""
    return _statistic(request, "PM2.5", "mean")


@function("air.good_day_ratio")
def good_day_ratio(request: Request) -> Estimate:
    """Return the share of days with an AQI of at most 100 among the valid days, in %."""
    return _statistic(request, "aqi", "good_ratio", "good_days")


@function("air.heavy_day_ratio")
def heavy_day_ratio(request: Request) -> Estimate:
    """Return the share of days with an AQI above 200 among the valid days, in %."""
    return _statistic(request, "aqi", "heavy_ratio", "heavy_days")


def city_days(request: Request) -> CityDays:
    """Return the city's daily values in the request's period, made once an evaluation."""
    return request.once(("air days", request.period, request.indicator.bases), lambda: _city_days(request))


def _city_days(request: Request) -> CityDays:
    stations = request.with_role("assessment", "air")
    start, end = request.period.interval
    names = [station.id for station in stations]
    read = request.scan(sites=names, factors=list(FACTORS), grain="hour", start=start, end=end).collect()
    hours = preferred(read.filter(valid_values()), request.indicator.bases)
    days = air.daily_values(hours.select("site", "factor", "time", "value"), stamp="start")
    roles = pl.DataFrame(
        [
            {
                "site": station.id,
                "place": request.city,
                "role": held.role,
                "start": held.start,
                # Roles end before their `end`; the standard's table ends with it.
                "end": None if held.end is None else held.end - timedelta(days=1),
            }
            for station in stations
            for held in station.roles
        ],
        schema={"site": pl.String, "place": pl.String, "role": pl.String, "start": pl.Date, "end": pl.Date},
    )
    return CityDays(air.city_mean(days, roles), tuple(names), used(hours))


def _evaluated(request: Request) -> pl.DataFrame:
    """Return the yearly evaluation of all periods of the request; each lies in a year of its own."""
    periods = request.periods or (request.period,)
    days = pl.concat([city_days(replace(request, period=period)).days for period in periods])
    dust = pl.DataFrame({"site": [request.city] * len(request.dust_days), "date": list(request.dust_days)})
    found: pl.DataFrame = air.annual_evaluation(
        days, policy=request.edition_policy, dust_days=dust if request.dust_days else None
    )
    return found


def _statistic(request: Request, factor: str, statistic: str, counted: str | None = None) -> Estimate:
    if not request.with_role("assessment", "air"):
        return nothing(request, "本期没有国控考核点位。", "There is no assessment station in this period.")
    city = city_days(request)
    if city.days.filter(pl.col("value").is_not_null()).is_empty():
        return nothing(
            request,
            "考核点位在本期没有有效的小时数据。",
            "The assessment stations have no valid hours in this period.",
            expected=request.period.days,
            valid=0,
        )
    periods, bases = request.periods or request.period, request.indicator.bases
    key = ("air years", periods, bases, request.edition_policy, request.dust_days)
    years = request.once(key, lambda: _evaluated(request))
    year = years.filter(pl.col("year") == request.period.year)
    suffix = NO_DUST if request.dust_days and factor == "aqi" else ""
    row = _row(year, factor, statistic + suffix)
    count = None if counted is None else int(_row(year, factor, counted + suffix)["value"])
    decimals = request.indicator.rounding.decimals
    valid, expected = int(row["days"]), request.period.days
    value, notes = row["value"], list(_notes(request, row, city))
    if request.period.complete and not row["valid"]:
        value = None
    return Estimate(
        indicator=request.indicator.id,
        period=request.period.id,
        value=value,
        text=printed(value, decimals),
        function=request.indicator.compute,
        edition=row["edition"],
        stage=row["stage"],
        clause=row["clause"],
        policy=request.edition_policy,
        valid=valid,
        expected=expected,
        basis=city.bases,
        steps=_steps(request, city, row, count),
        series=city.of(factor),
        notes=tuple(notes),
        details={} if count is None else {"days": count},
    )


def _row(year: pl.DataFrame, factor: str, statistic: str) -> dict[str, Any]:
    return year.filter((pl.col("factor") == factor) & (pl.col("statistic") == statistic)).row(0, named=True)


def _steps(request: Request, city: CityDays, row: dict[str, Any], count: int | None) -> tuple[Step, ...]:
    decimals = request.indicator.rounding.decimals
    valid = int(row["days"])
    if count is None:
        made = f"{row['value']:.6g} {request.indicator.unit}; HJ 663: {row['rounded']:g}"
    elif row["value"] is None:
        made = f"{count} / {valid}"
    else:
        made = f"{count} / {valid} × 100 = {row['value']:.6g}"
    return (
        Step(Title(zh="参评点位", en="Stations that count"), "、".join(city.stations)),
        Step(
            Title(zh="有效小时值", en="Valid hourly values"), f"{sum(series.rows for series in city.of(row['factor']))}"
        ),
        Step(Title(zh="城市有效日数", en="Valid days of the city"), f"{valid} / {request.period.days}"),
        Step(Title(zh="统计值", en="Statistic"), made),
        Step(Title(zh="按声明修约", en="Rounded as declared"), printed(row["value"], decimals)),
    )


def _notes(request: Request, row: dict[str, Any], city: CityDays) -> list[Title]:
    notes = []
    if not request.period.complete:
        last: date = request.period.last
        notes.append(Title(zh=f"截至 {last} 的累计值，不是年度值", en=f"running figure up to {last}, not the year's"))
    elif not row["valid"]:
        shown = "" if row["value"] is None else f"{row['value']:.6g}"
        notes.append(
            Title(
                zh=f"{row['note']}，年度值无效，不参加评价（算得 {shown}）",
                en=f"too few valid days: the year does not count (it came to {shown})",
            )
        )
    if "、" in city.bases:
        notes.append(Title(zh=f"所用数据口径不一：{city.bases}", en=f"the hours stand on several bases: {city.bases}"))
    if not request.dust_days and row["factor"] == "aqi":
        notes.append(Title(zh="未扣除沙尘影响（没有国家认定的沙尘日）", en="dust days not taken out: none are on file"))
    return notes
