"""From the packet journal into the lake: the right series, times, units and flags, each packet exactly once."""

from __future__ import annotations

import sqlite3
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest
from gateway_parts import MN, upload
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from qinglan.base.settings import Settings
from qinglan.core.errors import InputError, StorageError
from qinglan.gateways.hj212 import archive
from qinglan.gateways.hj212.codec import Observation, Packet, decode
from qinglan.gateways.hj212.converting import Converter
from qinglan.gateways.hj212.devices import Device, Devices, all_devices, save
from qinglan.gateways.hj212.judging import key_of, key_of_refused
from qinglan.gateways.hj212.replaying import adopt, declare, replay
from qinglan.gateways.hj212.segments import FOLDER, Stored, segments
from qinglan.gateways.hj212.serving import set_aside
from qinglan.gateways.hj212.states import events, states
from qinglan.gateways.hj212.taking import Taker
from qinglan.gateways.hj212.writing import SegmentWriter
from qinglan.observations.lake import open_lake
from qinglan.observations.schema import validate

RECEIVED = int(datetime(2024, 6, 1, 0, 30, tzinfo=UTC).timestamp() * 1e6)


def kept(raw: bytes, *, refused: str = "", received: int = RECEIVED) -> Stored:
    packet = decode(raw.strip())
    return Stored(received, "10.1.2.3", refused, key_of_refused(packet) if refused else key_of(packet), raw.strip())


def write(home: Settings, *raws: bytes | Stored, process: int = 0, close: bool = True) -> Path:
    """A segment of these packets, two a group."""
    writer = SegmentWriter(home.journals / FOLDER, process)
    packets = [raw if isinstance(raw, Stored) else kept(raw) for raw in raws]
    for at in range(0, len(packets), 2):
        writer.append(packets[at : at + 2])
    path = writer.path
    assert path is not None
    if close:
        writer.close()
    return path


def taken(home: Settings, engine: Engine) -> Taker:
    """A taker that has taken everything there is."""
    taker = Taker(home, engine)
    taker.finish()
    return taker


def lake_rows(home: Settings, engine: Engine) -> pl.DataFrame:
    return open_lake(home, engine).scan().collect().sort("site", "factor", "grain", "time")


def plain(frame: pl.DataFrame) -> list[tuple[object, ...]]:
    return frame.select(
        "site", "factor", "grain", pl.col("time").dt.to_string("%m-%d %H:%M:%S"), "value", "flag"
    ).rows()


def test_names_and_suffixes_become_series_of_the_right_grain_time_unit_and_flag(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN, site="OUTLET-1")])
    write(
        home,
        # DataTime of real-time data is the moment; of hours and days the start, in Beijing time (HJ 212-2017).
        upload(data="DataTime=20240601080030;w01018-Rtd=30.5,w01018-Flag=N;w21003-Rtd=-99,w21003-Flag=D"),
        upload(
            command="2061",
            data="DataTime=20240601080000;w01018-Min=20.1,w01018-Avg=25,w01018-Max=31.5,w01018-Cou=1.25,w01018-Flag=M",
        ),
        upload(command="2031", data="DataTime=20240601000000;w01018-Avg=24,w01018-Flag=N"),
        # The national table prints mg/m3 for SO2 on the wire; the catalogue keeps ug/m3.
        upload(
            command="2051",
            system="31",
            data="DataTime=20240601081000;a21026-Avg=1.1,a21026-ZsAvg=2.35,a21026-Flag=N",
        ),
    )
    taken(home, engine)
    rows = lake_rows(home, engine)
    assert plain(rows) == [
        ("OUTLET-1", "a21026", "minute", "06-01 00:10:00", 1100.0, None),
        ("OUTLET-1", "a21026-zs", "minute", "06-01 00:10:00", 2350.0, None),
        ("OUTLET-1", "w01018", "day", "05-31 16:00:00", 24.0, None),
        ("OUTLET-1", "w01018", "hour", "06-01 00:00:00", 25.0, "M"),
        ("OUTLET-1", "w01018", "realtime", "06-01 00:00:30", 30.5, None),
        ("OUTLET-1", "w01018-cou", "hour", "06-01 00:00:00", 1.25, "M"),
        ("OUTLET-1", "w01018-max", "hour", "06-01 00:00:00", 31.5, "M"),
        ("OUTLET-1", "w01018-min", "hour", "06-01 00:00:00", 20.1, "M"),
        ("OUTLET-1", "w21003", "realtime", "06-01 00:00:30", None, "D"),
    ]
    assert rows["source"].unique().to_list() == ["hj212"]
    assert rows["basis"].unique().to_list() == ["realtime"]
    assert rows["received"].unique().to_list() == [datetime(2024, 6, 1, 0, 30, tzinfo=UTC)]


