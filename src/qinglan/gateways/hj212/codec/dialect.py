"""What is known of one device before its packets are read: its edition and its deviations from the standard."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from qinglan.core.errors import InputError
from qinglan.core.interval import Grain, Stamp
from qinglan.gateways.hj212.codec.sm4 import checked_key

Edition = Literal["2005", "2017", "2025", "surface-water"]
Checksum = Literal["standard", "modbus", "modbus-swapped"]
Layout = Literal["standard", "addressed", "semicolons"]

LIMIT: Final = 4096
"""Longest data segment taken, in bytes. The standard allows 1024; 1703 is seen on the wire."""
SENTINELS: Final = frozenset({-99.0, -99.9, -99.99, -999.0, -999.9, -999.99, -9999.0, -99999.0})


@dataclass(frozen=True)
class Dialect:
    """How one device, or all devices of a port, speak.

    Attributes
    ----------
    edition
        The edition, or None to guess it from each packet. A guess never rests on Flag alone.
    checksum
        ``modbus`` for CRC-16/MODBUS, ``modbus-swapped`` for the same with its bytes exchanged.
    layout
        ``addressed``: four digits of an address before the length; ``semicolons``: one after the length and one
        before the checksum, both counted in the length, and a checksum of length, semicolons and data segment.
    text
        The encoding tried first; the other one is tried second.
    key
        SM4 key of 16 bytes, or None.
    limit
        Longest data segment taken, in bytes.
    stamp
        Whether DataTime of minute, hour and day data is the period's start (the standard's way) or its end.
    minutes
        Length of the period of minute data, in minutes; needed where it is stamped at its end.
    site
        The site that the device measures at, or None for its own number (MN).
    units
        Unit that the device sends a factor in, where it is not the one that the national table prints.
    grains
        Grain of data sent under a private command, as ``{"2082": "minute"}``.
    sentinels
        Numbers that stand for "no value".
    """

    edition: Edition | None = None
    checksum: Checksum = "standard"
    layout: Layout = "standard"
    text: Literal["utf-8", "gbk"] = "utf-8"
    key: bytes | None = field(default=None, repr=False)
    limit: int = LIMIT
    stamp: Stamp = "start"
    minutes: int = 10
    site: str | None = None
    units: Mapping[str, str] = field(default_factory=dict)
    grains: Mapping[str, Grain] = field(default_factory=dict)
    sentinels: frozenset[float] = SENTINELS

    def __post_init__(self) -> None:
        if self.key is not None:
            checked_key(self.key)
        if not 1 <= self.limit <= 9999:
            raise InputError(
                f"数据段长度上限应在 1 至 9999 字节之间，实为 {self.limit}。",
                f"The limit of the data segment lies between 1 and 9999 bytes, not at {self.limit}.",
                field="limit",
            )


Dialects = Callable[[str], Dialect | None]
"""Returns what is known of the device of a number (MN), or None for a device that is not known."""
STANDARD: Final = Dialect()
