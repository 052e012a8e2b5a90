"""A platform for tests, on loopback: answers packets as told, asks what it is told to ask, keeps all it got."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Sequence

from hj212_samples import framed

from qinglan.gateways.hj212.codec import Packet, StreamDecoder

Behaviour = Callable[["Link", Packet], None]


def answer(link: Link, packet: Packet) -> None:
    """Acknowledge what wants an answer."""
    if packet.valid and packet.wants_answer and packet.command not in {"9011", "9012", "9013"}:
        command = "9013" if packet.command == "1013" else "9014"
        link.send(f"QN={packet.number};ST=91;CN={command};PW=123456;MN={packet.device};Flag=4;CP=&&&&")


class Link(asyncio.Protocol):
    def __init__(self, platform: Platform) -> None:
        self.platform, self.decoder, self.transport = platform, StreamDecoder(), None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.platform.connections += 1

    def data_received(self, data: bytes) -> None:
        for packet in self.decoder.feed(data):
            self.platform.received.append(packet)
            self.platform.behaviour(self, packet)
            if self.platform.ask and packet.valid and packet.command == "2011":
                device, asked = packet.device, self.platform.ask.pop(0)
                self.send(asked.format(mn=device))

    def send(self, segment: str) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.write(framed(segment) + b"\r\n")


class Platform:
    """``with Platform() as platform`` listens on a free port in a thread of its own."""

    def __init__(self, behaviour: Behaviour = answer, ask: Sequence[str] = ()) -> None:
        self.behaviour, self.ask = behaviour, list(ask)
        self.received: list[Packet] = []
        self.connections = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._loop.create_server(lambda: Link(self), "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.close()

    def __enter__(self) -> Platform:
        self._thread.start()
        assert self._ready.wait(10)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def sent(self, command: str) -> list[Packet]:
        """The valid packets of one command."""
        return [packet for packet in self.received if packet.valid and packet.command == command]
