"""The base's own migrations: scripts inside the package, run by the program itself."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, select

from qinglan import __version__
from qinglan.base import dialect, schema
from qinglan.base.engine import place, reading, transaction
from qinglan.base.identity import tables as identity_tables
from qinglan.core.errors import NewerDataError

_PROGRAM = "program"
# All tables are in one list once their modules are loaded.
METADATA = identity_tables.accounts.metadata


def newest_version() -> str:
    """Return the version of the tables that this program knows."""
    head = _scripts().get_current_head()
    assert head is not None
    return head


def current_version(engine: Engine) -> str | None:
    """Return the version of the tables in a base, or None if it has none yet."""
    with reading(engine) as connection:
        return _version(connection)


def upgrade(engine: Engine) -> None:
    """Bring the tables of a base to this program's version, in one transaction.

    Raises
    ------
    NewerDataError
        If a newer version of the program has written the base; it is left as it is.
    StorageError
        If the base cannot be read or written.
    """
    if current_version(engine) == newest_version():
        return
    with transaction(engine) as connection:
        dialect.lock_for_migration(connection)
        _refuse_newer(connection, place(engine))
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        known = set(connection.scalars(select(schema.meta.c.key)))
        written = {_PROGRAM: __version__, "schema": newest_version()}
        if "created" not in known:
            written["created"] = dialect.now(connection).isoformat()
        dialect.upsert(connection, schema.meta, [{"key": key, "value": value} for key, value in written.items()])


def _refuse_newer(connection: Connection, where: str) -> None:
    found = _version(connection)
    if found is None or found in {script.revision for script in _scripts().walk_revisions()}:
        return
    writer = connection.execute(schema.meta.select().where(schema.meta.c.key == _PROGRAM)).first()
    newer = writer.value if writer else "?"
    raise NewerDataError(
        f"{where} 由更新的版本写成（晴岚 {newer}，表结构 {found}），本程序是 {__version__}（表结构 "
        f"{newest_version()}）；请升级程序，数据未被改动。",
        f"{where} was written by a newer version (Qinglan {newer}, tables {found}); this is {__version__} (tables "
        f"{newest_version()}). Upgrade the program; the data were left as they are.",
        file=where,
    )


def _version(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config() -> Config:
    config = Config()
    # A percent sign in the path would begin an interpolation.
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
