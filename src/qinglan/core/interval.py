"""Grains, stamps and Beijing time.

A measured hour, day or month is an interval ``[start, end)``; a sample is an instant. Naive times are Beijing
time everywhere; the lake keeps the start of the interval in UTC.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Literal, get_args

Grain = Literal["realtime", "minute", "hour", "day", "month", "quarter", "year", "sample"]
Stamp = Literal["start", "end"]
Basis = Literal["realtime", "audited", "assessed", "estimate"]

GRAINS: tuple[Grain, ...] = get_args(Grain)
BASES: tuple[Basis, ...] = get_args(Basis)
BEIJING_OFFSET = timedelta(hours=8)
BEIJING = timezone(BEIJING_OFFSET, "UTC+08:00")
HOUR = timedelta(hours=1)


def to_utc(moment: datetime) -> datetime:
    """Return `moment` in UTC; a naive one is Beijing time.

    Examples
    --------
    >>> to_utc(datetime(2023, 1, 20))
    datetime.datetime(2023, 1, 19, 16, 0, tzinfo=datetime.timezone.utc)
    """
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=BEIJING)
    return moment.astimezone(UTC)


def to_beijing(moment: datetime) -> datetime:
    """Return `moment` in Beijing time, with its offset; a naive one is taken to be Beijing time already."""
    if moment.tzinfo is None:
        return moment.replace(tzinfo=BEIJING)
    return moment.astimezone(BEIJING)


def beijing_day(moment: datetime) -> date:
    """Return the Beijing day that `moment` lies in."""
    return to_beijing(moment).date()


def hour_start(stamp_time: datetime, stamp: Stamp) -> datetime:
    """Return the start of the hour that `stamp_time` stands for.

    Examples
    --------
    The national feed stamps the end of the hour: 00:00 is hour 24 of the day before.

    >>> hour_start(datetime(2023, 1, 20), "end")
    datetime.datetime(2023, 1, 19, 23, 0)
    """
    return stamp_time - HOUR if stamp == "end" else stamp_time


def days_of_year(year: int) -> int:
    """Return the number of days of a calendar year.

    Examples
    --------
    >>> days_of_year(2020), days_of_year(2021)
    (366, 365)
    """
    return (date(year + 1, 1, 1) - date(year, 1, 1)).days


def end_of_year(year: int) -> date:
    """Return the last day of a calendar year."""
    return date(year, 12, 31)
