"""Packets into observations of the lake, device events and what is known of each device."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final

import polars as pl
import structlog

from qinglan.catalogue import factors
from qinglan.core.errors import InputError
from qinglan.core.units import factor_between
from qinglan.gateways.hj212.codec import Observation, Packet, decode
from qinglan.gateways.hj212.codec.observing import moment
from qinglan.gateways.hj212.devices import Device, Devices
from qinglan.gateways.hj212.segments import Stored
from qinglan.observations.schema import LONGEST_ID, OBSERVATION

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_COLUMNS: Final = ("site", "factor", "grain", "time", "value", "flag", "received", "multiplier")
_DIGITS: Final = 15
"""Of a number after its unit was changed: what a double holds for certain, so that 1.1 mg is 1100 ug and no more."""
_REMEMBERED_PARTS: Final = 10_000
_LONGEST_TEXT: Final = 4000
_ID: Final = re.compile(rf"[^\s\x00-\x1f\x7f]{{1,{LONGEST_ID}}}")

log = structlog.get_logger("qinglan.gateway")


@dataclass
class Seen:
    """What was heard of one device since it was last written down."""

    first: int
    last: int
    command: str = ""
    address: str = ""
    data: datetime | None = None
    counts: Counter[str] = field(default_factory=Counter)
    reason: str | None = None
    clock: float | None = None


class Converter:
    """Collects what packets say; `frames` gives it in the lake's form.

    Parameters
    ----------
    devices
        What is declared.
    """

    def __init__(self, devices: Devices) -> None:
        self.devices = devices
        self.unknown: dict[str, None] = {}
        self.seen: dict[str, Seen] = {}
        self.events: list[dict[str, Any]] = []
        self.observations = 0
        self.unconverted: Counter[str] = Counter()
        self._rows: dict[str, list[tuple[Any, ...]]] = {}
        self._parts: dict[tuple[str, str, str], str] = {}

    def take(self, stored: Stored, *, repeated: bool = False) -> str:
        """Take one packet; return its verdict: ``accepted``, ``repeated``, ``quarantined`` or ``refused``."""
        packet = decode(stored.raw, dialects=self.devices)
        mn = packet.device
        if stored.refused:
            if mn in self.devices.by_number:
                self._see(mn, packet, stored, "rejected")
            return "refused"
        device = self.devices.get(mn)
        if device is None:
            self.unknown[mn] = None
        if device is None or device.state != "adopted":
            self._see(mn, packet, stored, "quarantined")
            return "quarantined"
        if repeated:
            self._see(mn, packet, stored, "repeated")
            return "repeated"
        self._see(mn, packet, stored, "accepted")
        self.convert(packet, device, stored.received)
        return "accepted"

    def convert(self, packet: Packet, device: Device, received: int) -> None:
        """Take what a packet of a device says; `received` in microseconds since 1970.

        What the lake or the base could not keep is counted in `unconverted` and left out: one packet must not keep
        all others from going on. It stays in the archive.
        """
        try:
            self._complete(packet)
            rows = self._observed(packet, device, received)
            events = self._reported(packet, received)
        except Exception:
            self.unconverted["packet"] += 1
            log.exception("packet_not_converted", device=packet.device, raw=packet.raw[:200])
            return
        if rows:
            self._rows.setdefault(device.source, []).extend(rows)
            self.observations += len(rows)
        self.events += events

    def _observed(self, packet: Packet, device: Device, received: int) -> list[tuple[Any, ...]]:
        found = packet.observations()
        if not found:
            return []
        at = (found[0].time - _EPOCH) // _MICROSECOND
        rows = []
        for one in found:
            site = site_of(one, packet, device)
            if not _ID.fullmatch(one.factor) or not _ID.fullmatch(site):
                self.unconverted["factor"] += 1
                continue
            multiplier = _multiplier(one.of, one.factor, one.unit)
            rows.append((site, one.factor, one.grain, at, one.value, one.flag, received, multiplier))
        return rows

    def _reported(self, packet: Packet, received: int) -> list[dict[str, Any]]:
        moment_received = _EPOCH + received * _MICROSECOND
        found = []
        for event in packet.events():
            at_time = event.time or moment_received
            said = "\0".join((packet.device, at_time.isoformat(), event.command, event.name, event.text))
            found.append(
                {
                    "id": blake2b(said.encode(errors="replace"), digest_size=16).hexdigest(),
                    "mn": _kept(packet.device, 64),
                    "site": _kept(event.site, 64),
                    "time": at_time,
                    "received": moment_received,
                    "command": _kept(event.command, 16),
                    "name": _kept(event.name, 128),
                    "text": _kept(event.text, _LONGEST_TEXT),
                }
            )
        return found

    def frames(self) -> list[tuple[pl.DataFrame, str]]:
        """Return the observations collected, by source, and begin anew."""
        taken, self._rows = self._rows, {}
        return [(_frame(rows), source) for source, rows in taken.items() if rows]

    def discard(self) -> None:
        """Forget what was collected of observations and events, and unknown devices."""
        self._rows, self.events, self.unknown = {}, [], {}

    def _see(self, mn: str, packet: Packet, stored: Stored, verdict: str) -> None:
        seen = self.seen.get(mn)
        if seen is None:
            seen = self.seen[mn] = Seen(stored.received, stored.received)
        seen.last = max(seen.last, stored.received)
        seen.counts[verdict] += 1
        seen.address = stored.address[:64]
        if verdict == "rejected":
            seen.reason = stored.refused
            return
        seen.command = _kept(packet.command, 16)
        time = moment(packet.fields.get("DataTime", ""))
        if time is not None and (seen.data is None or time > seen.data):
            seen.data = time
        sent = moment(packet.header.get("QN", ""))
        if sent is not None and not packet.back_filled:
            seen.clock = ((sent - _EPOCH) // _MICROSECOND - stored.received) / 1e6

    def _complete(self, packet: Packet) -> None:
        """Give a part of a split packet that has no time of its own that of the part before it."""
        part = packet.part
        if part is None:
            return
        key = (packet.device, packet.command, packet.number or "")
        time = packet.fields.get("DataTime")
        if time:
            self._parts[key] = time
            if len(self._parts) > _REMEMBERED_PARTS:
                del self._parts[next(iter(self._parts))]
        elif key in self._parts:
            packet.pairs.insert(0, ("DataTime", self._parts[key]))
            packet.__dict__.pop("fields", None)


def _kept(text: str, most: int) -> str:
    """Return text as a database keeps it: of so many signs, without the null that PostgreSQL refuses."""
    return text.replace("\0", "�")[:most]


def site_of(one: Observation, packet: Packet, device: Device) -> str:
    """Return the site of an observation: by its factor, by the packet's system, by the factor's first letter."""
    if device.sites:
        for key in (one.of, packet.system, one.of[:1]):
            if key in device.sites:
                return device.sites[key]
    return device.site or packet.device


@lru_cache(maxsize=8192)
def _multiplier(of: str, series: str, unit: str) -> float:
    """Return what a number in a device's unit is multiplied by to be in the catalogue's.

    An amount keeps the unit of the emission, which the national table names; so does a factor that no catalogue has.
    """
    found = factors.find(of)
    if found is None or not unit or not found.unit or series.endswith("-cou"):
        return 1.0
    try:
        return float(factor_between(unit, found.unit))
    except InputError:
        return 1.0


def unusable_units(device: Device) -> Iterator[tuple[str, str, str]]:
    """Yield factor, unit given and unit wanted of the device's units that cannot be converted."""
    for code, unit in device.units.items():
        found = factors.find(code)
        if found is None or not found.unit:
            continue
        try:
            factor_between(unit, found.unit)
        except InputError:
            yield code, unit, found.unit


def _frame(rows: Iterable[tuple[Any, ...]]) -> pl.DataFrame:
    columns = dict(zip(_COLUMNS, zip(*rows, strict=True), strict=True))
    frame = pl.DataFrame(
        columns,
        schema={
            "site": pl.String(),
            "factor": pl.String(),
            "grain": pl.String(),
            "time": pl.Int64(),
            "value": pl.Float64(),
            "flag": pl.String(),
            "received": pl.Int64(),
            "multiplier": pl.Float64(),
        },
    )
    changed = (pl.col("value") * pl.col("multiplier")).round_sig_figs(_DIGITS)
    return frame.select(
        "site",
        "factor",
        "grain",
        pl.from_epoch("time", time_unit="us").dt.replace_time_zone("UTC").cast(OBSERVATION["time"]).alias("time"),
        pl.lit("realtime").alias("basis"),
        pl.when(pl.col("multiplier") == 1.0).then(pl.col("value")).otherwise(changed).alias("value"),
        "flag",
        pl.from_epoch("received", time_unit="us").dt.replace_time_zone("UTC").alias("received"),
    )
