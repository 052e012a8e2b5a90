"""Every packet that came, with its verdict: compressed, found by device and time, kept for good.

Closed segments become Parquet files of their day (the fast store); a day that is over becomes one file; after 35 days
it moves into the archive of its month, compressed harder. What has not been archived yet is read from the segments.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from qinglan.base.settings import Settings
from qinglan.base.storage import storage_errors
from qinglan.core.errors import StorageError
from qinglan.core.interval import to_beijing
from qinglan.gateways.hj212.codec import Packet, decode
from qinglan.gateways.hj212.devices import Devices
from qinglan.gateways.hj212.marks import Marks
from qinglan.gateways.hj212.segments import FOLDER, Segment, Stored, segments, sync_folder

FAST_DAYS: Final = 35
"""依据: the packets of 35 days are searched quickly; older ones are in the archives of their months."""
SCHEMA: Final = {
    "mn": pl.String(),
    "received": pl.Datetime("us", "UTC"),
    "address": pl.String(),
    "command": pl.String(),
    "system": pl.String(),
    "number": pl.String(),
    "data_time": pl.String(),
    "verdict": pl.String(),
    "reason": pl.String(),
    "raw": pl.Binary(),
    "segment": pl.String(),
    "place": pl.Int64(),
}
VERDICTS: Final = ("accepted", "repeated", "quarantined", "refused")
_PACKETS_OF_A_GROUP: Final = 65_536
_ROW_GROUP: Final = 50_000
_ALL: Final = 1 << 62


def root(settings: Settings) -> Path:
    """Return the folder of all packets of a home folder."""
    return settings.files / "gateway" / "packets"


def write_segment(settings: Settings, segment: Segment, identifier: int, marks: Marks, devices: Devices) -> int:
    """Write a segment's packets into the fast store, durably; return how many.

    Raises
    ------
    StorageError
        The segment cannot be read or the file cannot be written; whatever was written is written again next time.
    """
    rows = []
    for group in segment.groups(0, _ALL):
        keys = [packet.key for packet in group.packets if not packet.refused]
        known = marks.known(keys)
        for index, packet in enumerate(group.packets):
            place = group.id * _PACKETS_OF_A_GROUP + index
            repeated = not packet.refused and known.get(packet.key, (identifier, place)) != (identifier, place)
            rows.append(_row(packet, devices, segment.name, place, repeated=repeated))
    frame = _frame(rows)
    for (day,), of_day in frame.with_columns(_day=_beijing_day()).partition_by("_day", as_dict=True).items():
        write(of_day.drop("_day"), root(settings) / f"{day:%Y-%m-%d}" / f"{segment.name}.parquet")
    return frame.height


def write(frame: pl.DataFrame, path: Path, *, level: int = 3) -> None:
    """Write packets to a file that is whole or not there, sorted by device and time."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(".part")
        frame.sort("mn", "received", "segment", "place").write_parquet(
            half, compression="zstd", compression_level=level, row_group_size=_ROW_GROUP
        )
        with half.open("rb+") as stream:
            os.fsync(stream.fileno())
        half.replace(path)
        sync_folder(path.parent)


def search(
    settings: Settings,
    *,
    mn: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    verdict: str | None = None,
    command: str | None = None,
    devices: Devices | None = None,
) -> pl.DataFrame:
    """Return packets in the order in which they were received, in the columns of `SCHEMA`.

    Parameters
    ----------
    mn
        The device's number; None for all.
    start, end
        When they were received, with a zone; `start` is included, `end` is not.
    verdict
        One of `VERDICTS`.
    devices
        What is declared, for the verdict on packets that are not in the archive yet.

    Raises
    ------
    StorageError
        A file cannot be read.
    """
    wanted: list[pl.Expr] = []
    for column, value in (("mn", mn), ("verdict", verdict), ("command", command)):
        if value is not None:
            wanted.append(pl.col(column) == value)
    if start is not None:
        wanted.append(pl.col("received") >= start.astimezone(UTC))
    if end is not None:
        wanted.append(pl.col("received") < end.astimezone(UTC))
    # Segments first: one that is archived meanwhile is then found twice, not never.
    found = [_frame(_live(settings, devices or Devices())).lazy()]
    with storage_errors(root(settings)):
        files = _files(settings, start, end)
        if files:
            found.append(pl.scan_parquet(files, hive_partitioning=False).select(*SCHEMA))
        result = pl.concat(found).filter(*wanted).collect()
    return result.unique(subset=["segment", "place"], keep="last").sort("received", "segment", "place")


