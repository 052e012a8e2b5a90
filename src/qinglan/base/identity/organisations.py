"""Organisations: a dated tree, with the places that each answers for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, update

from qinglan.base.engine import reading, transaction
from qinglan.base.identity import trail
from qinglan.base.identity.identity import Actor, Identity
from qinglan.base.identity.refusals import ConflictError, not_there
from qinglan.base.identity.roles import ORGANISATION_KINDS
from qinglan.base.identity.tables import organisations as table
from qinglan.base.scope import Scope, visible
from qinglan.core.errors import InputError

_CHANGEABLE = ("title_zh", "title_en", "parent", "places", "end", "note")


def add(
    identity: Identity,
    actor: Actor,
    identifier: str,
    *,
    title_zh: str,
    title_en: str | None = None,
    kind: str,
    parent: str | None = None,
    places: Iterable[str] = (),
    start: date | None = None,
    end: date | None = None,
    note: str | None = None,
) -> dict[str, Any]:
    """Add an organisation.

    Raises
    ------
    InputError
        If its kind or its parent is not known, or its end is not after its start.
    ConflictError
        If there is one with this id.
    """
    if kind not in ORGANISATION_KINDS:
        known = "、".join(ORGANISATION_KINDS)
        raise InputError(
            f"机构类别“{kind[:40]}”不可用；应为 {known} 之一。",
            f'"{kind[:40]}" is no kind of organisation; those known are {known}.',
            field="kind",
        )
    row: dict[str, Any] = {
        "id": identifier,
        "title_zh": title_zh,
        "title_en": title_en or title_zh,
        "kind": kind,
        "parent": parent,
        "places": sorted(set(places)),
        "start": start or identity.today(),
        "end": end,
        "note": note,
    }
    _check_dates(row["start"], end)
    identity.require_places(row["places"])
    with transaction(identity.engine) as connection:
        if _row(connection, identifier) is not None:
            raise ConflictError(f"机构“{identifier}”已存在。", f'There is an organisation "{identifier}".', field="id")
        _check_parent(connection, identifier, parent)
        connection.execute(insert(table).values(row))
        trail.append(connection, actor, "organisation", f"organisation/{identifier}", at=identity.clock(), detail=row)
    return shown(row)


def change(
    identity: Identity, actor: Actor, scope: Scope, identifier: str, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Change an organisation; what it was is in the trail.

    Raises
    ------
    NotThereError
        If there is none that `scope` may administer.
    InputError
        If the new parent is not known or lies below it, or the end is not after the start.
    """
    wanted = {name: value for name, value in changes.items() if name in _CHANGEABLE}
    identity.require_places(wanted.get("places"))
    with transaction(identity.engine) as connection:
        query = select(table).where(table.c.id == identifier, _administered(scope))
        row = connection.execute(query.with_for_update()).mappings().first()
        if row is None:
            raise not_there("机构", "organisation", identifier)
        if "parent" in wanted:
            _check_parent(connection, identifier, wanted["parent"])
        _check_dates(row["start"], wanted.get("end", row["end"]))
        before = {name: row[name] for name in wanted if row[name] != wanted[name]}
        if before:
            connection.execute(update(table).where(table.c.id == identifier).values(wanted))
            trail.append(
                connection,
                actor,
                "organisation",
                f"organisation/{identifier}",
                at=identity.clock(),
                detail={"before": before, "after": {name: wanted[name] for name in before}},
            )
    return shown({**row, **wanted})


def listed(identity: Identity, scope: Scope, on: date | None = None) -> list[dict[str, Any]]:
    """Return the organisations that `scope` may see, on a day or ever."""
    conditions = [_seen(scope)]
    if on is not None:
        conditions += [table.c.start <= on, (table.c.end.is_(None)) | (table.c.end > on)]
    with reading(identity.engine) as connection:
        rows = connection.execute(select(table).where(*conditions).order_by(table.c.id)).mappings()
        return [shown(dict(row)) for row in rows]


def get(identity: Identity, scope: Scope, identifier: str) -> dict[str, Any]:
    """Return one organisation.

    Raises
    ------
    NotThereError
        If there is none that `scope` may see: what others have is not even acknowledged.
    """
    with reading(identity.engine) as connection:
        row = connection.execute(select(table).where(table.c.id == identifier, _seen(scope))).mappings().first()
    if row is None:
        raise not_there("机构", "organisation", identifier)
    return shown(dict(row))


def below(connection: Connection, identifiers: Iterable[str], on: date) -> frozenset[str]:
    """Return organisations with all those below them that exist on a day."""
    found = set(identifiers)
    frontier = set(found)
    while frontier:
        query = select(table.c.id).where(
            table.c.parent.in_(sorted(frontier)), table.c.start <= on, (table.c.end.is_(None)) | (table.c.end > on)
        )
        frontier = set(connection.scalars(query)) - found
        found |= frontier
    return frozenset(found)


def places_of(connection: Connection, identifier: str | None) -> list[str]:
    """Return the places that an organisation answers for."""
    row = None if identifier is None else _row(connection, identifier)
    return [] if row is None else list(row["places"])


def require(connection: Connection, identifier: str) -> None:
    """Refuse the id of no organisation."""
    if _row(connection, identifier) is None:
        raise InputError(
            f"没有机构“{identifier[:80]}”；请先建立机构。",
            f'There is no organisation "{identifier[:80]}"; make it first.',
            field="organisation",
        )


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return an organisation as the API shows it."""
    return {
        "id": row["id"],
        "title": {"zh": row["title_zh"], "en": row["title_en"]},
        "kind": row["kind"],
        "kind_title": ORGANISATION_KINDS[row["kind"]].model_dump(),
        **{name: row[name] for name in ("parent", "places", "start", "end", "note")},
    }


def _seen(scope: Scope) -> Any:
    condition = visible(table, scope, organisation="id", right="read")
    for right in ("administer", "secure", "audit"):
        condition = condition | visible(table, scope, organisation="id", right=right)
    return condition


def _administered(scope: Scope) -> Any:
    return visible(table, scope, organisation="id", right="administer")


def _row(connection: Connection, identifier: str) -> Mapping[str, Any] | None:
    found = connection.execute(select(table).where(table.c.id == identifier)).mappings().first()
    return None if found is None else dict(found)


def _check_parent(connection: Connection, identifier: str, parent: str | None) -> None:
    seen = {identifier}
    while parent is not None:
        row = _row(connection, parent)
        if row is None:
            raise InputError(
                f"没有上级机构“{parent[:80]}”。", f'There is no parent organisation "{parent[:80]}".', field="parent"
            )
        if parent in seen:
            raise InputError("机构不能是自己的上级。", "An organisation cannot be above itself.", field="parent")
        seen.add(parent)
        parent = row["parent"]


def _check_dates(start: date, end: date | None) -> None:
    if end is not None and end <= start:
        raise InputError("终止日期应晚于起始日期。", "The end should be after the start.", field="end")
