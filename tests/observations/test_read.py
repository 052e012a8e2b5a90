from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pytest
from lake_frames import T, hours, values

from qinglan.base.settings import Settings
from qinglan.core.errors import InputError
from qinglan.observations import maintenance
from qinglan.observations.lake import Lake, open_lake
from qinglan.observations.read import Snapshot
from qinglan.observations.schema import KEY, OBSERVATION, TIME

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SELECTIONS: list[dict[str, Any]] = [
    {},
    {"sites": "1001A"},
    {"sites": ["1002A", "1003A"], "factors": "a34004"},
    {"sites": []},
    {"basis": "audited"},
    {"grain": "day"},
    {"grain": ["hour", "day"]},
    {"start": T + timedelta(hours=1), "end": T + timedelta(hours=3)},
    {"start": T + timedelta(days=90)},
    {"as_of": 1},
    {"as_of": 3, "sites": "1001A"},
]


def in_order(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.with_columns(pl.col("time", "received").dt.convert_time_zone("UTC")).sort(*KEY)


def fill(lake: Lake) -> None:
    """Four revisions over two months; the first two of them are compacted, the others are history's tail."""
    lake.submit(pl.concat([hours([1.0, 2.0, 3.0, 4.0]), hours([5.0, 6.0], site="1002A")]), source="cnemc")
    lake.submit(hours([1.5], first=T + timedelta(hours=3)), source="cnemc")
    maintenance.compact(lake, kept_hours=0)
    lake.submit(hours([10.0, None, 30.0], flag="calibration"), source="file")
    lake.submit(hours([7.0], site="1003A's", factor="a21026", basis="audited"), source="file")


def test_an_empty_lake_has_the_columns_and_no_rows(lake: Lake) -> None:
    frame = lake.scan(sites="1001A").collect()
    assert frame.schema == pl.Schema(dict(OBSERVATION))
    assert frame.height == 0
    assert lake.revision == 0
    assert lake.latest().height == 0
    assert lake.duckdb(duckdb.connect()).fetchall() == []


def test_the_newest_revision_of_each_key_is_read_across_months_and_tail(lake: Lake) -> None:
    fill(lake)
    assert values(lake.scan(sites="1001A")) == [10.0, None, 30.0, 1.5]
    assert values(lake.scan(sites="1002A")) == [5.0, 6.0]
    assert lake.revision == 4


def test_filters_choose_rows(lake: Lake) -> None:
    fill(lake)
    chosen = lake.scan(sites=["1001A", "1002A"], start=T + timedelta(hours=1), end=T + timedelta(hours=3))
    assert chosen.collect().sort("site", "time").select("site", "value").rows() == [
        ("1001A", None),
        ("1001A", 30.0),
        ("1002A", 6.0),
    ]
    assert values(lake.scan(basis="audited")) == [7.0]
    assert values(lake.scan(factors="a21026", grain="hour")) == [7.0]
    assert values(lake.scan(grain="day")) == []


def test_only_files_that_can_hold_wanted_rows_are_opened(lake: Lake) -> None:
    fill(lake)
    everything, february = lake.snapshot(), lake.snapshot(start=T + timedelta(hours=2))
    assert _files(everything) == 2
    assert _files(february) == 1
    assert _files(lake.snapshot(sites="0000A")) == 0


def _files(snapshot: Snapshot) -> int:
    return sum(len(part.paths) for part in snapshot.held + snapshot.mixed)


def test_once_compacted_only_current_is_read(lake: Lake) -> None:
    fill(lake)
    before = in_order(lake.scan().collect())
    maintenance.compact(lake)
    snapshot = lake.snapshot()
    assert (snapshot.mixed, snapshot.tail) == ((), ())
    assert in_order(lake.scan().collect()).equals(before)
    table = pl.read_parquet(snapshot.held[0].paths[0], hive_partitioning=False)
    assert table.equals(table.sort("site", "factor", "time"))


def test_a_corrected_compacted_and_vacuumed_lake_still_reads_what_was_known_then(lake: Lake) -> None:
    lake.submit(hours([43.0, 35.0]), source="file")
    known = datetime.now(timezone.utc)
    lake.submit(hours([12.0, None]), source="file")
    maintenance.compact(lake, kept_hours=0)
    maintenance.rebuild(lake)
    maintenance.vacuum(lake, kept_hours=0)
    assert values(lake.scan()) == [12.0, None]
    assert values(lake.scan(as_of=known)) == [43.0, 35.0]
    assert values(lake.scan(as_of=1)) == [43.0, 35.0]
    assert values(lake.scan(as_of=known - timedelta(days=1))) == []
    assert values(lake.scan(as_of=lake.revision)) == [12.0, None]


def test_when_sources_compete_the_preferred_one_counts(lake: Lake, settings: Settings) -> None:
    preferring = open_lake(settings, preference=["cnemc", "file"])
    lake.submit(hours([1.0, 2.0]), source="cnemc")
    lake.submit(hours([9.0, 9.0, 9.0]), source="file")
    for _ in range(2):
        assert values(lake.scan()) == [9.0, 9.0, 9.0]
        assert values(preferring.scan()) == [1.0, 2.0, 9.0]
        maintenance.compact(lake)
        maintenance.compact(preferring)
    assert preferring.snapshot().tail == ()
    lake.submit(hours([8.0, 8.0]), source="file")
    assert values(lake.scan()) == [8.0, 8.0, 9.0]
    assert values(preferring.scan()) == [1.0, 2.0, 9.0]
    preferring.submit(hours([1.1]), source="cnemc")
    assert values(preferring.scan()) == [1.1, 2.0, 9.0]


@pytest.mark.parametrize("name", ["start", "end", "as_of"])
def test_a_time_without_a_zone_is_refused(lake: Lake, name: str) -> None:
    with pytest.raises(InputError) as refusal:
        lake.scan(**{name: datetime(2023, 1, 1)})  # type: ignore[arg-type]
    assert refusal.value.field == name


def _compare(lake: Lake, read: Callable[[Lake, dict[str, Any]], pl.DataFrame]) -> None:
    preferring = Lake(lake.path, lake.journals, lake.locks, preference=["cnemc"])
    for which in (lake, preferring):
        for selection in SELECTIONS:
            found = read(which, selection)
            assert in_order(found).equals(in_order(which.scan(**selection).collect())), selection


def test_duckdb_reads_the_same(lake: Lake) -> None:
    fill(lake)
    connection = duckdb.connect()
    connection.execute("SET TimeZone='America/New_York'")
    _compare(lake, lambda which, selection: which.duckdb(connection, **selection).pl())
    maintenance.compact(lake)
    _compare(lake, lambda which, selection: which.duckdb(connection, **selection).pl())


@pytest.mark.spark
def test_spark_reads_the_same(lake: Lake, spark: SparkSession) -> None:
    fill(lake)

    names = [f"unix_micros({name}) AS {name}" if kind == TIME else f"`{name}`" for name, kind in OBSERVATION.items()]
    preferring = Lake(lake.path, lake.journals, lake.locks, preference=["cnemc"])
    some = {"sites": ["1001A", "1003A's"], "start": T + timedelta(hours=1), "end": T + timedelta(hours=3)}
    for which, selection in ((preferring, {}), (lake, some)):
        columns = which.spark(spark, **selection).selectExpr(*names)
        found = pl.DataFrame([tuple(row) for row in columns.collect()], schema=columns.columns, orient="row")
        right = in_order(which.scan(**selection).collect())
        assert right.height > 0
        assert in_order(found.cast(dict(OBSERVATION))).equals(right), selection
