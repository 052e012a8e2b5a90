"""Air and noise on the map: the latest day's index, and the latest survey's attainment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl

from qinglan.catalogue import factors
from qinglan.core.declare import Title
from qinglan.core.rounding import text as printed
from qinglan.domains.samples import BASES, counting
from qinglan.indicators.city import Site
from qinglan.standards import air, noise
from qinglan.standards.air.pollutants import POLLUTANTS
from qinglan.standards.air.tables import Index, decimals, indices
from qinglan.standards.noise.words import LEVELS
from qinglan.web.maps.verdicts import MapClass, Picture, Verdict, said, scale

_OZONE = "a05024-8h-24h"
_LOCAL_DAY = pl.col("time").dt.offset_by("8h").dt.date()


def air_days(rows: pl.DataFrame, sites: Sequence[Site]) -> Picture:
    """Return each station's index of the latest day that has hours. 依据: HJ 633."""
    wanted = [factors.get(name).id for name in POLLUTANTS]
    hours = counting(rows.filter(pl.col("grain") == "hour", pl.col("factor").is_in(wanted)), BASES)
    if hours.is_empty():
        return Picture(_levels(indices()[-1]))
    day: date = hours.select(_LOCAL_DAY.max()).item()
    of_day = hours.filter(day == _LOCAL_DAY)
    daily = air.daily_values(of_day.select("site", "factor", "time", "value"), stamp="start")
    judged = air.daily_aqi_from_days(daily.select("site", "factor", "date", "value"))
    edition = next((one for one in indices() if one.covers(day)), indices()[-1])
    classes = _levels(edition)
    verdicts = {
        row["site"]: Verdict(
            row["level"],
            _aqi_words(row, classes),
            row["primary"] or None,
            row["edition"],
            row["clause"],
            row["missing"],
            said(row["note"]),
        )
        for row in judged.iter_rows(named=True)
    }
    shown = {name: factors.get(name).id for name in POLLUTANTS} | {"O3": _OZONE}
    values = daily.filter(pl.col("value").is_not_null(), pl.col("factor").is_in(list(POLLUTANTS))).select(
        "site",
        pl.col("factor").replace(shown).alias("factor"),
        pl.struct("factor", "value")
        .map_elements(lambda one: printed(one["value"], decimals(one["factor"])), return_dtype=pl.String)
        .alias("text"),
    )
    return Picture(classes, day, day, None, verdicts, values)


def _levels(edition: Index) -> tuple[MapClass, ...]:
    return tuple(MapClass(level.level, level.title, level.colour) for level in edition.levels)


def _aqi_words(row: dict[str, Any], classes: Sequence[MapClass]) -> Title | None:
    found = next((one for one in classes if one.number == row["level"]), None)
    if found is None or row["aqi"] is None:
        return None
    return Title(zh=f"{found.title.zh}（AQI {row['aqi']}）", en=f"{found.title.en} (AQI {row['aqi']})")


_NOISE_CLASSES = scale(
    [
        ("昼夜均达标", "meets by day and night"),
        ("昼间或夜间超标", "fails by day or by night"),
        ("昼夜均超标", "fails by day and night"),
    ],
    ["green", "orange", "red"],
)
_SURVEY_DAYS = 92


def surveys(rows: pl.DataFrame, sites: Sequence[Site]) -> Picture:
    """Return whether each point attains its zone's limits in the latest quarter's survey. 依据: GB 3096—2008."""
    hours = counting(rows.filter(pl.col("grain") == "hour", pl.col("factor").is_in(list(LEVELS))), BASES)
    zones = pl.DataFrame(
        [(site.id, site.zone) for site in sites if site.zone is not None],
        schema={"site": pl.String, "zone": pl.String},
        orient="row",
    )
    zoned = hours.join(zones, on="site")
    if zoned.is_empty():
        return Picture(_NOISE_CLASSES)
    newest = zoned["time"].max()
    recent = zoned.filter(pl.col("time") > pl.lit(newest) - pl.duration(days=_SURVEY_DAYS))
    judged = noise.zone_verdict(recent.select("site", "zone", "time", "value"), stamp="start")
    # The night of a survey belongs to the day on which it begins; a day with nothing to judge is no survey.
    whole = judged.filter(pl.col("day_meets").is_not_null() | pl.col("night_meets").is_not_null())
    last = whole.sort("date").unique("site", keep="last")
    verdicts = {row["site"]: _noise(row) for row in last.iter_rows(named=True)}
    levels = last.unpivot(["ld", "ln"], index="site", variable_name="factor", value_name="value").with_columns(
        pl.col("factor").replace({"ld": "Ld", "ln": "Ln"}), pl.lit(None, pl.String).alias("qualifier")
    )
    first, end = last["date"].min(), last["date"].max()
    return Picture(
        _NOISE_CLASSES,
        first,
        end,
        None,
        verdicts,
        levels.filter(pl.col("value").is_not_null()),
    )


def _noise(row: dict[str, Any]) -> Verdict:
    day, night = row["day_meets"], row["night_meets"]
    number = None if day is None or night is None else 1 + int(not day) + int(not night)
    words_zh = [
        f"{name}超标 {over:g} dB" for name, over in (("昼间", row["day_over"]), ("夜间", row["night_over"])) if over
    ]
    words_en = [
        f"{over:g} dB over by {name}" for name, over in (("day", row["day_over"]), ("night", row["night_over"])) if over
    ]
    word = Title(zh="、".join(words_zh), en=", ".join(words_en)) if words_zh else None
    zone = Title(
        zh=f"{row['zone']} 类区，限值昼 {row['day_limit']:g}、夜 {row['night_limit']:g} dB(A)",
        en=f"zone {row['zone']}: limits {row['day_limit']:g} by day, {row['night_limit']:g} by night, dB(A)",
    )
    note = Title(zh=f"{zone.zh}；{row['note']}", en=f"{zone.en}; {row['note']}") if row["note"] else zone
    return Verdict(number, word, None, row["edition"], row["clause"], row["missing"], note)
