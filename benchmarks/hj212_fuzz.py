"""Coverage-guided fuzzing of the HJ 212 decoder with Atheris.

``python benchmarks/hj212_fuzz.py CORPUS -max_total_time=120``; the first bytes of an input say how it is split.
"""

from __future__ import annotations

import sys

import atheris

with atheris.instrument_imports(include=["qinglan.gateways.hj212.codec"]):
    from qinglan.gateways.hj212.codec import Packet, StreamDecoder, decode

SEEDS = (
    b"##0101QN=20160801085857223;ST=32;CN=1062;PW=100000;MN=010000A8900016F000169DC0;Flag=5;CP=&&RtdInterval=30&&1C80",
    b"##0087QN=20240601085857223;ST=32;CN=1011;PW=123456;MN=010000A8900016F000169DC0;Flag=9;CP=&&&&2200",
    b"##0060QN=1;ST=32;CN=2011;MN=7;Flag=9;CP=&&DataTime=20160801085857;w01018-Rtd=1,w01018-Flag=N;{0xE4}ab&&1C80",
)
MOST_KEPT = 21_000


def told(packets: list[Packet]) -> list[tuple[bytes, bool, tuple[str, ...]]]:
    return [(packet.raw, packet.valid, packet.defects) for packet in packets]


def one_input(data: bytes) -> None:
    """Fail if an input raises, is read differently in parts, or keeps too much."""
    if len(data) < 2:
        return
    size, stream = data[0] + 1, data[1:]
    whole, split = StreamDecoder(), StreamDecoder()
    at_once = [*whole.feed(stream), *whole.flush()]
    in_parts = []
    for at in range(0, len(stream), size):
        in_parts += split.feed(stream[at : at + size])
        if split.waiting > MOST_KEPT:
            raise AssertionError("too much is kept")
    in_parts += split.flush()
    if told(in_parts) != told(at_once):
        raise AssertionError("the split changes what is found")
    for packet in at_once:
        packet.observations()
        packet.events()
        if packet.raw not in stream or packet.valid is not (packet.reason is None):
            raise AssertionError("a packet contradicts itself")
    decode(stream)


def main() -> None:
    corpus = next((word for word in sys.argv[1:] if not word.startswith("-")), None)
    if corpus is not None:
        from pathlib import Path

        for number, seed in enumerate(SEEDS):
            (Path(corpus) / f"seed{number}").write_bytes(b"\x1f" + seed)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
