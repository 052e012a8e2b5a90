"""Captures put together here byte by byte, as the formats say, and dumps as the usual tools print them."""

from __future__ import annotations

import ipaddress
import json
import random
import struct
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
import typer
from hj212_samples import FIELD_TIME, INTERVAL, framed, segment
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from qinglan.cli import hj212
from qinglan.core.errors import InputError
from qinglan.gateways.hj212.capture import is_capture, read_capture
from qinglan.gateways.hj212.hex_dump import is_hex_dump, read_hex_dump

LOGGER, PLATFORM = ("10.0.0.7", 40001), ("10.0.0.1", 9212)
BEGUN = 1_767_225_600
SYN, ACK, FIN = 2, 16, 1
DATA = framed(segment("DataTime=20160801085857;w01018-Rtd=2.2,w01018-Flag=N")) + b"\r\n"
ANSWER = framed("QN=20160801085857223;ST=91;CN=9014;PW=123456;MN=7;Flag=4;CP=&&&&") + b"\r\n"


def tcp(source, destination, number: int, data: bytes = b"", flags: int = ACK) -> bytes:
    (here, port), (there, other) = source, destination
    body = struct.pack(">HHIIBBHHH", port, other, number, 1, 6 << 4, flags, 512, 0, 0) + b"\x01\x01\x01\x00" + data
    first, second = ipaddress.ip_address(here), ipaddress.ip_address(there)
    if first.version == 6:
        return struct.pack(">IHBB", 6 << 28, len(body), 6, 64) + first.packed + second.packed + body
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0x4000, 64, 6, 0)
    return head + first.packed + second.packed + body


def ethernet(packet: bytes, *, vlan: bool = False) -> bytes:
    kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    # Short frames are filled up to 60 bytes: what follows the IP packet is no data.
    return (b"\0" * 12 + (b"\x81\x00\x00\x05" if vlan else b"") + kind + packet).ljust(60, b"\0")


def pcap(frames: list[bytes], *, link: int = 1, order: str = "<", nano: bool = False) -> bytes:
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    found = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 65535, link)
    for number, frame in enumerate(frames):
        fraction = number * (1_000_000 if nano else 1000)
        found += struct.pack(order + "IIII", BEGUN, fraction, len(frame), len(frame)) + frame
    return found


def block(kind: int, body: bytes, order: str) -> bytes:
    body = body.ljust((len(body) + 3) // 4 * 4, b"\0")
    return struct.pack(order + "II", kind, len(body) + 12) + body + struct.pack(order + "I", len(body) + 12)


def pcapng(frames: list[bytes], *, order: str = "<", link: int = 1) -> bytes:
    found = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)
    found += block(1, struct.pack(order + "HHI", link, 0, 65535) + struct.pack(order + "HHB3xHH", 9, 1, 9, 0, 0), order)
    found += block(4, b"name resolution, to be skipped", order)
    for number, frame in enumerate(frames):
        ticks = BEGUN * 10**9 + number * 1_000_000
        head = struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame))
        found += block(6, head + frame, order)
    return found


def conversation(vlan: bool = False) -> list[bytes]:
    packets = [
        tcp(LOGGER, PLATFORM, 4_294_967_290, flags=SYN),
        tcp(PLATFORM, LOGGER, 77, flags=SYN | ACK),
        tcp(LOGGER, PLATFORM, 4_294_967_291, DATA[:30]),
        tcp(LOGGER, PLATFORM, 25, DATA[30:]),
        tcp(PLATFORM, LOGGER, 78, ANSWER),
        tcp(LOGGER, PLATFORM, 25 + len(DATA) - 30, flags=FIN | ACK),
    ]
    return [ethernet(packet, vlan=vlan) for packet in packets]


def sent(raw: bytes) -> dict[str, bytes]:
    return {stream.source: b"".join(piece.data for piece in stream.pieces) for stream in read_capture(raw).streams}


BOTH = {"10.0.0.7:40001": DATA, "10.0.0.1:9212": ANSWER}


