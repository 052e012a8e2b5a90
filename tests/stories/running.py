"""The real `qinglan up`, on a free loopback port."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode


@dataclass
class Server:
    """A running `qinglan up`."""

    home: Path
    process: subprocess.Popen[str]
    origin: str

    @classmethod
    def start(cls, home: Path, port: int = 0) -> Server:
        """Start the real command and wait for the line that names its address."""
        process = subprocess.Popen(
            [sys.executable, "-m", "qinglan", "up", "--no-open", "--port", str(port), "--home", str(home)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "QINGLAN_HOME": str(home)},
            start_new_session=True,
        )
        # A command that hangs before its first line ends the test instead of the day.
        guard = threading.Timer(120, process.kill)
        guard.start()
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
        finally:
            guard.cancel()
        found = re.search(r"(http://127\.0\.0\.1:\d+)/", line)
        if found is None:
            process.kill()
            process.wait()
            raise AssertionError(f"qinglan up did not start: {line!r}")
        return cls(home, process, found[1])

    def stop(self) -> None:
        """Stop it as Control-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.process.communicate(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.origin.rsplit(":", 1)[1])

    def get(self, path: str, **query: str | int) -> Any:
        """Return the JSON of an answer of the API."""
        address = f"{self.origin}/api/v1{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        with urllib.request.urlopen(address, timeout=60) as answer:
            return json.load(answer)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """Send JSON to the API as a page does, and return the JSON of the answer."""
        headers = {"Content-Type": "application/json", "Origin": self.origin}
        address = f"{self.origin}/api/v1{quote(path)}"
        request = urllib.request.Request(address, json.dumps(body).encode(), headers, method="POST")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.load(answer)

    def finish(self, job: str, patience: float = 120) -> None:
        """Wait until a job is done."""
        until = time.monotonic() + patience
        while (found := self.get(f"/jobs/{job}"))["state"] in ("waiting", "running"):
            assert time.monotonic() < until, found
            time.sleep(0.2)
        assert found["state"] == "done", found
