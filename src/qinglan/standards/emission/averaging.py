"""Means as the law asks for them: converted hours of flue gas, days of waste water, incinerators and furnaces."""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import SCALE, opened, real, scaled, settled
from qinglan.core.interval import Stamp
from qinglan.standards.edition import Edition, named, refuse_uncovered
from qinglan.standards.emission.given import FURNACE, OXYGEN, WATER_FLOW, measured, start_of
from qinglan.standards.emission.tables import gas_onlines, incinerations, water_onlines

HOURS: Final = ("site", "factor", "time", "value")
_FLOW_SCALE: Final = 1000


def hourly_means(frame: Any, minutes: int, stamp: Stamp, edition: str | None = None) -> Any:
    """Return the hourly means of minute data of flue gas.

    Parameters
    ----------
    frame
        ``site, factor, time, value``, optionally ``flag, unit``: means of `minutes` minutes, each once.
    minutes
        How long each row's period is: a divisor of 60.
    stamp
        Whether `time` marks the start or the end of the period.
    edition
        An edition of HJ 75.

    Returns
    -------
    frame
        ``site, factor, time, value, minutes, valid, edition, stage, clause, missing, note``; ``value`` is null where
        fewer than 45 minutes are valid.

    Notes
    -----
    依据: HJ 75—2017; HJ 76—2017 附录 B.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> times = pl.datetime_range(datetime(2025, 6, 1), datetime(2025, 6, 1, 0, 40), "10m", eager=True)
    >>> rows = pl.DataFrame({"site": "a", "factor": "a21002", "time": times, "value": [1.0, 2, 3, 4, 5]})
    >>> hourly_means(rows, minutes=10, stamp="start").select("value", "minutes").row(0)
    (3.0, 50)
    """
    if not 1 <= minutes <= 60 or 60 % minutes:
        raise InputError(
            f"minutes 应能整除 60，收到 {minutes}。", f"minutes should divide 60; got {minutes}.", field="minutes"
        )
    given = opened(frame, HOURS)
    rows = measured(given.frame, stamp, f"{minutes}m")
    law = gas_onlines(edition)[-1]
    _cover(rows, edition, gas_onlines())
    hours = rows.with_columns(start_of(rows, "1h").alias("time"), scaled(nw.col("value")).alias("q"))
    sums = hours.group_by("site", "factor", "time").agg(
        nw.col("q").sum().cast(nw.Int64).alias("sum"), nw.col("q").count().cast(nw.Int64).alias("count")
    )
    counted = sums.with_columns((nw.col("count") * minutes).alias("minutes"))
    enough = (nw.col("minutes") >= law.minutes_of_hour) & (nw.col("minutes") <= 60)
    judged = counted.with_columns(enough.alias("valid"))
    value = nw.when(nw.col("valid")).then(_mean("sum", "count"))
    missing = nw.when(~nw.col("valid")).then(
        nw.concat_str(
            [nw.lit("有效 "), nw.col("minutes").cast(nw.String), nw.lit(f" 分钟，少于 {law.minutes_of_hour}")]
        )
    )
    return given.give(
        judged.select(
            "site", "factor", "time", value.alias("value"), "minutes", "valid", *_said(law, "小时均值", missing)
        )
    )


