"""From the packet journal into the lake, the base and the archive: one `Taker` for all processes of a gateway."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Engine

from qinglan.base.settings import Settings
from qinglan.core.errors import BusyError, QinglanError, StorageError
from qinglan.core.interval import to_beijing
from qinglan.gateways.hj212 import archive
from qinglan.gateways.hj212.converting import Converter
from qinglan.gateways.hj212.devices import Device, Devices, save
from qinglan.gateways.hj212.health import Health
from qinglan.gateways.hj212.marks import Marks
from qinglan.gateways.hj212.segments import FOLDER, Group, Segment, delete, segments
from qinglan.gateways.hj212.states import forget_events, write_events, write_states
from qinglan.observations import maintenance
from qinglan.observations.lake import Lake, open_lake

log = structlog.get_logger("qinglan.gateway")

ROUND_PACKETS: Final = 20_000
DRAIN_SECONDS: Final = 5.0
STATES_SECONDS: Final = 5.0
COMPACT_SECONDS: Final = 600.0
_WAIT_FOR_LAKE: Final = 20.0
_QUIET_HOUR: Final = 3
_PACKETS_OF_A_GROUP: Final = 65_536


class Taker:
    """Takes what receivers have stored.

    Parameters
    ----------
    settings, engine
        Of the home folder; the caller is the only one that takes from it.
    drain_seconds
        How often what was taken goes on into the lake.
    """

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        *,
        lake: Lake | None = None,
        drain_seconds: float = DRAIN_SECONDS,
        states_seconds: float = STATES_SECONDS,
        compacting: bool = True,
    ) -> None:
        self.settings = settings
        self.engine = engine
        self.lake = lake or open_lake(settings, engine)
        self.folder = settings.journals / FOLDER
        self.devices = Devices()
        self.converter = Converter(self.devices)
        self.health = Health()
        self.marks = Marks(settings.journals)
        self.counts: Counter[str] = Counter()
        self.drain_seconds = drain_seconds
        self.states_seconds = states_seconds
        self.compacting = compacting
        self._drained_at = self._states_at = self._archived_at = -1e9
        self._compacted_at = time.monotonic()
        self._undrained = False
        self._maintained: date | None = None
        self._damaged: dict[str, StorageError] = {}

    def step(self) -> bool:
        """Do what is due; return whether there was anything to take."""
        taken = self.take()
        now = time.monotonic()
        if now - self._drained_at >= self.drain_seconds:
            self.drain()
            self._drained_at = time.monotonic()
        if now - self._states_at >= self.states_seconds:
            self.write_states()
            self._states_at = time.monotonic()
        if now - self._archived_at >= self.drain_seconds:
            self.archive()
            self._archived_at = time.monotonic()
        self.maintain(datetime.now(UTC))
        if self.compacting and now - self._compacted_at >= COMPACT_SECONDS:
            self._compact()
            self._compacted_at = time.monotonic()
        return taken > 0

    def maintain(self, now: datetime) -> None:
        """Once a day, in the small hours, put the archive in order."""
        local = to_beijing(now)
        if local.hour < _QUIET_HOUR or self._maintained == local.date():
            return
        self._maintained = local.date()
        try:
            done = archive.maintain(self.settings, local.date())
            forget_events(self.engine)
        except StorageError as error:
            log.warning("archive_not_maintained", zh=error.zh, en=error.en)
        else:
            log.info("archive_maintained", **done)

    def finish(self) -> None:
        """Take everything there is, into the lake too."""
        while self.take():
            pass
        self.drain()
        self.write_states()
        self.archive()

    def take(self) -> int:
        """Take packets from all segments into the journal of observations; return how many.

        Raises
        ------
        StorageError
            The journal of observations or the base cannot be written; what was not taken is taken the next time.
        """
        taken = 0
        damaged: dict[str, StorageError] = {}
        for path in segments(self.folder):
            if taken >= ROUND_PACKETS:
                break
            identifier, through, _ = self.marks.segment(path.stem)
            groups, failed = _read(path, through, ROUND_PACKETS - taken)
            if failed is not None and path.exists():
                damaged[path.name] = failed
            if groups:
                self._take_groups(identifier, groups)
                taken += sum(len(group.packets) for group in groups)
        self._note(damaged)
        return taken

    def _note(self, damaged: dict[str, StorageError]) -> None:
        self._damaged = damaged
        if not damaged:
            self.health.cured("damaged")
            return
        first = damaged[min(damaged)]
        self.health.fails("damaged", first.zh, first.en)

    def _take_groups(self, segment: int, groups: list[Group]) -> None:
        # Read after the packets: what is adopted before its packets are read is not put aside by mistake.
        self.devices.refresh(self.engine)
        converter = self.converter
        # What an attempt that failed has left: its packets are taken again.
        converter.discard()
        keys = [packet.key for group in groups for packet in group.packets if not packet.refused]
        known = self.marks.known(keys)
        new: dict[bytes, int] = {}
        for group in groups:
            for index, packet in enumerate(group.packets):
                number = group.id * _PACKETS_OF_A_GROUP + index
                repeated = False
                if not packet.refused:
                    repeated = packet.key in new or known.get(packet.key, (segment, number)) != (segment, number)
                verdict = converter.take(packet, repeated=repeated)
                self.counts[verdict] += 1
                if not packet.refused and not repeated:
                    new[packet.key] = number
        if converter.unknown:
            found = [Device(mn=mn, state="quarantined") for mn in converter.unknown]
            converter.unknown.clear()
            log.warning("devices_quarantined", count=len(found), devices=[one.mn for one in found[:5]])
            save(self.engine, found, only_new=True)
        if converter.events:
            # Before the mark: an event written twice is one, one that is lost is lost.
            write_events(self.engine, converter.events)
        frames = converter.frames()
        self.marks.write(frames, segment=segment, through=groups[-1].id, keys=new.items())
        self.counts["observations"] += sum(frame.height for frame, _ in frames)
        self._undrained = self._undrained or bool(frames)

    def drain(self) -> None:
        """Bring the journal of observations into the lake."""
        if not self._undrained and "lake" not in self.health.ailments and self._drained_at > 0:
            return
        try:
            self.lake.drain(wait=_WAIT_FOR_LAKE)
        except BusyError as error:
            # Somebody writes the lake at length; what was taken is durable and waits.
            log.warning("lake_busy", zh=error.zh, en=error.en)
        except QinglanError as error:
            self.health.fails("lake", error.zh, error.en)
        else:
            self._undrained = False
            self.health.cured("lake")

    def write_states(self) -> None:
        """Write down when each device was last heard."""
        if not self.converter.seen:
            return
        try:
            write_states(self.engine, self.converter.seen)
        except StorageError as error:
            log.warning("states_not_written", zh=error.zh, en=error.en)
        else:
            self.converter.seen = {}

    def archive(self) -> None:
        """Move segments that are closed and taken into the archive."""
        for path in segments(self.folder):
            if path.name in self._damaged:
                continue
            try:
                self._archive_segment(path)
            except StorageError as error:
                log.warning("segment_not_archived", segment=path.name, zh=error.zh, en=error.en)
        try:
            self.marks.forget(lambda name: (self.folder / f"{name}.sqlite").exists())
        except StorageError as error:
            log.warning("keys_not_forgotten", zh=error.zh, en=error.en)

    def _archive_segment(self, path: Path) -> None:
        identifier, through, archived = self.marks.segment(path.stem)
        if not archived:
            with Segment(path) as segment:
                if not segment.is_closed or segment.last > through:
                    return
                archive.write_segment(self.settings, segment, identifier, self.marks, self.devices)
            self.marks.set_archived(path.stem)
        delete(path)

    def _compact(self) -> None:
        try:
            if maintenance.is_due(self.lake):
                maintenance.compact(self.lake, wait=_WAIT_FOR_LAKE)
        except QinglanError as error:
            log.warning("lake_not_compacted", zh=error.zh, en=error.en)

    def status(self) -> dict[str, Any]:
        """Return how things stand, as plain values."""
        waiting = 0
        for path in segments(self.folder):
            try:
                with Segment(path) as segment:
                    waiting += segment.waiting(self.marks.segment(path.stem)[1])
            except StorageError:
                continue
        return {
            "process": "taker",
            "pid": os.getpid(),
            "at": time.time(),
            "counts": dict(self.counts),
            "unconverted": dict(self.converter.unconverted),
            "waiting": waiting,
            "segments": len(segments(self.folder)),
            "damaged": sorted(self._damaged),
            "ailments": self.health.plain(),
        }

    def run(self, going: Callable[[], bool], said: Callable[[dict[str, Any]], None], pause: float = 0.5) -> None:
        """Take until `going` says no, then take the rest; tell `said` of the status every two seconds."""
        told = -1e9
        while going():
            try:
                busy = self.step()
                self.health.cured("journal")
            except StorageError as error:
                self.health.fails("journal", error.zh, error.en)
                busy = False
            if time.monotonic() - told >= 2:
                said(self.status())
                told = time.monotonic()
            if not busy:
                time.sleep(pause)
        try:
            self.finish()
        except StorageError as error:
            log.error("not_finished", zh=error.zh, en=error.en)
        said(self.status())


def _read(path: Path, after: int, most: int) -> tuple[list[Group], StorageError | None]:
    """Return groups of a segment, and why there are no more of them where it is damaged: what stands before is good."""
    groups: list[Group] = []
    try:
        with Segment(path) as segment:
            groups.extend(segment.groups(after, most))
    except StorageError as error:
        return groups, error
    return groups, None
