"""Surface water, drinking sources, wells and the sea on the map: judged by the standards, on rows of the lake."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Any

import polars as pl

from qinglan.core.declare import Title
from qinglan.domains.samples import BASES, SEA_ITEMS, WELL_ITEMS, counting, judged_frame
from qinglan.domains.sea.surveys import classes as sea_classes
from qinglan.domains.water.sections import kinds_of, section_rows
from qinglan.domains.water.sources import tests
from qinglan.indicators.city import Site
from qinglan.standards import groundwater, water
from qinglan.web.maps.verdicts import (
    COLOURS,
    MapClass,
    Picture,
    Verdict,
    beijing_days,
    newest_values,
    said,
    scale,
)

_GRADES = ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ")
_ROMAN = ("I", "II", "III", "IV", "V", "worse than V")
SEASONS = {"春": "spring", "夏": "summer", "秋": "autumn"}
_FIVE = ("blue", "green", "yellow", "orange", "red")


@cache
def section_classes() -> tuple[MapClass, ...]:
    """Return the six classes in the colours of the method in force. 依据: 环办〔2011〕22号 二."""
    words = water.water_evaluations()[-1].words
    found = []
    for number, (grade, roman) in enumerate(zip(_GRADES, _ROMAN, strict=True), start=1):
        word = next(one for one in words if number <= one.worst)
        suffix = "类" if number < len(_GRADES) else ""
        title = Title(zh=f"{grade}{suffix}（{word.title.zh}）", en=f"{roman} ({word.title.en})")
        found.append(MapClass(number, title, COLOURS[word.colour.en]))
    return tuple(found)


def sections(rows: pl.DataFrame, sites: Sequence[Site]) -> Picture:
    """Return the class of each section in the latest month that has values."""
    kept = section_rows(rows, BASES)
    if kept.is_empty():
        return Picture(section_classes())
    local = kept.with_columns(pl.col("time").dt.offset_by("8h").dt.truncate("1mo").dt.date().alias("month"))
    month: date = local["month"].max()  # type: ignore[assignment]
    latest = local.filter(pl.col("month") == month)
    frame = judged_frame(latest).join(kinds_of(sites), on="site")
    judged = water.section_assessment(frame, "kind", period="month")
    verdicts = {
        row["site"]: Verdict(
            row["water_class"],
            said(row["word"]),
            row["main_pollutants"],
            row["edition"],
            row["clause"],
            row["missing"],
            said(row["note"]),
        )
        for row in judged.iter_rows(named=True)
    }
    text = Title(zh=f"{month.year} 年 {month.month} 月", en=f"{month:%Y-%m}")
    end = (pl.Series([month]).dt.month_end())[0]
    return Picture(section_classes(), month, end, text, verdicts, newest_values(latest))


_SOURCE_CLASSES = scale([("达标", "meets"), ("不达标", "fails")], ["green", "red"])


def sources(rows: pl.DataFrame, sites: Sequence[Site]) -> Picture:
    """Return whether the latest test of each drinking source meets class III."""
    tested = tests(counting(rows, BASES), sites)
    if tested.is_empty():
        return Picture(_SOURCE_CLASSES)
    newest = tested.sort("time").unique("site", keep="last")
    verdicts = {row["site"]: _source(row) for row in newest.iter_rows(named=True)}
    shown = _of_newest(rows, newest)
    return Picture(_SOURCE_CLASSES, *beijing_days(newest), None, verdicts, shown)


def _source(row: dict[str, Any]) -> Verdict:
    number = None if row["meets"] is None else 1 if row["meets"] else 2
    note = f"无法判定：{row['undetermined']}" if row["undetermined"] else row["note"]
    return Verdict(number, None, row["exceeding"], row["edition"], row["clause"], _few(row["missing"]), said(note))


_WELL_CLASSES = scale(
    list(zip([f"{grade}类" for grade in _GRADES[:5]], [f"class {roman}" for roman in _ROMAN[:5]], strict=True)), _FIVE
)


def wells(rows: pl.DataFrame, sites: Sequence[Site]) -> Picture:
    """Return the class of the latest sample of each well. 依据: GB/T 14848—2017."""
    counted = counting(rows.filter(pl.col("grain") == "sample", pl.col("factor").is_in(list(WELL_ITEMS))), BASES)
    if counted.is_empty():
        return Picture(_WELL_CLASSES)
    newest = counted.filter(pl.col("time") == pl.col("time").max().over("site"))
    judged = groundwater.well_class(judged_frame(newest, WELL_ITEMS))
    verdicts = {row["site"]: _single_factor(row) for row in judged.iter_rows(named=True)}
    return Picture(_WELL_CLASSES, *beijing_days(newest), None, verdicts, newest_values(newest))


_SEA_CLASSES = scale(
    [("一类", "class 1"), ("二类", "class 2"), ("三类", "class 3"), ("四类", "class 4"), ("劣四类", "worse than 4")],
    _FIVE,
)


def coast(rows: pl.DataFrame, sites: Sequence[Site]) -> Picture:
    """Return the class of each coastal point in the latest survey. 依据: GB 3097—1997."""
    judged = sea_classes(counting(rows.filter(pl.col("factor").is_in(list(SEA_ITEMS))), BASES))
    inside = judged.filter(pl.col("survey").is_not_null()) if judged.height else judged
    if inside.is_empty():
        return Picture(_SEA_CLASSES)
    last = inside.sort("time").row(-1, named=True)
    survey = inside.filter(pl.col("year") == last["year"], pl.col("survey") == last["survey"])
    newest = survey.sort("time").unique("site", keep="last")
    verdicts = {row["site"]: _single_factor(row) for row in newest.iter_rows(named=True)}
    year, season = last["year"], last["survey"]
    text = Title(zh=f"{year} 年{season}季", en=f"{SEASONS[season]} {year}")
    return Picture(_SEA_CLASSES, *beijing_days(survey), text, verdicts, _of_newest(rows, newest))


def _single_factor(row: dict[str, Any]) -> Verdict:
    return Verdict(
        row["water_class"],
        said(row["word"]),
        row["exceeding"],
        row["edition"],
        row["clause"],
        _few(row["missing"]),
        said(row["note"]),
    )


def _of_newest(rows: pl.DataFrame, newest: pl.DataFrame) -> pl.DataFrame:
    """Return the counting values of each site's newest sample."""
    taken = newest.select("site", "time")
    return newest_values(counting(rows, BASES).join(taken, on=["site", "time"], how="semi"))


_NAMED = 6


def _few(missing: str | None) -> str | None:
    """Return the first few of a list of items that were not measured, and how many there are."""
    items = missing.split("、") if missing else []
    return missing if len(items) <= _NAMED else f"{'、'.join(items[:_NAMED])}等 {len(items)} 项"
