"""`make bench`: run every benchmark, write benchmarks/results/*.json and make benchmarks/README.md from them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BENCHMARKS = ("air_year", "media", "lake", "hj212", "odds")


def main() -> None:
    """Run all, then write the page."""
    for name in BENCHMARKS:
        print(f"== {name}", flush=True)
        subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], cwd=HERE.parent, check=True)
    (HERE / "README.md").write_text(page(), "utf-8")


def page() -> str:
    """Return the page that the results make."""
    parts = [
        "# Benchmarks\n",
        "Made by `make bench` from `results/*.json`; do not edit. Ratios within one run count, on a quiet machine of",
        "two cores; seconds depend on the machine. Soaks (`make soak`) are in `results/soak.json`.\n",
    ]
    for path in sorted((HERE / "results").glob("*.json")):
        parts += section(json.loads(path.read_text("utf-8")))
    return "\n".join(parts).rstrip() + "\n"


def section(found: dict[str, Any]) -> list[str]:
    """Return one benchmark's part of the page."""
    machine = found["machine"]
    where = f"{machine['processors']} cores, {machine['memory_gb']} GB, {machine['system']}, Python {machine['python']}"
    when = f"{found['date']} · commit {found['commit']} · load before {machine['load_before']}"
    lines = [f"## {found['benchmark']}\n", f"`{found['command']}` · {when} · {where}\n"]
    if "rows" in found:
        lines.append(f"{found['rows']:,} rows, {found['stations']:,} stations.\n")
    measured: dict[str, Any] = found["measured"]
    first = next(iter(measured.values()))
    if isinstance(first, dict) and "by_hand_seconds" in first:
        lines += [
            f"Budget: {found['budget_seconds']} s each. By hand: Polars that gives the same class and nothing else.\n",
            "| what | rows | seconds (median) | by hand | peak MB | by hand |",
            "|---|---|---|---|---|---|",
        ]
        for name, row in measured.items():
            times, peaks = (f"{row[part]} | {row['by_hand_' + part]}" for part in ("seconds", "peak_mb"))
            lines.append(f"| {name} | {row['rows']:,} | {times} | {peaks} |")
    elif isinstance(first, dict) and "seconds" in first:
        lines += [
            "| variant | seconds (median) | Qinglan takes | processor seconds | peak MB |",
            "|---|---|---|---|---|",
        ]
        for name, row in measured.items():
            ratio = f"{first['seconds'] / row['seconds']:.2f} ×"
            lines.append(f"| {name} | {row['seconds']} | {ratio} | {row['cpu_seconds']} | {row['peak_mb']:,} |")
    else:
        lines += ["| what | figure |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in measured.items()]
    return [*lines, ""]


if __name__ == "__main__":
    main()
