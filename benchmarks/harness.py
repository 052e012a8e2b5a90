"""Runs variants in turns, each in a process of its own, and writes what was measured with where it was."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

HERE = Path(__file__).parent
RESULTS = HERE / "results"
HOME = Path(os.environ.get("QINGLAN_BENCHMARKS", "/tmp/qinglan-benchmarks"))


def report(work: Callable[..., object], *arguments: object) -> None:
    """Do the work and print what it found, its wall and processor time and the process's peak memory."""
    before, begun = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
    answer = work(*arguments)
    wall, usage = time.perf_counter() - begun, resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime - before.ru_utime - before.ru_stime
    found = {"answer": answer, "peak_mb": usage.ru_maxrss // 1024, "cpu": cpu, "wall": wall}
    print(json.dumps(found))


def in_turns(commands: Mapping[str, Sequence[str]], runs: int) -> dict[str, dict[str, Any]]:
    """Run each command `runs` times in turns; return median and all wall times, processor times, peak memory."""
    taken: dict[str, list[dict[str, Any]]] = {name: [] for name in commands}
    for number in range(runs):
        for name, command in commands.items():
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            if run.returncode:
                sys.exit(f"{name} failed:\n{run.stderr}")
            found = json.loads(run.stdout.splitlines()[-1])
            taken[name].append(found)
            print(f"run {number + 1} {name}: {found['wall']:.1f} s, {found['peak_mb']} MB", file=sys.stderr, flush=True)
    return {
        name: {
            "seconds": round(median(found["wall"] for found in runs_of), 2),
            "all": [round(found["wall"], 2) for found in runs_of],
            "cpu_seconds": round(median(found["cpu"] for found in runs_of), 2),
            "peak_mb": max(found["peak_mb"] for found in runs_of),
            "answer": runs_of[0]["answer"],
        }
        for name, runs_of in taken.items()
    }


def write(name: str, measured: Mapping[str, Any], **more: Any) -> None:
    """Write results/NAME.json and print a table of it."""
    content = {
        "benchmark": name,
        "command": f"python -m benchmarks.{name}",
        "commit": subprocess.run(
            ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True, check=False
        ).stdout.strip(),
        "date": datetime.now(timezone.utc).date().isoformat(),
        "machine": {
            "processors": os.cpu_count(),
            "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
            "system": f"{platform.system()} {platform.machine()}",
            "python": platform.python_version(),
            "load_before": round(os.getloadavg()[0], 2),
        },
        "measured": measured,
        **more,
    }
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{name}.json").write_text(json.dumps(content, ensure_ascii=False, indent=2) + "\n", "utf-8")
    print(json.dumps(measured, ensure_ascii=False, indent=2))