def converted_hours(frame: Any, outlets: Any, stamp: Stamp, edition: str | None = None) -> Any:
    """Return hourly means of flue gas converted to the reference oxygen of each outlet.

    Parameters
    ----------
    frame
        Hours: ``site, factor, time, value``, optionally ``flag, unit``, with oxygen (a19001, %) among the factors.
    outlets
        ``site, oxygen``: the reference oxygen (%), null where none is set: the measured value then counts.
    stamp
        Whether `time` marks the start or the end of the hour.
    edition
        An edition of HJ 75.

    Returns
    -------
    frame
        ``site, factor, time, value`` (converted, in the factor's own unit), ``measured, oxygen, reference``, ``period``
        (hour), ``edition, stage, clause, missing, note``; ``value`` is null without oxygen, or with as much as air has.

    Notes
    -----
    Converted = measured × (21 − reference) / (21 − oxygen). Oxygen, temperature and flow are not converted and left
    out. 依据: HJ 75—2017; 行业排放标准的基准含氧量.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> at = datetime(2025, 6, 1)
    >>> hours = pl.DataFrame({"site": "a", "factor": ["a21026", "a19001"], "time": at, "value": [80.0, 9.0]})
    >>> converted_hours(hours, pl.DataFrame({"site": ["a"], "oxygen": [6.0]}), stamp="start")["value"].to_list()
    [100.0]
    """
    given = opened(frame, HOURS)
    hours = settled(measured(given.frame, stamp))
    law = gas_onlines(edition)[-1]
    _cover(hours, edition, gas_onlines())
    references = opened(outlets, ("site", "oxygen")).frame.select(
        "site", nw.col("oxygen").cast(nw.Float64).alias("reference")
    )
    oxygen = hours.filter(nw.col("factor") == OXYGEN).select("site", "time", nw.col("value").alias("oxygen"))
    is_gas = nw.col("factor").str.starts_with("a2") | nw.col("factor").str.starts_with("a34")
    gases = hours.filter(is_gas & ~nw.col("factor").str.contains("-", literal=True))
    joined = gases.select("site", "factor", "time", nw.col("value").alias("measured")).join(
        references, on="site", how="left"
    )
    joined = joined.join(oxygen, on=["site", "time"], how="left")
    air = law.oxygen_of_air
    below_air = (nw.col("oxygen") < air) & (nw.col("oxygen") >= 0)
    rest = nw.when(below_air).then(nw.lit(float(air)) - nw.col("oxygen"))
    staged = joined.with_columns(rest.alias("rest"), (nw.lit(float(air)) - nw.col("reference")).alias("wanted"))
    converted = nw.col("measured") * nw.col("wanted") / nw.col("rest")
    plain = nw.col("reference").is_null()
    note = nw.when(plain).then(nw.lit("没有基准含氧量，按实测浓度")).otherwise(nw.lit("按小时均值折算"))
    missing = (
        nw.when(nw.col("measured").is_null()).then(nw.lit("浓度"))
        .when(~plain & nw.col("oxygen").is_null()).then(nw.lit("含氧量"))
        .when(~plain & nw.col("rest").is_null()).then(nw.lit(f"含氧量不小于 {air} %，不能折算"))
    )  # fmt: skip
    value = nw.when(plain).then(nw.col("measured")).otherwise(converted)
    return given.give(
        staged.select(
            *("site", "factor", "time"),
            value.alias("value"),
            *("measured", "oxygen", "reference"),
            nw.lit("hour").alias("period"),
            *_said(law, "折算；小时均值", missing, note),
        )
    )


def gas_days(frame: Any, stamp: Stamp, edition: str | None = None) -> Any:
    """Return the daily means of converted hours, as waste incinerators are judged.

    Parameters
    ----------
    frame
        Hours: ``site, factor, time, value`` (`converted_hours` gives them), optionally ``flag, unit``.
    stamp
        Whether `time` marks the start or the end of the hour.
    edition
        An edition of the rules on incinerators' data.

    Returns
    -------
    frame
        ``site, factor, time`` (start of the day), ``value, hours, period`` (day), ``edition, stage, clause, missing,
        note``; ``value`` is null with fewer than 20 valid hours.

    Notes
    -----
    依据: 生态环境部令第10号 第六条; HJ 76—2017 附录 B.
    """
    given = opened(frame, HOURS)
    hours = measured(given.frame, stamp)
    law, least = incinerations(edition)[-1], gas_onlines()[-1].hours_of_day
    _cover(hours, edition, incinerations())
    dated = hours.with_columns(start_of(hours, "1d").alias("time"), scaled(nw.col("value")).alias("q"))
    sums = dated.group_by("site", "factor", "time").agg(
        nw.col("q").sum().cast(nw.Int64).alias("sum"), nw.col("q").count().cast(nw.Int64).alias("hours")
    )
    enough = (nw.col("hours") >= least) & (nw.col("hours") <= 24)
    value = nw.when(enough).then(_mean("sum", "hours"))
    missing = nw.when(~enough).then(_few("hours", least))
    return given.give(
        sums.select(
            *("site", "factor", "time"),
            value.alias("value"),
            "hours",
            nw.lit("day").alias("period"),
            *_said(law, "第六条", missing),
        )
    )


