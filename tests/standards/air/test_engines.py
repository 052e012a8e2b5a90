"""One evaluator, five kinds of frame: the same rounded results exactly, the others to 1e-12."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from qinglan.core.errors import InputError
from qinglan.standards import air

POLLUTANTS = ("SO2", "NO2", "PM10", "CO", "O3", "PM2.5")


def awkward_hours() -> pl.DataFrame:
    """Ten days over the change of editions: ties, NaN, infinities, nulls, gaps, halves, an empty station, shuffled."""
    random = np.random.default_rng(20260301)
    start = datetime(2026, 2, 25)
    frames = []
    for site in ("1001A", "1002A", "empty"):
        for factor in POLLUTANTS:
            values = np.round(random.gamma(2, 40, 240) * (0.02 if factor == "CO" else 1), 1)
            values[random.random(240) < 0.05] = np.nan
            values[random.random(240) < 0.01] = np.inf
            if site == "1002A" and factor in ("SO2", "NO2"):
                values = np.full(240, 85.0)  # ties
            if site == "empty":
                values = np.full(240, np.nan)
            times = [start + timedelta(hours=number) for number in range(240)]
            frame = pl.DataFrame({"site": site, "factor": factor, "time": times, "value": values})
            frame = frame.with_columns(
                pl.when(pl.Series(random.random(240) < 0.03)).then(None).otherwise("value").alias("value")
            )
            frames.append(frame.filter(pl.Series(random.random(240) < 0.97)))
    return pl.concat(frames).sample(fraction=1.0, shuffle=True, seed=7)


@pytest.fixture(scope="module")
def hours() -> pl.DataFrame:
    return awkward_hours()


def polars_of(result: Any) -> pl.DataFrame:
    found = nw.from_native(result)
    eager = found.collect() if isinstance(found, nw.LazyFrame) else found
    frame = eager.to_polars() if hasattr(eager, "to_polars") else pl.from_arrow(eager.to_arrow())
    return frame.with_columns(
        pl.col(pl.Int8, pl.Int16, pl.Int32, pl.UInt32).cast(pl.Int64),
        pl.col(pl.Datetime).dt.replace_time_zone(None).cast(pl.Datetime("us")),
        pl.col(pl.Float64).fill_nan(None),
    )


def assert_same(ours: pl.DataFrame, theirs: pl.DataFrame, keys: list[str]) -> None:
    assert set(ours.columns) == set(theirs.columns)
    left, right = ours.sort(keys), theirs.select(ours.columns).sort(keys)
    assert left.height == right.height > 0
    for name, kind in left.schema.items():
        if kind == pl.Float64 and name not in ("rounded", "limit", "multiple"):
            difference = (left[name] - right[name].cast(pl.Float64)).abs().max()
            assert difference is None or difference <= 1e-12 * max(1.0, left[name].abs().max() or 1.0), name
            assert left[name].is_null().equals(right[name].is_null()), name
        elif kind == pl.Date:
            assert left[name].to_list() == right[name].cast(pl.Date).to_list(), name
        else:
            assert left[name].to_list() == right[name].to_list(), name


Evaluate = Callable[[Any], Any]
QUESTIONS: dict[str, tuple[Evaluate, list[str]]] = {
    "daily values": (lambda f: air.daily_values(f, stamp="end"), ["site", "factor", "date"]),
    "daily index": (lambda f: air.daily_aqi(f, stamp="end"), ["site", "date"]),
    "hourly index, feed": (lambda f: air.hourly_aqi(f, stamp="end", pm="1h"), ["site", "time"]),
    "hourly index, clause": (lambda f: air.hourly_aqi(f, stamp="end", pm="24h"), ["site", "time"]),
    "running means": (lambda f: air.rolling(f, stamp="end"), ["site", "factor", "time"]),
    "year": (lambda f: air.annual_evaluation(f, stamp="end"), ["site", "year", "factor", "statistic"]),
    "year, own days": (
        lambda f: air.annual_evaluation(f, stamp="end", policy="own_day"),
        ["site", "year", "factor", "statistic"],
    ),
}


@pytest.mark.parametrize("question", QUESTIONS)
def test_every_engine_gives_the_same(question: str, hours: pl.DataFrame, engine: Callable[[pl.DataFrame], Any]) -> None:
    evaluate, keys = QUESTIONS[question]
    theirs = evaluate(engine(hours))
    assert_same(evaluate(hours), polars_of(theirs), keys)
    assert_same(evaluate(hours), evaluate(hours.lazy()).collect(), keys)


def test_a_result_is_of_the_kind_that_was_given(hours: pl.DataFrame) -> None:
    pandas = pytest.importorskip("pandas")
    assert isinstance(air.daily_aqi(hours, "end"), pl.DataFrame)
    assert isinstance(air.daily_aqi(hours.lazy(), "end"), pl.LazyFrame)
    assert isinstance(air.daily_aqi(hours.to_pandas(), "end"), pandas.DataFrame)


def test_ties_are_all_listed(hours: pl.DataFrame) -> None:
    """SO2 85 is IAQI 68, NO2 85 is 103: no tie; equal indices need 80 NO2 (100) and 150 SO2 (100)."""
    day = pl.DataFrame(
        {"site": "a", "factor": ["SO2", "NO2", "PM2.5"], "date": date(2025, 6, 1), "value": [150.0, 80.0, 75.0]}
    )
    found = air.daily_aqi_from_days(day, edition="2012")
    assert found.select("aqi", "primary").row(0) == (100, "SO2、NO2、PM2.5")


def test_no_primary_pollutant_up_to_50() -> None:
    day = pl.DataFrame({"site": "a", "factor": ["SO2"], "date": date(2025, 6, 1), "value": [50.0]})
    assert air.daily_aqi_from_days(day).select("aqi", "primary", "missing").row(0) == (
        50,
        None,
        "NO2、PM10、CO、O3、PM2.5",
    )


def test_in_2026_a_missing_pollutant_withholds_the_index_up_to_100() -> None:
    rows = {"low": 60.0, "high": 61.0}
    days = pl.DataFrame({"site": list(rows), "factor": "PM2.5", "date": date(2026, 6, 1), "value": list(rows.values())})
    found = air.daily_aqi_from_days(days).sort("site")
    assert found.select("site", "aqi", "iaqi_pm25").rows() == [("high", 101, 101), ("low", None, 100)]
    assert found["note"].to_list() == [None, "缺项且其余各项不大于 100，不予发布"]


def test_an_empty_frame_gives_an_empty_frame() -> None:
    empty = awkward_hours().clear()
    assert air.daily_aqi(empty, "start").height == 0
    assert air.annual_evaluation(empty, "start").height == 0
    assert air.rolling(empty, "start").height == 0


def test_factors_by_code_alias_or_name_are_one() -> None:
    day = pl.DataFrame(
        {"site": ["a", "b", "c"], "factor": ["PM2.5", "a34004", "细颗粒物"], "date": date(2025, 6, 1), "value": 61.0}
    )
    assert air.daily_aqi_from_days(day, edition="2012")["iaqi_pm25"].to_list() == [83, 83, 83]


def test_other_factors_in_the_frame_do_not_matter(hours: pl.DataFrame) -> None:
    other = hours.with_columns(pl.lit("w01018").alias("factor"))
    both = pl.concat([hours, other])
    keys = ["site", "date"]
    assert air.daily_aqi(hours, "end").sort(keys).equals(air.daily_aqi(both, "end").sort(keys))


def test_times_with_a_zone_are_put_on_the_beijing_clock() -> None:
    """16:00 UTC is midnight in Beijing."""
    frame = awkward_hours()
    zoned = frame.with_columns(pl.col("time").dt.replace_time_zone("Asia/Shanghai").dt.convert_time_zone("UTC"))
    keys = ["site", "date"]
    assert air.daily_aqi(zoned, "end").sort(keys).equals(air.daily_aqi(frame, "end").sort(keys))


def test_a_zoned_duckdb_relation_is_refused() -> None:
    import duckdb

    relation = duckdb.sql("select 'a' site, 'SO2' factor, timestamptz '2025-01-01 00:00+08' as time, 1.0 as value")
    with pytest.raises(InputError, match="AT TIME ZONE"):
        air.daily_aqi(relation, "start")


@pytest.mark.parametrize("absent", ["site", "factor", "time", "value"])
def test_a_missing_column_is_named(absent: str) -> None:
    with pytest.raises(InputError, match=absent):
        air.daily_aqi(awkward_hours().drop(absent), "start")


def test_a_text_column_of_times_is_refused() -> None:
    with pytest.raises(InputError, match="time"):
        air.daily_aqi(awkward_hours().with_columns(pl.col("time").cast(pl.String)), "start")


def test_something_that_is_no_frame_is_refused() -> None:
    with pytest.raises(InputError, match="list"):
        air.daily_aqi([1, 2, 3], "start")


def test_the_machines_zone_does_not_matter() -> None:
    """The same question in a process whose zone is elsewhere."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from test_engines import awkward_hours, air\n"
        "f = awkward_hours()\n"
        "for g in (f, f.to_pandas()):\n"
        "    import polars as pl\n"
        "    d = air.daily_aqi(g, 'end'); d = d if isinstance(d, pl.DataFrame) else pl.from_pandas(d)\n"
        "    aqi = pl.col('aqi').cast(pl.Float64).fill_nan(None)\n"
        "    print(d.select('site', pl.col('date').cast(pl.Date), aqi).sort('site', 'date').rows())\n"
    )
    answers = set()
    for zone in ("Asia/Shanghai", "America/New_York"):
        run = subprocess.run(
            [sys.executable, "-c", code, str(Path(__file__).parent)],
            env=os.environ | {"TZ": zone},
            capture_output=True,
            text=True,
            check=True,
        )
        answers |= set(run.stdout.strip().splitlines())
    assert len(answers) == 1
