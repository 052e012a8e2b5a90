"""Jobs as rows: put in, look at, cancel."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from qinglan.base import dialect
from qinglan.base.engine import reading, transaction
from qinglan.base.schema import job_log, jobs
from qinglan.core import errors
from qinglan.core.errors import InputError, JobError, QinglanError
from qinglan.core.interval import to_beijing

JobState = Literal["waiting", "running", "done", "failed", "cancelled"]
FINISHED: frozenset[str] = frozenset({"done", "failed", "cancelled"})

_identifiers = threading.Lock()
_last_moment = 0


@dataclass(frozen=True)
class Job:
    """One job as it stood when it was read."""

    id: str
    kind: str
    title: Mapping[str, str]
    arguments: Mapping[str, Any]
    state: JobState
    attempts: int
    max_attempts: int
    done: int
    total: int | None
    message_zh: str
    message_en: str
    result: Mapping[str, Any] | None
    error_type: str | None
    error_zh: str | None
    error_en: str | None
    created: datetime
    started: datetime | None
    finished: datetime | None
    cancel_requested: bool

    @property
    def is_finished(self) -> bool:
        """Whether it is done, failed or cancelled: nothing will change it any more."""
        return self.state in FINISHED

    @property
    def error(self) -> QinglanError | None:
        """The error that a failed job ended with, of the class that its handler raised."""
        if self.error_zh is None or self.error_en is None:
            return None
        kind: type[QinglanError] = getattr(errors, self.error_type or "", JobError)
        return kind(self.error_zh, self.error_en)

    def as_json(self) -> dict[str, Any]:
        """Return the job as the API and ``--json`` show it; times are Beijing time."""
        error = {"type": self.error_type, "zh": self.error_zh, "en": self.error_en} if self.error_zh else None
        return {
            "id": self.id,
            "kind": self.kind,
            "title": dict(self.title),
            "arguments": dict(self.arguments),
            "state": self.state,
            "attempts": self.attempts,
            "max_attempts": self.max_attempts,
            "progress": {
                "done": self.done,
                "total": self.total,
                "message": {"zh": self.message_zh, "en": self.message_en},
            },
            "result": None if self.result is None else dict(self.result),
            "error": error,
            "created": _shown(self.created),
            "started": _shown(self.started),
            "finished": _shown(self.finished),
            "cancel_requested": self.cancel_requested,
        }


@dataclass(frozen=True)
class LogEntry:
    """One entry of a job's log."""

    at: datetime
    text: str


def enqueue(
    engine: Engine,
    kind: str,
    arguments: Mapping[str, Any],
    *,
    title_zh: str,
    title_en: str,
    max_attempts: int = 3,
    connection: Connection | None = None,
) -> str:
    """Put in a job and return its id.

    Parameters
    ----------
    arguments
        What the handler gets; must be JSON.
    max_attempts
        How often it may be begun, those times counted when its worker was killed.
    connection
        A transaction to join, so that the job and rows that belong to it are written together or not at all.

    Examples
    --------
    >>> enqueue(engine, "evaluate", {"as_of": "2023-12-31"}, title_zh="评估", title_en="Evaluation")  # doctest: +SKIP
    '0641f3a5c2b9d07c6d9d8f2b1e4a5c37'
    """
    if max_attempts < 1:
        raise InputError(
            f"max_attempts 应不小于 1，给出的是 {max_attempts}。",
            f"max_attempts should be 1 or more, given was {max_attempts}.",
            field="max_attempts",
        )
    if connection is None:
        with transaction(engine) as own:
            return enqueue(
                engine,
                kind,
                arguments,
                title_zh=title_zh,
                title_en=title_en,
                max_attempts=max_attempts,
                connection=own,
            )
    identifier = new_id()
    row = {
        "id": identifier,
        "kind": kind,
        "title": {"zh": title_zh, "en": title_en},
        "arguments": dict(arguments),
        "state": "waiting",
        "attempts": 0,
        "max_attempts": max_attempts,
        "done": 0,
        "message_zh": "",
        "message_en": "",
        "created": dialect.now(connection),
        "cancel_requested": False,
    }
    connection.execute(insert(jobs), [row])
    return identifier


