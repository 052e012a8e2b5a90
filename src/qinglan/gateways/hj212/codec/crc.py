"""The checksums that travel in HJ 212 frames.

依据: HJ 212-2017 附录 A. Its register is shifted before the byte is added, so the low byte is thrown away each time and
the state is one byte: only 256 values exist. The step is linear and its eighth power is the identity, so the bytes
may first be folded, by exclusive or, into the last eight columns: a checksum costs a few operations on one large
integer instead of a step a byte.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

_POLYNOMIAL: Final = 0xA001
_COLUMNS_BITS: Final = 64


def _eight_shifts(register: int) -> int:
    for _ in range(8):
        register = register >> 1 ^ (_POLYNOMIAL if register & 1 else 0)
    return register


_STEP: Final[Sequence[int]] = tuple(_eight_shifts(byte) for byte in range(256))
_HIGH: Final[Sequence[int]] = tuple(value >> 8 for value in _STEP)

VALUES: Final[frozenset[int]] = frozenset(_STEP)
"""Every value that the standard's checksum can take; another one comes from another algorithm, not from noise."""


def standard(segment: bytes) -> int:
    """Return the standard's checksum of a data segment.

    依据: HJ 212-2017 附录 A.

    Examples
    --------
    >>> f"{standard(b'QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&'):04X}"
    '2200'
    """
    size = len(segment)
    if not size:
        return 0xFFFF
    folded = int.from_bytes(segment) ^ 0xFF << 8 * (size - 1)
    shift = 1 << ((8 * size - 1).bit_length() - 1)
    while shift >= _COLUMNS_BITS:
        folded ^= folded >> shift
        shift >>= 1
    high = _HIGH
    state = high[folded >> 56 & 0xFF]
    state = high[state ^ folded >> 48 & 0xFF]
    state = high[state ^ folded >> 40 & 0xFF]
    state = high[state ^ folded >> 32 & 0xFF]
    state = high[state ^ folded >> 24 & 0xFF]
    state = high[state ^ folded >> 16 & 0xFF]
    state = high[state ^ folded >> 8 & 0xFF]
    return _STEP[state ^ folded & 0xFF]


def modbus(segment: bytes) -> int:
    """Return the checksum CRC-16/MODBUS, which some loggers send instead of the standard's.

    Examples
    --------
    >>> f"{modbus(b'123456789'):04X}"
    '4B37'
    """
    register = 0xFFFF
    for byte in segment:
        register = register >> 8 ^ _STEP[(register ^ byte) & 0xFF]
    return register


def swapped(value: int) -> int:
    """Return a checksum of 16 bits with its two bytes exchanged.

    Examples
    --------
    >>> f"{swapped(0x4B37):04X}"
    '374B'
    """
    return (value & 0xFF) << 8 | value >> 8
