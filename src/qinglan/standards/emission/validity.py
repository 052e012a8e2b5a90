"""Values on arrival: what is outside its range, jumps, stands still, or drifts away from its neighbours."""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from qinglan.core import units
from qinglan.core.frames import SCALE, listed, on_beijing_clock, opened, scaled, settled
from qinglan.standards.emission.given import own_unit, to_own_unit
from qinglan.standards.emission.tables import ArrivalRule, validities
from qinglan.standards.lookup import looked_up
from qinglan.standards.qualified import number

_SERIES: Final = ("site", "factor")
RANGE, CONSTANT, JUMP, DRIFT, MISSING = "超出量程", "恒值", "突变", "偏离相邻点位", "缺测"
_TIMES: Final = 1000


def arrival_flags(frame: Any, medium: str, edition: str | None = None) -> Any:
    """Return each value with what is doubted of it; nothing that was given is changed.

    Parameters
    ----------
    frame
        ``site, factor, time, value`` of one grain, optionally ``unit`` (else the factor's own), ``flag``,
        ``mark`` and ``device_mark``: all columns are kept.
    medium
        ``"wastewater"``, ``"gas"``, ``"station"`` or ``"surface-water"``: whose ranges hold.
    edition
        An edition of the rules.

    Returns
    -------
    frame
        The given columns, then ``doubt`` (the flag that these rules would set: out_of_range, suspect or null),
        ``reasons`` (joined by 、), ``edition, stage, clause, missing, note``. Factors without a rule have no doubt.

    Notes
    -----
    Neighbours are compared where four sites at least have the factor on a day. The rules are our own (check M);
    a given flag, the device's and the enterprise's marks stay as they are. 依据: 公告2022年第21号 (marks are the
    enterprise's).

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> time = [datetime(2025, 6, 1, hour) for hour in range(3)]
    >>> rows = pl.DataFrame({"site": "a", "factor": "w01018", "time": time, "value": [40.0, 300.0, 2600.0]})
    >>> arrival_flags(rows, "wastewater").sort("time")["reasons"].to_list()
    [None, '突变', '超出量程']
    """
    given = opened(frame, (*_SERIES, "time", "value"))
    columns = given.frame.collect_schema()
    law = validities(edition)[-1]
    rules = law.of(medium)
    clocked = on_beijing_clock(given.frame)
    value = number(nw.col("value"), columns["value"]) * to_own_unit(clocked)
    q = scaled(value)
    rows = settled(clocked.with_columns(q.alias("_q")).with_columns(*_limits(rules)))
    # What is outside its range is no measurement, so that nothing jumps from it or back.
    inside = (nw.col("_q") >= nw.col("_low")) & (nw.col("_q") <= nw.col("_high"))
    possible = rows.with_columns(nw.when(inside).then(nw.col("_q")).alias("_in"))
    before = nw.col("_in").shift(1).over(*_SERIES, order_by="time")
    compared = possible.with_columns(before.alias("_before"))
    runs = compared.with_columns(_changed().cast(nw.Int64).cum_sum().over(*_SERIES, order_by="time").alias("_run"))
    place = nw.col("_one").cum_sum().over(*_SERIES, "_run", order_by="time")
    counted = runs.with_columns(nw.lit(1, dtype=nw.Int64).alias("_one")).with_columns(place.alias("_length"))
    longest = nw.col("_length").max().over(*_SERIES, "_run")
    staged = _beside_neighbours(counted.with_columns(longest.alias("_longest")), law.least_neighbours)
    known = ~nw.col("_low").is_null()
    reasons = {
        RANGE: (nw.col("_q") < nw.col("_low")) | (nw.col("_q") > nw.col("_high")),
        JUMP: _jumped(),
        CONSTANT: (nw.col("_longest") >= nw.col("_constant")) & (nw.col("_in") != 0),
        DRIFT: nw.col("_drifted") == 1,
        MISSING: nw.col("_q").is_null() & known,
    }
    flagged = staged.with_columns(
        *(condition.fill_null(value=False).alias(f"_reason{place}") for place, condition in enumerate(reasons.values()))
    )
    texts = listed([(nw.col(f"_reason{place}"), name) for place, name in enumerate(reasons)])
    doubt = (
        nw.when(nw.col("_reason0")).then(nw.lit("out_of_range"))
        .when(nw.col("_reason1") | nw.col("_reason2") | nw.col("_reason3")).then(nw.lit("suspect"))
    )  # fmt: skip
    told = flagged.with_columns(doubt.alias("doubt"), texts.alias("reasons"))
    return given.give(
        told.select(
            *columns.names(),
            *("doubt", "reasons"),
            nw.lit(law.name).alias("edition"),
            nw.lit(law.stage, dtype=nw.String).alias("stage"),
            nw.lit("自定").alias("clause"),
            nw.when(nw.col("_q").is_null()).then(nw.lit(MISSING)).alias("missing"),
            nw.when(nw.col("_low").is_null()).then(nw.lit("没有该因子的校验规则")).alias("note"),
        )
    )


