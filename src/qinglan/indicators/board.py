"""The plan board and one indicator, as the pages, the command line and reports show them.

The shapes are those of the architecture guide; every number comes as a value and as the text that is printed.
"""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from qinglan.core.declare import Title
from qinglan.core.interval import to_beijing
from qinglan.core.rounding import exact
from qinglan.core.rounding import text as printed
from qinglan.indicators import entries, store
from qinglan.indicators.city import Plan
from qinglan.indicators.declare import Domain, Indicator
from qinglan.indicators.facts import Facts, facts
from qinglan.indicators.installation import Installation, target_of, targets_of
from qinglan.indicators.lineage import lineage
from qinglan.indicators.outlook import in_year, odds, short_odds
from qinglan.indicators.state import Reading, Standing
from qinglan.indicators.store import Value

PLAN_STATUS = {
    "planned": Title(zh="待实施", en="planned"),
    "in_force": Title(zh="实施中", en="in force"),
    "final_evaluation": Title(zh="已到期，总结评估", en="ended, in final evaluation"),
    "archived": Title(zh="已归档", en="archived"),
}
GOAL_STATUS = {
    "fixed": Title(zh="规划写明", en="fixed by the plan"),
    "issued": Title(zh="省已下达", en="issued by the province"),
    "awaiting": Title(zh="待省下达", en="to be issued by the province"),
    "words": Title(zh="规划以文字表述", en="worded by the plan"),
}


def board(installation: Installation, as_of: date, *, known_by: datetime | None = None) -> dict[str, Any]:
    """Return the plan board of a day: the plan, the count of states, and a card for each line of its table."""
    plan = installation.city.current_plan(as_of)
    values = store.values(installation.engine, as_of, known_by=known_by)
    issued = store.issued_targets(installation.engine, as_of, known_by=known_by)
    cards = [
        card(installation, facts(installation, plan, target, as_of, values=values, issued=issued))
        for target in targets_of(installation, plan)
    ]
    return {
        "plan": plan_answer(plan, as_of),
        "as_of": as_of.isoformat(),
        "simulated": any(found["simulated"] for found in cards),
        "summary": dict(Counter(found["state"] for found in cards)),
        "indicators": cards,
    }


def indicator(
    installation: Installation, identifier: str, as_of: date, *, known_by: datetime | None = None
) -> dict[str, Any]:
    """Return one indicator on a day: its card, history, targets, breaks, lineage, documents and notes.

    Raises
    ------
    InputError
        If the plan of that day has no such indicator.
    """
    plan = installation.city.current_plan(as_of)
    target = target_of(installation, identifier, as_of)
    values = store.values(installation.engine, as_of, indicator=identifier, known_by=known_by)
    issued = store.issued_targets(installation.engine, as_of, indicator=identifier, known_by=known_by)
    found = facts(installation, plan, target, as_of, values=values, issued=issued)
    return card(installation, found) | {
        "history": [
            reading(found, value)
            for value in found.values.values()
            if value.value is not None and len(value.period) == 4
        ],
        "targets": _targets(found),
        "superseded": [
            entry.answer(found.decimals)
            for entry in entries.ended(installation.engine, identifier, as_of, known_by=known_by)
        ],
        "breaks": [
            {"after": str(gap.after), "before": str(gap.before), "reason": gap.reason, "title": gap.title.model_dump()}
            for gap in target.breaks
        ],
        "odds": odds(found),
        "in_year": in_year(found),
        "lineage": lineage(installation, target, found.indicator, list(found.values.values())),
        "documents": _documents(found),
        "notes": _notes(found),
    }


