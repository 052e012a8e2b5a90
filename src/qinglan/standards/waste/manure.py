"""How many animals a piece of land can carry, by the nitrogen or phosphorus of their manure."""

from __future__ import annotations

from typing import Any, Literal

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import opened
from qinglan.standards.lookup import amounts, looked_up, only
from qinglan.standards.signed import signed
from qinglan.standards.waste.tables import manures

Basis = Literal["n", "p"]


def pig_equivalents(frame: Any, edition: str | None = None) -> Any:
    """Return the pig equivalents of each site's stock and the nutrients that their manure supplies.

    Parameters
    ----------
    frame
        ``site, animal`` (pigs, dairy_cows, beef_cattle, sheep, poultry), ``head`` (in stock).

    Returns
    -------
    frame
        ``site, equivalents, n_supply, p_supply`` (kg a year, losses taken off), ``edition, stage, clause, missing,
        note``.

    Notes
    -----
    依据: 农办牧〔2018〕1号 4、5.

    Examples
    --------
    >>> import polars as pl
    >>> pig_equivalents(pl.DataFrame({"site": "a", "animal": ["pigs", "sheep"], "head": [100, 250]})).row(0)[1:4]
    (200.0, 1400.0, 240.0)
    """
    given = amounts(frame, ("site", "animal", "head"), ("head",))
    rule = manures(edition)[-1]
    only(given.frame, "animal", tuple(rule.pigs_equal))
    pigs = rule.pigs_equal["pigs"]
    per_head = looked_up(nw.col("animal"), {name: pigs / head for name, head in rule.pigs_equal.items()}, nw.Float64)
    of_site = (
        given.frame.with_columns((nw.col("head") * per_head).alias("_equivalents"))
        .group_by("site")
        .agg(
            nw.col("_equivalents").sum().alias("equivalents"),
            nw.when(nw.col("_equivalents").is_null()).then(nw.lit(1)).otherwise(nw.lit(0)).sum().alias("_absent"),
        )
    )
    absent = nw.col("_absent") > 0
    return given.give(
        of_site.select(
            "site",
            "equivalents",
            (nw.col("equivalents") * rule.supply.n).alias("n_supply"),
            (nw.col("equivalents") * rule.supply.p).alias("p_supply"),
            *signed(rule),
            nw.when(absent).then(nw.lit("head")).alias("missing"),
            nw.when(absent).then(nw.lit("有畜种缺存栏，合计为下限")).alias("note"),
        )
    )


