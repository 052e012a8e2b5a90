"""One packet, as it was read: what travelled, whether it is right, and what it says."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

from qinglan.gateways.hj212.codec.dialect import STANDARD, Checksum, Dialect, Edition, Layout
from qinglan.gateways.hj212.codec.reasons import BENIGN, Reason

if TYPE_CHECKING:
    from qinglan.gateways.hj212.codec.observing import Event, Observation

Framing = Literal["length", "delimiter", "none"]

KEYS: Final = ("QN", "ST", "CN", "PW", "MN", "Flag", "PNUM", "PNO", "RF")
_KEYS: Final = frozenset(KEYS)
_BY_FOLDED: Final = {key.upper(): key for key in KEYS}

# Bounded, so that a long text without "=" costs its length and not its square.
_PAIR: Final = re.compile(r"([^=;,]{1,80}+)=([^;,]*)")
# A log text stands between two slashes and may hold the separators.
_PAIR_WITH_LOG: Final = re.compile(r"([^=;,]{1,80}+)=(//.{0,1000}?//(?=[;,]|\Z)|[^;,]*)", re.DOTALL)
_BLANK: Final = re.compile(r"\s+")
_EPC: Final = re.compile(r"[0-9A-Fa-f]{24}")
_FIRST_YEAR_OF_2025: Final = "2024"
_VERSION_SHIFT: Final = 2


@dataclass(slots=True, eq=False)
class Content:
    """What a data segment says, in the order in which it says it."""

    header: dict[str, str]
    data: str
    pairs: list[tuple[str, str]]


def read_content(segment: str) -> Content:
    """Return header, data area and pairs of a data segment; what cannot be read is left out.

    Examples
    --------
    >>> read_content("MN=7;ST=32;CP=&&DataTime=20160801085857;w01018-Rtd=2.2,w01018-Flag=N&&").pairs[1:]
    [('w01018-Rtd', '2.2'), ('w01018-Flag', 'N')]
    """
    before, _, data = segment.partition("CP=&&")
    data = data.removesuffix("&&")
    header = dict(_PAIR.findall(before))
    if not header.keys() <= _KEYS or " " in before:
        header = {_BY_FOLDED.get(key.strip().upper(), key.strip()): value.strip() for key, value in header.items()}
    return Content(header, data, read_pairs(data))


def read_pairs(data: str) -> list[tuple[str, str]]:
    """Return name and value of all items of a data area, repeated names included."""
    if data.startswith("{0x"):
        return []
    pairs: list[tuple[str, str]] = (_PAIR_WITH_LOG if "=//" in data else _PAIR).findall(data)
    if " " in data:
        return [(_BLANK.sub("", name), value.strip()) for name, value in pairs]
    return pairs


@dataclass(eq=False)
class Packet:
    """A packet.

    Attributes
    ----------
    raw
        The bytes of the frame, from ``##`` to the checksum, as they came.
    valid
        Well framed and the standard's checksum right (of the plain text, where the data area is enciphered).
    reason
        Why it is not valid, the first reason found; None where it is.
    defects
        Everything that deviates from the standard; `valid` packets may have some that do no harm.
    header
        The header fields under their standard names, as text: ``QN ST CN PW MN Flag PNUM PNO RF``.
    data
        The data area between ``CP=&&`` and ``&&``, plain.
    pairs
        Name and value of each of its items, in order, repeated names included.
    framing
        What gave the frame its end.
    checksum
        The algorithm whose value was received, or None if it is none of those known.
    layout
        How the frame is laid out.
    dialect
        What was known of the device.

    Examples
    --------
    >>> from qinglan.gateways.hj212.codec import decode
    >>> packet = decode(b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;"
    ...                 b"CP=&&RtdInterval=30&&1C80")
    >>> packet.valid, packet.command, packet.fields
    (True, '1062', {'RtdInterval': '30'})
    """

    raw: bytes
    header: dict[str, str]
    data: str = ""
    pairs: list[tuple[str, str]] = field(default_factory=list)
    valid: bool = False
    defects: tuple[Reason, ...] = ()
    framing: Framing = "none"
    checksum: Checksum | None = None
    layout: Layout = "standard"
    dialect: Dialect = STANDARD
    enciphered: bool = False

    @property
    def reason(self) -> Reason | None:
        """Why the packet is not valid, or None if it is."""
        return None if self.valid else next(code for code in self.defects if code not in BENIGN)

    @property
    def readable(self) -> bool:
        """Whether the tolerant reading found a device or a command to speak of."""
        return "MN" in self.header or "CN" in self.header

    @property
    def accepted(self) -> bool:
        """Whether the packet is valid, or deviates only as its device is known to, or by its length alone.

        A wrong length with a right checksum is taken with its mark. Another checksum or layout is taken only where
        the device's dialect names it: never as a silent second choice.
        """
        return self.valid or (self.readable and not set(self.defects) - BENIGN - self._excused())

    def _excused(self) -> set[Reason]:
        excused: set[Reason] = {"leading"}
        if self.checksum is not None and self.checksum == self.dialect.checksum:
            excused |= {"checksum", "length", "length_text"}
        if self.layout == self.dialect.layout:
            excused.add("layout")
        return excused

    @cached_property
    def fields(self) -> dict[str, str]:
        """The items of the data area as text, the last value of a repeated name; `pairs` has all."""
        return dict(self.pairs)

    def values(self, name: str) -> list[str]:
        """Return all values of a name, which the standard allows to repeat (PolId, CTime)."""
        return [value for key, value in self.pairs if key == name]

    @property
    def device(self) -> str:
        """The device's number (MN), empty where the packet has none."""
        return self.header.get("MN", "")

    @property
    def command(self) -> str:
        """The command (CN)."""
        return self.header.get("CN", "")

    @property
    def system(self) -> str:
        """The kind of system (ST)."""
        return self.header.get("ST", "")

    @property
    def number(self) -> str | None:
        """The number of the exchange (QN), from the header or, as older devices write it, the data area."""
        return self.header.get("QN") or self.fields.get("QN")

    @property
    def flag(self) -> int | None:
        """The number of Flag, or None where there is none to read."""
        text = self.header.get("Flag", "")
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None

    @property
    def wants_answer(self) -> bool:
        """Whether the sender waits for an answer (the lowest bit of Flag)."""
        return bool((self.flag or 0) & 1)

    @property
    def back_filled(self) -> bool:
        """Whether the packet says that it fills a gap (RF=1, of 2025)."""
        return self.header.get("RF") == "1"

    @property
    def part(self) -> tuple[int, int] | None:
        """Which part of how many the packet is (PNO, PNUM), or None where it is whole."""
        texts = [self.header.get(key) or self.fields.get(key, "") for key in ("PNO", "PNUM")]
        if not all(text.isascii() and text.isdigit() and len(text) <= 4 for text in texts):
            return None
        this, of = (int(text) for text in texts)
        return (this, of) if 1 <= this <= of else None

    @property
    def edition(self) -> Edition:
        """The edition: that of the device where it is declared, else a guess from ST, MN, date and Flag.

        Flag 8 to 11 is of both 2025 and the surface-water profile: 2025 needs a number (MN) of 24 hexadecimal digits,
        another system than surface water and a date that is not before its draft.
        """
        if self.dialect.edition is not None:
            return self.dialect.edition
        version = (self.flag or 0) >> _VERSION_SHIFT
        if version == 0:
            return "2005"
        if version == 1:
            return "2017"
        recent = (self.number or self.fields.get("DataTime", "")) >= _FIRST_YEAR_OF_2025
        if recent and self.system != "21" and _EPC.fullmatch(self.device):
            return "2025"
        return "surface-water"

    def observations(self) -> list[Observation]:
        """Return what the packet says was measured; none where it cannot be told of what time."""
        from qinglan.gateways.hj212.codec.observing import observations

        return observations(self)

    def events(self) -> list[Event]:
        """Return what the packet reports besides numbers: states, logs, serial numbers, marks in words."""
        from qinglan.gateways.hj212.codec.observing import events

        return events(self)
