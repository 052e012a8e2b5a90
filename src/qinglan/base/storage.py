"""What the disk or the database refuses, said in one sentence.

Every part that writes puts its writing inside `storage_errors`, so that a full disk or a read-only home reads
the same whether the base, a journal, the lake or a reject file met it first.
"""

from __future__ import annotations

import errno
import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from qinglan.core.errors import BusyError, QinglanError, StorageError

_FULL = {errno.ENOSPC, errno.EDQUOT} if hasattr(errno, "EDQUOT") else {errno.ENOSPC}
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}
_NO_FOLDER = {errno.ENOTDIR, errno.EEXIST}
# The engines written in Rust give the number of the system's error only in their text.
_NUMBER_IN_TEXT = re.compile(r"\(os error (\d+)\)")
_DAMAGED = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_BUSY = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}
_SENTENCES = {
    "full": (
        "{where}：磁盘空间不足，无法写入；请腾出空间后重试，已确认的数据没有丢失。",
        "{where}: no space is left on the disk; free some and try again, nothing acknowledged was lost.",
    ),
    "forbidden": (
        "{where} 不可写（只读或没有权限）；请改正权限，或用 --home 指定可写的目录。",
        "{where} cannot be written (read-only or no permission); make it so, or name another folder with --home.",
    ),
    "no folder": (
        "{where} 不是目录；请用 --home 指定一个目录。",
        "{where} is not a folder; name a folder with --home.",
    ),
    "busy": (
        "{where} 正被另一个进程占用，等待超时；请稍后重试。",
        "{where} was kept locked by another process for too long; try again in a moment.",
    ),
    "damaged": (
        "{where} 不是数据库，或已损坏；请从备份恢复。",
        "{where} is no database or is damaged; restore it from a backup.",
    ),
    "unreachable": (
        "无法打开 {where}；请检查 database_url、数据库服务与网络。",
        "{where} cannot be opened; check database_url, the database service and the network.",
    ),
}
_SQLSTATES = {"53100": "full", "25006": "forbidden", "55P03": "busy", "40P01": "busy"}


@contextmanager
def storage_errors(place: Path | str | None = None) -> Iterator[None]:
    """Turn what the disk or the database refuses into a `StorageError` that names `place`.

    Other errors pass unchanged; those of Qinglan itself too.

    Parameters
    ----------
    place
        The file or folder that is being written, as the user knows it.

    Raises
    ------
    StorageError
        If there is no space left, the place may not be written, is no folder, cannot be reached or is damaged.
    BusyError
        If another process kept the database locked for longer than the busy time-out.

    Examples
    --------
    >>> with storage_errors("/dev/full"):
    ...     raise OSError(28, "No space left on device", "/dev/full")
    Traceback (most recent call last):
    ...
    qinglan.core.errors.StorageError: /dev/full：磁盘空间不足，无法写入；请腾出空间后重试，已确认的数据没有丢失。 / ...
    """
    try:
        yield
    except QinglanError:
        raise
    except Exception as error:
        refusal = explain(error, place)
        if refusal is None:
            raise
        raise refusal from error


def explain(error: BaseException, place: Path | str | None = None) -> StorageError | None:
    """Return the sentence for `error`, or None where it is nothing that a disk or database refuses."""
    reason = _reason(error)
    if reason is None:
        return None
    where = str(place or getattr(error, "filename", None) or "")
    zh, en = _SENTENCES[reason]
    refusal = BusyError if reason == "busy" else StorageError
    return refusal(
        zh.format(where=where or "数据目录"), en.format(where=where or "The home folder"), file=where or None
    )


def _reason(error: BaseException) -> str | None:
    if isinstance(error, DBAPIError):
        return _database_reason(error)
    if isinstance(error, sqlite3.Error):
        return _sqlite_reason(error)
    number = error.errno if isinstance(error, OSError) else None
    if number is None:
        found = _NUMBER_IN_TEXT.search(str(error))
        number = int(found[1]) if found else None
    if number in _FULL:
        return "full"
    if number in _FORBIDDEN:
        return "forbidden"
    return "no folder" if number in _NO_FOLDER else None


def _database_reason(error: DBAPIError) -> str | None:
    if isinstance(error.orig, sqlite3.Error):
        return _sqlite_reason(error.orig)
    state = getattr(error.orig, "sqlstate", None)
    if state in _SQLSTATES:
        return _SQLSTATES[state]
    lost = error.connection_invalidated or (state or "")[:2] in {"08", "28", "3D", "57"}
    never_met = state is None and type(error.orig).__name__ in {"OperationalError", "ConnectionTimeout"}
    return "unreachable" if lost or never_met else None


def _sqlite_reason(error: sqlite3.Error) -> str | None:
    # The low byte is the primary code; SQLite puts details above it.
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return "full"
    if code in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH}:
        return "forbidden"
    if code in _BUSY:
        return "busy"
    if code in _DAMAGED:
        return "damaged"
    return "unreachable" if code == sqlite3.SQLITE_CANTOPEN else None
