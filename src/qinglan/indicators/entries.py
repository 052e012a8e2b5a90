"""Entries of documents that no longer count: superseded by a later one, or withdrawn with a reason. Nothing vanishes.

A withdrawal is a row without a value. It takes back all that was recorded about the year before it, so that no
earlier entry comes back by itself; the right one is entered anew.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Engine, RowMapping, insert, select

from qinglan.base.engine import reading, transaction
from qinglan.base.schema import indicator_targets, indicator_values
from qinglan.core.errors import InputError
from qinglan.core.interval import to_beijing, to_utc
from qinglan.core.rounding import exact
from qinglan.core.rounding import text as printed
from qinglan.indicators import store

What = Literal["confirmed", "target"]
How = Literal["superseded", "withdrawn"]


@dataclass(frozen=True)
class Ended:
    """An entry that no longer counts, and what ended it."""

    what: What
    year: int
    value: float
    document: str
    document_date: date
    note: str | None
    recorded: datetime
    recorded_by: str
    how: How
    superseded: datetime
    superseded_by: str
    reason: str | None

    def answer(self, decimals: int) -> dict[str, Any]:
        """Return the entry as the pages show it."""
        plain = format(exact(self.value).normalize(), "f")
        return {
            "what": self.what,
            "year": self.year,
            "value": self.value,
            "text": plain if self.what == "target" else printed(self.value, decimals),
            "document": self.document,
            "document_date": self.document_date.isoformat(),
            "note": self.note,
            "recorded": to_beijing(self.recorded).isoformat(timespec="seconds"),
            "recorded_by": self.recorded_by,
            "how": self.how,
            "superseded": to_beijing(self.superseded).isoformat(timespec="seconds"),
            "superseded_by": self.superseded_by,
            "reason": self.reason,
        }


def withdraw_confirmed(
    engine: Engine,
    indicator: str,
    year: int,
    *,
    note: str,
    recorded: datetime | None = None,
    who: str = store.LOCAL,
) -> None:
    """Take back the confirmed value of a year; it stays on file with when, by whom and why.

    Raises
    ------
    InputError
        If no reason is given, or no confirmed value of the year is on file.
    """
    reason, moment = _reason(note), store.moment_of(recorded)
    with transaction(engine) as connection:
        before = store.newest_value(connection, indicator, str(year), "confirmed")
        if before is None or store.is_withdrawal(before):
            raise _nothing(year, "认定值", "confirmed value")
        store.supersede(connection, indicator_values, before, moment)
        connection.execute(
            insert(indicator_values).values(
                indicator=indicator,
                period=str(year),
                kind="confirmed",
                note=reason,
                simulated=before["simulated"],
                recorded=moment,
                recorded_by=who,
            )
        )
        store.write_audit(
            connection,
            at=moment,
            who=who,
            what="indicator.confirm.withdraw",
            indicator=indicator,
            detail=_taken_back(before, year, reason),
        )


def withdraw_target(
    engine: Engine,
    indicator: str,
    year: int,
    *,
    note: str,
    recorded: datetime | None = None,
    who: str = store.LOCAL,
) -> None:
    """Take back the issued target of a year; it stays on file with when, by whom and why.

    Raises
    ------
    InputError
        If no reason is given, or no issued target of the year is on file.
    """
    reason, moment = _reason(note), store.moment_of(recorded)
    with transaction(engine) as connection:
        before = store.newest_target(connection, indicator, year)
        if before is None or store.is_withdrawal(before):
            raise _nothing(year, "下达的目标值", "issued target")
        store.supersede(connection, indicator_targets, before, moment)
        connection.execute(
            insert(indicator_targets).values(
                indicator=indicator,
                year=year,
                status="withdrawn",
                note=reason,
                recorded=moment,
                recorded_by=who,
            )
        )
        store.write_audit(
            connection,
            at=moment,
            who=who,
            what="indicator.target.withdraw",
            indicator=indicator,
            detail=_taken_back(before, year, reason),
        )


def ended(engine: Engine, indicator: str, as_of: date, *, known_by: datetime | None = None) -> list[Ended]:
    """Return the entries that were made by documents of `as_of` or before and no longer count, newest year first."""
    values, targets = indicator_values, indicator_targets
    confirmed = select(values).where(values.c.indicator == indicator, values.c.kind == "confirmed")
    issued = select(targets).where(targets.c.indicator == indicator)
    if known_by is not None:
        confirmed = confirmed.where(values.c.recorded <= to_utc(known_by))
        issued = issued.where(targets.c.recorded <= to_utc(known_by))
    with reading(engine) as connection:
        rows = connection.execute(confirmed.order_by(values.c.id)).mappings().all()
        others = connection.execute(issued.order_by(targets.c.id)).mappings().all()
    found = [*_ended("confirmed", "period", rows, as_of), *_ended("target", "year", others, as_of)]
    return sorted(found, key=lambda entry: (-entry.year, entry.what, entry.superseded))


def _ended(what: What, column: str, rows: Sequence[RowMapping], as_of: date) -> Iterator[Ended]:
    known = [row for row in rows if row["document_date"] is None or row["document_date"] <= as_of]
    last: dict[Any, RowMapping] = {}
    for row in _by_document(known) if what == "target" else known:
        before = last.get(row[column])
        last[row[column]] = row
        if before is None or store.is_withdrawal(before):
            continue
        yield Ended(
            what=what,
            year=int(row[column]),
            value=before["value"],
            document=before["document"],
            document_date=before["document_date"],
            note=before["note"],
            recorded=before["recorded"],
            recorded_by=before["recorded_by"],
            how="withdrawn" if store.is_withdrawal(row) else "superseded",
            superseded=max(row["recorded"], before["recorded"]),
            superseded_by=row["recorded_by"],
            reason=row["note"],
        )


def _by_document(rows: Sequence[RowMapping]) -> list[RowMapping]:
    """Return targets in the order in which they take each other's place: by document, between withdrawals."""
    withdrawals: Counter[int] = Counter()
    placed = []
    for row in rows:
        placed.append(((withdrawals[row["year"]], row["document_date"] or date.max), row))
        withdrawals[row["year"]] += store.is_withdrawal(row)
    return [row for _, row in sorted(placed, key=lambda one: one[0])]


def _taken_back(before: RowMapping, year: int, reason: str) -> dict[str, Any]:
    return {"year": year, "value": before["value"], "document": before["document"], "reason": reason}


def _reason(note: str) -> str:
    if not note.strip():
        raise InputError("撤回须写明原因。", "A withdrawal needs its reason.", field="note")
    return note.strip()


def _nothing(year: int, zh: str, en: str) -> InputError:
    return InputError(
        f"{year} 年没有可撤回的{zh}：请核对年份。",
        f"There is no {en} of {year} to withdraw: check the year.",
        field="year",
    )
