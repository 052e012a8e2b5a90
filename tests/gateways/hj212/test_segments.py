"""The packet journal's files: groups whole or not at all, rotation, damage, a disk that is really full."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qinglan.core.errors import NewerDataError, StorageError
from qinglan.gateways.hj212.segments import Segment, Stored, packed, segments, unpacked
from qinglan.gateways.hj212.writing import SegmentWriter


def packet(number: int, raw: bytes = b"##0000") -> Stored:
    return Stored(number, "10.0.0.1", "", number.to_bytes(16, "big"), raw)


@given(
    st.lists(
        st.builds(Stored, st.integers(0, 1 << 60), st.text(max_size=20), st.text(max_size=10), st.binary(), st.binary())
    )
)
def test_packets_come_back_as_they_were(packets: list[Stored]) -> None:
    assert unpacked(packed(packets)) == packets


def test_groups_are_read_after_a_number_and_up_to_a_count(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 3)
    assert [writer.append([packet(at), packet(at + 100)]) for at in range(50)] == list(range(1, 51))
    [path] = segments(tmp_path)
    with Segment(path) as segment:
        assert not segment.is_closed
        assert (segment.last, segment.waiting(48)) == (50, 4)
        assert [group.id for group in segment.groups(0, 5)] == [1, 2, 3]
        assert [group.id for group in segment.groups(47, 1000)] == [48, 49, 50]
        assert next(iter(segment.groups(7, 1))).packets == [packet(7), packet(107)]
        writer.close()
        assert segment.is_closed


def test_a_segment_is_closed_when_it_is_large_or_old(tmp_path: Path) -> None:
    large = SegmentWriter(tmp_path / "a", 0, most_packets=2)
    large.append([packet(1)])
    large.close_if_due()
    large.append([packet(2)])
    large.close_if_due()
    large.append([packet(3)])
    assert len(segments(tmp_path / "a")) == 2
    old = SegmentWriter(tmp_path / "b", 0, most_seconds=0)
    old.close_if_due()
    old.append([packet(1)])
    old.close_if_due()
    old.append([packet(2)])
    first, second = segments(tmp_path / "b")
    with Segment(first) as segment:
        assert segment.is_closed
    with Segment(second) as segment:
        assert not segment.is_closed


def test_a_killed_writers_segment_is_whole_and_can_be_closed_for_it(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 0)
    writer.append([packet(1)])
    [path] = segments(tmp_path)
    with Segment(path) as segment:
        segment.mark_closed()
        assert segment.is_closed
        assert [group.packets for group in segment.groups(0, 10)] == [[packet(1)]]


def test_a_newer_format_is_refused(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 0)
    writer.append([packet(1)])
    writer.close()
    [path] = segments(tmp_path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version=99")
    connection.close()
    with pytest.raises(NewerDataError):
        Segment(path)


def test_a_file_that_was_only_begun_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "0-00000000000000001-1.sqlite"
    path.touch()
    with Segment(path) as segment:
        assert segment.is_closed
        assert segment.last == segment.waiting(0) == 0
        assert list(segment.groups(0, 10)) == []


def test_a_file_that_is_full_takes_nothing_by_halves_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 0)
    writer.append([packet(1)])
    connection = writer._connection
    assert connection is not None
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    # SQLite refuses exactly as on a full disk.
    connection.execute(f"PRAGMA max_page_count={pages + 2}")
    with pytest.raises(StorageError, match="磁盘空间不足"):
        writer.append([packet(2, b"x" * 100_000)])
    with pytest.raises(StorageError, match="磁盘空间不足"):
        writer.probe()
    connection.execute("PRAGMA max_page_count=1000000")
    writer.probe()
    assert writer.append([packet(3)]) == 2
    [path] = segments(tmp_path)
    with Segment(path) as segment:
        assert [group.packets for group in segment.groups(0, 10)] == [[packet(1)], [packet(3)]]


def test_after_another_failure_a_new_segment_is_begun(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 0)
    writer.append([packet(1)])
    assert writer._connection is not None
    writer._connection.close()
    with pytest.raises(StorageError):
        writer.append([packet(2)])
    writer.append([packet(3)])
    writer.close_if_due()
    first, second = segments(tmp_path)
    with Segment(first) as segment:
        assert segment.is_closed
    with Segment(second) as segment:
        assert [group.packets for group in segment.groups(0, 10)] == [[packet(3)]]


def test_a_folder_that_cannot_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        SegmentWriter(tmp_path / "file" / "below", 0).append([packet(1)])


def test_a_log_whose_end_is_damaged_is_told_from_one_that_ends_there(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 0)
    for number in range(1, 4):
        writer.append([packet(number, b"x" * 20_000)])
    [path] = segments(tmp_path)
    # What a kill leaves: the file and its log, of which SQLite forgets the end if it is damaged.
    left = tmp_path / "left"
    left.mkdir()
    for file in tmp_path.glob(f"{path.stem}.*"):
        if not file.name.endswith("-shm"):
            (left / file.name).write_bytes(file.read_bytes())
    log = left / (path.name + "-wal")
    whole = log.read_bytes()
    log.write_bytes(whole[:-5000] + bytes(5000))
    with Segment(left / path.name) as segment:
        assert segment.last == 2
        assert segment.promised == 3
        found = []
        with pytest.raises(StorageError, match="第 3 组已损坏"):
            found.extend(segment.groups(0, 100))
        with pytest.raises(StorageError, match="第 3 组已损坏"):
            segment.mark_closed()
    assert (left / (path.name + ".damaged-log")).read_bytes()[-6000:-5000] == whole[-6000:-5000]


def test_a_segment_without_a_note_is_taken_as_it_is(tmp_path: Path) -> None:
    writer = SegmentWriter(tmp_path, 0)
    writer.append([packet(1)])
    [path] = segments(tmp_path)
    path.with_suffix(".last").unlink()
    with Segment(path) as segment:
        assert segment.promised == 0
        assert [group.id for group in segment.groups(0, 10)] == [1]
