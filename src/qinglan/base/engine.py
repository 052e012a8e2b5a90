"""The engine: one way to open a base, one way to write and one way to read.

A transaction that writes takes SQLite's write lock at its beginning: one that read first and wrote later would be
refused at once, without waiting, when another had written in between. Keep transactions short, and do no file or
network work inside one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError

from qinglan.base import dialect
from qinglan.base.settings import Settings
from qinglan.base.storage import storage_errors
from qinglan.core.errors import InputError, StorageError


def open_engine(settings: Settings) -> Engine:
    """Return an engine for the base of `settings`; nothing is connected yet.

    Raises
    ------
    InputError
        If `database_url` is no address of a SQLite or PostgreSQL database.
    StorageError
        If the database's driver is not installed.
    """
    try:
        address, options = dialect.engine_options(make_url(settings.database_url))
    except (ArgumentError, ValueError) as error:
        raise InputError(
            "设置项 database_url 不是可用的数据库地址；应为 sqlite:///路径 或 postgresql://用户@主机/库名。",
            "The setting database_url is no usable address; it should be sqlite:///path or postgresql://user@host/name.",
            field="database_url",
        ) from error
    try:
        engine = create_engine(address, **options)
    except ImportError as error:
        raise StorageError(
            "没有安装 PostgreSQL 驱动；请安装 qinglan[postgres]。",
            "The PostgreSQL driver is not installed; install qinglan[postgres].",
        ) from error
    dialect.listen(engine)
    return engine


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """Write in one transaction: all of it, or nothing when the block raises.

    Do not open a second one inside it: on SQLite it would wait for the first until the busy time-out.

    Raises
    ------
    StorageError
        If the disk is full, the base is read-only or cannot be reached; `BusyError` if it stayed locked.
    """
    with storage_errors(place(engine)), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Read from one unchanging state of the base; writing is refused. It never waits for a writer.

    Raises
    ------
    StorageError
        If the base cannot be read or reached.
    """
    readable = engine.execution_options(**dialect.READ_ONLY)
    with storage_errors(place(engine)), readable.begin() as connection:
        yield connection


def place(engine: Engine) -> str:
    """Return where the base is, as a user knows it: a file, or an address without its password."""
    if engine.dialect.name == "sqlite":
        return engine.url.database or ""
    return engine.url.render_as_string(hide_password=True)
