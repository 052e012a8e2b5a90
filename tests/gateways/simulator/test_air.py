"""Simulated hours look like real ones, and the same seed gives the same ones."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from qinglan.core.errors import InputError
from qinglan.gateways.simulator.air import FACTORS, AirSite, hourly_air

START, END = date(2020, 1, 1), date(2026, 1, 1)
SITES = [AirSite("city"), AirSite("clean", load=0.7)]


@pytest.fixture(scope="module")
def hours() -> pl.DataFrame:
    return hourly_air(SITES, START, END, seed=42)


@pytest.fixture(scope="module")
def city(hours: pl.DataFrame) -> pl.DataFrame:
    beijing = pl.col("time").dt.offset_by("8h")
    return (
        hours.filter(pl.col("site") == "city")
        .pivot("factor", index="time", values="value")
        .with_columns(hour=beijing.dt.hour(), month=beijing.dt.month(), year=beijing.dt.year())
    )


def test_every_hour_of_every_series_once_and_complete(hours: pl.DataFrame):
    # 2020 and 2024 are leap years: 6 × 365 + 2 days.
    assert hours.height == 2 * 6 * (6 * 365 + 2) * 24
    assert hours.null_count().sum_horizontal().item() == 0
    assert hours.select("site", "factor", "time").is_unique().all()
    assert hours["time"].min().isoformat() == "2019-12-31T16:00:00+00:00"
    assert hours["time"].max().isoformat() == "2025-12-31T15:00:00+00:00"


def test_the_same_seed_gives_the_same_frame_and_another_does_not(hours: pl.DataFrame):
    assert hourly_air(SITES, START, END, seed=42).equals(hours)
    short = [hourly_air(SITES, START, date(2020, 2, 1), seed=seed)["value"] for seed in (1, 2)]
    assert (short[0] != short[1]).mean() > 0.8


def test_a_site_does_not_depend_on_the_others(hours: pl.DataFrame):
    alone = hourly_air([AirSite("city")], START, END, seed=42)
    assert alone.equals(hours.filter(pl.col("site") == "city"))


def test_values_are_not_negative_and_have_the_decimals_of_the_network(hours: pl.DataFrame):
    assert set(hours["factor"].unique()) == set(FACTORS)
    assert hours["value"].min() >= 0
    carbon = hours.filter(pl.col("factor") == "a21005")["value"]
    rest = hours.filter(pl.col("factor") != "a21005")["value"]
    assert (rest == rest.round()).all()
    assert (carbon * 10 - (carbon * 10).round()).abs().max() < 1e-9
    assert (carbon != carbon.round()).any()
    assert 0.3 < carbon.median() < 1.5


def test_pm25_falls_from_about_43_to_about_33(city: pl.DataFrame):
    means = dict(city.group_by("year").agg(pl.col("a34004").mean()).filter(pl.col("year") < 2026).iter_rows())
    assert means[2020] == pytest.approx(43, abs=5)
    assert means[2025] == pytest.approx(32, abs=5)
    assert means[2025] < means[2020] - 5


def test_heating_season_is_dirtier_and_summer_has_the_ozone(city: pl.DataFrame):
    winter = city.filter(pl.col("month").is_in([1, 2, 12])).mean().row(0, named=True)
    summer = city.filter(pl.col("month").is_in([6, 7, 8])).mean().row(0, named=True)
    assert winter["a34004"] > 1.4 * summer["a34004"]
    assert winter["a21026"] > 2 * summer["a21026"]
    assert winter["a21005"] > 1.4 * summer["a21005"]
    assert summer["a05024"] > 2 * winter["a05024"]


def test_ozone_is_highest_in_the_afternoon_and_nitrogen_dioxide_in_the_evening(city: pl.DataFrame):
    daily = city.group_by("hour").mean()
    assert daily.sort("a05024")["hour"][-1] in range(13, 17)
    assert daily.sort("a05024")["hour"][0] in range(7)
    assert daily.sort("a21004")["hour"][-1] in range(17, 23)


def test_dust_comes_in_spring_and_is_coarse(city: pl.DataFrame):
    dusty = city.filter(pl.col("a34002") - pl.col("a34004") > 250)
    assert dusty.height > 20
    assert dusty["month"].is_in([3, 4, 5]).mean() > 0.9
    assert (dusty["a34004"] / dusty["a34002"]).median() < 0.45


def test_sites_rise_together_and_the_clean_one_is_cleaner(hours: pl.DataFrame):
    both = hours.filter(pl.col("factor") == "a34004").pivot("site", index="time", values="value")
    assert both.select(pl.corr("city", "clean")).item() > 0.7
    assert both["clean"].mean() < 0.9 * both["city"].mean()


def test_hours_are_like_the_hours_before_them(city: pl.DataFrame):
    follows = city.select(pl.corr("a34004", pl.col("a34004").shift(1))).item()
    two_days = city.select(pl.corr("a34004", pl.col("a34004").shift(96))).item()
    assert follows > 0.85
    assert two_days < 0.5


def test_no_hours_or_no_site_is_refused():
    with pytest.raises(InputError):
        hourly_air([], START, END, seed=1)
    with pytest.raises(InputError):
        hourly_air(SITES, END, START, seed=1)
