"""Values that are no numbers: what a laboratory writes when it finds nothing, or more than it can tell."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw
import polars as pl
import pytest

from qinglan.core.errors import InputError
from qinglan.standards import qualified

WRITTEN = {
    "0.2": (0.2, None, None),
    "<0.01": (None, "<", 0.01),
    "＜ 0.01": (None, "<", 0.01),
    "0.01L": (None, "<", 0.01),
    "ND": (None, "ND", None),
    "未检出": (None, "ND", None),
    ">24000": (24000.0, ">", 24000.0),
    "1,200": (1200.0, None, None),
    "3e-6": (3e-6, None, None),
    "-": (None, None, None),
    None: (None, None, None),
}


def split(frame: Any, **options: Any) -> list[tuple[Any, ...]]:
    found = qualified.split(nw.from_native(frame).lazy(), **options).select(*qualified.COLUMNS).collect()
    rows = [tuple(None if cell != cell else cell for cell in row) for row in found.rows()]
    return sorted(rows, key=repr)


def test_each_way_of_writing_on_each_engine(engine: Callable[[pl.DataFrame], Any]) -> None:
    frame = pl.DataFrame({"value": list(WRITTEN)})
    assert split(frame) == sorted(WRITTEN.values(), key=repr)
    assert split(engine(frame)) == sorted(WRITTEN.values(), key=repr)


def test_separate_columns_are_the_same_as_text() -> None:
    frame = pl.DataFrame(
        {
            "value": [0.2, 0.01, None, 0.005],
            "qualifier": [None, "<", "未检出", "<"],
            "limit": [None, None, 0.02, 0.01],
        }
    )
    expected = [(0.2, None, None), (None, "<", 0.01), (None, "ND", 0.02), (None, "<", 0.01)]
    assert split(frame) == sorted(expected, key=repr)


def test_text_that_is_no_value_is_refused_with_its_words() -> None:
    frame = pl.DataFrame({"value": ["0.1", "about 3", "0.2"]})
    with pytest.raises(InputError, match="about 3"):
        split(frame)
    assert split(frame, lenient=True) == sorted([(0.1, None, None), (None, None, None), (0.2, None, None)], key=repr)


def test_single_precision_is_the_number_a_person_reads() -> None:
    frame = pl.DataFrame({"value": pl.Series([0.2, 0.05, float("nan")], dtype=pl.Float32)})
    assert split(frame) == sorted([(0.2, None, None), (0.05, None, None), (None, None, None)], key=repr)


def test_a_mean_takes_half_the_limit_and_the_ends_are_zero_and_the_limit() -> None:
    frame = nw.from_native(pl.DataFrame({"value": ["<0.02", "ND", ">5", "1"]}).lazy())
    columns = (nw.col("value"), nw.col("qualifier"), nw.col("limit"))
    found = qualified.split(frame).select(
        qualified.halved(*columns).alias("half"),
        qualified.lowest(*columns[:2]).alias("low"),
        qualified.highest(*columns).alias("high"),
    )
    assert found.collect().rows() == [(0.01, 0.0, 0.02), (None, 0.0, None), (5.0, 5.0, None), (1.0, 1.0, 1.0)]
