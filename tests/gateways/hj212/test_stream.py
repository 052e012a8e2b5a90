"""Connections: any split into reads, noise between packets, mutated packets, endless rubbish."""

from __future__ import annotations

import random

import pytest
from hj212_samples import FIELD_TIME, INTERVAL, framed, segment
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qinglan.gateways.hj212.codec import Packet, StreamDecoder

LOG = "DataTime=20160801085857;i11001-Info=//got ##0019QN=1;CN=2011;CP=&&&&1C80 back//"
INTACT = (
    INTERVAL,
    FIELD_TIME,
    framed(segment("DataTime=20160801085857;w01018-Rtd=2.2,w01018-Flag=N")),
    framed(segment("DataTime=20160801080000;w01018-Avg=40.1,w01018-Flag=N", command="2061", flag="4")),
    framed(segment("DataTime=20100301145000;i11001-Info=//清洗管路//", command="3020")),
    framed(segment(LOG, command="3020")),
)
MOST_KEPT = 21_000
"""A frame may be of 4096 bytes, written fivefold where it is enciphered."""


def outcome(packets: list[Packet]) -> list[tuple[bytes, bool, tuple[str, ...], dict[str, str]]]:
    return [(packet.raw, packet.valid, packet.defects, packet.fields) for packet in packets]


def received(stream: bytes, cuts: list[int]) -> tuple[list[Packet], int]:
    decoder, found, last = StreamDecoder(), [], 0
    for cut in [*sorted({min(cut, len(stream)) for cut in cuts}), len(stream)]:
        found += decoder.feed(stream[last:cut])
        assert decoder.waiting <= MOST_KEPT
        last = cut
    found += decoder.flush()
    assert decoder.waiting == 0
    return found, decoder.skipped


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """A frame with bytes changed, cut out, doubled, or with another length."""
    frame = bytearray(draw(st.sampled_from(INTACT)))
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["change", "cut", "insert", "length", "end"]))
        place = draw(st.integers(0, max(0, len(frame) - 1)))
        if kind == "change" and frame:
            frame[place] = draw(st.integers(0, 255))
        elif kind == "cut":
            del frame[place : place + draw(st.integers(1, 40))]
        elif kind == "insert":
            frame[place:place] = draw(
                st.sampled_from([b"#", b"##", b"&&", b"##0101", b"\0", b"CP=&&", b"\r\n", b"{0x"])
            )
        elif kind == "length":
            frame[2:6] = b"%04d" % draw(st.integers(0, 9999))
        else:
            del frame[place:]
    return bytes(frame)


noise = st.one_of(
    st.binary(max_size=30),
    st.sampled_from(
        [b"\r\n", b"", b"\n", b"\\r\\n", b"#", b"##", b"AT+CSQ\r\n", b"GET / HTTP/1.1\r\n\r\n", b"####", b"\0"]
    ),
)
pieces = st.lists(
    st.one_of(
        st.sampled_from(INTACT).map(lambda frame: (True, frame)),
        st.one_of(mutated(), noise).map(lambda rubbish: (False, rubbish)),
    ),
    max_size=12,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pieces, st.lists(st.integers(0, 3000), max_size=12))
def test_intact_packets_are_found_among_rubbish_whatever_the_reads(parts: list[tuple[bool, bytes]], cuts: list[int]):
    stream = b"".join(part for _, part in parts)
    found, skipped = received(stream, cuts)
    at_once, skipped_at_once = received(stream, [])
    assert outcome(found) == outcome(at_once)
    # What stands between packets (line ends) is not counted where it is seen with them.
    assert skipped >= 0
    assert skipped_at_once <= len(stream)
    valid = [packet.raw for packet in found if packet.valid]
    rest = iter(valid)
    assert all(intact in rest for whole, intact in parts if whole)


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400) | mutated(), st.integers(1, 9))
def test_no_bytes_raise_and_each_packet_can_be_asked_everything(stream: bytes, size: int):
    found, _ = received(stream, list(range(0, len(stream), size)))
    for packet in found:
        assert packet.valid is (packet.reason is None)
        assert packet.raw in stream
        assert packet.accepted or not packet.valid
        assert isinstance(packet.observations(), list)
        assert isinstance(packet.events(), list)
        assert packet.part is None or packet.part[0] <= packet.part[1]


