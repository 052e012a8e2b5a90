"""75 million hours to daily index and yearly evaluation: Qinglan beside hand-written DuckDB, Polars and pandas.

``python -m benchmarks.air_year [--stations 1436] [--runs 5]``. Each variant runs in a process of its own, the
variants take turns, and the median of the wall times counts. Results go to benchmarks/results/air_year.json.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import polars as pl

from benchmarks import by_hand, harness, national_year
from qinglan.observations.lake import Lake
from qinglan.standards import air


def with_qinglan(files: Sequence[str]) -> tuple[int, int]:
    """Judge the lake's hours as a user of the library does."""
    hours = lake_of(files).scan(grain="hour")
    days = air.daily_values(hours, stamp="start").collect()
    index = air.daily_aqi_from_days(days)
    years = air.annual_evaluation(days)
    return index["aqi"].count(), years.select("site", "year").n_unique()


def lake_of(files: Sequence[str]) -> Lake:
    """Return the lake that the files belong to."""
    folder = Path(files[0])
    while folder.name != "current":
        folder = folder.parent
    return Lake(folder.parent, folder.parent / "journals", folder.parent / "locks")


VARIANTS: dict[str, Callable[[Sequence[str]], tuple[int, int]]] = {
    "qinglan (Polars)": with_qinglan,
    "DuckDB SQL by hand": by_hand.in_duckdb,
    "Polars by hand": by_hand.in_polars,
    "pandas by hand": by_hand.in_pandas,
}


def files_of(lake: Path) -> list[str]:
    """Return the files of the lake's table `current`."""
    return sorted(str(path) for path in (lake / "current").rglob("*.parquet"))


def main() -> None:
    """Run one variant (a child process), or all in turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stations", type=int, default=national_year.STATIONS)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--home", type=Path, default=harness.HOME)
    parser.add_argument("--variant", choices=VARIANTS)
    parser.add_argument("--without", nargs="*", default=[])
    arguments = parser.parse_args()
    lake = national_year.make(arguments.home, arguments.stations)
    if arguments.variant:
        harness.report(VARIANTS[arguments.variant], files_of(lake))
        return
    wanted = [name for name in VARIANTS if name not in arguments.without]
    base = [sys.executable, "-m", "benchmarks.air_year", "--stations", str(arguments.stations)]
    commands = {name: [*base, "--home", str(arguments.home), "--variant", name] for name in wanted}
    measured = harness.in_turns(commands, arguments.runs)
    rows = pl.scan_parquet(files_of(lake)).select(pl.len()).collect().item()
    harness.write("air_year", measured, rows=rows, stations=arguments.stations, budget={"DuckDB SQL by hand": 1.3})


if __name__ == "__main__":
    main()
