"""Sessions: what a browser holds after signing in, and when it ends.

依据: GB/T 22239—2019 8.1.4.1 b)（登录连接超时自动退出）。
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from qinglan.base.engine import reading, transaction
from qinglan.base.identity import grants, passwords, trail
from qinglan.base.identity.identity import Actor, Identity, digest, new_id, new_secret
from qinglan.base.identity.refusals import not_there
from qinglan.base.identity.tables import accounts
from qinglan.base.identity.tables import sessions as table
from qinglan.base.scope import Scope

_NOTED = timedelta(minutes=1)
_AGENT = 200


@dataclass(frozen=True)
class Session:
    """One signed-in browser.

    `step` is what must still be done before anything else is answered: ``totp`` (the second factor), ``password``
    (a new password), ``enrol`` (a second factor to be set up); None when all is done.
    """

    id: str
    public_id: str
    account: Mapping[str, Any]
    scope: Scope
    step: str | None
    expires: datetime


def start(connection: Connection, identity: Identity, account: str, *, address: str, agent: str, factor: bool) -> str:
    """Begin a session in the caller's transaction and return its secret; the oldest beyond the most allowed end."""
    secret, now = new_secret(), identity.clock()
    connection.execute(
        insert(table).values(
            id=digest(secret),
            account=account,
            public_id=new_id(),
            second_factor=factor,
            created=now,
            seen=now,
            expires=now + identity.policy.absolute,
            address=address[:64],
            agent=agent[:_AGENT],
        )
    )
    living = (
        select(table.c.id).where(table.c.account == account, table.c.ended.is_(None)).order_by(table.c.created.desc())
    )
    beyond = list(connection.scalars(living))[identity.policy.session.most.value :]
    if beyond:
        connection.execute(update(table).where(table.c.id.in_(beyond)).values(ended=now))
    return secret


def renew(identity: Identity, session: Session, *, address: str, agent: str) -> str:
    """Replace a session by one that has shown the second factor; return its secret."""
    with transaction(identity.engine) as connection:
        connection.execute(update(table).where(table.c.id == session.id).values(ended=identity.clock()))
        return start(connection, identity, str(session.account["id"]), address=address, agent=agent, factor=True)


def find(identity: Identity, secret: str) -> Session | None:
    """Return the session of a secret while it lasts and its account may be used; else None."""
    now = identity.clock()
    with reading(identity.engine) as connection:
        row = connection.execute(select(table).where(table.c.id == digest(secret))).mappings().first()
        if row is None or not _lives(dict(row), now, identity.policy.idle):
            return None
        account = connection.execute(select(accounts).where(accounts.c.id == row["account"])).mappings().one()
        if account["disabled"] is not None:
            return None
        scope = grants.scope_of(connection, identity, row["account"])
    step = step_due(identity, dict(account), scope, row["second_factor"])
    found = Session(row["id"], row["public_id"], dict(account), scope, step, row["expires"])
    if now - row["seen"] > _NOTED:
        with transaction(identity.engine) as connection:
            connection.execute(update(table).where(table.c.id == row["id"]).values(seen=now))
    return found


def _lives(row: Mapping[str, Any], now: datetime, idle: timedelta) -> bool:
    return row["ended"] is None and now < row["expires"] and now - row["seen"] < idle


def step_due(identity: Identity, account: Mapping[str, Any], scope: Scope, factor: bool) -> str | None:
    """Return what an account must still do before it may go on."""
    if account["totp_confirmed"] is not None and not factor:
        return "totp"
    if account["must_change"] or passwords.expired(identity.policy, account["password_set"], identity.clock()):
        return "password"
    if account["totp_confirmed"] is None and any(identity.roles[role].second_factor for role in scope.roles):
        return "enrol"
    return None


def csrf(secret: str) -> str:
    """Return what a page must send along with each change: only a page of this server can have been told it."""
    return hmac.new(secret.encode(), b"qinglan csrf", hashlib.sha256).hexdigest()


def end(identity: Identity, actor: Actor, session: Session) -> None:
    """End one session: signing out."""
    with transaction(identity.engine) as connection:
        connection.execute(update(table).where(table.c.id == session.id).values(ended=identity.clock()))
        trail.append(connection, actor, "sign_out", f"account/{actor.account}", at=identity.clock())


def end_all(connection: Connection, identity: Identity, account: str, *, but: str | None = None) -> int:
    """End all sessions of an account in the caller's transaction, but for one; return how many ended."""
    query = update(table).where(table.c.account == account, table.c.ended.is_(None))
    if but is not None:
        query = query.where(table.c.id != but)
    return connection.execute(query.values(ended=identity.clock())).rowcount


def end_everywhere(identity: Identity, actor: Actor, account: str, *, but: str | None = None) -> int:
    """End all sessions of an account, but for one; return how many ended."""
    with transaction(identity.engine) as connection:
        ended = end_all(connection, identity, account, but=but)
        detail = {"sessions": ended}
        trail.append(connection, actor, "sign_out", f"account/{account}", at=identity.clock(), detail=detail)
    return ended


def end_one(identity: Identity, actor: Actor, account: str, public_id: str) -> None:
    """End one session of an account by the id that its owner sees.

    Raises
    ------
    NotThereError
        If the account has no such session.
    """
    with transaction(identity.engine) as connection:
        query = update(table).where(table.c.account == account, table.c.public_id == public_id, table.c.ended.is_(None))
        if not connection.execute(query.values(ended=identity.clock())).rowcount:
            raise not_there("会话", "session", public_id)
        detail = {"session": public_id}
        trail.append(connection, actor, "sign_out", f"account/{account}", at=identity.clock(), detail=detail)


def listed(identity: Identity, account: str, current: str | None = None) -> list[dict[str, Any]]:
    """Return the sessions of an account that last, the newest first."""
    now = identity.clock()
    query = select(table).where(table.c.account == account, table.c.ended.is_(None)).order_by(table.c.created.desc())
    with reading(identity.engine) as connection:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    return [
        {
            "id": row["public_id"],
            **{name: row[name] for name in ("created", "seen", "expires", "address", "agent")},
            "current": row["id"] == current,
        }
        for row in rows
        if _lives(row, now, identity.policy.idle)
    ]
