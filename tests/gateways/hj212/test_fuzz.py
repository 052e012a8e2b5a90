"""The stream decoder against mutated streams: 200 kB on every run, 10 MB and a guided search in the soak.

What must hold: no exception, no stall (the time of a read does not grow with what was read before), bounded memory, and
the valid packets found however the stream is split.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hj212_samples import FIELD_TIME, INTERVAL, bit_loop, framed, segment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qinglan.gateways.hj212.codec import Packet, StreamDecoder

SOAK = os.environ.get("QINGLAN_SOAK") == "1"
BYTES = 10_500_000 if SOAK else 200_000
ENCIPHERED = b"##0060QN=1;ST=32;CN=2011;MN=7;Flag=9;CP=&&{0xE4,0x3E,0x01}ab&&1C80"
SEEDS = (
    INTERVAL,
    FIELD_TIME,
    framed(segment("DataTime=20160801085857;w01018-Rtd=2.2,w01018-Flag=N")),
    framed(segment("DataTime=20160801085857;" + ";".join(f"w{n:05d}-Rtd={n},w{n:05d}-Flag=N" for n in range(30)))),
    framed(segment("DataTime=20100301145000;i11001-Info=//清洗 ##0019QN=1;CP=&&&&1C80//", command="3020")),
    ENCIPHERED,
)
PARTS = (
    b"##",
    b"#",
    b"&&",
    b"CP=&&",
    b"##0101",
    b"##9999",
    b"\r\n",
    b"\\r\\n",
    b"{0x",
    b"}",
    b";",
    b"=",
    b"\0",
    b"QN=",
)
MOST_KEPT = 21_000


def mutated(chance: random.Random) -> bytes:
    """A frame changed as lines, modems and bad software change it."""
    frame = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 6)):
        place = chance.randrange(len(frame)) if frame else 0
        kind = chance.randrange(6)
        if kind == 0:
            frame[place : place + 1] = bytes([chance.randrange(256)])
        elif kind == 1:
            del frame[place : place + chance.randint(1, 60)]
        elif kind == 2:
            frame[place:place] = chance.choice(PARTS) * chance.randint(1, 3)
        elif kind == 3:
            frame[2:6] = b"%04d" % chance.randrange(10_000)
        elif kind == 4:
            frame += frame[place : place + 50]
        else:
            frame[place:place] = chance.randbytes(chance.randint(1, 12))
    return bytes(frame)


def intact(chance: random.Random) -> bytes:
    """A right frame that no other one equals, with the line's end."""
    text = segment(f"DataTime=20160801085857;w01018-Rtd={chance.randrange(10**9)}", mn=f"{chance.randrange(10**12)}")
    return framed(text) + b"\r\n"


def test_every_valid_packet_is_found_in_a_long_mutated_stream():
    chance = random.Random(20260212)
    decoder, sent, found, read, most = StreamDecoder(), [], [], 0, 0
    pending = bytearray()
    tracemalloc.start()
    while read < BYTES:
        for _ in range(30):
            if chance.random() < 0.3:
                frame = intact(chance)
                sent.append(frame[:-2])
                # What comes before it must have an end: a line's end closes a broken packet.
                pending += b"\r\n" + frame
            else:
                pending += mutated(chance)
        while pending:
            size = chance.choice((1, 7, 60, 400, 1460, 4000))
            piece = bytes(pending[:size])
            del pending[:size]
            read += len(piece)
            found += [packet.raw for packet in decoder.feed(piece) if packet.valid]
            most = max(most, decoder.waiting)
        if read > 20_000:
            found += [packet.raw for packet in decoder.flush() if packet.valid]
            rest = iter(found)
            missed = [frame for frame in sent if frame not in rest]
            assert not missed
            sent, found = [], []
    kept, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most <= MOST_KEPT
    assert peak < 40_000_000
    assert kept < 20_000_000


@settings(max_examples=400 if SOAK else 120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32), st.lists(st.integers(1, 2000), max_size=20))
def test_no_split_changes_what_is_found(seed: int, sizes: list[int]):
    chance = random.Random(seed)
    stream = b"".join(mutated(chance) if chance.random() < 0.7 else intact(chance) for _ in range(8))
    whole, split = StreamDecoder(), StreamDecoder()
    at_once = [*whole.feed(stream), *whole.flush()]
    in_parts, at = [], 0
    for size in [*sizes, len(stream)]:
        in_parts += split.feed(stream[at : at + size])
        at += size
    in_parts += split.flush()
    assert [_told(packet) for packet in in_parts] == [_told(packet) for packet in at_once]
    for packet in at_once:
        if packet.valid and not packet.enciphered:
            start = packet.raw.index(b"QN=") if packet.raw[6:9] == b"QN=" else 6
            assert int(packet.raw[-4:], 16) == bit_loop(packet.raw[start:-4])


def _told(packet: Packet) -> tuple[bytes, bool, tuple[str, ...]]:
    return packet.raw, packet.valid, packet.defects


@pytest.mark.parametrize("part", [*PARTS, b"##4096", b"##0100CP=&&{0x", b"##0100QN=1;CP=&&a"])
def test_the_work_for_a_byte_does_not_grow_with_what_came_before(part: bytes, monkeypatch: pytest.MonkeyPatch):
    looked: list[int] = []
    original = StreamDecoder._take

    def counted(self: StreamDecoder, *, final: bool) -> list[Packet]:
        looked.append(len(self._buffer))
        return original(self, final=final)

    monkeypatch.setattr(StreamDecoder, "_take", counted)
    decoder, stream = StreamDecoder(), part * (60_000 // len(part))
    for at in range(0, len(stream), 500):
        decoder.feed(stream[at : at + 500])
    # Each read of 500 bytes looks at no more than what may be kept, and that is bounded.
    assert max(looked) <= MOST_KEPT + 500
    assert len(looked) <= 121


@pytest.mark.soak
@pytest.mark.skipif(not SOAK, reason="a search of two minutes: make soak")
def test_a_guided_search_finds_no_input_that_raises(tmp_path: Path):
    """Atheris (coverage-guided) on the decoder for two minutes."""
    harness = Path(__file__).parents[3] / "benchmarks" / "hj212_fuzz.py"
    seconds = os.environ.get("QINGLAN_FUZZ_SECONDS", "120")
    done = subprocess.run(
        [sys.executable, str(harness), str(tmp_path), f"-max_total_time={seconds}", "-max_len=6000", "-timeout=5"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr[-4000:]
    assert "Done" in done.stderr
