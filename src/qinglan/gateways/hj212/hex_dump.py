"""Hex dumps: lines of an offset, pairs of digits and a column of characters, as xxd and hexdump -C write them."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Final

_LINE: Final = re.compile(r"\s*([0-9A-Fa-f]{4,16})(?::[ \t]*|[ \t]+|\s*$)(.*)")
_PAIR: Final = re.compile(r"\s*([0-9A-Fa-f]{2})")
_CHARACTERS: Final = re.compile(r"\||\s{3,}")
_WIDEST: Final = 64
_USUAL: Final = 16


def is_hex_dump(text: str) -> bool:
    """Return whether each line of a text begins with an offset, and the offsets rise from nought as in a dump."""
    lines = [line for line in text.splitlines() if line.strip()]
    offsets = [int(found[1], 16) for line in lines if (found := _LINE.fullmatch(line))]
    rising = all(0 < later - earlier <= _WIDEST for earlier, later in pairwise(offsets))
    return bool(lines) and len(offsets) == len(lines) and offsets[0] == 0 and rising


def read_hex_dump(text: str) -> bytes:
    r"""Return the bytes of a dump; its column of characters is told by its place and left out.

    Examples
    --------
    >>> read_hex_dump("00000000: 2323 3031  ##01\n00000004: 4344       CD")
    b'##01CD'
    """
    rows = [(int(found[1], 16), found[2]) for line in text.splitlines() if (found := _LINE.fullmatch(line))]
    if len(rows) == 1:
        return _taken(_CHARACTERS.split(rows[0][1])[0], _USUAL, _USUAL * 4)[0]
    width = rows[1][0] - rows[0][0]
    first, edge = _taken(rows[0][1], width, _WIDEST * 4)
    return first + b"".join(_taken(rest, width, edge)[0] for _, rest in rows[1:])


def _taken(rest: str, width: int, edge: int) -> tuple[bytes, int]:
    """Return at most `width` bytes that stand before the column `edge`, and the column after them."""
    row, place = b"", 0
    while len(row) < width and (pair := _PAIR.match(rest, place)) is not None and pair.end() <= edge:
        row += bytes.fromhex(pair[1])
        place = pair.end()
    return row, place
