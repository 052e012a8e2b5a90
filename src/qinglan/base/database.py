"""Opening the base of one installation."""

from __future__ import annotations

from filelock import FileLock, Timeout
from sqlalchemy import Engine

from qinglan.base.dialect import BUSY_SECONDS
from qinglan.base.engine import open_engine
from qinglan.base.migrations import upgrade
from qinglan.base.settings import Settings
from qinglan.base.storage import storage_errors
from qinglan.core.errors import BusyError


def open_base(settings: Settings) -> Engine:
    """Make the folders, open the base and bring its tables to this program's version.

    Raises
    ------
    StorageError
        If the home folder or the base cannot be written or reached.
    NewerDataError
        If a newer version of the program has written the base.
    """
    settings.prepare()
    engine = open_engine(settings)
    lock = settings.locks / "base.lock"
    try:
        # Two processes that both turn a new file into write-ahead mode would refuse each other without waiting.
        with storage_errors(lock), FileLock(lock, timeout=BUSY_SECONDS):
            upgrade(engine)
    except Timeout as error:
        raise BusyError(
            f"另一个进程正在升级数据库（{lock}）；请稍后重试。",
            f"Another process is upgrading the base ({lock}); try again in a moment.",
            file=str(lock),
        ) from error
    return engine
