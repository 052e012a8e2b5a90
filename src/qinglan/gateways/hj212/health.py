"""Why a process of the gateway does not acknowledge at the moment, and when it may again.

依据: DESIGN § 12: nothing is acknowledged that is not safe. Each cause is looked at again by itself, so that a cured
one ends without anybody's doing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import structlog

log = structlog.get_logger("qinglan.gateway")

Cause = Literal["journal", "space", "clock", "lake", "damaged"]
RESERVE_BYTES: Final = 256 * 1024 * 1024
"""Free space below which nothing more is acknowledged: the lake needs room to take in what the journal holds."""
JUMP_SECONDS: Final = 30.0
SETTLED_SECONDS: Final = 60.0


@dataclass(frozen=True, slots=True)
class Ailment:
    """Why nothing is acknowledged, since when."""

    zh: str
    en: str
    since: float


class Health:
    """The causes for which nothing is acknowledged; none of them: all is well."""

    def __init__(self) -> None:
        self.ailments: dict[Cause, Ailment] = {}
        self.changed: Callable[[], None] | None = None

    @property
    def well(self) -> bool:
        """Whether packets may be acknowledged."""
        return not self.ailments

    def plain(self) -> dict[str, dict[str, Any]]:
        """Return the causes as plain values."""
        return {cause: {"zh": one.zh, "en": one.en, "since": one.since} for cause, one in self.ailments.items()}

    def fails(self, cause: Cause, zh: str, en: str) -> None:
        """Note a cause; it is logged once, when it begins or says something else."""
        before = self.ailments.get(cause)
        if before is not None and before.en == en:
            return
        self.ailments[cause] = Ailment(zh, en, before.since if before else time.time())
        log.error("acknowledging_stopped", cause=cause, zh=zh, en=en)
        if self.changed is not None:
            self.changed()

    def cured(self, cause: Cause) -> None:
        """Note that a cause is gone."""
        before = self.ailments.pop(cause, None)
        if before is None:
            return
        log.warning("cause_cured", cause=cause, acknowledging=self.well, seconds=round(time.time() - before.since, 1))
        if self.changed is not None:
            self.changed()


class ClockWatch:
    """Notices that the machine's clock jumps.

    A clock is compared with one that only counts. After a jump nothing is acknowledged, because the time of reception
    would be wrong, until the clock is back or has gone evenly for a minute: then it was set right, and is believed.
    """

    def __init__(
        self,
        *,
        wall: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
        most: float = JUMP_SECONDS,
        settled: float = SETTLED_SECONDS,
    ) -> None:
        self._wall, self._steady, self._most, self._settled = wall, steady, most, settled
        self._believed = self._last = wall() - steady()
        self._even_since = steady()

    def look(self) -> float | None:
        """Return by how many seconds the clock has jumped, or None where it can be believed."""
        now = self._steady()
        offset = self._wall() - now
        if abs(offset - self._last) > 1:
            self._even_since = now
        self._last = offset
        jumped = offset - self._believed
        if abs(jumped) <= self._most:
            # A clock that is slowly brought to the right time is followed.
            self._believed = offset
            return None
        if now - self._even_since >= self._settled:
            self._believed = offset
            return None
        return jumped


def look_at_clock(health: Health, watch: ClockWatch) -> None:
    """Note whether the clock can be believed."""
    jumped = watch.look()
    if jumped is None:
        health.cured("clock")
    else:
        ahead = ("向前", "ahead") if jumped > 0 else ("向后", "back")
        health.fails(
            "clock",
            f"系统时钟{ahead[0]}跳了 {abs(jumped):.0f} 秒，接收时间不可信，暂停应答；恢复或走稳一分钟后自动继续。",
            f"The system clock jumped {abs(jumped):.0f} s {ahead[1]}: times of reception cannot be believed. "
            "Acknowledging goes on when it is back or has gone evenly for a minute.",
        )


def look_at_space(health: Health, folder: Path, reserve: int) -> None:
    """Note whether there is room to go on."""
    if not hasattr(os, "statvfs"):
        return
    try:
        found = os.statvfs(folder)
    except OSError:
        return
    free = found.f_bavail * found.f_frsize
    if free >= reserve:
        health.cured("space")
    else:
        health.fails(
            "space",
            f"{folder} 所在磁盘剩余空间不足 {reserve // 1024 // 1024} MB，暂停应答；腾出空间后自动继续。",
            f"Less than {reserve // 1024 // 1024} MB are free on the disk of {folder}. Acknowledging goes on when"
            " there is room.",
        )
