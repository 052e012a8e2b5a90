"""A base that has its tables, on each database."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from base.databases import DATABASES, new_settings
from qinglan.base.database import open_base
from qinglan.base.settings import Settings


@pytest.fixture(params=DATABASES)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Settings]:
    with new_settings(request.param, tmp_path / "home") as found:
        yield found


@pytest.fixture
def engine(settings: Settings) -> Iterator[Engine]:
    found = open_base(settings)
    yield found
    found.dispose()
