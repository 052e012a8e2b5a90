"""The national network's own published figures, reproduced from its hourly values."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import polars as pl
import pytest

from qinglan.standards import air

pytestmark = pytest.mark.golden

POLLUTANTS = ["SO2", "NO2", "PM10", "CO", "O3", "PM2.5"]


@pytest.fixture(scope="module")
def feed(shared: Path) -> pl.DataFrame:
    frame = pl.read_parquet(shared / "data/air/china_sites_hourly_2023.parquet")
    return frame.with_columns(pl.col("site").cast(pl.String), pl.all().exclude("site", "time").cast(pl.Float64))


@pytest.fixture(scope="module")
def hours(feed: pl.DataFrame) -> pl.DataFrame:
    return feed.unpivot(on=POLLUTANTS, index=["site", "time"], variable_name="factor")


def test_hourly_index_equals_the_published_one(feed: pl.DataFrame, hours: pl.DataFrame) -> None:
    ours = air.hourly_aqi(hours, stamp="end", pm="1h", edition="2012")
    both = feed.filter(pl.col("AQI").is_not_null()).join(ours, on=["site", "time"], how="left")
    assert both.height >= 156_000
    assert both.filter(pl.col("AQI") == pl.col("aqi")).height / both.height >= 0.9999


@pytest.mark.parametrize(("factor", "share"), [("PM2.5_24h", 0.988), ("PM10_24h", 0.977), ("O3_8h", 0.995)])
def test_running_means_equal_the_published_ones(
    feed: pl.DataFrame, running: pl.DataFrame, factor: str, share: float
) -> None:
    """Only hours whose 24 hours lie in the file: before 23:00 of the first day the window is cut by the file."""
    published = feed.select("site", "time", pl.col(factor).alias("published")).filter(
        pl.col("time") >= datetime(2023, 1, 20, 23), pl.col("published").is_not_null()
    )
    both = published.join(running.filter(pl.col("factor") == factor), on=["site", "time"], how="inner")
    both = both.filter(pl.col("value").is_not_null())
    assert both.height >= 118_000
    assert both.filter((pl.col("published") - pl.col("value")).abs() < 0.01).height / both.height >= share


@pytest.fixture(scope="module")
def running(hours: pl.DataFrame) -> pl.DataFrame:
    return air.rolling(hours, stamp="end")
