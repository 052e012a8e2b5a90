"""The lake alone: submit, repeat, small commits, compaction, reads. `python -m benchmarks.lake --stations 300`.

Writes the seconds of each step to benchmarks/results/lake.json.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import numpy as np
import polars as pl

from benchmarks import harness
from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.observations import maintenance
from qinglan.observations.lake import Lake, open_lake

FACTORS = ("a34004", "a34002", "a21026", "a21004", "a21005", "a05024")
START = datetime(2023, 1, 1, tzinfo=timezone.utc)


def day(stations: int, number: int, *, seed: int = 7) -> pl.DataFrame:
    """One day of hourly values of all stations and factors."""
    chance = np.random.default_rng([seed, number])
    times = pl.DataFrame({"time": [START + timedelta(days=number, hours=hour) for hour in range(24)]})
    sites = pl.DataFrame({"site": [f"{1000 + at}A" for at in range(stations)]})
    frame = times.join(sites, how="cross").join(pl.DataFrame({"factor": FACTORS}), how="cross")
    values = chance.gamma(2.0, 20.0, frame.height).round()
    return frame.with_columns(
        pl.col("time").dt.convert_time_zone("UTC"),
        value=pl.Series(values),
        grain=pl.lit("hour"),
        basis=pl.lit("realtime"),
    )


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds a call took, and its answer."""
    begun = time.perf_counter()
    answer = work()
    return time.perf_counter() - begun, answer


def read(lake: Lake) -> dict[str, float]:
    """Return the median seconds of five reads of each kind."""
    connection = duckdb.connect()
    national = "SELECT factor, avg(value) FROM found GROUP BY factor"

    def by_duckdb() -> Any:
        found = lake.duckdb(connection)
        return found.query("found", national).fetchall()

    kinds: dict[str, Callable[[], Any]] = {
        "site": lambda: lake.scan(sites="1100A", factors="a34004").collect(),
        "national_mean": lambda: lake.scan().group_by("factor").agg(pl.col("value").mean()).collect(),
        "national_mean_duckdb": by_duckdb,
        "latest": lake.latest,
    }
    return {name: round(median(timed(work)[0] for _ in range(5)), 4) for name, work in kinds.items()}


def run(stations: int, days: int) -> dict[str, Any]:
    """Run all steps on a lake in a temporary folder."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        lake = open_lake(settings, open_base(settings))
        frames = [day(stations, number) for number in range(days)]
        rows = sum(frame.height for frame in frames)
        first = [timed(lambda frame=frame: lake.submit(frame, source="cnemc"))[0] for frame in frames]
        again, receipt = timed(lambda: lake.submit(frames[0], source="cnemc"))
        hour = [
            timed(lambda frame=frame: lake.submit(frame, source="cnemc"))[0]
            for frame in day(stations, days).partition_by("time")
        ]
        corrected = frames[0].with_columns(pl.col("value") + 1)
        before = read(lake)
        compacted, _ = timed(lambda: maintenance.compact(lake))
        after = read(lake)
        repeated, _ = timed(lambda: lake.submit(frames[-1], source="cnemc"))
        revised, _ = timed(lambda: lake.submit(corrected, source="cnemc"))
        status = maintenance.status(lake)
    return {
        "stations": stations,
        "days": days,
        "rows": rows,
        "submit_rows_per_second": round(rows / sum(first)),
        "submit_day_seconds": round(median(first), 3),
        "repeat_day_seconds": round(again, 3),
        "repeat_receipt": [receipt.read, receipt.added, receipt.repeated, receipt.revised],
        "submit_hour_seconds": {"median": round(median(hour), 3), "max": round(max(hour), 3)},
        "compact_seconds": round(compacted, 2),
        "read_before_compaction": before,
        "read_after_compaction": after,
        "repeat_day_after_compaction_seconds": round(repeated, 3),
        "revise_day_after_compaction_seconds": round(revised, 3),
        "current_bytes_per_row": round(status["current"]["bytes"] / max(status["current"]["rows"], 1), 2),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


def main() -> None:
    """Run and write results/lake.json."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=300)
    parser.add_argument("--days", type=int, default=31)
    options = parser.parse_args()
    harness.write("lake", run(options.stations, options.days))


if __name__ == "__main__":
    main()
