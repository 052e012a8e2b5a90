"""Packets into bytes."""

from __future__ import annotations

import pytest
from hj212_samples import FIELD_TIME, INTERVAL, MN, bit_loop
from hypothesis import given
from hypothesis import strategies as st

from qinglan.core.errors import InputError
from qinglan.gateways.hj212.codec import Dialect, build, decode, encode, split

HEADER = {"QN": "20160801085857223", "ST": "32", "CN": "1062", "PW": "100000", "MN": MN, "Flag": "5"}


def test_the_printed_packets_are_built():
    assert encode(build(HEADER, [("RtdInterval", "30")])) == INTERVAL + b"\r\n"
    field_time = HEADER | {"QN": "20240601085857223", "CN": "1011", "PW": "123456", "Flag": "9"}
    assert encode(build(field_time)) == FIELD_TIME + b"\r\n"


def test_the_header_travels_in_the_order_of_the_standard():
    assert encode(build(dict(reversed(HEADER.items())), [("RtdInterval", "30")])) == INTERVAL + b"\r\n"


names = st.from_regex(r"[a-z][0-9]{5}-(Rtd|Avg|Min|Max|Flag)", fullmatch=True)
values = st.text(
    st.characters(codec="utf-8", exclude_characters=";,=#&\r\n \t", exclude_categories=["C", "Z"]), max_size=12
)


@given(st.lists(st.tuples(names, values), max_size=12), st.sampled_from(["standard", "modbus", "modbus-swapped"]))
def test_what_is_built_is_read_again(items: list[tuple[str, str]], checksum: str):
    dialect = Dialect(checksum=checksum)
    packet = build(HEADER, items, dialect)
    again = decode(encode(packet), dialect)
    assert again.pairs == items
    assert again.header == HEADER
    assert again.accepted
    assert (packet.valid, packet.checksum) == (again.valid, checksum)


@pytest.mark.parametrize("layout", ["standard", "addressed", "semicolons"])
@pytest.mark.parametrize("checksum", ["standard", "modbus", "modbus-swapped"])
def test_every_dialect_reads_what_it_writes(layout: str, checksum: str):
    dialect = Dialect(layout=layout, checksum=checksum)
    again = decode(encode(build(HEADER, [("RtdInterval", "30")], dialect)), dialect)
    assert (again.accepted, again.layout, again.checksum) == (True, layout, checksum)
    assert again.fields == {"RtdInterval": "30"}


@pytest.mark.parametrize("size", [0, 1, 15, 16, 17, 48, 200])
def test_enciphered_and_read_again(size: int):
    dialect = Dialect(key=bytes(range(16)))
    packet = build(HEADER, [("NewPW", "x" * size)], dialect)
    written = encode(packet)
    again = decode(written, dialect)
    assert (again.valid, again.fields) == (True, {"NewPW": "x" * size})
    if size >= 16:
        assert b"xxxxxxxxxxx" not in written.replace(b"x" * (size % 16), b"")
        assert decode(written).reason == "enciphered"


def test_text_of_a_device_that_speaks_gbk():
    dialect = Dialect(text="gbk")
    packet = build(HEADER, [("i11001-Info", "//清洗//")], dialect)
    assert "清洗".encode("gbk") in encode(packet)
    assert decode(encode(packet), dialect).fields == {"i11001-Info": "//清洗//"}


@pytest.mark.parametrize(
    ("header", "items", "field"),
    [
        ({"Q": "1"}, [], "Q"),
        ({"MN": "1;2"}, [], "MN"),
        ({}, [("a=b", "1")], "a=b"),
        ({}, [("PolId", "1,2")], "PolId"),
        ({}, [("i11001-Info", "//a&&b//")], "i11001-Info"),
        ({}, [("a", "1" * 10_000)], "CP"),
    ],
)
def test_what_cannot_be_sent_is_refused(header: dict[str, str], items: list[tuple[str, str]], field: str):
    with pytest.raises(InputError) as refusal:
        build(header, items)
    assert refusal.value.field == field


def test_a_long_packet_is_split_between_factors():
    items = [("DataTime", "20160801080000")]
    for number in range(60):
        items += [(f"w{number:05d}-{suffix}", "12.345") for suffix in ("Min", "Avg", "Max")]
        items.append((f"w{number:05d}-Flag", "N"))
    whole = build(HEADER | {"CN": "2061", "Flag": "4"}, items)
    parts = [decode(encode(part)) for part in split(whole)]
    assert len(parts) >= 4
    assert [part.part for part in parts] == [(number, len(parts)) for number in range(1, len(parts) + 1)]
    for part in parts:
        assert part.valid
        assert len(part.raw) <= 1024 + 10
        assert (part.flag, part.fields["DataTime"]) == (6, "20160801080000")
        assert bit_loop(part.raw[6:-4]) == int(part.raw[-4:], 16)
    assert [pair for part in parts for pair in part.pairs if pair[0] != "DataTime"] == items[1:]
    codes = [{name[:6] for name, _ in part.pairs if name != "DataTime"} for part in parts]
    assert sum(map(len, codes)) == 60


def test_a_short_packet_stays_whole():
    packet = decode(INTERVAL)
    assert split(packet) == [packet]
