"""What a user would write instead, in Polars: limits as numbers, one verdict a sample, nothing said about why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

import polars as pl

from benchmarks.media_rows import RATES
from qinglan.standards import sea as sea_
from qinglan.standards.groundwater import classes as groundwater_classes
from qinglan.standards.risk import enterprise_risks
from qinglan.standards.soil import construction_editions, farmland_editions
from qinglan.standards.waste import hazardous_wastes
from qinglan.standards.water import discharges, water_classes, water_evaluations

KEYS = ("site", "time")


def wide(frame: pl.DataFrame, keys: Sequence[str] = KEYS, how: Any = "mean") -> pl.DataFrame:
    return frame.pivot(on="factor", index=list(keys), values="value", aggregate_function=how)


@cache
def _table1(kind: Any) -> Mapping[str, tuple[str, list[float]]]:
    law = water_classes()[-1]
    criteria = {item: law.criterion(item, kind) for item in law.items if item != "water_temp" and item != "tn"}
    return {item: (found.op, [float(limit) for limit in found.limits]) for item, found in criteria.items()}


def _class(value: pl.Expr, op: str, limits: Sequence[float]) -> pl.Expr:
    if op == "range":
        return pl.when(value.is_between(limits[0], limits[1])).then(1).otherwise(6)
    beyond = [(value < limit if op == ">=" else value > limit).cast(pl.Int64) for limit in limits]
    return pl.sum_horizontal(beyond) + 1


def water(frame: pl.DataFrame) -> pl.Series:
    evaluated = water_evaluations()[-1].evaluated
    limits = _table1("river")
    return wide(frame).select(water_class=pl.max_horizontal(_class(pl.col(item), *limits[item]) for item in evaluated))[
        "water_class"
    ]


def water_items(frame: pl.DataFrame) -> pl.Series:
    law = water_classes()[-1]
    total = [float(limit) for limit in law.criterion("tn", "lake").limits]
    parts = [
        frame.filter(factor=item).select(water_class=_class(pl.col("value"), *found))
        for item, found in {**_table1("lake"), "tn": ("<=", total)}.items()
    ]
    return pl.concat(part.cast(pl.Int64) for part in parts)["water_class"]


def water_sources(frame: pl.DataFrame) -> pl.Series:
    judged = {item: found for item, found in _table1("river").items() if item not in ("cod", "fc")}
    fine = [_class(pl.col(item), *found) <= (1 if found[0] == "range" else 3) for item, found in judged.items()]
    return wide(frame).select(meets=pl.all_horizontal(fine))["meets"]


def water_months(frame: pl.DataFrame) -> pl.Series:
    daily = frame.group_by("site", "factor", day=pl.col("time").dt.date()).agg(pl.col("value").mean())
    monthly = daily.group_by("site", "factor", time=pl.col("day").dt.truncate("1mo")).agg(pl.col("value").mean())
    return water(monthly)


def discharge(frame: pl.DataFrame) -> pl.Series:
    limits: dict[str, float] = {}
    for row in discharges()[-1].limits:
        ends = row.limits["1A"]
        if row.table == 1 and row.op == "<=" and ends:
            # The stricter of two rows of one item, but the limit of a new plant for phosphorus.
            limits[row.item] = min(limits.get(row.item, 1e9), float(ends[0]))
    within = frame.with_columns(limit=pl.col("factor").replace_strict(limits, default=None))
    lenient = pl.when(factor="nh3n").then(8.0).otherwise("limit")
    return within.select(
        meets=pl.when(pl.col("value") > lenient)
        .then(False)
        .otherwise(pl.when(pl.col("value") <= pl.col("limit")).then(True))
    )["meets"]


def _single_factor(frame: pl.DataFrame, items: Sequence[Any]) -> pl.Series:
    table = wide(frame, how="max")
    columns = []
    for item in items:
        value, found = pl.col(item.code), pl.lit(len(item.limits) + 1)
        for number, limit in reversed(list(enumerate(item.limits, start=1))):
            if limit is None:
                met: pl.Expr = pl.lit(True)
            elif isinstance(limit, tuple):
                met = value.is_between(float(limit[0]), float(limit[1]))
            else:
                met = value > float(limit) if item.relation == ">" else value <= float(limit)
            found = pl.when(met).then(number).otherwise(found)
        columns.append(found)
    return table.select(water_class=pl.max_horizontal(columns))["water_class"]


def sea(frame: pl.DataFrame) -> pl.Series:
    return _single_factor(frame, sea_.classes()[-1].items)


def groundwater(frame: pl.DataFrame) -> pl.Series:
    return _single_factor(frame, groundwater_classes()[-1].items)


def farmland(frame: pl.DataFrame) -> pl.Series:
    edition = farmland_editions()[-1]
    table = wide(frame, ("site", "time", "land"), "max").with_columns(
        bin=pl.sum_horizontal((pl.col("pH") > float(end)).cast(pl.Int64) for end in edition.bins)
    )
    lands = {"水田": "paddy", "果园": "orchard", "其他": "other", "水旱轮作": "rotation"}
    names = {"cd": "镉", "hg": "汞", "as": "砷", "pb": "铅", "cr": "铬"}
    above = []
    for code, name in names.items():
        for kind in ("screening", "intervention"):
            limit: Any = pl.lit(None, dtype=pl.Float64)
            for land, word in lands.items():
                four = edition.four(kind, code, word)
                for number, value in enumerate(four or ()):
                    here = (pl.col("land") == land) & (pl.col("bin") == number)
                    limit = pl.when(here).then(float(value)).otherwise(limit)
            above.append((code, (pl.col(name) > limit).cast(pl.Int64)))
    classes = [1 + sum(one for code, one in above if code == item) for item in names]
    return table.select(soil_class=pl.max_horizontal(classes))["soil_class"]


def construction(frame: pl.DataFrame) -> pl.Series:
    edition = construction_editions()[-1]
    table = wide(frame, ("site", "time", "land"), "max")
    first = pl.col("land") == "第一类用地"
    levels = []
    for item in edition.items:
        if item.code not in edition.basic:
            continue
        limits = [
            pl.when(first)
            .then(float(edition.values[item.code, kind, "first"]))
            .otherwise(float(edition.values[item.code, kind, "second"]))
            for kind in ("screen", "intervene")
        ]
        levels.append(1 + sum((pl.col(item.name) > limit).cast(pl.Int64) for limit in limits))
    return table.select(level=pl.max_horizontal(levels))["level"]


def noise_hours(frame: pl.DataFrame) -> pl.Series:
    shifted = pl.col("time") - timedelta(hours=6)
    nights = (
        frame.with_columns(date=shifted.dt.date(), hour=shifted.dt.hour())
        .filter(pl.col("hour") >= 16)
        .group_by("site", "zone", "date")
        .agg(level=(10 ** (pl.col("value") / 10)).mean().log10() * 10, hours=pl.len())
    )
    limit = pl.col("zone").replace_strict({"1": 45, "2": 50, "3": 55, "4a": 55})
    return nights.select(meets=pl.when(pl.col("hours") == 8).then(pl.col("level").round(1) <= limit))["meets"]


def boundaries(frame: pl.DataFrame) -> pl.Series:
    day = pl.col("zone").replace_strict({"0": 50, "1": 55, "2": 60, "3": 65, "4": 70})
    night = pl.col("zone").replace_strict({"0": 40, "1": 45, "2": 50, "3": 55, "4": 55})
    limit = pl.when(period="day").then(day).otherwise(night)
    return frame.select(meets=pl.col("value").round(1) <= limit)["meets"]


def tax(frame: pl.DataFrame) -> pl.Series:
    values = {"SO2": 0.95, "NOx": 0.95, "CO": 16.7, "氟化物": 0.87, "HCl": 10.75}
    values |= {"COD": 1, "NH3-N": 0.8, "SS": 4, "TP": 0.25, "BOD5": 0.5, "总汞": 0.0005, "总镉": 0.005}
    sized = frame.with_columns(
        size=pl.col("value") / pl.col("factor").replace_strict(values),
        queue=pl.when(medium="air")
        .then(pl.lit("air"))
        .otherwise(pl.when(pl.col("factor").is_in(["总汞", "总镉"])).then(pl.lit("first")).otherwise(pl.lit("other"))),
        rate=pl.col("medium").replace_strict(RATES),
    )
    outlet = ["site", "outlet", "medium", "date"]
    organic = pl.when(pl.col("factor").is_in(["COD", "BOD5"])).then("size")
    one = pl.col("factor").is_in(["COD", "BOD5"]) & (pl.col("size") < organic.max().over(outlet))
    chosen = sized.with_columns(size=pl.when(one).then(None).otherwise("size"))
    place = pl.col("size").rank("ordinal", descending=True).over([*outlet, "queue"])
    most = pl.when(queue="first").then(5).otherwise(3)
    return chosen.select(taxed=(place <= most).fill_null(value=False), tax=(pl.col("size") * pl.col("rate")).round(2))[
        "taxed"
    ]


def heavy_pollution(frame: pl.DataFrame) -> pl.Series:
    polluted = frame.filter(pl.col("aqi") > 150).sort("site", "date")
    day = pl.col("date").dt.epoch("d")
    runs = polluted.with_columns(run=day - pl.int_range(pl.len()).over("site"))
    hours = {}
    for aqi in (150, 200, 300):
        above = runs.filter(pl.col("aqi") > aqi).with_columns(part=day - pl.int_range(pl.len()).over("site", "run"))
        lengths = above.group_by("site", "run", "part").agg(length=pl.len() * 24)
        hours[aqi] = lengths.group_by("site", "run").agg(pl.col("length").max().alias(f"h{aqi}"))
    found = hours[150].join(hours[200], on=["site", "run"], how="left").join(hours[300], on=["site", "run"], how="left")
    found = found.with_columns(pl.col("h200", "h300").fill_null(0))
    red = (pl.col("h200") >= 72) & (pl.col("h300") >= 24)
    orange = (pl.col("h200") >= 48) | (pl.col("h150") >= 72)
    yellow = (pl.col("h200") >= 24) | (pl.col("h150") >= 48)
    return found.select(level=pl.when(red).then(4).when(orange).then(3).when(yellow).then(2).otherwise(0))["level"]


def quantities(frame: pl.DataFrame) -> pl.Series:
    rows = [row for row in enterprise_risks()[-1].substances if row.name and row.tonnes]
    critical = {row.name: row.tonnes for row in reversed(rows)}
    counts = {row.name: row.water == "yes" for row in reversed(rows)}
    ratio = pl.col("tonnes") / pl.col("substance").replace_strict(critical)
    in_water = pl.when(pl.col("substance").replace_strict(counts)).then(ratio).otherwise(0.0)
    return frame.group_by("site").agg(q=in_water.sum()).select(reached=pl.col("q") >= 1)["reached"]


def codes(frame: pl.DataFrame) -> pl.Series:
    code = pl.col("code").str.strip_chars()
    formed = code.str.contains(r"^\d{3}-\d{3}-\d{2}$")
    known = code.is_in(list(hazardous_wastes()[0].hazards))
    listed = pl.when(known).then(pl.lit("有效")).otherwise(pl.lit("名录无此代码"))
    return frame.select(verdict=pl.when(formed).then(listed).otherwise(pl.lit("格式错误")))["verdict"]
