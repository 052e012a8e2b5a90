"""What the gateway's tests share: packets with times and numbers of their own, a receiver on loopback."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from hj212_samples import framed

from qinglan.gateways.hj212.codec import Packet, StreamDecoder
from qinglan.gateways.hj212.devices import Device, Devices
from qinglan.gateways.hj212.health import Health
from qinglan.gateways.hj212.limits import Limits
from qinglan.gateways.hj212.receiving import Receiver
from qinglan.gateways.hj212.segments import Segment, Stored, segments
from qinglan.gateways.hj212.writing import SegmentWriter

MN = "010000A8900016F000169DC0"


def upload(
    number: int = 0,
    *,
    mn: str = MN,
    command: str = "2011",
    system: str = "32",
    flag: str = "5",
    password: str = "123456",
    data: str | None = None,
    qn: str | None = None,
    checksum: str | None = None,
) -> bytes:
    """A frame with its line's end; `number` moves QN, DataTime and the value."""
    qn = qn or f"20240601{8 + number // 3600:02d}{number // 60 % 60:02d}{number % 60:02d}{number % 1000:03d}"
    area = data if data is not None else f"DataTime={qn[:14]};w01018-Rtd={number}.5,w01018-Flag=N"
    text = f"QN={qn};ST={system};CN={command};PW={password};MN={mn};Flag={flag};CP=&&{area}&&"
    return framed(text, checksum=checksum) + b"\r\n"


class Client:
    """One connection of a device."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer
        self._decoder = StreamDecoder()

    def send(self, raw: bytes) -> None:
        self.writer.write(raw)

    async def answers(self, count: int, wait: float = 5.0) -> list[Packet]:
        """The next answers: `count` of them, or as many as come in the time."""
        found: list[Packet] = []
        try:
            async with asyncio.timeout(wait):
                while len(found) < count:
                    data = await self.reader.read(65536)
                    if not data:
                        break
                    found += self._decoder.feed(data)
        except TimeoutError:
            pass
        return found

    async def is_cut(self, wait: float = 5.0) -> bool:
        """Whether the other side ends the connection in the time."""
        try:
            async with asyncio.timeout(wait):
                while await self.reader.read(65536):
                    pass
        except TimeoutError:
            return False
        except ConnectionError:
            return True
        return True

    def close(self) -> None:
        self.writer.close()


class Door:
    """A receiver that listens on loopback."""

    def __init__(self, receiver: Receiver, port: int) -> None:
        self.receiver, self.port = receiver, port

    async def connect(self, tls: ssl.SSLContext | None = None) -> Client:
        return Client(*await asyncio.open_connection("127.0.0.1", self.port, ssl=tls))

    def stored(self) -> list[Stored]:
        return stored(self.receiver.writer.folder)


def stored(folder: Path) -> list[Stored]:
    """All packets of all segments."""
    found: list[Stored] = []
    for path in segments(folder):
        with Segment(path) as segment:
            found += [packet for group in segment.groups(0, 1 << 40) for packet in group.packets]
    return found


@asynccontextmanager
async def door(
    folder: Path,
    *devices: Device,
    limits: Limits | None = None,
    health: Health | None = None,
    writer: SegmentWriter | None = None,
    tls: ssl.SSLContext | None = None,
) -> AsyncIterator[Door]:
    """A receiver with devices; by default one adopted device of the number `MN`."""
    known = Devices(devices or [Device(mn=MN)])
    receiver = Receiver(known, writer or SegmentWriter(folder, 0), limits=limits, health=health)
    server = await asyncio.get_running_loop().create_server(receiver.line, "127.0.0.1", 0, ssl=tls)
    try:
        yield Door(receiver, server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await receiver.close()


async def until(condition, wait: float = 5.0) -> bool:
    """Whether a condition becomes true in the time."""
    for _ in range(int(wait / 0.01)):
        if condition():
            return True
        await asyncio.sleep(0.01)
    return bool(condition())
