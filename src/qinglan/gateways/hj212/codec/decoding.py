"""Bytes into packets: one at a time, or from a connection that splits and joins them as it likes."""

from __future__ import annotations

import re
from typing import Final

from qinglan.gateways.hj212.codec import crc, sm4
from qinglan.gateways.hj212.codec.dialect import STANDARD, Dialect, Dialects
from qinglan.gateways.hj212.codec.framing import HEAD, HEAD_BYTES, Frame, Needed, exact, tolerant
from qinglan.gateways.hj212.codec.packet import Packet, read_content, read_pairs
from qinglan.gateways.hj212.codec.reasons import BENIGN, Reason

_LONGEST_OF_THE_STANDARD: Final = 1024
_BETWEEN: Final = re.compile(rb"(?:[\r\n\t \0]|\\r|\\n)*")
_KEPT: Final = HEAD_BYTES - 1


def decode(raw: bytes, dialect: Dialect = STANDARD, dialects: Dialects | None = None) -> Packet:
    """Return the first packet in `raw`; never raises on what the bytes are.

    Parameters
    ----------
    raw
        One packet as it was received. Bytes before its head make it invalid, bytes after it are marked.
    dialect
        How the device speaks, where it is known.
    dialects
        How the device of a number (MN) speaks; asked before `dialect`.

    Examples
    --------
    >>> decode(b"##0087QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;"
    ...        b"CP=&&&&2200").edition
    '2025'
    """
    at = 0
    frame = exact(raw, 0, dialect.limit) if raw.startswith(b"##") else None
    if not isinstance(frame, Frame):
        head = HEAD.search(raw)
        if head is None:
            return _without_head(raw, dialect)
        at = head.start()
        frame = _frame(raw, at, dialect, final=True)
    if not isinstance(frame, Frame):
        return _without_head(raw, dialect, "half")
    packet = _packet(raw, frame, dialect, dialects)
    if _BETWEEN.fullmatch(raw, 0, at) is None or b"\0" in raw[:at]:
        packet.valid = False
        packet.defects = ("leading", *packet.defects)
    if _BETWEEN.fullmatch(raw, frame.end) is None:
        packet.defects = (*packet.defects, "trailing")
    return packet


class StreamDecoder:
    """Takes what one connection sends, read by read, and returns the packets in it.

    The packets found do not depend on how the bytes are split into reads. Invalid ones are returned too, so that they
    can be kept; bytes that belong to no packet are counted in `skipped`. A frame that announces more bytes than come
    holds back what follows it until they are there, or until `flush` is called, as after some seconds of silence.

    Parameters
    ----------
    dialect
        How devices speak of which nothing else is known.
    dialects
        How the device of a number (MN) speaks, or None where it is not known.

    Examples
    --------
    >>> decoder = StreamDecoder()
    >>> half = b"##0087QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8"
    >>> decoder.feed(half)
    []
    >>> [packet.valid for packet in decoder.feed(b"900016F000169DC0;Flag=9;CP=&&&&2200" + b"noise" + half)]
    [True]
    >>> decoder.skipped, [packet.reason for packet in decoder.flush()]
    (5, ['half'])
    """

    def __init__(self, dialect: Dialect = STANDARD, dialects: Dialects | None = None) -> None:
        self._dialect = dialect
        self._dialects = dialects
        self._buffer = b""
        self._needed = 0
        self.skipped = 0
        self.skipped_in_a_row = 0

    @property
    def waiting(self) -> int:
        """How many bytes are kept that are not decided on yet: at most one frame's."""
        return len(self._buffer)

    def feed(self, received: bytes) -> list[Packet]:
        """Return the packets that `received` completes, in the order of their arrival."""
        self._buffer += received
        if len(self._buffer) < self._needed:
            return []
        return self._take(final=False)

    def flush(self) -> list[Packet]:
        """Return what can be read of the bytes kept so far, and keep none of them."""
        packets = self._take(final=True)
        self._skip(len(self._buffer))
        self._buffer, self._needed = b"", 0
        return packets

    def _take(self, *, final: bool) -> list[Packet]:
        buffer, at, packets = self._buffer, 0, []
        self._needed = 0
        while True:
            if not buffer.startswith(b"##", at) or not buffer[at + 2 : at + 6].isdigit():
                at = self._to_head(buffer, at, final=final)
                if at < 0:
                    break
            frame = _frame(buffer, at, self._dialect, final=final)
            if isinstance(frame, Needed):
                self._buffer = buffer[at:]
                self._needed = _length_needed(self._buffer, self._dialect.limit)
                break
            if frame is None:
                self._skip(2)
                at += 2
                continue
            packets.append(_packet(buffer, frame, self._dialect, self._dialects))
            self.skipped_in_a_row = 0
            at = frame.end
            if buffer.startswith(b"\r\n", at):
                at += 2
        return packets

    def _to_head(self, buffer: bytes, at: int, *, final: bool) -> int:
        """Return where the next head is, or -1 after what cannot begin one was let go."""
        head = HEAD.search(buffer, at)
        undecided = len(buffer) if final else max(at, len(buffer) - _KEPT)
        kept = head.start() if head else undecided
        between = _BETWEEN.match(buffer, at, kept)
        self._skip(kept - (between.end() if between else at))
        if head is None:
            self._buffer = buffer[kept:]
            return -1
        return kept

    def _skip(self, count: int) -> None:
        self.skipped += count
        self.skipped_in_a_row += count


