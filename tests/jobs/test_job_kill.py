"""A worker killed in the middle of a job loses nothing: another finishes the job."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine

from qinglan.base.settings import Settings
from qinglan.jobs import JobContext, Worker, enqueue, get, lease, log_of

LEASE_SECONDS = 1.0

# The job writes one line a step, each only if it is not there yet: begun again, it goes on where it was.
WORKER = """
import sys, time
from datetime import timedelta
from pathlib import Path
from qinglan.base.engine import open_engine
from qinglan.base.settings import Settings
from qinglan.jobs import Worker

def handler(context):
    written = Path(context.arguments["file"])
    for step in range(context.arguments["steps"]):
        context.progress(step, context.arguments["steps"])
        with written.open("a") as file:
            file.write(f"{step}\\n")
        print(step, flush=True)
        if step == context.arguments["kill_at"]:
            time.sleep(600)

engine = open_engine(Settings.load(Path(sys.argv[1])))
Worker(engine, {"write": handler}, lease=timedelta(seconds=float(sys.argv[2]))).run_one()
"""


def finish(context: JobContext) -> dict[str, object]:
    """The same job in the second worker: writes the steps that are missing."""
    written = Path(str(context.arguments["file"]))
    steps = range(int(str(context.arguments["steps"])))
    there = {int(line) for line in written.read_text("utf-8").split()}
    for step in steps:
        context.progress(step, len(steps))
        if step not in there:
            with written.open("a") as file:
                file.write(f"{step}\n")
    return {"attempt": context.attempt, "found": len(there)}


def killed_then_finished(engine: Engine, settings: Settings, file: Path, kill_at: int, turns: int = 600) -> None:
    arguments = {"file": str(file), "steps": 6, "kill_at": kill_at}
    job = enqueue(engine, "write", arguments, title_zh="写", title_en="Write")
    environment = os.environ | {"QINGLAN_DATABASE_URL": settings.database_url}
    command = [sys.executable, "-c", WORKER, str(settings.home), str(LEASE_SECONDS)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, start_new_session=True) as first:
        assert first.stdout is not None
        for line in first.stdout:
            if int(line) == kill_at:
                break
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    assert get(engine, job).state == "running"

    second = Worker(engine, {"write": finish})
    pause = threading.Event()
    for _turn in range(turns):
        if second.run_one():
            break
        pause.wait(LEASE_SECONDS / 10)
    found = get(engine, job)
    assert (found.state, found.result) == ("done", {"attempt": 2, "found": kill_at + 1})
    assert sorted(map(int, file.read_text("utf-8").split())) == [0, 1, 2, 3, 4, 5]
    assert len(log_of(engine, job)) == 1


@pytest.mark.kill
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
@pytest.mark.parametrize("kill_at", [0, 3])
def test_another_worker_finishes_what_a_killed_one_began(
    engine: Engine, settings: Settings, tmp_path: Path, kill_at: int
) -> None:
    killed_then_finished(engine, settings, tmp_path / "written", kill_at)


@pytest.mark.kill
@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is POSIX")
def test_without_expiry_the_job_would_be_lost(
    engine: Engine, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "return_expired", lambda *_: 0)
    with pytest.raises(AssertionError, match=r"\('running', None\)"):
        killed_then_finished(engine, settings, tmp_path / "written", 3, turns=15)
