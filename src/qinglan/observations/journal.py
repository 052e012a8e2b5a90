"""The journal: batches acknowledged, not yet in the lake.

A batch is durable when `append` returns; its offset is its number for ever, so the lake can tell what it has
already taken. Gateways, imports and quality operations all write this one format.
"""

from __future__ import annotations

import io
import sqlite3
import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import polars as pl
from filelock import FileLock, Timeout

from qinglan.base.storage import storage_errors
from qinglan.core.errors import NewerDataError, StorageError
from qinglan.observations.schema import OBSERVATION, validate

FORMAT: Final = 1
BATCH_ROWS: Final = 250_000
"""The largest batch; a larger frame is cut, so that the writer's memory is bounded."""
_BUSY_SECONDS: Final = 60.0
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=timezone.utc)
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS batches (
    "offset" INTEGER PRIMARY KEY AUTOINCREMENT,
    source TEXT NOT NULL,
    received INTEGER NOT NULL,
    "rows" INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS receipts (
    "offset" INTEGER PRIMARY KEY,
    "read" INTEGER NOT NULL,
    added INTEGER NOT NULL,
    repeated INTEGER NOT NULL,
    revised INTEGER NOT NULL
);
"""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of the rows handed in: read = added + repeated + revised."""

    read: int = 0
    added: int = 0
    repeated: int = 0
    revised: int = 0

    def __add__(self, other: Receipt) -> Receipt:
        return Receipt(
            self.read + other.read,
            self.added + other.added,
            self.repeated + other.repeated,
            self.revised + other.revised,
        )


@dataclass(frozen=True, slots=True)
class Batch:
    """One acknowledged batch; `frame` has all columns of an observation but `revision`."""

    offset: int
    source: str
    received: datetime
    rows: int
    frame: pl.DataFrame


class Journal:
    """One journal file; several processes and threads may append to it at once.

    Parameters
    ----------
    path
        The SQLite file; made, with its own lasting id, when absent.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        self._lock = threading.RLock()
        with self._sentences():
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(
                self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            # Two processes that both turn a new file into write-ahead mode would refuse each other without waiting.
            with FileLock(self.path.with_suffix(".lock"), timeout=_BUSY_SECONDS):
                self._connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
                self._connection.execute("PRAGMA journal_mode=WAL")
                self._connection.execute("PRAGMA synchronous=FULL")
                self._prepare()

    def _prepare(self) -> None:
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            raise NewerDataError(
                f"日志“{self.path.name}”由更新的版本写成（格式 {version}），请升级后再打开。",
                f"The journal {self.path.name!r} was written by a newer version (format {version}); upgrade first.",
                file=str(self.path),
            )
        if version == FORMAT:
            return
        with self._transaction() as connection:
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute("INSERT OR IGNORE INTO meta VALUES ('app', ?)", (uuid.uuid4().hex,))
            connection.execute(f"PRAGMA user_version={FORMAT}")

    @property
    def app_id(self) -> str:
        """The id under which the lake remembers the last offset it took."""
        with self._sentences(), self._lock:
            return str(self._connection.execute("SELECT value FROM meta WHERE name='app'").fetchone()[0])

    def renew(self) -> str:
        """Give the journal a new id, so that all it still holds is offered to the lake again.

        Needed when a journal older than the lake was put back from a backup: its next offsets would be numbers
        that the lake has seen.
        """
        with self._sentences(), self._transaction() as connection:
            connection.execute("UPDATE meta SET value=? WHERE name='app'", (uuid.uuid4().hex,))
        return self.app_id

    def append(self, frame: pl.DataFrame, *, source: str) -> int:
        """Write a frame durably and return the offset of its last batch.

        Parameters
        ----------
        frame
            See `schema.validate`.
        source
            Who says so: `cnemc`, `file`, `simulated`…

        Raises
        ------
        InputError
            The frame is not acceptable; nothing was written.
        StorageError
            The journal cannot be written; nothing was written.
        """
        offsets = self.append_many([(frame, source)])
        return offsets[-1] if offsets else self.last_offset

    def append_many(
        self, frames: Sequence[tuple[pl.DataFrame, str]], *, also: Callable[[sqlite3.Connection], None] | None = None
    ) -> list[int]:
        """Write several `(frame, source)` in one durable transaction (group commit); return all offsets.

        `also` writes to tables of its own in the same transaction: where the frames came from, so that they are
        taken from there exactly once.
        """
        now = datetime.now(timezone.utc)
        made = [
            (source, (now - _EPOCH) // timedelta(microseconds=1), piece.height, _packed(piece))
            for frame, source in frames
            for piece in _stamped(frame, source, now).iter_slices(BATCH_ROWS)
            if piece.height
        ]
        if not made and also is None:
            return []
        statement = 'INSERT INTO batches (source, received, "rows", payload) VALUES (?, ?, ?, ?)'
        with self._sentences(), self._transaction() as connection:
            offsets = [int(connection.execute(statement, values).lastrowid or 0) for values in made]
            if also is not None:
                also(connection)
            return offsets

    def read_after(self, offset: int, max_rows: int) -> list[Batch]:
        """Return the next batches after an offset: at least one where there is one, else up to `max_rows` rows."""
        with self._sentences(), self._lock:
            sizes = self._connection.execute(
                'SELECT "offset", "rows" FROM batches WHERE "offset" > ? ORDER BY "offset" LIMIT 1000', (offset,)
            ).fetchall()
            through, total = offset, 0
            for at, rows in sizes:
                if total and total + rows > max_rows:
                    break
                through, total = at, total + rows
            found = self._connection.execute(
                'SELECT "offset", source, received, "rows", payload FROM batches'
                ' WHERE "offset" > ? AND "offset" <= ? ORDER BY "offset"',
                (offset, through),
            ).fetchall()
        return [
            Batch(at, source, _EPOCH + timedelta(microseconds=received), rows, pl.read_ipc_stream(io.BytesIO(payload)))
            for at, source, received, rows, payload in found
        ]

    @property
    def last_offset(self) -> int:
        """The highest offset ever given, pruned or not (0: none)."""
        with self._sentences(), self._lock:
            found = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name='batches'").fetchone()
        return int(found[0]) if found else 0

    @property
    def oldest(self) -> datetime | None:
        """When the oldest batch still kept was received."""
        with self._sentences(), self._lock:
            found = self._connection.execute('SELECT received FROM batches ORDER BY "offset" LIMIT 1').fetchone()
        return _EPOCH + timedelta(microseconds=found[0]) if found else None

    def backlog(self, offset: int) -> tuple[int, int]:
        """Return how many batches and rows are waiting after an offset."""
        with self._sentences(), self._lock:
            batches, rows = self._connection.execute(
                'SELECT count(*), coalesce(sum("rows"), 0) FROM batches WHERE "offset" > ?', (offset,)
            ).fetchone()
        return int(batches), int(rows)

    def save_receipts(self, receipts: dict[int, Receipt]) -> None:
        """Keep what the writer found for each offset; valid once the lake holds the offset."""
        values = [(at, found.read, found.added, found.repeated, found.revised) for at, found in receipts.items()]
        with self._sentences(), self._transaction() as connection:
            connection.executemany("INSERT OR REPLACE INTO receipts VALUES (?, ?, ?, ?, ?)", values)

    def receipt(self, offsets: Sequence[int]) -> Receipt:
        """Return the summed receipt of offsets that the lake holds."""
        if not offsets:
            return Receipt()
        with self._sentences(), self._lock:
            found = self._connection.execute(
                'SELECT sum("read"), sum(added), sum(repeated), sum(revised) FROM receipts'
                f' WHERE "offset" IN ({",".join(str(int(at)) for at in offsets)})'
            ).fetchone()
        return Receipt(*(int(count or 0) for count in found))

    def prune(self, through: int, *, received_before: datetime | None = None) -> int:
        """Forget batches up to an offset that the lake holds, and their receipts; return how many.

        `received_before` keeps younger ones: the kernel may not yet have written the lake's files to disk.
        """
        limit = received_before or datetime.max.replace(tzinfo=timezone.utc)
        with self._sentences(), self._transaction() as connection:
            pruned = connection.execute(
                'DELETE FROM batches WHERE "offset" <= ? AND received < ?',
                (through, (limit - _EPOCH) // timedelta(microseconds=1)),
            ).rowcount
            if pruned:
                connection.execute(
                    'DELETE FROM receipts WHERE "offset" <= ? AND "offset" NOT IN (SELECT "offset" FROM batches)',
                    (through,),
                )
        if pruned:
            with self._sentences(), self._lock:
                self._connection.execute("PRAGMA incremental_vacuum").fetchall()
        return pruned

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _sentences(self) -> Iterator[None]:
        try:
            with storage_errors(self.path):
                yield
        except (sqlite3.DatabaseError, OSError, Timeout) as reason:
            raise StorageError(
                f"日志“{self.path}”无法读写（{reason}），请检查目录权限和磁盘空间；未确认的数据没有写入。",
                f"The journal {str(self.path)!r} cannot be read or written ({reason}); check the folder's permissions"
                " and the free space; nothing unacknowledged was written.",
                file=str(self.path),
            ) from reason


def _stamped(frame: pl.DataFrame, source: str, now: datetime) -> pl.DataFrame:
    checked = validate(frame)
    received = pl.lit(now, OBSERVATION["received"])
    if "received" in checked.columns:
        received = pl.col("received").fill_null(received)
    return checked.with_columns(pl.lit(source, pl.String()).alias("source"), received.alias("received"))


def _packed(frame: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    frame.write_ipc_stream(buffer, compression="zstd")
    return buffer.getvalue()
