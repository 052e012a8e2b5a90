"""A lake in a home folder whose name would mislead a reader of partition folders."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.observations.lake import Lake, open_lake


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "grain=day")


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return open_lake(settings)


@pytest.fixture
def base(settings: Settings) -> Iterator[Engine]:
    engine = open_base(settings)
    yield engine
    engine.dispose()


@pytest.fixture
def full_lake(settings: Settings, base: Engine) -> Lake:
    """A lake with its base, so with the table `latest`."""
    return open_lake(settings, base)
