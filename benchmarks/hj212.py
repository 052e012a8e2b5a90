"""HJ 212: parse and verify, one core, beside a decoder that makes the checksum bit by bit as the standard prints it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import harness
from qinglan.gateways.hj212.codec import StreamDecoder, decode

SHARED = Path(os.environ.get("QINGLAN_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def valid_packets() -> list[bytes]:
    """Return the valid packets of the collection."""
    lines = (SHARED / "hj212" / "packets.jsonl").read_text("utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [
        bytes.fromhex(one["raw_hex"]) if "raw_hex" in one else one["raw"].encode() for one in found if one["valid_crc"]
    ]


def one_by_one(packets: list[bytes]) -> int:
    return sum(decode(packet).valid for packet in packets)


def by_connection(packets: list[bytes]) -> int:
    """Each packet is one read of one connection."""
    decoder = StreamDecoder()
    return sum(found.valid for packet in packets for found in decoder.feed(packet))


def with_observations(packets: list[bytes]) -> int:
    return sum(len(decode(packet).observations()) for packet in packets)


def bit_loop(packets: list[bytes]) -> int:
    """Decode as it is written at first from the standard's text: framing, checksum, fields."""
    return sum(_plain(packet) is not None for packet in packets)


def _plain(packet: bytes) -> dict[str, str] | None:
    length = int(packet[2:6])
    segment = packet[6 : 6 + length]
    register = 0xFFFF
    for byte in segment:
        register = (register >> 8) ^ byte
        for _ in range(8):
            lowest = register & 1
            register >>= 1
            if lowest:
                register ^= 0xA001
    if register != int(packet[6 + length : 10 + length], 16):
        return None
    header, _, data = segment.decode("utf-8").partition("CP=&&")
    fields = dict(item.split("=", 1) for item in header.split(";") if "=" in item)
    for item in data.removesuffix("&&").split(";"):
        for part in item.split(","):
            if "=" in part:
                name, value = part.split("=", 1)
                fields[name] = value
    return fields


VARIANTS: dict[str, Callable[[list[bytes]], int]] = {
    "qinglan decode": one_by_one,
    "qinglan stream": by_connection,
    "qinglan decode and observe": with_observations,
    "bit loop": bit_loop,
}


def repeated(name: str, times: int) -> int:
    packets, work = valid_packets(), VARIANTS[name]
    return sum(work(packets) for _ in range(times))


def main() -> None:
    """Run all variants in turns and write results/hj212.json; with --variant, one of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variant", choices=VARIANTS)
    parser.add_argument("--times", type=int, default=200)
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if options.variant:
        harness.report(repeated, options.variant, options.times)
        return
    words = [sys.executable, "-m", "benchmarks.hj212", "--times", str(options.times), "--variant"]
    measured = harness.in_turns({name: [*words, name] for name in VARIANTS}, options.runs)
    packets = valid_packets()
    read = len(packets) * options.times
    for found in measured.values():
        found["packets_a_second"] = round(read / found["cpu_seconds"])
    harness.write(
        "hj212",
        measured,
        packets=read,
        distinct_packets=len(packets),
        mean_bytes=round(sum(map(len, packets)) / len(packets)),
    )


if __name__ == "__main__":
    main()
