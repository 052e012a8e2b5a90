"""Where a frame begins and ends in a stream of bytes, and what it is worth.

依据: HJ 212-2017 通讯包结构. A frame that is right by length and checksum is taken as it stands and nothing inside
it is searched. Else the end of the data area and its checksum are looked for, up to the next head. What is decided
depends on the bytes alone, never on how they were split into reads: where more are needed, `NEEDED` says so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from qinglan.gateways.hj212.codec import crc
from qinglan.gateways.hj212.codec.dialect import Checksum, Dialect, Layout
from qinglan.gateways.hj212.codec.packet import Framing
from qinglan.gateways.hj212.codec.reasons import Reason
from qinglan.gateways.hj212.codec.sm4 import OPENING

HEAD: Final = re.compile(
    rb"##(?=[0-9]{4}|[^#=&]{0,9}?(?:QN|ST|CN|PW|MN|FLAG|PNUM)=)",
    re.IGNORECASE,
)
HEAD_BYTES: Final = 16
"""With as many bytes after it, it is decided whether ``##`` is a head."""
_LAYOUTS: Final[tuple[Layout, ...]] = ("standard", "addressed", "semicolons")
_START: Final = 6
_ADDRESSED: Final = 10
_AREA: Final = b"CP=&&"
_END: Final = b"&&"
_FIRST_KEY: Final = re.compile(rb"(?:QN|ST|CN|PW|MN|FLAG|PNUM)\s*=", re.IGNORECASE)
_HEXADECIMAL: Final = re.compile(rb"[0-9A-Fa-f]{4}")
_CHECKSUM: Final = re.compile(rb";?([0-9A-Fa-f]{4})")
_BROKEN_CHECKSUM: Final = re.compile(rb";?([^\s#&;=]{0,8})[ \t]{0,2}(?=[\r\n]|\\r|\Z)")
_LONGEST_CHECKSUM: Final = 13
_WRITTEN: Final[dict[int, bytes]] = {value: b"%04X" % value for value in crc.VALUES}
_FIVEFOLD: Final = 5
"""An enciphered byte is written with five."""


class Needed:
    """Says that more bytes are needed to decide."""


NEEDED: Final = Needed()


@dataclass(slots=True)
class Frame:
    """A stretch of bytes taken for one packet.

    Attributes
    ----------
    start, end
        The frame in the buffer, from its head up to its checksum.
    segment
        The data segment; enciphered where `enciphered` says so.
    checksum
        The algorithm whose value was received, or None.
    """

    start: int
    end: int
    segment: bytes
    framing: Framing
    checksum: Checksum | None = None
    layout: Layout = "standard"
    defects: tuple[Reason, ...] = ()
    received: bytes = b""
    enciphered: bool = False


def exact(buffer: bytes, at: int, limit: int) -> Frame | Needed | None:
    """Return the frame that begins at `at` if it is exactly as the standard says, or None if it is not."""
    digits = buffer[at + 2 : at + 6]
    if len(digits) < 4:
        return NEEDED
    if not digits.isdigit():
        return None
    start = at + _START
    stop = start + int(digits)
    if stop - start > limit:
        return None
    end = stop + 4
    if len(buffer) < end:
        return NEEDED
    segment = buffer[start:stop]
    if not segment.endswith(_END) or buffer[stop:end].upper() != _WRITTEN.get(crc.standard(segment)):
        return None
    area = segment.find(_AREA)
    if area < 0 or area + len(_AREA) + len(_END) > len(segment) or segment.startswith(OPENING, area + len(_AREA)):
        return None
    return Frame(at, end, segment, "length", "standard")


def tolerant(buffer: bytes, at: int, dialect: Dialect, *, final: bool) -> Frame | Needed | None:
    """Return the frame that begins at `at` and is not exactly as the standard says, or None if there is none.

    Parameters
    ----------
    final
        Whether no more bytes will come, so that what there is must be decided on.
    """
    window = at + _ADDRESSED + dialect.limit * _FIVEFOLD
    following = HEAD.search(buffer, at + 2, window)
    until = following.start() if following else min(len(buffer), window)
    whole = following is not None or final or len(buffer) >= window
    found = _enciphered(buffer, at, until, whole) or _by_length(buffer, at, until, dialect, whole)
    if found is None:
        found = _by_delimiter(buffer, at, until, dialect, whole)
    if found is not None:
        return found
    if not whole:
        return NEEDED
    segment = buffer[_segment_start(buffer, at, until) : until]
    if b"=" not in segment or (following is None and until == window):
        return None
    return Frame(at, until, segment, "none", defects=("torn" if following else "half",))


