"""What a handler is given: its arguments, the base, and ways to say how far it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine

from qinglan.base.engine import transaction
from qinglan.core.errors import JobError, QinglanError
from qinglan.jobs import lease
from qinglan.jobs.lease import Claim
from qinglan.jobs.queue import write_log

Progress = Callable[[int, int | None, str, str], None]
_WRITE_EVERY = 0.5


class CancelledError(JobError):
    """Somebody asked for the job to be cancelled."""


class ReleasedError(JobError):
    """The worker is stopping; the job goes back to waiting."""


class LeaseLostError(JobError):
    """The lease ended and the job went to another worker."""


class JobContext:
    """One attempt at a job.

    Do not call its methods inside a write transaction of your own: they write through another connection, which on
    SQLite would wait for yours.
    """

    def __init__(
        self,
        engine: Engine,
        held: Claim,
        length: timedelta,
        *,
        stopping: threading.Event | None = None,
        on_progress: Progress | None = None,
    ) -> None:
        self.id = held.id
        self.arguments = held.arguments
        self.attempt = held.attempt
        self.engine = engine
        self.held = held
        self.length = length
        self.said: dict[str, Any] = {}
        self._stopping = stopping
        self._on_progress = on_progress
        self._cancelled = False
        self._lost = False
        self._written = float("-inf")
        self._until = time.monotonic() + length.total_seconds()
        self._renewing = threading.Lock()

    def progress(self, done: int, total: int | None = None, zh: str = "", en: str = "") -> None:
        """Say how far the job is, in whatever it counts (rows, files).

        Written at most twice a second, and when `done` reaches `total`; call it as often as is convenient.

        Raises
        ------
        JobError
            If the job was cancelled, went to another worker, or its worker is stopping: let it pass.
        """
        self.check()
        if self._on_progress is not None:
            self._on_progress(done, total, zh, en)
        new = {"done": done, "total": total, "message_zh": zh, "message_en": en}
        due = time.monotonic() - self._written >= _WRITE_EVERY
        if (due or done == total) and new != self.said:
            self._written = time.monotonic()
            self.renew(**new)
            self.check()
        self.said = new

    def check(self) -> None:
        """Raise what `progress` would raise, without saying anything."""
        if self._lost or time.monotonic() > self._until:
            raise LeaseLostError(
                f"作业 {self.id} 的租约已到期，作业已交给别的进程。",
                f"The lease of job {self.id} has ended; the job has gone to another worker.",
            )
        if self._cancelled:
            raise CancelledError(f"作业 {self.id} 已被取消。", f"Job {self.id} was cancelled.")
        if self._stopping is not None and self._stopping.is_set():
            raise ReleasedError(f"作业 {self.id} 因服务停止而放回。", f"Job {self.id} is given back: the worker stops.")

    def log(self, text: str) -> None:
        """Add an entry to the job's log."""
        with transaction(self.engine) as connection:
            write_log(connection, self.id, text)

    def renew(self, **changes: Any) -> None:
        """Hold the lease for another length, and write `changes` to the row; the heartbeat calls this."""
        with self._renewing:
            begun = time.monotonic()
            asked = lease.renew(self.engine, self.held, self.length, **changes)
            if asked is None:
                self._lost = True
            else:
                self._cancelled = self._cancelled or asked
                self._until = begun + self.length.total_seconds()


class Heartbeat:
    """Renews the lease from a thread of its own while the handler computes."""

    def __init__(self, context: JobContext) -> None:
        self._context = context
        self._every = context.length.total_seconds() / 3
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"lease-{context.id[:8]}", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(self._every):
            try:
                self._context.renew()
            except QinglanError:
                # A busy base is tried again at the next beat; the context itself knows when the lease is over.
                continue


Handler = Callable[[JobContext], dict[str, object] | None]