def card(installation: Installation, found: Facts) -> dict[str, Any]:
    """Return the card of an indicator."""
    target, declared = found.target, found.indicator
    standing = found.standing()
    years = found.years()
    latest = found.latest()
    own = None if latest is None else found.own(latest)
    confirmed = None if latest is None else found.confirmed(latest)
    shown = confirmed or own
    domain = installation.declarations.get(Domain, declared.domain)
    broken = target.break_between(target.baseline.year, target.goal.year)
    to_date = [period for period in found.periods() if len(period) > 4]
    part = found.own(to_date[-1]) if to_date and (latest is None or to_date[-1] > latest) else None
    return {
        "id": declared.id,
        "row": target.row,
        "title": declared.title.model_dump(),
        "domain": domain.id,
        "domain_title": domain.title.model_dump(),
        "unit": _unit(declared),
        "better": declared.better,
        "binding": target.binding,
        "comparator": target.comparator,
        "baseline": {
            "year": target.baseline.year,
            "value": _number(target.baseline.value),
            "text": target.baseline.text,
            "network": target.baseline.network.id,
            "network_title": target.baseline.network.title.model_dump(),
            "note": _dumped(target.baseline.note),
        },
        "target": _final(found),
        "latest": None if shown is None else reading(found, shown),
        "year_to_date": None if part is None else reading(found, part),
        "estimate": None if own is None else reading(found, own),
        "confirmed": None if confirmed is None else reading(found, confirmed),
        "difference": _difference(found, own, confirmed),
        "gap": _gap(standing, found.decimals),
        "needed_pace": _pace(standing, found.decimals),
        "state": standing.state,
        "state_title": standing.title.model_dump(),
        "state_year": standing.year,
        "shown_kind": None if shown is None else shown.kind,
        "break": None if broken is None else {"note": broken.title.model_dump()},
        "simulated": any(value.simulated for value in found.values.values()),
        "computed": declared.computed,
        "reporter": target.reporter.title.model_dump(),
        "points": [
            reading(found, value) for year in years if (value := found.confirmed(year) or found.own(year)) is not None
        ],
        "odds": short_odds(found),
        "notes": [note.model_dump() for note in standing.notes],
    }


def reading(found: Facts, value: Value) -> dict[str, Any]:
    """Return one number with the ground it stands on."""
    ground = found.target.ground(int(value.period[:4]))
    # A reported or confirmed figure stands on what it was declared to stand on; an own one on its measurements.
    basis = value.basis if value.kind == "estimate" and value.basis else ground.basis.id
    method = ground.method if found.compares(value) else found.indicator.method
    answer: dict[str, Any] = {
        "period": value.period,
        "value": value.value,
        "text": value.text or printed(value.value, found.decimals),
        "kind": value.kind,
        "network": ground.network.id,
        "network_title": ground.network.title.model_dump(),
        "method": method.id,
        "method_title": method.title.model_dump(),
        "basis": basis,
        "recorded": to_beijing(value.recorded).isoformat(timespec="seconds"),
        "simulated": value.simulated,
    }
    if len(value.period) > 4:
        answer["partial"] = True
    more = {"document": value.document, "note": value.note, "edition": value.edition}
    answer |= {name: text for name, text in more.items() if text}
    if value.document_date is not None:
        answer["document_date"] = value.document_date.isoformat()
    return answer


def plan_answer(plan: Plan, day: date) -> dict[str, Any]:
    """Return a plan as the pages show it on a day."""
    status = plan.status(day)
    return {
        "id": plan.id,
        "title": plan.title.model_dump(),
        "start": plan.start.isoformat(),
        "end": plan.end.isoformat(),
        "status": status,
        "status_title": PLAN_STATUS[status].model_dump(),
        "document": plan.document,
    }


def signed(value: Decimal, decimals: int) -> str:
    """Return a number with its sign, as declared; zero has none.

    Examples
    --------
    >>> signed(Decimal("-1.25"), 1), signed(Decimal("0.04"), 1), signed(Decimal("2"), 0)
    ('-1.2', '0.0', '+2')
    """
    text = printed(value, decimals)
    if not text.strip("-0."):
        return text.lstrip("-")
    return text if text.startswith("-") else f"+{text}"


