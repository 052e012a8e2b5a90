"""The gateway is killed under load while its devices resend: nothing acknowledged is missing, nothing is there twice.

Each kind of protection has a twin test that takes it away and sees the same check fail.
"""

from __future__ import annotations

import os
import random
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from gateway_fleet import Fleet, Served, free_port, packet, shared

from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.gateways.hj212 import archive
from qinglan.gateways.hj212.devices import Device, Devices, save
from qinglan.gateways.hj212.segments import FOLDER, segments
from qinglan.observations import maintenance
from qinglan.observations.lake import Lake, open_lake

pytestmark = pytest.mark.kill

ROUNDS = int(os.environ.get("QINGLAN_SOAK_ROUNDS", "5"))
DEVICES = 20


class Outcome:
    """What a fleet was told, beside what the lake and the archive hold in the end."""

    def __init__(self, home: Path, fleet: Fleet) -> None:
        self.settings = Settings(home=home)
        engine = open_base(self.settings)
        self.lake: Lake = open_lake(self.settings, engine)
        version = self.lake.history.open()
        assert version is not None
        self.history = pl.read_parquet(version.files()["path"].to_list(), hive_partitioning=False)
        self.acknowledged = fleet.acknowledged
        self.findings = maintenance.verify(self.lake)
        engine.dispose()

    def missing(self) -> set[tuple[str, int]]:
        """Acknowledged values that the lake does not hold."""
        own = self.history.filter(pl.col("factor") == "w01018")
        there = set(own.select("site", pl.col("value").cast(pl.Int64)).rows())
        told = {(mn, number) for mn, numbers in self.acknowledged.items() for number in numbers if number % 5}
        return told - there

    def doubled(self) -> int:
        """Rows that say of the same thing what was said before."""
        return self.history.height - self.history.select("site", "factor", "time", "value").unique().height

    def archived_twice(self) -> int:
        """Packets that the archive has as accepted more than once."""
        found = archive.search(self.settings, verdict="accepted", devices=Devices())
        return found.height - found.select("raw").unique().height

    def not_archived(self) -> int:
        """Acknowledged packets that the archive does not hold."""
        found = archive.search(self.settings, verdict="accepted", devices=Devices())
        there = {raw + b"\r\n" for raw in found["raw"]}
        told = ((mn, number) for mn, numbers in self.acknowledged.items() for number in numbers)
        return sum((shared if number % 5 == 0 else packet)(mn, number) not in there for mn, number in told)


class Site:
    """A home folder with a fleet, and the gateways started for it."""

    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.home = home
        self.fleet = Fleet(free_port(), DEVICES)
        self._started: list[Served] = []
        engine = open_base(Settings(home=home))
        save(engine, [Device(mn=mn) for mn in self.fleet.numbers])
        engine.dispose()

    def serve(self, way: str = "", *, processes: int = 1) -> Served:
        served = Served(self.home, self.fleet.port, way=way, processes=processes)
        self._started.append(served)
        served.wait_ready()
        return served

    def finish(self, way: str = "") -> Outcome:
        """Let the devices have all their answers and the gateway end in order."""
        served = self.serve(way)
        assert self.fleet.finish()
        served.stop()
        return Outcome(self.home, self.fleet)

    def killed(self, rounds: int, way: str = "", *, processes: int = 1) -> Outcome:
        """Kill the gateway under load, several times."""
        chance = random.Random(20260101)
        self.fleet.start()
        for _ in range(rounds):
            served = self.serve(way, processes=processes)
            time.sleep(chance.uniform(0.3, 2.5))
            served.kill()
        return self.finish(way)

    def died_after_commit(self, way: str) -> Outcome:
        """Let the gateway die between a commit of the lake and whatever follows it."""
        self.fleet.start()
        self.serve(way).wait_dead()
        assert (self.home / "died").exists()
        return self.finish(way)

    def clear(self) -> None:
        self.fleet.stop()
        for served in self._started:
            served.clear()


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    found = Site(tmp_path / "home")
    yield found
    found.clear()


def test_kills_under_load_lose_nothing_and_double_nothing(site: Site) -> None:
    outcome = site.killed(ROUNDS, processes=2)
    assert sum(map(len, outcome.acknowledged.values())) > 20 * ROUNDS
    assert site.fleet.resent > 0
    assert outcome.missing() == set()
    assert outcome.doubled() == 0
    assert outcome.archived_twice() == 0
    assert outcome.not_archived() == 0
    assert outcome.findings == []
    assert segments(outcome.settings.journals / FOLDER) == []


def test_answers_before_the_journal_is_durable_lose_packets(site: Site) -> None:
    assert site.killed(2, "answer_first").missing() != set()


def test_a_death_between_the_lakes_commit_and_the_mark_doubles_nothing(site: Site) -> None:
    outcome = site.died_after_commit("die_after_commit")
    assert outcome.missing() == set()
    assert outcome.doubled() == 0
    assert outcome.findings == []


def test_without_the_transaction_the_same_death_doubles_rows(site: Site) -> None:
    assert site.died_after_commit("no_transaction_die_after_commit").doubled() > 0
