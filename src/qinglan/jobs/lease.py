"""Leases: who may work on a job, and until when.

Each claim has an owner of its own, so that a worker that lost a job and took it again is not mistaken for its
former self. Every later write names the owner: one whose lease went to another changes nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, and_, or_, select, update

from qinglan.base import dialect
from qinglan.base.engine import reading, transaction
from qinglan.base.schema import jobs
from qinglan.jobs.queue import write_log


@dataclass(frozen=True)
class Claim:
    """One attempt at one job, held by one owner."""

    id: str
    kind: str
    owner: str
    arguments: dict[str, Any]
    attempt: int
    max_attempts: int


def claim(
    engine: Engine, worker: str, length: timedelta, kinds: Collection[str], *, only: str | None = None
) -> Claim | None:
    """Take the oldest waiting job of `kinds`, or the one named `only`; return None if there is none to take.

    Expired leases are returned first, so that a killed worker's job is found here.
    """
    if not _something_to_do(engine, kinds, only):
        return None
    with transaction(engine) as connection:
        now = dialect.now(connection)
        return_expired(connection, now)
        query = select(jobs).where(_claimable(now, kinds, only)).order_by(jobs.c.id).limit(1)
        row = connection.execute(dialect.locking(connection, query)).mappings().first()
        if row is None:
            return None
        owner = f"{worker}/{secrets.token_hex(4)}"
        taken = {
            "state": "running",
            "lease_owner": owner,
            "lease_until": now + length,
            "attempts": row["attempts"] + 1,
            "started": row["started"] or now,
            "not_before": None,
        }
        connection.execute(update(jobs).where(jobs.c.id == row["id"]).values(**taken))
        return Claim(row["id"], row["kind"], owner, dict(row["arguments"]), taken["attempts"], row["max_attempts"])


def return_expired(connection: Connection, now: datetime) -> int:
    """Return the jobs whose lease has ended without a word, and return their number.

    A job goes back to waiting; to cancelled if that was asked; to failed if it has been begun often enough.
    """
    query = select(jobs).where(and_(jobs.c.state == "running", jobs.c.lease_until < now))
    expired = connection.execute(dialect.locking(connection, query)).mappings().all()
    for row in expired:
        connection.execute(update(jobs).where(jobs.c.id == row["id"]).values(**_after_expiry(row, now)))
        write_log(connection, row["id"], f"租约到期，{row['lease_owner']} 没有回应。 / The lease ended without a word.")
    return len(expired)


def renew(engine: Engine, held: Claim, length: timedelta, **changes: Any) -> bool | None:
    """Hold the job for another `length`, and write `changes`.

    Returns
    -------
    bool or None
        Whether cancelling was asked for; None if the lease went to another.
    """
    with transaction(engine) as connection:
        until = dialect.now(connection) + length
        found = connection.execute(update(jobs).where(_held(held)).values(lease_until=until, **changes))
        if found.rowcount == 0:
            return None
        return bool(connection.execute(select(jobs.c.cancel_requested).where(jobs.c.id == held.id)).scalar_one())


def end(engine: Engine, held: Claim, *, log: str | None = None, finished: bool = True, **changes: Any) -> bool:
    """Give the job up with `changes`; return False, changing nothing, if the lease went to another."""
    with transaction(engine) as connection:
        now = dialect.now(connection)
        changes |= {"lease_owner": None, "lease_until": None, "finished": now if finished else None}
        delay = changes.pop("delay", None)
        if delay is not None:
            changes["not_before"] = now + delay
        if connection.execute(update(jobs).where(_held(held)).values(**changes)).rowcount == 0:
            return False
        if log:
            write_log(connection, held.id, log)
        return True


def _held(held: Claim) -> ColumnElement[bool]:
    return and_(jobs.c.id == held.id, jobs.c.lease_owner == held.owner, jobs.c.state == "running")


def _claimable(now: datetime, kinds: Collection[str], only: str | None) -> ColumnElement[bool]:
    if only is not None:
        return and_(jobs.c.state == "waiting", jobs.c.id == only)
    rested = or_(jobs.c.not_before.is_(None), jobs.c.not_before <= now)
    return and_(jobs.c.state == "waiting", jobs.c.kind.in_(list(kinds)), rested)


def _something_to_do(engine: Engine, kinds: Collection[str], only: str | None) -> bool:
    # Looking first keeps an idle worker from taking SQLite's write lock at every turn.
    with reading(engine) as connection:
        now = dialect.now(connection)
        expired = and_(jobs.c.state == "running", jobs.c.lease_until < now)
        query = select(jobs.c.id).where(or_(_claimable(now, kinds, only), expired)).limit(1)
        return connection.execute(query).first() is not None


def _after_expiry(row: RowMapping, now: datetime) -> dict[str, Any]:
    freed = {"lease_owner": None, "lease_until": None}
    if row["cancel_requested"]:
        return freed | {"state": "cancelled", "finished": now}
    if row["attempts"] < row["max_attempts"]:
        return freed | {"state": "waiting"}
    times = row["attempts"]
    return freed | {
        "state": "failed",
        "finished": now,
        "error_type": "JobError",
        "error_zh": f"作业开始了 {times} 次，每次执行它的进程都中途消失（例如被强行结束或断电），不再重试。",
        "error_en": f"The job was begun {times} times, and each time its process vanished in the middle "
        "(killed, or power lost); it is not tried again.",
    }