def test_a_device_may_stamp_ends_send_its_own_units_and_measure_at_several_sites(
    home: Settings, engine: Engine
) -> None:
    device = Device(
        mn=MN,
        site="PLANT",
        sites={"a": "STACK", "w21003": "OUTLET-2", "22": "ROOF"},
        units={"w01018": "ug/L", "a21026": "ug/m3"},
        stamp="end",
        simulated=True,
    )
    assert declare(engine, [device]) == 1
    write(
        home,
        upload(command="2061", data="DataTime=20240601090000;w01018-Avg=25000,w01018-Flag=N;w21003-Avg=1.5"),
        upload(command="2061", system="31", data="DataTime=20240601090000;a21026-Avg=12,a21026-Flag=N"),
        upload(command="2061", system="22", data="DataTime=20240601090000;w01018-Avg=1000"),
    )
    taken(home, engine)
    rows = lake_rows(home, engine)
    assert plain(rows) == [
        ("OUTLET-2", "w21003", "hour", "06-01 00:00:00", 1.5, None),
        ("PLANT", "w01018", "hour", "06-01 00:00:00", 25.0, None),
        ("ROOF", "w01018", "hour", "06-01 00:00:00", 1.0, None),
        ("STACK", "a21026", "hour", "06-01 00:00:00", 12.0, None),
    ]
    assert rows["source"].unique().to_list() == ["simulated"]


def test_a_unit_that_cannot_be_converted_is_refused_when_it_is_declared(engine: Engine) -> None:
    with pytest.raises(InputError) as refusal:
        declare(engine, [Device(mn=MN, units={"w01018": "kg"})])
    assert "w01018" in refusal.value.en
    assert all_devices(engine) == []


def test_a_packet_in_two_journals_or_twice_in_one_is_taken_once(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN)])
    write(home, upload(1), upload(2), upload(1), process=0)
    write(home, upload(1, flag="4"), upload(3), process=1)
    taker = taken(home, engine)
    assert taker.counts == {"accepted": 3, "repeated": 2, "observations": 3}
    assert lake_rows(home, engine)["value"].to_list() == [1.5, 2.5, 3.5]
    # A day later it is still known, in a new process.
    write(home, upload(2), process=2)
    assert taken(home, engine).counts == {"repeated": 1, "observations": 0}
    verdicts = archive.search(home)["verdict"].to_list()
    assert sorted(verdicts) == ["accepted"] * 3 + ["repeated"] * 3


def test_what_was_taken_but_not_drained_is_not_taken_again(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN)])
    write(home, upload(1), upload(2), upload(3), close=False)
    first = Taker(home, engine)
    assert first.take() == 3
    first.marks.close()
    second = Taker(home, engine)
    assert second.take() == 0
    second.finish()
    assert lake_rows(home, engine)["value"].to_list() == [1.5, 2.5, 3.5]


