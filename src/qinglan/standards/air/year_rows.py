"""The rows of a yearly evaluation: rounded, compared with the limit, marked valid or not, cited."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import MAXYEAR, date
from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, half_even_ratio, long, real, scaled
from qinglan.standards.air.pollutants import col
from qinglan.standards.air.tables import TENTHS, Evaluation, Index, Limits, Statistic, decimals, evaluations, limits
from qinglan.standards.edition import E, Edition

ROW = (
    *("value", "rounded", "limit", "multiple", "meets", "days", "expected", "valid"),
    *("edition", "stage", "clause", "missing", "note"),
)
"""The columns of a row after site, year, factor and statistic."""

_PERCENT = 100
_MONTHS = 12
_INDEX = nw.col("factor") == "aqi"


def rows_of_years(
    years: nw.LazyFrame[Any],
    limits_: Sequence[Limits],
    indices_: Sequence[Index],
    evaluations_: Sequence[Evaluation],
    grade: int,
    given: nw.LazyFrame[Any],
) -> nw.LazyFrame[Any]:
    """Return the tidy rows of years that hold sums, counts and quantiles in columns."""
    parts = {f"{item.factor} {item.statistic}": _statistic(item, limits_, grade) for item in evaluations()[0].yearly}
    parts |= {name: _count(name) for name in ("valid_days", "good_days", "heavy_days")}
    parts |= {name: _share(name) for name in ("good_ratio", "heavy_ratio")}
    found = long(years, ["site", "year", "expected", "index editions"], parts, given)
    rule = limits()[0].least("PM2.5", "1y", "calendar_year")
    rounded = found.with_columns(
        half_even_ratio(nw.col("numerator"), nw.col("denominator") * nw.col("step")).alias("units"),
        ((nw.col("days") >= rule.minimum) & (nw.col("months") == _MONTHS)).fill_null(value=False).alias("valid"),
    )
    against = nw.col("limit tenths")
    compared = rounded.with_columns(
        (nw.col("units") * nw.col("step") // (SCALE // TENTHS)).alias("tenths"),
    ).with_columns(half_even_ratio((nw.col("tenths") - against) * _PERCENT, against).alias("over"))
    return compared.with_columns(
        (real(nw.col("numerator")) / nw.col("denominator")).alias("value"),
        real(nw.col("units") * nw.col("step")).alias("rounded"),
        real(against, TENTHS).alias("limit"),
        nw.when(nw.col("tenths") > against).then(real(nw.col("over"), _PERCENT)).alias("multiple"),
        (nw.col("tenths") <= against).alias("meets"),
        nw.when(~_INDEX & (nw.col("days") == 0)).then(nw.col("factor")).alias("missing"),
        _note(rule.minimum).alias("note"),
        nw.when(_INDEX).then(_in_year(indices_)).otherwise(_of_year(limits_, _name)).alias("edition"),
        nw.when(~_INDEX).then(_of_year(limits_, lambda edition: nw.lit(edition.stage, dtype=nw.String))).alias("stage"),
        nw.concat_str([nw.col("clause"), _of_year(evaluations_, _lacking)]).alias("clause"),
    )


def last_year(edition: Edition) -> int:
    """Return the last year whose 31 December lies under the edition."""
    end = edition.in_force.end
    if end is None:
        return MAXYEAR
    return end.year if end == date(end.year, 12, 31) else end.year - 1


def _of_year(available: Sequence[E], build: Callable[[E], nw.Expr]) -> nw.Expr:
    """Return what `build` makes of the edition in force on the year's last day."""
    *older, newest = available
    found = build(newest)
    for edition in reversed(older):
        found = nw.when(nw.col("year") <= last_year(edition)).then(build(edition)).otherwise(found)
    return found


def _name(edition: Edition) -> nw.Expr:
    return nw.lit(edition.name)


def _lacking(edition: Evaluation) -> nw.Expr:
    return nw.lit(f"（{edition.name} 未全：{'、'.join(edition.lacking)}）" if edition.lacking else "")


def _in_year(available: Sequence[Index]) -> nw.Expr:
    """Return the editions that judged days of the year: one by the year's end, or each day's own."""
    return nw.col("index editions") if len(available) > 1 else _name(available[0])


def _statistic(item: Statistic, limits_: Sequence[Limits], grade: int) -> dict[str, nw.Expr]:
    days = col(f"days {item.factor}")
    some = nw.when(days > 0).then(days)
    mean = item.percentile is None

    def limit(edition: Limits) -> nw.Expr:
        return nw.lit(int(edition.limit(item.factor, item.averaging, grade) * TENTHS), dtype=nw.Int64)

    return {
        "factor": nw.lit(item.factor),
        "statistic": nw.lit(item.statistic),
        "numerator": col(f"sum {item.factor}") if mean else scaled(col(f"quantile {item.factor}"), 1),
        "denominator": some if mean else nw.when(days > 0).then(nw.lit(1, dtype=nw.Int64)),
        "step": nw.lit(SCALE // 10 ** decimals(item.factor), dtype=nw.Int64),
        "limit tenths": _of_year(limits_, limit),
        "days": days,
        "months": col(f"months {item.factor}"),
        "clause": nw.lit("GB 3095 表1；HJ 663 5.1" if mean else "GB 3095 表1；HJ 663 附录A"),
    }


def _count(name: str) -> dict[str, nw.Expr]:
    count = nw.col(name.replace("_", " "))
    return _of_index(name, count * SCALE, nw.lit(1, dtype=nw.Int64), SCALE)


def _share(name: str) -> dict[str, nw.Expr]:
    part = col(f"{name.removesuffix('_ratio')} days")
    whole = nw.col("valid days")
    step = SCALE // 10 ** evaluations()[0].share_decimals
    return _of_index(name, part * (_PERCENT * SCALE), nw.when(whole > 0).then(whole), step)


def _of_index(name: str, numerator: nw.Expr, denominator: nw.Expr, step: int) -> dict[str, nw.Expr]:
    return {
        "factor": nw.lit("aqi"),
        "statistic": nw.lit(name),
        "numerator": numerator,
        "denominator": denominator,
        "step": nw.lit(step, dtype=nw.Int64),
        "limit tenths": nw.lit(None, dtype=nw.Int64),
        "days": nw.col("valid days"),
        "months": nw.lit(_MONTHS, dtype=nw.Int64),
        "clause": nw.lit("AQI ≤ 100 为优良，> 200 为重污染"),
    }


def _note(least: int) -> nw.Expr:
    few = f"有效日数不足 {least} 天"
    short = nw.when(_INDEX).then(nw.lit(few)).otherwise(nw.lit(f"{few}或某月不足 27 天（2 月 25 天）"))
    none = nw.when(~_INDEX & (nw.col("days") == 0)).then(nw.lit("没有有效日值")).otherwise(short)
    return nw.when(~nw.col("valid")).then(none)
