"""The four engines, each given the same rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import duckdb
import polars as pl
import pytest

Given = Callable[[pl.DataFrame], Any]


def to_duckdb(frame: pl.DataFrame) -> duckdb.DuckDBPyRelation:
    return duckdb.sql("select * from frame")


def to_spark(session: Any, frame: pl.DataFrame) -> Any:
    """Rows without a zone, as a CSV read by Spark would have them: wall-clock times of the session."""
    from pyspark.sql import types

    kinds = {
        pl.String: types.StringType(),
        pl.Float64: types.DoubleType(),
        pl.Int64: types.LongType(),
        pl.Boolean: types.BooleanType(),
        pl.Date: types.DateType(),
        pl.Datetime("us"): types.TimestampNTZType(),
    }
    schema = types.StructType([types.StructField(name, kinds[kind], True) for name, kind in frame.schema.items()])
    return session.createDataFrame(frame.rows(), schema)


@pytest.fixture(params=["pandas", "pyarrow", "duckdb", pytest.param("spark", marks=pytest.mark.spark)])
def engine(request: pytest.FixtureRequest) -> Given:
    """Turn a Polars frame into the engine's own."""
    if request.param == "spark":
        session = request.getfixturevalue("spark")
        return lambda frame: to_spark(session, frame)
    return {"pandas": lambda f: f.to_pandas(), "pyarrow": lambda f: f.to_arrow(), "duckdb": to_duckdb}[request.param]
