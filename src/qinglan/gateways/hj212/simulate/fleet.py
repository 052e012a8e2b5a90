"""Many loggers in one process: connected a few at a time, driven at a steady rate, watched for late answers."""

from __future__ import annotations

import asyncio
import heapq
import json
import random
import time
from itertools import count
from typing import IO, Final

from qinglan.gateways.hj212.simulate.device import Connection, Device, Sent
from qinglan.gateways.hj212.simulate.generating import COMMANDS, Generator
from qinglan.gateways.hj212.simulate.settings import Fault, Settings
from qinglan.gateways.hj212.simulate.statistics import Counts

_TICK: Final = 0.005
_CONNECTING: Final = 200
_RAMP: Final = 90.0
_RECONNECT: Final = (0.3, 2.0)


class Fleet:
    """The loggers of one process.

    Parameters
    ----------
    settings
        What the fleet is told.
    address
        Where it connects to.
    record
        Open file for the lines of the record, or None.
    """

    def __init__(self, settings: Settings, address: str, record: IO[str] | None = None) -> None:
        self.settings = settings
        self.generator = Generator(settings.profile, settings.seed)
        self.command = COMMANDS.get(settings.data, "2011")
        self.counts = Counts()
        self._address = address
        self._record = record
        self._chance = random.Random(f"{settings.seed} {settings.first}")
        self._faults = frozenset(settings.faults)
        self._due: list[tuple[float, int, Device, Sent]] = []
        self._order = count()
        self._connecting = asyncio.Semaphore(_CONNECTING)
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self.devices = [
            Device(
                self, settings.first + number, settings.password, settings.window, settings.timeout, settings.retries
            )
            for number in range(settings.devices)
        ]

    def strikes(self, fault: Fault) -> bool:
        """Return, by chance, whether a fault strikes now; count it."""
        if fault not in self._faults or self._chance.random() >= self.settings.share:
            return False
        self.counts.faults[fault] += 1
        return True

    def due(self, deadline: float, device: Device, packet: Sent) -> None:
        """Note when the answer to a packet is due."""
        heapq.heappush(self._due, (deadline, next(self._order), device, packet))

    def acknowledged(self, device: Device, packet: Sent) -> None:
        """Count and record an acknowledged packet."""
        self.counts.acknowledged(time.perf_counter() - packet.begun)
        self._note(device, packet)

    def reconnect(self, device: Device) -> None:
        """Connect a device again after a moment."""
        if not self._stopping:
            self.counts.counted["reconnects"] += 1
            self._connect(device, self._chance.uniform(*_RECONNECT))

    async def run(self) -> Counts:
        """Connect all, send for as long as the settings say, wait for the last answers, disconnect."""
        for device in self.devices:
            self._connect(device, 0.0)
        begun = time.perf_counter()
        while self.counts.counted["connected"] < len(self.devices) and time.perf_counter() - begun < _RAMP:
            self._look_for_late()
            await asyncio.sleep(0.02)
        begun = time.perf_counter()
        await self._drive(begun)
        last = time.perf_counter() + self.settings.grace
        while self._unanswered() and time.perf_counter() < last:
            self._look_for_late()
            await asyncio.sleep(_TICK)
        self.counts.seconds = time.perf_counter() - begun
        connected = self.counts.counted["connected"]
        await self._stop()
        self.counts.counted["connected"] = connected
        return self.counts

    async def _drive(self, begun: float) -> None:
        settings, issued, devices = self.settings, 0, self.devices
        if settings.burst is not None:
            for number in range(settings.burst):
                devices[number % len(devices)].measure()
            return
        end = begun + settings.duration
        while (now := time.perf_counter()) < end:
            wanted = int((now - begun) * settings.packets_per_second)
            for number in range(issued, wanted):
                devices[number % len(devices)].measure()
            issued = wanted
            self._look_for_late()
            await asyncio.sleep(_TICK)

    def _look_for_late(self) -> None:
        now = time.perf_counter()
        while self._due and self._due[0][0] <= now:
            _, _, device, packet = heapq.heappop(self._due)
            device.late(packet)

    def _unanswered(self) -> bool:
        return any(device.open or device.waiting or device.back_fill for device in self.devices)

    def _connect(self, device: Device, after: float) -> None:
        task = asyncio.get_running_loop().create_task(self._connected(device, after))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _connected(self, device: Device, after: float) -> None:
        loop = asyncio.get_running_loop()
        await asyncio.sleep(after)
        while not self._stopping:
            try:
                async with self._connecting:
                    await loop.create_connection(lambda: Connection(device), self._address, self.settings.port)
            except OSError:
                self.counts.counted["refused"] += 1
                await asyncio.sleep(self._chance.uniform(*_RECONNECT))
            else:
                return

    def _note(self, device: Device, packet: Sent) -> None:
        if self._record is not None:
            self._record.write(json.dumps(device.described(packet), separators=(",", ":")) + "\n")

    async def _stop(self) -> None:
        self._stopping = True
        for device in self.devices:
            for packet in device.open.values():
                self._note(device, packet)
            if device.connection is not None:
                device.connection.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.sleep(0.05)
