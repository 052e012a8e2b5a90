"""Accounts: made, listed, disabled, unlocked. None is ever deleted, and no name is given twice."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update

from qinglan.base.engine import reading, transaction
from qinglan.base.identity import grants, organisations, passwords, sessions, trail
from qinglan.base.identity.identity import Actor, Identity
from qinglan.base.identity.refusals import ConflictError, not_there
from qinglan.base.identity.tables import accounts as table
from qinglan.base.identity.tables import organisations as organisations_table
from qinglan.base.identity.tables import password_history
from qinglan.base.identity.tables import sessions as sessions_table
from qinglan.base.scope import EVERYTHING, Scope, masks, visible
from qinglan.core.errors import InputError

ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,62}")
MANAGERS = ("administer", "secure", "audit")
_CHANGEABLE = ("name", "organisation", "email", "phone")
_ALPHABET = "abcdefghijkmnpqrstuvwxyz", "ABCDEFGHJKLMNPQRSTUVWXYZ", "23456789", "-+=%@"


def add(
    identity: Identity,
    actor: Actor,
    identifier: str,
    *,
    name: str,
    organisation: str | None = None,
    email: str | None = None,
    phone: str | None = None,
    password: str | None = None,
    scope: Scope = EVERYTHING,
) -> tuple[dict[str, Any], str]:
    """Add an account; return it with its first password, which must be changed at the first sign-in.

    Parameters
    ----------
    password
        The first password; by default one is made up.

    Raises
    ------
    InputError
        If the name or the password is not acceptable, or the organisation is not known.
    ConflictError
        If there is such an account.
    NotThereError
        If `scope` may not administer the organisation.
    """
    first = password or made_up(identity)
    passwords.require_good(identity.policy, first, (identifier, name))
    kept = passwords.hashed(first)
    if not scope.covers("administer", organisation=organisation) or (organisation is None and _bounded(scope)):
        raise not_there("机构", "organisation", organisation or "", "organisation")
    with transaction(identity.engine) as connection:
        insert_account(
            connection,
            identity,
            actor,
            identifier,
            values={"name": name, "organisation": organisation, "email": email, "phone": phone},
            password=kept,
            must_change=True,
        )
    return get(identity, scope, identifier), first


def insert_account(
    connection: Connection,
    identity: Identity,
    actor: Actor,
    identifier: str,
    *,
    values: Mapping[str, Any],
    password: str,
    must_change: bool,
) -> None:
    """Add an account in the caller's transaction, with the hash of its password; see `add`."""
    if not ID.fullmatch(identifier):
        raise InputError(
            f"账户名“{identifier[:80]}”不可用：应为 2 至 63 个小写字母、数字或 . _ -，以字母或数字开头。",
            f'The account "{identifier[:80]}" should be 2 to 63 small letters, digits or . _ -, '
            "beginning with a letter or digit.",
            field="id",
        )
    if connection.execute(select(table.c.id).where(table.c.id == identifier)).first() is not None:
        raise ConflictError(f"账户“{identifier}”已存在。", f'There is an account "{identifier}".', field="id")
    if values.get("organisation") is not None:
        organisations.require(connection, values["organisation"])
    now = identity.clock()
    connection.execute(
        insert(table).values(
            id=identifier,
            **values,
            password=password,
            password_set=now,
            must_change=must_change,
            failures=0,
            created=now,
            created_by=actor.account,
        )
    )
    connection.execute(insert(password_history).values(account=identifier, password=password, set=now))
    detail = {"made": True, "organisation": values.get("organisation")}
    trail.append(connection, actor, "account", f"account/{identifier}", at=now, detail=detail)


def change(
    identity: Identity, actor: Actor, scope: Scope, identifier: str, changes: Mapping[str, Any]
) -> dict[str, Any]:
    """Change an account's name, organisation, address or telephone.

    Raises
    ------
    NotThereError
        If there is none that `scope` may administer, or the organisation is not one of its own.
    """
    wanted = {name: value for name, value in changes.items() if name in _CHANGEABLE}
    with transaction(identity.engine) as connection:
        row = locked(connection, scope, identifier, "administer")
        if wanted.get("organisation") is not None:
            organisations.require(connection, wanted["organisation"])
        if "organisation" in wanted and wanted["organisation"] != row["organisation"]:
            target = wanted["organisation"]
            if not scope.covers("administer", organisation=target) or (target is None and _bounded(scope)):
                raise not_there("机构", "organisation", target or "", "organisation")
        if wanted:
            connection.execute(update(table).where(table.c.id == identifier).values(wanted))
            before = {name: row[name] for name in wanted if row[name] != wanted[name]}
            detail = {"before": before, "after": {name: wanted[name] for name in before}}
            trail.append(connection, actor, "account", f"account/{identifier}", at=identity.clock(), detail=detail)
    return get(identity, scope, identifier)