def get(engine: Engine, identifier: str) -> Job:
    """Return one job.

    Raises
    ------
    InputError
        If there is no job with this id.
    """
    with reading(engine) as connection:
        return read(connection, identifier)


def read(connection: Connection, identifier: str) -> Job:
    """Return one job as the transaction sees it; see `get`."""
    row = connection.execute(select(*_COLUMNS).where(jobs.c.id == identifier)).mappings().first()
    if row is None:
        raise InputError(
            f"没有编号为“{identifier}”的作业。", f'There is no job with the id "{identifier}".', field="id"
        )
    return _job(row)


def list_jobs(
    engine: Engine,
    *,
    kinds: Iterable[str] | None = None,
    states: Iterable[JobState] | None = None,
    limit: int = 50,
    before: str | None = None,
) -> list[Job]:
    """Return jobs, the newest first.

    Parameters
    ----------
    before
        The id of the last job of the page before; only older ones are returned.
    """
    query = select(*_COLUMNS).order_by(jobs.c.id.desc()).limit(limit)
    if kinds is not None:
        query = query.where(jobs.c.kind.in_(list(kinds)))
    if states is not None:
        query = query.where(jobs.c.state.in_(list(states)))
    if before is not None:
        query = query.where(jobs.c.id < before)
    with reading(engine) as connection:
        return [_job(row) for row in connection.execute(query).mappings()]


def log_of(engine: Engine, identifier: str) -> list[LogEntry]:
    """Return the log of one job, the oldest entry first."""
    query = select(job_log.c.at, job_log.c.text).where(job_log.c.job == identifier).order_by(job_log.c.id)
    with reading(engine) as connection:
        return [LogEntry(row.at, row.text) for row in connection.execute(query)]


def write_log(connection: Connection, identifier: str, text: str) -> None:
    """Add one entry to the log of a job."""
    # PostgreSQL refuses the null character, which an error's text may quote from a file.
    row = {"job": identifier, "at": dialect.now(connection), "text": text.replace("\0", "␀")}
    connection.execute(insert(job_log), [row])


def cancel(engine: Engine, identifier: str) -> Job:
    """Cancel a waiting job at once; ask a running one to stop at its next progress.

    Raises
    ------
    InputError
        If there is no job with this id.
    JobError
        If the job is finished already.
    """
    with transaction(engine) as connection:
        waiting = (jobs.c.id == identifier) & (jobs.c.state == "waiting")
        ended = {"state": "cancelled", "cancel_requested": True, "finished": dialect.now(connection)}
        if connection.execute(update(jobs).where(waiting).values(**ended)).rowcount == 0:
            running = (jobs.c.id == identifier) & (jobs.c.state == "running")
            asked = connection.execute(update(jobs).where(running).values(cancel_requested=True)).rowcount
            if not asked:
                job = read(connection, identifier)
                raise JobError(
                    f"作业 {identifier} 已结束（{job.state}），不能取消。",
                    f"Job {identifier} has ended already ({job.state}) and cannot be cancelled.",
                    field="id",
                )
        return read(connection, identifier)


def new_id() -> str:
    """Return a new id; ids sort by the time at which they were made, within one process strictly.

    Examples
    --------
    >>> first, second = new_id(), new_id()
    >>> len(first), first < second
    (32, True)
    """
    global _last_moment  # noqa: PLW0603 (the clock of this process's ids)
    with _identifiers:
        _last_moment = max(time.time_ns() // 1000, _last_moment + 1)
        return f"{_last_moment:014x}{secrets.token_hex(9)}"


_COLUMNS = [jobs.c[name] for name in Job.__dataclass_fields__]


def _job(row: RowMapping) -> Job:
    return Job(**row)


def _shown(moment: datetime | None) -> str | None:
    return None if moment is None else to_beijing(moment).isoformat()