def water_days(frame: Any, stamp: Stamp, *, expected: int = 24, edition: str | None = None) -> Any:
    """Return the daily means of waste water, weighted by the flow.

    Parameters
    ----------
    frame
        Hours: ``site, factor, time, value``, optionally ``flag, unit``, with the flow (w00000, L/s) among the factors.
    stamp
        Whether `time` marks the start or the end of the hour.
    expected
        How many values a day should have (12 for analysers that sample every two hours).
    edition
        An edition of HJ 356.

    Returns
    -------
    frame
        ``site, factor, time`` (start of the day), ``value, hours, period`` (day), ``edition, stage, clause, missing,
        note``; pH and temperature are plain means; ``value`` is null with too few hours or no flow.

    Notes
    -----
    依据: HJ 356—2019 第7章.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> time = [datetime(2025, 6, 1, hour) for hour in range(24)]
    >>> values = {"w01018": [10.0] * 12 + [40.0] * 12, "w00000": [30.0] * 12 + [10.0] * 12}
    >>> frames = [pl.DataFrame({"site": "a", "factor": f, "time": time, "value": v}) for f, v in values.items()]
    >>> water_days(pl.concat(frames), stamp="start")["value"].to_list()
    [17.5]
    """
    given = opened(frame, HOURS)
    hours = settled(measured(given.frame, stamp))
    law = water_onlines(edition)[-1]
    _cover(hours, edition, water_onlines())
    flow = hours.filter(nw.col("factor") == WATER_FLOW).select(
        "site", "time", scaled(nw.col("value"), _FLOW_SCALE).alias("flow")
    )
    others = hours.filter((nw.col("factor") != WATER_FLOW) & ~nw.col("factor").str.contains("-", literal=True))
    plain = nw.col("factor").is_in(list(law.plain))
    joined = (
        others.select("site", "factor", "time", scaled(nw.col("value")).alias("q"))
        .join(flow, on=["site", "time"], how="left")
        .with_columns(nw.when(plain).then(nw.lit(1)).otherwise(nw.col("flow")).cast(nw.Int64).alias("weight"))
    )
    weighted = joined.with_columns(
        start_of(joined, "1d").alias("time"),
        nw.when(~nw.col("q").is_null()).then(nw.col("weight")).alias("weight"),
    )
    products = weighted.with_columns((nw.col("q") * nw.col("weight")).alias("product"))
    sums = products.group_by("site", "factor", "time").agg(
        nw.col("product").sum().cast(nw.Int64).alias("sum"),
        nw.col("weight").sum().cast(nw.Int64).alias("weights"),
        nw.col("product").count().cast(nw.Int64).alias("hours"),
    )
    least = -(-expected * int(law.share_of_day) // 100)
    enough = nw.col("hours") >= least
    some = nw.when(nw.col("weights") > 0).then(nw.col("weights"))
    staged = sums.with_columns(some.alias("some"))
    mean = real(nw.col("sum")) / nw.col("some").cast(nw.Float64)
    missing = nw.when(~enough).then(_few("hours", least)).when(nw.col("some").is_null()).then(nw.lit("没有排放流量"))
    note = nw.when(nw.col("factor").is_in(list(law.plain))).then(nw.lit("算术平均")).otherwise(nw.lit("流量加权平均"))
    return given.give(
        staged.select(
            *("site", "factor", "time"),
            nw.when(enough).then(mean).alias("value"),
            "hours",
            nw.lit("day").alias("period"),
            *_said(law, "第7章", missing, note),
        )
    )


def furnace_days(frame: Any, stamp: Stamp, exempt: Any = None, edition: str | None = None) -> Any:
    """Return how often on each day a furnace's 5-minute mean was below 850 ℃, and whether that is a finding.

    Parameters
    ----------
    frame
        5-minute means of the furnace temperature: ``site, time, value`` (℃), optionally ``factor`` (a01901) and
        ``flag``.
    stamp
        Whether `time` marks the start or the end of the five minutes.
    exempt
        ``site, start, end``: times of start-up, shut-down, fault or accident, as the enterprise marked them.
    edition
        An edition of the rules on incinerators' data.

    Returns
    -------
    frame
        ``site, time`` (start of the day), ``slots, low, exempt_low, value`` (lowest), ``limit, counts, period`` (5min),
        ``edition, stage, clause, missing, note``.

    Notes
    -----
    依据: 生态环境部令第10号 第七条、第十一条: more than 5 times on a day, in normal operation.
    """
    given = opened(frame, ("site", "time", "value"))
    rows = measured(given.frame, stamp, "5m")
    if "factor" in rows.collect_schema().names():
        rows = rows.filter(nw.col("factor") == FURNACE)
    law = incinerations(edition)[-1]
    _cover(rows, edition, incinerations())
    limit = int(law.furnace * SCALE)
    low = (scaled(nw.col("value")) < limit).fill_null(value=False)
    rows = settled(rows.select("site", "time", "value", low.cast(nw.Int64).alias("low")))
    if exempt is None:
        marked = rows.with_columns(nw.lit(0, dtype=nw.Int64).alias("marked"))
    else:
        periods = opened(exempt, ("site", "start", "end")).frame.select("site", "start", "end")
        inside = (nw.col("time") >= nw.col("start")) & (nw.col("time") < nw.col("end"))
        hit = rows.join(periods, on="site", how="inner").filter(inside).select("site", "time").unique()
        hit = hit.with_columns(nw.lit(1, dtype=nw.Int64).alias("marked"))
        marked = rows.join(hit, on=["site", "time"], how="left").with_columns(nw.col("marked").fill_null(0))
    staged = marked.with_columns(
        start_of(marked, "1d").alias("time"),
        (nw.col("low") * (1 - nw.col("marked"))).alias("found"),
        (nw.col("low") * nw.col("marked")).alias("excused"),
    )
    days = staged.group_by("site", "time").agg(
        nw.col("value").count().cast(nw.Int64).alias("slots"),
        nw.col("found").sum().cast(nw.Int64).alias("low"),
        nw.col("excused").sum().cast(nw.Int64).alias("exempt_low"),
        nw.col("value").min().alias("value"),
    )
    counts = nw.col("low") > law.slots_a_day
    missing = nw.when(nw.col("slots") < 288).then(
        nw.concat_str([nw.lit("5 分钟均值 "), nw.col("slots").cast(nw.String), nw.lit(" 个，一日应有 288 个")])
    )
    note = nw.when(nw.col("exempt_low") > 0).then(nw.lit(f"豁免时段每炉每年累计不超过 {law.hours_a_year} 小时，须核对"))
    return given.give(
        days.select(
            *("site", "time", "slots", "low", "exempt_low", "value"),
            nw.lit(float(law.furnace)).alias("limit"),
            counts.alias("counts"),
            nw.lit("5min").alias("period"),
            *_said(law, "第七条、第十一条", missing, note),
        )
    )


def _mean(total: str, count: str) -> nw.Expr:
    return real(nw.col(total)) / nw.when(nw.col(count) > 0).then(nw.col(count)).cast(nw.Float64)


def _few(count: str, least: int) -> nw.Expr:
    return nw.concat_str([nw.lit("有效 "), nw.col(count).cast(nw.String), nw.lit(f" 小时，少于 {least}")])


def _said(law: Edition, clause: str, missing: nw.Expr | None = None, note: nw.Expr | None = None) -> list[nw.Expr]:
    nothing = nw.lit(None, dtype=nw.String)
    return [
        nw.lit(law.name).alias("edition"),
        nw.lit(law.stage, dtype=nw.String).alias("stage"),
        nw.lit(f"{law.number} {clause}").alias("clause"),
        (nothing if missing is None else missing).alias("missing"),
        (nothing if note is None else note).alias("note"),
    ]


def _cover(rows: nw.LazyFrame[Any], edition: str | None, available: tuple[Any, ...]) -> None:
    if edition is None:
        refuse_uncovered(rows, nw.col("time"), available)
    else:
        named(available, edition)
