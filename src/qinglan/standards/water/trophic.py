"""环办〔2011〕22号: the trophic state index of lakes and reservoirs."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import SCALE, opened, real, scaled, with_lists, with_ratios
from qinglan.standards import qualified
from qinglan.standards.edition import editions
from qinglan.standards.lookup import decimal
from qinglan.standards.water.items import NANO, averaged, samples, title_of
from qinglan.standards.water.tables import FOLDER, Trophic


def trophics() -> tuple[Trophic, ...]:
    """Return the editions of the trophic state index, the oldest first."""
    return editions(FOLDER, Trophic, "环办〔2011〕22号 湖库营养状态")


def trophic_index(frame: Any) -> Any:
    """Return the trophic state index of each lake at each time.

    Parameters
    ----------
    frame
        ``site, factor, time, value`` or a column an item: ``chla`` (mg/m³), ``tp, tn, codmn`` (mg/L), ``sd`` (m).
        Average the points of a lake first. Values below detection count half the limit.

    Returns
    -------
    frame
        ``site, time, tli_chla, tli_tp, tli_tn, tli_sd, tli_codmn, tli, rounded`` (one decimal), ``grade, items,
        edition, stage, clause, missing, note``.

    Notes
    -----
    依据: 环办〔2011〕22号 湖泊、水库营养状态评价.

    Examples
    --------
    >>> import polars as pl
    >>> lake = pl.DataFrame({"site": "a", "time": "2024", "chla": [10.0], "tp": [0.05], "tn": [1.0], "sd": [1.0],
    ...                      "codmn": [4.0]})
    >>> trophic_index(lake).select("rounded", "grade").row(0)
    (48.0, '中营养')
    """
    given = opened(frame, ("site", "time"))
    rules = trophics()[-1]
    names = given.frame.collect_schema().names()
    held = samples(given.frame, ["site", "time"], rules.coefficients, halve=True)
    if "factor" not in names:
        held = averaged(held, ["site", "time"])
    single = {}
    for item, (a, b, _) in rules.coefficients.items():
        value = real(nw.col(f"q {item}"), NANO) if item in held.items else nw.lit(None, dtype=nw.Float64)
        single[item] = (nw.when(value > 0).then(value).log() * b + a) * 10
    indexed = with_lists(held.frame, held.excluded()).with_columns(
        *(value.alias(f"tli_{item}") for item, value in single.items()), held.note().alias("impossible")
    )
    return given.give(_summed(indexed, rules))


def trophic_from_indices(frame: Any) -> Any:
    """Return the trophic state index of lakes whose item indices are given.

    Parameters
    ----------
    frame
        ``site, time`` and some of ``tli_chla, tli_tp, tli_tn, tli_sd, tli_codmn``.

    Returns
    -------
    frame
        As `trophic_index`.
    """
    given = opened(frame, ("site", "time"))
    rules = trophics()[-1]
    schema = given.frame.collect_schema()
    if not any(f"tli_{item}" in schema.names() for item in rules.coefficients):
        raise InputError(
            f"没有 tli_ 开头的列：现有 {'、'.join(schema.names())}。",
            f"There is no column beginning with tli_: {', '.join(schema.names())} are there.",
            field="tli_chla",
        )
    columns = []
    for item in rules.coefficients:
        name = f"tli_{item}"
        found = qualified.number(nw.col(name), schema[name]) if name in schema.names() else nw.lit(None, nw.Float64)
        columns.append(found.alias(name))
    impossible = nw.lit(None, dtype=nw.String).alias("impossible")
    return given.give(_summed(given.frame.select("site", "time", *columns, impossible), rules))


def _summed(indexed: nw.LazyFrame[Any], rules: Trophic) -> nw.LazyFrame[Any]:
    total, weights = nw.lit(0.0), nw.lit(0.0)
    count = nw.lit(0, dtype=nw.Int64)
    for item, (_, _, weight) in rules.coefficients.items():
        there = ~nw.col(f"tli_{item}").is_null()
        total = total + nw.when(there).then(nw.col(f"tli_{item}") * weight).otherwise(nw.lit(0.0))
        weights = weights + nw.when(there).then(nw.lit(weight)).otherwise(nw.lit(0.0))
        count = count + there.cast(nw.Int64)
    summed = indexed.with_columns((total / nw.when(weights > 0).then(weights)).alias("tli"), count.alias("items"))
    grade = nw.lit(None, dtype=nw.String)
    for rule in rules.grades:
        if rule.above is None:
            grade = nw.when(~nw.col("tli").is_null()).then(nw.lit(rule.title.zh))
            continue
        bound = float(rule.above)
        reached = nw.col("tli") >= bound if rule.included else nw.col("tli") > bound
        grade = nw.when(reached).then(nw.lit(rule.title.zh)).otherwise(grade)
    step = SCALE // 10**rules.decimals
    fewer = nw.concat_str([nw.lit("按 "), nw.col("items").cast(nw.String), nw.lit(" 项计算")])
    note = nw.when((nw.col("items") > 0) & (nw.col("items") < len(rules.coefficients))).then(fewer)
    none = nw.when(nw.col("items") == 0).then(nw.lit("没有可评价的数据"))
    text = nw.concat_str([none, note, nw.col("impossible")], separator="；", ignore_nulls=True)
    absent = [(nw.col(f"tli_{item}").is_null(), title_of(item)) for item in rules.coefficients]
    staged = with_lists(
        summed.with_columns(scaled(nw.col("tli")).alias("_millionths"), text.alias("_said")), {"missing": absent}
    )
    rounded = with_ratios(staged, {"_rounded": (nw.col("_millionths"), step)})
    return rounded.select(
        "site",
        "time",
        *(f"tli_{item}" for item in rules.coefficients),
        "tli",
        decimal(nw.col("_rounded"), rules.decimals).alias("rounded"),
        grade.alias("grade"),
        "items",
        nw.lit(rules.name).alias("edition"),
        nw.lit(rules.stage, dtype=nw.String).alias("stage"),
        nw.lit(rules.basis[0].clause or "").alias("clause"),
        "missing",
        nw.when(nw.col("_said") != "").then(nw.col("_said")).alias("note"),
    )
