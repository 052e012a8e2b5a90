"""How much one connection, one address and one process may ask of the gateway."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Limits:
    """What is cut, slowed down or not kept. Of a process, where nothing else is said.

    Attributes
    ----------
    connections
        At once.
    connections_per_address
        At once from one address; a whole park may lie behind one.
    junk_bytes
        In a row that belong to no packet; then the connection is cut.
    frame_seconds
        For one frame to become whole; then what there is of it is decided on.
    broken_frames
        In a row that did not become whole; then the connection is cut.
    refused_in_a_row
        Packets; then the connection is cut.
    silent_seconds
        From connecting to the first packet that is accepted.
    idle_seconds
        Without a byte.
    packets_per_second, burst
        Of one connection, on the long run and at once; what is more waits in the line.
    refused_per_minute
        Refused packets kept; more are counted only.
    unknown_devices, unknown_packets
        Devices in quarantine, and packets of one of them in a day, that are kept and answered; more are counted only.
    pending
        Packets that wait for the journal; more are not taken.
    allowed
        Networks that may connect; empty for all.
    """

    connections: int = 30_000
    connections_per_address: int = 20_000
    junk_bytes: int = 65_536
    frame_seconds: float = 10.0
    broken_frames: int = 3
    refused_in_a_row: int = 200
    silent_seconds: float = 600.0
    idle_seconds: float = 7_200.0
    packets_per_second: float = 200.0
    burst: int = 2_000
    refused_per_minute: int = 6_000
    unknown_devices: int = 2_000
    unknown_packets: int = 20_000
    pending: int = 100_000
    allowed: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = field(default=())


class Budget:
    """A count that begins anew after some seconds."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most, self._seconds = most, seconds
        self._until, self._left = 0.0, 0

    def take(self, now: float) -> bool:
        """Return whether there is one left, and take it."""
        if now >= self._until:
            self._until, self._left = now + self._seconds, self._most
        if self._left <= 0:
            return False
        self._left -= 1
        return True
