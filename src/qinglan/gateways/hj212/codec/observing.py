"""What a packet says was measured, when, where and how good it is; and what it reports besides numbers.

依据: HJ 212-2017 数据区 (suffixes, data marks), 附录 B (codes). Values stay in the unit in which they were sent, which
`unit` names. The lake converts them, after sentinels are out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final

from qinglan.catalogue import factors, flags
from qinglan.core.interval import BEIJING_OFFSET, Basis, Grain
from qinglan.gateways.hj212.codec.dialect import Dialect
from qinglan.gateways.hj212.codec.packet import Packet

GRAINS: Final[Mapping[str, Grain]] = {
    "2011": "realtime",
    "2051": "minute",
    "2061": "hour",
    "2031": "day",
    "2052": "sample",
    "2111": "minute",
}
"""Grain of the data that a command carries."""
STATISTICS: Final[Mapping[str, str]] = {
    "rtd": "",
    "avg": "",
    "data": "",
    "min": "min",
    "max": "max",
    "cou": "cou",
    "daydata": "day",
    "nightdata": "night",
    "zsrtd": "zs",
    "zsavg": "zs",
    "zsmin": "zs-min",
    "zsmax": "zs-max",
    "zscou": "zs-cou",
}
"""What follows the factor's code in the id of a series: nothing for the value or mean itself, ``zs`` for a value
converted to the reference oxygen."""

_CONTROL: Final = frozenset(
    {
        "DataTime",
        "SystemTime",
        "BeginTime",
        "EndTime",
        "PolId",
        "InfoId",
        "OverTime",
        "ReCount",
        "RtdInterval",
        "MinInterval",
        "NewPW",
        "VaseNo",
        "CstartTime",
        "CTime",
        "Ctime",
        "Stime",
        "QnRtn",
        "ExeRtn",
        "QN",
        "PNUM",
        "PNO",
        "SKCreateTime",
        "NewSK",
    }
)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_MOMENT: Final = re.compile(r"\d{14}(?:\d{3})?", re.ASCII)
_WATER: Final = frozenset({"21", "24", "26", "32", "33", "34", "52"})
_AIR: Final = frozenset({"22", "27", "31", "39", "51"})
_MARKS: Final = frozenset(identifier for identifier in flags.all_flags() if len(identifier) == 1)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
_EMISSION_UNIT: Final = re.compile(r"emission unit (\S+)")
_YEARS: Final = range(1990, 2100)
"""A clock that shows another year is not believed."""
_FURNACE: Final = ("2111", timedelta(minutes=5))


@dataclass(frozen=True, slots=True)
class Observation:
    """One number, or its absence, that a device reports.

    Attributes
    ----------
    site
        The site of the device's dialect, else the device's number.
    factor
        Id of the series: the national code, with ``-min``, ``-max``, ``-cou``, ``-zs`` … for other than the value or
        mean itself; the code as sent where the catalogue has none.
    of
        The national code alone.
    grain, time, basis
        As in the lake; `time` is the start of the interval, or the instant, in UTC.
    value
        The number as it was sent; None where there is none, or a sentinel.
    unit
        The unit that the device's dialect names, else the one that the national table prints for the wire, which
        devices do not always keep to for particles; empty where none is known.
    flag
        None for valid, else an id of the catalogue's flags.
    mark, device_mark
        Data mark and the device's own mark (-Flag, -EFlag) as they were sent, or None.
    code, text
        The factor's code and the value as they were sent.
    sampled
        When the sample was taken (-SampleTime), in UTC, or None.
    """

    site: str
    factor: str
    of: str
    grain: Grain
    time: datetime
    basis: Basis
    value: float | None
    unit: str
    flag: str | None
    mark: str | None
    device_mark: str | None
    code: str
    text: str
    sampled: datetime | None


@dataclass(frozen=True, slots=True)
class Event:
    """Something that a device reports besides numbers: a state, a log, a serial number, a value in words."""

    site: str
    time: datetime | None
    command: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class _Coded:
    code: str
    factor: str
    suffix: str
    unit: str


@lru_cache(maxsize=8192)
def moment(text: str) -> datetime | None:
    """Return a time of 14 digits, or 17 with milliseconds, of Beijing time in UTC; None if it is no time.

    Examples
    --------
    >>> moment("20160801085857"), moment("33811322235142")
    (datetime.datetime(2016, 8, 1, 0, 58, 57, tzinfo=datetime.timezone.utc), None)
    """
    if not _MOMENT.fullmatch(text) or int(text[:4]) not in _YEARS:
        return None
    month, day, hour, minute, second = (int(text[place : place + 2]) for place in range(4, 14, 2))
    try:
        local = datetime(int(text[:4]), month, day, hour, minute, second, int(text[14:] or 0) * 1000, UTC)
    except ValueError:
        return None
    return local - BEIJING_OFFSET


def observations(packet: Packet) -> list[Observation]:
    """Return what `packet` says was measured, in the order in which it says it.

    None where its command carries no measurements, asks for them instead, or gives no time that can be read.
    """
    dialect = packet.dialect
    grain = dialect.grains.get(packet.command) or GRAINS.get(packet.command)
    stamped = moment(packet.fields.get("DataTime", ""))
    if grain is None or stamped is None:
        return []
    time = _start(stamped, grain, packet.command, dialect)
    coded = [(_coded(name, packet.system), text) for name, text in packet.pairs if "-" in name]
    marks = {one.factor: text for one, text in coded if one.suffix == "flag"}
    device_marks = {one.factor: text for one, text in coded if one.suffix == "eflag"}
    sampled = {one.factor: moment(text) for one, text in coded if one.suffix == "sampletime"}
    found = []
    for one, text in coded:
        statistic = STATISTICS.get(one.suffix)
        if statistic is None or (text and not _NUMBER.fullmatch(text)):
            continue
        mark = marks.get(one.factor)
        value, flag = _judged(text, mark, dialect)
        found.append(
            Observation(
                site=dialect.site or packet.device,
                factor=f"{one.factor}-{statistic}" if statistic else one.factor,
                of=one.factor,
                grain=grain,
                time=time,
                basis="realtime",
                value=value,
                unit=one.unit if statistic.endswith("cou") else dialect.units.get(one.factor, one.unit),
                flag=flag,
                mark=mark,
                device_mark=device_marks.get(one.factor),
                code=one.code,
                text=text,
                sampled=sampled.get(one.factor),
            )
        )
    return found


def events(packet: Packet) -> list[Event]:
    """Return what `packet` reports besides numbers, in the order in which it does."""
    site = packet.dialect.site or packet.device
    time = moment(packet.fields.get("DataTime", ""))
    measured = packet.command in packet.dialect.grains or packet.command in GRAINS
    found = []
    for name, text in packet.pairs:
        suffix = name.rpartition("-")[2].lower() if "-" in name else ""
        if name in _CONTROL or suffix in {"flag", "eflag", "sampletime"}:
            continue
        if measured and suffix in STATISTICS and (not text or _NUMBER.fullmatch(text)):
            continue
        found.append(Event(site, time, packet.command, name, text))
    return found


def _judged(text: str, mark: str | None, dialect: Dialect) -> tuple[float | None, str | None]:
    """Return value and flag: a sentinel has no value, a mark that no edition lists does not pass for valid."""
    value = float(text) if text else None
    if value is not None and (not math.isfinite(value) or value in dialect.sentinels):
        value = None
    sentinel = "sentinel" if value is None and text else None
    if mark is None or mark in {"", "N"}:
        return value, sentinel
    return value, mark if mark in _MARKS else "unknown_mark"


def _start(stamped: datetime, grain: Grain, command: str, dialect: Dialect) -> datetime:
    """Return the start of the period that a time stands for, cut to its grain in Beijing time."""
    local = stamped + BEIJING_OFFSET
    if grain == "minute":
        local = local.replace(second=0, microsecond=0)
        length = _FURNACE[1] if command == _FURNACE[0] else timedelta(minutes=dialect.minutes)
    elif grain == "hour":
        local, length = local.replace(minute=0, second=0, microsecond=0), _HOUR
    elif grain == "day":
        local, length = local.replace(hour=0, minute=0, second=0, microsecond=0), _DAY
    else:
        return stamped
    return (local - length if dialect.stamp == "end" else local) - BEIJING_OFFSET


@lru_cache(maxsize=8192)
def _coded(name: str, system: str) -> _Coded:
    """Return the factor and suffix that a name such as ``w01018-Rtd`` says."""
    code, _, suffix = name.rpartition("-")
    found = factor_of(code, system)
    if found is None:
        return _Coded(code, code, suffix.lower(), "")
    suffix = suffix.lower()
    return _Coded(code, found.id, suffix, _unit(found, suffix))


def _unit(factor: factors.Factor, suffix: str) -> str:
    """Return the unit that the national table prints: for an amount that of the emission, which its notes name."""
    if not suffix.endswith("cou"):
        return factor.transmitted_unit or factor.unit
    amount = _EMISSION_UNIT.search(factor.notes)
    return amount[1] if amount else ""


@lru_cache(maxsize=8192)
def factor_of(code: str, system: str) -> factors.Factor | None:
    """Return the factor that a code means under a system (ST), or None: codes of 2005 mean one in water, one in air.

    Examples
    --------
    >>> factor_of("011", "32").id, factor_of("02", "31").id, factor_of("01018", "32").id
    ('w01018', 'a21026', 'w01018')
    """
    medium = "water" if system in _WATER else "air" if system in _AIR else None
    if medium is not None and (older := factors.of_2005(code, medium)) is not None:
        return older
    found = factors.find(code)
    if found is None and medium is not None and len(code) == 5 and code.isdigit():
        # The annex of 2017 itself prints 01018-Rtd for w01018-Rtd.
        found = factors.find(("w" if medium == "water" else "a") + code)
    return found
