"""Two processes write, four read, one of the writers compacts: no error, no torn read, nothing twice."""

from __future__ import annotations

from pathlib import Path

import polars as pl
from lake_frames import python
from write_client import pair

from qinglan.base.settings import Settings
from qinglan.observations import maintenance
from qinglan.observations.lake import Lake, open_lake

BATCHES = 8


def test_two_processes_write_while_four_read(lake: Lake, settings: Settings, tmp_path: Path) -> None:
    lake.submit(pair(0.0), source="file")
    stop = tmp_path / "stop"
    readers = [python("read_client.py", settings.home, stop) for _ in range(4)]
    for reader in readers:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "ready\n"
    writers = [python("write_client.py", settings.home, how, BATCHES) for how in ("revises", "repeats")]
    added = 0
    for writer in writers:
        printed, complaint = writer.communicate(timeout=120)
        assert writer.returncode == 0, complaint
        added += int(printed)
    stop.touch()
    for reader in readers:
        printed, complaint = reader.communicate(timeout=120)
        assert reader.returncode == 0, complaint
        reads, highest = printed.split()
        assert int(reads) >= 3
        assert 0 <= float(highest) <= BATCHES

    assert added == 4 * BATCHES
    reopened = open_lake(settings)
    assert reopened.scan(factors="a34004").collect().height == 4 * BATCHES
    assert reopened.scan(factors="pair").select(pl.col("value").unique()).collect()["value"].to_list() == [BATCHES]
    version = reopened.history.open()
    assert version is not None
    assert version.files()["rows"].sum() == 4 * BATCHES + 2 * (BATCHES + 1)
    assert maintenance.verify(reopened) == []