def test_a_failure_between_observations_and_mark_leaves_neither(
    home: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(engine, [Device(mn=MN)])
    write(home, upload(1), upload(2))
    taker = Taker(home, engine)
    write_marks = taker.marks.write

    def failing(*arguments: object, **named: object) -> None:
        named["through"] = object()
        write_marks(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(taker.marks, "write", failing)
    with pytest.raises(StorageError):
        taker.take()
    assert taker.marks.journal.last_offset == 0
    monkeypatch.setattr(taker.marks, "write", write_marks)
    taker.finish()
    assert lake_rows(home, engine)["value"].to_list() == [1.5, 2.5]


def test_refused_packets_are_archived_with_their_reason_and_say_nothing_to_the_lake(
    home: Settings, engine: Engine
) -> None:
    save(engine, [Device(mn=MN)])
    write(home, kept(upload(1, checksum="1234"), refused="checksum"), upload(2))
    taken(home, engine)
    assert lake_rows(home, engine)["value"].to_list() == [2.5]
    found = archive.search(home, verdict="refused")
    assert found.select("mn", "reason", "address").rows() == [(MN, "checksum", "10.1.2.3")]
    assert found["raw"].to_list() == [upload(1, checksum="1234").strip()]
    state = states(engine)[MN]
    assert (state["accepted"], state["rejected"], state["last_reason"]) == (1, 1, "checksum")


def test_an_unknown_device_is_listed_and_its_data_come_in_when_it_is_adopted(home: Settings, engine: Engine) -> None:
    write(home, upload(1), upload(2), upload(2))
    write(home, upload(3), process=1, close=False)
    taken(home, engine)
    assert [(one.mn, one.state) for one in all_devices(engine)] == [(MN, "quarantined")]
    assert lake_rows(home, engine).height == 0
    assert states(engine)[MN]["quarantined"] == 4
    with pytest.raises(InputError, match="adopt"):
        replay(home, engine, open_lake(home, engine), MN)

    assert adopt(engine, MN, site="OUTLET-9").site == "OUTLET-9"
    packets, receipt = replay(home, engine, open_lake(home, engine), MN)
    assert (packets, receipt.added, receipt.repeated) == (4, 3, 1)
    rows = lake_rows(home, engine)
    assert rows["value"].to_list() == [1.5, 2.5, 3.5]
    assert rows["site"].unique().to_list() == ["OUTLET-9"]
    # Once more changes nothing, and what comes now goes the common way.
    assert replay(home, engine, open_lake(home, engine), MN)[1].added == 0
    write(home, upload(4), process=2)
    taken(home, engine)
    assert lake_rows(home, engine)["value"].to_list() == [1.5, 2.5, 3.5, 4.5]


def test_a_packet_refused_by_an_old_declaration_comes_in_by_a_replay(home: Settings, engine: Engine) -> None:
    from qinglan.gateways.hj212.codec import Dialect, build, encode

    header = {"QN": "20240601080000001", "ST": "32", "CN": "2011", "PW": "1", "MN": MN, "Flag": "5"}
    items = [("DataTime", "20240601080000"), ("w01018-Rtd", "7.5")]
    raw = encode(build(header, items, Dialect(checksum="modbus")))
    save(engine, [Device(mn=MN)])
    write(home, kept(raw, refused="checksum"))
    taken(home, engine)
    assert replay(home, engine, open_lake(home, engine), MN)[0] == 0
    save(engine, [Device(mn=MN, checksum="modbus")])
    assert replay(home, engine, open_lake(home, engine), MN)[0] == 1
    assert lake_rows(home, engine)["value"].to_list() == [7.5]


def test_words_become_device_events_once(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN, site="OUTLET-1")])
    state = upload(1, command="2021", data="DataTime=20240601080000;SB1-RS=1;SB2-RS=0")
    text = upload(2, command="3020", data="DataTime=20240601080001;PolId=w01018;i11001-Info=//换电极;清洗//")
    write(home, state, text)
    write(home, state, process=1)
    taken(home, engine)
    found = [(one["name"], one["text"], one["site"]) for one in events(engine, MN)]
    assert sorted(found) == [
        ("SB1-RS", "1", "OUTLET-1"), ("SB2-RS", "0", "OUTLET-1"), ("i11001-Info", "//换电极;清洗//", "OUTLET-1"),
    ]  # fmt: skip


def test_a_part_without_a_time_of_its_own_has_that_of_the_part_before(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN)])
    head = f"QN=20240601080000001;ST=32;CN=2061;PW=1;MN={MN};Flag=7;PNUM=2"
    from hj212_samples import framed

    write(
        home,
        framed(f"{head};PNO=1;CP=&&DataTime=20240601080000;w01018-Avg=1.5&&"),
        framed(f"{head};PNO=2;CP=&&w21003-Avg=2.5&&"),
    )
    taken(home, engine)
    assert [row[1:5] for row in plain(lake_rows(home, engine))] == [
        ("w01018", "hour", "06-01 00:00:00", 1.5),
        ("w21003", "hour", "06-01 00:00:00", 2.5),
    ]


def test_a_clock_that_is_wrong_is_noted(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN)])
    # QN says 08:00:01.001 Beijing time; received at 08:30.
    write(home, upload(1))
    taken(home, engine)
    assert states(engine)[MN]["clock_seconds"] == pytest.approx(-1798.999)


