"""What a user would write instead: DuckDB SQL, Polars and pandas, to the same digits."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from qinglan.standards.air import indices

NAMES = {"a21026": "so2", "a21004": "no2", "a34002": "pm10", "a21005": "co", "a05024": "o3", "a34004": "pm25"}
PERCENTILES = {"so2": 0.98, "no2": 0.98, "pm10": 0.95, "co": 0.95, "o3": 0.9, "pm25": 0.95}


def in_duckdb(files: Sequence[str]) -> tuple[int, int]:
    """Run the statements of air_year.sql; return how many days and how many site-years came out."""
    connection = duckdb.connect()
    for statement in sql(files).split(";\n"):
        if statement.strip():
            connection.execute(statement)
    ((days,),) = connection.sql("select count(aqi) from daily").fetchall()
    ((years,),) = connection.sql("select count(*) from years").fetchall()
    return days, years


def duckdb_daily(files: Sequence[str]) -> pl.DataFrame:
    """Return the table `daily` of air_year.sql, for comparing digits."""
    connection = duckdb.connect()
    for statement in sql(files).split(";\n"):
        if statement.strip():
            connection.execute(statement)
    return connection.sql("select site, date, aqi, level, primary_pollutants as primary from daily").pl()


def sql(files: Sequence[str]) -> str:
    """Return the statements with the repetitive expressions written out."""
    text = (Path(__file__).parent / "air_year.sql").read_text("utf-8")
    text = "\n".join(line for line in text.splitlines() if not line.startswith("--"))
    counts = {
        f"w{end}": "+".join(f"(h{hour} IS NOT NULL)::BIGINT" for hour in range(end - 8, end)) for end in range(8, 25)
    }
    sums = {f"w{end}": "+".join(f"coalesce(h{hour},0)" for hour in range(end - 8, end)) for end in range(8, 25)}
    window = "CASE {n} WHEN 8 THEN ({s})*21 WHEN 7 THEN ({s})*24 WHEN 6 THEN ({s})*28 END AS {name}"
    substitutes = {
        "$files": "[" + ", ".join(f"'{file}'" for file in files) + "]",
        "$hours": ", ".join(f"max(q) FILTER (h = {hour}) AS h{hour}" for hour in range(24)),
        "$windows": ", ".join(window.format(n=counts[name], s=sums[name], name=name) for name in sums),
        "$names": ", ".join(sums),
        "$counted": "+".join(f"({name} IS NOT NULL)::BIGINT" for name in sums),
        "$full_months": ", ".join(
            f"count(*) FILTER ({name} >= CASE WHEN month = 2 THEN 25 ELSE 27 END) AS months_{name}"
            for name in NAMES.values()
        ),
        "$statistics": ", ".join(
            f"sum({name}) / count({name}) / 1e6 AS mean_{name}, count({name}) AS days_{name}, "
            f"quantile_cont({name}::DOUBLE, {PERCENTILES[name]}) / 1e6 AS quantile_{name}"
            for name in NAMES.values()
        ),
    }
    for name, value in substitutes.items():
        text = text.replace(name, value)
    text = re.sub(r"\$round\((\w+),(\w+)\)\$", lambda found: _half_even(found[1], found[2]), text)
    return re.sub(r"\$index\((\w+),([\w./]+)\)\$", lambda found: _index(found[1], found[2]), text)


def _half_even(a: str, b: str) -> str:
    rest = f"({a} - ({a} // {b}) * {b})"
    return (
        f"(({a} // {b}) + CASE WHEN {rest} * 2 > {b} OR ({rest} * 2 = {b} AND ({a} // {b}) % 2 = 1) THEN 1 ELSE 0 END)"
    )


def _index(column: str, item: str) -> str:
    (index,) = indices("2012")
    points = index.breakpoints(item)
    cases = [
        f"WHEN {column} <= {high.tenths} THEN {low.iaqi} + ({high.iaqi - low.iaqi} * ({column} - {low.tenths}) "
        f"+ {high.tenths - low.tenths - 1}) // {high.tenths - low.tenths}"
        for low, high in pairwise(points)
    ]
    return f"CASE {' '.join(cases)} WHEN {column} IS NOT NULL THEN {points[-1].iaqi} END"


def in_polars(files: Sequence[str]) -> tuple[int, int]:
    """Evaluate with Polars expressions, as a data engineer writes them: floats, rolling windows on a dense grid."""
    hours = pl.scan_parquet(list(files)).select(
        "site", "factor", "value", time=pl.col("time").dt.replace_time_zone(None) + pl.duration(hours=8)
    )
    dated = hours.with_columns(date=pl.col("time").dt.date())
    means = dated.group_by("site", "factor", "date").agg(value=pl.col("value").mean(), n=pl.col("value").count())
    means = means.filter(pl.col("n") >= 20).select("site", "factor", "date", "value").collect()
    ozone = dated.filter(pl.col("factor") == "a05024").select("site", "time", "value").collect().sort("site", "time")
    dense = ozone.upsample("time", every="1h", group_by="site", maintain_order=True).with_columns(
        pl.col("site").forward_fill()
    )
    rolled = dense.with_columns(
        mean=pl.col("value").rolling_mean(8, min_samples=6).over("site"), hour=pl.col("time").dt.hour()
    ).filter(pl.col("hour") >= 7)
    largest = rolled.group_by("site", date=pl.col("time").dt.date()).agg(
        value=pl.col("mean").max(), n=pl.col("mean").count(), top=pl.col("value").max()
    )
    largest = largest.filter((pl.col("n") >= 14) | (pl.col("value").round(0) > 160))
    wide = means.filter(pl.col("factor") != "a05024").pivot(on="factor", index=["site", "date"], values="value")
    days = wide.rename({code: name for code, name in NAMES.items() if code != "a05024"}).join(
        largest.select("site", "date", o3="value", o3_1h="top"), on=["site", "date"], how="left"
    )
    items = {"so2": "SO2/24h", "no2": "NO2/24h", "pm10": "PM10/24h", "co": "CO/24h", "pm25": "PM2.5/24h"}
    items |= {"o3": "O3/8h", "o3_1h": "O3/1h"}
    judged = days.with_columns(_polars_index(name, item).alias(f"i_{name}") for name, item in items.items())
    judged = judged.with_columns(aqi=pl.max_horizontal(f"i_{name}" for name in items)).with_columns(
        absent=pl.any_horizontal(pl.col(f"i_{name}").is_null() for name in NAMES.values()),
        primary=pl.concat_str(
            [pl.when(pl.col(f"i_{name}") == pl.col("aqi")).then(pl.lit(name)) for name in items],
            separator="、",
            ignore_nulls=True,
        ),
    )
    years = judged.group_by("site", year=pl.col("date").dt.year()).agg(
        *(pl.col(name).mean().alias(f"mean_{name}") for name in NAMES.values()),
        *(pl.col(name).count().alias(f"days_{name}") for name in NAMES.values()),
        *(pl.col(name).quantile(q, "linear").alias(f"q_{name}") for name, q in PERCENTILES.items()),
        valid=(pl.col("aqi").is_not_null() & (~pl.col("absent") | (pl.col("aqi") > 100))).sum(),
        good=((pl.col("aqi") <= 100) & ~pl.col("absent")).sum(),
        heavy=(pl.col("aqi") > 200).sum(),
    )
    return judged["aqi"].count(), years.height


def _polars_index(column: str, item: str) -> pl.Expr:
    (index,) = indices("2012")
    points = index.breakpoints(item)
    value = pl.col(column).round(1 if column == "co" else 0)
    found: Any = pl.when(value.is_null()).then(None)
    for low, high in pairwise(points):
        slope = (high.iaqi - low.iaqi) / (high.tenths - low.tenths) * 10
        within = (slope * (value - low.tenths / 10) + low.iaqi).round(6).ceil()
        found = found.when(value <= high.tenths / 10).then(within)
    return found.otherwise(float(points[-1].iaqi))


def in_pandas(files: Sequence[str]) -> tuple[int, int]:
    """Evaluate with pandas as an analyst writes it."""
    import numpy as np
    import pandas as pd

    columns = ["site", "factor", "time", "value"]
    hours = pd.concat([pd.read_parquet(file, columns=columns) for file in files], ignore_index=True)
    hours["site"] = hours["site"].astype("category")
    hours["factor"] = hours["factor"].astype("category")
    hours["time"] = hours["time"].dt.tz_localize(None) + pd.Timedelta(hours=8)
    hours["date"] = hours["time"].dt.floor("D")
    grouped = hours.groupby(["site", "factor", "date"], observed=True)["value"].agg(["mean", "count"])
    means = grouped["mean"].where(grouped["count"] >= 20).unstack("factor")
    ozone = hours[hours["factor"] == "a05024"].set_index(["site", "time"])["value"].unstack("site").asfreq("h")
    del hours
    rolled = ozone.rolling(8, min_periods=6).mean()
    rolled = rolled[rolled.index.hour >= 7]
    by_day = rolled.groupby(rolled.index.floor("D"))
    largest, counted = by_day.max(), by_day.count()
    valid = largest.where((counted >= 14) | (largest.round() > 160))
    top = ozone.groupby(ozone.index.floor("D")).max().where(valid.notna())
    days = means.rename(columns=NAMES).drop(columns="o3")
    days["o3"] = valid.rename_axis("date").unstack().reindex(days.index)
    days["o3_1h"] = top.rename_axis("date").unstack().reindex(days.index)
    items = {"so2": "SO2/24h", "no2": "NO2/24h", "pm10": "PM10/24h", "co": "CO/24h", "pm25": "PM2.5/24h"}
    items |= {"o3": "O3/8h", "o3_1h": "O3/1h"}
    (index,) = indices("2012")
    single = {}
    for name, item in items.items():
        points = index.breakpoints(item)
        value = days[name].round(1 if name == "co" else 0)
        single[name] = np.ceil(np.round(np.interp(value, [p.tenths / 10 for p in points], [p.iaqi for p in points]), 6))
    frame = pd.DataFrame(single, index=days.index)
    days["aqi"] = frame.max(axis=1)
    days["absent"] = frame[list(NAMES.values())].isna().any(axis=1)
    year = days.index.get_level_values("date").year
    per_year = days.groupby([days.index.get_level_values("site"), year], observed=True)
    means_of_year = per_year[list(NAMES.values())].agg(["mean", "count"])
    for name, q in PERCENTILES.items():
        means_of_year[(name, "quantile")] = per_year[name].quantile(q)
    good = (days["aqi"] <= 100) & ~days["absent"]
    heavy = days["aqi"] > 200
    for label, marks in (("good", good), ("heavy", heavy)):
        means_of_year[(label, "days")] = marks.groupby([days.index.get_level_values("site"), year], observed=True).sum()
    return int(days["aqi"].count()), len(means_of_year)
