"""What a process of the gateway counts, as plain numbers that another process can read from a file."""

from __future__ import annotations

import json
import os
from bisect import bisect_left
from collections import Counter
from pathlib import Path
from typing import Any, Final

BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Timing:
    """How long something took, in the form of a Prometheus histogram."""

    def __init__(self) -> None:
        self.counts = [0] * (len(BOUNDS) + 1)
        self.sum = 0.0

    def add(self, seconds: float, times: int = 1) -> None:
        """Count `times` that took so long."""
        self.counts[bisect_left(BOUNDS, seconds)] += times
        self.sum += seconds * times

    def plain(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {"counts": self.counts, "sum": self.sum}


class Counts:
    """The numbers of one process since it began."""

    def __init__(self) -> None:
        self.received = 0
        self.bytes = 0
        self.accepted = 0
        self.repeated = 0
        self.quarantined = 0
        self.acknowledged = 0
        self.withheld = 0
        self.not_kept = 0
        self.groups = 0
        self.connected = 0
        self.refused: Counter[str] = Counter()
        self.cut: Counter[str] = Counter()
        self.answer_seconds = Timing()
        self.commit_seconds = Timing()

    def plain(self) -> dict[str, Any]:
        """Return them as plain values."""
        return {
            "received": self.received,
            "bytes": self.bytes,
            "accepted": self.accepted,
            "repeated": self.repeated,
            "quarantined": self.quarantined,
            "acknowledged": self.acknowledged,
            "withheld": self.withheld,
            "not_kept": self.not_kept,
            "groups": self.groups,
            "connected": self.connected,
            "refused": dict(self.refused),
            "cut": dict(self.cut),
            "answer_seconds": self.answer_seconds.plain(),
            "commit_seconds": self.commit_seconds.plain(),
        }


def write_status(path: Path, found: dict[str, Any]) -> None:
    """Write a status file in one step; a reader sees the old or the new one, never half of it.

    It is not made durable: it says what is, and is written again within seconds.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    beside.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    beside.replace(path)


def read_status(path: Path) -> dict[str, Any] | None:
    """Return what a status file says, or None where there is none to read."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
