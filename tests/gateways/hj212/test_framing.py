"""Frames by hand: what is valid, what is only read, and why."""

from __future__ import annotations

import pytest
from hj212_samples import INTERVAL, bit_loop, framed, segment

from qinglan.core.errors import InputError
from qinglan.gateways.hj212.codec import REASONS, Dialect, Packet, decode

DATA = segment("DataTime=20160801085857;w01018-Rtd=2.2,w01018-Flag=N")


def test_the_printed_packet():
    packet = decode(INTERVAL + b"\r\n")
    assert (packet.valid, packet.reason, packet.defects, packet.raw) == (True, None, (), INTERVAL)
    assert packet.header == {
        "QN": "20160801085857223",
        "ST": "32",
        "CN": "1062",
        "PW": "100000",
        "MN": "010000A8900016F000169DC0",
        "Flag": "5",
    }
    assert packet.fields == {"RtdInterval": "30"}
    assert (packet.flag, packet.wants_answer, packet.edition, packet.part) == (5, True, "2017", None)


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "no_head"),
        (b"hello", "no_head"),
        (b"##", "no_head"),
        (DATA.encode(), "no_head"),
        (b"AT\r\n" + framed(DATA), "leading"),
        (b"\0" + framed(DATA), "leading"),
        (b"##ABCD" + framed(DATA)[6:], "length_text"),
        (framed(DATA, length=len(DATA) + 1), "length"),
        (framed(DATA, length=len(DATA) - 1), "length"),
        (framed(DATA, length=9000), "too_long"),
        (framed(DATA, checksum="ZZZZ"), "checksum_text"),
        (framed(DATA, checksum="") + b"\r\n", "checksum_text"),
        (framed(DATA, checksum="0000"), "checksum"),
        (framed(DATA)[:-1], "checksum_text"),
        (framed(DATA)[:60], "half"),
        (framed(DATA)[:60] + framed(DATA), "torn"),
        (framed("QN=1;ST=32;CN=2011;MN=1;Flag=4"), "half"),
        (b"##0012" + DATA.encode() + b"%04X" % bit_loop(DATA.encode()), "length"),
        (framed(segment("{0x01,0x02}rest")), "enciphered"),
    ],
)
def test_what_is_not_valid_and_why(raw: bytes, reason: str):
    packet = decode(raw)
    assert (packet.valid, packet.reason) == (False, reason)
    assert REASONS[packet.reason].zh
    assert REASONS[packet.reason].en


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\n", b"\\r\\n", b" \r\n", b"\0"])
def test_the_end_of_the_line_is_taken_as_it_comes(end: bytes):
    packet = decode(framed(DATA) + end)
    assert (packet.valid, packet.defects) == (True, ())


def test_what_follows_a_packet_is_marked():
    packet = decode(framed(DATA) + framed(DATA))
    assert (packet.valid, packet.defects, packet.raw) == (True, ("trailing",), framed(DATA))


def test_the_checksum_may_be_written_small():
    packet = decode(framed(DATA)[:-4] + framed(DATA)[-4:].lower())
    assert packet.valid


def test_a_longer_segment_than_the_standard_allows_is_marked():
    text = segment("DataTime=20160801085857;i11001-Info=//" + "a" * 1500 + "//", command="3020")
    packet = decode(framed(text))
    assert (packet.valid, packet.defects) == (True, ("over_1024",))
    assert packet.fields["i11001-Info"] == "//" + "a" * 1500 + "//"
    refused = decode(framed(text), Dialect(limit=1024))
    assert (refused.valid, refused.reason) == (False, "too_long")


def test_header_keys_in_any_order_and_writing():
    text = "ST=32;CN=2051;FLAG=4;PW=123456;,mn= 88888880000001 ;QN=20190424002721389;CP=&&w01018-Avg=1&&"
    packet = decode(framed(text))
    assert packet.valid
    assert (packet.device, packet.flag, packet.number) == ("88888880000001", 4, "20190424002721389")


def test_a_flag_that_runs_into_the_data_area():
    packet = decode(framed("QN=20160801085857223;ST=32;CN=2011;MN=1;Flag=5CP=&&w01018-Rtd=1&&"))
    assert (packet.valid, packet.flag, packet.fields) == (True, 5, {"w01018-Rtd": "1"})


def test_the_number_of_the_exchange_may_stand_in_the_data_area():
    packet = decode(framed("ST=91;CN=9011;MN=1;CP=&&QN=20040516010101001;QnRtn=1&&"))
    assert (packet.number, packet.edition) == ("20040516010101001", "2005")


def test_repeated_names_are_all_kept():
    packet = decode(framed(segment("PolId=101;PolId=102", command="1021")))
    assert packet.values("PolId") == ["101", "102"]
    assert packet.fields == {"PolId": "102"}


def test_a_log_keeps_the_separators_in_it():
    packet = decode(framed(segment("PolId=w01018;i11001-Info=//清洗;用时=3,完成//;i13004-Info=168.0", command="3020")))
    assert packet.pairs[1:] == [("i11001-Info", "//清洗;用时=3,完成//"), ("i13004-Info", "168.0")]


