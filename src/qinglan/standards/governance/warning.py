"""Which level of heavy-pollution warning a run of daily AQI reaches: a test of the run, never the order itself."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.standards.edition import in_force, named, refuse_uncovered
from qinglan.standards.governance.tables import HeavyPollution, heavy_pollution
from qinglan.standards.lookup import amounts, looked_up
from qinglan.standards.signed import signed

DAY_HOURS = 24.0
NONE = 0


def heavy_pollution_level(frame: Any, edition: str | None = None) -> Any:
    """Return, for each run of polluted days, the level whose conditions it meets.

    A warning is ordered from a forecast after consultation; this says only what the run itself amounts to.

    Parameters
    ----------
    frame
        Days: ``site, date, aqi``; each site and date once. Optional: ``hours`` (how long the value lasts, 24 by
        default, for the last part of a forecast), ``apart`` (true for days of ozone, dust or wildfire, which do not
        count).
    edition
        ``"2017"``, ``"2018"``, ``"2024"``; by default the one in force on the last day.

    Returns
    -------
    frame
        One row a site and run of days above the lowest threshold of the edition: ``site, start, end, hours,
        peak_aqi, level`` (0 none, 1 blue … 4 red), ``level_id, word, edition, stage, clause, missing, note``.

    Notes
    -----
    依据: 环大气〔2017〕86号; 环办大气函〔2018〕875号; 环大气〔2024〕6号. Terms of one alternative must hold within one
    run; a missing day, or one that is set apart, ends it.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import date
    >>> run = pl.DataFrame({"site": "a", "date": [date(2025, 1, 1), date(2025, 1, 2)], "aqi": [210, 215]})
    >>> heavy_pollution_level(run)["word"].item()
    '橙色'
    """
    given = amounts(frame, ("site", "date", "aqi"), ("aqi", "hours"), {"aqi": 500, "hours": 24})
    rule = _edition(given.frame, edition)
    names = given.frame.collect_schema().names()
    hours = nw.col("hours").fill_null(0.0) if "hours" in names else nw.lit(DAY_HOURS)
    apart = nw.col("apart").fill_null(value=False) if "apart" in names else nw.lit(value=False)
    counted = given.frame.with_columns(hours.alias("_hours")).filter(~apart & ~nw.col("aqi").is_null())
    runs = _runs(counted, rule)
    thresholds = sorted({term.aqi for term in rule.terms})
    longest = [f"_longest{aqi}" for aqi in thresholds]
    episodes = runs.group_by("site", "_run").agg(
        nw.col("date").min().alias("start"),
        nw.col("date").max().alias("end"),
        nw.col("_hours").sum().alias("hours"),
        nw.col("aqi").max().alias("peak_aqi"),
        *(nw.col(f"_hours{aqi}").max().alias(name) for aqi, name in zip(thresholds, longest, strict=True)),
    )
    level = _level(rule)
    number = nw.col("level")
    words = {str(part.level): part.title.zh for part in rule.levels}
    ids = {str(part.level): part.id for part in rule.levels}
    key = number.cast(nw.String)
    return given.give(
        episodes.with_columns(level.alias("level"))
        .select(
            "site",
            "start",
            "end",
            "hours",
            "peak_aqi",
            "level",
            looked_up(key, {"0": "none", **ids}, nw.String).alias("level_id"),
            looked_up(key, {"0": "未达预警条件", **words}, nw.String).alias("word"),
            *signed(rule),
            nw.lit(None, dtype=nw.String).alias("missing"),
            nw.lit("仅检验日 AQI 过程，预警以指挥机构的命令为准").alias("note"),
        )
        .sort("site", "start")
    )


def _edition(frame: nw.LazyFrame[Any], edition: str | None) -> HeavyPollution:
    available = heavy_pollution()
    if edition is not None:
        return named(available, edition)
    refuse_uncovered(frame, nw.col("date"), available)
    last = frame.select(nw.col("date").max().alias("last")).collect().to_dict(as_series=False)["last"][0]
    if last is None:
        return available[-1]
    return in_force(available, last.date() if hasattr(last, "date") else last)


def _day_number(column: str = "date") -> nw.Expr:
    """Return the days since the year 1: whole numbers on every engine. Days of one run differ by one."""
    before = nw.col(column).dt.year().cast(nw.Int64) - 1
    whole_years = before * 365 + before // 4 - before // 100 + before // 400
    return whole_years + nw.col(column).dt.ordinal_day().cast(nw.Int64)


def _runs(counted: nw.LazyFrame[Any], rule: HeavyPollution) -> nw.LazyFrame[Any]:
    thresholds = sorted({term.aqi for term in rule.terms})
    lowest = thresholds[0]
    found = _numbered(
        counted.filter(nw.col("aqi") > lowest).with_columns(_day_number().alias("_day")), ("site",), "_run"
    )
    for aqi in thresholds:
        above = nw.col("aqi") >= aqi if aqi == rule.top else nw.col("aqi") > aqi
        part = _numbered(found.filter(above).select("site", "_run", "_day", "_hours"), ("site", "_run"), "_part")
        sums = part.group_by("site", "_run", "_part").agg(nw.col("_hours").sum().alias("_sum"))
        longest = sums.group_by("site", "_run").agg(nw.col("_sum").max().alias(f"_hours{aqi}"))
        found = found.join(longest, on=["site", "_run"], how="left")
    return found


def _numbered(days: nw.LazyFrame[Any], keys: tuple[str, ...], name: str) -> nw.LazyFrame[Any]:
    """Return `days` with the runs numbered: within one, the day less its place is the same."""
    place = nw.col("_day").cum_count().over(*keys, order_by="_day")
    return days.with_columns((nw.col("_day") - place.cast(nw.Int64)).alias(name))


def _level(rule: HeavyPollution) -> nw.Expr:
    found = nw.lit(NONE, dtype=nw.Int64)
    for part in sorted(rule.levels, key=lambda level: level.level):
        alternatives = sorted({term.alternative for term in rule.terms if term.level == part.id})
        for alternative in alternatives:
            holds = nw.lit(value=True)
            for term in rule.terms:
                if (term.level, term.alternative) == (part.id, alternative):
                    holds = holds & (nw.col(f"_longest{term.aqi}") >= term.hours).fill_null(value=False)
            found = nw.when(holds).then(nw.lit(part.level, dtype=nw.Int64)).otherwise(found)
    return found
