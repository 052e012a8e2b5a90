"""Grants: which role an account holds, from when to when and where; and the scope that comes of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from sqlalchemy import Connection, insert, select, update

from qinglan.base.engine import reading, transaction
from qinglan.base.identity import organisations, trail
from qinglan.base.identity.identity import Actor, Identity, account_row, new_id
from qinglan.base.identity.refusals import ConflictError, not_there
from qinglan.base.identity.roles import Limit, Role
from qinglan.base.identity.tables import accounts
from qinglan.base.identity.tables import grants as table
from qinglan.base.scope import Scope
from qinglan.core.errors import InputError

_LIMITS: tuple[Limit, ...] = ("places", "organisations", "media")
_WORDS = {"places": ("地区", "places"), "organisations": ("机构", "organisations"), "media": ("要素", "media")}


def grant(
    identity: Identity,
    actor: Actor,
    account: str,
    role: str,
    *,
    places: Iterable[str] | None = None,
    organisations_: Iterable[str] | None = None,
    media: Iterable[str] | None = None,
    start: date | None = None,
    end: date | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Give an account a role.

    Raises
    ------
    NotThereError
        If there is no such account.
    InputError
        If there is no such role, it must be limited and is not, or its end is not after its start.
    ConflictError
        If the account holds a role that this one excludes (三员分立), or this very one.
    """
    with transaction(identity.engine) as connection:
        made = insert_grant(
            connection,
            identity,
            actor,
            account,
            role,
            limits={"places": places, "organisations": organisations_, "media": media},
            start=start,
            end=end,
            reason=reason,
        )
    return shown(identity, made)


def insert_grant(
    connection: Connection,
    identity: Identity,
    actor: Actor,
    account: str,
    role: str,
    *,
    limits: Mapping[str, Iterable[str] | None] | None = None,
    start: date | None = None,
    end: date | None = None,
    reason: str | None = None,
) -> dict[str, Any]:
    """Give an account a role in the caller's transaction; see `grant`."""
    declared = _role(identity, role)
    identity.require_places((limits or {}).get("places"))
    # The row is locked, so that two grants that exclude each other cannot pass each other.
    held_by = connection.execute(select(accounts).where(accounts.c.id == account).with_for_update()).mappings().first()
    if held_by is None:
        raise not_there("账户", "account", account, "account")
    row: dict[str, Any] = {
        "id": new_id(),
        "account": account,
        "role": role,
        **{name: _listed((limits or {}).get(name)) for name in _LIMITS},
        "start": start or identity.today(),
        "end": end,
        "granted": identity.clock(),
        "granted_by": actor.account,
        "reason": reason,
    }
    if end is not None and end <= row["start"]:
        raise InputError("终止日期应晚于起始日期。", "The end should be after the start.", field="end")
    _check_limits(connection, declared, row, held_by["organisation"])
    for other in lasting(connection, account, identity.today()):
        known = identity.roles.get(other["role"])
        if known is not None and declared.excludes(known):
            raise ConflictError(
                f"“{declared.title.zh}”与该账户已有的“{known.title.zh}”不能由同一人担任（三员分立）。",
                f"{declared.title.en} and {known.title.en}, which this account holds, may not be one person's.",
                field="role",
            )
        if other["role"] == role and all(other[name] == row[name] for name in _LIMITS):
            raise ConflictError(
                f"该账户已有同样范围的“{declared.title.zh}”。",
                f"The account holds {declared.title.en} with these limits already.",
                field="role",
            )
    connection.execute(insert(table).values(row))
    detail = {name: row[name] for name in ("role", *_LIMITS, "start", "end", "reason")}
    trail.append(connection, actor, "grant", f"account/{account}", at=identity.clock(), detail=detail)
    return {**row, "revoked": None, "revoked_by": None}


def revoke(identity: Identity, actor: Actor, account: str, grant_id: str, *, reason: str | None = None) -> None:
    """Take a grant back; it stays on file.

    Raises
    ------
    NotThereError
        If the account has no such grant, or it was taken back already.
    """
    with transaction(identity.engine) as connection:
        query = select(table).where(table.c.id == grant_id, table.c.account == account, table.c.revoked.is_(None))
        row = connection.execute(query.with_for_update()).mappings().first()
        if row is None:
            raise not_there("授权", "grant", grant_id, "grant")
        connection.execute(
            update(table)
            .where(table.c.id == grant_id)
            .values(revoked=identity.clock(), revoked_by=actor.account, reason=reason or row["reason"])
        )
        detail = {"revoked": row["role"], "reason": reason}
        trail.append(connection, actor, "grant", f"account/{account}", at=identity.clock(), detail=detail)


