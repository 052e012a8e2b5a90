"""`make soak`: the kill tests a hundred times, and files and disks at their limits; writes results/soak.json."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time

from benchmarks import harness

ROUNDS = os.environ.get("QINGLAN_SOAK_ROUNDS", "100")
KILL_TESTS = {
    "lake: writer, drain and compaction killed": "tests/observations/test_lake_kill.py",
    "import command killed": "tests/cli/test_import_kill.py",
    "jobs worker killed": "tests/jobs/test_job_kill.py",
    "gateway killed under load": "tests/gateways/hj212/test_gateway_kill.py",
}


def main() -> None:
    """Run each kill test with `ROUNDS` rounds and write what came out."""
    found: dict[str, str] = {}
    failed = False
    for title, path in KILL_TESTS.items():
        begun = time.monotonic()
        run = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n0", path],
            env=os.environ | {"QINGLAN_SOAK_ROUNDS": ROUNDS},
            capture_output=True,
            text=True,
            check=False,
        )
        closing = (re.findall(r"\d+ (?:passed|failed).*", run.stdout) or [run.stdout[-200:]])[-1]
        found[title] = f"{ROUNDS} rounds: {closing}"
        failed |= run.returncode != 0
        print(f"{title}: {closing} ({time.monotonic() - begun:.0f} s)", flush=True)
        if run.returncode:
            print(run.stdout[-4000:])
    harness.write("soak", found)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
