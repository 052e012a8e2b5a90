"""What the base keeps of each device's traffic: when it was last heard, how much came, what it reported in words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from sqlalchemy import Engine, delete, select

from qinglan.base import dialect
from qinglan.base.engine import reading, transaction
from qinglan.base.schema import device_event, device_state
from qinglan.gateways.hj212.converting import Seen

EVENTS_KEPT: Final = timedelta(days=400)
_SOME: Final = 500
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def write_states(engine: Engine, seen: Mapping[str, Seen]) -> None:
    """Add what was heard to what is known of each device."""
    numbers = [mn for mn in seen if mn]
    with transaction(engine) as connection:
        there: dict[str, Mapping[str, Any]] = {}
        for at in range(0, len(numbers), _SOME):
            query = select(device_state).where(device_state.c.mn.in_(numbers[at : at + _SOME]))
            there |= {row["mn"]: dict(row) for row in connection.execute(query).mappings()}
        dialect.upsert(connection, device_state, [_added(mn, seen[mn], there.get(mn)) for mn in numbers])


def _added(mn: str, seen: Seen, before: Mapping[str, Any] | None) -> dict[str, Any]:
    known = before or {}
    last = _moment(seen.last)
    data = max((one for one in (seen.data, known.get("last_data")) if one is not None), default=None)
    return {
        "mn": mn,
        "first_seen": known.get("first_seen") or _moment(seen.first),
        "last_seen": max(last, known.get("last_seen") or last),
        "last_data": data,
        "last_command": seen.command or known.get("last_command", ""),
        "address": seen.address,
        **{
            name: seen.counts[name] + known.get(name, 0) for name in ("accepted", "repeated", "rejected", "quarantined")
        },
        "last_reason": seen.reason or known.get("last_reason"),
        "clock_seconds": seen.clock if seen.clock is not None else known.get("clock_seconds"),
    }


def write_events(engine: Engine, events: Sequence[Mapping[str, Any]]) -> None:
    """Write device events; one that is there already stays as it is."""
    with transaction(engine) as connection:
        dialect.upsert(connection, device_event, events)


def states(engine: Engine) -> dict[str, dict[str, Any]]:
    """Return what is known of each device's traffic, by number."""
    with reading(engine) as connection:
        return {row["mn"]: dict(row) for row in connection.execute(select(device_state)).mappings()}


def events(engine: Engine, mn: str, *, most: int = 100) -> list[dict[str, Any]]:
    """Return the newest events of a device."""
    query = select(device_event).where(device_event.c.mn == mn).order_by(device_event.c.time.desc()).limit(most)
    with reading(engine) as connection:
        return [dict(row) for row in connection.execute(query).mappings()]


def forget_events(engine: Engine) -> int:
    """Delete events that are older than they are kept; return how many."""
    with transaction(engine) as connection:
        before = dialect.now(connection) - EVENTS_KEPT
        return connection.execute(delete(device_event).where(device_event.c.time < before)).rowcount


def _moment(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