def test_segments_go_when_lake_and_archive_have_them_and_not_before(
    home: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(engine, [Device(mn=MN)])
    closed = write(home, upload(1), upload(2))
    current = write(home, upload(3), process=1, close=False)
    taker = Taker(home, engine)

    def broken(*_: object, **__: object) -> None:
        raise StorageError("磁盘已满。", "The disk is full.")

    with monkeypatch.context() as patch:
        patch.setattr(archive, "write", broken)
        taker.finish()
        assert closed.exists()
    taker.archive()
    assert not closed.exists()
    assert segments(home.journals / FOLDER) == [current]
    # The archived and the current ones are found together, each packet once.
    found = archive.search(home, mn=MN)
    assert [raw + b"\r\n" for raw in found["raw"]] == [upload(1), upload(2), upload(3)]


def test_packets_are_found_by_device_time_and_verdict(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN), Device(mn="B2")])
    hour = 3_600_000_000
    write(
        home,
        *(kept(upload(number), received=RECEIVED + number * hour) for number in range(20)),
        kept(upload(1, mn="B2", command="2061"), received=RECEIVED + 30 * hour),
    )
    taken(home, engine)
    folder = archive.root(home)
    # 08:30 of 1 June Beijing time and on: 16 packets on the first day, 4 on the second, one at 14:30 of the second.
    assert sorted(path.parent.name for path in folder.rglob("*.parquet")) == ["2024-06-01", "2024-06-02"]
    start = datetime(2024, 6, 1, 15, 30, tzinfo=UTC)
    assert archive.search(home, mn=MN, start=start).height == 5
    assert archive.search(home, mn=MN, end=start).height == 15
    assert archive.search(home, mn="B2").height == 1
    assert archive.search(home, command="2061")["mn"].to_list() == ["B2"]
    assert archive.search(home, mn="nobody").height == 0


def test_days_become_one_file_and_move_to_their_month_after_35_days(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN)])
    day = 86_400_000_000
    for process in range(2):
        write(
            home,
            *(kept(upload(at + 10 * process), received=RECEIVED + at * 30 * day) for at in range(2)),
            process=process,
        )
    taken(home, engine)
    before = archive.search(home)
    today = (datetime(2024, 7, 6, tzinfo=UTC)).date()
    assert archive.maintain(home, today) == {"days": 2, "archived": 0}
    folder = archive.root(home)
    assert sorted(path.name for path in folder.iterdir()) == ["2024-06-01.parquet", "2024-07-01.parquet"]
    assert archive.maintain(home, today + timedelta(days=1)) == {"days": 0, "archived": 1}
    assert (folder / "archive" / "2024-06" / "01.parquet").exists()
    assert archive.search(home).equals(before)
    june = datetime(2024, 6, 15, tzinfo=UTC)
    assert archive.search(home, end=june).height == 2
    # What comes late joins the file that is there.
    write(home, kept(upload(99), received=RECEIVED), process=2)
    taken(home, engine)
    archive.maintain(home, today + timedelta(days=1))
    assert archive.search(home, end=june).height == 3
    assert len(list(folder.rglob("*.parquet"))) == 2


def damage(path: Path) -> None:
    """Turn bits of the last group's payload over, on its page in the file."""
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    last = connection.execute("SELECT payload FROM groups ORDER BY id DESC LIMIT 1").fetchone()[0]
    connection.close()
    raw = path.read_bytes()
    at = raw.rindex(last[-60:])
    path.write_bytes(raw[:at] + bytes(byte ^ 0x55 for byte in raw[at : at + 40]) + raw[at + 40 :])


def test_a_damaged_page_stops_the_answers_until_it_is_restored(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN)])
    path = write(home, upload(1), upload(2), upload(3), upload(4))
    whole = path.read_bytes()
    write(home, upload(5), process=1)
    damage(path)
    taker = taken(home, engine)
    # What stands before the damage and in other files is taken all the same.
    assert lake_rows(home, engine)["value"].to_list() == [1.5, 2.5, 5.5]
    assert not taker.health.well
    assert path.name in taker.health.ailments["damaged"].zh
    assert taker.status()["damaged"] == [path.name]
    assert path.exists()
    path.write_bytes(whole)
    taker.finish()
    assert taker.health.well
    assert lake_rows(home, engine)["value"].to_list() == [1.5, 2.5, 3.5, 4.5, 5.5]


def test_a_file_that_is_no_journal_any_more_is_set_aside_by_hand(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN)])
    path = write(home, upload(1), upload(2))
    path.write_bytes(b"\0" * 8192)
    taker = taken(home, engine)
    assert taker.health.ailments.keys() == {"damaged"}
    moved = set_aside(home, path.name)
    assert moved.exists()
    taker.finish()
    assert taker.health.well
    with pytest.raises(InputError, match="no packet journal"):
        set_aside(home, path.name)


