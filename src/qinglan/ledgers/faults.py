"""What is wrong with a record, said field by field, and the refusals that ledgers make."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from qinglan.core.errors import InputError


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with one field of a record.

    `position` counts the detail row from 1, where the field is one of detail rows.
    """

    field: str
    zh: str
    en: str
    position: int | None = None

    def answer(self) -> dict[str, Any]:
        """Return it as plain values."""
        found: dict[str, Any] = {"field": self.field, "zh": self.zh, "en": self.en}
        return found if self.position is None else found | {"position": self.position}


class RecordError(InputError):
    """A record that its declaration refuses; all faults at once."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__(
            "；".join(fault.zh.rstrip("。") for fault in faults[:5]) + "。",
            " ".join(fault.en for fault in faults[:5]),
            field=faults[0].field,
        )
        self.faults = tuple(faults)

    def problem(self) -> dict[str, Any]:
        """Return problem+json with every fault in `errors`."""
        return super().problem() | {"errors": [fault.answer() for fault in self.faults]}


class MissingError(InputError):
    """There is no such ledger, record or file, or this account may not know of it."""

    status: ClassVar[int] = 404


class ForbiddenError(InputError):
    """The account has no right to do this here."""

    status: ClassVar[int] = 403


class ConflictError(InputError):
    """Somebody else has changed the record since it was read."""

    status: ClassVar[int] = 409

    def __init__(self, zh: str, en: str, *, who: str, at: str, current: int, changes: Sequence[dict[str, Any]]) -> None:
        super().__init__(zh, en, field="version")
        self.who, self.at, self.current, self.changes = who, at, current, tuple(changes)

    def problem(self) -> dict[str, Any]:
        """Return problem+json with who changed what, when, and the version that is there now."""
        more = {"who": self.who, "at": self.at, "version": self.current, "changes": list(self.changes)}
        return super().problem() | more


class TooLargeError(InputError):
    """More than is taken at once."""

    status: ClassVar[int] = 413


def no_record(ledger: str, record: str) -> MissingError:
    """Return the refusal of a record that is not there or not to be seen."""
    return MissingError(
        f"台账 {ledger} 中没有编号为“{record[:40]}”的记录，或您无权查看。",
        f'There is no record "{record[:40]}" in the ledger {ledger}, or you may not see it.',
        field="record",
    )
