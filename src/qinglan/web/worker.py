"""The jobs worker that runs beside the server, and whether it still runs."""

from __future__ import annotations

import threading
from datetime import timedelta

from qinglan.jobs import Worker

_GRACE = timedelta(seconds=15)


class WorkerThread:
    """Run a worker in a thread of this process.

    A job that does not notice the end of the server in time is left behind: its lease runs out, and the next
    worker takes it up.
    """

    def __init__(self, worker: Worker) -> None:
        self._worker = worker
        self._thread: threading.Thread | None = None

    @property
    def alive(self) -> bool:
        """Whether the worker runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start working."""
        self._thread = threading.Thread(target=self._worker.run, name="qinglan-jobs", daemon=True)
        self._thread.start()

    def stop(self, grace: timedelta = _GRACE) -> bool:
        """Stop, and return whether the worker ended within `grace`."""
        self._worker.stop()
        if self._thread is not None:
            self._thread.join(grace.total_seconds())
        return not self.alive
