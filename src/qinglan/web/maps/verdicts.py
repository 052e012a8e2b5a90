"""What the map says of a point, whatever its medium, and the classes with their colours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import polars as pl

from qinglan.catalogue import factors
from qinglan.core.declare import Title
from qinglan.core.interval import to_beijing
from qinglan.web.inventory import value_text

GREY = "#9aa0a6"
COLOURS: Mapping[str, str] = {
    "blue": "#2979d9",
    "green": "#1ca35a",
    "yellow": "#f2c200",
    "orange": "#f07d00",
    "red": "#d9352b",
}
"""The colours that the method of surface water names, as they are drawn."""
NO_VERDICT = Title(zh="无数据或无法判定", en="no data or no verdict")
NO_DATA = Title(zh="本期没有数据", en="no data in this period")


@dataclass(frozen=True)
class MapClass:
    """One class of a medium, the best first; `number` is what standards call it."""

    number: int
    title: Title
    colour: str

    def shown(self) -> dict[str, Any]:
        """Return it as the legend shows it."""
        return {"class": self.number, "title": self.title.model_dump(), "colour": self.colour}


@dataclass(frozen=True)
class Verdict:
    """What was judged of one site: its class (None = no verdict), in words, and why."""

    number: int | None
    word: Title | None = None
    main_pollutants: str | None = None
    edition: str | None = None
    clause: str | None = None
    missing: str | None = None
    note: Title | None = None
    colour: str | None = None


@dataclass(frozen=True)
class Picture:
    """All verdicts of a medium on a day, and the values they were made of.

    Attributes
    ----------
    start, end
        First and last day of what is shown; None where nothing was measured.
    classes
        Of the legend.
    values
        Rows of the lake that are shown with the points.
    """

    classes: tuple[MapClass, ...]
    start: date | None = None
    end: date | None = None
    text: Title | None = None
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)
    values: pl.DataFrame = field(default_factory=pl.DataFrame)

    def legend(self) -> list[dict[str, Any]]:
        """Return the classes and, last, what has none."""
        return [one.shown() for one in self.classes] + [
            {"class": None, "title": NO_VERDICT.model_dump(), "colour": GREY}
        ]

    def period(self) -> dict[str, Any] | None:
        """Return the days shown, None where there are none."""
        if self.start is None or self.end is None:
            return None
        text = self.text or days_text(self.start, self.end)
        return {"start": self.start.isoformat(), "end": self.end.isoformat(), "text": text.model_dump()}

    def of(self, number: int | None) -> MapClass | None:
        """Return the class of a number."""
        return next((one for one in self.classes if one.number == number), None)


def days_text(start: date, end: date) -> Title:
    """Return a run of days in words."""
    if start == end:
        return Title(zh=start.isoformat(), en=start.isoformat())
    return Title(zh=f"{start} 至 {end}", en=f"{start} to {end}")


def said(text: str | None) -> Title | None:
    """Return a Chinese text of a standard as a title: it is what the clause says, in both languages."""
    return Title(zh=text, en=text) if text else None


def beijing_days(rows: pl.DataFrame) -> tuple[date, date]:
    """Return the first and last Beijing day of rows of the lake."""
    first, last = rows["time"].min(), rows["time"].max()
    return to_beijing(first).date(), to_beijing(last).date()  # type: ignore[arg-type]


def factor_lines(values: pl.DataFrame) -> list[dict[str, Any]]:
    """Return the values of one site as they are printed, in the order of the catalogue."""
    order = {factor.id: place for place, factor in enumerate(factors.all_factors())}
    lines = []
    for row in sorted(values.iter_rows(named=True), key=lambda row: order.get(row["factor"], len(order))):
        known = factors.find(row["factor"])
        qualifier = row.get("qualifier")
        text = row.get("text") or ("ND" if qualifier == "ND" else f"{qualifier or ''}{value_text(row['value'])}")
        lines.append(
            {
                "factor": row["factor"],
                "title": (known.title if known else Title(zh=row["factor"], en=row["factor"])).model_dump(),
                "text": text,
                "unit": (known.unit or None) if known else None,
            }
        )
    return lines


def newest_values(rows: pl.DataFrame) -> pl.DataFrame:
    """Return the last value of each site and factor."""
    return rows.sort("time").unique(["site", "factor"], keep="last", maintain_order=True)


def scale(words: Sequence[tuple[str, str]], colours: Sequence[str]) -> tuple[MapClass, ...]:
    """Return classes numbered from 1."""
    return tuple(
        MapClass(number, Title(zh=zh, en=en), COLOURS[colour])
        for number, ((zh, en), colour) in enumerate(zip(words, colours, strict=True), start=1)
    )