def set_disabled(
    identity: Identity, actor: Actor, scope: Scope, identifier: str, disabled: bool, *, reason: str | None = None
) -> dict[str, Any]:
    """Disable an account and end its sessions, or enable it again."""
    with transaction(identity.engine) as connection:
        locked(connection, scope, identifier, "administer")
        now = identity.clock()
        values = {"disabled": now if disabled else None, "disabled_reason": reason if disabled else None}
        connection.execute(update(table).where(table.c.id == identifier).values(values))
        if disabled:
            sessions.end_all(connection, identity, identifier)
        detail = {"disabled": disabled, "reason": reason}
        trail.append(connection, actor, "account", f"account/{identifier}", at=now, detail=detail)
    return get(identity, scope, identifier)


def unlock(identity: Identity, actor: Actor, scope: Scope, identifier: str) -> dict[str, Any]:
    """End the lock of an account before its time."""
    with transaction(identity.engine) as connection:
        locked(connection, scope, identifier, "secure")
        connection.execute(update(table).where(table.c.id == identifier).values(failures=0, locked_until=None))
        detail = {"unlocked": True}
        trail.append(connection, actor, "lock", f"account/{identifier}", at=identity.clock(), detail=detail)
    return get(identity, scope, identifier)


def remove_second_factor(identity: Identity, actor: Actor, scope: Scope, identifier: str) -> dict[str, Any]:
    """Take the second factor from an account whose owner has lost it, and end its sessions."""
    with transaction(identity.engine) as connection:
        locked(connection, scope, identifier, "secure")
        values = {"totp": None, "totp_confirmed": None, "totp_step": None}
        connection.execute(update(table).where(table.c.id == identifier).values(values))
        sessions.end_all(connection, identity, identifier)
        detail = {"removed": True}
        trail.append(connection, actor, "second_factor", f"account/{identifier}", at=identity.clock(), detail=detail)
    return get(identity, scope, identifier)


def reset_password(identity: Identity, actor: Actor, scope: Scope, identifier: str, password: str | None = None) -> str:
    """Give an account a new first password and end its sessions; return the password."""
    get(identity, scope, identifier, rights=("administer",))
    first = password or made_up(identity)
    passwords.require_good(identity.policy, first, (identifier,))
    kept = passwords.hashed(first)
    with transaction(identity.engine) as connection:
        locked(connection, scope, identifier, "administer")
        _keep_password(connection, identity, identifier, kept, must_change=True)
        sessions.end_all(connection, identity, identifier)
        detail = {"reset": True}
        trail.append(connection, actor, "password", f"account/{identifier}", at=identity.clock(), detail=detail)
    return first


def change_password(identity: Identity, actor: Actor, identifier: str, old: str, new: str, *, session: str) -> str:
    """Change one's own password; every session ends, and the secret of a new one is returned.

    Raises
    ------
    InputError
        If the old password is wrong, or the new one is not acceptable or was used lately.
    """
    with reading(identity.engine) as connection:
        row = connection.execute(select(table).where(table.c.id == identifier)).mappings().one()
        query = select(password_history.c.password).where(password_history.c.account == identifier)
        query = query.order_by(password_history.c.id.desc()).limit(identity.policy.password.history.value)
        lately = list(connection.scalars(query))
    if not passwords.matches(old, row["password"]):
        raise InputError("原口令不正确。", "The old password is wrong.", field="old")
    passwords.require_good(identity.policy, new, (identifier, row["name"]))
    if any(passwords.matches(new, kept) for kept in lately):
        raise InputError(
            f"不得使用最近 {len(lately)} 次用过的口令。",
            f"The last {len(lately)} passwords may not be used again.",
            field="password",
        )
    kept = passwords.hashed(new)
    with transaction(identity.engine) as connection:
        factor = connection.execute(
            select(sessions_table.c.second_factor, sessions_table.c.agent).where(sessions_table.c.id == session)
        ).one()
        _keep_password(connection, identity, identifier, kept, must_change=False)
        sessions.end_all(connection, identity, identifier)
        trail.append(connection, actor, "password", f"account/{identifier}", at=identity.clock())
        return sessions.start(
            connection, identity, identifier, address=actor.address, agent=factor.agent, factor=factor.second_factor
        )


