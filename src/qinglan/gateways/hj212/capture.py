"""Captures of the network (pcap, pcapng), back into what each side of each connection sent.

依据: IETF drafts opsawg-pcap and opsawg-pcapng for the files, RFC 9293 for the order of TCP's bytes. Captures of
Ethernet, Linux "any", raw IP and loopback are read; what is no TCP over IP is counted and left out.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from qinglan.core.errors import InputError

_PCAP: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 10**6),
    b"\xa1\xb2\xc3\xd4": (">", 10**6),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9),
    b"\xa1\xb2\x3c\x4d": (">", 10**9),
}
_PCAPNG: Final = b"\x0a\x0d\x0d\x0a"
_SECTION, _INTERFACE, _SIMPLE, _ENHANCED = 0x0A0D0D0A, 1, 3, 6
_RESOLUTION: Final = 9
_SKIPPED: Final = {0: 4, 108: 4, 113: 16, 276: 20, 12: 0, 14: 0, 101: 0, 228: 0, 229: 0}
"""Bytes before the IP header by link type, where its version tells what follows."""
_ETHERNET: Final = 1
_VLAN: Final = frozenset({b"\x81\x00", b"\x88\xa8"})
_FIN, _SYN, _RST = 1, 2, 4
_WRAP: Final = 1 << 32
_HELD: Final = 256
"""Segments kept for a missing one; then it is taken to be lost and what is there is read on."""


@dataclass(frozen=True)
class Piece:
    """Bytes that one side sent, in their order; `missing` bytes before them are not in the capture."""

    time: datetime | None
    data: bytes
    missing: int = 0


@dataclass
class Stream:
    """One direction of one connection.

    Attributes
    ----------
    source, destination
        Address and port.
    opener
        Whether `source` opened the connection, as loggers do; None where its beginning is not in the capture.
    """

    source: str
    destination: str
    opener: bool | None = None
    pieces: list[Piece] = field(default_factory=list)


@dataclass
class Capture:
    """What was read: streams by their beginning, and frames that held nothing of TCP."""

    streams: list[Stream] = field(default_factory=list)
    other: int = 0


def is_capture(raw: bytes) -> bool:
    """Return whether bytes begin as a pcap or pcapng file does."""
    return raw[:4] in _PCAP or raw[:4] == _PCAPNG


def read_capture(raw: bytes, file: str | None = None) -> Capture:
    """Return the streams of a capture; a capture that breaks off is read as far as it goes.

    Raises
    ------
    InputError
        If it is no capture, or one of a link type that is not known.
    """
    if raw[:4] in _PCAP:
        frames = _pcap(raw, file)
    elif raw[:4] == _PCAPNG:
        frames = _pcapng(raw, file)
    else:
        raise InputError("文件不是 pcap 或 pcapng。", "The file is neither pcap nor pcapng.", file=file)
    found, sides = Capture(), dict[tuple[str, str], _Side]()
    for time, link, frame in frames:
        packet = _ip(link, frame, file)
        segment = None if packet is None else _tcp(packet)
        if segment is None:
            found.other += 1
            continue
        source, destination, number, flags, data = segment
        key = (source, destination)
        if key not in sides or (flags & _SYN and sides[key].begun):
            if key in sides:
                sides[key].close()
            stream = Stream(source, destination)
            found.streams.append(stream)
            sides[key] = _Side(stream)
        sides[key].take(time, number, flags, data)
    for side in sides.values():
        side.close()
    found.streams = [stream for stream in found.streams if stream.pieces]
    return found


class _Side:
    """Puts the segments of one direction in order."""

    def __init__(self, stream: Stream) -> None:
        self.begun = False
        self._stream = stream
        self._next: int | None = None
        self._held: dict[int, tuple[datetime | None, bytes]] = {}

    def take(self, time: datetime | None, number: int, flags: int, data: bytes) -> None:
        if flags & _SYN:
            # A SYN with an acknowledgement answers the one who opened the connection.
            self._stream.opener = not flags & 0x10
            number = (number + 1) % _WRAP
            self._next = number
        if not data:
            return
        self.begun = True
        if self._next is None:
            self._next = number
        if len(data) > len(self._held.get(number, (None, b""))[1]):
            self._held[number] = (time, data)
        self._read_on()
        if len(self._held) > _HELD:
            self._skip()

    def _read_on(self) -> None:
        progress = True
        while progress and self._held:
            progress = False
            for number in sorted(self._held, key=self._ahead):
                ahead, (time, data) = self._ahead(number), self._held[number]
                if ahead > 0:
                    break
                del self._held[number]
                progress = True
                if len(data) + ahead > 0:
                    self._give(Piece(time, data[-ahead:] if ahead else data))
                break

    def _ahead(self, number: int) -> int:
        """Return how far a segment lies ahead of what is read, negative where it was read already."""
        assert self._next is not None
        return (number - self._next + _WRAP // 2) % _WRAP - _WRAP // 2

    def _give(self, piece: Piece) -> None:
        assert self._next is not None
        self._next = (self._next + len(piece.data)) % _WRAP
        self._stream.pieces.append(piece)

    def _skip(self) -> None:
        number = min(self._held, key=self._ahead)
        missing, (time, data) = self._ahead(number), self._held.pop(number)
        self._next = number
        self._give(Piece(time, data, missing))
        self._read_on()

    def close(self) -> None:
        while self._held:
            self._skip()


Frame = tuple[datetime | None, int, bytes]


def _pcap(raw: bytes, file: str | None) -> Iterator[Frame]:
    order, parts = _PCAP[raw[:4]]
    if len(raw) < 24:
        raise InputError("pcap 文件头不完整。", "The head of the pcap file is not whole.", file=file)
    link, at = struct.unpack(order + "I", raw[20:24])[0] & 0xFFFF, 24
    while at + 16 <= len(raw):
        seconds, fraction, size, _ = struct.unpack(order + "IIII", raw[at : at + 16])
        yield _moment(seconds * parts + fraction, parts), link, raw[at + 16 : at + 16 + size]
        at += 16 + size


def _pcapng(raw: bytes, file: str | None) -> Iterator[Frame]:
    order, at, interfaces = "<", 0, list[tuple[int, int]]()
    while at + 12 <= len(raw):
        if raw[at : at + 4] == _PCAPNG:
            order = "<" if raw[at + 8 : at + 12] == b"\x4d\x3c\x2b\x1a" else ">"
            interfaces = []
        kind, size = struct.unpack(order + "II", raw[at : at + 8])
        body = raw[at + 8 : at + size - 4]
        if size < 12:
            raise InputError(
                f"pcapng 在第 {at} 字节处的块长度有误。",
                f"The block at byte {at} of the pcapng has a wrong length.",
                file=file,
            )
        if kind == _INTERFACE and len(body) >= 8:
            interfaces.append((struct.unpack(order + "H", body[:2])[0], _resolution(body[8:], order)))
        elif kind == _ENHANCED and len(body) >= 20:
            interface, high, low, kept, _ = struct.unpack(order + "IIIII", body[:20])
            link, parts = interfaces[interface] if interface < len(interfaces) else (_ETHERNET, 10**6)
            yield _moment(high << 32 | low, parts), link, body[20 : 20 + kept]
        elif kind == _SIMPLE and interfaces:
            yield None, interfaces[0][0], body[4:]
        at += size


def _resolution(options: bytes, order: str) -> int:
    at = 0
    while at + 4 <= len(options):
        code, size = struct.unpack(order + "HH", options[at : at + 4])
        if code == _RESOLUTION and size == 1 and at + 4 < len(options):
            value = options[at + 4]
            return int(2 ** (value & 0x7F)) if value & 0x80 else int(10**value)
        at += 4 + (size + 3) // 4 * 4
    return 10**6


def _moment(ticks: int, parts: int) -> datetime | None:
    seconds, rest = divmod(ticks, parts)
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(microsecond=rest * 10**6 // parts)
    except (OverflowError, ValueError, OSError):
        return None


def _ip(link: int, frame: bytes, file: str | None) -> bytes | None:
    if link == _ETHERNET:
        at = 12
        while frame[at : at + 2] in _VLAN:
            at += 4
        return frame[at + 2 :]
    if link not in _SKIPPED:
        raise InputError(
            f"抓包的链路类型 {link} 不认识，可用以太网、Linux any、原始 IP 或环回接口的抓包。",
            f"The capture's link type {link} is not known; Ethernet, Linux any, raw IP and loopback are.",
            file=file,
        )
    return frame[_SKIPPED[link] :]


def _tcp(packet: bytes) -> tuple[str, str, int, int, bytes] | None:
    version = packet[0] >> 4 if packet else 0
    if version == 4 and len(packet) >= 20 and packet[9] == 6 and not int.from_bytes(packet[6:8]) & 0x3FFF:
        addresses, total = (packet[12:16], packet[16:20]), int.from_bytes(packet[2:4])
        # A length of 0 is written by cards that cut packets themselves.
        body = packet[(packet[0] & 15) * 4 : total or len(packet)]
    elif version == 6 and len(packet) >= 40 and packet[6] == 6:
        addresses, body = (packet[8:24], packet[24:40]), packet[40 : 40 + (int.from_bytes(packet[4:6]) or len(packet))]
    else:
        return None
    if len(body) < 20:
        return None
    first, second, number = struct.unpack(">HHI", body[:8])
    source, destination = (
        f"[{address}]:{port}" if address.version == 6 else f"{address}:{port}"
        for address, port in zip(map(ipaddress.ip_address, addresses), (first, second), strict=True)
    )
    return source, destination, number, body[13], body[(body[12] >> 4) * 4 :]
