"""One logger: what it sends, what it waits for, and how it answers its platform."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, cast

from qinglan.gateways.hj212.codec import Packet, StreamDecoder
from qinglan.gateways.hj212.codec.crc import VALUES, standard
from qinglan.gateways.hj212.simulate import answering
from qinglan.gateways.hj212.simulate.generating import (
    HISTORY,
    PERIODS,
    device_number,
    mixed_command,
    period_start,
    stamp,
    written_time,
)

if TYPE_CHECKING:
    from qinglan.gateways.hj212.simulate.fleet import Fleet

_MEMORY: Final = 200
"""Packets that a logger keeps while it is not answered; more are never sent and counted as `overrun`."""
_ANSWER: Final = b";CN=9014;"
_NUMBER: Final = slice(9, 26)
_CLOCK_OFF: Final = (-1200, 1200)
_PACKETS_A_DRIFT: Final = 20


@dataclass(slots=True)
class Sent:
    """A packet on its way: under which QN, since when, how often sent."""

    number: bytes
    frame: bytes
    command: str
    data_time: int
    area: bytes
    begun: float = 0.0
    sends: int = 0
    resends: int = 0
    deadline: float = 0.0
    acknowledged: bool = False
    spoiled: bool = False


@dataclass
class Device:
    """A logger of a fleet; `fleet` moves it, its connection calls it back."""

    fleet: Fleet
    index: int
    password: str
    window: int
    timeout: float
    retries: int
    number: str = ""
    known: bool = True
    clock: float = 0.0
    connection: Connection | None = None
    waiting: deque[Sent] = field(default_factory=deque)
    open: dict[bytes, Sent] = field(default_factory=dict)
    made: int = 0
    realtime: bool = True
    intervals: dict[str, str] = field(default_factory=lambda: {"RtdInterval": "30", "MinInterval": "10"})
    drifting: bool = False
    back_fill: answering.BackFill | None = None
    _last_number: int = 0
    _last_second: int = 0
    _middles: dict[str, bytes] = field(default_factory=dict)
    _cursors: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        chance = random.Random(f"{self.fleet.settings.seed} {self.index}")
        self.known = not self._struck("unknown-mn", chance)
        self.number = device_number(self.index, unknown=not self.known)
        self.drifting = self._struck("drift", chance)
        if self._struck("clock", chance):
            self.clock = chance.uniform(*_CLOCK_OFF)
        self.rewritten()

    def rewritten(self) -> None:
        """Write anew what stands in all packets, as after another password was set."""
        generator = self.fleet.generator
        self._middles = {command: generator.middle(self.number, command, self.password) for command in PERIODS}

    def _struck(self, fault: str, chance: random.Random) -> bool:
        struck = chance.random() < self.fleet.settings.share and fault in self.fleet.settings.faults
        if struck:
            self.fleet.counts.faults[fault] += 1
        return struck

    def now(self) -> float:
        """Return what the logger's clock shows."""
        return time.time() + self.clock

    def next_number(self) -> bytes:
        """Return a QN that the logger has not used."""
        self._last_number = max(self._last_number + 1, int(self.now() * 1000))
        return stamp(self._last_number)

    def measure(self) -> None:
        """Make the next packet and send it as soon as those before it are answered."""
        data = self.fleet.settings.data
        command = mixed_command(self.made + self.index) if data == "mixed" else self.fleet.command
        self.made += 1
        if command == "2011":
            if not self.realtime:
                return
            self._last_second = max(self._last_second + 1, int(self.now()))
            at = self._last_second
        else:
            length = int(PERIODS[command].total_seconds())
            # The last period that is over, then those before it: each is sent once, none lies in the future.
            at = self._cursors.get(command, period_start(self.now(), command)) - length
            self._cursors[command] = at
        if self.fleet.strikes("gaps"):
            return
        if len(self.waiting) >= _MEMORY:
            self.fleet.counts.counted["overrun"] += 1
            return
        self.waiting.append(self.made_for(command, at))
        self.send()

    def made_for(self, command: str, at: int) -> Sent:
        """Return the packet of the period that begins at `at`."""
        level = min(self.made // _PACKETS_A_DRIFT, 5) if self.drifting else 0
        area = self.fleet.generator.area(self.index, command, at, level)
        self._last_number = max(self._last_number + 1, int(self.now() * 1000))
        frame = self.fleet.generator.packet(self._last_number, self._middles[command], at, area)
        return Sent(frame[_NUMBER], frame, command, at, area)

    def send(self) -> None:
        """Send what waits, as far as the window allows."""
        while self.waiting and len(self.open) < self.window and self.connection is not None:
            packet = self.waiting.popleft()
            self.open[packet.number] = packet
            self.fleet.counts.counted["packets"] += 1
            self.transmit(packet)

    def transmit(self, packet: Sent) -> None:
        """Put a packet on the wire, spoiled where a fault says so, and note when its answer is due."""
        if self.connection is None:
            return
        now = time.perf_counter()
        packet.begun = packet.begun or now
        packet.sends += 1
        self.fleet.counts.counted["sends"] += 1
        packet.deadline = now + self.timeout
        self.fleet.due(packet.deadline, self, packet)
        if not packet.spoiled and self.fleet.strikes("bad-crc"):
            packet.spoiled = True
            self.connection.write(packet.frame[:-6] + b"0002\r\n")
        elif self.fleet.strikes("half"):
            self.connection.write_in_halves(packet.frame)
        else:
            self.connection.write(packet.frame)
            if self.fleet.strikes("resends"):
                self.connection.write(packet.frame)
                self.fleet.counts.counted["sends"] += 1
        if self.fleet.strikes("disconnect"):
            self.connection.close()

    def late(self, packet: Sent) -> None:
        """Send a packet again whose answer did not come in time; after the last resend give the connection up."""
        if packet.acknowledged or packet.number not in self.open or self.connection is None:
            return
        if time.perf_counter() < packet.deadline:
            return
        if packet.resends < self.retries:
            packet.resends += 1
            self.fleet.counts.counted["resends"] += 1
            self.transmit(packet)
        else:
            packet.resends = 0
            self.connection.close()

    def answered(self, number: bytes) -> None:
        """Note an acknowledgement."""
        packet = self.open.pop(number, None)
        if packet is None:
            self.fleet.counts.counted["answers_again"] += 1
            return
        packet.acknowledged = True
        self.fleet.acknowledged(self, packet)
        if self.back_fill is not None:
            self.back_fill.go_on(self)
        self.send()

    def connected(self, connection: Connection) -> None:
        """Begin to speak: first what was not answered on the connection before."""
        self.connection = connection
        self.fleet.counts.counted["connected"] += 1
        for packet in list(self.open.values()):
            self.fleet.counts.counted["resends"] += 1
            self.transmit(packet)
        if self.clock and self.fleet.settings.profile != "station":
            self.say("1013", answering.ASK)
        self.send()

    def lost(self) -> None:
        """Note that the connection is gone; the fleet makes another one."""
        self.connection = None
        self.fleet.counts.counted["connected"] -= 1
        self.fleet.reconnect(self)

    def received(self, packet: Packet) -> None:
        """Take what the platform sent, other than plain acknowledgements."""
        if not packet.valid:
            self.fleet.counts.counted["received_invalid"] += 1
        elif packet.command == "9014" and packet.number:
            self.answered(packet.number.encode())
        elif packet.command not in answering.ANSWERS:
            self.fleet.counts.commands[packet.command] += 1
            answering.obey(self, packet)

    def say(
        self, command: str, kind: answering.Kind, items: tuple[tuple[str, str], ...] = (), number: str = ""
    ) -> None:
        """Send something that is not measured data."""
        if self.connection is not None:
            self.connection.write(answering.frame(self, command, kind, items, number))

    def remembers(self, at: int) -> bool:
        """Return whether the logger's memory reaches back to a time."""
        return self.now() - HISTORY.total_seconds() <= at <= self.now()

    def described(self, packet: Sent) -> dict[str, object]:
        """Return a packet as a line of the record."""
        return {
            "mn": self.number,
            "qn": packet.number.decode(),
            "st": self.fleet.generator.system,
            "cn": packet.command,
            "data_time": written_time(packet.data_time).decode(),
            "data": packet.area.decode(),
            "sends": packet.sends,
            "acknowledged": packet.acknowledged,
        }


class Connection(asyncio.Protocol):
    """One connection of a device."""

    def __init__(self, device: Device) -> None:
        self._device = device
        self._decoder = StreamDecoder()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the connection to its device."""
        self._transport = cast("asyncio.Transport", transport)
        self._device.connected(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the device."""
        self._transport = None
        self._device.lost()

    def data_received(self, data: bytes) -> None:
        """Take answers: one whole plain acknowledgement quickly, everything else by the decoder."""
        if not self._decoder.waiting and _is_answer(data):
            self._device.answered(data[_NUMBER])
            return
        for packet in self._decoder.feed(data):
            self._device.received(packet)

    def write(self, frame: bytes) -> None:
        """Put bytes on the wire."""
        if self._transport is not None:
            self._transport.write(frame)

    def write_in_halves(self, frame: bytes) -> None:
        """Put the first half on the wire now and the rest a moment later."""
        half = len(frame) // 2
        self.write(frame[:half])
        asyncio.get_running_loop().call_later(0.05, self.write, frame[half:])

    def close(self) -> None:
        """Close at once, as a cut line does."""
        if self._transport is not None:
            self._transport.abort()


def _is_answer(data: bytes) -> bool:
    """Return whether the bytes are exactly one acknowledgement, right by length and checksum."""
    if not data.startswith(b"##") or _ANSWER not in data or data[6:9] != b"QN=":
        return False
    digits = data[2:6]
    if not digits.isdigit() or len(data) != int(digits) + 12:
        return False
    value = standard(data[6:-6])
    return value in VALUES and b"%04X" % value == data[-6:-2].upper()
