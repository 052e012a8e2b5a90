"""Once a day the heads of the ledgers' chains are signed: looked at every few minutes, done by a job."""

from __future__ import annotations

import threading

import structlog

from qinglan import jobs
from qinglan.app import SIGN_HEADS, Application
from qinglan.core.errors import QinglanError
from qinglan.ledgers import heads

log = structlog.get_logger("qinglan.web")
_SECONDS = 600


class DailyHeads:
    """Ask for the day's heads while the server runs."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start looking."""
        self._thread = threading.Thread(target=self._run, name="qinglan-heads", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        while True:
            try:
                ask(self._application)
            except QinglanError as error:
                log.warning("heads", zh=error.zh, en=error.en)
            if self._ended.wait(_SECONDS):
                return


def ask(application: Application) -> bool:
    """Put in the job that signs the heads if it is due and none waits; return whether it was put in."""
    if not heads.due(application.ledgers):
        return False
    if jobs.list_jobs(application.engine, kinds=[SIGN_HEADS], states=["waiting", "running"], limit=1):
        return False
    jobs.enqueue(application.engine, SIGN_HEADS, {}, title_zh="签署台账链头", title_en="Sign the heads of ledgers")
    return True
