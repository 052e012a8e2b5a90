"""Packets made quickly: data areas are written beforehand, a packet is put together and gets its checksum.

A logger's history is a function of its index, the command and the time: it needs no memory, and what a platform asks
for later is what would have been sent.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final

from qinglan.core.interval import BEIJING_OFFSET
from qinglan.gateways.hj212.codec import crc
from qinglan.gateways.hj212.simulate.settings import Profile, Settings

COMMANDS: Final[Mapping[str, str]] = {"realtime": "2011", "minute": "2051", "hour": "2061", "day": "2031"}
PERIODS: Final[Mapping[str, timedelta]] = {
    "2011": timedelta(seconds=1),
    "2051": timedelta(minutes=10),
    "2061": timedelta(hours=1),
    "2031": timedelta(days=1),
}
HISTORY: Final = timedelta(days=40)
"""How far back a logger remembers minutes, hours and days."""
SYSTEMS: Final[Mapping[Profile, str]] = {"wastewater": "32", "gas": "31", "station": "22", "surface-water": "21"}
FLAGS: Final[Mapping[Profile, int]] = {"wastewater": 5, "gas": 5, "station": 5, "surface-water": 9}
"""Answer wanted; version bits of HJ 212-2017 and of the surface-water profile."""
_AN_HOUR: Final = 12
_DRIFT_LEVELS: Final = 6
_DRIFT: Final = 0.12
_CHECKSUM: Final = {value: b"%04X" % value for value in crc.VALUES}
_MULTIPLIER: Final = 2_654_435_761
_SHARES: Final = {0: "2051", 30: "2061", 45: "2031"}
_ROUND: Final = 60


@dataclass(frozen=True)
class _Item:
    factor: str
    mean: float
    low: float
    high: float
    decimals: int
    swing: float
    noise: float
    suffixes: tuple[str, ...]


@cache
def _items(profile: Profile) -> tuple[_Item, ...]:
    text = files("qinglan.gateways.hj212.simulate").joinpath("profiles.csv").read_text("utf-8")
    return tuple(
        _Item(
            factor=row["factor"],
            mean=float(row["mean"]),
            low=float(row["low"]),
            high=float(row["high"]),
            decimals=int(row["decimals"]),
            swing=float(row["swing"]),
            noise=float(row["noise"]),
            suffixes=tuple(row["suffixes"].split()),
        )
        for row in csv.DictReader(text.splitlines())
        if row["profile"] == profile
    )


def device_number(index: int, *, unknown: bool = False) -> str:
    """Return the number (MN) of a simulated device; `unknown` ones are of a block that nobody registers.

    Examples
    --------
    >>> device_number(7), device_number(7, unknown=True)
    ('5A0000000000000000000007', 'FF0000000000000000000007')
    """
    return f"{'FF' if unknown else '5A'}{index:022d}"


@lru_cache(maxsize=4096)
def _second(seconds: int) -> bytes:
    return (datetime.fromtimestamp(seconds, UTC) + BEIJING_OFFSET).strftime("%Y%m%d%H%M%S").encode()


def stamp(milliseconds: int) -> bytes:
    """Return a time, in milliseconds of the epoch, as the 17 digits of QN."""
    return _second(milliseconds // 1000) + b"%03d" % (milliseconds % 1000)


def written_time(seconds: int) -> bytes:
    """Return a time, in seconds of the epoch, as the 14 digits of DataTime (Beijing time)."""
    return _second(seconds)


def framed(segment: bytes) -> bytes:
    """Return the frame of a data segment, with its line's end."""
    return b"##%04d" % len(segment) + segment + _CHECKSUM[crc.standard(segment)] + b"\r\n"


