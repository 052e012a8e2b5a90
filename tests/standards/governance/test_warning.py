"""Runs of daily AQI against the conditions of each level."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import governance


def days(*aqi: float | None, first: date = date(2025, 1, 1)) -> pl.DataFrame:
    dates = [first + timedelta(days=number) for number in range(len(aqi))]
    return pl.DataFrame({"site": "a", "date": dates, "aqi": aqi}, schema_overrides={"aqi": pl.Float64})


def levels(frame: pl.DataFrame, edition: str | None = None) -> list[str]:
    return governance.heavy_pollution_level(frame, edition)["level_id"].to_list()


@pytest.mark.parametrize(
    ("aqi", "edition", "level"),
    [
        ((160,), "2024", "none"),
        ((160, 160), "2024", "yellow"),
        ((201,), "2024", "yellow"),
        ((201, 201), "2024", "orange"),
        ((160, 160, 160), "2024", "orange"),
        ((210, 301, 210), "2024", "red"),
        ((301, 301), "2024", "orange"),
        ((210, 210, 160, 301), "2024", "orange"),
        ((201, 201), "2018", "yellow"),
        ((201, 201, 201), "2018", "orange"),
        ((301, 301, 201, 201), "2018", "red"),
        ((301, 201, 301, 201), "2018", "orange"),
        ((500,), "2018", "red"),
        ((201,), "2017", "blue"),
        ((201, 201, 301), "2017", "orange"),
        ((201, 201, 201), "2017", "yellow"),
    ],
)
def test_levels(aqi: tuple[float, ...], edition: str, level: str) -> None:
    assert levels(days(*aqi), edition) == [level]


def test_a_gap_and_a_day_set_apart_end_a_run() -> None:
    assert levels(days(160, None, 160)) == ["none", "none"]
    assert levels(days(160, 100, 160)) == ["none", "none"]
    set_apart = days(160, 160, 160).with_columns(pl.Series("apart", [False, True, False]))
    assert levels(set_apart) == ["none", "none"]


def test_runs_cross_the_year_and_sites_are_apart() -> None:
    first = days(160, 160, first=date(2024, 12, 31))
    second = days(160, first=date(2025, 1, 1)).with_columns(pl.lit("b").alias("site"))
    found = governance.heavy_pollution_level(pl.concat([first, second]))
    assert found.select("site", "start", "end", "hours", "peak_aqi", "word").rows() == [
        ("a", date(2024, 12, 31), date(2025, 1, 1), 48.0, 160.0, "黄色"),
        ("b", date(2025, 1, 1), date(2025, 1, 1), 24.0, 160.0, "未达预警条件"),
    ]
    assert "命令为准" in found["note"][0]


def test_the_edition_is_that_of_the_last_day() -> None:
    assert levels(days(201, first=date(2023, 12, 31))) == ["none"]
    assert levels(days(201, first=date(2024, 1, 1))) == ["yellow"]
    with pytest.raises(EditionError, match="2016-12-31"):
        levels(days(201, first=date(2016, 12, 31)))


def test_impossible_values_are_refused() -> None:
    with pytest.raises(InputError, match="aqi 有 501"):
        levels(days(501))


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(0, 500), min_size=1, max_size=8), st.integers(0, 7), st.integers(0, 200))
def test_a_worse_day_never_lowers_the_level(aqi: list[int], which: int, by: int) -> None:
    worse = [min(value + (by if place == which % len(aqi) else 0), 500) for place, value in enumerate(aqi)]
    found = [governance.heavy_pollution_level(days(*values))["level"].max() or 0 for values in (aqi, worse)]
    assert found[1] >= found[0]


def test_engines_agree(engine: Callable[[pl.DataFrame], Any]) -> None:
    frame = pl.concat([days(160, 210, 301, 210, 90, 201), days(160, 160).with_columns(pl.lit("b").alias("site"))])
    wanted = governance.heavy_pollution_level(frame)
    found = nw.from_native(governance.heavy_pollution_level(engine(frame))).lazy().collect(backend="polars").to_native()
    columns = ["site", "hours", "peak_aqi", "level", "word"]
    assert found.sort("site", "start").select(columns).rows() == wanted.select(columns).rows()
