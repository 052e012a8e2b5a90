"""A year of days in the colours of the standard: one site, or a place by the mean of its assessment stations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from qinglan.catalogue import factors
from qinglan.core.declare import Title
from qinglan.core.interval import BEIJING, days_of_year, to_utc
from qinglan.core.rounding import text as printed
from qinglan.indicators.city import Site
from qinglan.indicators.compute import preferred, valid_values
from qinglan.observations.lake import Lake
from qinglan.standards import air
from qinglan.standards.air.index import GOOD, HEAVY
from qinglan.standards.air.pollutants import POLLUTANTS
from qinglan.standards.air.tables import Index, decimals, evaluations, indices
from qinglan.web.inventory import SIMULATED

BASES = ("assessed", "audited", "realtime")
POLICY = Title(
    zh="每日按当日有效的版本评价；年内跨版本时，不同版本的日子不宜直接比较。",
    en="Each day is judged by the edition in force on it; days under different editions do not compare.",
)
_NO_DATA = Title(zh="没有数据", en="no data")
_TO_COME = Title(zh="尚未到来", en="still to come")
_FEW_STATIONS = Title(zh="有效点位不足，不计算全市日均值", en="too few valid stations for the mean of the place")
_NO_STATIONS = Title(zh="没有担任评价点位的监测点", en="no assessment station here")
_NOT_COUNTED = Title(
    zh="缺项且 AQI 不大于 100，不计入有效天数（HJ 663 的 valid_day 规则）",
    en="an item is missing and the AQI is at most 100: not a valid day (rule valid_day of HJ 663)",
)
_NOTES = {
    "没有有效数据": Title(zh="没有有效数据", en="no valid data"),
    "缺项且其余各项不大于 100，不予发布": Title(
        zh="缺项且其余各项不大于 100，不予发布", en="withheld: an item is missing and the others are at most 100"
    ),
}


@dataclass(frozen=True)
class Scope:
    """Whose days: a site's own, or the mean of the stations of a place."""

    id: str
    title: Title
    sites: tuple[Site, ...] | None
    """The stations of a place; None: the site with this id."""

    def shown(self) -> dict[str, Any]:
        """Return it as the API shows it."""
        kind = "site" if self.sites is None else "place"
        return {kind: self.id, "id": self.id, "title": self.title.model_dump()}


def calendar(lake: Lake, scope: Scope, year: int, today: date, *, known_by: datetime | None = None) -> dict[str, Any]:
    """Return the days, months and shares of a year.

    Parameters
    ----------
    today
        Days after it are still to come.
    known_by
        Read the lake as it was known at this moment; None: as it is known now.

    Notes
    -----
    A day is valid with all six pollutants, or when its AQI is above 100 all the same.
    依据: HJ 633 4.2–4.4 (日报); HJ 663—2013 6.1 (城市均值); HJ 663—2026 5.3.1 (有效日).
    """
    hours = _hours(lake, scope, year, known_by)
    judged = _judged(hours, scope)
    days = [_day(date(year, 1, 1) + timedelta(days=day), judged, scope, today) for day in range(days_of_year(year))]
    counted = [_counts(days, month) for month in range(1, 13)]
    return {
        "scope": scope.shown(),
        "year": year,
        "days": days,
        "legend": legend(year),
        "months": [{"month": month, **counts} for month, counts in enumerate(counted, start=1)],
        "summary": _summary(counted),
        "editions": [_edition(edition, year) for edition in _editions(year)],
        "policy": POLICY.model_dump(),
        "stations": None if scope.sites is None else [site.id for site in scope.sites],
        "bases": sorted(hours["basis"].unique()),
        "simulated": bool((hours["source"] == SIMULATED).any()),
    }


def legend(year: int) -> list[dict[str, Any]]:
    """Return the levels of every edition in force in a year, with their words and colours. 依据: HJ 633 表2."""
    return [
        {
            "level": level.level,
            "title": level.title.model_dump(),
            "name": level.name.model_dump(),
            "colour": level.colour,
            "colour_title": level.colour_title.model_dump(),
            "low": level.low,
            "high": level.high,
            "edition": edition.name,
        }
        for edition in _editions(year)
        for level in edition.levels
    ]


def _hours(lake: Lake, scope: Scope, year: int, known_by: datetime | None) -> pl.DataFrame:
    start, end = (to_utc(datetime.combine(date(one, 1, 1), time(), BEIJING)) for one in (year, year + 1))
    found = lake.scan(
        sites=[scope.id] if scope.sites is None else [site.id for site in scope.sites],
        factors=[factors.get(name).id for name in POLLUTANTS],
        grain="hour",
        basis=BASES,
        start=start,
        end=end,
        as_of=known_by,
    )
    return preferred(found.filter(valid_values()).collect(), BASES)