class Generator:
    """Makes the packets of one profile.

    Parameters
    ----------
    profile
        What the devices measure.
    seed
        Decides the values.
    """

    def __init__(self, profile: Profile, seed: int = 0) -> None:
        self.profile = profile
        self.system = SYSTEMS[profile]
        self.flag = FLAGS[profile]
        self._areas = {
            (command, level): _areas(profile, command, level, seed)
            for command in PERIODS
            for level in range(_DRIFT_LEVELS)
        }

    def middle(self, number: str, command: str, password: str) -> bytes:
        """Return what stands in a device's packets between QN and the data area."""
        return f";ST={self.system};CN={command};PW={password};MN={number};Flag={self.flag};CP=&&DataTime=".encode()

    def area(self, index: int, command: str, seconds: int, level: int = 0) -> bytes:
        """Return the values of a device for the period that begins at `seconds`: always the same ones."""
        pool = self._areas[command, min(level, _DRIFT_LEVELS - 1)]
        hour = (seconds // 3600 + 8) % 24
        mixed = (index * _MULTIPLIER ^ seconds * 40_503) >> 4
        return pool[hour * _AN_HOUR + mixed % _AN_HOUR]

    def packet(self, milliseconds: int, middle: bytes, seconds: int, area: bytes) -> bytes:
        """Return a whole packet: `milliseconds` becomes its QN, `seconds` its DataTime."""
        return framed(b"QN=" + stamp(milliseconds) + middle + _second(seconds) + b";" + area + b"&&")


def period_start(seconds: float, command: str) -> int:
    """Return the start of the period, on the Beijing clock, that a moment lies in."""
    length = int(PERIODS[command].total_seconds())
    offset = int(BEIJING_OFFSET.total_seconds())
    return (int(seconds) + offset) // length * length - offset


def mixed_command(number: int) -> str:
    """Return the command of a logger's packet of a running number: of 60, a minute, an hour and a day."""
    return _SHARES.get(number % _ROUND, "2011")


def frames(settings: Settings, start: float = 1_767_225_600.0) -> Iterator[bytes]:
    """Yield packets of a fleet without end, as fast as they are asked for; for benchmarks and tests.

    Examples
    --------
    >>> from qinglan.gateways.hj212.codec import decode
    >>> len(decode(next(frames(Settings(port=1, devices=1, profile="station")))).observations())
    10
    """
    generator = Generator(settings.profile, settings.seed)
    command = "2011" if settings.data == "mixed" else COMMANDS[settings.data]
    indices = range(settings.first, settings.first + settings.devices)
    middles = [(index, generator.middle(device_number(index), command, settings.password)) for index in indices]
    length = int(PERIODS[command].total_seconds())
    seconds = period_start(start, command)
    while True:
        for index, middle in middles:
            yield generator.packet(seconds * 1000, middle, seconds, generator.area(index, command, seconds))
        seconds += length


def _areas(profile: Profile, command: str, level: int, seed: int) -> Sequence[bytes]:
    """Return the values of each hour of the day, several for each hour."""
    chance = random.Random(f"{profile} {command} {level} {seed}")
    return tuple(
        ";".join(_written(item, command, hour, level, chance) for item in _items(profile)).encode()
        for hour in range(24)
        for _ in range(_AN_HOUR)
    )


def _written(item: _Item, command: str, hour: int, level: int, chance: random.Random) -> str:
    swing = 1 + item.swing * math.sin((hour - 8) / 24 * 2 * math.pi)
    mean = item.mean * swing * (1 + _DRIFT * level) * (1 + item.noise * (chance.random() - 0.5))
    spread = item.mean * item.noise / 2
    low, high = mean - spread * chance.random(), mean + spread * chance.random()
    converted = mean * 0.97
    seconds = PERIODS[command].total_seconds()
    values = {
        "Rtd": mean,
        "Avg": mean,
        "Min": low,
        "Max": high,
        "ZsRtd": converted,
        "ZsAvg": converted,
    }
    names = ("Rtd", "ZsRtd") if command == "2011" else ("Min", "Avg", "Max", "ZsAvg", "Cou")
    parts = []
    for name in names:
        if name not in item.suffixes:
            continue
        if name == "Cou":
            parts.append(f"{item.factor}-Cou={_amount(item, mean, seconds)}")
        else:
            value = min(max(values[name], item.low), item.high)
            parts.append(f"{item.factor}-{name}={value:.{item.decimals}f}")
    return ",".join([*parts, f"{item.factor}-Flag=N"])


def _amount(item: _Item, mean: float, seconds: float) -> str:
    """Return what passes in a period: m3 for a flow (L/s, m3/s), else kg at a usual flow."""
    if item.factor == "w00000":
        return f"{mean * seconds / 1000:.2f}"
    if item.factor == "a00000":
        return f"{mean * seconds:.1f}"
    flow = 64 / 1000 if item.factor.startswith("w") else 72
    per = 1e-3 if item.factor.startswith("w") else 1e-6
    return f"{mean * flow * seconds * per:.3f}"
