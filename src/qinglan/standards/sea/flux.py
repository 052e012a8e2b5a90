"""What a river carries to the sea in a year, and whether its nitrogen rose above a base year."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, half_even_ratio, on_beijing_clock, opened, real, scaled, settled
from qinglan.standards.sea.tables import clause_of, evaluation

_MILLI = 1000
_PER_TONNE = 100 * SCALE * _MILLI
_MONTHS = 12


def river_flux(frame: Any, base_year: int = 2020) -> Any:
    """Return the yearly load of each river and how its mean concentration stands to the base year's.

    Parameters
    ----------
    frame
        One row a month (several are averaged): ``site, time, value, runoff``: total nitrogen in mg/L, the month's
        runoff in 10⁴ m³.
    base_year
        The year whose mean concentration must not be exceeded.

    Returns
    -------
    frame
        ``site, year, flux`` (t), ``mean, rounded`` (plain mean of the months, mg/L; 0.01), ``weighted_mean`` (by
        runoff), ``months, base_mean, change`` (%, 0.1), ``meets, edition, stage, clause, missing, note``. A year with
        fewer than twelve months of both has no flux; one with fewer months of concentration has no verdict.

    Notes
    -----
    Flux = Σ C (mg/L) × W (10⁴ m³) × 0.01 t. 依据: 入海河流总氮通量口径 (check M).

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import datetime
    >>> months = [datetime(year, month, 1) for year in (2020, 2025) for month in range(1, 13)]
    >>> river = pl.DataFrame({"site": "a", "time": months, "value": [4.0] * 12 + [3.0] * 12, "runoff": 100.0})
    >>> river_flux(river).sort("year").select("flux", "change", "meets").rows()
    [(48.0, 0.0, True), (36.0, -25.0, True)]
    """
    given = opened(frame, ("site", "time", "value", "runoff"))
    dated = given.frame
    if isinstance(dated.collect_schema()["time"], nw.Datetime):
        dated = on_beijing_clock(dated)
    value, runoff = scaled(nw.col("value")), scaled(nw.col("runoff"), _MILLI)
    rows = dated.with_columns(
        nw.col("time").dt.year().cast(nw.Int64).alias("year"),
        nw.col("time").dt.month().alias("_month"),
        nw.when(value >= 0).then(value).alias("_value"),
        nw.when(runoff >= 0).then(runoff).alias("_runoff"),
    )
    monthly = rows.group_by("site", "year", "_month").agg(
        nw.col("_value").sum().cast(nw.Int64).alias("_sum"),
        nw.col("_value").count().cast(nw.Int64).alias("_count"),
        nw.col("_runoff").max().alias("_runoff"),
    )
    count = nw.when(nw.col("_count") > 0).then(nw.col("_count"))
    valued = monthly.with_columns(half_even_ratio(nw.col("_sum"), count).alias("_value"))
    load = valued.with_columns((nw.col("_value") * nw.col("_runoff")).alias("_load"))
    yearly = settled(
        load.group_by("site", "year").agg(
            nw.col("_load").sum().cast(nw.Int64).alias("_load"),
            nw.col("_load").count().cast(nw.Int64).alias("_both"),
            nw.col("_value").sum().cast(nw.Int64).alias("_values"),
            nw.col("_value").count().cast(nw.Int64).alias("months"),
            nw.when(~nw.col("_load").is_null()).then(nw.col("_runoff")).sum().cast(nw.Int64).alias("_water"),
        )
    )
    base = yearly.filter((nw.col("year") == base_year) & (nw.col("months") == _MONTHS)).select(
        "site", nw.col("_values").alias("_base")
    )
    return given.give(_rows(yearly.join(base, on="site", how="left"), base_year))


def _rows(frame: nw.LazyFrame[Any], base_year: int) -> nw.LazyFrame[Any]:
    whole_year = nw.col("months") == _MONTHS
    months = nw.when(nw.col("months") > 0).then(nw.col("months"))
    water = nw.when(nw.col("_water") > 0).then(nw.col("_water"))
    base = nw.when(nw.col("_base") > 0).then(nw.col("_base"))
    change = nw.when(whole_year).then(half_even_ratio((nw.col("_values") - base) * 1000, base))
    hundredths = half_even_ratio(nw.col("_values"), months * (SCALE // 100))
    lacking = _MONTHS - nw.col("_both")
    unjudged = ~whole_year | nw.col("_base").is_null()
    rules = evaluation()
    words = nw.concat_str(
        [
            nw.when(nw.col("_both") < _MONTHS).then(nw.lit("月份不足，不计全年通量")),
            nw.when(nw.col("_base").is_null()).then(nw.lit(f"缺 {base_year} 年全年数据，无法与基准年比较")),
            nw.when(~whole_year).then(nw.lit("浓度月份不足，无法判定")),
        ],
        separator="；",
        ignore_nulls=True,
    )
    return frame.select(
        "site",
        "year",
        nw.when(nw.col("_both") == _MONTHS).then(real(nw.col("_load"), _PER_TONNE)).alias("flux"),
        (nw.col("_values").cast(nw.Float64) / (months * SCALE).cast(nw.Float64)).alias("mean"),
        real(hundredths, 100).alias("rounded"),
        (nw.col("_load").cast(nw.Float64) / (water * SCALE).cast(nw.Float64)).alias("weighted_mean"),
        "months",
        real(nw.col("_base"), _MONTHS * SCALE).alias("base_mean"),
        real(change, 10).alias("change"),
        nw.when(~unjudged).then(nw.col("_values") <= nw.col("_base")).alias("meets"),
        nw.lit(rules.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit(clause_of(rules)).alias("clause"),
        nw.when(lacking > 0).then(nw.concat_str([lacking.cast(nw.String), nw.lit("个月")])).alias("missing"),
        nw.when(words != "").then(words).alias("note"),
    )
