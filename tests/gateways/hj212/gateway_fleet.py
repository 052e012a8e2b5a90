"""Devices that send without end and resend what was not answered, as the standard says, over any number of deaths."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

from hj212_samples import framed

from qinglan.gateways.hj212.codec import StreamDecoder

WINDOW = 8
"""Packets of one device that may be without an answer."""


def packet(mn: str, number: int) -> bytes:
    """The packet of a number: a minute of its own with the number as its value, and one value that all revise."""
    qn = f"20240601{number // 3600 % 24:02d}{number // 60 % 60:02d}{number % 60:02d}{number % 1000:03d}"
    day = 1 + number // 86_400
    time_of = f"202406{day:02d}{qn[8:14]}"
    text = f"QN={qn};ST=32;CN=2011;PW=123456;MN={mn};Flag=5;CP=&&DataTime={time_of};w01018-Rtd={number},w01018-Flag=N&&"
    return framed(text) + b"\r\n"


def shared(mn: str, number: int) -> bytes:
    """A day value that each one revises."""
    qn = f"20240701{number // 3600 % 24:02d}{number // 60 % 60:02d}{number % 60:02d}{number % 1000:03d}"
    text = f"QN={qn};ST=32;CN=2031;PW=123456;MN={mn};Flag=5;CP=&&DataTime=20240701000000;w21003-Avg={number}&&"
    return framed(text) + b"\r\n"


class Fleet:
    """Devices in a thread of their own; `acknowledged` has the numbers whose answer came, by device."""

    def __init__(self, port: int, devices: int) -> None:
        self.port = port
        self.numbers = [f"F{at:023d}" for at in range(devices)]
        self.acknowledged: dict[str, set[int]] = {mn: set() for mn in self.numbers}
        self.resent = 0
        self._sending = True
        self._going = True
        self._thread = threading.Thread(target=lambda: asyncio.run(self._all()), daemon=True)

    def start(self) -> None:
        self._thread.start()

    def finish(self, wait: float = 120.0) -> bool:
        """Begin nothing new, and return whether everything that was begun is answered in the time."""
        self._sending = False
        self._thread.join(wait)
        done = not self._thread.is_alive()
        self.stop()
        return done

    def stop(self) -> None:
        """End at once."""
        self._sending = self._going = False
        self._thread.join(10)

    async def _all(self) -> None:
        await asyncio.gather(*(self._device(mn) for mn in self.numbers))

    async def _device(self, mn: str) -> None:
        waiting: dict[str, tuple[int, bytes]] = {}
        number = 0
        while self._going and (self._sending or waiting):
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            decoder = StreamDecoder()
            for _, raw in waiting.values():
                writer.write(raw)
                self.resent += 1
            last = time.monotonic()
            try:
                while self._going and (self._sending or waiting):
                    while self._sending and len(waiting) < WINDOW:
                        number += 1
                        raw = shared(mn, number) if number % 5 == 0 else packet(mn, number)
                        waiting[raw[9:26].decode()] = (number, raw)
                        writer.write(raw)
                    try:
                        async with asyncio.timeout(1.0):
                            data = await reader.read(65536)
                    except TimeoutError:
                        data = None
                    if data == b"":
                        break
                    for found in decoder.feed(data or b""):
                        answered = waiting.pop(found.number or "", None)
                        if answered is not None:
                            self.acknowledged[mn].add(answered[0])
                            last = time.monotonic()
                    if time.monotonic() - last > 3:
                        for _, raw in waiting.values():
                            writer.write(raw)
                            self.resent += 1
                        last = time.monotonic()
                    await asyncio.sleep(0.02)
            except OSError:
                pass
            finally:
                writer.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Served:
    """The real command, in a process group of its own."""

    def __init__(self, home: Path, port: int, *extra: str, way: str = "", processes: int = 2) -> None:
        here = Path(__file__).parent
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(
                [str(here / "killing"), str(here.parents[2] / "src"), os.environ.get("PYTHONPATH", "")]
            ),
            "QINGLAN_KILL_TEST": way,
            "QINGLAN_KILL_PLACE": str(home),
            "QINGLAN_HOME": str(home),
        }
        code = "import sys; sys.argv[0] = 'qinglan'; from qinglan.cli import main; main()"
        arguments = [
            "gateway", "serve", "--host", "127.0.0.1", "--port", str(port), "--processes", str(processes),
            "--drain-seconds", "0.3", "--reserve-mb", "1", *extra,
        ]  # fmt: skip
        self.log = (home / "gateway.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-c", code, *arguments],
            stdout=subprocess.PIPE,
            stderr=self.log,
            env=environment,
            start_new_session=True,
            text=True,
        )

    def wait_ready(self) -> None:
        assert self.process.stdout is not None
        said = []
        while "网关已启动" not in (line := self.process.stdout.readline()):
            said.append(line)
            assert line, (said, Path(self.log.name).read_text("utf-8")[-2000:])
        self.said = "".join([*said, line])

    def kill(self) -> None:
        """Kill the whole group, as the loss of the machine would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        assert self.process.wait(30) == -signal.SIGKILL
        self._close()

    def wait_dead(self, wait: float = 120.0) -> None:
        """Wait for it to die by itself."""
        assert self.process.wait(wait) == -signal.SIGKILL
        self._close()

    def stop(self) -> None:
        """Let it end in order, with everything in the lake."""
        self.process.terminate()
        assert self.process.wait(120) == 0, Path(self.log.name).read_text("utf-8")[-2000:]
        self._close()

    def clear(self) -> None:
        """Leave nothing behind, however the test ended."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(30)
        self._close()

    def _close(self) -> None:
        self.log.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
