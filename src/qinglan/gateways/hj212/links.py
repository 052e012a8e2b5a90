"""The connections of one process, by device: how other parts speak to a device and hear what it sends.

A process of the gateway has one `Links`. Parts that converse with devices (commands, back-fill, forwarding) are
`Listener`s of it: they are told of every connection and every packet, and send through the connection of a device.
All of it happens in the process's event loop; a listener that has long work to do starts a task.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol

import structlog

from qinglan.gateways.hj212.codec import Packet
from qinglan.gateways.hj212.devices import Device

log = structlog.get_logger("qinglan.gateway")


class Link(Protocol):
    """One connection.

    Attributes
    ----------
    address
        Where it comes from.
    since
        When it was made, in UTC.
    numbers
        The devices (MN) that have spoken on it, the first one first.
    """

    address: str
    since: datetime
    numbers: dict[str, None]

    def send(self, packet: Packet | bytes) -> None:
        """Send a packet, written in its dialect, or bytes as they are; nothing happens if the link is closed."""

    def close(self, reason: str) -> None:
        """Cut the connection; the reason is counted and logged."""


class Listener(Protocol):
    """Takes part in what a process of the gateway hears; every method may be called at any moment."""

    def connected(self, link: Link, device: Device) -> None:
        """Note that a device of the declarations has spoken for the first time on this connection."""

    def received(self, link: Link, device: Device, packet: Packet, received: datetime) -> None:
        """Note a packet of an adopted device: accepted, durable in the journal, not a resend, answered if it asked."""

    def disconnected(self, link: Link) -> None:
        """Note that a connection on which a declared device has spoken is gone."""


class Links:
    """The connections of this process."""

    def __init__(self) -> None:
        self._by_number: dict[str, Link] = {}
        self.listeners: list[Listener] = []

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Iterator[tuple[str, Link]]:
        return iter(tuple(self._by_number.items()))

    def get(self, mn: str) -> Link | None:
        """Return the newest connection of a device, or None if it has none to this process."""
        return self._by_number.get(mn)

    def send(self, mn: str, packet: Packet | bytes) -> bool:
        """Send to a device; return whether it is connected to this process."""
        link = self._by_number.get(mn)
        if link is None:
            return False
        link.send(packet)
        return True

    def bind(self, mn: str, link: Link, device: Device) -> None:
        """Note that a device speaks on a connection, and tell the listeners."""
        self._by_number[mn] = link
        for listener in self.listeners:
            _guarded(listener.connected, link, device)

    def forget(self, link: Link) -> None:
        """Note that a connection is gone, and tell the listeners."""
        known = [mn for mn in link.numbers if self._by_number.get(mn) is link]
        for mn in known:
            del self._by_number[mn]
        if link.numbers:
            for listener in self.listeners:
                _guarded(listener.disconnected, link)

    def heard(self, link: Link, device: Device, packet: Packet, received: datetime) -> None:
        """Tell the listeners of a packet."""
        for listener in self.listeners:
            _guarded(listener.received, link, device, packet, received)


def _guarded(call: object, *arguments: object) -> None:
    # A fault in one part must not take the connection, and with it everybody's acknowledgements, away.
    try:
        call(*arguments)  # type: ignore[operator]
    except Exception:
        log.exception("listener_failed")
