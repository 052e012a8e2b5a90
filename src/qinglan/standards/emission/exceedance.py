"""Candidate exceedances: means above the limits that hold for an outlet, with what may exempt them.

A candidate is a lead for a person, never a finding: the enterprise marks and explains, the bureau checks.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import SCALE, half_even_ratio, listed, on_beijing_clock, opened, real, scaled, settled
from qinglan.standards.emission.given import to_own_unit, written_in
from qinglan.standards.emission.tables import Mark, online_marks

_HUNDREDTHS: Final = 100
_LENGTHS: Final = {"hour": "1h", "day": "1d", "5min": "5m"}
_CANDIDATE: Final = "候选，须经企业标记与人工核实"
KEYS: Final = ("site", "factor", "time", "period")


def candidate_exceedances(means: Any, limits: Any, marks: Any = None, edition: str | None = None) -> Any:
    """Return the means that lie outside the limits of their outlet and factor.

    Parameters
    ----------
    means
        ``site, factor, time`` (start), ``value, period`` (hour, day, 5min), optionally ``unit`` (else the factor's
        own): from `converted_hours` for gas, `water_days` for waste water, `gas_days` for incinerators.
    limits
        ``site, factor, period, limit, edition, clause`` (of the standard or permit), optionally ``low`` (for pH or a
        furnace), ``unit`` (else the factor's own), ``start, end`` (days on which the limit holds, both included).
    marks
        ``site, start, end, mark``, optionally ``factor``: what the enterprise marked, times as in `means`. Marks are
        those of the declared edition.
    edition
        An edition of the marking rules.

    Returns
    -------
    frame
        ``site, factor, time, period, value, limit`` (the one passed, in the limit's unit), ``multiple`` (how many times
        over, two decimals; null below a low limit), ``edition, clause, exemption`` (marks that may exempt, with what
        they do), ``invalid`` (whether a mark makes the data no ground), ``note``.

    Raises
    ------
    InputError
        If a mark or period is not known, or a unit of another kind than the factor's.

    Notes
    -----
    依据: 生态环境部公告 2022年第21号: data marked invalid are no ground for an exceedance. Equal to the limit meets it.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> hour = {"site": ["a"], "factor": ["a21026"], "time": [datetime(2025, 6, 1)], "period": ["hour"]}
    >>> means = pl.DataFrame({**hour, "value": [70.0], "unit": ["mg/m3"]})
    >>> limit = {"site": ["a"], "factor": ["a21026"], "period": ["hour"], "limit": [35.0], "unit": ["mg/m3"]}
    >>> limits = pl.DataFrame({**limit, "edition": ["permit"], "clause": ["table 2"]})
    >>> candidate_exceedances(means, limits).select("value", "limit", "multiple").row(0)
    (70.0, 35.0, 1.0)
    """
    given = opened(means, (*KEYS, "value"))
    means_of = on_beijing_clock(given.frame)
    values = means_of.with_columns((nw.col("value").cast(nw.Float64) * to_own_unit(means_of)).alias("value"))
    holding = _limits(limits)
    shared = values.join(holding, on=["site", "factor", "period"], how="inner")
    day = nw.col("time").dt.date()
    began = nw.col("limit_start").is_null() | (day >= nw.col("limit_start"))
    still = nw.col("limit_end").is_null() | (day <= nw.col("limit_end"))
    held = shared.filter(began & still).with_columns(
        scaled(nw.col("value") / nw.col("ratio")).alias("q"),
        scaled(nw.col("limit")).alias("high"),
        scaled(nw.col("low")).alias("least"),
    )
    above = (nw.col("q") > nw.col("high")).fill_null(value=False)
    below = (nw.col("q") < nw.col("least")).fill_null(value=False)
    over = settled(held.filter(above | below).with_columns(above.alias("above")))
    some = nw.when(nw.col("above") & (nw.col("high") > 0)).then(nw.col("high"))
    times = half_even_ratio((nw.col("q") - nw.col("high")) * _HUNDREDTHS, some)
    found = (
        over.with_columns(some.alias("some"))
        .with_columns(times.alias("times"))
        .select(
            *KEYS,
            real(nw.col("q"), SCALE).alias("value"),
            nw.when(nw.col("above")).then(real(nw.col("high"))).otherwise(real(nw.col("least"))).alias("limit"),
            real(nw.col("times"), _HUNDREDTHS).alias("multiple"),
            *("edition", "clause"),
        )
    )
    return given.give(_exempted(found, marks, edition))


def _limits(limits: Any) -> nw.LazyFrame[Any]:
    frame = opened(limits, ("site", "factor", "period", "limit", "edition", "clause")).frame
    names = frame.collect_schema().names()
    wrong = [period for period in written_in(frame, "period") if period not in _LENGTHS]
    if wrong:
        raise InputError(
            f"period 应为 {'、'.join(_LENGTHS)} 之一，收到“{wrong[0]}”。",
            f'period should be one of {", ".join(_LENGTHS)}; got "{wrong[0]}".',
            field="period",
        )
    for name, kind in (("low", nw.Float64), ("start", nw.Date), ("end", nw.Date)):
        if name not in names:
            frame = frame.with_columns(nw.lit(None, dtype=kind).alias(name))
    return frame.with_columns(to_own_unit(frame).alias("ratio")).select(
        *("site", "factor", "period", "ratio", "edition", "clause"),
        nw.col("limit").cast(nw.Float64).alias("limit"),
        nw.col("low").cast(nw.Float64).alias("low"),
        nw.col("start").cast(nw.Date).alias("limit_start"),
        nw.col("end").cast(nw.Date).alias("limit_end"),
    )


def _exempted(found: nw.LazyFrame[Any], marks: Any, edition: str | None) -> nw.LazyFrame[Any]:
    """Add which marks overlap each candidate, and what they do."""
    nothing = nw.lit(None, dtype=nw.String)
    if marks is None:
        return found.with_columns(
            nothing.alias("exemption"), nw.lit(value=False).alias("invalid"), nw.lit(_CANDIDATE).alias("note")
        )
    law = online_marks(edition)[-1]
    known = [mark for mark in law.marks.values() if mark.effect != "none"]
    periods = opened(marks, ("site", "start", "end", "mark")).frame
    wrong = [mark for mark in written_in(periods, "mark") if mark not in law.marks]
    if wrong:
        raise InputError(
            f"没有标记“{wrong[0]}”，可用的有：{'、'.join(law.marks)}。",
            f'There is no mark "{wrong[0]}"; there are: {", ".join(law.marks)}.',
            field="mark",
        )
    names = periods.collect_schema().names()
    of = nw.col("factor") if "factor" in names else nothing
    periods = periods.select("site", "start", "end", "mark", of.cast(nw.String).alias("marked_factor"))
    end = nw.col("time").dt.offset_by("1h")
    for period, length in _LENGTHS.items():
        end = nw.when(nw.col("period") == period).then(nw.col("time").dt.offset_by(length)).otherwise(end)
    ended = settled(found.with_columns(end.alias("over")))
    applies = nw.col("marked_factor").is_null() | (nw.col("marked_factor") == nw.col("factor"))
    overlaps = (nw.col("start") < nw.col("over")) & (nw.col("end") > nw.col("time"))
    hits = ended.join(periods, on="site", how="inner").filter(overlaps & applies)
    flags = hits.group_by(*KEYS).agg(
        *((nw.col("mark") == mark.id).cast(nw.Int64).max().alias(f"mark_{mark.id}") for mark in known)
    )
    joined = ended.join(flags, on=list(KEYS), how="left").with_columns(
        *((nw.col(f"mark_{mark.id}").fill_null(0) == 1).alias(f"mark_{mark.id}") for mark in known)
    )
    texts = listed([(nw.col(f"mark_{mark.id}"), exemption(mark)) for mark in known])
    invalid = nw.any_horizontal(
        *(nw.col(f"mark_{mark.id}") for mark in known if mark.effect == "invalid"), ignore_nulls=True
    )
    note = (
        nw.when(nw.col("invalid"))
        .then(nw.lit(f"{law.name}：标记为无效的数据不作为判定依据"))
        .otherwise(nw.lit(_CANDIDATE))
    )
    staged = joined.with_columns(texts.alias("exemption"), invalid.alias("invalid"))
    columns = (*KEYS, "value", "limit", "multiple", "edition", "clause", "exemption", "invalid")
    return staged.with_columns(note.alias("note")).select(*columns, "note")


def exemption(mark: Mark) -> str:
    """Return what a mark says and does, in words."""
    return f"{mark.title.zh}（{'数据无效' if mark.effect == 'invalid' else '工况豁免，须核对时长'}）"
