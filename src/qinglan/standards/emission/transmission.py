"""The effective rate of transmission of each device and month."""

from __future__ import annotations

from calendar import monthrange
from typing import Any, Final

import narwhals as nw

from qinglan.core.frames import half_even_ratio, opened, real, settled
from qinglan.core.interval import Stamp
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.emission.given import measured, written_in
from qinglan.standards.emission.tables import transmissions
from qinglan.standards.lookup import looked_up

_HOURS: Final = 24
_PERCENT: Final = 100


def transmission_rate(frame: Any, stamp: Stamp, stops: Any = None, edition: str | None = None) -> Any:
    """Return how much of what should have come, came and was valid.

    Parameters
    ----------
    frame
        Hours: ``site, factor, time, value``, optionally ``flag``; each site, factor and hour once.
    stamp
        Whether `time` marks the start or the end of the hour.
    stops
        ``site, time``: hours out of operation, of which none is expected (times as in `frame`).
    edition
        An edition of the rule.

    Returns
    -------
    frame
        ``site, month, factors, expected, received, valid`` (hours), ``transmission, validity, effective`` (%, two
        decimals), ``meets, edition, stage, clause, missing, note``. Every factor that a site sent in the month is
        expected in all of its hours.

    Notes
    -----
    依据: 数据传输有效率 = 数据传输率 × 数据有效率 (“十二五”总量减排考核说明).

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> time = pl.datetime_range(datetime(2025, 2, 1), datetime(2025, 2, 28, 23), "1h", eager=True)
    >>> hours = pl.DataFrame({"site": "a", "factor": "w01018", "time": time, "value": 1.0}).head(605)
    >>> transmission_rate(hours, stamp="start").select("expected", "received", "effective").row(0)
    (672, 605, 90.03)
    """
    given = opened(frame, ("site", "factor", "time", "value"))
    hours = settled(measured(given.frame, stamp))
    law = transmissions(edition)[-1]
    if edition is None:
        refuse_uncovered(hours, nw.col("time"), transmissions())
    came = _without(hours, stops, stamp).with_columns(nw.col("time").dt.to_string("%Y-%m").alias("month"))
    came = settled(came.filter(~nw.col("factor").str.contains("-", literal=True)))
    sums = came.group_by("site", "month").agg(
        nw.len().cast(nw.Int64).alias("received"),
        nw.col("value").count().cast(nw.Int64).alias("valid"),
        nw.col("factor").n_unique().cast(nw.Int64).alias("factors"),
    )
    lengths = {month: _HOURS * monthrange(int(month[:4]), int(month[5:]))[1] for month in written_in(came, "month")}
    length = looked_up(nw.col("month"), lengths, nw.Int64)
    if stops is not None:
        clocked = _hours_of(stops, stamp).with_columns(nw.col("time").dt.to_string("%Y-%m").alias("month"))
        stopped = clocked.group_by("site", "month").agg(nw.len().cast(nw.Int64).alias("stopped"))
        sums = sums.join(stopped, on=["site", "month"], how="left").with_columns(nw.col("stopped").fill_null(0))
        length = length - nw.col("stopped")
    staged = sums.with_columns((length * nw.col("factors")).alias("expected"))
    some = nw.when(nw.col("expected") > 0).then(nw.col("expected"))
    received = nw.when(nw.col("received") > 0).then(nw.col("received"))
    staged = staged.with_columns(some.alias("_expected"), received.alias("_received"))
    scale = 10**law.decimals
    rates = staged.with_columns(
        half_even_ratio(nw.col("received") * _PERCENT * scale, nw.col("_expected")).alias("transmission"),
        half_even_ratio(nw.col("valid") * _PERCENT * scale, nw.col("_received")).alias("validity"),
        half_even_ratio(nw.col("valid") * _PERCENT * scale, nw.col("_expected")).alias("effective"),
    )
    lost = nw.col("expected") - nw.col("valid")
    missing = nw.when(lost > 0).then(nw.concat_str([nw.lit("缺少或无效 "), lost.cast(nw.String), nw.lit(" 小时值")]))
    twice = nw.when(nw.col("received") > nw.col("expected")).then(nw.lit("收到的多于应传的：有重复或停运记录有误"))
    return given.give(
        rates.select(
            *("site", "month", "factors", "expected", "received", "valid"),
            *(real(nw.col(name), scale).alias(name) for name in ("transmission", "validity", "effective")),
            (nw.col("valid") * _PERCENT >= nw.col("expected") * law.least).alias("meets"),
            nw.lit(law.name).alias("edition"),
            nw.lit(law.stage, dtype=nw.String).alias("stage"),
            nw.lit("传输率×有效率").alias("clause"),
            missing.alias("missing"),
            twice.alias("note"),
        )
    )


def _hours_of(stops: Any, stamp: Stamp) -> nw.LazyFrame[Any]:
    frame = opened(stops, ("site", "time")).frame.with_columns(nw.lit(0.0).alias("value"))
    return measured(frame, stamp).select("site", "time").unique()


def _without(hours: nw.LazyFrame[Any], stops: Any, stamp: Stamp) -> nw.LazyFrame[Any]:
    if stops is None:
        return hours
    stopped = _hours_of(stops, stamp).with_columns(nw.lit(1, dtype=nw.Int64).alias("_stopped"))
    marked = hours.join(stopped, on=["site", "time"], how="left")
    return marked.filter(nw.col("_stopped").is_null()).drop("_stopped")
