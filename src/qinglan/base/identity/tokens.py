"""API tokens: shown once, kept as a hash, limited in rights and time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, select, update

from qinglan.base.engine import reading, transaction
from qinglan.base.identity import grants, trail
from qinglan.base.identity.identity import Actor, Identity, digest, new_id, new_secret
from qinglan.base.identity.refusals import not_there
from qinglan.base.identity.tables import accounts
from qinglan.base.identity.tables import tokens as table
from qinglan.base.scope import RIGHTS, Scope
from qinglan.core.errors import InputError

PREFIX = "qlt_"
# A token has no second factor, which these ask for.
NEVER = frozenset({"administer", "secure", "audit"})
_NOTED = timedelta(minutes=1)


def add(
    identity: Identity,
    actor: Actor,
    account: str,
    *,
    title: str,
    rights: Iterable[str],
    days: int,
    places: Iterable[str] | None = None,
    media: Iterable[str] | None = None,
) -> tuple[dict[str, Any], str]:
    """Make a token of an account; return it, and its secret for the only time.

    A token never gives more than its account has at the moment of use.

    Raises
    ------
    InputError
        If a right is unknown or not for tokens, or it would last too long.
    NotThereError
        If there is no such account.
    """
    wanted, longest = sorted(set(rights)), identity.policy.token.longest_days.value
    allowed = [right for right in RIGHTS if right not in NEVER]
    for right in wanted:
        if right.partition(":")[0] not in allowed:
            raise InputError(
                f"令牌不能有权限“{right[:40]}”；可用的有：{'、'.join(allowed)}。",
                f'A token cannot have the right "{right[:40]}"; there are: {", ".join(allowed)}.',
                field="rights",
            )
    if not wanted:
        raise InputError("请写明令牌的权限。", "Say which rights the token has.", field="rights")
    if not 1 <= days <= longest:
        raise InputError(f"令牌的有效期应为 1 至 {longest} 天。", f"A token lasts 1 to {longest} days.", field="days")
    identity.require_places(places)
    secret, now = PREFIX + new_secret(), identity.clock()
    row = {
        "id": new_id(),
        "account": account,
        "title": title,
        "rights": wanted,
        "places": None if places is None else sorted(set(places)),
        "media": None if media is None else sorted(set(media)),
        "created": now,
        "created_by": actor.account,
        "expires": now + timedelta(days=days),
    }
    with transaction(identity.engine) as connection:
        if connection.execute(select(accounts.c.id).where(accounts.c.id == account)).first() is None:
            raise not_there("账户", "account", account, "account")
        connection.execute(insert(table).values(**row, hash=digest(secret)))
        detail = {"token": row["id"], "title": title, "rights": wanted, "expires": row["expires"]}
        trail.append(connection, actor, "token", f"account/{account}", at=now, detail=_plain(detail))
    return shown({**row, "used": None, "revoked": None}, now), secret


def find(identity: Identity, secret: str) -> Scope | None:
    """Return what a token may see and do while it lasts and its account may be used; else None."""
    if not secret.startswith(PREFIX):
        return None
    now = identity.clock()
    with reading(identity.engine) as connection:
        query = select(table, accounts.c.disabled).join(accounts, accounts.c.id == table.c.account)
        row = connection.execute(query.where(table.c.hash == digest(secret))).mappings().first()
        if row is None or row["revoked"] is not None or row["disabled"] is not None or row["expires"] <= now:
            return None
        scope = grants.scope_of(connection, identity, row["account"])
    if row["used"] is None or now - row["used"] > _NOTED:
        with transaction(identity.engine) as connection:
            connection.execute(update(table).where(table.c.id == row["id"]).values(used=now))
    return limited(identity, scope, dict(row))


def limited(identity: Identity, scope: Scope, token: Mapping[str, Any]) -> Scope:
    """Return the part of an account's scope that a token was made for."""
    places = None
    if token["places"] is not None:
        places = frozenset().union(*(identity.below(place) for place in token["places"]))
    media = None if token["media"] is None else frozenset(token["media"])
    parts = []
    for part in scope.parts:
        rights = {right for right in part.rights if _allows(token["rights"], right)}
        # A right in all ledgers becomes one in the ledgers that the token names.
        rights |= {one for one in token["rights"] if one.partition(":")[0] in part.rights}
        rights -= NEVER
        if rights:
            parts.append(
                replace(
                    part,
                    rights=frozenset(rights),
                    places=_both(part.places, places),
                    media=_both(part.media, media),
                )
            )
    return Scope.of(scope.account, parts)


def _allows(given: Iterable[str], right: str) -> bool:
    return right in given or right.partition(":")[0] in given


def _both(first: frozenset[str] | None, second: frozenset[str] | None) -> frozenset[str] | None:
    if first is None or second is None:
        return second if first is None else first
    return first & second


def revoke(identity: Identity, actor: Actor, account: str, token: str) -> None:
    """End a token before its time.

    Raises
    ------
    NotThereError
        If the account has no such token, or it was ended already.
    """
    with transaction(identity.engine) as connection:
        query = update(table).where(table.c.id == token, table.c.account == account, table.c.revoked.is_(None))
        if not connection.execute(query.values(revoked=identity.clock())).rowcount:
            raise not_there("令牌", "token", token, "token")
        detail = {"revoked": token}
        trail.append(connection, actor, "token", f"account/{account}", at=identity.clock(), detail=detail)


def listed(identity: Identity, account: str) -> list[dict[str, Any]]:
    """Return the tokens of an account, the newest first; no secret is among what is kept."""
    query = select(table).where(table.c.account == account).order_by(table.c.created.desc(), table.c.id)
    now = identity.clock()
    with reading(identity.engine) as connection:
        return [shown(dict(row), now) for row in connection.execute(query).mappings()]


def shown(row: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return a token as the API shows it."""
    names = (
        "id",
        "account",
        "title",
        "rights",
        "places",
        "media",
        "created",
        "created_by",
        "expires",
        "used",
        "revoked",
    )
    state = "revoked" if row["revoked"] else "expired" if row["expires"] <= now else "active"
    return {**{name: row[name] for name in names}, "state": state}


def _plain(detail: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in detail.items()}