def _limits(rules: Any) -> list[nw.Expr]:
    """Return the rule of each row's factor as columns of whole numbers, in the factor's own unit."""

    def column(name: str, value: Any) -> nw.Expr:
        table = {factor: value(rule) for factor, rule in rules.items()}
        return looked_up(nw.col("factor"), table, nw.Int64).alias(name)

    return [
        column("_low", lambda rule: _in_own_unit(rule, rule.low)),
        column("_high", lambda rule: _in_own_unit(rule, rule.high)),
        column("_least", lambda rule: _in_own_unit(rule, rule.least)),
        column("_times", lambda rule: int(rule.times * _TIMES)),
        column("_constant", lambda rule: rule.constant),
        column("_near", lambda rule: None if rule.neighbours is None else int(rule.neighbours * _TIMES)),
    ]


def _in_own_unit(rule: ArrivalRule, bound: Any) -> int:
    own = own_unit(rule.factor)
    return int(bound * SCALE * (units.factor_between(rule.unit, own) if own else 1))


def _changed() -> nw.Expr:
    same = (nw.col("_in") == nw.col("_before")).fill_null(value=False)
    return ~same


def _jumped() -> nw.Expr:
    """Return whether a value is far enough, and many times up or down; from nought, distance alone decides."""
    difference = (nw.col("_in") - nw.col("_before")).abs()
    rises = nw.col("_in") > nw.col("_before")
    larger = nw.when(rises).then(nw.col("_in")).otherwise(nw.col("_before"))
    smaller = nw.when(rises).then(nw.col("_before")).otherwise(nw.col("_in"))
    # Thousandths of a value keep the product far below the largest whole number.
    times = larger // _TIMES * _TIMES >= smaller // _TIMES * nw.col("_times")
    return (difference >= nw.col("_least")) & ((smaller <= 0) | times)


def _beside_neighbours(rows: nw.LazyFrame[Any], least: int) -> nw.LazyFrame[Any]:
    """Add whether the day's mean of a site is too far from the median of all sites' means."""
    dated = settled(rows.with_columns(nw.col("time").dt.date().alias("_date")))
    asked = dated.filter(~nw.col("_near").is_null() & ~nw.col("_in").is_null())
    means = settled(
        asked.group_by(*_SERIES, "_date").agg(
            (nw.col("_in").sum() // nw.col("_in").count()).alias("_mean"), nw.col("_near").max().alias("_asked")
        )
    )
    of_all = means.group_by("factor", "_date").agg(
        nw.col("_mean").cast(nw.Float64).median().alias("_median"), nw.len().cast(nw.Int64).alias("_sites")
    )
    beside = means.join(of_all, on=["factor", "_date"], how="left")
    mean, median, times = nw.col("_mean").cast(nw.Float64), nw.col("_median"), nw.col("_asked").cast(nw.Float64)
    far = (mean * _TIMES > median * times) | (mean * times < median * _TIMES)
    drifted = beside.filter((nw.col("_sites") >= least) & far).select(
        *_SERIES, "_date", nw.lit(1, dtype=nw.Int64).alias("_drifted")
    )
    return dated.join(drifted, on=[*_SERIES, "_date"], how="left")


def gaps(frame: Any, every: str) -> Any:
    """Return the times for which nothing came.

    Parameters
    ----------
    frame
        ``site, factor, time`` (start of each period).
    every
        Length of a period: ``"1h"``, ``"10m"``, ``"1d"`` …

    Returns
    -------
    frame
        One row a gap between two rows of a series: ``site, factor, start`` (first period without a value), ``end`` (the
        period that came again, not included).

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> time = [datetime(2025, 6, 1, hour) for hour in (0, 1, 4)]
    >>> gaps(pl.DataFrame({"site": "a", "factor": "w01018", "time": time}), "1h").select("start", "end").row(0)
    (datetime.datetime(2025, 6, 1, 2, 0), datetime.datetime(2025, 6, 1, 4, 0))
    """
    given = opened(frame, (*_SERIES, "time"))
    rows = on_beijing_clock(given.frame).select(*_SERIES, "time")
    last = nw.col("time").shift(1).over(*_SERIES, order_by="time")
    staged = rows.with_columns(last.alias("_last"))
    staged = staged.with_columns(nw.col("_last").dt.offset_by(every).alias("start"))
    found = staged.filter(~nw.col("_last").is_null() & (nw.col("time") > nw.col("start")))
    return given.give(found.select(*_SERIES, "start", nw.col("time").alias("end")))
