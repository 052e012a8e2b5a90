"""Times as people and programs write them, into the start of the interval in UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import polars as pl

from qinglan.core.interval import Grain, Stamp

FUTURE = timedelta(days=1)

# Year, month, day, hour, minute, second, offset; parts from the month on may be absent, but never one in between.
_SEPARATED = (
    r"^(?P<year>(?:19|20)\d{2})\s*[-/.年]\s*(?P<month>\d{1,2})"
    r"(?:\s*月|\s*[-/.月]\s*(?P<day>\d{1,2})(?:\s*日?|(?:\s*日\s*|\s*T\s*|\s+)(?P<hour>\d{1,2})"
    r"(?:\s*[时点:]\s*(?:(?P<minute>\d{1,2})\s*(?:[分:]\s*(?:(?P<second>\d{1,2})(?:\.\d+)?\s*秒?)?)?)?)?))?"
    r"\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?$"
)
_COMPACT = (
    r"^(?P<year>(?:19|20)\d{2})(?P<month>\d{2})(?:(?P<day>\d{2})(?:(?:[T\s]+(?P<spaced>\d{1,2})|(?P<hour>\d{2}))"
    r"(?::?(?P<minute>\d{2})(?::?(?P<second>\d{2})(?:\.\d+)?)?)?(?:[时点:]|[时点:]00)?)?)?\s*(?P<offset>Z|[+-]\d{2}:?\d{2})?$"
)
_YEAR = r"^(?P<year>(?:19|20)\d{2})\s*年?$"
_PARTS = ("year", "month", "day", "hour", "minute", "second")


@dataclass(frozen=True)
class Clock:
    """How a file writes time.

    Attributes
    ----------
    offset
        How far the file's clock is ahead of UTC; a time that carries its own offset is not touched by it.
    stamp
        Whether an hour's time is its start or its end.
    form
        A format of its own (as `datetime.strptime` takes it), or None for those known.
    bare_midnight
        Whether a day without an hour is that day's midnight, as in a workbook, whose cells drop it.
    """

    grain: Grain
    stamp: Stamp
    offset: timedelta
    now: datetime
    form: str | None = None
    bare_midnight: bool = False


def parse_times(texts: pl.Series, clock: Clock) -> pl.DataFrame:
    """Return ``text, time, fault`` for each distinct text.

    ``time`` is the start of the interval in UTC, null where ``fault`` (`time_blank`, `time_unreadable`,
    `time_grain`, `time_future`) says why there is none.

    Examples
    --------
    Hour 0 of a day, stamped at its end, is hour 24 of the day before.

    >>> from datetime import UTC
    >>> clock = Clock("hour", "end", timedelta(hours=8), datetime(2023, 2, 1, tzinfo=UTC))
    >>> parse_times(pl.Series(["20230120 0"]), clock)["time"].to_list()
    [datetime.datetime(2023, 1, 19, 15, 0, tzinfo=zoneinfo.ZoneInfo(key='UTC'))]
    """
    frame = pl.DataFrame({"text": texts.cast(pl.String)}).unique().with_columns(written=_narrow("text"))
    local = _by_format(frame, clock.form) if clock.form else _local(frame)
    start = (
        pl.when(clock.grain == "hour" and clock.stamp == "end")
        .then(pl.col("local") - pl.duration(hours=1))
        .otherwise(pl.col("local"))
    )
    return local.with_columns(
        time=(start - pl.duration(minutes=pl.col("ahead").fill_null(clock.offset // timedelta(minutes=1))))
        .dt.cast_time_unit("us")
        .dt.replace_time_zone("UTC"),
        fault=pl.when(pl.col("written").fill_null("") == "")
        .then(pl.lit("time_blank"))
        .when(pl.col("local").is_null())
        .then(pl.lit("time_unreadable"))
        .when(~_on_grain(clock))
        .then(pl.lit("time_grain")),
    ).select(
        "text",
        pl.when(pl.col("fault").is_null() & (pl.col("time") <= clock.now + FUTURE)).then(pl.col("time")).alias("time"),
        pl.when(pl.col("fault").is_null() & (pl.col("time") > clock.now + FUTURE))
        .then(pl.lit("time_future"))
        .otherwise(pl.col("fault"))
        .alias("fault"),
    )


def guess_grain(texts: pl.Series) -> Grain | None:
    """Return the grain that most texts are written to (year, month, day, else hour), or None if none is a time."""
    frame = pl.DataFrame({"text": texts.cast(pl.String)}).unique().with_columns(written=_narrow("text"))
    parts = _parts(frame).filter(pl.col("year").is_not_null())
    if parts.is_empty():
        return None
    if parts["month"].is_null().mean() > 0.5:  # type: ignore[operator]
        return "year"
    if parts["day"].is_null().mean() > 0.5:  # type: ignore[operator]
        return "month"
    midnight = parts["hour"].cast(pl.Int64, strict=False).fill_null(0) == 0
    whole = parts["hour"].is_null() | (midnight & parts["minute"].is_not_null())
    # One day's rows at midnight may be an hour's too; several different days, all at midnight, are days.
    days = parts.select("year", "month", "day").n_unique()
    return "day" if bool(parts["hour"].is_null().all()) or (bool(whole.all()) and days > 2) else "hour"


def _narrow(column: str) -> pl.Expr:
    return pl.col(column).str.normalize("NFKC").str.strip_chars()


def _parts(frame: pl.DataFrame) -> pl.DataFrame:
    found = frame.with_columns(
        pl.col("written").str.extract_groups(_SEPARATED).alias("separated"),
        pl.col("written").str.extract_groups(_COMPACT).alias("compact"),
        pl.col("written").str.extract_groups(_YEAR).alias("yearly"),
    )

    def part(name: str) -> pl.Expr:
        kinds = [pl.col("separated").struct.field(name), pl.col("compact").struct.field(name)]
        if name == "year":
            kinds.append(pl.col("yearly").struct.field(name))
        if name == "hour":
            kinds.append(pl.col("compact").struct.field("spaced"))
        return pl.coalesce(kinds).alias(name)

    return found.with_columns(*(part(name) for name in _PARTS), part("offset")).drop("separated", "compact", "yearly")


def _local(frame: pl.DataFrame) -> pl.DataFrame:
    """Add ``local`` (the time as the file's clock shows it) and ``ahead`` (minutes, where the text gives them)."""
    number = {name: pl.col(name).cast(pl.Int32, strict=False) for name in _PARTS}
    day = pl.format(
        "{}-{}-{}",
        pl.col("year"),
        pl.col("month").fill_null("1").str.zfill(2),
        pl.col("day").fill_null("1").str.zfill(2),
    ).str.to_date("%Y-%m-%d", strict=False)
    hour, minute, second = (number[name].fill_null(0) for name in ("hour", "minute", "second"))
    valid = (minute < 60) & (second < 60) & ((hour < 24) | ((hour == 24) & (minute == 0) & (second == 0)))
    valid &= pl.col("offset").is_null() | pl.col("hour").is_not_null()
    return (
        _parts(frame)
        .with_columns(
            local=pl.when(valid).then(
                day.cast(pl.Datetime("us")) + pl.duration(hours=hour, minutes=minute, seconds=second, time_unit="us")
            ),
            ahead=_minutes_ahead(),
            hourless=pl.col("hour").is_null(),
        )
        .drop(*_PARTS, "offset")
    )


def _minutes_ahead() -> pl.Expr:
    offset = pl.col("offset").str.replace(":", "", literal=True)
    size = offset.str.slice(1, 2).cast(pl.Int64, strict=False) * 60 + offset.str.slice(3, 2).cast(
        pl.Int64, strict=False
    )
    return pl.when(offset == "Z").then(0).when(offset.str.starts_with("-")).then(-size).otherwise(size)


def _by_format(frame: pl.DataFrame, form: str) -> pl.DataFrame:
    if "%z" in form:
        moments = pl.col("written").str.to_datetime(form, time_zone="UTC", strict=False, exact=True)
        return frame.with_columns(
            local=moments.dt.replace_time_zone(None), ahead=pl.lit(0, pl.Int64), hourless=pl.lit(False)
        )
    if not any(sign in form for sign in ("%H", "%I", "%T", "%M", "%s", "%k", "%R")):
        return frame.with_columns(
            local=pl.col("written").str.to_date(form, strict=False).cast(pl.Datetime("us")),
            ahead=pl.lit(None, pl.Int64),
            hourless=pl.lit(True),
        )
    # Without minutes chrono makes no time of it, so that they are added.
    lacking = "" if any(sign in form for sign in ("%M", "%T", "%s", "%R")) else " 00"
    moments = (pl.col("written") + lacking).str.to_datetime(
        form + (" %M" if lacking else ""), time_unit="us", strict=False, exact=True
    )
    return frame.with_columns(local=moments, ahead=pl.lit(None, pl.Int64), hourless=pl.lit(False))


def _on_grain(clock: Clock) -> pl.Expr:
    local = pl.col("local").dt
    hour = (local.minute() == 0) & (local.second() == 0)
    day = hour & (local.hour() == 0)
    month = day & (local.day() == 1)
    return {
        "minute": local.second() == 0,
        "hour": hour & (~pl.col("hourless") | clock.bare_midnight),
        "day": day,
        "month": month,
        "quarter": month & ((local.month() - 1) % 3 == 0),
        "year": month & (local.month() == 1),
    }.get(clock.grain, pl.lit(True))
