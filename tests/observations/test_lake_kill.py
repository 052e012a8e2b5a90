"""The writer and compaction are killed at random moments; nothing acknowledged is lost, nothing is there twice."""

from __future__ import annotations

import os
import random
import signal
from pathlib import Path

import polars as pl
import pytest
from lake_frames import python

from qinglan.base.settings import Settings
from qinglan.observations import maintenance
from qinglan.observations.lake import Lake, open_lake

ROUNDS = int(os.environ.get("QINGLAN_SOAK_ROUNDS", "5"))
MOST_BURSTS = 1000


def killed_round(home: Path, first: int, delay: float, how: str) -> list[int]:
    """Run the client, kill its process group `delay` seconds after it is ready; return what it acknowledged."""
    import threading

    child = python("kill_client.py", home, first, MOST_BURSTS, how)
    assert child.stdout is not None
    assert child.stderr is not None
    assert child.stdout.readline() == "ready\n", child.stderr.read()
    killer = threading.Timer(delay, os.killpg, (child.pid, signal.SIGKILL))
    killer.start()
    lines = child.stdout.readlines()
    killer.join()
    child.wait()
    assert child.returncode == -signal.SIGKILL, child.stderr.read()
    child.stdout.close()
    child.stderr.close()
    return [int(line) for line in lines if line.endswith("\n")]


def finish(home: Path, how: str) -> None:
    """Let a client do what the last one left undone."""
    child = python("kill_client.py", home, 0, 0, how)
    _, complaint = child.communicate(timeout=60)
    assert child.returncode == 0, complaint


def all_rows(lake: Lake) -> pl.DataFrame:
    version = lake.history.open()
    assert version is not None
    paths = version.files()["path"].to_list()
    return pl.read_parquet(paths, hive_partitioning=False)


def doubled(lake: Lake) -> int:
    """Count rows that say again what was said before: each batch writes each of its rows once."""
    rows = all_rows(lake)
    return rows.height - rows.select("site", "time", "value").unique().height


@pytest.mark.kill
def test_nothing_acknowledged_is_lost_or_doubled(settings: Settings) -> None:
    chance = random.Random(20230131)
    acknowledged: list[int] = []
    for at in range(ROUNDS):
        acknowledged += killed_round(settings.home, at * 10_000, chance.uniform(0.05, 1.5), "protected")
    finish(settings.home, "protected")

    lake = open_lake(settings)
    pairs = lake.scan().filter(pl.col("site") != "shared").collect()
    whole = pairs.group_by("site").agg(pl.col("value").n_unique().alias("values"), pl.len())
    assert len(acknowledged) >= 3
    assert {f"batch-{number}" for number in acknowledged} <= set(whole["site"])
    assert whole.filter((pl.col("values") != 1) | (pl.col("len") != 2)).height == 0
    assert doubled(lake) == 0
    shared = all_rows(lake).filter(pl.col("site") == "shared").sort("revision")["value"].to_list()
    assert shared == sorted(shared)
    assert set(acknowledged) <= {int(value) for value in shared}
    assert maintenance.verify(lake) == []


@pytest.mark.kill
def test_without_the_transaction_the_same_kills_double_rows(settings: Settings) -> None:
    chance = random.Random(20230131)
    for at in range(20):
        killed_round(settings.home, at * 10_000, chance.uniform(0.05, 1.5), "unprotected")
        finish(settings.home, "unprotected")
        if doubled(open_lake(settings)):
            break
    assert doubled(open_lake(settings)) > 0
