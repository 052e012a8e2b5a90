"""A new base for a test, on each database that is here."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url, text

from qinglan.base.settings import Settings

POSTGRES = "QINGLAN_TEST_POSTGRES"
DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]


@contextmanager
def new_settings(database: str, home: Path) -> Iterator[Settings]:
    """Settings of a new home folder, with an empty database of its own."""
    if database == "sqlite":
        yield Settings.load(home, {})
        return
    if not os.environ.get(POSTGRES):
        pytest.skip(f"no PostgreSQL here: eval $(tools/postgres.sh start) exports {POSTGRES}")
    server = make_url(os.environ[POSTGRES])
    name = f"qinglan_{uuid.uuid4().hex}"
    administrator = create_engine(server, isolation_level="AUTOCOMMIT")
    with administrator.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    url = server.set(database=name, drivername="postgresql").render_as_string(hide_password=False)
    try:
        yield Settings.load(home, {"QINGLAN_DATABASE_URL": url})
    finally:
        with administrator.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
        administrator.dispose()