def _length_needed(waiting: bytes, limit: int) -> int:
    """Return how many bytes at least there must be before it is worth looking again."""
    digits = waiting[2:6]
    stated = int(digits) if digits.isdigit() and len(digits) == 4 else 0
    return max(len(waiting) + 1, stated + 10 if stated <= limit else 0)


def _frame(buffer: bytes, at: int, dialect: Dialect, *, final: bool) -> Frame | Needed | None:
    found = exact(buffer, at, dialect.limit)
    if isinstance(found, Frame) or (isinstance(found, Needed) and not final):
        return found
    return tolerant(buffer, at, dialect, final=final)


def _packet(buffer: bytes, frame: Frame, dialect: Dialect, dialects: Dialects | None) -> Packet:
    defects = frame.defects
    try:
        text = frame.segment.decode()
        if dialect.text != "utf-8" and not text.isascii():
            text, unsure = _text(frame.segment, dialect)
            defects += unsure
    except UnicodeDecodeError:
        text, unsure = _text(frame.segment, dialect)
        defects += unsure
    content = read_content(text)
    if dialects is not None:
        dialect = dialects(content.header.get("MN", "")) or dialect
    if len(frame.segment) > _LONGEST_OF_THE_STANDARD and not frame.enciphered:
        defects += ("over_1024",)
    packet = Packet(
        buffer[frame.start : frame.end],
        content.header,
        content.data,
        content.pairs,
        not defects or not set(defects) - BENIGN,
        defects,
        frame.framing,
        frame.checksum,
        frame.layout,
        dialect,
        frame.enciphered,
    )
    if frame.enciphered:
        _decipher(packet, frame)
    return packet


def _text(segment: bytes, dialect: Dialect) -> tuple[str, tuple[Reason, ...]]:
    """Return the text in the dialect's encoding, else in the other one, else with marks for what cannot be read."""
    for encoding in ("gb18030", "utf-8") if dialect.text == "gbk" else ("utf-8", "gb18030"):
        try:
            return segment.decode(encoding), ("text",) if encoding != "utf-8" else ()
        except UnicodeDecodeError:
            continue
    return segment.decode(errors="replace"), ("text",)


def _decipher(packet: Packet, frame: Frame) -> None:
    """Read an enciphered packet; its checksum is that of the plain segment."""
    before, _, written = frame.segment.partition(b"CP=&&")
    key = packet.dialect.key
    plain = None if key is None else sm4.decipher(written.removesuffix(b"&&"), key)
    if plain is None:
        packet.valid, packet.defects = False, ("enciphered", *packet.defects)
        return
    segment = before + b"CP=&&" + plain + b"&&"
    packet.data = _text(plain, packet.dialect)[0]
    packet.pairs = read_pairs(packet.data)
    defects: list[Reason] = []
    digits = packet.raw[2:6]
    if not digits.isdigit():
        defects.append("length_text")
    elif int(digits) not in {len(segment), len(frame.segment)}:
        defects.append("length")
    if crc.standard(segment) == int(frame.received, 16):
        packet.checksum = "standard"
    else:
        defects.append("checksum")
    packet.defects = (*packet.defects, *defects)
    packet.valid = not defects


def _without_head(raw: bytes, dialect: Dialect, reason: Reason = "no_head") -> Packet:
    text, unsure = _text(raw.strip(), dialect)
    content = read_content(text)
    return Packet(raw, content.header, content.data, content.pairs, False, (reason, *unsure), dialect=dialect)