def _keep_password(
    connection: Connection, identity: Identity, identifier: str, kept: str, *, must_change: bool
) -> None:
    now = identity.clock()
    connection.execute(
        update(table)
        .where(table.c.id == identifier)
        .values(password=kept, password_set=now, must_change=must_change, failures=0, locked_until=None)
    )
    connection.execute(insert(password_history).values(account=identifier, password=kept, set=now))
    query = select(password_history.c.id).where(password_history.c.account == identifier)
    old = list(connection.scalars(query.order_by(password_history.c.id.desc())))
    beyond = old[identity.policy.password.history.value :]
    connection.execute(delete(password_history).where(password_history.c.id.in_(beyond)))


def listed(
    identity: Identity, scope: Scope, *, text: str | None = None, organisation: str | None = None
) -> list[dict[str, Any]]:
    """Return the accounts that `scope` may see; only those with a text in their name, or of an organisation."""
    query = select(table).where(_seen(scope, MANAGERS)).order_by(table.c.id)
    if text:
        found = (column.contains(text, autoescape=True) for column in (table.c.id, table.c.name))
        query = query.where(or_(*found))
    if organisation:
        query = query.where(table.c.organisation == organisation)
    with reading(identity.engine) as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
        titles = _titles(connection)
        return [shown(connection, identity, scope, row, titles) for row in rows]


def get(identity: Identity, scope: Scope, identifier: str, rights: tuple[str, ...] = MANAGERS) -> dict[str, Any]:
    """Return one account.

    Raises
    ------
    NotThereError
        If there is none that `scope` may see: what others have is not even acknowledged.
    """
    with reading(identity.engine) as connection:
        query = select(table).where(table.c.id == identifier, _seen(scope, rights))
        row = connection.execute(query).mappings().first()
        if row is None:
            raise not_there("账户", "account", identifier)
        return shown(connection, identity, scope, dict(row), _titles(connection))


def locked(connection: Connection, scope: Scope, identifier: str, right: str) -> Mapping[str, Any]:
    """Return the row of an account on which `scope` has a right, held until the transaction ends."""
    query = select(table).where(table.c.id == identifier, _seen(scope, (right,)))
    row = connection.execute(query.with_for_update()).mappings().first()
    if row is None:
        raise not_there("账户", "account", identifier)
    return dict(row)


def shown(
    connection: Connection,
    identity: Identity,
    scope: Scope,
    row: Mapping[str, Any],
    titles: Mapping[str, dict[str, str]],
) -> dict[str, Any]:
    """Return an account as the API shows it, with its telephone masked for who may not see it."""
    hide = {} if scope.may("administer") else masks(scope, {"phone": "phone"})
    roles = grants.roles_of(connection, identity, row["id"])
    return {
        "id": row["id"],
        "name": row["name"],
        "organisation": row["organisation"],
        "organisation_title": titles.get(row["organisation"] or ""),
        "email": row["email"],
        "phone": hide["phone"](row["phone"]) if hide else row["phone"],
        "state": state(row, identity.clock()),
        "disabled_reason": row["disabled_reason"],
        "locked_until": row["locked_until"],
        "must_change": row["must_change"],
        "password_set": row["password_set"],
        "second_factor": row["totp_confirmed"] is not None,
        "last_sign_in": row["last_sign_in"],
        "created": row["created"],
        "created_by": row["created_by"],
        "roles": [{"id": role.id, "title": role.title.model_dump()} for role in roles],
    }


def state(row: Mapping[str, Any], now: datetime) -> str:
    """Return whether an account is active, locked or disabled."""
    if row["disabled"] is not None:
        return "disabled"
    return "locked" if row["locked_until"] is not None and row["locked_until"] > now else "active"


def made_up(identity: Identity) -> str:
    """Return a random password that the policy allows."""
    length = max(16, identity.policy.password.shortest.value)
    letters = [secrets.choice(one) for one in _ALPHABET]
    letters += [secrets.choice("".join(_ALPHABET)) for _ in range(length - len(letters))]
    secrets.SystemRandom().shuffle(letters)
    return "".join(letters)


def _titles(connection: Connection) -> dict[str, dict[str, str]]:
    columns = organisations_table.c
    rows = connection.execute(select(columns.id, columns.title_zh, columns.title_en))
    return {row.id: {"zh": row.title_zh, "en": row.title_en} for row in rows}


def _seen(scope: Scope, rights: tuple[str, ...]) -> ColumnElement[bool]:
    return or_(*(visible(table, scope, organisation="organisation", right=right) for right in rights))


def _bounded(scope: Scope) -> bool:
    return all(part.organisations is not None for part in scope.granted("administer"))
