"""What a form, a list and a filter bar need to know of a ledger, as plain values."""

from __future__ import annotations

from typing import Any

from qinglan.base.scope import Scope
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.fields import LedgerField
from qinglan.ledgers.filters import operators_of
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.rights import hides, may
from qinglan.ledgers.validate import Context
from qinglan.ledgers.values import Values


def brief(ledger: Ledger, scope: Scope, count: int | None = None) -> Values:
    """Return one line of the list of ledgers."""
    return {
        "id": ledger.id,
        "title": ledger.title.model_dump(),
        "domain": ledger.domain,
        "lead": ledger.lead.model_dump(),
        "master": ledger.master,
        "medium": ledger.medium,
        "count": count,
        "rights": [right for right in ("read", "write", "import", "export", "files") if may(ledger, scope, right)],
        "geometry": ledger.geometry_field,
    }


def schema(ledgers: Ledgers, scope: Scope, ledger: Ledger) -> Values:
    """Return the whole of a ledger for its pages: fields with codes, bounds, clauses and operators."""
    context = ledgers.context()
    return brief(ledger, scope) | {
        "basis": [clause.model_dump() for clause in ledger.basis],
        "platform": ledger.platform.model_dump() if ledger.platform else None,
        "key": list(ledger.key),
        "label": ledger.label,
        "place": ledger.place,
        "organisation": ledger.organisation,
        "sorts": list(ledger.sorts),
        "groups": [group.model_dump() for group in ledger.groups],
        "fields": [_field(ledger, scope, field, context) for field in ledger.fields],
        "related": related(ledgers, scope, ledger),
    }


def _field(ledger: Ledger, scope: Scope, field: LedgerField, context: Context) -> Values:
    found: dict[str, Any] = {
        "id": field.id,
        "title": field.title.model_dump(),
        "type": field.type,
        "required": ledger.is_required(field),
        "editable": field.type != "computed" and field.id not in ledger.imported_fields,
        "operators": list(operators_of(field)),
    }
    clause = ledger.clause_of(field)
    if clause is not None:
        found["basis"] = clause.model_dump(exclude_none=True)
    for key in ("unit", "decimals", "minimum", "maximum", "pattern", "max_length", "ledger", "of", "group", "own"):
        value = getattr(field, key)
        if value is not None:
            found[key] = value.isoformat() if hasattr(value, "isoformat") else value
    if field.help is not None:
        found["help"] = field.help.model_dump()
    for key in ("many", "sealed"):
        if getattr(field, key):
            found[key] = True
    if field in ledger.fields and hides(ledger, scope, field.id):
        found["masked"] = True
    if field.type == "computed":
        found |= {"expression": field.expression, "result": field.result}
    if field.type == "code":
        found["codes"] = [
            {
                "code": code.code,
                "title": code.title.model_dump(),
                "in_force": code.on(context.day),
                **({"parent": code.parent} if code.parent else {}),
            }
            for code in context.codes_of(field)
        ]
    if field.fields:
        found["fields"] = [_field(ledger, scope, inner, context) for inner in field.fields]
    return found


def related(ledgers: Ledgers, scope: Scope, ledger: Ledger) -> list[Values]:
    """Return the ledgers whose records point to this one's."""
    return [
        {"ledger": other.id, "title": other.title.model_dump(), "field": field.id}
        for other in ledgers.declared.values()
        if other.id not in ledgers.refused and may(other, scope, "read")
        for field in other.fields
        if field.type == "reference" and field.ledger == ledger.id
    ]