def _by_length(buffer: bytes, at: int, until: int, dialect: Dialect, whole: bool) -> Frame | Needed | None:
    """Return a frame of right length in another layout, or with another checksum than the standard's."""
    for layout in _LAYOUTS:
        digits = _digits(buffer, at, layout)
        if len(digits) < 4 or not digits.isdigit() or int(digits) > dialect.limit:
            continue
        start = at + (_ADDRESSED if layout == "addressed" else _START)
        stop = start + int(digits)
        if stop > until:
            if not whole:
                return NEEDED
            continue
        segment = buffer[start:stop]
        if layout == "semicolons":
            if not (segment.startswith(b";") and segment.endswith(b";")):
                continue
            segment = segment[1:-1]
        if not segment.endswith(_END) or _AREA not in segment:
            continue
        if len(buffer) < stop + 4 and not whole:
            return NEEDED
        received = buffer[stop : min(stop + 4, until)]
        if not _HEXADECIMAL.fullmatch(received):
            continue
        algorithm = _algorithm(_checked(buffer, at, segment, layout), received)
        defects: tuple[Reason, ...] = () if layout == "standard" else ("layout",)
        if algorithm != "standard":
            defects += ("checksum",)
        return Frame(at, stop + 4, segment, "length", algorithm, layout, defects, received)
    return None


def _by_delimiter(buffer: bytes, at: int, until: int, dialect: Dialect, whole: bool) -> Frame | Needed | None:
    """Return the frame that ends with the first end of a data area that a checksum, or a line's end, follows."""
    area = buffer.find(_AREA, at, until)
    if area < 0:
        return None
    stop = buffer.find(_END, area + len(_AREA), until)
    while stop >= 0:
        after = stop + len(_END)
        if until - after < _LONGEST_CHECKSUM and not whole and not _CHECKSUM.match(buffer, after, until):
            return NEEDED
        received = _CHECKSUM.match(buffer, after, until)
        broken = None if received else _BROKEN_CHECKSUM.match(buffer, after, until)
        match = received or broken
        if match is not None:
            return _delimited(buffer, at, after, match, dialect, right=received is not None)
        stop = buffer.find(_END, stop + 1, until)
    return None


def _delimited(buffer: bytes, at: int, stop: int, match: re.Match[bytes], dialect: Dialect, *, right: bool) -> Frame:
    start = _segment_start(buffer, at, stop)
    segment = buffer[start:stop]
    layout = _layout(start - at)
    digits = _digits(buffer, at, layout)
    stated = len(segment) + (2 if layout == "semicolons" else 0)
    defects: tuple[Reason, ...] = () if layout == "standard" else ("layout",)
    if not digits.isdigit():
        defects += ("length_text",)
    elif int(digits) > dialect.limit:
        defects += ("too_long",)
    elif int(digits) != stated:
        defects += ("length",)
    algorithm = _algorithm(_checked(buffer, at, segment, layout), match[1]) if right else None
    if algorithm != "standard":
        defects += ("checksum" if right else "checksum_text",)
    return Frame(at, match.end(), segment, "delimiter", algorithm, layout, defects, match[1])


def _enciphered(buffer: bytes, at: int, until: int, whole: bool) -> Frame | Needed | None:
    """Return the frame of an enciphered data area, whose length may be that of the plain or of the written text."""
    area = buffer.find(_AREA, at, until)
    if area < 0:
        return None
    opening = area + len(_AREA)
    if until - opening < len(OPENING) and OPENING.startswith(buffer[opening:until]) and not whole:
        return NEEDED
    if not buffer.startswith(OPENING, opening):
        return None
    closing = buffer.find(b"}", opening, until)
    stop = buffer.find(_END, closing, until) if closing >= 0 else -1
    if stop < 0:
        return None if whole else NEEDED
    stop += len(_END)
    if until - stop < 4 and not whole:
        return NEEDED
    received = _CHECKSUM.match(buffer, stop, until)
    if received is None:
        return None
    segment = buffer[_segment_start(buffer, at, until) : stop]
    return Frame(at, received.end(), segment, "delimiter", received=received[1], enciphered=True)


def _algorithm(segment: bytes, received: bytes) -> Checksum | None:
    value = int(received, 16)
    if crc.standard(segment) == value:
        return "standard"
    modbus = crc.modbus(segment)
    if modbus == value:
        return "modbus"
    return "modbus-swapped" if crc.swapped(modbus) == value else None


def _checked(buffer: bytes, at: int, segment: bytes, layout: Layout) -> bytes:
    """Return the bytes that the checksum is made of: with semicolons, of the length and both of them too."""
    return buffer[at + 2 : at + _START] + b";" + segment + b";" if layout == "semicolons" else segment


def _digits(buffer: bytes, at: int, layout: Layout) -> bytes:
    first = at + (_START if layout == "addressed" else 2)
    return buffer[first : first + 4]


def _segment_start(buffer: bytes, at: int, until: int) -> int:
    """Return where the data segment begins: at its first key, however the length is written."""
    key = _FIRST_KEY.search(buffer, at + 2, min(until, at + 2 + HEAD_BYTES))
    return key.start() if key else min(at + _START, until)


def _layout(before: int) -> Layout:
    if before == _ADDRESSED:
        return "addressed"
    return "semicolons" if before == _START + 1 else "standard"
