"""What a disk or a database really refuses becomes one sentence; everything else passes unchanged."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import polars
import pytest
from sqlalchemy import Engine, insert, text

from qinglan.base.engine import open_engine, transaction
from qinglan.base.schema import audit, meta
from qinglan.base.settings import Settings
from qinglan.base.storage import storage_errors
from qinglan.core.errors import BusyError, InputError, StorageError

needs_full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")


@needs_full_device
def test_a_full_disk_met_by_a_file() -> None:
    with pytest.raises(StorageError, match="磁盘空间不足") as refusal, storage_errors("/dev/full"):
        Path("/dev/full").write_bytes(b"x" * 100_000)
    assert "no space is left" in refusal.value.en


@needs_full_device
def test_a_full_disk_met_by_an_engine_written_in_rust() -> None:
    frame = polars.DataFrame({"value": range(200_000)})
    with pytest.raises(StorageError, match="磁盘空间不足"), storage_errors("/dev/full"):
        frame.write_csv("/dev/full")


def test_a_full_disk_met_by_sqlite_leaves_what_was_there(tmp_path: Path) -> None:
    from qinglan.base.database import open_base

    engine = open_base(Settings.load(tmp_path, {}))
    with transaction(engine) as connection:
        connection.execute(insert(meta), [{"key": "kept", "value": "yes"}])
    with engine.connect() as connection:
        connection.execute(text("PRAGMA max_page_count = 1"))
    rows = [{"key": f"k{i}", "value": "x" * 10_000} for i in range(50)]
    with pytest.raises(StorageError, match="磁盘空间不足") as refusal, transaction(engine) as connection:
        connection.execute(insert(meta), rows)
    assert refusal.value.file == str(tmp_path / "base.sqlite")
    with transaction(engine) as connection:
        keys = set(connection.scalars(meta.select()))
    assert "kept" in keys
    assert not any(key.startswith("k1") for key in keys)


def test_a_locked_base_is_busy(tmp_path: Path) -> None:
    engine = open_engine(Settings.load(tmp_path, {}))
    with transaction(engine) as first:
        assert first.execute(text("select 1")).scalar_one() == 1
        impatient = sqlite3.connect(tmp_path / "base.sqlite", timeout=0)
        with pytest.raises(BusyError, match="占用"), storage_errors():
            impatient.execute("BEGIN IMMEDIATE")


def test_a_plain_sqlite_connection_is_understood_too(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "journal.sqlite", isolation_level=None)
    connection.execute("create table t(x)")
    connection.execute("PRAGMA query_only = ON")
    with pytest.raises(StorageError, match=r"journal\.sqlite 不可写"), storage_errors(tmp_path / "journal.sqlite"):
        connection.execute("insert into t values (1)")


def test_other_errors_pass_unchanged(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), storage_errors("x"):
        raise ZeroDivisionError
    with pytest.raises(FileNotFoundError), storage_errors("x"):
        Path("/no/such/file").read_bytes()
    with pytest.raises(InputError, match="own"), storage_errors("x"):
        raise InputError("own", "own")
    with pytest.raises(Exception, match=r"(?i)syntax") as fault, transaction(engine) as connection:
        connection.execute(text("selekt 1"))
    assert not isinstance(fault.value, StorageError)


def test_writing_while_reading_is_refused(engine: Engine) -> None:
    from qinglan.base.engine import reading

    with pytest.raises(StorageError), reading(engine) as connection:
        connection.execute(insert(meta), [{"key": "a", "value": "b"}])
    with transaction(engine) as connection:
        connection.execute(insert(meta), [{"key": "a", "value": "b"}])
    with reading(engine) as connection:
        assert connection.execute(audit.select()).all() == []
        assert connection.execute(meta.select().where(meta.c.key == "a")).one().value == "b"
