"""Writing the packet journal: groups of packets, each durable when `append` returns, segment after segment."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import time
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from qinglan.core.errors import StorageError
from qinglan.gateways.hj212.segments import BUSY_SECONDS, FORMAT, NOTE, Segment, Stored, packed, sentences, sync_folder

SEGMENT_PACKETS: Final = 100_000
SEGMENT_SECONDS: Final = 300.0
_PASSING: Final = frozenset({sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY})
_TABLES: Final = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE groups (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    received INTEGER NOT NULL,
    packets INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    payload BLOB NOT NULL
);
"""


class SegmentWriter:
    """Writes groups of one process, segment after segment. Used by one thread at a time.

    Parameters
    ----------
    folder
        Where segments are; made when absent.
    process
        The process's number, which its segments' names begin with.
    """

    def __init__(
        self,
        folder: Path,
        process: int,
        *,
        most_packets: int = SEGMENT_PACKETS,
        most_seconds: float = SEGMENT_SECONDS,
    ) -> None:
        self.folder = folder
        self.process = process
        self.most_packets = most_packets
        self.most_seconds = most_seconds
        self._connection: sqlite3.Connection | None = None
        self.path: Path | None = None
        self._packets = 0
        self._begun = 0.0
        self._dropped: list[Path] = []
        self._noted: int | None = None

    def append(self, packets: Sequence[Stored]) -> int:
        """Write one group durably; return its number.

        Raises
        ------
        StorageError
            The group cannot be written; nothing of it was.
        """
        try:
            with sentences(self.path or self.folder):
                connection = self._open()
                payload = packed(packets)
                found = connection.execute(
                    "INSERT INTO groups (received, packets, checksum, payload) VALUES (?, ?, ?, ?)",
                    (packets[0].received, len(packets), zlib.crc32(payload), payload),
                )
        except StorageError as error:
            self._after(error)
            raise
        self._packets += len(packets)
        number = int(found.lastrowid or 0)
        self._promise(number)
        return number

    def probe(self) -> None:
        """Write something and take it away again, to see whether the journal can be written.

        Raises
        ------
        StorageError
            It cannot.
        """
        try:
            with sentences(self.path or self.folder):
                connection = self._open()
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('probe', randomblob(65536))")
                connection.execute("DELETE FROM meta WHERE name='probe'")
        except StorageError as error:
            self._after(error)
            raise

    def close_if_due(self) -> None:
        """Close the segment if it is large or old enough; the next group begins a new one."""
        self._close_dropped()
        if self._connection is None or not self._packets:
            return
        if self._packets >= self.most_packets or time.monotonic() - self._begun >= self.most_seconds:
            self.close()

    def close(self) -> None:
        """Close the segment for good."""
        connection, self._connection = self._connection, None
        self._forget_note()
        if connection is None:
            return
        try:
            with sentences(self.path or self.folder):
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('closed', '1')")
        finally:
            connection.close()

    def _promise(self, number: int) -> None:
        """Note beside the segment how far it is durable.

        SQLite takes a damaged end of its log for a transaction that never was; by this note it is told from one.
        It is written after the transaction and not synchronised, so that it never says more than was durable.
        """
        if self._noted is None and self.path is not None:
            with contextlib.suppress(OSError):
                self._noted = os.open(self.path.with_suffix(NOTE), os.O_WRONLY | os.O_CREAT, 0o644)
        if self._noted is not None:
            with contextlib.suppress(OSError):
                os.pwrite(self._noted, b"%012d" % number, 0)

    def _forget_note(self) -> None:
        if self._noted is not None:
            os.close(self._noted)
            self._noted = None

    def _after(self, error: StorageError) -> None:
        """Keep a segment that only found no room, let go of one that may be damaged."""
        connection = self._connection
        code = getattr(error.__cause__, "sqlite_errorcode", 0) & 0xFF
        if connection is None or code not in _PASSING:
            self._drop()
        elif connection.in_transaction:
            connection.execute("ROLLBACK")

    def _drop(self) -> None:
        """Let go of a segment that cannot be written: it stays as it is, the next group begins another one."""
        connection, self._connection = self._connection, None
        self._forget_note()
        if connection is not None:
            connection.close()
            if self.path is not None:
                self._dropped.append(self.path)

    def _close_dropped(self) -> None:
        while self._dropped:
            try:
                with Segment(self._dropped[-1]) as segment:
                    segment.mark_closed()
            except StorageError:
                return
            self._dropped.pop()

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None:
            return self._connection
        self.folder.mkdir(parents=True, exist_ok=True)
        # The time orders segments of one process; the process's id keeps one that was killed apart from its successor.
        name = f"{self.process}-{time.time_ns() // 1000:017d}-{os.getpid()}.sqlite"
        self.path = self.folder / name
        connection = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=FULL")
            connection.execute("BEGIN IMMEDIATE")
            for statement in _TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={FORMAT}")
            connection.execute("COMMIT")
            sync_folder(self.folder)
        except BaseException:
            connection.close()
            self.path.unlink(missing_ok=True)
            raise
        self._connection, self._packets, self._begun = connection, 0, time.monotonic()
        return connection
