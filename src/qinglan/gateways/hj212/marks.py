"""How far each segment has been taken, and the keys of the packets taken: kept in the lake's own journal format.

The marks, the keys and the batches of observations made from the packets are written in one transaction of one file,
so that a packet becomes observations exactly once, whichever process received it and whenever a process dies.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from qinglan.gateways.hj212.segments import sentences
from qinglan.observations.journal import Journal

NAME: Final = "gateway.sqlite"
KEPT_SECONDS: Final = 3 * 86_400
"""How long keys are kept. A later resend says to the lake what it knows already, and is repeated there."""
_FORGET_SECONDS: Final = 3600.0
_MOST_VARIABLES: Final = 500
_TABLES: Final = """
CREATE TABLE IF NOT EXISTS segments (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL UNIQUE,
    through INTEGER NOT NULL DEFAULT 0,
    archived INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS keys (
    key BLOB PRIMARY KEY,
    segment INTEGER NOT NULL,
    number INTEGER NOT NULL,
    at INTEGER NOT NULL
) WITHOUT ROWID
"""


class Marks:
    """The gateway's journal of observations, with what was taken from which segment.

    Parameters
    ----------
    journals
        The folder of the lake's journals.
    """

    def __init__(self, journals: Path) -> None:
        self.journal = Journal(journals / NAME)
        self._forgot_at = time.monotonic()
        with sentences(self.journal.path):
            self._connection = sqlite3.connect(
                self.journal.path, timeout=60, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA synchronous=FULL")
            for statement in _TABLES.split(";"):
                self._connection.execute(statement)

    def segment(self, name: str) -> tuple[int, int, bool]:
        """Return a segment's id, the group up to which it was taken, and whether the archive holds it."""
        statement = "SELECT id, through, archived FROM segments WHERE name = ?"
        with sentences(self.journal.path):
            found = self._connection.execute(statement, (name,)).fetchone()
            if found is None:
                self._connection.execute("INSERT INTO segments (name) VALUES (?)", (name,))
                found = self._connection.execute(statement, (name,)).fetchone()
        return int(found[0]), int(found[1]), bool(found[2])

    def known(self, keys: Sequence[bytes]) -> dict[bytes, tuple[int, int]]:
        """Return of those keys that were taken before the segment's id and the packet's number."""
        found: dict[bytes, tuple[int, int]] = {}
        for at in range(0, len(keys), _MOST_VARIABLES):
            some = keys[at : at + _MOST_VARIABLES]
            asked = ",".join("?" * len(some))
            statement = f"SELECT key, segment, number FROM keys WHERE key IN ({asked})"
            with sentences(self.journal.path):
                rows = self._connection.execute(statement, some).fetchall()
            found |= {key: (segment, number) for key, segment, number in rows}
        return found

    def write(
        self,
        frames: Sequence[tuple[pl.DataFrame, str]],
        *,
        segment: int,
        through: int,
        keys: Iterable[tuple[bytes, int]],
    ) -> None:
        """Write observations and, in the same transaction, up to where the segment was taken.

        Raises
        ------
        StorageError
            The journal cannot be written; nothing of it was.
        """
        now = int(time.time())
        rows = [(key, segment, number, now) for key, number in keys]

        def also(connection: sqlite3.Connection) -> None:
            connection.executemany("INSERT OR IGNORE INTO keys VALUES (?, ?, ?, ?)", rows)
            connection.execute("UPDATE segments SET through = ? WHERE id = ?", (through, segment))

        self.journal.append_many(frames, also=also)

    def set_archived(self, name: str) -> None:
        """Note that the archive holds a segment durably."""
        with sentences(self.journal.path):
            self._connection.execute("UPDATE segments SET archived = 1 WHERE name = ?", (name,))

    def forget(self, keep: Callable[[str], bool]) -> None:
        """Forget archived segments whose file is gone, and keys that are too old."""
        with sentences(self.journal.path):
            names = [name for (name,) in self._connection.execute("SELECT name FROM segments WHERE archived = 1")]
            gone = [(name,) for name in names if not keep(name)]
            if gone:
                self._connection.executemany("DELETE FROM segments WHERE name = ?", gone)
            if time.monotonic() - self._forgot_at > _FORGET_SECONDS:
                self._connection.execute("DELETE FROM keys WHERE at < ?", (int(time.time()) - KEPT_SECONDS,))
                self._forgot_at = time.monotonic()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        self.journal.close()
