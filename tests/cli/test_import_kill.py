"""The real command killed at random moments and run again: the lake is that of an import in peace."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from deltalake import DeltaTable

from qinglan.base.settings import Settings
from qinglan.observations.lake import Lake, open_lake

ROUNDS = int(os.environ.get("QINGLAN_SOAK_ROUNDS", "3"))
SEED = 20230120
FILES = 4
HOURS = 500

pytestmark = pytest.mark.kill


def made(folder: Path) -> list[Path]:
    """Write files whose rows all differ, with some rejects and repeats between them."""
    folder.mkdir()
    paths = []
    for number in range(FILES):
        times = [datetime(2023, 1, 1) + timedelta(hours=hour) for hour in range(HOURS)]
        frame = (
            pl.DataFrame({"time": times})
            .with_row_index("row")
            .with_columns(
                site=pl.format("{}A", pl.col("row") % 3 + 1000 + number),
                value=pl.when(pl.col("row") == 7).then(pl.lit("x")).otherwise(pl.col("row").cast(pl.String)),
            )
        )
        paths.append(folder / f"{number}.csv")
        frame.select("site", "time", pl.col("value").alias("PM2.5")).write_csv(
            paths[-1], datetime_format="%Y-%m-%d %H:%M"
        )
    return paths


def start(home: Path, files: list[Path], source: str = "file") -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "qinglan", "import", "air", *map(str, files)]
    return subprocess.Popen(
        [*command, "--stamp", "start", "--source", source, "--home", str(home), "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def finish(home: Path, files: list[Path], source: str = "file") -> float:
    begun = time.monotonic()
    child = start(home, files, source)
    _, said = child.communicate(timeout=300)
    assert child.returncode == 0, said
    return time.monotonic() - begun


def content(lake: Lake) -> pl.DataFrame:
    """Return every row of the history, without what differs from run to run."""
    files = DeltaTable(lake.path / "history").file_uris()
    rows = pl.concat([pl.read_parquet(file, hive_partitioning=False) for file in files], how="diagonal")
    return rows.select("site", "factor", "time", "basis", "value", "source").sort(pl.all())


def test_killed_and_run_again_equals_an_import_in_peace(tmp_path):
    files = made(tmp_path / "files")
    clean = tmp_path / "clean"
    duration = finish(clean, files)
    expected = content(open_lake(Settings.load(clean)))
    assert len(expected) == FILES * (HOURS - 1)
    moments = random.Random(SEED)
    killed = 0
    for number in range(ROUNDS):
        home = tmp_path / f"home{number}"
        child = start(home, files)
        try:
            child.wait(duration * moments.uniform(0.3, 0.95))
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            killed += 1
        child.communicate()
        finish(home, files)
        lake = open_lake(Settings.load(home))
        assert content(lake).equals(expected)
        assert len(lake.scan().collect()) == len(expected)
    assert killed > 0


def test_the_comparison_sees_rows_that_are_doubled(tmp_path):
    # Under another source's name the lake does not take the second import for a repeat.
    files = made(tmp_path / "files")[:1]
    home = tmp_path / "home"
    finish(home, files)
    expected = content(open_lake(Settings.load(home)))
    finish(home, files, source="other")
    doubled = content(open_lake(Settings.load(home)))
    assert not doubled.equals(expected)
    assert len(doubled) == 2 * len(expected)
