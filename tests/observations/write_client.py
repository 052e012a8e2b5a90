"""A writer in a process of its own: revises a pair across two partitions, and submits rows that others submit too."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

import polars as pl
from lake_frames import T, hours

from qinglan.base.settings import Settings
from qinglan.observations import maintenance
from qinglan.observations.lake import open_lake


def pair(value: float) -> pl.DataFrame:
    return hours([value] * 2, factor="pair", first=T + timedelta(hours=1))


def main(home: Path, revises: bool, batches: int) -> None:
    lake = open_lake(Settings(home=home))
    added = 0
    for number in range(1, batches + 1):
        same_by_all = hours([float(number)] * 4, site=f"site-{number}")
        added += lake.submit(same_by_all, source="file").added
        if revises:
            lake.submit(pair(float(number)), source="file")
            if number % 3 == 0:
                maintenance.compact(lake)
    print(added)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2] == "revises", int(sys.argv[3]))
