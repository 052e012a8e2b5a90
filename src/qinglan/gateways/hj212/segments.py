"""The packet journal: what was received, durable before anybody is told that it was.

Each process of the gateway writes segments of its own: small SQLite files (write-ahead log, synchronous FULL) that
take packets in groups, one group a transaction. A segment is closed after some minutes and a new one begun; when the
lake and the archive hold all of a closed one, its file is deleted. So a journal stays small, nothing is ever deleted
out of a file that is being written, and a damaged file spoils no other.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
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
NOTE: Final = ".last"
"""Ending of the file beside a segment that says how far it is durable."""
BUSY_SECONDS: Final = 10.0


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
                timeout=BUSY_SECONDS,
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
        """Close it on behalf of a process that is gone.

        Raises
        ------
        StorageError
            If its end is lost; its log is kept beside it for whoever repairs it.
        """
        if self.last < self.promised:
            log = self.path.with_name(self.path.name + "-wal")
            if log.exists():
                shutil.copyfile(log, self.path.with_name(self.path.name + ".damaged-log"))
            raise _damaged(self.path, self.last + 1)
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
        # Read first: what is added afterwards may or may not be seen below.
        promised = self.promised
        while not self.empty and taken < most_packets:
            with sentences(self.path):
                rows = self._rows(
                    "SELECT id, packets, checksum, payload FROM groups WHERE id > ? ORDER BY id LIMIT 20", (after,)
                )
            if not rows:
                break
            for number, packets, checksum, payload in rows:
                if zlib.crc32(payload) != checksum:
                    raise _damaged(self.path, number)
                yield Group(number, unpacked(payload))
                after, taken = number, taken + packets
                if taken >= most_packets:
                    return
        if after < promised and taken < most_packets:
            raise _damaged(self.path, after + 1)

    @property
    def promised(self) -> int:
        """The highest group that is known to have been durable (0: none)."""
        try:
            text = self.path.with_suffix(NOTE).read_bytes()
        except OSError:
            return 0
        return int(text) if text.isdigit() else 0

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
    path.with_suffix(NOTE).unlink(missing_ok=True)
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
