"""The simulated fleet against a small platform: what it sends, resends, answers, and never does."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import pytest
from hj212_platform import Link, Platform, answer

from qinglan.catalogue import factors
from qinglan.core.errors import InputError
from qinglan.gateways.hj212.codec import Packet, decode
from qinglan.gateways.hj212.simulate import FAULTS, PROFILES, Settings, Summary, frames, loopback_address, run
from qinglan.gateways.hj212.simulate.generating import device_number
from qinglan.gateways.hj212.simulate.statistics import Counts

REQUEST = "QN=20260101000000001;ST=32;CN={cn};PW=123456;MN={{mn}};Flag=5;CP=&&{cp}&&"


def asked(command: str, data: str = "", password: str = "123456") -> str:
    return REQUEST.format(cn=command, cp=data).replace("PW=123456", f"PW={password}")


def short(port: int, **more: object) -> Settings:
    return Settings(port=port, **({"devices": 3, "rate": 60.0, "duration": 0.6, "grace": 10.0} | more))


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("data", ["realtime", "minute", "hour", "day"])
def test_packets_are_valid_and_say_what_the_profile_measures(profile, data):
    settings = Settings(port=1, devices=3, profile=profile, data=data)
    packets = [decode(raw.removesuffix(b"\r\n")) for raw in islice(frames(settings), 90)]
    assert all(packet.valid and packet.wants_answer and not packet.defects for packet in packets)
    assert {packet.device for packet in packets} == {device_number(index) for index in range(3)}
    seen = {(packet.device, packet.fields["DataTime"]) for packet in packets}
    assert len(seen) == 90
    found = [one for packet in packets for one in packet.observations()]
    assert {one.grain for one in found} == {data}
    assert all(one.flag is None and one.value is not None for one in found)
    if profile in {"station", "surface-water"}:
        for one in found:
            factor = factors.find(one.of)
            assert factor is not None
            assert one.unit == (factor.transmitted_unit or factor.unit)
            if factor.plausible and one.unit == factor.unit and one.factor == one.of:
                assert factor.plausible[0] / 5 <= one.value <= factor.plausible[1] * 5


def test_the_seed_decides_the_values():
    one, same, other = (list(islice(frames(Settings(port=1, devices=2, seed=seed)), 20)) for seed in (1, 1, 2))
    assert one == same
    assert one != other


def test_all_is_sent_once_acknowledged_and_recorded(tmp_path: Path):
    record = tmp_path / "sent.jsonl"
    with Platform() as platform:
        done = run(short(platform.port, record=record))
    lines = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    assert done.packets == done.acknowledged == done.sends == len(lines) > 20
    assert (done.unacknowledged, done.reconnects, done.connected) == (0, 0, 3)
    assert done.p50 is not None
    assert done.p99 is not None
    assert 0 < done.p50 <= done.p99 <= done.longest < 5
    got = {(packet.device, packet.number): packet for packet in platform.received}
    assert len(got) == len(lines) == len(platform.received)
    for line in lines:
        packet = got[line["mn"], line["qn"]]
        assert line["acknowledged"] is True
        assert (packet.command, packet.fields["DataTime"]) == (line["cn"], line["data_time"])
        assert packet.data == f"DataTime={line['data_time']};{line['data']}"


def test_a_packet_is_sent_again_under_its_own_number_until_it_is_answered():
    heard: dict[str, int] = {}

    def third_time(link: Link, packet: Packet) -> None:
        heard[packet.number] = heard.get(packet.number, 0) + 1
        if heard[packet.number] >= 3:
            answer(link, packet)

    with Platform(third_time) as platform:
        done = run(short(platform.port, devices=2, rate=8.0, timeout=0.1, window=4))
    assert done.packets == done.acknowledged >= 2
    assert set(heard.values()) == {3}
    assert done.sends == 3 * done.packets
    assert done.reconnects == 0


def test_after_the_last_resend_the_logger_connects_again_and_goes_on():
    first: list[Link] = []

    def deaf_at_first(link: Link, packet: Packet) -> None:
        if not first:
            first.append(link)
        if link is not first[0]:
            answer(link, packet)

    with Platform(deaf_at_first) as platform:
        done = run(short(platform.port, devices=1, rate=3.0, timeout=0.1, retries=2))
    assert done.reconnects == 1
    assert done.unacknowledged == 0
    numbers = [packet.number for packet in platform.received]
    assert numbers.count(numbers[0]) == 4


def test_nothing_is_acknowledged_by_a_platform_that_is_silent_and_the_record_says_so(tmp_path: Path):
    record = tmp_path / "sent.jsonl"
    with Platform(lambda link, packet: None) as platform:
        done = run(short(platform.port, devices=2, rate=8.0, grace=0.2, record=record))
    lines = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    assert (done.acknowledged, done.packets, done.unacknowledged) == (0, 2, 2)
    assert [line["acknowledged"] for line in lines] == [False, False]


def test_an_answer_with_a_wrong_checksum_counts_for_nothing():
    def spoiled(link: Link, packet: Packet) -> None:
        segment = f"QN={packet.number};ST=91;CN=9014;PW=123456;MN={packet.device};Flag=4;CP=&&&&".encode()
        link.transport.write(b"##%04d" % len(segment) + segment + b"0002\r\n")

    with Platform(spoiled) as platform:
        done = run(short(platform.port, devices=1, rate=3.0, grace=0.1))
    assert done.acknowledged == 0


def test_requests_are_answered_9011_data_9012():
    begin = datetime.now(UTC) + timedelta(hours=8) - timedelta(hours=5)
    span = f"BeginTime={begin:%Y%m%d%H}0000,EndTime={begin + timedelta(hours=2):%Y%m%d%H}0000"
    questions = [
        asked("1011"),
        asked("1061"),
        asked("2061", span),
        asked("2061", "BeginTime=20100101000000;EndTime=20100101050000"),
        asked("8013"),
        asked("3012", password="000000"),
    ]
    for question in questions:
        with Platform(ask=[question]) as platform:
            done = run(short(platform.port, devices=1, rate=10.0, duration=1.0))
        command = question.partition("CN=")[2][:4]
        returned = [packet.fields["QnRtn"] for packet in platform.sent("9011")]
        executed = [packet.fields["ExeRtn"] for packet in platform.sent("9012")]
        assert done.commands == {command: 1}
        assert {packet.number for packet in (*platform.sent("9011"), *platform.sent("9012"))} == {"20260101000000001"}
        if command == "8013":
            assert (returned, executed) == (["8"], [])
        elif command == "3012":
            assert (returned, executed) == (["3"], [])
        elif "2010" in question:
            assert (returned, executed) == (["1"], ["100"])
        else:
            assert (returned, executed) == (["1"], ["1"])
        if command == "1061":
            assert [packet.fields["RtdInterval"] for packet in platform.sent("1061")] == ["30"]
        if question is questions[2]:
            expected = [f"{begin + timedelta(hours=hour):%Y%m%d%H}0000" for hour in range(3)]
            rows = [packet.fields["DataTime"] for packet in platform.sent("2061")]
            assert rows[:3] == expected or rows == expected
            order = [packet.command for packet in platform.received if packet.command in {"9011", "9012", "2061"}]
            assert order[0] == "9011"
            assert order[-1] == "9012"


def test_history_that_is_asked_for_is_what_was_sent_before():
    sent = next(frames(Settings(port=1, devices=1, data="hour"), start=datetime.now(UTC).timestamp() - 7200))
    hour = decode(sent.removesuffix(b"\r\n"))
    at = hour.fields["DataTime"]
    with Platform(ask=[asked("2061", f"BeginTime={at},EndTime={at}")]) as platform:
        run(short(platform.port, devices=1, rate=10.0))
    (row,) = (packet for packet in platform.sent("2061") if packet.fields["DataTime"] == at)
    assert row.data == hour.data


def test_a_clock_that_is_wrong_is_set_by_the_platform():
    late = f"SystemTime={datetime.now(UTC) + timedelta(hours=8):%Y%m%d%H%M%S}"
    with Platform(ask=[asked("1012", late)]) as platform:
        run(short(platform.port, devices=1, faults=("clock",), share=1.0, rate=5.0, duration=2.0))
    stamps = [packet.fields["DataTime"] for packet in platform.sent("2011")]
    off = [abs(_seconds(text) - datetime.now(UTC).timestamp()) for text in stamps]
    assert platform.sent("1013")
    assert off[0] > off[-1]
    assert off[-1] < 10


def _seconds(text: str) -> float:
    return (datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC) - timedelta(hours=8)).timestamp()


def test_a_platform_that_stops_real_time_data_gets_no_more():
    with Platform(ask=[asked("2012")]) as platform:
        run(short(platform.port, devices=1, rate=10.0, data="realtime"))
    assert 1 <= len(platform.sent("2011")) <= 3
    assert [packet.number for packet in platform.sent("9013")] == ["20260101000000001"]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_strikes_is_counted_and_loses_nothing(fault, tmp_path: Path):
    record = tmp_path / "sent.jsonl"
    share = 0.6 if fault in {"drift", "clock", "unknown-mn"} else 0.1 if fault == "disconnect" else 0.3
    with Platform() as platform:
        done = run(
            short(platform.port, faults=(fault,), share=share, seed=3, timeout=0.3, rate=80.0, devices=6, record=record)
        )
    assert done.faults[fault] > 0
    assert done.unacknowledged == 0
    lines = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    got = {(packet.device, packet.number) for packet in platform.received if packet.valid}
    assert {(line["mn"], line["qn"]) for line in lines} <= got
    invalid = sum(not packet.valid for packet in platform.received)
    assert (invalid > 0) == (fault == "bad-crc")
    assert (done.reconnects > 0) == (fault == "disconnect")
    assert any(line["mn"].startswith("FF") for line in lines) == (fault == "unknown-mn")
    if fault == "resends":
        assert len([p for p in platform.received if p.command != "1013"]) > len(lines)
    if fault == "gaps":
        assert len(lines) < 45


def test_a_drifting_device_measures_ever_more():
    with Platform() as platform:
        run(short(platform.port, devices=1, rate=200.0, window=50, faults=("drift",), share=1.0, data="realtime"))
    values = [float(packet.fields["w01018-Rtd"]) for packet in platform.sent("2011")]
    assert sum(values[-10:]) > 1.3 * sum(values[:10])


def test_two_processes_share_the_devices_and_the_record(tmp_path: Path):
    record = tmp_path / "sent.jsonl"
    with Platform() as platform:
        done = run(short(platform.port, devices=5, processes=2, record=record))
    lines = [json.loads(line) for line in record.read_text("utf-8").splitlines()]
    assert {line["mn"] for line in lines} == {device_number(index) for index in range(5)}
    assert done.acknowledged == len(lines)
    assert list(tmp_path.iterdir()) == [record]


def test_a_burst_is_sent_at_once_and_answered():
    with Platform() as platform:
        done = run(short(platform.port, devices=4, burst=200, data="hour", window=10))
    assert (done.packets, done.acknowledged) == (200, 200)
    assert len({(packet.device, packet.fields["DataTime"]) for packet in platform.sent("2061")}) == 200


def test_only_this_machine_is_spoken_to():
    with pytest.raises(InputError, match="really"):
        loopback_address("192.0.2.1", 8212)
    with pytest.raises(InputError, match="really"):
        run(Settings(host="192.0.2.1", port=8212, duration=0.1))
    assert loopback_address("192.0.2.1", 8212, really=True) == "192.0.2.1"
    assert loopback_address("localhost", 8212) in {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    ("field", "value"),
    [("duration", 901), ("devices", 10_001), ("devices", 0), ("rate", 0), ("port", 0), ("faults", ("rain",))],
)
def test_bounds(field, value):
    with pytest.raises(InputError) as refused:
        Settings(**({"port": 8212} | {field: value}))
    assert refused.value.field == field


def test_percentiles_of_several_processes():
    counts, other = Counts(seconds=2.0), Counts(seconds=1.0)
    for number in range(1, 100):
        counts.acknowledged(number / 1000)
    other.acknowledged(5.0)
    counts.add(other)
    assert counts.percentile(50) == pytest.approx(0.050, rel=0.03)
    assert counts.percentile(99) == pytest.approx(0.099, rel=0.03)
    assert counts.percentile(100) == 5.0
    summary = Summary.of(counts, 1)
    assert (summary.acknowledged, summary.rate, summary.longest) == (100, 50.0, 5.0)
    assert Counts().percentile(50) is None
