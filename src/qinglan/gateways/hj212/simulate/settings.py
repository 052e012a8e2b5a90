"""What a simulated fleet is told: how many, of what kind, how fast, for how long, with which faults."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal, get_args

from qinglan.core.errors import InputError

Profile = Literal["wastewater", "gas", "station", "surface-water"]
Fault = Literal["drift", "gaps", "resends", "clock", "half", "disconnect", "bad-crc", "unknown-mn"]
Data = Literal["mixed", "realtime", "minute", "hour", "day"]

PROFILES: Final[tuple[Profile, ...]] = get_args(Profile)
FAULTS: Final[tuple[Fault, ...]] = get_args(Fault)
MOST_DEVICES: Final = 10_000
LONGEST: Final = 900.0
"""A fleet stops by itself after a quarter of an hour at the latest."""
FASTEST: Final = 50_000.0


@dataclass(frozen=True)
class Settings:
    """How a fleet behaves.

    Attributes
    ----------
    host, port
        Where it connects to; anything but this machine needs `really`.
    devices, profile
        How many loggers of which kind.
    rate
        Packets a second of the whole fleet; None for one packet a logger every 30 seconds.
    duration
        Seconds, counted from when all are connected; the fleet then waits for answers for `grace` seconds at most.
    burst
        Send so many packets at once, wait for their answers, and stop; `rate` and `duration` do not count then.
    data
        ``mixed`` is mostly real-time data, with minutes, hours and days between.
    faults, share
        What goes wrong, and with which share of the devices (drift, clock, unknown-mn) or packets (the others).
    window
        How many packets a logger sends before it waits for an answer.
    timeout, retries
        依据: HJ 212-2017 表1: 10 s and 3 resends on mobile networks; a platform may set others (1000). After the last
        resend the logger gives its connection up, connects again and sends the packet again under the same QN.
    record
        File that gets one JSON line a packet: what was sent, and when it was acknowledged.
    first
        Index of the first device, so that several fleets may share a gateway.
    processes
        Over how many processes the devices are spread.
    """

    port: int
    host: str = "127.0.0.1"
    devices: int = 10
    profile: Profile = "wastewater"
    rate: float | None = None
    duration: float = 60.0
    burst: int | None = None
    data: Data = "mixed"
    faults: tuple[Fault, ...] = ()
    share: float = 0.05
    seed: int = 0
    window: int = 1
    timeout: float = 10.0
    retries: int = 3
    grace: float = 15.0
    password: str = "123456"
    record: Path | None = None
    first: int = 0
    processes: int = 1
    really: bool = False

    def __post_init__(self) -> None:
        bounds: tuple[tuple[str, float, float, float], ...] = (
            ("port", self.port, 1, 65535),
            ("devices", self.devices, 1, MOST_DEVICES),
            ("duration", self.duration, 0.1, LONGEST),
            ("rate", self.packets_per_second, 0.001, FASTEST),
            ("share", self.share, 0, 1),
            ("burst", self.burst or 1, 1, 1_000_000),
            ("window", self.window, 1, 1000),
            ("timeout", self.timeout, 0.05, 99),
            ("retries", self.retries, 0, 99),
            ("grace", self.grace, 0, 120),
            ("processes", self.processes, 1, min(8, self.devices)),
        )
        for name, value, least, most in bounds:
            if not least <= value <= most:
                raise InputError(
                    f"{name} 应在 {least:g} 至 {most:g} 之间，收到 {value:g}。",
                    f"{name} should lie between {least:g} and {most:g}; got {value:g}.",
                    field=name,
                )
        wrong = [fault for fault in self.faults if fault not in FAULTS]
        if wrong:
            raise InputError(
                f"没有故障“{wrong[0]}”，可用的有：{'、'.join(FAULTS)}。",
                f'There is no fault "{wrong[0]}"; there are: {", ".join(FAULTS)}.',
                field="faults",
            )

    @property
    def packets_per_second(self) -> float:
        """The rate of the whole fleet."""
        return self.devices / 30 if self.rate is None else self.rate


def loopback_address(host: str, port: int, *, really: bool = False) -> str:
    """Return the address that a host name means; another machine's only where `really` is said.

    Raises
    ------
    InputError
        If the name means nothing, or another machine and `really` is not said.

    Examples
    --------
    >>> loopback_address("127.0.0.1", 8212)
    '127.0.0.1'
    """
    try:
        found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except OSError as error:
        raise InputError(
            f"地址“{host}”无法解析。", f'The address "{host}" cannot be resolved.', field="--to"
        ) from error
    elsewhere = [address for address in found if not ipaddress.ip_address(address.partition("%")[0]).is_loopback]
    if elsewhere and not really:
        raise InputError(
            f"{host}（{elsewhere[0]}）不是本机：模拟数据不应发往真实平台，确需如此请加 --really。",
            f"{host} ({elsewhere[0]}) is not this machine: simulated data should not reach a real platform; "
            "add --really if you mean it.",
            field="--to",
        )
    return found[0]
