"""Working days with the yearly exchanges of holidays (调休), as the State Council orders them each year.

The days come from the package ``chinese_calendar``; a year that it does not know yet is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import chinese_calendar

from qinglan.core.errors import InputError


def is_working_day(day: date) -> bool:
    """Return whether offices work on `day`.

    Raises
    ------
    InputError
        If the year's holiday order is not known.

    Examples
    --------
    The Sunday before the National Day of 2024 was worked; the day itself was not.

    >>> is_working_day(date(2024, 9, 29)), is_working_day(date(2024, 10, 1))
    (True, False)
    """
    try:
        return bool(chinese_calendar.is_workday(day))
    except NotImplementedError as error:
        raise InputError(
            f"尚无 {day.year} 年的放假安排，无法判断 {day.isoformat()} 是否为工作日：请升级 chinesecalendar。",
            f"The holiday order of {day.year} is not known, so {day.isoformat()} cannot be told to be a working "
            "day: upgrade chinesecalendar.",
            field="date",
        ) from error


def working_days(start: date, end: date) -> Iterator[date]:
    """Yield the working days in ``[start, end)``."""
    day = start
    while day < end:
        if is_working_day(day):
            yield day
        day += timedelta(days=1)


def add_working_days(start: date, count: int) -> date:
    """Return the day that is `count` working days after `start`; the first counted day is the next one.

    Examples
    --------
    >>> add_working_days(date(2024, 9, 30), 1)  # 1 to 7 October 2024 were holidays
    datetime.date(2024, 10, 8)
    """
    if count < 0:
        raise InputError(
            f"工作日数应为非负整数，收到 {count}。",
            f"The number of working days must not be negative; got {count}.",
            field="count",
        )
    day = start
    while count:
        day += timedelta(days=1)
        count -= is_working_day(day)
    return day
