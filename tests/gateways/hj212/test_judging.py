"""What is accepted, which packets are one, and what is answered, as the standards and real platforms print it."""

from __future__ import annotations

import pytest
from gateway_parts import MN, upload
from hj212_samples import framed

from qinglan.gateways.hj212.codec import Packet, decode
from qinglan.gateways.hj212.devices import Device, Devices
from qinglan.gateways.hj212.judging import REFUSALS, answer, key_of, refusal


def packet(text: str, device: Device | None = None) -> Packet:
    return decode(framed(text), dialects=Devices([device]) if device else None)


def test_the_answer_to_data_is_the_one_that_the_2017_text_prints() -> None:
    # HJ 212-2017 annex C, CRC computed from annex A's pseudo-code (packets.jsonl).
    asked = packet(
        "QN=20160801085857534;ST=32;CN=2051;PW=123456;MN=010000A8900016F000169DC0;Flag=5;"
        "CP=&&DataTime=20160801085000;w01018-Avg=2.2&&"
    )
    printed = b"##0087QN=20160801085857534;ST=91;CN=9014;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&5B40\r\n"
    assert answer(asked, None) == printed


def test_the_answer_to_a_notice_is_the_one_that_the_2017_text_prints() -> None:
    asked = packet(
        "QN=20160801085857223;ST=32;CN=1013;PW=123456;MN=010000A8900016F000169DC0;Flag=5;CP=&&PolId=w01018&&"
    )
    printed = b"##0087QN=20160801085857223;ST=91;CN=9013;PW=123456;MN=010000A8900016F000169DC0;Flag=4;CP=&&&&2A80\r\n"
    assert answer(asked, None) == printed


def test_the_answer_of_version_bits_2_carries_flag_8() -> None:
    asked = packet(
        "QN=20260706103512345;ST=21;CN=2061;PW=123456;MN=A110000_0001;Flag=9;CP=&&DataTime=20260706100000;w01001-Avg=7&&"
    )
    seen = b"##0075QN=20260706103512345;ST=91;CN=9014;PW=123456;MN=A110000_0001;Flag=8;CP=&&&&0140\r\n"
    assert answer(asked, None) == seen


def test_the_answer_of_2005_names_what_it_answers_in_its_data_area() -> None:
    asked = packet(
        "QN=20080516010101001;ST=31;CN=2011;PW=123456;MN=88888880000001;Flag=1;CP=&&DataTime=20080516010000;02-Rtd=1.1&&"
    )
    found = decode(answer(asked, None) or b"")
    assert found.valid
    assert found.header == {
        "QN": "20080516010101001", "ST": "91", "CN": "9014", "PW": "123456", "MN": "88888880000001", "Flag": "0",
    }  # fmt: skip
    assert found.pairs == [("QN", "20080516010101001"), ("CN", "2011")]


@pytest.mark.parametrize(
    ("command", "flag", "answered"),
    [
        ("2011", "5", "9014"),
        ("2011", "4", None),
        ("2011", "9", "9014"),
        ("3020", "5", "9014"),
        ("8013", "5", "9014"),
        ("1013", "5", "9013"),
        ("9015", "8", "9013"),
        ("9021", "5", "9022"),
        ("9011", "5", None),
        ("9012", "5", None),
        ("9013", "5", None),
        ("9014", "5", None),
    ],
)
def test_what_is_answered(command: str, flag: str, answered: str | None) -> None:
    raw = answer(decode(upload(1, command=command, flag=flag).strip()), None)
    assert (decode(raw).command if raw else None) == answered


def test_a_device_of_another_dialect_is_answered_in_it() -> None:
    device = Device(mn=MN, checksum="modbus", layout="addressed")
    found = decode(answer(decode(upload(1).strip(), dialects=Devices([device])), device) or b"")
    assert (found.checksum, found.layout, found.command) == ("modbus", "addressed", "9014")


def test_text_that_would_break_the_answer_is_not_repeated_in_it() -> None:
    raw = answer(decode(upload(1, password="1&2", qn="2024#601080000000").strip()), None)
    found = decode(raw or b"")
    assert found.valid
    assert set(found.header) == {"ST", "CN", "MN", "Flag"}


@pytest.mark.parametrize(
    ("device", "raw", "address", "reason"),
    [
        (Device(mn=MN), upload(1), "10.0.0.1", None),
        (None, upload(1), "10.0.0.1", None),
        (Device(mn=MN), upload(1, checksum="1234"), "10.0.0.1", "checksum"),
        (Device(mn=MN, password="654321"), upload(1), "10.0.0.1", "password"),
        (Device(mn=MN, password="123456"), upload(1), "10.0.0.1", None),
        (Device(mn=MN, addresses=("10.0.0.0/8",)), upload(1), "10.9.9.9", None),
        (Device(mn=MN, addresses=("10.0.0.0/8",)), upload(1), "::ffff:10.9.9.9", None),
        (Device(mn=MN, addresses=("10.0.0.0/8",)), upload(1), "11.0.0.1", "address"),
        (Device(mn=MN, state="blocked"), upload(1), "10.0.0.1", "blocked"),
        (Device(mn=MN, state="quarantined"), upload(1), "10.0.0.1", None),
        (None, upload(1, mn=""), "10.0.0.1", "no_device"),
        (None, upload(1, mn="A" * 28), "10.0.0.1", "no_device"),
        (None, upload(1, mn="A B"), "10.0.0.1", "no_device"),
        (None, upload(1, mn="A\0B"), "10.0.0.1", "no_device"),
    ],
)
def test_what_is_refused(device: Device | None, raw: bytes, address: str, reason: str | None) -> None:
    assert refusal(decode(raw.strip()), device, address) == reason
    assert reason is None or reason in REFUSALS


def test_a_resend_is_the_same_packet_and_whatever_says_something_else_is_not() -> None:
    first = decode(upload(1).strip())
    assert key_of(first) == key_of(decode(upload(1, flag="4", password="0").strip()))
    # The same hour sent again under a new QN is the same; the next one under the same QN is not.
    again = "DataTime=20240601080001;w01018-Rtd=1.5,w01018-Flag=N"
    assert key_of(first) == key_of(decode(upload(77, data=again).strip()))
    others = [
        upload(1, data="DataTime=20240601080001;w01018-Rtd=1.6,w01018-Flag=N"),
        upload(1, data="DataTime=20240601080002;w01018-Rtd=1.5,w01018-Flag=N"),
        upload(1, command="2051"),
        upload(1, system="21"),
        upload(1, mn="A1"),
    ]
    keys = {key_of(decode(raw.strip())) for raw in others}
    assert len(keys) == len(others)
    assert key_of(first) not in keys


def test_notices_without_a_time_are_told_apart_by_their_number() -> None:
    first, second = (decode(upload(number, command="9015", data="").strip()) for number in (1, 2))
    assert key_of(first) != key_of(second)
    assert key_of(first) == key_of(decode(upload(1, command="9015", data="").strip()))