def _judged(hours: pl.DataFrame, scope: Scope) -> dict[date, dict[str, Any]]:
    """Return the verdict and the values of each day that has any hour."""
    if hours.is_empty():
        return {}
    days = air.daily_values(hours.select("site", "factor", "time", "value"), stamp="start")
    if scope.sites is not None:
        days = air.city_mean(days.select("site", "factor", "date", "value"), _roles(scope))
    values: dict[date, dict[str, float | None]] = {}
    for day, factor, value in days.select("date", "factor", "value").iter_rows():
        values.setdefault(day, {})[factor] = value
    found = air.daily_aqi_from_days(days.select("site", "factor", "date", "value"))
    stations = _stations(days)
    return {
        row["date"]: {**row, "values": values.get(row["date"], {}), "stations": stations.get(row["date"], 0)}
        for row in found.iter_rows(named=True)
    }


def _stations(days: pl.DataFrame) -> dict[date, int]:
    if "stations" not in days.columns:
        return {}
    return dict(days.group_by("date").agg(pl.col("stations").max()).rows())


def _roles(scope: Scope) -> pl.DataFrame:
    # The city pack's roles end before `end`; the evaluator counts both days in.
    rows = [
        (site.id, scope.id, held.role, held.start, held.end - timedelta(days=1) if held.end else None)
        for site in scope.sites or ()
        for held in site.roles
    ]
    schema = {"site": pl.String, "place": pl.String, "role": pl.String, "start": pl.Date, "end": pl.Date}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _day(day: date, judged: dict[date, dict[str, Any]], scope: Scope, today: date) -> dict[str, Any]:
    row = judged.get(day)
    if row is None:
        return _empty(day, _why_empty(day, scope, today))
    aqi, level = row["aqi"], row["level"]
    declared = next((one for one in _editions(day.year) if one.name == row["edition"]), None)
    shown = next((one for one in declared.levels if one.level == level), None) if declared and level else None
    note = _NOTES.get(row["note"] or "", Title(zh=row["note"], en=row["note"]) if row["note"] else None)
    counted = aqi is not None and (row["missing"] is None or aqi > GOOD)
    if aqi is not None and not counted:
        note = _NOT_COUNTED
    if aqi is None and row["stations"] and all(value is None for value in row["values"].values()):
        note = _FEW_STATIONS
    return {
        "date": day,
        "aqi": aqi,
        "level": level,
        "title": shown.title.model_dump() if shown else None,
        "colour": shown.colour if shown else None,
        "primary": row["primary"].split("、") if row["primary"] else [],
        "values": {factors.get(name).id: _value(name, row["values"].get(name)) for name in POLLUTANTS},
        "edition": row["edition"],
        "clause": row["clause"],
        "note": note.model_dump() if note else None,
        "missing": row["missing"],
        "counted": counted,
    }


def _value(pollutant: str, value: float | None) -> dict[str, Any]:
    factor = factors.get(pollutant)
    title = {"zh": pollutant, "en": pollutant}
    if pollutant == "O3":
        title = {"zh": "O3（日最大 8 小时）", "en": "O3 (largest 8 h)"}
    return {"value": value, "text": printed(value, decimals(pollutant)), "unit": factor.unit, "title": title}


def _empty(day: date, why: Title) -> dict[str, Any]:
    return {
        "date": day,
        "aqi": None,
        "level": None,
        "title": None,
        "colour": None,
        "primary": [],
        "values": {},
        "edition": next((one.name for one in indices() if one.covers(day)), None),
        "clause": None,
        "note": why.model_dump(),
        "missing": None,
        "counted": False,
    }


def _why_empty(day: date, scope: Scope, today: date) -> Title:
    if day > today:
        return _TO_COME
    return _NO_STATIONS if scope.sites == () else _NO_DATA


def _counts(days: Sequence[dict[str, Any]], month: int) -> dict[str, int]:
    here = [day for day in days if day["date"].month == month]
    valid = [day["aqi"] for day in here if day["counted"]]
    return {
        "good": sum(aqi <= GOOD for aqi in valid),
        "heavy": sum(aqi > HEAVY for aqi in valid),
        "valid": len(valid),
        "calendar": len(here),
    }


def _summary(months: Sequence[dict[str, int]]) -> dict[str, Any]:
    total = {name: sum(month[name] for month in months) for name in ("good", "heavy", "valid", "calendar")}
    shares = {f"share_{name}": _share(total[name], total["valid"]) for name in ("good", "heavy")}
    return {**total, **shares}


def _share(part: int, whole: int) -> dict[str, Any] | None:
    if not whole:
        return None
    share = Decimal(part) * 100 / whole
    return {"value": float(share), "text": printed(share, evaluations()[0].share_decimals), "unit": "%"}


def _editions(year: int) -> list[Index]:
    first, last = date(year, 1, 1), date(year, 12, 31)
    return [
        one
        for one in indices()
        if one.in_force.start <= last and (one.in_force.end is None or one.in_force.end >= first)
    ]


def _edition(edition: Index, year: int) -> dict[str, Any]:
    last = date(year, 12, 31)
    return {
        "id": edition.id,
        "name": edition.name,
        "title": edition.title.model_dump(),
        "start": max(edition.in_force.start, date(year, 1, 1)),
        "end": min(edition.in_force.end or last, last),
    }
