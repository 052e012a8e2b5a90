"""Values and targets on file. A newer row supersedes an older one; none is ever changed or deleted.

Two dates are kept apart. `as_of` asks what held on a day: documents dated by then, periods over by then.
`known_by` asks what this installation knew at a moment: rows recorded by then; without it, all it knows now.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Table, insert, select, update

from qinglan.base.engine import reading, transaction
from qinglan.base.schema import audit, indicator_targets, indicator_values
from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING, to_utc
from qinglan.indicators.compute import Estimate
from qinglan.indicators.declare import REPORTED, Baseline, Goal
from qinglan.indicators.state import Kind

LOCAL = "local"


@dataclass(frozen=True)
class Value:
    """One number on file for a period of an indicator."""

    indicator: str
    period: str
    kind: Kind
    value: float | None
    text: str
    network: str | None
    method: str | None
    basis: str | None
    edition: str | None
    document: str | None
    document_date: date | None
    note: str | None
    detail: Mapping[str, Any]
    inputs_revision: int | None
    simulated: bool
    recorded: datetime


@dataclass(frozen=True)
class IssuedTarget:
    """A target that was issued for a year after the plan."""

    indicator: str
    year: int
    value: float
    document: str
    document_date: date
    note: str | None
    recorded: datetime


def record_estimates(
    engine: Engine,
    found: Iterable[tuple[Estimate, Baseline | Goal]],
    *,
    as_of: date,
    recorded: datetime | None = None,
    who: str = LOCAL,
) -> int:
    """Record computed numbers with the ground they stand on; return how many differ from what was on file.

    A number that comes out as before, from the same inputs, is not recorded again.
    """
    moment = moment_of(recorded)
    added = 0
    with transaction(engine) as connection:
        for estimate, ground in found:
            kind: Kind = "reported" if estimate.function == REPORTED else "estimate"
            row = {
                "indicator": estimate.indicator,
                "period": estimate.period,
                "kind": kind,
                "value": estimate.value,
                "text": estimate.text,
                "network": ground.network.id,
                "method": ground.method.id if estimate.method is None else estimate.method.id,
                "basis": estimate.basis or ground.basis.id,
                "edition": estimate.edition,
                "detail": _detail(estimate),
                "inputs_revision": estimate.inputs_revision,
                "simulated": estimate.simulated,
            }
            before = newest_value(connection, estimate.indicator, estimate.period, kind)
            if before is not None and all(before[name] == value for name, value in row.items()):
                continue
            supersede(connection, indicator_values, before, moment)
            connection.execute(
                insert(indicator_values).values(as_of=_day_end(as_of), recorded=moment, recorded_by=who, **row)
            )
            added += 1
    return added


def confirm(
    engine: Engine,
    indicator: str,
    year: int,
    value: float,
    *,
    document: str,
    document_date: date,
    note: str | None = None,
    text: str | None = None,
    recorded: datetime | None = None,
    simulated: bool = False,
    who: str = LOCAL,
) -> None:
    """Record the value that a document confirms for a year; it overrides estimates, which stay on file.

    Raises
    ------
    InputError
        If the value is no number, the document is not named, or its date lies before the year's end.
    """
    _check_document(value, document)
    if document_date < date(year, 12, 31):
        raise InputError(
            f"{year} 年尚未结束时（{document_date}）不能有该年的认定值：请核对文件日期或年份。",
            f"A document of {document_date} cannot confirm the whole year {year}: check its date or the year.",
            field="document_date",
        )
    moment = moment_of(recorded)
    with transaction(engine) as connection:
        supersede(connection, indicator_values, newest_value(connection, indicator, str(year), "confirmed"), moment)
        connection.execute(
            insert(indicator_values).values(
                indicator=indicator,
                period=str(year),
                kind="confirmed",
                value=float(value),
                text=text,
                document=document.strip(),
                document_date=document_date,
                note=note,
                simulated=simulated,
                recorded=moment,
                recorded_by=who,
            )
        )
        write_audit(
            connection,
            at=moment,
            who=who,
            what="indicator.confirm",
            indicator=indicator,
            detail={"year": year, "value": float(value), "document": document},
        )


def issue_target(
    engine: Engine,
    indicator: str,
    year: int,
    value: float,
    *,
    document: str,
    document_date: date,
    note: str | None = None,
    recorded: datetime | None = None,
    who: str = LOCAL,
) -> None:
    """Record the target that a document issues for a year; a later issue for the same year takes its place.

    Raises
    ------
    InputError
        If the value is no number or the document is not named.
    """
    _check_document(value, document)
    moment = moment_of(recorded)
    with transaction(engine) as connection:
        supersede(connection, indicator_targets, newest_target(connection, indicator, year), moment)
        connection.execute(
            insert(indicator_targets).values(
                indicator=indicator,
                year=year,
                value=float(value),
                status="issued",
                document=document.strip(),
                document_date=document_date,
                note=note,
                recorded=moment,
                recorded_by=who,
            )
        )
        write_audit(
            connection,
            at=moment,
            who=who,
            what="indicator.target",
            indicator=indicator,
            detail={"year": year, "value": float(value), "document": document},
        )


def values(
    engine: Engine, as_of: date, *, indicator: str | None = None, known_by: datetime | None = None
) -> list[Value]:
    """Return every number that held on `as_of`, oldest record first: the last of a kind and period is the one.

    Confirmed values hold from their document's date on; estimates once their period is over. What was withdrawn never
    held, whatever the day; `known_by` before the withdrawal still gives it.
    """
    table = indicator_values
    query = select(table).order_by(table.c.id)
    if indicator is not None:
        query = query.where(table.c.indicator == indicator)
    if known_by is not None:
        query = query.where(table.c.recorded <= to_utc(known_by))
    with reading(engine) as connection:
        rows = connection.execute(query).mappings().all()
    found = [_value(row) for row in standing(rows, "indicator", "period", "kind")]
    return [
        value
        for value in found
        if (value.document_date <= as_of if value.document_date is not None else period_end(value.period) <= as_of)
    ]


def issued_targets(
    engine: Engine, as_of: date, *, indicator: str | None = None, known_by: datetime | None = None
) -> list[IssuedTarget]:
    """Return every target issued by `as_of`, in the order of their documents: the last of a year is the one."""
    table = indicator_targets
    query = select(table).order_by(table.c.id)
    if indicator is not None:
        query = query.where(table.c.indicator == indicator)
    if known_by is not None:
        query = query.where(table.c.recorded <= to_utc(known_by))
    with reading(engine) as connection:
        rows = standing(connection.execute(query).mappings().all(), "indicator", "year")
    # Sorting keeps the order of recording among documents of one date.
    dated = sorted((row for row in rows if row["document_date"] <= as_of), key=lambda row: row["document_date"])
    return [
        IssuedTarget(
            indicator=row["indicator"],
            year=row["year"],
            value=row["value"],
            document=row["document"] or "",
            document_date=row["document_date"],
            note=row["note"],
            recorded=row["recorded"],
        )
        for row in dated
    ]


def is_withdrawal(row: RowMapping) -> bool:
    """Return whether a row of values or targets takes back what was recorded before it."""
    return row["value"] is None and row.get("kind", "confirmed") == "confirmed"


def standing(rows: Sequence[RowMapping], *names: str) -> list[RowMapping]:
    """Leave out withdrawals and what they took back; `rows` in the order they were recorded.

    Parameters
    ----------
    names
        The columns that say what a row is about.
    """
    taken_back = {tuple(row[name] for name in names): row["id"] for row in rows if is_withdrawal(row)}
    return [row for row in rows if row["id"] > taken_back.get(tuple(row[name] for name in names), -1)]


def period_end(period: str) -> date:
    """Return the last day of ``2024`` or of the year up to ``2024-06-30``.

    Examples
    --------
    >>> period_end("2024"), period_end("2024-06-30")
    (datetime.date(2024, 12, 31), datetime.date(2024, 6, 30))
    """
    return date(int(period), 12, 31) if len(period) == 4 else date.fromisoformat(period)


def _value(row: RowMapping) -> Value:
    return Value(
        indicator=row["indicator"],
        period=row["period"],
        kind=row["kind"],
        value=row["value"],
        text=row["text"] or "",
        network=row["network"],
        method=row["method"],
        basis=row["basis"],
        edition=row["edition"],
        document=row["document"],
        document_date=row["document_date"],
        note=row["note"],
        detail=row["detail"] or {},
        inputs_revision=row["inputs_revision"],
        simulated=row["simulated"],
        recorded=row["recorded"],
    )


def newest_target(connection: Connection, indicator: str, year: int) -> RowMapping | None:
    """Return what was recorded last about the target of a year."""
    table = indicator_targets
    query = select(table).where(table.c.indicator == indicator, table.c.year == year).order_by(table.c.id.desc())
    return connection.execute(query.limit(1)).mappings().first()


def newest_value(connection: Connection, indicator: str, period: str, kind: Kind) -> RowMapping | None:
    """Return what was recorded last about a period."""
    table = indicator_values
    query = (
        select(table)
        .where(table.c.indicator == indicator, table.c.period == period, table.c.kind == kind)
        .order_by(table.c.id.desc())
        .limit(1)
    )
    return connection.execute(query).mappings().first()


def supersede(connection: Connection, table: Table, before: RowMapping | None, moment: datetime) -> None:
    """Mark a row of `table` as superseded."""
    if before is not None:
        connection.execute(update(table).where(table.c.id == before["id"]).values(superseded=moment))


def _detail(estimate: Estimate) -> dict[str, Any]:
    """Return what explains the estimate, as it is kept."""
    return {
        "function": estimate.function,
        "stage": estimate.stage,
        "clause": estimate.clause,
        "policy": estimate.policy,
        "counts": {"valid": estimate.valid, "expected": estimate.expected},
        "steps": [{"title": step.title.model_dump(), "text": step.text} for step in estimate.steps],
        "series": [
            {
                **asdict(series),
                "first": None if series.first is None else series.first.isoformat(),
                "last": None if series.last is None else series.last.isoformat(),
            }
            for series in estimate.series
        ],
        "notes": [note.model_dump() for note in estimate.notes],
        "details": dict(estimate.details),
    }


def _check_document(value: float, document: str) -> None:
    if not math.isfinite(float(value)):
        raise InputError("数值应为有限的数。", "The value should be a finite number.", field="value")
    if not document.strip():
        raise InputError("须写明文件名称或文号。", "The document's name or number is needed.", field="document")


def write_audit(
    connection: Connection, *, at: datetime, who: str, what: str, indicator: str, detail: Mapping[str, Any]
) -> None:
    """Write down who did what to an indicator."""
    connection.execute(
        insert(audit).values(at=at, who=who, what=what, object=f"indicator/{indicator}", detail=dict(detail))
    )


def moment_of(recorded: datetime | None) -> datetime:
    """Return the moment of recording in UTC: now, if none is given."""
    return datetime.now(UTC) if recorded is None else to_utc(recorded)


def _day_end(day: date) -> datetime:
    return to_utc(datetime.combine(day, time(23, 59, 59), BEIJING))