def test_chinese_text_in_either_encoding():
    text = segment("i11001-Info=//时间校准//", command="3020")
    in_utf8, in_gbk = framed(text), framed(text.encode("gbk"))
    assert decode(in_utf8).fields == decode(in_gbk).fields == {"i11001-Info": "//时间校准//"}
    assert (decode(in_utf8).defects, decode(in_gbk).valid, decode(in_gbk).defects) == ((), True, ("text",))
    assert decode(in_utf8, Dialect(text="gbk")).valid
    unreadable = decode(framed(segment("i11001-Info=//").encode()[:-2] + b"\xff\xff//&&"))
    assert (unreadable.valid, unreadable.defects) == (True, ("text",))


def test_a_length_that_counts_characters():
    text = segment("i11001-Info=//时间校准//", command="3020")
    packet = decode(framed(text, length=len(text)))
    assert (packet.valid, packet.reason, packet.accepted, packet.framing) == (False, "length", True, "delimiter")
    assert packet.fields == {"i11001-Info": "//时间校准//"}


def test_other_checksums_are_taken_only_where_the_device_is_known_for_them():
    raw = b"##0097QN=20170516010101001;ST=22;CN=1000;PW=123456;MN=ABCDEFG1234567;Flag=3;CP=&&OverTime=5;ReCount=3&&2D61"
    assert (decode(raw).checksum, decode(raw).accepted) == ("modbus", False)
    known = decode(raw, dialects=lambda mn: Dialect(checksum="modbus") if mn == "ABCDEFG1234567" else None)
    assert (known.valid, known.accepted, known.fields) == (False, True, {"OverTime": "5", "ReCount": "3"})
    other = decode(raw, dialects=lambda mn: Dialect(checksum="modbus-swapped"))
    assert other.accepted is False


def test_semicolons_around_the_segment_are_counted_and_checked():
    """As sent by one vendor's logger: length 79 counts both semicolons, the checksum begins at the length."""
    raw = b"##0079;QN=20140617095521000;ST=32;CN=2011;PW=123456;MN=77777770000001;Flag=1;CP=&&&&;F3C1"
    assert (decode(raw).valid, decode(raw).reason, decode(raw).accepted) == (False, "layout", False)
    assert decode(raw, Dialect(layout="semicolons")).accepted
    wrong = decode(raw.replace(b"Flag=1", b"Flag=0"), Dialect(layout="semicolons"))
    assert (wrong.accepted, wrong.defects) == (False, ("layout", "checksum"))


def test_an_address_before_the_length():
    raw = b"##00010077QN=20150530191136001;ST=31;CN=2023;PW=123456;MN=88888880000001;Flag=3;CP=&&&&34A9"
    packet = decode(raw, Dialect(layout="addressed", checksum="modbus-swapped"))
    assert (packet.valid, packet.accepted, packet.device) == (False, True, "88888880000001")
    assert decode(raw, Dialect(layout="addressed")).accepted is False


@pytest.mark.parametrize(
    ("flag", "system", "mn", "expected"),
    [
        ("1", "32", "88888880000001", "2005"),
        ("5", "32", "010000A8900016F000169DC0", "2017"),
        ("9", "21", "A110000_0001", "surface-water"),
        ("9", "21", "010000A8900016F000169DC0", "surface-water"),
        ("9", "32", "A110000_0001", "surface-water"),
    ],
)
def test_the_edition_is_guessed_where_the_device_is_not_known(flag: str, system: str, mn: str, expected: str):
    raw = framed(segment("", flag=flag, system=system, mn=mn))
    assert decode(raw).edition == expected
    assert decode(raw, Dialect(edition="2025")).edition == "2025"


def test_flag_nine_is_2025_only_after_its_draft():
    old = framed(segment("", flag="9"))
    new = framed(segment("", flag="9").replace("QN=2016", "QN=2026"))
    assert (decode(old).edition, decode(new).edition) == ("surface-water", "2025")


@pytest.mark.parametrize(
    ("counted", "expected"),
    [
        ("PNUM=2;PNO=1;", (1, 2)),
        ("PNO=0002;PNUM=0002;", (2, 2)),
        ("", None),
        ("PNUM=2;PNO=3;", None),
        ("PNUM=x;PNO=1;", None),
    ],
)
def test_parts(counted: str, expected: tuple[int, int] | None):
    raw = framed(segment("w01018-Avg=1", flag=f"7;{counted.removesuffix(';')}" if counted else "7"))
    assert decode(raw).part == expected


def test_unusable_dialects_are_refused():
    with pytest.raises(InputError, match="16 字节"):
        Dialect(key=b"short")
    with pytest.raises(InputError, match="9999"):
        Dialect(limit=10_000)
    assert "key" not in repr(Dialect(key=b"0" * 16))


def test_a_packet_without_defects_has_no_reason():
    assert Packet(b"", {}, valid=True).reason is None