def test_a_lake_that_cannot_be_written_is_said_and_healed(
    home: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(engine, [Device(mn=MN)])
    write(home, upload(1))
    taker = Taker(home, engine, drain_seconds=0)

    def read_only(*_: object, **__: object) -> None:
        raise StorageError("观测库只读。", "The lake is read-only.")

    with monkeypatch.context() as patch:
        patch.setattr(taker.lake, "drain", read_only)
        taker.step()
        assert taker.status()["ailments"]["lake"]["en"] == "The lake is read-only."
    taker.step()
    assert taker.health.well
    assert lake_rows(home, engine)["value"].to_list() == [1.5]


def test_a_taker_that_fails_goes_on_when_the_base_is_back(
    home: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from qinglan.gateways.hj212 import taking

    write(home, upload(1))
    taker = Taker(home, engine, drain_seconds=0)
    told: list[dict[str, object]] = []

    def broken(*_: object, **__: object) -> None:
        raise StorageError("数据库只读。", "The base is read-only.")

    rounds = iter([True, False])
    with monkeypatch.context() as patch:
        patch.setattr(taking, "save", broken)
        taker.run(lambda: next(rounds), told.append, pause=0)
    assert "journal" in told[0]["ailments"]  # type: ignore[operator]
    rounds = iter([True, False])
    taker.run(lambda: next(rounds), told.append, pause=0)
    assert told[-1]["ailments"] == {}
    assert [one.mn for one in all_devices(engine)] == [MN]


def test_a_merge_that_was_interrupted_is_done_again_without_doubling(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN)])
    for process in range(2):
        write(home, *(kept(upload(at + 10 * process)) for at in range(3)), process=process)
    taken(home, engine)
    before = archive.search(home)
    folder = archive.root(home)
    day = folder / "2024-06-01"
    kept_files = {path.name: path.read_bytes() for path in day.iterdir()}
    today = datetime(2024, 6, 10, tzinfo=UTC).date()
    archive.maintain(home, today)
    # A death after the new file was there and before the old ones were gone.
    day.mkdir()
    for name, raw in kept_files.items():
        (day / name).write_bytes(raw)
    assert archive.search(home).equals(before)
    archive.maintain(home, today)
    assert archive.search(home).equals(before)
    [file] = folder.rglob("*.parquet")
    assert pl.read_parquet(file).height == before.height == 6


def test_the_archive_is_put_in_order_once_a_day_in_the_small_hours(
    home: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []
    monkeypatch.setattr(archive, "maintain", lambda _settings, today: asked.append(today) or {})
    taker = Taker(home, engine)
    # 18:30 UTC is half past two of the next day in Beijing.
    evening = datetime(2026, 1, 1, 18, 30, tzinfo=UTC)
    for hours in (0, 1, 2, 23, 24, 25):
        taker.maintain(evening + timedelta(hours=hours))
    assert [str(day) for day in asked] == ["2026-01-02", "2026-01-03"]


def test_a_packet_of_nonsense_does_not_keep_the_others_from_the_lake(home: Settings, engine: Engine) -> None:
    save(engine, [Device(mn=MN)])
    write(
        home,
        upload(1, data="DataTime=20240601080001;-Rtd=5;" + "x" * 70 + "-Rtd=6;a\0b-Rtd=7;w01018-Rtd=1.5"),
        upload(2, command="2" * 40, data="DataTime=20240601080002;SB1-RS=a\0b"),
        upload(3),
    )
    taker = taken(home, engine)
    assert lake_rows(home, engine)["value"].to_list() == [1.5, 3.5]
    assert taker.converter.unconverted == {"factor": 3}
    assert [(one["text"], one["command"]) for one in events(engine, MN)] == [("a�b", "2" * 16)]


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=80), st.sampled_from(["2011", "2061", "2031", "2051", "2021", "3020", "2111"]))
def test_whatever_a_data_area_says_the_lake_can_keep_what_is_made_of_it(text: str, command: str) -> None:
    area = "DataTime=20240601080000;" + text.replace("&", "").replace("\r", "")
    packet = decode(upload(1, command=command, data=area).strip())
    converter = Converter(Devices([Device(mn=MN)]))
    converter.convert(packet, Device(mn=MN), RECEIVED)
    for frame, _ in converter.frames():
        assert validate(frame).height == frame.height
    assert not any("\0" in event["text"] + event["name"] for event in converter.events)


def test_a_fault_in_reading_one_packet_is_counted_and_passed_over(
    home: Settings, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(engine, [Device(mn=MN)])
    observations = Packet.observations

    def faulty(packet: Packet) -> list[Observation]:
        if "w01018-Rtd=2.5" in packet.data:
            raise ValueError("a fault")
        return observations(packet)

    monkeypatch.setattr(Packet, "observations", faulty)
    write(home, upload(1), upload(2), upload(3))
    taker = taken(home, engine)
    assert lake_rows(home, engine)["value"].to_list() == [1.5, 3.5]
    assert taker.converter.unconverted == {"packet": 1}
