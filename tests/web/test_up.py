"""`qinglan up`: loopback only, one sentence for a taken port, a clean end."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from pathlib import Path

import pytest

from qinglan.cli.serve import address, listen
from qinglan.core.errors import BusyError, InputError

COMMAND = [sys.executable, "-m", "qinglan", "up", "--no-open"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.10", "example.org", ""])
def test_only_loopback_is_listened_on(host: str) -> None:
    with pytest.raises(InputError) as refused:
        listen(host, 0)
    assert refused.value.field == "host"
    assert "127.0.0.1" in refused.value.zh


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_free_port_is_found(host: str) -> None:
    with listen(host, 0) as listener:
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/", address(listener))


def test_a_taken_port_is_refused() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(BusyError) as refused:
            listen("127.0.0.1", port)
    assert str(port) in refused.value.zh
    assert "--port" in refused.value.en


@pytest.mark.parametrize("arguments", [["--host", "0.0.0.0"], ["--port", "70000"], ["--home", str(Path(__file__))]])
def test_the_command_refuses_with_exit_code_2(arguments: list[str], tmp_path: Path) -> None:
    environment = {**os.environ, "QINGLAN_HOME": str(tmp_path / "home")}
    ended = subprocess.run(
        [*COMMAND, *arguments], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert ended.stderr.strip()
    assert "Traceback" not in ended.stderr


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_it_serves_until_it_is_interrupted(tmp_path: Path) -> None:
    started = subprocess.Popen(
        [*COMMAND, "--port", "0", "--home", str(tmp_path / "home")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    guard = threading.Timer(90, started.kill)
    guard.start()
    try:
        assert started.stdout is not None
        line = started.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+/", line)
        assert found, line
        with urllib.request.urlopen(found[0] + "readyz", timeout=30) as answer:
            assert json.load(answer)["ready"] is True
        started.send_signal(signal.SIGINT)
        rest, errors = started.communicate(timeout=60)
    finally:
        guard.cancel()
        started.kill()
        started.wait()
    assert started.returncode == 0
    assert "Stopped" in rest
    events = [json.loads(one) for one in errors.splitlines() if one.startswith("{")]
    assert not [event for event in events if event["level"] in {"error", "critical"}]