@pytest.mark.parametrize(
    "raw",
    [
        pcap(conversation()),
        pcap(conversation(vlan=True), order=">"),
        pcap(conversation(), nano=True),
        pcapng(conversation()),
        pcapng(conversation(), order=">"),
        pcap([frame[14:] for frame in conversation()], link=101),
        pcap([b"\0" * 14 + b"\x08\x00" + frame[14:] for frame in conversation()], link=113),
        pcap([b"\x08\x00" + b"\0" * 18 + frame[14:] for frame in conversation()], link=276),
        pcap([b"\x02\0\0\0" + frame[14:] for frame in conversation()], link=0),
    ],
)
def test_both_directions_of_each_kind_of_capture(raw: bytes):
    assert is_capture(raw)
    assert sent(raw) == BOTH
    streams = read_capture(raw).streams
    assert [stream.opener for stream in streams] == [True, False]
    assert streams[0].pieces[1].time == datetime.fromtimestamp(BEGUN, UTC).replace(microsecond=3000)
    assert sum(piece.missing for stream in streams for piece in stream.pieces) == 0


def test_segments_out_of_order_doubled_and_overlapping_are_put_in_order():
    stream = (DATA + ANSWER) * 30
    cuts = sorted(random.Random(4).sample(range(1, len(stream)), 60))
    parts = [(start, stream[start:end]) for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)]
    overlapping = [(start, stream[start : start + len(part) + 9]) for start, part in parts]
    chosen = parts + overlapping[::3] + parts[::5]
    random.Random(5).shuffle(chosen)
    frames = [tcp(LOGGER, PLATFORM, 999, flags=SYN)]
    frames += [tcp(LOGGER, PLATFORM, 1000 + start, part) for start, part in chosen]
    assert sent(pcap(frames, link=101)) == {"10.0.0.7:40001": stream}


def test_what_the_capture_lost_is_counted_and_what_follows_is_read():
    frames = [
        tcp(LOGGER, PLATFORM, 1, DATA),
        tcp(LOGGER, PLATFORM, 1 + len(DATA) + 50, DATA),
    ]
    (stream,) = read_capture(pcap(frames, link=101)).streams
    assert [(piece.data, piece.missing) for piece in stream.pieces] == [(DATA, 0), (DATA, 50)]
    assert stream.opener is None


def test_a_port_used_again_is_another_connection():
    frames = [
        tcp(LOGGER, PLATFORM, 9, flags=SYN),
        tcp(LOGGER, PLATFORM, 10, DATA[:20]),
        tcp(LOGGER, PLATFORM, 5, flags=SYN),
        tcp(LOGGER, PLATFORM, 6, DATA),
    ]
    streams = read_capture(pcap(frames, link=101)).streams
    assert [b"".join(piece.data for piece in stream.pieces) for stream in streams] == [DATA[:20], DATA]


def test_other_traffic_is_counted_and_ip_version_6_read():
    udp = bytearray(tcp(LOGGER, PLATFORM, 1, b"x"))
    udp[9] = 17
    six = tcp(("2001:db8::7", 4000), ("2001:db8::1", 9212), 1, DATA)
    capture = read_capture(pcap([ethernet(bytes(udp)), ethernet(six), b"\0" * 60]))
    assert capture.other == 2
    (stream,) = capture.streams
    assert (stream.source, stream.destination) == ("[2001:db8::7]:4000", "[2001:db8::1]:9212")


def test_a_capture_that_breaks_off_is_read_as_far_as_it_goes():
    raw = pcap(conversation())
    for size in range(24, len(raw), 7):
        assert all(BOTH[source].startswith(data) for source, data in sent(raw[:size]).items())


