"""Several operations at once, each in a transaction of its own, with its own answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qinglan.core.errors import InputError, QinglanError
from qinglan.ledgers.records import create, delete_record, restore_record, update_record
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.writing import Writing

MOST_IN_BULK = 1_000


@dataclass(frozen=True)
class Outcome:
    """What became of one operation of several."""

    position: int
    record: str | None
    done: bool
    problem: dict[str, Any] | None = field(default=None)


def bulk(ledgers: Ledgers, writing: Writing, ledger_id: str, operations: Sequence[Mapping[str, Any]]) -> list[Outcome]:
    """Do several operations, each in a transaction of its own; one that is refused leaves the others done.

    Parameters
    ----------
    operations
        ``{"action": create|update|delete|restore, "record", "version", "values"}``.
    """
    if len(operations) > MOST_IN_BULK:
        raise InputError(f"一次至多 {MOST_IN_BULK} 条。", f"At most {MOST_IN_BULK} at once.", field="operations")
    found = []
    for position, one in enumerate(operations, start=1):
        record = str(one["record"]) if one.get("record") is not None else None
        try:
            found.append(Outcome(position, _one(ledgers, writing, ledger_id, one, record), done=True))
        except QinglanError as error:
            found.append(Outcome(position, record, done=False, problem=error.problem()))
    return found


def _one(ledgers: Ledgers, writing: Writing, ledger_id: str, one: Mapping[str, Any], record: str | None) -> str:
    action, values = one.get("action"), one.get("values") or {}
    if action == "create":
        return create(ledgers, writing, ledger_id, values).record
    if record is None or action not in ("update", "delete", "restore"):
        raise InputError(
            "每项操作须写明 action（create、update、delete、restore）与 record。",
            "Each operation needs action (create, update, delete, restore) and record.",
            field="action",
        )
    if action == "update":
        version = one.get("version")
        if not isinstance(version, int):
            raise InputError("修改须写明所见的版本号 version。", "An update needs the version seen.", field="version")
        update_record(ledgers, writing, ledger_id, record, values, version=version, merge=bool(one.get("merge")))
    elif action == "delete":
        delete_record(ledgers, writing, ledger_id, record, version=one.get("version"))
    else:
        restore_record(ledgers, writing, ledger_id, record)
    return record
