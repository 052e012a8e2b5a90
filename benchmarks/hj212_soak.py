"""HJ 212 from end to end on one machine: a simulated fleet, the gateway, its lake; writes results/hj212_soak.json.

``python -m benchmarks.hj212_soak --seconds 300``: steady load, then a burst of hour data, then the gateway is stopped
and every acknowledged packet is looked for in the lake. All of it is on loopback and stops by itself. Attacks (slow
bytes, endless #, a gigabyte without a frame, 100,000 connects) are in tests/gateways/hj212/test_gateway_hostile.py.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from statistics import mean
from typing import Any

import polars as pl

from benchmarks import harness
from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.gateways.hj212.codec import decode
from qinglan.gateways.hj212.devices import Device, save
from qinglan.gateways.hj212.options import TAKER, statuses
from qinglan.gateways.hj212.simulate import Settings as FleetSettings
from qinglan.gateways.hj212.simulate import device_number
from qinglan.gateways.hj212.simulate.generating import framed
from qinglan.observations import maintenance
from qinglan.observations.lake import open_lake

COMMAND = [sys.executable, "-m", "qinglan"]
PAGE = os.sysconf("SC_PAGE_SIZE")
GRAINS = {"2011": "realtime", "2051": "minute", "2061": "hour", "2031": "day"}
LONGEST = 600.0
LOOKED_INTO = 2000


class Gateway:
    """`qinglan gateway serve` on a free port, with what memory its processes hold over time."""

    def __init__(self, home: Path, processes: int, drain: float) -> None:
        words = ["gateway", "serve", "--host", "127.0.0.1", "--port", "0", "--processes", str(processes)]
        self._process = subprocess.Popen(
            [*COMMAND, *words, "--drain-seconds", str(drain)],
            env=os.environ | {"QINGLAN_HOME": str(home), "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
            stdout=subprocess.PIPE,
            stderr=(home / "gateway.log").open("wb"),
            text=True,
            start_new_session=True,
        )
        self.memory: list[float] = []
        self._stopped = threading.Event()
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if found := re.search(r"127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            sys.exit((home / "gateway.log").read_text("utf-8")[-3000:])
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        while not self._stopped.wait(1.0):
            self.memory.append(sum(_resident(pid) for pid in _family(self._process.pid)) / 2**20)

    def catch_up(self, home: Path) -> float:
        """Wait until the journal is empty, a while at most, and return how long that took."""
        begun, empty = time.monotonic(), 0
        # A status may be some seconds old: it is believed when it says so three times.
        while empty < 3 and time.monotonic() - begun < LONGEST:
            time.sleep(2.0)
            takers = [one for one in statuses(Settings(home=home)) if one["process"] == TAKER and not one["stale"]]
            empty = empty + 1 if takers and all(one["waiting"] == 0 for one in takers) else 0
        return time.monotonic() - begun

    def stop(self) -> None:
        """Stop it in order."""
        self._stopped.set()
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(LONGEST)
        finally:
            if self._process.poll() is None:
                os.killpg(self._process.pid, signal.SIGKILL)


def _family(root: int) -> list[int]:
    found, look = [root], [root]
    while look:
        try:
            children = Path(f"/proc/{(pid := look.pop())}/task/{pid}/children").read_text("ascii").split()
        except OSError:
            continue
        found += map(int, children)
        look += map(int, children)
    return found


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * PAGE
    except OSError:
        return 0


def simulated(port: int, record: Path, *words: str) -> dict[str, Any]:
    """Run the simulator's command and return its summary."""
    import json

    command = [*COMMAND, "hj212", "simulate", "--to", f"127.0.0.1:{port}", "--record", str(record), "--json", *words]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    if run.returncode not in {0, 1} or not run.stdout.strip():
        sys.exit(f"the simulator failed:\n{run.stderr}")
    summary: dict[str, Any] = json.loads(run.stdout)
    return summary


