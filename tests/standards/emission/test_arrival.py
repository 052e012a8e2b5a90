"""Doubts on arrival: each rule at its bound, what is given is kept, gaps, every engine alike."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import narwhals as nw
import polars as pl
import pytest

from qinglan.core.errors import InputError
from qinglan.standards import emission

START = datetime(2025, 7, 1)


def rows(factor: str, values: list[float | None], site: str = "a", **columns: Any) -> pl.DataFrame:
    time = [START + timedelta(hours=number) for number in range(len(values))]
    held = {"site": site, "factor": factor, "time": time, "value": pl.Series(values, dtype=pl.Float64)}
    return pl.DataFrame(held).with_columns(**{name: pl.lit(value) for name, value in columns.items()})


def reasons(frame: pl.DataFrame, medium: str = "wastewater") -> list[str | None]:
    return emission.arrival_flags(frame, medium).sort("site", "time")["reasons"].to_list()


@pytest.mark.parametrize(
    ("factor", "values", "expected"),
    [
        ("w01018", [0.0, 2000.0, 2000.001, -0.001], [None, "突变", "超出量程", "超出量程"]),
        ("w01018", [50.0, 99.9, 250.0, 49.9], [None, None, None, "突变"]),
        ("w01018", [12.0, 61.9, 12.0, 62.0], [None, None, None, "突变"]),
        ("w21003", [1.0, 5.9, 30.0], [None, None, "突变"]),
        ("w01001", [7.0, 9.9, 6.9, 3.8], [None, None, "突变", "突变"]),
        ("w01018", [40.0] * 7 + [41.0], [None] * 8),
        ("w01018", [41.0] + [40.0] * 8, [None] + ["恒值"] * 8),
        ("w01018", [0.0] * 12, [None] * 12),
        ("w01018", [40.0, None, 40.0], [None, "缺测", None]),
        ("w01018", [40.0, float("nan"), float("inf")], [None, "缺测", "缺测"]),
        ("w99999", [1.0, 5000.0], [None, None]),
    ],
)
def test_each_rule_at_its_bound(factor: str, values: list[float | None], expected: list[str | None]):
    # COD: 0–2000, a jump from 5 times and 50 mg/L; ammonia 5 times and 5 mg/L; pH 3 apart; 8 equal values.
    assert reasons(rows(factor, values)) == expected


def test_a_missing_value_ends_a_run_of_equal_ones():
    assert reasons(rows("w01018", [40.0] * 5 + [None] + [40.0] * 5)) == [None] * 5 + ["缺测"] + [None] * 5


def test_series_are_judged_apart():
    both = pl.concat([rows("w01018", [40.0, 41.0]), rows("w01018", [400.0, 410.0], site="b")])
    assert reasons(both) == [None] * 4


def test_what_is_outside_is_out_of_range_and_the_rest_suspect():
    found = emission.arrival_flags(rows("w01018", [40.0, 400.0, 4000.0]), "wastewater").sort("time")
    assert found["doubt"].to_list() == [None, "suspect", "out_of_range"]


def test_flags_and_marks_are_kept_as_given():
    given = rows("w01018", [40.0, 4000.0], flag="M", mark="M", device_mark="x9")
    found = emission.arrival_flags(given, "wastewater").sort("time")
    assert found.select(given.columns).equals(given)


def test_units_are_minded():
    # Flue gas: NOx is kept in ug/m3; 3000 mg/m3 is the end of its range.
    assert reasons(rows("a21002", [2999.0, 3001.0], unit="mg/m3"), "gas") == [None, "超出量程"]
    assert reasons(rows("a21002", [2_999_000.0, 3_001_000.0]), "gas") == [None, "超出量程"]
    with pytest.raises(InputError):
        reasons(rows("a21002", [1.0], unit="mg/L"), "gas")


def test_a_day_far_from_four_neighbours_is_doubted():
    near = [rows("a34004", [30.0 + number, 32.0], site=f"s{number}") for number in range(4)]
    far = rows("a34004", [100.0, 97.0], site="x")
    found = emission.arrival_flags(pl.concat([*near, far]), "station")
    assert found.filter(pl.col("reasons") == "偏离相邻点位")["site"].unique().to_list() == ["x"]
    # Means 31.0, 31.5, 32.0, 32.5, x: the median of five is 32, three times it is 96; 98.5 is above, 96 is not.
    calm = rows("a34004", [96.0, 96.0], site="x")
    assert "偏离相邻点位" not in reasons(pl.concat([*near, calm]), "station")
    # Three sites are too few to compare.
    assert "偏离相邻点位" not in reasons(pl.concat([*near[:2], far]), "station")


def test_a_medium_that_is_not_there_is_refused():
    with pytest.raises(InputError, match="medium"):
        emission.arrival_flags(rows("w01018", [1.0]), "soup")


def test_gaps_are_named_by_their_first_and_next_period():
    times = [START + timedelta(hours=hour) for hour in (0, 1, 4, 5, 9)]
    frame = pl.DataFrame({"site": "a", "factor": "w01018", "time": times})
    found = emission.gaps(frame, "1h").sort("start").select("start", "end").rows()
    assert found == [
        (START + timedelta(hours=2), START + timedelta(hours=4)),
        (START + timedelta(hours=6), START + timedelta(hours=9)),
    ]


def test_every_engine_doubts_the_same(engine: Callable[[pl.DataFrame], Any]):
    values = [[30.0, 32.0, 31.0, 33.0], [31.0, 32.0, 31.0, 33.0], [32.0, 32.0, 31.0, 33.0], [33.0, 32.0, 190.0, 33.0]]
    near = [rows("a34004", each, site=f"s{number}") for number, each in enumerate(values)]
    frame = pl.concat([*near, rows("a34004", [300.0, 310.0, None, 305.0], site="x")])
    keys = ["site", "factor", "time"]
    expected = emission.arrival_flags(frame, "station").sort(keys).select("doubt", "reasons", "missing", "note").rows()
    found = nw.from_native(emission.arrival_flags(engine(frame), "station"))
    table = pl.from_arrow(found.lazy().collect(backend="pyarrow").to_native())
    assert table.sort(keys).select("doubt", "reasons", "missing", "note").rows() == expected
    assert [row[1] for row in expected if row[1]] == ["突变"] * 2 + ["偏离相邻点位"] * 2 + [
        "偏离相邻点位、缺测",
        "偏离相邻点位",
    ]
