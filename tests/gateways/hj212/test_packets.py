"""Every packet collected from public sources: verdict, stated defects, all values, and back into bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from hj212_samples import collected

from qinglan.gateways.hj212.codec import Dialect, StreamDecoder, decode, encode

STATED = {
    "unframed body": "no_head",
    "without frame": "no_head",
    "extra 4 digits": "layout",
    "semicolons around": "layout",
    'length with ";"': "layout",
    "preceded by NUL": "leading",
    "modem chatter": "leading",
    "truncated packet": "half",
    "cut by a buffer limit": "half",
    "absurd length": "half",
    "torn packet": "torn",
    "SM4-ECB": "enciphered",
    "CRC not hexadecimal": "checksum_text",
    "length not digits": "length_text",
    "length field one too large": "length",
    "length copied": "length",
    "wrong length": "length",
    "length too large": "length",
    "tampered": "checksum",
    "wrong CRC": "checksum",
    "dummy CRC": "checksum",
    "CRC disagrees": "checksum",
    "plain Modbus": "checksum",
    "another algorithm": "checksum",
}


@pytest.fixture(scope="module")
def packets(shared: Path) -> list[dict[str, Any]]:
    return collected(shared)


def test_verdicts_are_those_of_the_collection(packets: list[dict[str, Any]]):
    wrong = [one["id"] for one in packets if decode(one["bytes"]).valid is not one["valid_crc"]]
    assert wrong == []
    assert len(packets) == 164
    assert sum(one["valid_crc"] for one in packets) == 110


def test_the_reason_is_the_stated_defect(packets: list[dict[str, Any]]):
    checked, wrong = 0, []
    for one in packets:
        if one["valid_crc"]:
            assert decode(one["bytes"]).reason is None
            continue
        stated = [code for words, code in STATED.items() if words in one["note"]]
        if stated:
            checked += 1
            found = decode(one["bytes"])
            if stated[0] not in found.defects or found.reason != stated[0]:
                wrong.append((one["id"], one["note"], found.defects))
    assert wrong == []
    assert checked >= 35


def test_length_and_delimiter_findings_agree(packets: list[dict[str, Any]]):
    for one in packets:
        found = decode(one["bytes"])
        if one["valid_crc"]:
            continue
        if one["len_ok"]:
            assert not {"length", "length_text", "half", "torn"} & set(found.defects), one["id"]
        if one["crc_by_delim"]:
            assert (found.framing, found.checksum, found.accepted) == ("delimiter", "standard", True), one["id"]


def test_the_algorithm_is_recognised_where_the_collector_did(packets: list[dict[str, Any]]):
    modbus = [one for one in packets if "equals standard Modbus CRC16" in one["note"]]
    assert [decode(one["bytes"]).checksum for one in modbus] == ["modbus"] * 7
    addressed = [one for one in packets if "extra 4 digits" in one["note"]]
    assert [(decode(one["bytes"]).layout, decode(one["bytes"]).checksum) for one in addressed] == [
        ("addressed", "modbus-swapped")
    ] * 4
    semicolons = [one for one in packets if "semicolons around" in one["note"]]
    assert [(decode(one["bytes"]).layout, decode(one["bytes"]).checksum) for one in semicolons] == [
        ("semicolons", "standard")
    ] * 2


def test_every_value_of_valid_packets_is_recovered(packets: list[dict[str, Any]]):
    names = 0
    for one in packets:
        if not one["valid_crc"]:
            continue
        first = one["bytes"][: 6 + int(one["bytes"][2:6])].decode()
        head, _, data = first[6:].partition("CP=&&")
        found = decode(one["bytes"])
        for item in filter(None, head.split(";")):
            name, _, value = item.partition("=")
            assert found.header[name] == value, one["id"]
        items = [item.partition("=")[::2] for item in re.split("[;,]", data.removesuffix("&&")) if item]
        assert found.pairs == items, one["id"]
        names += len(items)
    assert names > 600


def test_observations_have_every_number_of_valid_packets(packets: list[dict[str, Any]]):
    """Counted by hand-written patterns, not by the code's own table of suffixes."""
    numbers = 0
    for one in packets:
        if not one["valid_crc"] or one["cn"] not in {"2011", "2031", "2051", "2061"}:
            continue
        first = one["bytes"][: 6 + int(one["bytes"][2:6])].decode()
        written = re.findall(r"-(?:Zs)?(?:Rtd|Avg|Min|Max|Cou|Data|DayData|NightData)=([^;,&]+)", first)
        found = decode(one["bytes"]).observations()
        assert [value.text for value in found] == written, one["id"]
        assert [value.value for value in found] == [float(text) for text in written], one["id"]
        numbers += len(written)
    assert numbers > 300


def test_nothing_raises_and_bytes_come_back(packets: list[dict[str, Any]]):
    for one in packets:
        packet = decode(one["bytes"])
        packet.observations()
        packet.events()
        assert packet.edition in {"2005", "2017", "2025", "surface-water"}
        if packet.valid:
            assert encode(packet).upper() == packet.raw.upper() + b"\r\n", one["id"]


def test_a_device_known_to_deviate_is_accepted_but_not_valid(packets: list[dict[str, Any]]):
    for one in packets:
        found = decode(one["bytes"])
        if found.valid or found.checksum not in {"modbus", "modbus-swapped"}:
            continue
        known = decode(one["bytes"], Dialect(checksum=found.checksum, layout=found.layout))
        assert (found.accepted, known.valid, known.accepted) == (False, False, True), one["id"]
        assert encode(known).upper() == found.raw.upper() + b"\r\n" or found.layout == "addressed"


@pytest.mark.parametrize("note", ["CRC and length both of the plain segment", "length of the cipher text"])
def test_enciphered_packets_by_the_key_of_the_annex(packets: list[dict[str, Any]], note: str):
    (one,) = [one for one in packets if note in one["note"]]
    found = decode(one["bytes"], Dialect(key=b"0" * 16))
    assert (found.valid, found.reason, found.checksum) == (True, None, "standard")
    assert f"CP=&&{found.data}&&" == one["plain"][one["plain"].index("CP=&&") :]
    other = decode(one["bytes"], Dialect(key=b"1" * 16))
    assert (other.valid, other.reason) == (False, "checksum")


@pytest.mark.parametrize("size", [1, 7, 64, 1460, 10**6])
def test_one_connection_sends_them_all(packets: list[dict[str, Any]], size: int):
    """Whatever the reads: all valid packets, those after chatter and inside torn ones too, none that is not there."""
    stream = b"".join(one["bytes"] for one in packets)
    decoder = StreamDecoder()
    found = [packet for start in range(0, len(stream), size) for packet in decoder.feed(stream[start : start + size])]
    found += decoder.flush()
    valid = [packet.raw for packet in found if packet.valid]
    # One more of the sticky read, one more of the read without a line's end, one after chatter, one inside a torn one.
    assert len(valid) == 110 + 1 + 1 + 1 + 1
    expected = [decode(one["bytes"]).raw for one in packets if one["valid_crc"]]
    assert [raw for raw in expected if raw not in valid] == []
