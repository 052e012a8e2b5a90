"""One connection: bytes into packets, and the limits of what it may do."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, cast

import structlog

from qinglan.gateways.hj212.codec import Packet, StreamDecoder, encode
from qinglan.gateways.hj212.devices import Device, inside

if TYPE_CHECKING:
    from qinglan.gateways.hj212.receiving import Receiver

log = structlog.get_logger("qinglan.gateway")

_UNREAD_BYTES: Final = 262_144
_QUIET: Final = frozenset({"gone", "stopped"})


class Line(asyncio.Protocol):
    """One connection of a device; see `links.Link`."""

    __slots__ = (
        "_decoder",
        "_last_byte",
        "_paused",
        "_receiver",
        "_since",
        "_spoken",
        "_tokens",
        "_tokens_at",
        "_transport",
        "_waiting_since",
        "address",
        "broken",
        "numbers",
        "packets",
        "refused_in_a_row",
        "since",
    )

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self._decoder = StreamDecoder(dialects=receiver.devices)
        self._transport: asyncio.Transport | None = None
        self.address = ""
        self.since = datetime.now(UTC)
        self.numbers: dict[str, None] = {}
        self.packets = 0
        self.refused_in_a_row = 0
        self.broken = 0
        self._since = self._last_byte = self._tokens_at = time.monotonic()
        self._tokens = float(receiver.limits.burst)
        self._waiting_since: float | None = None
        self._paused = False
        self._spoken = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection in, or cut it where there are too many."""
        # Those of uvloop do what an asyncio.Transport does and are none.
        self._transport = transport = cast("asyncio.Transport", transport)
        receiver = self._receiver
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        transport.set_write_buffer_limits(high=_UNREAD_BYTES)
        receiver.lines.add(self)
        receiver.addresses[self.address] += 1
        limits = receiver.limits
        if len(receiver.lines) > limits.connections:
            self.close("too_many")
        elif receiver.addresses[self.address] > limits.connections_per_address:
            self.close("too_many_of_address")
        elif limits.allowed and not inside(self.address, limits.allowed):
            self.close("not_allowed")
        else:
            receiver.counts.connected += 1

    def data_received(self, data: bytes) -> None:
        """Take bytes."""
        receiver, now = self._receiver, time.monotonic()
        self._last_byte = now
        receiver.counts.bytes += len(data)
        packets = self._decoder.feed(data)
        if packets:
            self._waiting_since = None
            self._take(packets, now)
        if self._decoder.waiting:
            if self._waiting_since is None:
                self._waiting_since = now
        else:
            self._waiting_since = None
        if self._decoder.skipped_in_a_row > receiver.limits.junk_bytes:
            self.close("junk")

    def _take(self, packets: list[Packet], now: float) -> None:
        receiver, limits = self._receiver, self._receiver.limits
        self.packets += len(packets)
        for packet in packets:
            if self._transport is None:
                return
            receiver.take(self, packet)
        self._tokens = min(limits.burst, self._tokens + (now - self._tokens_at) * limits.packets_per_second)
        self._tokens_at = now
        self._tokens -= len(packets)
        if self._tokens < 0 and not self._paused and self._transport is not None:
            # What is sent too quickly waits at the sender: nothing is lost by it.
            self._paused = True
            self._transport.pause_reading()
            receiver.counts.cut["slowed"] += 1
            asyncio.get_running_loop().call_later(-self._tokens / limits.packets_per_second, self._go_on)

    def _go_on(self) -> None:
        self._paused = False
        if self._transport is not None:
            self._transport.resume_reading()

    def look(self, now: float) -> None:
        """Decide on a frame that does not become whole, and cut a line that is silent or idle."""
        limits = self._receiver.limits
        if self._waiting_since is not None and now - self._waiting_since > limits.frame_seconds:
            self._waiting_since = None
            self.broken += 1
            self._take(self._decoder.flush(), now)
            if self.broken >= limits.broken_frames:
                self.close("slow")
                return
        if self._paused:
            return
        if now - self._last_byte > limits.idle_seconds:
            self.close("idle")
        elif not self._spoken and now - self._since > limits.silent_seconds:
            self.close("silent")

    def speaks(self, mn: str, device: Device | None) -> None:
        """Note that a device has spoken on this connection."""
        self._spoken = True
        if len(self.numbers) >= 1000:
            return
        self.numbers[mn] = None
        if device is not None and device.state == "adopted":
            self._receiver.links.bind(mn, self, device)

    def write(self, raw: bytes) -> None:
        """Send bytes; nothing happens if the line is closed."""
        if self._transport is not None:
            self._transport.write(raw)

    def send(self, packet: Packet | bytes) -> None:
        """Send a packet, written in its dialect, or bytes as they are."""
        self.write(packet if isinstance(packet, bytes) else encode(packet))

    def pause_writing(self) -> None:
        """Cut a line whose other end does not read what it is sent."""
        self.close("unread")

    def close(self, reason: str) -> None:
        """Cut the connection; the reason is counted and logged."""
        transport = self._transport
        if transport is None:
            return
        self._receiver.counts.cut[reason] += 1
        if reason not in _QUIET:
            log.info("connection_cut", reason=reason, address=self.address, devices=list(self.numbers)[:5])
        self._gone()
        if reason == "stopped":
            transport.close()
        else:
            transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        """Note that the connection is gone; what there is of a frame is decided on first."""
        if self._transport is None:
            return
        if self._decoder.waiting:
            for packet in self._decoder.flush():
                self._receiver.take(self, packet)
        self._gone()

    def _gone(self) -> None:
        if self._transport is None:
            return
        self._transport = None
        receiver = self._receiver
        receiver.lines.discard(self)
        receiver.addresses[self.address] -= 1
        if receiver.addresses[self.address] <= 0:
            del receiver.addresses[self.address]
        receiver.links.forget(self)