def test_two_hundred_kilobytes_of_mutated_stream():
    random_ = random.Random(20260101)
    parts: list[tuple[bool, bytes]] = []
    while sum(len(part) for _, part in parts) < 200_000:
        frame = random_.choice(INTACT)
        if random_.random() < 0.4:
            parts.append((True, frame + b"\r\n"))
            continue
        rubbish = bytearray(frame)
        for _ in range(random_.randint(1, 6)):
            place = random_.randrange(len(rubbish))
            rubbish[place : place + random_.randint(0, 3)] = random_.randbytes(random_.randint(0, 3))
        parts.append((False, bytes(rubbish)))
    stream = b"".join(part for _, part in parts)
    cuts = sorted(random_.sample(range(len(stream)), 3000))
    found, _ = received(stream, cuts)
    valid = iter([packet.raw for packet in found if packet.valid])
    assert all(part[:-2] in valid for whole, part in parts if whole)
    assert outcome(found) == outcome(received(stream, [])[0])


def test_sticky_and_half_packets():
    decoder = StreamDecoder()
    whole = INTERVAL + b"\r\n" + FIELD_TIME + b"\r\n"
    assert [packet.raw for packet in decoder.feed(whole + INTERVAL[:40])] == [INTERVAL, FIELD_TIME]
    assert [packet.raw for packet in decoder.feed(INTERVAL[40:])] == [INTERVAL]
    assert decoder.feed(b"\r\n") == []
    assert (decoder.skipped, decoder.flush()) == (0, [])


def test_a_packet_is_returned_before_its_line_ends():
    assert [packet.valid for packet in StreamDecoder().feed(INTERVAL)] == [True]


def test_bytes_one_by_one():
    decoder = StreamDecoder()
    stream = b"AT+CSQ\r\n" + INTERVAL + b"\r\n\0\0" + FIELD_TIME
    found = [packet for place in range(len(stream)) for packet in decoder.feed(stream[place : place + 1])]
    assert [(packet.raw, packet.valid) for packet in found] == [(INTERVAL, True), (FIELD_TIME, True)]
    # AT+CSQ and its line's end; a line's end and NUL between two packets are no rubbish.
    assert decoder.skipped == 8


def test_a_torn_packet_gives_way_to_the_one_that_begins_in_it():
    found, _ = received(b"##0101QN=20160801085" + INTERVAL, [])
    assert [(packet.valid, packet.reason) for packet in found] == [(False, "torn"), (True, None)]


def test_an_announced_length_holds_back_what_follows_only_until_a_flush_or_its_end():
    decoder = StreamDecoder()
    longer = framed(segment("w01018-Rtd=1"), length=3000)
    assert decoder.feed(longer + b"\r\n" + INTERVAL) == []
    found = decoder.flush()
    assert [(packet.valid, packet.reason) for packet in found] == [(False, "length"), (True, None)]
    assert found[0].accepted
    assert [packet.valid for packet in decoder.feed(longer + INTERVAL + b"\r\n" + (INTERVAL + b"\r\n") * 30)][:2] == [
        False,
        True,
    ]


def test_a_log_that_holds_a_packet_is_one_packet():
    found, _ = received(framed(segment(LOG, command="3020")), [])
    assert [packet.fields["i11001-Info"] for packet in found if packet.valid] == [LOG.partition("Info=")[2]]


@pytest.mark.parametrize(
    "rubbish",
    [
        b"#",
        b"noise without a head ",
        b"##0101",
        b"##9999",
        b"##0001QN=",
        b"##4000QN=1;CP=&&",
        b"##4000QN=1;CP=&&{0x",
        b"&&",
        b"A=//b;",
    ],
)
def test_endless_rubbish_is_let_go(rubbish: bytes):
    decoder = StreamDecoder()
    read = (rubbish * (65_536 // len(rubbish) + 1))[:65_536]
    found = 0
    for _ in range(6):
        packets = decoder.feed(read)
        found += sum(packet.valid for packet in packets)
        assert decoder.waiting <= MOST_KEPT
        assert len(packets) <= len(read) // 8
    decoder.flush()
    assert (found, decoder.waiting) == (0, 0)
    assert [packet.valid for packet in decoder.feed(INTERVAL)] == [True]


def test_bytes_that_belong_to_no_packet_are_counted_in_a_row():
    decoder = StreamDecoder()
    decoder.feed(b"x" * 1000)
    assert decoder.skipped_in_a_row >= 980
    decoder.feed(INTERVAL)
    assert (decoder.skipped_in_a_row, decoder.skipped) == (0, 1000)


@pytest.mark.parametrize("head", [b"##4000QN=1;CP=&&", b"##0100QN=1;CP=&&{0x", b"##ABCDQN=1;CP=&&a&", b"##00014096QN="])
def test_a_frame_without_an_end_is_let_go(head: bytes):
    decoder = StreamDecoder()
    decoder.feed(head)
    for _ in range(100):
        assert decoder.feed(b"a=1;" * 250) == []
        assert decoder.waiting <= MOST_KEPT
    assert decoder.skipped > 70_000
    assert [packet.valid for packet in decoder.feed(INTERVAL)] == [True]
