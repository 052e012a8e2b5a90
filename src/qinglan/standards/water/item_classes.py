"""GB 3838 table 1: the class of every item of a sample, also of those that do not enter the section's class."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from qinglan.core.frames import cut, long, opened, real, scaled, with_ratios
from qinglan.standards.lookup import decimal, looked_up
from qinglan.standards.water.classes import Judged, bounds, chosen_editions, grade_of, kind_marks
from qinglan.standards.water.items import NANO, samples, title_of
from qinglan.standards.water.pollutants import MICRO, over_limit
from qinglan.standards.water.tables import GOOD, WaterClasses

_HUNDREDTHS = 100


def item_class(frame: Any, kind: str | None = None, *, edition: str | None = None) -> Any:
    """Return the class of each item of table 1 in each sample; total nitrogen and coliforms as information.

    Parameters
    ----------
    frame, kind, edition
        As for `section_class`.

    Returns
    -------
    frame
        ``site, time`` (and the kind's column), ``factor`` (short name), ``title``, ``value``, ``unit``,
        ``water_class``, ``grade``, ``limit`` (of class III), ``multiple`` (of class III, where exceeded),
        ``evaluated`` (whether it enters the section's class), ``edition, stage, clause, missing, note``.

    Notes
    -----
    Total nitrogen has limits for lakes only; in rivers it has no class. 依据: GB 3838—2002 表1; 环办〔2011〕22号 一.
    """
    given = opened(frame, ("site", "time"))
    names = given.frame.collect_schema().names()
    law, method = chosen_editions(given.frame, edition)
    is_river, is_lake, column = kind_marks(kind, names)
    keys = ["site", "time", *([column] if column else [])]
    judgeable = [item for item in law.items if item != "water_temp"]
    held = samples(given.frame, keys, judgeable)
    known = kind is not None and column is None
    items = tuple(item for item in judgeable if item in held.items)
    found = Judged(held, held.frame, items, (), law, method)
    staged, agreed = [], []
    for item in items:
        one = bounds(law, item, is_river, is_lake, ranged=item in held.ranged, known_kind=known)
        sure = ~nw.col(f"q {item}").is_null()
        if one.worst is not None:
            staged.append(one.worst.alias(f"w {item}"))
            sure = nw.col(f"c {item}") == nw.col(f"w {item}")
        if item == "tn":
            sure = sure & is_lake
        staged += [one.best.alias(f"c {item}"), over_limit(found, item, is_lake).alias(f"m {item}")]
        if one.worst is not None or item == "tn":
            agreed.append(nw.when(sure).then(nw.col(f"c {item}")).alias(f"c {item}"))
    parts = {
        item: {
            "factor": nw.lit(item),
            "_q": nw.col(f"q {item}"),
            "water_class": nw.col(f"c {item}"),
            "_m": nw.col(f"m {item}"),
        }
        for item in items
    }
    wide = cut(held.frame.with_columns(staged).with_columns(agreed))
    rows = long(wide, keys, parts, given.frame)
    rows = with_ratios(rows, {"_hundredths": (scaled(nw.col("_m"), MICRO), MICRO // _HUNDREDTHS)})
    factor, number = nw.col("factor"), nw.col("water_class")
    titles = {item: title_of(item) for item in items}
    why = {item: "只有湖库限值" if item == "tn" else "无法判定" for item in items}
    return given.give(
        rows.select(
            *keys,
            "factor",
            looked_up(factor, titles, nw.String).alias("title"),
            real(nw.col("_q"), NANO).alias("value"),
            looked_up(factor, {item: law.criterion(item, "lake").unit for item in items}, nw.String).alias("unit"),
            "water_class",
            grade_of(number).alias("grade"),
            _limit(law, items, is_river, is_lake).alias("limit"),
            nw.when((nw.col("_hundredths") > 0) & (number > GOOD))
            .then(decimal(nw.col("_hundredths"), 2))
            .alias("multiple"),
            factor.is_in([item for item in items if item in method.evaluated] or [""]).alias("evaluated"),
            nw.lit(law.name).alias("edition"),
            nw.lit(law.stage, dtype=nw.String).alias("stage"),
            nw.lit(f"{law.number} 表1").alias("clause"),
            nw.when(nw.col("_q").is_null()).then(looked_up(factor, titles, nw.String)).alias("missing"),
            nw.when(~nw.col("_q").is_null() & number.is_null()).then(looked_up(factor, why, nw.String)).alias("note"),
        )
    )


def _limit(law: WaterClasses, items: Sequence[str], is_river: nw.Expr, is_lake: nw.Expr) -> nw.Expr:
    """Return the limit of class III, the upper end of pH; that of phosphorus where the kind of water is known."""
    at = {item: law.criterion(item, "lake").limits[-1 if item == "ph" else GOOD - 1] for item in items}
    found = looked_up(nw.col("factor"), {item: float(limit) for item, limit in at.items()}, nw.Float64)
    if "tp" not in items:
        return found
    river = float(law.criterion("tp", "river").limits[GOOD - 1])
    phosphorus = nw.when(is_lake).then(found).otherwise(nw.when(is_river).then(nw.lit(river)))
    return nw.when(nw.col("factor") == "tp").then(phosphorus).otherwise(found)
