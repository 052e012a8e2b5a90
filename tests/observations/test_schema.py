from __future__ import annotations

from datetime import datetime, timedelta, timezone

import polars as pl
import pytest
from lake_frames import T, hours

from qinglan.core.errors import InputError
from qinglan.observations.schema import month_of, validate


def test_what_is_no_number_becomes_null() -> None:
    frame = hours([1.5, float("nan"), float("inf"), float("-inf"), None])
    assert validate(frame)["value"].to_list() == [1.5, None, None, None, None]


def test_times_are_kept_as_instants_in_utc() -> None:
    beijing = timezone(timedelta(hours=8))
    frame = hours([1.0]).with_columns(
        time=pl.Series([datetime(2023, 2, 1, 6, tzinfo=beijing)]).dt.convert_time_zone("Asia/Shanghai")
    )
    assert validate(frame)["time"].to_list() == [T]


def test_the_month_is_that_of_utc() -> None:
    assert validate(hours([1.0, 2.0, 3.0])).select(month_of())["month"].to_list() == ["2023-01", "2023-01", "2023-02"]


def test_empty_texts_and_absent_columns_become_null() -> None:
    checked = validate(hours([1.0], flag=""))
    assert checked.select("flag", "qualifier", "limit").row(0) == (None, None, None)


@pytest.mark.parametrize(
    ("wrong", "field", "row"),
    [
        (hours([1.0]).drop("basis"), "basis", None),
        (hours([1.0]).with_columns(colour=pl.lit("red")), "colour", None),
        (hours([1.0]).with_columns(pl.col("time").dt.replace_time_zone(None)), "time", None),
        (hours([1.0]).with_columns(value=pl.lit("1.0")), "value", None),
        (hours([1.0]).with_columns(site=pl.lit(7)), "site", None),
        (hours([1.0, 2.0]).with_columns(site=pl.Series(["a", None])), "site", 2),
        (hours([1.0, 2.0]).with_columns(factor=pl.Series(["a", ""])), "factor", 2),
        (hours([1.0]).with_columns(site=pl.lit("点" * 65)), "site", 1),
        (hours([1.0]).with_columns(grain=pl.lit("hourly")), "grain", 1),
        (hours([1.0]).with_columns(basis=pl.lit("final")), "basis", 1),
        (hours([1.0]).with_columns(qualifier=pl.lit("~")), "qualifier", 1),
    ],
)
def test_a_wrong_frame_is_refused_by_column_and_row(wrong: pl.DataFrame, field: str, row: int | None) -> None:
    with pytest.raises(InputError) as refusal:
        validate(wrong)
    assert (refusal.value.field, refusal.value.row) == (field, row)
    assert field in refusal.value.zh
    assert field in refusal.value.en
