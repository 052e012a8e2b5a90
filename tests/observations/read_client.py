"""A reader in a process of its own: every read must be one whole state of the lake, and never older than the last."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from qinglan.base.settings import Settings
from qinglan.observations.lake import open_lake


def main(home: Path, stop: Path) -> None:
    lake = open_lake(Settings(home=home))
    reads, highest = 0, 0.0
    print("ready", flush=True)
    while reads < 3 or not stop.exists():
        found = lake.scan(factors="pair").collect()
        values = found["value"].unique().to_list()
        # Each batch writes both rows of the pair, one in each of two partitions, with the same value.
        if found.height != 2 or len(values) != 1:
            raise SystemExit(f"torn after {reads} reads: {found.to_dicts()}")
        if values[0] < highest:
            raise SystemExit(f"went back from {highest} to {values[0]}")
        reads, highest = reads + 1, values[0]
        time.sleep(0.02)
    print(reads, highest, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
