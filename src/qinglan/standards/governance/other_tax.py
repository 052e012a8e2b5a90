"""Environmental tax on solid waste and on industrial noise."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, scaled
from qinglan.standards.governance.tables import Tax, taxes
from qinglan.standards.lookup import amounts, decimal, looked_up, only
from qinglan.standards.signed import signed

SOLIDS = {
    "coal_gangue": "coal gangue",
    "tailings": "tailings",
    "hazardous": "hazardous waste",
    "other": "smelting slag, fly ash, slag, other solid waste",
}
"""The kinds of solid waste and their item in annex 1."""

_BANDS = ((1, 3), (4, 6), (7, 9), (10, 12), (13, 15))


def solid_tax(frame: Any, edition: str | None = None) -> Any:
    """Return the tax on solid waste.

    Parameters
    ----------
    frame
        ``site, kind`` (coal_gangue, tailings, hazardous, other) and tonnes ``generated, stored, disposed,
        recovered``.
    edition
        An edition of the law; by default the newest.

    Returns
    -------
    frame
        ``site, kind, tonnes`` (taxed), ``amount`` (yuan a tonne), ``tax``, ``edition, stage, clause, missing, note``.
        Where one of the four amounts is missing there is no tax.

    Notes
    -----
    依据: 环境保护税法 第十一条, 附表一; 实施条例 第五条.

    Examples
    --------
    >>> import polars as pl
    >>> row = pl.DataFrame({"site": ["a"], "kind": ["tailings"], "generated": [1000.0], "stored": [300.0],
    ...                     "disposed": [0.0], "recovered": [300.0]})
    >>> solid_tax(row)["tax"].item()
    6000.0
    """
    parts = ("generated", "stored", "disposed", "recovered")
    given = amounts(frame, ("site", "kind", *parts), parts)
    only(given.frame, "kind", tuple(SOLIDS))
    rule = taxes(edition)[-1]
    amount = {kind: float(rule.amount_of[item][0]) for kind, item in SOLIDS.items()}
    left = nw.col("generated") - nw.col("stored") - nw.col("disposed") - nw.col("recovered")
    found = given.frame.with_columns(
        left.alias("_left"), looked_up(nw.col("kind"), amount, nw.Float64).alias("amount")
    ).with_columns(nw.when(nw.col("_left") < 0).then(nw.lit(0.0)).otherwise(nw.col("_left")).alias("tonnes"))
    absent = nw.concat_str(
        [nw.when(nw.col(part).is_null()).then(nw.lit(part)) for part in parts], separator="、", ignore_nulls=True
    )
    return given.give(
        found.select(
            "site",
            "kind",
            "tonnes",
            "amount",
            decimal(scaled(nw.col("tonnes") * nw.col("amount"), 100), 2).alias("tax"),
            *signed(rule),
            nw.when(absent != "").then(absent).alias("missing"),
            nw.when(nw.col("_left") < 0).then(nw.lit("贮存、处置、利用合计大于产生量，计税量按 0")).alias("note"),
        )
    )


def noise_tax(frame: Any, edition: str | None = None) -> Any:
    """Return the monthly tax on industrial noise at a boundary.

    Parameters
    ----------
    frame
        ``site, point, period`` (day, night), ``exceedance`` (dB over the limit, the month's largest) and ``days`` on
        which it exceeded; optional ``units`` (2 for a boundary over 100 m with two or more such points).
    edition
        As for `solid_tax`.

    Returns
    -------
    frame
        ``site, point, period, decibels`` (rounded half up), ``amount, share`` (0.5 below 15 days), ``tax``,
        ``edition, stage, clause, missing, note``. Day and night are separate rows and are added.

    Notes
    -----
    依据: 环境保护税法 附表一 及注1—4; 财税〔2018〕23号 (取整, check M).

    Examples
    --------
    >>> import polars as pl
    >>> rows = pl.DataFrame({"site": "a", "point": "1", "period": ["day", "night"], "exceedance": [8.0, 5.0],
    ...                      "days": [20, 10]})
    >>> noise_tax(rows)["tax"].to_list()
    [1400.0, 350.0]
    """
    given = amounts(
        frame, ("site", "point", "period", "exceedance", "days"), ("exceedance", "days", "units"), {"days": 31}
    )
    only(given.frame, "period", ("day", "night"))
    rule = taxes(edition)[-1]
    names = given.frame.collect_schema().names()
    units = nw.col("units").fill_null(1.0) if "units" in names else nw.lit(1.0)
    q = scaled(nw.col("exceedance"))
    decibels = (q * 2 + SCALE) // (2 * SCALE)
    found = given.frame.with_columns(decibels.alias("decibels")).with_columns(_amount(rule).alias("amount"))
    few = nw.col("days") < rule.half_below_days
    share = nw.when(few).then(nw.lit(0.5)).when(~few).then(nw.lit(1.0))
    none = nw.col("days") == 0
    due = nw.when(none).then(nw.lit(0.0)).otherwise(nw.col("amount") * share * units)
    return given.give(
        found.select(
            "site",
            "point",
            "period",
            "decibels",
            "amount",
            share.alias("share"),
            decimal(scaled(due, 100), 2).alias("tax"),
            *signed(rule),
            nw.when(nw.col("decibels").is_null() | nw.col("days").is_null())
            .then(nw.lit("exceedance、days 不全"))
            .alias("missing"),
            nw.when(nw.col("decibels") == 0).then(nw.lit("未超标，不征")).alias("note"),
        )
    )


def _amount(rule: Tax) -> nw.Expr:
    found = nw.lit(float(rule.amount_of["industrial noise over >=16 dB"][0]))
    for low, high in reversed(_BANDS):
        amount = float(rule.amount_of[f"industrial noise over {low}-{high} dB"][0])
        found = nw.when(nw.col("decibels") <= high).then(nw.lit(amount)).otherwise(found)
    found = nw.when(nw.col("decibels") < 1).then(nw.lit(0.0)).otherwise(found)
    return nw.when(~nw.col("decibels").is_null()).then(found)