def _final(found: Facts) -> dict[str, Any]:
    goal, declared = found.goal(), found.target.goal
    issued = [one for one in found.issued if one.year == goal.year]
    text = _plain(goal.value) if issued and goal.value is not None else declared.text
    return {
        "year": goal.year,
        "value": _number(goal.value),
        "text": text,
        "status": goal.status,
        "title": GOAL_STATUS[goal.status].model_dump(),
        "document": issued[-1].document if issued else found.plan.document,
        "document_date": (issued[-1].document_date if issued else found.plan.document_date).isoformat(),
        "network": declared.network.id,
        "network_title": declared.network.title.model_dump(),
        "note": _dumped(declared.note),
    }


def _targets(found: Facts) -> list[dict[str, Any]]:
    own = found.target.goal
    answers: list[dict[str, Any]] = [
        {
            "year": own.year,
            "value": _number(own.value),
            "text": own.text,
            "status": own.status,
            "document": found.plan.document,
            "document_date": found.plan.document_date.isoformat(),
            "title": GOAL_STATUS[own.status].model_dump(),
        }
    ]
    answers += [
        {
            "year": one.year,
            "value": one.value,
            "text": _plain(exact(one.value)),
            "status": "issued",
            "document": one.document,
            "document_date": one.document_date.isoformat(),
            "title": GOAL_STATUS["issued"].model_dump(),
            "recorded": to_beijing(one.recorded).isoformat(timespec="seconds"),
            "note": one.note,
        }
        for one in found.issued
    ]
    return sorted(answers, key=lambda answer: answer["year"])


def _documents(found: Facts) -> list[dict[str, Any]]:
    papers = {(found.plan.document, found.plan.document_date): found.plan.title.zh}
    for value in found.values.values():
        if value.document and value.document_date and not value.document.startswith(found.plan.document):
            papers[value.document, value.document_date] = value.note or ""
    for one in found.issued:
        papers[one.document, one.document_date] = one.note or ""
    return [
        {"title": title, "date": day.isoformat()} | ({"note": note} if note else {})
        for (title, day), note in sorted(papers.items(), key=lambda paper: paper[0][1])
    ]


def _notes(found: Facts) -> list[dict[str, str]]:
    notes = [note.model_dump() for note in found.standing().notes]
    notes += [note.model_dump() for note in (found.target.baseline.note, found.target.goal.note) if note is not None]
    notes += [
        {"zh": f"{remark.zh}（{remark.mark}）", "en": f"{remark.en} ({remark.mark})"}
        for remark in found.indicator.checks
    ]
    for value in list(found.values.values())[-1:]:
        notes += list(value.detail.get("notes", ()))
    return notes


def _difference(found: Facts, own: Value | None, confirmed: Value | None) -> dict[str, Any] | None:
    if own is None or confirmed is None or own.value is None or confirmed.value is None:
        return None
    pair = Reading(0, exact(own.value), confirmed=exact(confirmed.value))
    difference = pair.difference(found.decimals)
    assert difference is not None
    return {"value": float(difference), "text": signed(difference, found.decimals)}


def _gap(standing: Standing, decimals: int) -> dict[str, Any] | None:
    gap = standing.gap
    if gap is None:
        return None
    return {
        "value": float(gap.value),
        "text": signed(gap.value, decimals),
        "year": gap.year,
        "goal_year": gap.goal_year,
        "reached": gap.value <= 0,
    }


def _pace(standing: Standing, decimals: int) -> dict[str, Any] | None:
    pace = standing.pace
    if pace is None:
        return None
    return {
        "value": float(pace.value),
        "text": signed(pace.value, decimals),
        "per": "year",
        "source": pace.source,
        "until": pace.until,
    }


def _unit(declared: Indicator) -> dict[str, str]:
    return _dumped(declared.unit_title) or {"zh": declared.unit, "en": declared.unit}


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f")


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _dumped(title: Title | None) -> dict[str, str] | None:
    return None if title is None else title.model_dump()
