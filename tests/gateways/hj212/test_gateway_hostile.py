"""Connections that mean no good are cut and counted, and a device that does its work notices nothing.

`make soak` runs it in full: 1 GB without a frame, endless #, slow bytes and 100,000 connects at the same time.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from pathlib import Path

import pytest
from gateway_fleet import Served, free_port
from gateway_parts import Client, upload

from qinglan.base.settings import Settings
from qinglan.gateways.hj212.options import statuses

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(os.environ.get("QINGLAN_SOAK") != "1", reason="long; run by make soak (QINGLAN_SOAK=1)"),
]

CONNECTS = 100_000
BYTES = 1 << 30
PIECE = 1 << 16
FLOODS = 50


async def flood(port: int, piece: bytes) -> int:
    """Send a gigabyte on each of some connections; return the most that one of them took before it was cut."""
    most = 0
    for _ in range(FLOODS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sent = 0
        try:
            while sent < BYTES and not reader.at_eof():
                writer.write(piece)
                sent += len(piece)
                await writer.drain()
        except ConnectionError:
            pass
        most = max(most, sent)
        writer.close()
    return most


async def connects(port: int, count: int) -> None:
    for _ in range(count):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.1)
            continue
        writer.transport.abort()


async def slow(port: int, going: asyncio.Event) -> bool:
    """Send a packet a byte at a time; return whether the connection was cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    raw = upload(1, mn="SLOW") * 1000
    try:
        for at in range(len(raw)):
            if going.is_set() or reader.at_eof():
                break
            writer.write(raw[at : at + 1])
            await writer.drain()
            await asyncio.sleep(2)
    except ConnectionError:
        return True
    cut = reader.at_eof()
    writer.close()
    return cut


async def works(port: int, done: asyncio.Event) -> list[float]:
    """A device that sends one packet after the other; how long each answer took."""
    device = Client(*await asyncio.open_connection("127.0.0.1", port))
    waits: list[float] = []
    number = 0
    while not done.is_set():
        number += 1
        begun = time.monotonic()
        device.send(upload(number))
        assert len(await device.answers(1, wait=30)) == 1
        waits.append(time.monotonic() - begun)
        await asyncio.sleep(0.02)
    device.close()
    return waits


def test_a_device_at_work_notices_nothing_of_an_attack(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    port = free_port()
    served = Served(home, port, processes=1)
    try:
        served.wait_ready()

        async def run() -> tuple[list[float], list[int], bool]:
            done = asyncio.Event()
            device = asyncio.create_task(works(port, done))
            dripping = asyncio.create_task(slow(port, done))
            floods = await asyncio.gather(
                flood(port, b"#" * PIECE),
                flood(port, b"x" * PIECE),
                *(connects(port, CONNECTS // 20) for _ in range(20)),
            )
            until = time.monotonic() + 60
            while not dripping.done() and time.monotonic() < until:
                await asyncio.sleep(0.5)
            done.set()
            return await device, [most for most in floods if most], await dripping

        waits, taken, was_cut = asyncio.run(run())
        # What the system's buffers hold besides the 64 kB that the gateway looks at.
        assert len(taken) == 2
        assert max(taken) < BYTES // 16
        assert was_cut
        assert sorted(waits)[int(len(waits) * 0.99)] < 5
        time.sleep(3)
        [status] = [one for one in statuses(Settings(home=home)) if one["process"] == 0]
        counts = status["counts"]
        assert counts["cut"]["junk"] == 2 * FLOODS
        assert counts["cut"]["slow"] == 1
        assert counts["connected"] >= CONNECTS * 0.99
        assert counts["acknowledged"] >= len(waits)
        assert status["acknowledging"]
        resident = int(Path(f"/proc/{status['pid']}/statm").read_text("utf-8").split()[1]) * 4096
        assert resident < 600 * 1024 * 1024
        print(json.dumps({"packets": len(waits), "cuts": counts["cut"], "resident_mb": resident >> 20}))
    finally:
        served.clear()