def listed(identity: Identity, account: str) -> list[dict[str, Any]]:
    """Return all grants that an account ever had, the newest first."""
    query = select(table).where(table.c.account == account).order_by(table.c.granted.desc(), table.c.id)
    with reading(identity.engine) as connection:
        return [shown(identity, dict(row)) for row in connection.execute(query).mappings()]


def lasting(connection: Connection, account: str, day: date) -> list[Mapping[str, Any]]:
    """Return the grants that hold on a day or will hold later."""
    query = select(table).where(
        table.c.account == account, table.c.revoked.is_(None), (table.c.end.is_(None)) | (table.c.end > day)
    )
    return [dict(row) for row in connection.execute(query).mappings()]


def roles_of(connection: Connection, identity: Identity, account: str) -> list[Role]:
    """Return the roles that an account holds today."""
    day = identity.today()
    held = {row["role"] for row in lasting(connection, account, day) if row["start"] <= day}
    return [role for name, role in identity.roles.items() if name in held]


def scope_of(connection: Connection, identity: Identity, account: str) -> Scope:
    """Return what an account may see and do today."""
    day = identity.today()
    found = account_row(connection, account)
    parts = []
    for row in lasting(connection, account, day):
        role = identity.roles.get(row["role"])
        if role is not None and row["start"] <= day and found is not None:
            parts.append(_part(connection, identity, role, row, found["organisation"]))
    return Scope.of(account, parts)


def _part(
    connection: Connection, identity: Identity, role: Role, row: Mapping[str, Any], organisation: str | None
) -> Scope:
    places = row["places"]
    if places is None and "places" in role.must_limit:
        places = organisations.places_of(connection, organisation)
    theirs = row["organisations"]
    if role.own_organisation:
        theirs = [] if organisation is None else [organisation]
    media = row["media"] if row["media"] is not None else role.media
    return Scope(
        row["account"],
        frozenset({role.id}),
        None if places is None else frozenset().union(*(identity.below(place) for place in places)),
        None if theirs is None else organisations.below(connection, theirs, identity.today()),
        None if media is None else frozenset(media),
        frozenset(role.rights),
    )


def shown(identity: Identity, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a grant as the API shows it."""
    role, day = identity.roles.get(row["role"]), identity.today()
    over = row["end"] is not None and row["end"] <= day
    state = "revoked" if row["revoked"] else "ended" if over else "future" if row["start"] > day else "held"
    return {
        **{name: row[name] for name in ("id", "account", "role", *_LIMITS, "start", "end", "reason")},
        "role_title": None if role is None else role.title.model_dump(),
        "state": state,
        "granted": row["granted"],
        "granted_by": row["granted_by"],
        "revoked": row["revoked"],
        "revoked_by": row["revoked_by"],
    }


def _role(identity: Identity, role: str) -> Role:
    found = identity.roles.get(role)
    if found is None:
        known = "、".join(identity.roles)
        raise InputError(
            f"没有角色“{role[:40]}”；可用的有：{known}。",
            f'There is no role "{role[:40]}"; there are: {known}.',
            field="role",
        )
    return found


def _listed(given: Iterable[str] | None) -> list[str] | None:
    return None if given is None else sorted(set(given))


def _check_limits(connection: Connection, role: Role, row: Mapping[str, Any], organisation: str | None) -> None:
    given = {name for name in _LIMITS if row[name]}
    if organisations.places_of(connection, organisation):
        given.add("places")
    for name in role.must_limit:
        if name not in given:
            zh, en = _WORDS[name]
            raise InputError(f"“{role.title.zh}”须限定{zh}。", f"{role.title.en} must be limited to {en}.", field=name)
    if role.own_organisation and organisation is None:
        raise InputError(
            f"“{role.title.zh}”只看本单位，账户须先属于一个机构。",
            f"{role.title.en} sees its own organisation only: the account must belong to one.",
            field="organisation",
        )
    for one in row["organisations"] or ():
        organisations.require(connection, one)
