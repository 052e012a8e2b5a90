"""What a fleet did, in numbers that several processes can add up."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

_STEP: Final = 1.02
_LOG: Final = math.log(_STEP)
_SMALLEST: Final = 1e-5


@dataclass
class Counts:
    """Numbers of one process; a histogram of steps of 2 per cent stands for the times of acknowledgement."""

    counted: Counter[str] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    commands: Counter[str] = field(default_factory=Counter)
    times: Counter[int] = field(default_factory=Counter)
    longest: float = 0.0
    seconds: float = 0.0

    def acknowledged(self, seconds: float) -> None:
        """Count a packet that was acknowledged `seconds` after it was first sent."""
        self.counted["acknowledged"] += 1
        self.times[math.ceil(math.log(max(seconds, _SMALLEST) / _SMALLEST) / _LOG)] += 1
        self.longest = max(self.longest, seconds)

    def add(self, other: Counts) -> None:
        """Add what another process counted in the same time."""
        self.counted.update(other.counted)
        self.faults.update(other.faults)
        self.commands.update(other.commands)
        self.times.update(other.times)
        self.longest = max(self.longest, other.longest)
        self.seconds = max(self.seconds, other.seconds)

    def percentile(self, percent: float) -> float | None:
        """Return the time (s) within which `percent` of the packets were acknowledged; at most 2 per cent too long."""
        total = sum(self.times.values())
        rank, seen = math.ceil(total * percent / 100), 0
        for step in sorted(self.times):
            seen += self.times[step]
            if seen >= rank:
                return min(_SMALLEST * _STEP**step, self.longest)
        return None


@dataclass(frozen=True)
class Summary:
    """A whole run.

    Attributes
    ----------
    packets, acknowledged, unacknowledged
        Different packets that were sent, and of them those that were and were not answered when the fleet stopped.
    sends
        All transmissions, resends included.
    overrun
        Packets that were never sent, because a logger's memory was full.
    rate
        Acknowledged packets a second.
    p50, p99, longest
        Seconds from the first sending to the acknowledgement.
    """

    devices: int
    connected: int
    seconds: float
    packets: int
    acknowledged: int
    unacknowledged: int
    sends: int
    overrun: int
    reconnects: int
    refused: int
    rate: float
    p50: float | None
    p99: float | None
    longest: float | None
    faults: dict[str, int]
    commands: dict[str, int]

    @classmethod
    def of(cls, counts: Counts, devices: int) -> Summary:
        """Return the summary of what was counted."""
        number = counts.counted
        answered = number["acknowledged"]
        return cls(
            devices=devices,
            connected=number["connected"],
            seconds=round(counts.seconds, 3),
            packets=number["packets"],
            acknowledged=answered,
            unacknowledged=number["packets"] - answered,
            sends=number["sends"],
            overrun=number["overrun"],
            reconnects=number["reconnects"],
            refused=number["refused"],
            rate=round(answered / counts.seconds, 1) if counts.seconds else 0.0,
            p50=counts.percentile(50),
            p99=counts.percentile(99),
            longest=counts.longest if answered else None,
            faults=dict(sorted(counts.faults.items())),
            commands=dict(sorted(counts.commands.items())),
        )

    def as_json(self) -> dict[str, Any]:
        """Return the summary as plain values."""
        return dict(vars(self))
