"""Gaps, late hours and corrections of the demo city, and the order of its batches."""

from __future__ import annotations

import ast
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

import qinglan.gateways.simulator as simulator
from qinglan.catalogue import flags
from qinglan.gateways.simulator.air import AirSite, hourly_air
from qinglan.gateways.simulator.demo import demo_batches
from qinglan.gateways.simulator.reception import received_hours
from qinglan.gateways.simulator.yearly import Figure, yearly_figures

START, END = date(2021, 1, 1), date(2023, 1, 1)
SITES = [AirSite("a"), AirSite("b"), AirSite("c")]
KEY = ["site", "factor", "time"]
EXPECTED = 3 * 6 * 730 * 24


@pytest.fixture(scope="module")
def complete() -> pl.DataFrame:
    return hourly_air(SITES, START, END, seed=5)


@pytest.fixture(scope="module")
def received(complete: pl.DataFrame) -> pl.DataFrame:
    return received_hours(complete, seed=5)


def test_shape_of_an_observation(received: pl.DataFrame):
    assert received.columns == [
        *("site", "factor", "grain", "time", "basis", "value", "qualifier", "limit", "flag", "received")
    ]
    assert received.schema["time"] == received.schema["received"] == pl.Datetime("us", "UTC")
    assert received["basis"].unique().to_list() == ["realtime"]
    assert received["grain"].unique().to_list() == ["hour"]
    assert received.select("qualifier", "limit").null_count().row(0) == (received.height, received.height)


def test_gaps_are_few_but_some_last_for_days(received: pl.DataFrame):
    keys = received.select(KEY).unique()
    assert 0.008 < 1 - keys.height / EXPECTED < 0.04
    steps = keys.sort(KEY).with_columns(step=pl.col("time").diff().over("site", "factor"))
    assert steps["step"].max() >= timedelta(hours=24)
    assert steps.filter(pl.col("step") > timedelta(hours=12))["site"].n_unique() == 3


def test_what_is_received_first_is_what_was_measured(complete: pl.DataFrame, received: pl.DataFrame):
    first = received.unique(KEY, keep="first", maintain_order=True).filter(pl.col("flag").is_null())
    joined = first.join(complete, on=KEY, how="left", suffix="_measured")
    assert (joined["value"] == joined["value_measured"]).all()


def test_only_maintenance_has_no_value_and_every_flag_is_known(received: pl.DataFrame):
    empty = received.filter(pl.col("value").is_null())
    assert 0 < empty.height < 0.01 * received.height
    assert empty["flag"].unique().to_list() == ["M"]
    assert received.filter(pl.col("flag") == "M")["value"].null_count() == empty.height
    assert set(received["flag"].drop_nulls().unique()) <= flags.invalid_flags()
    assert received["value"].min() >= 0


def test_corrected_hours_really_differ_and_come_later(received: pl.DataFrame):
    pairs = (
        received.group_by(KEY, maintain_order=True)
        .agg("value", "flag", "received")
        .filter(pl.col("value").list.len() > 1)
    )
    assert pairs["value"].list.len().max() == 2
    assert 0.0015 < pairs.height / EXPECTED < 0.0035
    old, new = pl.col("value").list.first(), pl.col("value").list.last()
    invalid = pairs.filter(pl.col("flag").list.last() == "invalid_audit")
    corrected = pairs.filter(pl.col("flag").list.last().is_null())
    assert invalid.height + corrected.height == pairs.height
    assert invalid.height > 0
    assert invalid.select((old == new).all()).item()
    assert corrected.select((old != new).all()).item()
    late = pairs.select((pl.col("received").list.last() - pl.col("received").list.first()).min()).item()
    assert late >= timedelta(days=2)


def test_most_hours_come_within_an_hour_and_some_days_later(received: pl.DataFrame):
    first = received.unique(KEY, keep="first")
    delay = first.select(first["received"] - first["time"] - timedelta(hours=1)).to_series()
    assert delay.min() >= timedelta(0)
    assert 0.95 < (delay <= timedelta(hours=1)).mean() < 0.999
    assert delay.max() > timedelta(days=1)
    assert received["received"].is_sorted()


def test_batches_cover_everything_once_in_the_order_of_receipt():
    figures = [Figure("indicator:x", "city", 2021, 2022, start=10, end=20, noise=0, decimals=1)]
    batches = list(demo_batches(SITES[:2], figures, seed=5, start=START, end=END, rows=50_000))
    again = list(demo_batches(SITES[:2], figures, seed=5, start=START, end=END, rows=50_000))
    assert [batch.number for batch in batches] == list(range(batches[0].count))
    assert all(one.frame.equals(two.frame) for one, two in zip(batches, again, strict=True))
    # Two words on one hour never share a batch, of which the lake would keep the last one only.
    assert all(batch.frame.select(KEY).is_unique().all() for batch in batches)
    assert all(batch.frame["received"].is_sorted() for batch in batches)
    corrections = sum(batch.frame.height for batch in batches[1::2])
    assert corrections > 100
    every = pl.concat([batch.frame for batch in batches])
    in_order = every.group_by(KEY).agg(pl.col("received").diff().min().alias("step"))
    assert in_order["step"].min() > timedelta(0)
    ends = [batch.frame["received"].max() for batch in batches[::2]]
    assert ends == sorted(ends)
    assert every.filter(pl.col("grain") == "year")["value"].to_list() == [10, 20]
    hours = every.filter(pl.col("grain") == "hour").sort("received", *KEY)
    assert hours.equals(received_hours(hourly_air(SITES[:2], START, END, seed=5), seed=5).sort("received", *KEY))


def test_yearly_figures_keep_their_ends_bounds_and_steps():
    figures = [
        Figure("share", "seven", 2020, 2025, start=57.14, end=100, noise=30, decimals=2, high=100, of=7),
        Figure("share", "eleven", 2021, 2023, start=72.73, end=90.91, noise=0, decimals=2, of=11),
        Figure("sum", "city", 2021, 2025, start=0.1, end=0.5, noise=0.2, decimals=4, rises=True),
    ]
    frame = yearly_figures(figures, seed=3)
    shares = frame.filter(pl.col("site") == "seven")["value"].to_list()
    assert (shares[0], shares[-1]) == (57.14, 100)
    assert set(shares) <= {0, 14.29, 28.57, 42.86, 57.14, 71.43, 85.71, 100}
    # From 8 to 10 of 11 in three years.
    assert frame.filter(pl.col("site") == "eleven")["value"].to_list() == [72.73, 81.82, 90.91]
    sums = frame.filter(pl.col("factor") == "sum")
    assert sums.height == 5
    assert sums["value"].is_sorted()
    beijing = frame["time"].dt.convert_time_zone("Asia/Shanghai")
    assert beijing.dt.strftime("%m-%d %H").unique().to_list() == ["01-01 00"]
    assert (frame["received"] > frame["time"].dt.offset_by("1y")).all()


def test_the_generator_knows_no_standard_plan_or_indicator():
    forbidden = ("qinglan.standards", "qinglan.plans", "qinglan.indicators", "qinglan.domains", "qinglan.app")
    for path in Path(simulator.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not [name for name in names if name.startswith(forbidden)], path.name
