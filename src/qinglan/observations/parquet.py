"""One sorted Parquet file for one partition, streamed. Delta's own writer splits a stream and loses its order."""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

from qinglan.observations.schema import OBSERVATION, PARTITION

ROW_GROUP: Final = 131_072
_COLUMNS: Final = tuple(name for name in OBSERVATION if name not in PARTITION)
_BOUNDED: Final = ("site", "factor", "time", "basis", "source", "received", "revision")


def write(table: Path, grain: str, month: str, pieces: Iterable[pl.DataFrame]) -> list[AddAction]:
    """Write pieces, one after the other, to one new file; return what Delta must know to add it.

    The file is on disk when this returns: a compaction replaces files that may be years old.
    """
    folder = table / f"grain={grain}" / f"month={month}"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"part-00000-{uuid.uuid4()}-c000.zstd.parquet"
    empty = pl.DataFrame(schema={name: OBSERVATION[name] for name in _COLUMNS})
    schema = _arrow(empty).schema
    bounds, rows = [], 0
    with path.open("wb") as file:
        with pq.ParquetWriter(file, schema, compression="zstd", compression_level=3) as writer:
            for piece in pieces:
                stored = piece.select(_COLUMNS)
                writer.write_table(_arrow(stored).cast(schema), row_group_size=ROW_GROUP)
                bounds.append(_bounds(stored))
                rows += stored.height
        file.flush()
        os.fsync(file.fileno())
    if not rows:
        path.unlink()
        return []
    return [
        AddAction(
            path.relative_to(table).as_posix(),
            path.stat().st_size,
            {"grain": grain, "month": month},
            int(path.stat().st_mtime * 1000),
            True,
            json.dumps({"numRecords": rows} | _statistics(pl.concat(bounds))),
        )
    ]


def _arrow(frame: pl.DataFrame) -> pa.Table:
    return frame.to_arrow(compat_level=pl.CompatLevel.oldest())


def _bounds(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        *(pl.col(name).min().alias(f"min.{name}") for name in _BOUNDED),
        *(pl.col(name).max().alias(f"max.{name}") for name in _BOUNDED),
        *(pl.col(name).null_count().alias(f"null.{name}") for name in _COLUMNS),
    )


def _statistics(bounds: pl.DataFrame) -> dict[str, Any]:
    found = bounds.select(
        pl.col("^min\\..*$").min(), pl.col("^max\\..*$").max(), pl.col("^null\\..*$").sum().cast(pl.Int64)
    ).row(0, named=True)
    return {
        "minValues": {name: _plain(found[f"min.{name}"]) for name in _BOUNDED},
        # Delta keeps whole milliseconds; a bound must not fall below a value.
        "maxValues": {name: _plain(found[f"max.{name}"], timedelta(microseconds=999)) for name in _BOUNDED},
        "nullCount": {name: found[f"null.{name}"] for name in _COLUMNS},
    }


def _plain(value: Any, up: timedelta = timedelta(0)) -> Any:
    return (value + up).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z" if hasattr(value, "strftime") else value
