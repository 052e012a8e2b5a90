"""A home folder of its own for each test of the gateway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from qinglan.base.database import open_base
from qinglan.base.settings import Settings


@pytest.fixture
def home(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def engine(home: Settings) -> Iterator[Engine]:
    found = open_base(home)
    yield found
    found.dispose()
