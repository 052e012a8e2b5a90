"""Simulated samples look like a laboratory's, and the same seed gives the same ones."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest

from qinglan.catalogue import factors
from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING
from qinglan.gateways.simulator.noise import NoiseSite, hourly_noise
from qinglan.gateways.simulator.waters import SCHEMA, SampledSite, load_of, profiles, sampled_waters

START, END = date(2020, 1, 1), date(2026, 1, 1)
KEY = ["site", "factor", "time"]
SITES = [
    SampledSite("clean", "river", (0.9, 0.9), grain="month"),
    SampledSite("loaded", "river", (2.6, 2.6), grain="month"),
    SampledSite("better", "river", (4.0, 1.0), grain="month"),
    SampledSite("lake", "reservoir"),
    SampledSite("coast", "sea", months=(5, 8, 10)),
    SampledSite("well", "well", months=(5, 9)),
]
POINTS = [NoiseSite("quiet", (48.0, 48.0)), NoiseSite("road", (66.0, 60.0))]


@pytest.fixture(scope="module")
def received() -> pl.DataFrame:
    return sampled_waters(SITES, START, END, seed=42)


@pytest.fixture(scope="module")
def last_word(received: pl.DataFrame) -> pl.DataFrame:
    return received.unique(KEY, keep="last", maintain_order=True)


@pytest.fixture(scope="module")
def levels() -> pl.DataFrame:
    return hourly_noise(POINTS, START, END, seed=42)


def of(frame: pl.DataFrame, site: str, factor: str) -> pl.DataFrame:
    return frame.filter((pl.col("site") == site) & (pl.col("factor") == factor)).sort("time")


def test_the_shape_is_an_observations_and_factors_are_the_catalogues(received: pl.DataFrame):
    assert dict(received.schema) == SCHEMA
    assert received["basis"].unique().to_list() == ["assessed"]
    assert received["received"].is_sorted()
    assert (received["received"] > received["time"]).all()
    for items in profiles().values():
        for item in items:
            found = factors.find(item.factor)
            assert found is not None, item.factor
            assert found.id == item.factor


def test_rivers_have_the_table_of_24_items_each_month(last_word: pl.DataFrame):
    river = last_word.filter(pl.col("site") == "clean")
    assert river["factor"].n_unique() == 24
    assert river["grain"].unique().to_list() == ["month"]
    local = river["time"].dt.convert_time_zone("UTC").dt.offset_by("8h")
    assert (local.dt.day() == 1).all()
    assert (local.dt.hour() == 0).all()
    # 72 months; about 1.5 % of samples and 0.4 % of items are lost.
    assert 72 * 24 * 0.93 < river.height < 72 * 24


def test_samples_are_taken_in_the_morning_of_their_months(last_word: pl.DataFrame):
    for site, months in (("coast", {5, 8, 10}), ("well", {5, 9}), ("lake", set(range(1, 13)))):
        local = last_word.filter(pl.col("site") == site)["time"].dt.offset_by("8h")
        assert set(local.dt.month().unique()) == months
        assert (local.dt.hour() == 9).all()


def test_a_loaded_river_has_more_of_everything_and_less_oxygen(last_word: pl.DataFrame):
    for factor in ("w01018", "w21003", "w21011", "w01019"):
        clean, loaded = (of(last_word, site, factor)["value"].mean() for site in ("clean", "loaded"))
        assert loaded > 1.5 * clean, factor
    clean, loaded = (of(last_word, site, "w01009")["value"].mean() for site in ("clean", "loaded"))
    assert loaded < clean - 0.5


def test_the_seasons(last_word: pl.DataFrame):
    def by_season(factor: str) -> tuple[float, float]:
        frame = of(last_word, "clean", factor).with_columns(month=pl.col("time").dt.offset_by("8h").dt.month())
        winter, summer = ([12, 1, 2], [6, 7, 8])
        return tuple(frame.filter(pl.col("month").is_in(months))["value"].mean() for months in (winter, summer))

    cold, warm = by_season("w01010")
    assert warm > cold + 15
    cold, warm = by_season("w01009")
    assert cold > warm + 2
    cold, warm = by_season("w21003")
    assert cold > 1.3 * warm


def test_a_load_goes_from_its_first_to_its_last_value(last_word: pl.DataFrame):
    # By a constant ratio: 4, 4 / 4^(1/5) …, 1.
    assert load_of((4.0, 1.0), pl.Series([2020.0, 2025.0]).to_numpy()).tolist() == [4.0, 1.0]
    cod = of(last_word, "better", "w01018").with_columns(year=pl.col("time").dt.offset_by("8h").dt.year())
    means = cod.group_by("year").agg(pl.col("value").mean()).sort("year")["value"].to_list()
    assert means == sorted(means, reverse=True)
    assert means[0] > 3 * means[-1]


def test_what_is_below_detection_is_the_limit_with_its_sign(received: pl.DataFrame):
    below = received.filter(pl.col("qualifier") == "<")
    assert 0.1 < below.height / received.height < 0.5
    assert (below["value"] == below["limit"]).all()
    rest = received.filter(pl.col("qualifier").is_null())
    assert rest["limit"].null_count() == rest.height
    # Mercury of 0.016 µg/L is hardly ever found where 0.04 can be.
    mercury = of(received, "clean", "w20142")
    assert mercury["qualifier"].null_count() < 0.1 * mercury.height


def test_some_values_come_again_later_and_some_samples_late(received: pl.DataFrame):
    twice = received.filter(pl.len().over(KEY) == 2).sort(*KEY, "received")
    assert 10 < twice.height / 2 < 0.03 * received.height
    changed = twice.group_by(KEY, maintain_order=True).agg("value", "received")
    assert changed.select((pl.col("value").list.get(0) != pl.col("value").list.get(1)).all()).item()
    assert changed.select((pl.col("received").list.get(0) < pl.col("received").list.get(1)).all()).item()
    waited = received.filter(pl.col("grain") == "sample").select(pl.col("received") - pl.col("time")).to_series()
    assert (waited > timedelta(days=30)).mean() > 0.01


def test_the_same_seed_gives_the_same_frame_and_a_site_stands_alone(received: pl.DataFrame):
    assert sampled_waters(SITES, START, END, seed=42).equals(received)
    assert not sampled_waters(SITES, START, END, seed=43).equals(received)
    alone = sampled_waters(SITES[:1], START, END, seed=42)
    assert alone.equals(received.filter(pl.col("site") == "clean"))


def test_an_unknown_profile_is_refused_by_name():
    with pytest.raises(InputError, match="swamp"):
        sampled_waters([SampledSite("a", "swamp")], START, END, seed=1)


def test_a_survey_of_noise_is_a_whole_day_from_the_morning(levels: pl.DataFrame):
    assert dict(levels.schema) == SCHEMA
    surveys = levels.unique(KEY).with_columns(
        day=(pl.col("time").dt.offset_by("2h")).dt.date(), hour=pl.col("time").dt.offset_by("8h").dt.hour()
    )
    # Two points, six years, four surveys a year; the clock of 6 in the morning is 22 UTC.
    assert surveys.select("site", "day").unique().height == 2 * 6 * 4
    assert set(surveys["hour"].unique()) == set(range(24))
    assert 2 * 6 * 4 * 24 * 0.98 < surveys.height <= 2 * 6 * 4 * 24
    first = levels.filter(pl.col("site") == "quiet")["time"].min()
    assert first.astimezone(BEIJING).hour == 6
    assert first > datetime(2020, 2, 1, tzinfo=BEIJING)


def test_nights_are_quieter_and_a_road_is_louder(levels: pl.DataFrame):
    hours = levels.with_columns(hour=pl.col("time").dt.offset_by("8h").dt.hour())
    for site in ("quiet", "road"):
        mine = hours.filter(pl.col("site") == site)
        day = mine.filter(pl.col("hour").is_between(9, 16))["value"].mean()
        night = mine.filter(pl.col("hour").is_in([0, 1, 2, 3]))["value"].mean()
        assert 6 < day - night < 12
    means = dict(hours.group_by("site").agg(pl.col("value").mean()).rows())
    assert means["road"] > means["quiet"] + 10