def land_capacity(
    fields: Any,
    basis: Basis = "n",
    manure_share: float | None = None,
    season_use: float | None = None,
    edition: str | None = None,
) -> Any:
    """Return how many pig equivalents the crops of each site can take.

    Parameters
    ----------
    fields
        ``site, crop`` (a name of appendix 1), ``harvest`` (kg a year; m³ for 桉树 and 杨树), ``soil`` (I, II, III).
    basis
        Nitrogen, or phosphorus for facility vegetables and soils rich in it.
    manure_share
        The share of the fertiliser that is manure; 0.5 by the guide.
    season_use
        The share used in the season; the low end of the guide's range by default (0.25 for N, 0.30 for P).

    Returns
    -------
    frame
        ``site, need`` (kg of the nutrient from manure), ``capacity`` (pig equivalents), ``edition, stage, clause,
        missing, note``. A crop that is not on file, or lacks its harvest, leaves the site without a capacity.

    Notes
    -----
    依据: 农办牧〔2018〕1号 5; what crops take up is from memory (check M).

    Examples
    --------
    >>> import polars as pl
    >>> field = pl.DataFrame({"site": ["a"], "crop": ["小麦"], "harvest": [300.0], "soil": ["II"]})
    >>> round(land_capacity(field)["capacity"].item(), 3)
    1.157
    """
    given = amounts(fields, ("site", "crop", "harvest", "soil"), ("harvest",))
    rule = manures(edition)[-1]
    only(given.frame, "soil", tuple(rule.share_from_fertiliser))
    if basis not in ("n", "p"):
        raise InputError(
            f"basis 应为 n（氮）或 p（磷），收到“{basis}”。", f'basis should be n or p; got "{basis}".', field="basis"
        )
    share = rule.manure_share if manure_share is None else manure_share
    use = getattr(rule.season_use, basis) if season_use is None else season_use
    for name, value in (("manure_share", share), ("season_use", use)):
        if not 0 < value <= 1:
            raise InputError(
                f"{name} 应大于 0 且不大于 1，收到 {value}。",
                f"{name} should lie above 0 and at most at 1; got {value}.",
                field=name,
            )
    per_unit = {
        crop: getattr(taken, basis) / (1 if crop in rule.by_volume else 100) for crop, taken in rule.crops.items()
    }
    taken_up = nw.col("harvest") * looked_up(nw.col("crop").str.strip_chars(), per_unit, nw.Float64)
    from_fertiliser = looked_up(nw.col("soil"), dict(rule.share_from_fertiliser), nw.Float64)
    of_site = (
        given.frame.with_columns((taken_up * from_fertiliser * share / use).alias("_need"))
        .group_by("site")
        .agg(
            nw.col("_need").sum().alias("_sum"),
            nw.when(nw.col("_need").is_null()).then(nw.lit(1)).otherwise(nw.lit(0)).sum().alias("_absent"),
        )
    )
    absent = nw.col("_absent") > 0
    need = nw.when(~absent).then(nw.col("_sum"))
    return given.give(
        of_site.select(
            "site",
            need.alias("need"),
            (need / getattr(rule.supply, basis)).alias("capacity"),
            *signed(rule),
            nw.when(absent).then(nw.lit("crop、harvest、soil")).alias("missing"),
            nw.when(absent)
            .then(nw.lit("有作物未收录或缺产量、地力，无法判定"))
            .otherwise(nw.lit("作物需肥量待与原文附表核对"))
            .alias("note"),
        )
    )


def capacity_index(stock: Any, fields: Any, basis: Basis = "n", edition: str | None = None) -> Any:
    """Return the carrying index of each site: pig equivalents in stock over capacity.

    Parameters
    ----------
    stock, fields
        As for `pig_equivalents` and `land_capacity`, of the same engine.

    Returns
    -------
    frame
        ``site, equivalents, capacity, ratio, word`` (超载 above 1, 不超载), ``edition, stage, clause, missing, note``.

    Notes
    -----
    依据: 农办牧〔2018〕1号 5.
    """
    given = opened(stock, ("site", "animal", "head"))
    rule = manures(edition)[-1]
    held = nw.from_native(pig_equivalents(given.frame.to_native(), edition)).lazy()
    land = opened(fields, ("site", "crop", "harvest", "soil"))
    can = nw.from_native(land_capacity(land.frame.to_native(), basis, edition=edition)).lazy()
    joined = held.select("site", "equivalents", nw.col("missing").alias("_stock")).join(
        can.select("site", "capacity"), on="site", how="left"
    )
    known = nw.col("_stock").is_null() & (nw.col("capacity") > 0)
    read = joined.with_columns(nw.when(known).then(nw.col("equivalents") / nw.col("capacity")).alias("ratio"))
    over, within = nw.col("ratio") > 1, nw.col("ratio") <= 1
    return given.give(
        read.select(
            "site",
            "equivalents",
            "capacity",
            "ratio",
            nw.when(over).then(nw.lit("超载")).when(within).then(nw.lit("不超载")).alias("word"),
            *signed(rule),
            nw.when(nw.col("ratio").is_null()).then(nw.lit("存栏或承载力")).alias("missing"),
            nw.when(nw.col("ratio").is_null()).then(nw.lit("资料不全，无法判定")).alias("note"),
        )
    )
