"""Workers: take a job, run its handler, write down how it ended."""

from __future__ import annotations

import os
import secrets
import socket
import threading
import traceback
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta

import structlog
from sqlalchemy import Engine

from qinglan.core.errors import DeclarationError, EditionError, InputError, JobError, QinglanError
from qinglan.jobs import lease, queue
from qinglan.jobs.context import CancelledError, Handler, Heartbeat, JobContext, LeaseLostError, Progress, ReleasedError
from qinglan.jobs.lease import Claim
from qinglan.jobs.queue import Job

LEASE = timedelta(seconds=30)
POLL = timedelta(seconds=0.5)
_HOPELESS = (InputError, EditionError, DeclarationError)
_log = structlog.get_logger(__name__)


class Worker:
    """Runs jobs of the kinds it has handlers for, one at a time.

    Handlers are idempotent: a job whose worker was killed is begun again from its beginning.

    Parameters
    ----------
    handlers
        The function of each kind of job.
    name
        Who holds the lease, as the job's row shows it.
    lease
        How long a job stays with a worker that is silent. Renewed while the handler runs.
    poll
        How often an idle worker of `start` looks for a job.
    """

    def __init__(
        self,
        engine: Engine,
        handlers: Mapping[str, Handler],
        *,
        name: str | None = None,
        lease: timedelta = LEASE,
        poll: timedelta = POLL,
    ) -> None:
        self.engine = engine
        self.handlers = dict(handlers)
        self.name = name or f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(2)}"
        self._lease = lease
        self._poll = poll
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def run_one(self) -> bool:
        """Run one waiting job, if there is one; return whether there was."""
        held = lease.claim(self.engine, self.name, self._lease, self.handlers.keys())
        if held is None:
            return False
        context = JobContext(self.engine, held, self._lease, stopping=self._stopping)
        _attempt(context, self.handlers[held.kind])
        return True

    def run(self, stopping: threading.Event | None = None) -> None:
        """Run jobs until `stop` is called from another thread or a signal handler, or `stopping` is set."""
        if stopping is not None:
            self._stopping = stopping
        while not self._stopping.is_set():
            try:
                worked = self.run_one()
            except QinglanError as error:
                _log.warning("job_base_unavailable", worker=self.name, reason=error.en)
                worked = False
            except Exception:
                # The one worker of the embedded mode must outlive a fault of a single turn.
                _log.exception("job_turn_failed", worker=self.name)
                worked = False
            if not worked:
                self._stopping.wait(self._poll.total_seconds())

    def start(self) -> None:
        """Run in a daemon thread."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._stopping.clear()
        self._thread = threading.Thread(target=self.run, name="jobs", daemon=True)
        self._thread.start()

    def stop(self, timeout: timedelta = LEASE) -> None:
        """Stop: the running job is given back at its next progress, and is not counted as an attempt."""
        self._stopping.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(timeout.total_seconds())


def run_now(
    engine: Engine,
    handlers: Mapping[str, Handler],
    job_id: str,
    on_progress: Progress | None = None,
    *,
    lease_length: timedelta = LEASE,
) -> Job:
    """Run one job in this process and return it when it is done.

    If a worker of another process was quicker, its progress is followed until the job ends; if that process is
    killed, the job is taken over here.

    Parameters
    ----------
    on_progress
        Called with done, total and the message in Chinese and English.

    Raises
    ------
    QinglanError
        What the handler refused the job with.
    JobError
        If the job failed otherwise or was cancelled. Nothing is tried again by itself.
    """
    name = f"{socket.gethostname()}:{os.getpid()}:now"
    pause = threading.Event()
    while True:
        job = queue.get(engine, job_id)
        if job.is_finished:
            return _done(job)
        handler = handlers.get(job.kind)
        if handler is None:
            raise JobError(
                f"没有“{job.kind}”类作业的处理程序。",
                f'There is no handler for jobs of the kind "{job.kind}".',
                field="kind",
            )
        held = lease.claim(engine, name, lease_length, handlers.keys(), only=job_id)
        if held is not None:
            # Whoever is waiting in front of it decides about another try.
            held = replace(held, max_attempts=held.attempt)
            _attempt(JobContext(engine, held, lease_length, on_progress=on_progress), handler)
            continue
        if on_progress is not None:
            on_progress(job.done, job.total, job.message_zh, job.message_en)
        pause.wait(POLL.total_seconds())


def _done(job: Job) -> Job:
    if job.error is not None:
        raise job.error
    if job.state == "cancelled":
        raise JobError(f"作业 {job.id} 已被取消。", f"Job {job.id} was cancelled.", field="id")
    return job


def _attempt(context: JobContext, handler: Handler) -> None:
    engine, held = context.engine, context.held
    try:
        with Heartbeat(context):
            result = handler(context)
        kept = lease.end(engine, held, state="done", result=result, **context.said)
    except LeaseLostError:
        kept = False
    except CancelledError:
        kept = lease.end(engine, held, state="cancelled")
    except ReleasedError:
        kept = lease.end(engine, held, state="waiting", finished=False, attempts=held.attempt - 1)
    except QinglanError as error:
        kept = _refused(engine, held, error)
    except Exception as error:
        kept = _broke(engine, held, error)
    except BaseException:
        # Control-C: whoever started the job in this process does not want it any more.
        lease.end(engine, held, state="cancelled", log="中断。 / Interrupted.")
        raise
    if not kept:
        _log.warning("job_lease_lost", job=held.id, owner=held.owner)


def _refused(engine: Engine, held: Claim, error: QinglanError) -> bool:
    log = f"{type(error).__name__}: {error}"
    if held.attempt < held.max_attempts and not isinstance(error, _HOPELESS):
        return _again(engine, held, log)
    return lease.end(
        engine, held, state="failed", log=log, error_type=type(error).__name__, error_zh=error.zh, error_en=error.en
    )


def _broke(engine: Engine, held: Claim, error: Exception) -> bool:
    log = "".join(traceback.format_exception(error))
    if held.attempt < held.max_attempts:
        return _again(engine, held, log)
    reason = " ".join(f"{type(error).__name__}: {error}".split())
    return lease.end(
        engine,
        held,
        state="failed",
        log=log,
        error_type="JobError",
        error_zh=f"作业因程序错误失败（第 {held.attempt} 次尝试）：{reason}；"
        f"详情见作业日志（qinglan jobs show {held.id}）。",
        error_en=f"The job failed by a fault of the program (attempt {held.attempt}): {reason}; "
        f"its log says more (qinglan jobs show {held.id}).",
    )


def _again(engine: Engine, held: Claim, log: str) -> bool:
    # Doubling the rest gives a busy lake or a lost database time to come back.
    rest = timedelta(seconds=2.0**held.attempt)
    return lease.end(engine, held, state="waiting", finished=False, delay=rest, log=log)
