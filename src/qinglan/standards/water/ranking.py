"""环办监测〔2017〕51号: the index by which the surface water of cities is ranked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, cut, opened, real, scaled, settled, with_lists, with_ratios
from qinglan.standards.edition import editions
from qinglan.standards.lookup import decimal
from qinglan.standards.water.classes import chosen_editions, kind_marks
from qinglan.standards.water.items import NANO, averaged, samples, title_of
from qinglan.standards.water.tables import FOLDER, GOOD, Kind, WaterClasses, WaterRanking

_NEUTRAL = 7.0
_CENT = 100


def water_rankings() -> tuple[WaterRanking, ...]:
    """Return the editions of the ranking rules, the oldest first."""
    return editions(FOLDER, WaterRanking, "环办监测〔2017〕51号")


def city_index(
    frame: Any, kind: str, *, by: str = "city", items: Sequence[str] | None = None, edition: str | None = None
) -> Any:
    """Return each city's water quality index (CWQI) over the whole frame, and its rank.

    Parameters
    ----------
    frame
        As for `section_class`, with a column that names the city; the months of one period.
    kind
        ``"river"``, ``"lake"`` or the column that says which.
    by
        The city's column.
    items
        Sum these items only; by default the 21 of the evaluation method.
    edition
        An edition of GB 3838.

    Returns
    -------
    frame
        The city, ``river_sections, lake_points, river, lake, cwqi`` (unrounded), ``rounded`` (four decimals),
        ``rank`` (small is good, equal indices share one), ``edition, stage, clause, missing, note``. A city that
        lacks an item has no index.

    Notes
    -----
    依据: 环办监测〔2017〕51号.
    """
    given = opened(frame, ("site", "time", by))
    names = given.frame.collect_schema().names()
    law, method = chosen_editions(given.frame, edition)
    wanted = tuple(method.evaluated if items is None else items)
    is_river, is_lake, column = kind_marks(kind, names)
    keys = [by, "site", "time", *([column] if column else [])]
    each = samples(given.frame, keys, wanted, halve=True)
    marked = each.frame.with_columns(
        nw.when(is_river).then(nw.lit("river")).otherwise(nw.when(is_lake).then(nw.lit("lake"))).alias("_kind")
    )
    mean = averaged(type(each)(marked, each.items, (), each.impossible), [by, "_kind"])
    sites = marked.select(by, "_kind", "site").unique()
    counts = sites.group_by(by, "_kind").agg(nw.len().cast(nw.Int64).alias("_sites"))
    indexed = mean.frame.join(counts, on=[by, "_kind"], how="left").filter(~nw.col("_kind").is_null())
    river, lake = (_sum(law, wanted, mean.items, body) for body in ("river", "lake"))
    here = [(nw.col(f"q {item}").is_null(), title_of(item)) for item in wanted if item in mean.items]
    absent = _absent([item for item in wanted if item not in mean.items])
    valued = with_lists(cut(indexed), {"_here": here}).with_columns(
        nw.when(nw.col("_kind") == "river").then(river).otherwise(lake).alias("_index"), absent.alias("_absent")
    )
    wide = valued.group_by(by).agg(
        *(_of(kind_name, "_index").alias(kind_name) for kind_name in ("river", "lake")),
        *(_of(kind_name, "_absent").alias(f"absent {kind_name}") for kind_name in ("river", "lake")),
        _of("river", "_sites").alias("river_sections"),
        _of("lake", "_sites").alias("lake_points"),
    )
    return given.give(_placed(_city(wide, by), law, by))


def _of(kind: str, column: str) -> nw.Expr:
    return nw.when(nw.col("_kind") == kind).then(nw.col(column)).max()


def _sum(law: WaterClasses, wanted: Sequence[str], there: Sequence[str], body: Kind) -> nw.Expr:
    total = nw.lit(0.0)
    for item in wanted:
        if item not in there:
            return nw.lit(None, dtype=nw.Float64)
        total = total + _single(law, item, body)
    return total


def _single(law: WaterClasses, item: str, body: Kind) -> nw.Expr:
    criterion = law.criterion(item, body)
    value = real(nw.col(f"q {item}"), NANO)
    if criterion.op == "range":
        low, high = (float(limit) for limit in criterion.limits)
        acid, alkaline = (_NEUTRAL - value) / (_NEUTRAL - low), (value - _NEUTRAL) / (high - _NEUTRAL)
        return nw.when(value <= _NEUTRAL).then(acid).otherwise(alkaline)
    third = float(criterion.limits[GOOD - 1])
    return third / nw.when(value > 0).then(value) if criterion.op == ">=" else value / third


def _absent(never: Sequence[str]) -> nw.Expr:
    here = nw.col("_here")
    text = nw.lit("、".join(map(title_of, never)))
    return nw.concat_str([here, text], separator="、", ignore_nulls=True) if never else here


def _city(wide: nw.LazyFrame[Any], by: str) -> nw.LazyFrame[Any]:
    filled = wide.with_columns(
        nw.col(column).fill_null(0).cast(nw.Int64) for column in ("river_sections", "lake_points")
    )
    sections, points = nw.col("river_sections"), nw.col("lake_points")
    both = (nw.col("river") * sections + nw.col("lake") * points) / (sections + points)
    one = nw.when(points == 0).then(nw.col("river")).otherwise(nw.col("lake"))
    absent = [
        nw.concat_str([nw.lit("河流缺"), nw.col("absent river")]),
        nw.concat_str([nw.lit("湖库缺"), nw.col("absent lake")]),
    ]
    text = nw.concat_str(absent, separator="；", ignore_nulls=True)
    return filled.with_columns(
        nw.when((sections > 0) & (points > 0)).then(both).otherwise(one).alias("cwqi"),
        nw.when(text != "").then(text).alias("missing"),
    ).select(by, "river_sections", "lake_points", "river", "lake", "cwqi", "missing")


def _placed(cities: nw.LazyFrame[Any], law: WaterClasses, by: str) -> nw.LazyFrame[Any]:
    rules = water_rankings()[-1]
    step = SCALE // 10**rules.decimals
    whole = cities.with_columns(scaled(nw.col("cwqi")).alias("_millionths"))
    shown = with_ratios(whole, {"_shown": (nw.col("_millionths"), step)})
    rounded = settled(shown.with_columns(decimal(nw.col("_shown"), rules.decimals).alias("rounded")))
    value = rounded.filter(~nw.col("rounded").is_null()).group_by("rounded").agg(nw.len().cast(nw.Int64).alias("_n"))
    ordered = value.with_columns(nw.col("_n").cum_sum().over(order_by="rounded").alias("_through"))
    places = ordered.select("rounded", (nw.col("_through") - nw.col("_n") + 1).alias("rank"))
    return rounded.join(places, on="rounded", how="left").select(
        *(by, "river_sections", "lake_points", "river", "lake", "cwqi", "rounded", "rank"),
        nw.lit(law.name).alias("edition"),
        nw.lit(law.stage, dtype=nw.String).alias("stage"),
        nw.lit(f"{rules.number} CWQI（未全：{'、'.join(rules.lacking)}）").alias("clause"),
        "missing",
        nw.when(nw.col("cwqi").is_null()).then(nw.lit("缺项，不计算指数")).alias("note"),
    )


def index_change(now: Any, base: Any, *, by: str = "city") -> Any:
    """Return by how much each city's index has changed since the same period of the base year, and the order.

    Parameters
    ----------
    now, base
        What `city_index` gave for the two periods, in frames of one engine.

    Returns
    -------
    frame
        The city, ``cwqi, cwqi_base, change`` (%, two decimals; negative is better).

    Notes
    -----
    依据: 环办监测〔2017〕51号 ΔCWQI.
    """
    given = opened(now, (by, "cwqi"))
    before = opened(base, (by, "cwqi")).frame.select(by, nw.col("cwqi").alias("cwqi_base"))
    joined = given.frame.select(by, "cwqi").join(before, on=by, how="inner")
    whole = nw.when(nw.col("cwqi_base") > 0).then(nw.col("cwqi_base"))
    change = (nw.col("cwqi") - nw.col("cwqi_base")) / whole * _CENT
    changed = joined.with_columns(scaled(change).alias("_millionths"))
    rounded = with_ratios(changed, {"_shown": (nw.col("_millionths"), SCALE // _CENT)})
    return given.give(rounded.select(by, "cwqi", "cwqi_base", decimal(nw.col("_shown"), 2).alias("change")))
