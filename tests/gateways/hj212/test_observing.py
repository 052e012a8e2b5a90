"""From data areas to observations and events, by hand."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hj212_samples import framed, segment

from qinglan.gateways.hj212.codec import Dialect, Observation, decode


def observed(data: str, dialect: Dialect | None = None, **words: str) -> list[Observation]:
    return decode(framed(segment(data, **words)), dialect or Dialect()).observations()


def test_an_hour_of_the_standard():
    """HJ 212-2017 annex C; DataTime is the start of the hour, 8:00 in Beijing is 0:00 in UTC."""
    found = observed(
        "DataTime=20160801080000;w00000-Cou=63.0,w00000-Min=16.4,w00000-Avg=17.5,w00000-Max=20.1,w00000-Flag=N;"
        "w01001-Min=7.1,w01001-Avg=7.5,w01001-Max=7.8,w01001-Flag=D",
        command="2061",
    )
    assert [(one.factor, one.value, one.unit, one.flag) for one in found] == [
        ("w00000-cou", 63.0, "m3", None),
        ("w00000-min", 16.4, "L/s", None),
        ("w00000", 17.5, "L/s", None),
        ("w00000-max", 20.1, "L/s", None),
        ("w01001-min", 7.1, "1", "D"),
        ("w01001", 7.5, "1", "D"),
        ("w01001-max", 7.8, "1", "D"),
    ]
    assert {(one.grain, one.time, one.basis) for one in found} == {
        ("hour", datetime(2016, 8, 1, 0, tzinfo=UTC), "realtime")
    }
    assert {one.site for one in found} == {"010000A8900016F000169DC0"}
    assert [one.of for one in found] == ["w00000"] * 4 + ["w01001"] * 3


@pytest.mark.parametrize(
    ("command", "stamp", "time", "expected"),
    [
        ("2061", "start", "20160801080000", datetime(2016, 8, 1, 0, tzinfo=UTC)),
        ("2061", "end", "20160801080000", datetime(2016, 7, 31, 23, tzinfo=UTC)),
        ("2061", "start", "20160801080001", datetime(2016, 8, 1, 0, tzinfo=UTC)),
        ("2031", "start", "20160801000000", datetime(2016, 7, 31, 16, tzinfo=UTC)),
        ("2031", "end", "20160802000000", datetime(2016, 7, 31, 16, tzinfo=UTC)),
        ("2051", "start", "20160801084000", datetime(2016, 8, 1, 0, 40, tzinfo=UTC)),
        ("2051", "end", "20160801085000", datetime(2016, 8, 1, 0, 40, tzinfo=UTC)),
        ("2111", "end", "20160801084500", datetime(2016, 8, 1, 0, 40, tzinfo=UTC)),
        ("2011", "end", "20160801085857", datetime(2016, 8, 1, 0, 58, 57, tzinfo=UTC)),
        ("2011", "start", "20160824003817500", datetime(2016, 8, 23, 16, 38, 17, 500_000, tzinfo=UTC)),
    ],
)
def test_times(command: str, stamp: str, time: str, expected: datetime):
    found = observed(f"DataTime={time};w01018-Avg=1", Dialect(stamp=stamp), command=command)
    assert [one.time for one in found] == [expected]


@pytest.mark.parametrize("time", ["33811122235142", "20161301000000", "2016080108", "00010101000000", "", "今天"])
def test_without_a_time_nothing_is_observed(time: str):
    assert observed(f"DataTime={time};w01018-Rtd=1") == []


@pytest.mark.parametrize(
    ("text", "mark", "value", "flag"),
    [
        ("-99", "N", None, "sentinel"),
        ("-999.000", "N", None, "sentinel"),
        ("-00999.000", "N", None, "sentinel"),
        ("-100", "B", -100.0, "B"),
        ("-0.3", "N", -0.3, None),
        ("", "N", None, None),
        ("1e999", "N", None, "sentinel"),
        ("5", "m", 5.0, "unknown_mark"),
        ("5", "d", 5.0, "unknown_mark"),
        ("5", "T", 5.0, "T"),
        ("-999", "D", None, "D"),
    ],
)
def test_sentinels_and_marks(text: str, mark: str, value: float | None, flag: str | None):
    (one,) = observed(f"DataTime=20160801085857;w01018-Rtd={text},w01018-Flag={mark}")
    assert (one.value, one.flag, one.mark, one.text) == (value, flag, mark, text)


def test_a_flag_may_come_first_and_an_item_may_be_split():
    found = observed("DataTime=20160801085857;01-Flag=M,01-Rtd=3;01-ZsRtd=4", system="31")
    assert [(one.factor, one.value, one.flag) for one in found] == [("a34013", 3.0, "M"), ("a34013-zs", 4.0, "M")]


def test_codes_of_2005_by_the_system_that_sends_them():
    """B01, 011, 060 are flow, COD and ammonia of water; 02 and 03 are SO2 and NOx of flue gas (HJ 212-2017 annex B)."""
    water = observed("DataTime=20160801085857;B01-Rtd=36.91;011-Rtd=231.0;060-Rtd=1.803", system="32")
    assert [one.factor for one in water] == ["w00000", "w01018", "w21003"]
    air = observed("DataTime=20160801085857;02-Rtd=1;03-Rtd=2;a34013-Rtd=3;PM10-Rtd=4", system="31")
    assert [one.factor for one in air] == ["a21026", "a21002", "a34013", "a34002"]
    assert [one.code for one in air] == ["02", "03", "a34013", "PM10"]


def test_codes_that_no_table_has_are_kept_as_sent():
    (one,) = observed("DataTime=20160801085857;zz9999-Rtd=7")
    assert (one.factor, one.value, one.unit) == ("zz9999", 7.0, "")


def test_what_is_known_of_the_device_goes_before():
    dialect = Dialect(site="outlet-3", units={"a34004": "ug/m3"}, grains={"2082": "minute"}, sentinels=frozenset({0.0}))
    found = observed("DataTime=20160801085857;a34004-Avg=35;a34002-Avg=0", dialect, command="2082", system="22")
    assert [(one.site, one.unit, one.value, one.grain) for one in found] == [
        ("outlet-3", "ug/m3", 35.0, "minute"),
        ("outlet-3", "ng/m3", None, "minute"),
    ]
    assert observed("DataTime=20160801085857;a34004-Avg=35", command="2082") == []


def test_the_sample_has_its_own_time_and_the_device_its_own_mark():
    data = "DataTime=20160801085857;w01018-SampleTime=20160801070000,01018-Rtd=2.2,w01018-Flag=N,w01018-EFlag=A01"
    (one,) = observed(data)
    assert (one.factor, one.code, one.device_mark) == ("w01018", "01018", "A01")
    assert one.sampled == datetime(2016, 7, 31, 23, tzinfo=UTC)


def test_states_logs_and_words_are_events():
    packet = decode(
        framed(
            segment("DataTime=20160801085857;PolId=w01018;i11001-Info=//清洗管路//;i13004-Info=168.0", command="3020")
        )
    )
    assert [(one.name, one.text) for one in packet.events()] == [
        ("i11001-Info", "//清洗管路//"),
        ("i13004-Info", "168.0"),
    ]
    assert packet.observations() == []
    words = decode(framed(segment("DataTime=20160801085857;p10001-Rtd=St,p10001-Flag=N;w01018-Rtd=1")))
    assert [(one.name, one.text, one.time) for one in words.events()] == [
        ("p10001-Rtd", "St", datetime(2016, 8, 1, 0, 58, 57, tzinfo=UTC))
    ]
    assert [one.factor for one in words.observations()] == ["w01018"]


def test_a_request_observes_nothing():
    data = "BeginTime=20160801080000;EndTime=20160801080000"
    assert observed(data, command="2061") == []
    assert decode(framed(segment(data, command="2061"))).events() == []
