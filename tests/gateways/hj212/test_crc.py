"""The checksums, against the pseudo-code of the standard and printed values."""

from __future__ import annotations

from hj212_samples import FIELD_TIME, INTERVAL, bit_loop
from hypothesis import given
from hypothesis import strategies as st

from qinglan.gateways.hj212.codec import crc


def test_printed_examples():
    assert crc.standard(INTERVAL[6:-4]) == 0x1C80
    assert crc.standard(FIELD_TIME[6:-4]) == 0x2200


@given(st.binary(max_size=1100))
def test_folding_equals_the_steps_of_the_standard(segment: bytes):
    assert crc.standard(segment) == bit_loop(segment)


def test_every_length_up_to_the_longest_folds_right():
    data = bytes(range(1, 252)) * 5
    lengths = [*range(140), 255, 256, 257, 511, 512, 513, 1023, 1024, 1025]
    assert [length for length in lengths if crc.standard(data[:length]) != bit_loop(data[:length])] == []


def test_only_256_values_exist_and_one_wrong_byte_is_always_seen():
    assert len(crc.VALUES) == 256
    segment = INTERVAL[6:-4]
    for place in range(len(segment)):
        for difference in (1, 0x20, 0x80, 0xFF):
            wrong = bytearray(segment)
            wrong[place] ^= difference
            assert crc.standard(bytes(wrong)) != 0x1C80


def test_modbus_by_its_published_check_value():
    """The catalogue of parametrised CRC algorithms prints 4B37 for "123456789"."""
    assert crc.modbus(b"123456789") == 0x4B37
    assert crc.swapped(0x4B37) == 0x374B
    # ##0097…OverTime=5;ReCount=3&&2D61, a packet of a vendor that sends the plain algorithm.
    segment = b"QN=20170516010101001;ST=22;CN=1000;PW=123456;MN=ABCDEFG1234567;Flag=3;CP=&&OverTime=5;ReCount=3&&"
    assert crc.modbus(segment) == 0x2D61
