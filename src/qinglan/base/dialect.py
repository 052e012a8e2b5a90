"""Where SQLite and PostgreSQL differ: the only module that asks which of them it is talking to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import URL, Connection, Engine, Select, Table, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite

BUSY_SECONDS = 30
READ_ONLY: dict[str, Any] = {"qinglan_read_only": True, "postgresql_readonly": True}
_MIGRATION_LOCK = 0x51494E47


def engine_options(url: URL) -> tuple[URL, dict[str, Any]]:
    """Return the address with its driver, and the options of its engine.

    Raises
    ------
    ValueError
        If it is neither SQLite nor PostgreSQL.
    """
    backend = url.get_backend_name()
    if backend == "sqlite" and url.database and url.database != ":memory:":
        return url, {"connect_args": {"timeout": BUSY_SECONDS, "check_same_thread": False}}
    if backend == "postgresql":
        # A bureau's network drops idle connections; the ping notices before a request does.
        options = {"pool_pre_ping": True, "connect_args": {"connect_timeout": 10}}
        return url.set(drivername="postgresql+psycopg"), options
    raise ValueError(backend)


def listen(engine: Engine) -> None:
    """Set up each new connection of `engine`, and how its transactions begin."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_sqlite)


def _set_up_sqlite(connection: Any, _record: Any) -> None:
    # Python's driver would begin transactions by itself, and too late; here only _begin_sqlite does.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {BUSY_SECONDS * 1000}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    reads = connection.get_execution_options().get("qinglan_read_only", False)
    connection.exec_driver_sql(f"PRAGMA query_only = {'ON' if reads else 'OFF'}")
    connection.exec_driver_sql("BEGIN" if reads else "BEGIN IMMEDIATE")


def upsert(
    connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, newer: str | None = None
) -> None:
    """Insert `rows`, or update those whose primary key is already there.

    Parameters
    ----------
    newer
        A column; a row that is there is only updated by one whose value in this column is greater.
    """
    if not rows:
        return
    insert = (sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert)(table)
    keys = [column.name for column in table.primary_key]
    changed = {name: insert.excluded[name] for name in rows[0] if name not in keys}
    if not changed:
        statement = insert.on_conflict_do_nothing(index_elements=keys)
    else:
        where = insert.excluded[newer] > table.c[newer] if newer else None
        statement = insert.on_conflict_do_update(index_elements=keys, set_=changed, where=where)
    connection.execute(statement, [dict(row) for row in rows])


def locking(connection: Connection, query: Select[Any]) -> Select[Any]:
    """Return `query` so that each row is given to one transaction only.

    SQLite has one writer at a time, which is enough; PostgreSQL passes over rows that others hold.
    """
    return query if connection.dialect.name == "sqlite" else query.with_for_update(skip_locked=True)


def now(connection: Connection) -> datetime:
    """Return the time in UTC by the one clock that all users of the base share.

    Workers on several machines must agree on when a lease ends; a SQLite base lies on one machine.
    """
    if connection.dialect.name == "sqlite":
        return datetime.now(UTC)
    found: datetime = connection.execute(select(func.clock_timestamp())).scalar_one()
    return found.astimezone(UTC)


def lock_for_migration(connection: Connection) -> None:
    """Keep other processes from migrating the same base until this transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
