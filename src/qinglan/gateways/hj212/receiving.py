"""The door: connections in, packets to the journal, answers out. One `Receiver` a process, in one event loop."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

import structlog

from qinglan.core.errors import QinglanError, StorageError
from qinglan.gateways.hj212.codec import Packet
from qinglan.gateways.hj212.committing import GATHER_SECONDS, Committer
from qinglan.gateways.hj212.counting import Counts
from qinglan.gateways.hj212.devices import Device, Devices
from qinglan.gateways.hj212.health import Health
from qinglan.gateways.hj212.judging import answer, key_of, key_of_refused, refusal
from qinglan.gateways.hj212.limits import Budget, Limits
from qinglan.gateways.hj212.line import Line
from qinglan.gateways.hj212.links import Links
from qinglan.gateways.hj212.segments import Stored
from qinglan.gateways.hj212.writing import SegmentWriter

log = structlog.get_logger("qinglan.gateway")

REMEMBERED: Final = 200_000
"""Keys of packets that are remembered, so that a resend is answered without being stored again."""
_DAY: Final = 86_400.0


class _Pending:
    """A packet on its way into the journal, and the connections that wait for its answer."""

    __slots__ = ("begun", "device", "lines", "packet", "stored")

    def __init__(self, stored: Stored, line: Line, packet: Packet, device: Device | None, begun: float) -> None:
        self.stored = stored
        self.packet = packet
        self.device = device
        self.begun = begun
        self.lines = [line]


class Receiver:
    """Takes what the connections of one process bring.

    Parameters
    ----------
    devices
        What is declared; whoever owns it refreshes it.
    writer
        The process's journal.
    gather
        Seconds that packets wait for others to share one transaction.
    """

    def __init__(
        self,
        devices: Devices,
        writer: SegmentWriter,
        *,
        limits: Limits | None = None,
        health: Health | None = None,
        gather: float = GATHER_SECONDS,
    ) -> None:
        self.devices = devices
        self.writer = writer
        self.limits = limits or Limits()
        self.health = health or Health()
        self.counts = Counts()
        self.links = Links()
        self.lines: set[Line] = set()
        self.addresses: Counter[str] = Counter()
        self._recent: dict[bytes, _Pending | None] = {}
        self._unwritten = 0
        self.committer = Committer(writer, gather, self._committed)
        self._unknown: dict[str, Budget] = {}
        self._unknown_until = time.monotonic() + _DAY
        self._refused_budget = Budget(self.limits.refused_per_minute, 60.0)

    def line(self) -> Line:
        """Return the protocol of a new connection."""
        return Line(self)

    def remember(self, keys: Sequence[bytes]) -> None:
        """Take keys of packets that are in the journal already, the newest last: their resends are not stored."""
        for key in keys[-REMEMBERED:]:
            self._recent[key] = None

    def take(self, line: Line, packet: Packet) -> None:
        """Judge a packet, and see to it that it is stored once and then answered."""
        counts = self.counts
        counts.received += 1
        now = time.monotonic()
        mn = packet.header.get("MN", "")
        device = self.devices.by_number.get(mn)
        reason = refusal(packet, device, line.address)
        if reason is not None:
            self._refuse(line, packet, device, reason, now)
            return
        line.refused_in_a_row = line.broken = 0
        if mn not in line.numbers:
            line.speaks(mn, device)
        key = key_of(packet)
        before = self._recent.get(key, _MISSING)
        if before is None:
            counts.repeated += 1
            self._answer(line, packet, device)
            return
        if isinstance(before, _Pending):
            counts.repeated += 1
            before.lines.append(line)
            return
        if (device is None or device.state == "quarantined") and not self._may_be_kept(mn, now):
            counts.not_kept += 1
            return
        stored = Stored(time.time_ns() // 1000, line.address, "", key, packet.raw)
        self._keep(_Pending(stored, line, packet, device, now))

    def _refuse(self, line: Line, packet: Packet, device: Device | None, reason: str, now: float) -> None:
        self.counts.refused[reason] += 1
        line.refused_in_a_row += 1
        key = key_of_refused(packet)
        if key not in self._recent:
            if self._refused_budget.take(now):
                stored = Stored(time.time_ns() // 1000, line.address, reason, key, packet.raw)
                self._keep(_Pending(stored, line, packet, device, now))
            else:
                self.counts.not_kept += 1
        if reason in {"blocked", "address"}:
            line.close(reason)
        elif line.refused_in_a_row >= self.limits.refused_in_a_row:
            line.close("refused")

    def _may_be_kept(self, mn: str, now: float) -> bool:
        if now >= self._unknown_until:
            self._unknown.clear()
            self._unknown_until = now + _DAY
        budget = self._unknown.get(mn)
        if budget is None:
            if len(self._unknown) >= self.limits.unknown_devices:
                return False
            budget = self._unknown[mn] = Budget(self.limits.unknown_packets, _DAY)
        return budget.take(now)

    def _keep(self, pending: _Pending) -> None:
        ailments = self.health.ailments
        if self._unwritten >= self.limits.pending or "space" in ailments or "clock" in ailments:
            self.counts.not_kept += 1
            return
        self._recent[pending.stored.key] = pending
        self._unwritten += 1
        self.committer.put(pending)

    def _committed(self, group: list[_Pending], seconds: float, error: Exception | None) -> None:
        self._unwritten -= len(group)
        if error is None:
            self.health.cured("journal")
            self.counts.groups += 1
            self.counts.commit_seconds.add(seconds)
            self._stored(group)
        else:
            self._failed(group, error)

    def _stored(self, group: list[_Pending]) -> None:
        counts, recent, now = self.counts, self._recent, time.monotonic()
        for one in group:
            recent[one.stored.key] = None
            if one.stored.refused:
                continue
            for line in one.lines:
                self._answer(line, one.packet, one.device)
            counts.answer_seconds.add(now - one.begun)
            if one.device is not None and one.device.state == "adopted":
                counts.accepted += 1
                if self.links.listeners:
                    received = datetime.fromtimestamp(one.stored.received / 1e6, UTC)
                    self.links.heard(one.lines[0], one.device, one.packet, received)
            else:
                counts.quarantined += 1
        if len(recent) > REMEMBERED:
            for key in list(recent)[: len(recent) - REMEMBERED + REMEMBERED // 10]:
                if recent[key] is None:
                    del recent[key]

    def _failed(self, group: list[_Pending], error: BaseException) -> None:
        for one in group:
            self._recent.pop(one.stored.key, None)
            self.counts.withheld += len(one.lines)
        if isinstance(error, QinglanError):
            self.health.fails("journal", error.zh, error.en)
        else:
            log.error("journal_broke", exc_info=error)
            self.health.fails("journal", f"报文日志写入失败：{error}", f"Writing the packet journal failed: {error}")

    def _answer(self, line: Line, packet: Packet, device: Device | None) -> None:
        if not self.health.well:
            self.counts.withheld += 1
            return
        raw = answer(packet, device)
        if raw is not None:
            line.write(raw)
            self.counts.acknowledged += 1

    def look_after_lines(self) -> None:
        """Cut or flush the connections whose time is over; called every few seconds."""
        now = time.monotonic()
        for line in tuple(self.lines):
            line.look(now)

    def follow_devices(self) -> None:
        """Do to the connections that are there what has been changed of their devices meanwhile."""
        for line in tuple(self.lines):
            for mn in tuple(line.numbers):
                found = self.devices.get(mn)
                if found is None:
                    continue
                if found.state == "blocked":
                    line.close("blocked")
                elif found.state == "adopted" and self.links.get(mn) is None:
                    self.links.bind(mn, line, found)

    async def rotate(self) -> None:
        """Close the segment if it is due."""
        try:
            await self.committer.call(self.writer.close_if_due)
        except StorageError as error:
            self.health.fails("journal", error.zh, error.en)

    async def probe(self) -> None:
        """After a failure, try whether the journal can be written, so that health does not wait for a packet."""
        if "journal" not in self.health.ailments or self._unwritten:
            return
        try:
            await self.committer.call(self.writer.probe)
        except StorageError as error:
            self.health.fails("journal", error.zh, error.en)
        else:
            self.health.cured("journal")

    async def close(self) -> None:
        """Write what waits, answer it, cut the connections and close the segment."""
        try:
            await self.committer.close()
        except StorageError as error:
            log.error("journal_not_closed", zh=error.zh, en=error.en)
        for line in tuple(self.lines):
            line.close("stopped")


_MISSING: Final = object()
