"""The packet journal: what was received, durable before anybody is told that it was.

Each process of the gateway writes segments of its own: small SQLite files (write-ahead log, synchronous FULL) that
take packets in groups, one group a transaction. A segment is closed after some minutes and a new one begun; when the
lake and the archive hold all of a closed one, its file is deleted. So a journal stays small, nothing is ever deleted
out of a file that is being written, and a damaged file spoils no other.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

from qinglan.base.storage import storage_errors
from qinglan.core.errors import NewerDataError, StorageError

FORMAT: Final = 1
FOLDER: Final = "gateway"
"""Below the folder of journals; the lake's writer looks only at files beside it."""
SEGMENT_PACKETS: Final = 100_000
SEGMENT_SECONDS: Final = 300.0
DAMAGED: Final = ".damaged"
_BUSY_SECONDS: Final = 10.0
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


class Stored(NamedTuple):
    """One packet as it is kept.

    Attributes
    ----------
    received
        When it was read from the connection, in microseconds since 1970.
    address
        Where it came from.
    refused
        Why it was refused at the door, a key of `judging.REFUSALS`; empty where it was accepted.
    key
        See `judging.key_of`.
    raw
        Its bytes.
    """

    received: int
    address: str
    refused: str
    key: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Group:
    """Packets of one transaction; `id` counts from 1 in each segment."""

    id: int
    packets: list[Stored]


def packed(packets: Sequence[Stored]) -> bytes:
    """Return packets as bytes; `unpacked` reads them."""
    return json.dumps(
        [(at, address, refused, key.hex(), raw.decode("latin-1")) for at, address, refused, key, raw in packets],
        separators=(",", ":"),
    ).encode()


def unpacked(payload: bytes) -> list[Stored]:
    """Return the packets of `packed`."""
    return [
        Stored(at, address, refused, bytes.fromhex(key), raw.encode("latin-1"))
        for at, address, refused, key, raw in json.loads(payload)
    ]


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
        return int(found.lastrowid or 0)

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
        if connection is None:
            return
        try:
            with sentences(self.path or self.folder):
                connection.execute("INSERT OR REPLACE INTO meta VALUES ('closed', '1')")
        finally:
            connection.close()

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
        connection = sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False)
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


class Segment:
    """A segment as it is read, by whatever process.

    Raises
    ------
    StorageError
        It is damaged or cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.stem
        self._connection: sqlite3.Connection | None = None
        with sentences(path):
            # Opened for writing, because after a kill the first reader has to take in the write-ahead log.
            self._connection = sqlite3.connect(
                f"{path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                check_same_thread=False,
            )
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version > FORMAT:
            self.close()
            raise NewerDataError(
                f"报文日志“{path.name}”由更新的版本写成（格式 {version}），请升级后再打开。",
                f"The packet journal {path.name!r} was written by a newer version (format {version}); upgrade first.",
                file=str(path),
            )
        self.empty = version == 0

    @property
    def is_closed(self) -> bool:
        """Whether nothing will be added to it."""
        with sentences(self.path):
            return bool(self._rows("SELECT 1 FROM meta WHERE name='closed'")) if not self.empty else True

    def mark_closed(self) -> None:
        """Close it on behalf of a process that is gone."""
        if not self.empty:
            with sentences(self.path):
                self._rows("INSERT OR REPLACE INTO meta VALUES ('closed', '1')")

    def groups(self, after: int, most_packets: int) -> Iterator[Group]:
        """Yield groups after a number, up to about so many packets.

        Raises
        ------
        StorageError
            A group is damaged; those before it have been yielded.
        """
        taken = 0
        while not self.empty and taken < most_packets:
            with sentences(self.path):
                rows = self._rows(
                    "SELECT id, packets, checksum, payload FROM groups WHERE id > ? ORDER BY id LIMIT 20", (after,)
                )
            if not rows:
                return
            for number, packets, checksum, payload in rows:
                if zlib.crc32(payload) != checksum:
                    raise _damaged(self.path, number)
                yield Group(number, unpacked(payload))
                after, taken = number, taken + packets
                if taken >= most_packets:
                    return

    @property
    def last(self) -> int:
        """The highest group (0: none)."""
        if self.empty:
            return 0
        with sentences(self.path):
            return int(self._rows("SELECT coalesce(max(id), 0) FROM groups")[0][0])

    def waiting(self, after: int) -> int:
        """Return how many packets it has after a group."""
        if self.empty:
            return 0
        with sentences(self.path):
            return int(self._rows("SELECT coalesce(sum(packets), 0) FROM groups WHERE id > ?", (after,))[0][0])

    def close(self) -> None:
        """Close the file."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def __enter__(self) -> Segment:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _rows(self, statement: str, values: tuple[int, ...] = ()) -> list[tuple[int, int, int, bytes]]:
        assert self._connection is not None
        return self._connection.execute(statement, values).fetchall()


def segments(folder: Path) -> list[Path]:
    """Return the segments of all processes, in the order in which they were begun."""
    found = [path for path in folder.glob("*.sqlite") if path.stem.count("-") == 2]
    return sorted(found, key=lambda path: (path.stem.split("-")[1], path.stem))


def delete(path: Path) -> None:
    """Delete a segment's files."""
    for end in ("-wal", "-shm", ""):
        path.with_name(path.name + end).unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Make sure that names just made in a folder outlive a loss of power."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _damaged(path: Path, group: int) -> StorageError:
    return StorageError(
        f"报文日志“{path.name}”第 {group} 组已损坏：请从备份恢复该文件，或用 qinglan gateway set-aside 移开它。",
        f"The packet journal {path.name!r} is damaged at group {group}: restore the file from a backup, or set it"
        " aside with qinglan gateway set-aside.",
        file=str(path),
        row=group,
    )


@contextmanager
def sentences(path: Path) -> Iterator[None]:
    """Say in a `StorageError` what SQLite or the disk refuses of a file."""
    try:
        with storage_errors(path):
            yield
    except (sqlite3.DatabaseError, OSError) as reason:
        raise StorageError(
            f"报文日志“{path.name}”无法读写（{reason}）；请检查磁盘与权限。",
            f"The packet journal {path.name!r} cannot be read or written ({reason}); check the disk and permissions.",
            file=str(path),
        ) from reason
