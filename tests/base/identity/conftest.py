"""People of an empty base, on each database, with a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from qinglan.base.identity.identity import FOLDER, Identity
from qinglan.base.settings import Settings
from qinglan.core.declare import Declarations
from web.people import Clock, cheap_hashes

TREE = {"211400": {"211400", "211481", "211421"}}


@pytest.fixture(scope="package", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with cheap_hashes():
        yield


@pytest.fixture(scope="session")
def declarations() -> Declarations:
    return Declarations.from_folders([Path(FOLDER)])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def identity(engine: Engine, settings: Settings, declarations: Declarations, clock: Clock) -> Identity:
    def below(place: str) -> frozenset[str]:
        return frozenset(TREE.get(place, {place}))

    places = frozenset(TREE["211400"])
    found = Identity.of(engine, declarations, settings.home, below, places)
    found.clock = clock
    return found
