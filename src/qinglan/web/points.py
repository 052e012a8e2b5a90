"""The points of one series as the API gives them, and how many there should be."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from qinglan.catalogue.flags import all_flags, invalid_flags
from qinglan.core.interval import BEIJING, Grain, to_beijing

MOST_POINTS = 20_000
COLUMNS = ("time", "value", "flag", "qualifier", "source", "received", "revision")


def beijing_text(column: str) -> pl.Expr:
    """Return a UTC time column as ISO text of Beijing time, to the second."""
    return pl.col(column).dt.offset_by("8h").dt.strftime("%Y-%m-%dT%H:%M:%S+08:00").alias(column)


def iso(moment: datetime | None) -> str | None:
    """Return a time as ISO text of Beijing time, to the second."""
    return None if moment is None else to_beijing(moment).isoformat(timespec="seconds")


def point_rows(frame: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Return ``[time, value, flag, qualifier, source, received, revision]`` for each row of a lake frame."""
    return frame.select(
        beijing_text("time"), "value", "flag", "qualifier", "source", beijing_text("received"), "revision"
    ).rows()


def flags_used(frame: pl.DataFrame) -> dict[str, dict[str, str | bool]]:
    """Return the flags that a lake frame carries: their titles, and whether their values count all the same.

    A flag that the catalogue does not list leaves the value counted, as `valid_values` does.
    """
    known = all_flags()
    found = map(str, frame["flag"].drop_nulls().unique().sort().to_list())
    return {
        name: {**known[name].title.model_dump(), "valid": known[name].valid}
        if name in known
        else {"zh": name, "en": name, "valid": True}
        for name in found
    }


def valid_values() -> pl.Expr:
    """Return whether a row of the lake has a value that counts."""
    counts = pl.col("flag").is_null() | ~pl.col("flag").is_in(sorted(invalid_flags()))
    return pl.col("value").is_not_null() & counts


def expected_slots(grain: Grain, start: datetime, end: datetime) -> int | None:
    """Return how many intervals of a grain begin in ``[start, end)``; None where nothing is expected at fixed times.

    Examples
    --------
    >>> expected_slots("hour", datetime(2023, 1, 1), datetime(2024, 1, 1))
    8760
    >>> expected_slots("month", datetime(2023, 1, 15), datetime(2023, 4, 1))
    2
    """
    if grain in {"realtime", "sample"}:
        return None
    if end <= start:
        return 0
    return _begun_before(grain, to_beijing(end)) - _begun_before(grain, to_beijing(start))


_EPOCH = datetime(1970, 1, 1, tzinfo=BEIJING)
_STEPS = {"minute": timedelta(minutes=1), "hour": timedelta(hours=1), "day": timedelta(days=1)}
_MONTHS = {"month": 1, "quarter": 3, "year": 12}


def _begun_before(grain: Grain, moment: datetime) -> int:
    """Return how many intervals began before `moment`, counted from a fixed one."""
    if grain in _STEPS:
        return -((_EPOCH - moment) // _STEPS[grain])
    months = moment.year * 12 + moment.month - 1
    first = moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    whole = months if moment == first else months + 1
    return math.ceil(whole / _MONTHS[grain])


def changed(frame: pl.LazyFrame, since: int | datetime | None) -> pl.LazyFrame:
    """Return the rows written after a revision, or acknowledged at or after a time."""
    if since is None:
        return frame
    if isinstance(since, int):
        return frame.filter(pl.col("revision") > since)
    return frame.filter(pl.col("received") >= since.astimezone(UTC))


def download_rows(frame: pl.DataFrame) -> Sequence[tuple[Any, ...]]:
    """Return the rows of a CSV: UTC and Beijing time, then the other fields of a point."""
    return frame.select(
        pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        beijing_text("time").alias("local"),
        "value",
        "flag",
        "qualifier",
        "limit",
        "source",
        pl.col("received").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "revision",
    ).rows()
