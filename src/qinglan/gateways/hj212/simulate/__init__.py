"""A fleet of loggers on this machine: they connect, send, wait for their answers, resend, obey, and keep a list.

The list says what was sent and what was acknowledged, from the client's side: tests that kill the gateway compare the
lake with it. Values are made up; they follow no place and no day.

    >>> from qinglan.gateways.hj212.simulate import Settings, frames
    >>> from qinglan.gateways.hj212.codec import decode
    >>> decode(next(frames(Settings(port=1, devices=1, profile="wastewater")))).valid
    True
"""

from qinglan.gateways.hj212.simulate.generating import COMMANDS, Generator, device_number, frames
from qinglan.gateways.hj212.simulate.running import run
from qinglan.gateways.hj212.simulate.settings import FAULTS, PROFILES, Fault, Profile, Settings, loopback_address
from qinglan.gateways.hj212.simulate.statistics import Counts, Summary

__all__ = [
    "COMMANDS",
    "FAULTS",
    "PROFILES",
    "Counts",
    "Fault",
    "Generator",
    "Profile",
    "Settings",
    "Summary",
    "device_number",
    "frames",
    "loopback_address",
    "run",
]
