"""Frames made by hand beside the code under test, with the checksum as the standard's pseudo-code prints it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

MN = "010000A8900016F000169DC0"
INTERVAL = (
    b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80"
)
"""Printed in HJ 212-2017, with its checksum."""
FIELD_TIME = b"##0087QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&2200"
"""Printed in HJ 212-2025, with its checksum."""


def bit_loop(segment: bytes) -> int:
    """HJ 212-2017 annex A, step by step."""
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            lowest = register & 1
            register >>= 1
            if lowest:
                register ^= 0xA001
    return register


def framed(segment: str | bytes, *, length: int | None = None, checksum: str | None = None) -> bytes:
    """A frame of a data segment, without the line's end; right unless it is told to be wrong."""
    body = segment.encode() if isinstance(segment, str) else segment
    stated = len(body) if length is None else length
    return b"##%04d" % stated + body + (f"{bit_loop(body):04X}" if checksum is None else checksum).encode()


def segment(data: str, *, command: str = "2011", system: str = "32", flag: str = "5", mn: str = MN) -> str:
    return f"QN=20160801085857223;ST={system};CN={command};PW=123456;MN={mn};Flag={flag};CP=&&{data}&&"


def collected(shared: Path) -> list[dict[str, Any]]:
    """The packets collected from public sources, their bytes under `bytes`."""
    lines = (shared / "hj212" / "packets.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    for one in found:
        one["bytes"] = bytes.fromhex(one["raw_hex"]) if "raw_hex" in one else one["raw"].encode()
    return found
