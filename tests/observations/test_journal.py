from __future__ import annotations

import sqlite3
from datetime import datetime, timedelta, timezone
from pathlib import Path

import polars as pl
import pytest
from lake_frames import hours, python

from qinglan.core.errors import InputError, NewerDataError, StorageError
from qinglan.observations import journal as journal_module
from qinglan.observations.journal import Journal


def test_what_was_appended_is_read_in_order_by_another_opener(tmp_path: Path) -> None:
    first = Journal(tmp_path / "j.sqlite")
    assert first.append(hours([1.0, 2.0]), source="file") == 1
    assert first.append_many([(hours([3.0]), "cnemc"), (hours([4.0]), "file")]) == [2, 3]
    second = Journal(tmp_path / "j.sqlite")
    assert second.app_id == first.app_id
    batches = second.read_after(0, max_rows=100)
    assert [(batch.offset, batch.source, batch.frame["value"].to_list()) for batch in batches] == [
        (1, "file", [1.0, 2.0]),
        (2, "cnemc", [3.0]),
        (3, "file", [4.0]),
    ]
    assert batches[1].frame["source"].to_list() == ["cnemc"]
    assert batches[0].frame["received"].to_list() == [batches[0].received] * 2


def test_reading_is_bounded_by_rows_but_never_stuck(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    journal.append_many([(hours([1.0] * rows), "file") for rows in (3, 2, 9)])
    assert [batch.offset for batch in journal.read_after(0, max_rows=5)] == [1, 2]
    assert [batch.offset for batch in journal.read_after(2, max_rows=5)] == [3]
    assert journal.read_after(3, max_rows=5) == []


def test_a_time_of_receipt_given_by_the_source_is_kept(tmp_path: Path) -> None:
    given = datetime(2023, 2, 1, tzinfo=timezone.utc)
    journal = Journal(tmp_path / "j.sqlite")
    journal.append(hours([1.0]).with_columns(received=pl.lit(given)), source="file")
    assert journal.read_after(0, 9)[0].frame["received"].to_list() == [given]


def test_a_large_frame_is_cut_into_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_module, "BATCH_ROWS", 2)
    journal = Journal(tmp_path / "j.sqlite")
    assert journal.append(hours([1.0, 2.0, 3.0]), source="file") == 2
    assert [batch.frame["value"].to_list() for batch in journal.read_after(0, 9)] == [[1.0, 2.0], [3.0]]


def test_a_refused_frame_leaves_nothing_behind(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    with pytest.raises(InputError):
        journal.append_many([(hours([1.0]), "file"), (hours([1.0]).drop("site"), "file")])
    assert journal.backlog(0) == (0, 0)


def test_offsets_are_never_given_twice(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    journal.append(hours([1.0]), source="file")
    assert journal.prune(1) == 1
    assert journal.last_offset == 1
    assert journal.append(hours([2.0]), source="file") == 2


def test_young_batches_may_be_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j.sqlite")
    journal.append(hours([1.0]), source="file")
    assert journal.prune(1, received_before=datetime.now(timezone.utc) - timedelta(minutes=1)) == 0
    assert journal.backlog(0) == (1, 1)


def test_several_processes_append_at_once(tmp_path: Path) -> None:
    script = (
        "import sys; from pathlib import Path; from lake_frames import hours\n"
        "from qinglan.observations.journal import Journal\n"
        "journal = Journal(Path(sys.argv[1]))\n"
        "for n in range(20): print(journal.append(hours([float(sys.argv[2]) + n]), source='file'))"
    )
    children = [python(script, tmp_path / "j.sqlite", at * 100) for at in range(3)]
    offsets = []
    for child in children:
        printed, complaint = child.communicate(timeout=60)
        assert child.returncode == 0, complaint
        offsets += [int(line) for line in printed.split()]
    assert sorted(offsets) == list(range(1, 61))
    found = [batch.frame["value"][0] for batch in Journal(tmp_path / "j.sqlite").read_after(0, 1000)]
    assert sorted(found) == sorted(float(at * 100 + n) for at in range(3) for n in range(20))


def test_a_journal_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path / "j.sqlite").close()
    with sqlite3.connect(tmp_path / "j.sqlite") as connection:
        connection.execute("PRAGMA user_version=99")
    with pytest.raises(NewerDataError, match="99"):
        Journal(tmp_path / "j.sqlite")


def test_what_is_no_journal_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "j.sqlite").write_bytes(b"\xff\xd8\xff a photograph" * 1000)
    with pytest.raises(StorageError) as refusal:
        Journal(tmp_path / "j.sqlite")
    assert "j.sqlite" in refusal.value.zh