def compared(home: Path, records: list[Path], profile: str) -> dict[str, Any]:
    """Look for every acknowledged packet in the lake, and for every value of some of them."""
    settings = Settings(home=home)
    engine = open_base(settings)
    lake = open_lake(settings, engine)
    version = lake.history.open()
    assert version is not None
    files = version.files()["path"].to_list()
    history = pl.scan_parquet(files, hive_partitioning=True)
    keys = ["site", "factor", "grain", "time", "basis"]
    sent = pl.concat([pl.scan_ndjson(record) for record in records]).filter("acknowledged")
    told = sent.select(
        pl.col("mn").alias("site"),
        pl.col("cn").replace_strict(GRAINS, return_dtype=pl.String).alias("grain"),
        (pl.col("data_time").str.to_datetime("%Y%m%d%H%M%S") - pl.duration(hours=8))
        .dt.replace_time_zone("UTC")
        .dt.cast_time_unit("us")
        .alias("time"),
    )
    there = history.select("site", "grain", "time").unique()
    missing = (
        told.join(there, on=["site", "grain", "time"], how="anti").select(pl.len()).collect(engine="streaming").item()
    )
    packets = told.select(pl.len()).collect(engine="streaming").item()
    rows = history.select(pl.len()).collect(engine="streaming").item()
    different = history.select(keys).unique().select(pl.len()).collect(engine="streaming").item()
    some = sent.collect().sample(min(LOOKED_INTO, packets), seed=1)
    wrong = values = 0
    expected = []
    for row in some.iter_rows(named=True):
        text = f"QN={row['qn']};ST={row['st']};CN={row['cn']};PW=1;MN={row['mn']};Flag=5;CP=&&"
        whole = framed(f"{text}DataTime={row['data_time']};{row['data']}&&".encode()).removesuffix(b"\r\n")
        expected += [(one.site, one.factor, one.grain, one.time) for one in decode(whole).observations()]
    values = len(expected)
    asked = pl.LazyFrame(expected, schema=["site", "factor", "grain", "time"], orient="row").with_columns(
        pl.col("time").dt.cast_time_unit("us")
    )
    wrong = (
        asked.join(history, on=["site", "factor", "grain", "time"], how="anti")
        .select(pl.len())
        .collect(engine="streaming")
        .item()
    )
    found = {
        "acknowledged packets": packets,
        "of them missing in the lake": missing,
        "values looked for": values,
        "of them missing": wrong,
        "rows of the lake": rows,
        "rows that say again what was said": rows - different,
        "findings of lake verify": len(maintenance.verify(lake)),
        "profile": profile,
    }
    engine.dispose()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0)
    parser.add_argument("--devices", type=int, default=10_000)
    parser.add_argument("--rate", type=float, default=5_100.0)
    parser.add_argument("--burst", type=int, default=20_000)
    parser.add_argument("--profile", default="wastewater")
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--drain", type=float, default=5.0)
    chosen = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="hj212-soak-"))
    try:
        harness.write("hj212_soak", measured(folder, chosen), arguments=vars(chosen))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def measured(folder: Path, chosen: argparse.Namespace) -> dict[str, Any]:
    """Return what came out of a steady load, a burst and the comparison with the lake."""
    home = folder / "home"
    home.mkdir()
    engine = open_base(Settings(home=home))
    save(engine, [Device(mn=device_number(index), simulated=True) for index in range(chosen.devices)])
    engine.dispose()
    gateway = Gateway(home, chosen.processes, chosen.drain)
    common = ["--devices", str(chosen.devices), "--profile", chosen.profile]
    steady, burst = folder / "steady.jsonl", folder / "burst.jsonl"
    assert FleetSettings(port=gateway.port, devices=chosen.devices, rate=chosen.rate, duration=chosen.seconds)
    try:
        even = simulated(
            gateway.port,
            steady,
            *common,
            "--rate",
            str(chosen.rate),
            "--duration",
            str(chosen.seconds),
            "--grace",
            "60",
        )
        print(even, file=sys.stderr)
        during = gateway.memory.copy()
        at_once = simulated(
            gateway.port,
            burst,
            *common,
            "--burst",
            str(chosen.burst),
            "--data",
            "hour",
            "--grace",
            "60",
            "--window",
            "4",
        )
        print(at_once, file=sys.stderr)
        closing = gateway.catch_up(home)
    finally:
        gateway.stop()
    third = max(1, len(during) // 3)
    return {
        "steady": even,
        "burst": at_once,
        "memory of the gateway, MB": {
            "first third": round(mean(during[:third])),
            "middle": round(mean(during[third : 2 * third] or during)),
            "last third": round(mean(during[-third:])),
            "peak": round(max(during)),
        },
        "seconds to bring the rest into the lake": round(closing, 1),
        "lake": compared(home, [steady, burst], chosen.profile),
    }


if __name__ == "__main__":
    main()
