"""What a scope means for a ledger: which rows are seen, and what may be done with one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause

from qinglan.base.scope import RIGHTS, Scope, masks, visible
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.faults import ForbiddenError
from qinglan.ledgers.values import Values

_HIDDEN = "***"


def of_medium(ledger: Ledger, scope: Scope) -> Scope:
    """Return the grants that hold for the ledger's medium."""
    if ledger.medium is None:
        return scope
    parts = [part for part in scope.parts or (scope,) if part.media is None or ledger.medium in part.media]
    return Scope.of(scope.account, parts)


def seen(ledger: Ledger, records: FromClause, scope: Scope, right: str = "read") -> ColumnElement[bool]:
    """Return the condition that holds for the records on which a scope has a right."""
    return visible(
        records,
        of_medium(ledger, scope),
        place=ledger.place,
        organisation=ledger.organisation,
        right=right,
        ledger=ledger.id,
    )


def may(ledger: Ledger, scope: Scope, right: str) -> bool:
    """Return whether a scope has a right on anything that the ledger may hold."""
    return bool(of_medium(ledger, scope).granted(right, ledger.id))


def may_on(ledger: Ledger, scope: Scope, right: str, values: Mapping[str, Any]) -> bool:
    """Return whether a scope has a right on a record with these values.

    A record without a place is only for those whom no place limits, as in lists.
    """
    place = None if ledger.place is None else values.get(ledger.place)
    organisation = None if ledger.organisation is None else values.get(ledger.organisation)
    for part in of_medium(ledger, scope).granted(right, ledger.id):
        in_place = ledger.place is None or part.places is None or place in part.places
        in_organisation = (
            ledger.organisation is None or part.organisations is None or organisation in part.organisations
        )
        if in_place and in_organisation:
            return True
    return False


def require(ledger: Ledger, scope: Scope, right: str, *records: Mapping[str, Any]) -> None:
    """Refuse what a scope has no right to.

    Raises
    ------
    ForbiddenError
        If the right is missing on the ledger, or on one of the records.
    """
    allowed = all(may_on(ledger, scope, right, values) for values in records) if records else may(ledger, scope, right)
    if allowed:
        return
    title = RIGHTS[right]
    where_zh, where_en = ("这些地区或单位的记录", "records of this place or organisation") if records else ("", "")
    raise ForbiddenError(
        f"您没有在台账“{ledger.title.zh}”{title.zh}{where_zh}的权限。",
        f"You may not {title.en} {where_en or 'here'} in the ledger {ledger.id}.",
        field=ledger.place if records else "ledger",
    )


def hidden(ledger: Ledger, scope: Scope, shown: Values) -> Values:
    """Return shown values with personal data masked for those who may not see it."""
    sorts = {field.id: field.mask for field in ledger.fields if field.mask is not None}
    applied = masks(scope, sorts, ledger.id)
    if not applied:
        return shown
    found = dict(shown)
    for field, mask in applied.items():
        value = found.get(field)
        if value is not None:
            found[field] = mask(value) if isinstance(value, str) else _HIDDEN
    return found


def hides(ledger: Ledger, scope: Scope, field: str) -> bool:
    """Return whether a field's values are masked for a scope."""
    return ledger.field(field).mask is not None and not scope.may("personal", ledger.id)
