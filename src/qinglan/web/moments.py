"""Dates and times as people write them into an address, read as Beijing time."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta

from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING, to_beijing

# A plus sign that was not escaped arrives as a blank.
_LOST_PLUS = re.compile(r"(T\S+) (\d\d:?\d\d)$")
_FIRST_YEAR, _LAST_YEAR = 1900, 2200


def parse_day(text: str, field: str) -> date:
    """Return the date that `text` writes as ``2023-01-20``.

    Raises
    ------
    InputError
        If it is no date, or far from any that is measured.
    """
    try:
        found = date.fromisoformat(text.strip())
    except ValueError:
        raise _no_moment(text, field) from None
    return _near(found, text, field)


def parse_moment(text: str, field: str, *, end: bool = False) -> datetime:
    """Return the time in UTC that `text` writes; without a zone it is Beijing time.

    Parameters
    ----------
    end
        Whether it closes a range: a bare date is then the end of that day, which belongs to the range.

    Raises
    ------
    InputError
        If it is neither a date nor a time.

    Examples
    --------
    >>> parse_moment("2023-01-20", "start").isoformat(), parse_moment("2023-01-20", "end", end=True).isoformat()
    ('2023-01-19T16:00:00+00:00', '2023-01-20T16:00:00+00:00')
    >>> parse_moment("2023-01-20T08:00:00 08:00", "start").isoformat()
    '2023-01-20T00:00:00+00:00'
    """
    written = _LOST_PLUS.sub(r"\1+\2", text.strip())
    try:
        if (day := _bare_day(written)) is not None:
            _near(day, text, field)
            found = datetime.combine(day, time(), BEIJING) + timedelta(days=int(end))
        else:
            found = datetime.fromisoformat(written)
            _near(found.date(), text, field)
    except ValueError:
        raise _no_moment(text, field) from None
    return to_beijing(found).astimezone(UTC)


def parse_as_of(text: str | None) -> datetime | None:
    """Return the time up to which what was received counts: a day counts to its end; None for all."""
    if text is None or not text.strip():
        return None
    found = parse_moment(text, "as_of", end=True)
    return found if _bare_day(text.strip()) is None else found - timedelta(microseconds=1)


def parse_since(text: str) -> int | datetime:
    """Return the revision or the time after which changes are wanted.

    Raises
    ------
    InputError
        If it is neither a revision nor a time.
    """
    if text.strip().isdecimal() and len(text.strip()) < 19:
        return int(text)
    return parse_moment(text, "changed_since")


def _bare_day(written: str) -> date | None:
    """Return the day that a text without a time of day writes, as ``2023-01-20`` or ``20230120``, else None."""
    try:
        return date.fromisoformat(written)
    except ValueError:
        return None


def _near(day: date, text: str, field: str) -> date:
    if not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise _no_moment(text, field)
    return day


def _no_moment(text: str, field: str) -> InputError:
    shown = text[:60]
    return InputError(
        f"{field} 的值“{shown}”不是日期或时间：应写作 2023-01-20 或 2023-01-20T08:00:00+08:00。",
        f'{field}: "{shown}" is no date or time; write 2023-01-20 or 2023-01-20T08:00:00+08:00.',
        field=field,
    )