def maintain(settings: Settings, today: date) -> dict[str, int]:
    """Make one file of each day that is over, and move days that are older than 35 into the archives of their months.

    Returns
    -------
    dict
        Counts: `days` made one file, `archived` days moved.
    """
    folder = root(settings)
    days = archived = 0
    with storage_errors(folder):
        for place in sorted(folder.glob("????-??-??")):
            day = date.fromisoformat(place.name)
            # A segment may be archived minutes after midnight.
            if (today - day).days < 2:
                continue
            files = sorted(place.glob("*.parquet"))
            target = folder / f"{place.name}.parquet"
            parts = [*files, *([target] if target.exists() else [])]
            if files:
                _merge(parts, target, level=3)
                days += 1
            for file in files:
                file.unlink()
            for half in place.glob("*.part"):
                half.unlink()
            place.rmdir()
        for file in sorted(folder.glob("????-??-??.parquet")):
            day = date.fromisoformat(file.stem)
            if (today - day).days <= FAST_DAYS:
                continue
            target = folder / "archive" / f"{day:%Y-%m}" / f"{day:%d}.parquet"
            parts = [file, *([target] if target.exists() else [])]
            _merge(parts, target, level=15)
            file.unlink()
            archived += 1
    return {"days": days, "archived": archived}


def _merge(files: list[Path], target: Path, *, level: int) -> None:
    """Write files of packets into one, each segment once, in memory's measure of one row group."""
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_suffix(".part")
    schema = parquet.read_schema(files[0])
    written: set[str] = set()
    with parquet.ParquetWriter(half, schema, compression="zstd", compression_level=level) as writer:
        for file in files:
            before = pa.array(sorted(written), pa.large_string())
            with parquet.ParquetFile(file) as source:
                for at in range(source.num_row_groups):
                    rows = source.read_row_group(at).cast(schema)
                    # A merge that was interrupted left its result beside what it was made of.
                    new = rows.filter(pc.invert(pc.is_in(rows["segment"].cast(pa.large_string()), before)))
                    written.update(new["segment"].unique().to_pylist())
                    if new.num_rows:
                        writer.write_table(new)
    with half.open("rb+") as stream:
        os.fsync(stream.fileno())
    half.replace(target)
    sync_folder(target.parent)


def _files(settings: Settings, start: datetime | None, end: datetime | None) -> list[Path]:
    folder = root(settings)
    found = []
    for path in folder.rglob("*.parquet"):
        day = _day_of(path)
        early = start is not None and day < to_beijing(start).date()
        late = end is not None and day > to_beijing(end).date()
        if not early and not late:
            found.append(path)
    return sorted(found)


def _day_of(path: Path) -> date:
    if path.parent.parent.name == "archive":
        return date.fromisoformat(f"{path.parent.name}-{path.stem}")
    return date.fromisoformat(path.stem if len(path.stem) == 10 else path.parent.name)


def _live(settings: Settings, devices: Devices) -> Iterable[tuple[Any, ...]]:
    for path in segments(settings.journals / FOLDER):
        try:
            with Segment(path) as segment:
                for group in segment.groups(0, _ALL):
                    for index, packet in enumerate(group.packets):
                        place = group.id * _PACKETS_OF_A_GROUP + index
                        yield _row(packet, devices, segment.name, place, repeated=False)
        except StorageError:
            # It was archived meanwhile, or is damaged: `status` says so.
            continue


def _row(stored: Stored, devices: Devices, segment: str, place: int, *, repeated: bool) -> tuple[Any, ...]:
    packet = decode(stored.raw, dialects=devices)
    return (
        packet.device,
        stored.received,
        stored.address,
        packet.command,
        packet.system,
        packet.number or "",
        packet.fields.get("DataTime", ""),
        _verdict(stored, packet, devices, repeated=repeated),
        stored.refused or None,
        stored.raw,
        segment,
        place,
    )


def _verdict(stored: Stored, packet: Packet, devices: Devices, *, repeated: bool) -> str:
    if stored.refused:
        return "refused"
    device = devices.get(packet.device)
    if device is None or device.state != "adopted":
        return "quarantined"
    return "repeated" if repeated else "accepted"


def _frame(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    listed = list(rows)
    plain = {name: pl.Int64() if name == "received" else kind for name, kind in SCHEMA.items()}
    columns = zip(*listed, strict=True) if listed else ([] for _ in plain)
    frame = pl.DataFrame(dict(zip(plain, columns, strict=True)), schema=plain)
    return frame.with_columns(pl.from_epoch("received", time_unit="us").dt.replace_time_zone("UTC"))


def _beijing_day() -> pl.Expr:
    return pl.col("received").dt.offset_by("8h").dt.date()
