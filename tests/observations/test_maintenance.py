from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from lake_frames import hours, values
from typer.testing import CliRunner

from qinglan.base.settings import Settings
from qinglan.cli import application, commands
from qinglan.core.errors import StorageError
from qinglan.observations import current, maintenance
from qinglan.observations.lake import Lake
from qinglan.observations.tables import Version


def filled(lake: Lake) -> Lake:
    for value in (1.0, 2.0, 3.0):
        lake.submit(hours([value] * 4), source="file")
    return lake


def test_compaction_leaves_one_sorted_file_a_partition_with_every_revision(lake: Lake) -> None:
    filled(lake)
    assert maintenance.compact(lake, kept_hours=0)["partitions"] == 2
    files = lake.history.open().files()  # type: ignore[union-attr]
    assert files.select("month", "rows").rows() == [("2023-01", 6), ("2023-02", 6)]
    assert len(list(lake.history.path.rglob("*.parquet"))) == 2
    assert maintenance.compact(lake)["partitions"] == 0


def test_status_counts_what_is_there(lake: Lake) -> None:
    filled(lake)
    lake.journal.append(hours([9.0]), source="file")
    found = maintenance.status(lake)
    assert (found["revision"], found["watermark"]) == (3, 0)
    assert found["history"]["rows"] == 12
    assert found["tail"] == {"rows": 12, "files": 6}
    assert found["backlog"] == {"batches": 1, "rows": 1}
    maintenance.compact(lake)
    found = maintenance.status(lake)
    assert (found["revision"], found["watermark"]) == (4, 4)
    assert (found["current"]["rows"], found["current"]["files"]) == (4, 2)
    assert found["tail"] == {"rows": 0, "files": 0}
    assert found["backlog"] == {"batches": 0, "rows": 0}


def test_a_compaction_that_dies_between_its_tables_is_continued(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    filled(lake)
    whole = Version.replace

    def dying(self: Version, *arguments: object) -> None:
        if self.path == lake.current.path:
            raise KeyboardInterrupt
        whole(self, *arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(Version, "replace", dying)
        with pytest.raises(KeyboardInterrupt):
            maintenance.compact(lake)
    assert values(lake.scan()) == [3.0] * 4
    assert values(lake.scan(as_of=2)) == [2.0] * 4
    assert maintenance.compact(lake)["partitions"] == 2
    assert maintenance.verify(lake) == []


def test_verification_finds_a_current_that_differs_and_rebuilding_mends_it(lake: Lake) -> None:
    filled(lake)
    maintenance.compact(lake)
    assert maintenance.verify(lake) == []
    version = lake.current.open()
    assert version is not None
    wrong = lake.scan().filter(pl.col("time").dt.month() == 1).collect().with_columns(value=pl.lit(99.0))
    version.replace([wrong.sort("time")], "hour", "2023-01", [])
    assert [(found.what, found.where) for found in maintenance.verify(lake)] == [("current", "hour/2023-01")]
    maintenance.rebuild(lake)
    assert maintenance.verify(lake) == []
    assert values(lake.scan()) == [3.0] * 4


def test_verification_finds_rows_written_twice(lake: Lake) -> None:
    filled(lake)
    version = lake.history.open()
    assert version is not None
    version.append(lake.scan(as_of=1).collect(), [])
    assert {found.what for found in maintenance.verify(lake)} == {"doubled"}


def test_verification_names_a_lost_file(lake: Lake) -> None:
    filled(lake)
    maintenance.compact(lake)
    Path(lake.history.open().files()["path"][0]).unlink()  # type: ignore[union-attr]
    findings = maintenance.verify(lake)
    assert [(found.what, found.where) for found in findings] == [("unreadable", "hour/2023-01")]


def test_a_destroyed_current_is_made_again(lake: Lake) -> None:
    filled(lake)
    maintenance.compact(lake)
    for file in (lake.current.path / "_delta_log").iterdir():
        file.write_bytes(b"damaged")
    with pytest.raises(StorageError):
        lake.scan()
    maintenance.rebuild(lake)
    assert values(lake.scan()) == [3.0] * 4
    assert maintenance.verify(lake) == []


def test_a_large_partition_is_compacted_piece_by_piece(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(current, "PIECE_ROWS", 5)
    for value in (1.0, 2.0):
        lake.submit(pl.concat([hours([value] * 2, site=f"site-{at}") for at in range(9)]), source="file")
    maintenance.compact(lake, kept_hours=0)
    assert lake.history.open().files()["rows"].to_list() == [36]  # type: ignore[union-attr]
    for table in (lake.history, lake.current):
        (file,) = table.path.rglob("*.parquet")
        rows = pl.read_parquet(file, hive_partitioning=False)
        assert rows.equals(rows.sort("site", "factor", "time", "basis", "revision"))
    assert values(lake.scan()) == [2.0] * 18
    assert values(lake.scan(as_of=1)) == [1.0] * 18
    assert maintenance.verify(lake) == []


@pytest.mark.parametrize("command", ["status", "compact", "rebuild", "verify", "vacuum"])
def test_the_commands_answer_on_a_filled_home(lake: Lake, settings: Settings, command: str) -> None:
    filled(lake)
    if "lake" not in [group.name for group in application.root.registered_groups]:
        commands.add_all(application.root)
    run = CliRunner().invoke(application.root, ["lake", command, "--home", str(settings.home), "--json"])
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)
    expected = {"status": 3, "compact": 2, "rebuild": 2, "verify": None, "vacuum": 0}[command]
    if command == "verify":
        assert found == []
    else:
        assert found[{"status": "revision", "vacuum": "deleted"}.get(command, "partitions")] == expected
