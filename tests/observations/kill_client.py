"""A client that writes bursts of batches and says on its output what was acknowledged, until it is killed.

Every batch has a site of its own (two rows, in two months) and one row of a shared series that each batch revises.
`unprotected` takes away what makes the writer exactly-once: the journal's offset is no longer part of the commit,
but a file written after it.
"""

from __future__ import annotations

import sys
import time
from datetime import timedelta
from pathlib import Path

import polars as pl
from lake_frames import T, hours

from qinglan.base.settings import Settings
from qinglan.observations import maintenance
from qinglan.observations.lake import open_lake
from qinglan.observations.tables import Version

BURST = 3


def batch(number: int) -> pl.DataFrame:
    pair = hours([float(number)] * 2, site=f"batch-{number}", first=T + timedelta(hours=1))
    return pl.concat([pair, hours([float(number)], site="shared")])


def slow_commits(pause: float) -> None:
    """Widen the gap between the commit and what follows it, where a kill does most harm."""
    append = Version.append

    def slow(self: Version, frame: pl.DataFrame, transactions: list[tuple[str, int]]) -> None:
        append(self, frame, transactions)
        time.sleep(pause)

    Version.append = slow  # type: ignore[assignment,method-assign]


def unprotect(marker: Path) -> None:
    append, transaction = Version.append, Version.transaction

    def marked(self: Version, frame: pl.DataFrame, transactions: list[tuple[str, int]]) -> None:
        append(self, frame, [])
        beside = marker.with_suffix(".new")
        beside.write_text(str(transactions[0][1]))
        beside.replace(marker)

    def read(self: Version, app: str) -> int:
        if app.startswith("watermark:"):
            return transaction(self, app)
        return int(marker.read_text()) if marker.exists() else 0

    Version.append, Version.transaction = marked, read  # type: ignore[assignment,method-assign]


def main(home: Path, first: int, bursts: int, unprotected: bool) -> None:
    slow_commits(0.1)
    if unprotected:
        unprotect(home / "marker")
    lake = open_lake(Settings(home=home))
    lake.drain()
    print("ready", flush=True)
    for burst in range(bursts):
        numbers = range(first + burst * BURST, first + (burst + 1) * BURST)
        lake.journal.append_many([(batch(number), "client") for number in numbers])
        lake.drain()
        for number in numbers:
            print(number, flush=True)
        if burst % 3 == 2:
            maintenance.compact(lake, kept_hours=0)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4] == "unprotected")