@settings(max_examples=200, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([pcap, pcapng]), st.sampled_from([0, 1, 101, 113]), st.integers(0, 2**32)
)
def test_no_frame_raises_anything_but_a_refusal(frame: bytes, kind, link: int, seed: int):
    raw = bytearray(kind([frame, ethernet(tcp(LOGGER, PLATFORM, 1, DATA))], link=link))
    place = random.Random(seed).randrange(24, len(raw))
    assert read_capture(bytes(raw)).other <= 2
    assert read_capture(bytes(raw[:place])).other <= 2
    raw[place] ^= 1 + seed % 255
    with suppress(InputError):
        found = read_capture(bytes(raw))
        assert sum(len(piece.data) for stream in found.streams for piece in stream.pieces) <= len(raw)


def test_what_is_no_capture_is_refused():
    assert not is_capture(DATA)
    for raw in (DATA, b"\xd4\xc3\xb2\xa1", pcap([b"x"], link=105)):
        with pytest.raises(InputError):
            read_capture(raw)


XXD = """\
00000000: 2323 3030 3837 514e 3d32 3032 3430 3630  ##0087QN=2024060
00000010: 3130 3835 3835 3732 3233 3b53 543d 3332  1085857223;ST=32
00000020: 3b43 4e3d                                ;CN=
"""
HEXDUMP = """\
00000000  23 23 30 30 38 37 51 4e  3d 32 30 32 34 30 36 30  |##0087QN=2024060|
00000010  31 30 38 35 38 35 37 32  32 33 3b 53 54 3d 33 32  |1085857223;ST=32|
00000020  3b 43 4e 3d                                       |;CN=|
00000024
"""
WIRESHARK = """\
0000   23 23 30 30 38 37 51 4e 3d 32 30 32 34 30 36 30   ##0087QN=2024060
0010   31 30 38 35 38 35 37 32 32 33 3b 53 54 3d 33 32   1085857223;ST=32
0020   3b 43 4e 3d                                       ;CN=
"""


@pytest.mark.parametrize("dump", [XXD, HEXDUMP, WIRESHARK])
def test_dumps_of_the_usual_tools(dump: str):
    assert is_hex_dump(dump)
    assert read_hex_dump(dump) == FIELD_TIME[:36]
    first = dump.splitlines()[0]
    assert read_hex_dump(first) == FIELD_TIME[:16]


def test_packets_are_no_dump():
    for raw in (DATA, FIELD_TIME, b"10:00 received\r\n" + DATA, b"2026 01 01 log\n" + DATA, b""):
        assert not is_hex_dump(raw.decode())


@pytest.fixture
def decode(tmp_path: Path):
    root = typer.Typer()
    hj212.add(root)

    def read(raw: bytes, *words: str):
        path = tmp_path / "capture"
        path.write_bytes(raw)
        return CliRunner().invoke(root, ["hj212", "decode", "--file", str(path), *words], env={"COLUMNS": "200"})

    return read


def test_decode_shows_time_and_direction_of_a_capture(decode):
    done = decode(pcap(conversation()), "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 0, done.output
    assert [(one["titles"]["command"]["en"], one["way"]) for one in found["packets"]] == [
        ("Real-time data", "up"),
        ("Data answer", "down"),
    ]
    assert found["packets"][0]["seen"] == "2026-01-01T08:00:00.003000+08:00"
    assert (found["packets"][1]["source"], found["packets"][1]["destination"]) == ("10.0.0.1:9212", "10.0.0.7:40001")
    shown = decode(pcap(conversation())).stdout
    assert "2026-01-01 08:00:00.003000  10.0.0.7:40001 → 10.0.0.1:9212  上行 up" in shown


def test_decode_reads_a_dump_from_a_file(decode):
    lines = [
        f"{at:08x}: {INTERVAL[at : at + 16].hex(' ', 2):<40} {INTERVAL[at : at + 16].decode()}"
        for at in range(0, len(INTERVAL), 16)
    ]
    done = decode("\n".join(lines).encode(), "--json")
    assert [one["valid"] for one in json.loads(done.stdout)["packets"]] == [True]


def test_a_capture_without_packets_is_exit_code_1(decode):
    done = decode(pcap([]), "--json")
    assert (done.exit_code, json.loads(done.stdout)["packets"]) == (1, [])
