"""Safe-use rates of polluted farmland and key construction land, from areas on file: own estimates."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import half_even_ratio, opened, scaled
from qinglan.standards.soil.tables import SafeUse, safe_use_rules

_SQUARE = 1000
_BASIS = "自测：由填报面积计算，正式数以核定为准"
_OWN_DENOMINATOR = "分母未用详查核定面积，为两类面积之和"


def farmland_safe_use_rate(frame: Any) -> Any:
    """Return the safe-use rate of polluted farmland.

    Parameters
    ----------
    frame
        One row a place (and year): ``done_safe`` (safe-use land with measures in place and produce complying),
        ``done_strict`` (strict-control land under control), ``safe, strict`` (area of the two classes), any one unit.
        Optional: ``denominator``, the area fixed by the survey; ``produce_compliance`` in %, which scales
        ``done_safe``; ``year``, for the national target.

    Returns
    -------
    frame
        The given columns, then ``rate, rounded`` (%), ``target, meets, edition, stage, clause, missing, note``.

    Notes
    -----
    The rate does not follow from verdicts by GB 15618; the official figure is confirmed elsewhere.
    依据: 受污染耕地安全利用率核算方法（试行）.

    Examples
    --------
    >>> import polars as pl
    >>> areas = pl.DataFrame({"done_safe": [90.0], "done_strict": [8.0], "safe": [90.0], "strict": [10.0]})
    >>> farmland_safe_use_rate(areas)["rounded"].item()
    98.0
    """
    given = opened(frame, ("done_safe", "done_strict", "safe", "strict"))
    names = given.frame.collect_schema().names()
    compliance = nw.col("produce_compliance") if "produce_compliance" in names else nw.lit(100.0)
    done = _area(nw.col("done_safe") * compliance / 100) + _area(nw.col("done_strict"))
    both = _area(nw.col("safe")) + _area(nw.col("strict"))
    official = _area(nw.col("denominator")) if "denominator" in names else nw.lit(None, dtype=nw.Int64)
    found = given.frame.with_columns(
        done.alias("_part"), nw.coalesce(official, both).alias("_whole"), official.is_null().alias("_own")
    )
    note = nw.when(nw.col("_own")).then(nw.lit(f"{_BASIS}；{_OWN_DENOMINATOR}")).otherwise(nw.lit(_BASIS))
    return given.give(_rated(found, names, note, "核算公式"))


def construction_safe_use_rate(frame: Any) -> Any:
    """Return the safe-use rate of key construction land.

    Parameters
    ----------
    frame
        One row a place (and year): ``violating_area`` (developed against the rules), ``key_area``, any one unit.

    Returns
    -------
    frame
        The given columns, then ``rate, rounded`` (%), ``target, meets`` (null: the target is in words), ``edition,
        stage, clause, missing, note``.

    Notes
    -----
    依据: 重点建设用地安全利用率（十四五口径，省核定）.

    Examples
    --------
    >>> import polars as pl
    >>> construction_safe_use_rate(pl.DataFrame({"violating_area": [5.0], "key_area": [200.0]}))["rounded"].item()
    97.5
    """
    given = opened(frame, ("violating_area", "key_area"))
    names = given.frame.collect_schema().names()
    key, violating = _area(nw.col("key_area")), _area(nw.col("violating_area"))
    found = given.frame.with_columns((key - violating).alias("_part"), key.alias("_whole"))
    shown = [name for name in names if name != "year"] + [name for name in names if name == "year"]
    return given.give(_rated(found, shown, nw.lit(_BASIS), "十四五口径", farmland=False))


def _area(column: nw.Expr) -> nw.Expr:
    whole = scaled(column, _SQUARE)
    return nw.when(whole >= 0).then(whole)


def _rated(
    frame: nw.LazyFrame[Any], names: list[str], note: nw.Expr, clause: str, *, farmland: bool = True
) -> nw.LazyFrame[Any]:
    rules = safe_use_rules()
    whole = nw.when(nw.col("_whole") > 0).then(nw.col("_whole"))
    # Tenths of a per cent.
    tenths = half_even_ratio(nw.col("_part") * (100 * 10**rules.decimals), whole)
    rated = frame.with_columns(tenths.alias("_tenths"), _target(rules, names, farmland=farmland).alias("target"))
    absent = nw.col("_tenths").is_null()
    return rated.select(
        *names,
        (nw.col("_part").cast(nw.Float64) * 100 / whole).alias("rate"),
        (nw.col("_tenths").cast(nw.Float64) / (nw.col("_tenths") * 0 + 10**rules.decimals).cast(nw.Float64)).alias(
            "rounded"
        ),
        "target",
        (nw.col("_tenths") >= nw.col("target") * 10**rules.decimals).alias("meets"),
        nw.lit(rules.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit(clause).alias("clause"),
        nw.when(absent).then(nw.lit("面积")).alias("missing"),
        nw.when(absent).then(nw.lit("面积缺失、为负或分母为零，无法计算")).otherwise(note).alias("note"),
    )


def _target(rules: SafeUse, names: list[str], *, farmland: bool) -> nw.Expr:
    found = nw.lit(None, dtype=nw.Float64)
    if farmland and "year" in names:
        for year, target in rules.targets.items():
            found = nw.when(nw.col("year") == year).then(nw.lit(float(target))).otherwise(found)
    return found
