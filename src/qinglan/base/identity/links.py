"""One-time links, by which the three administrators come to be: no password is ever shipped."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, insert, select, update

from qinglan.base.engine import transaction
from qinglan.base.identity import accounts, grants, passwords, trail
from qinglan.base.identity.identity import Actor, Identity, digest, new_secret
from qinglan.base.identity.refusals import ConflictError, NotThereError
from qinglan.base.identity.tables import accounts as accounts_table
from qinglan.base.identity.tables import grants as grants_table
from qinglan.base.identity.tables import links as table
from qinglan.core.errors import InputError

FIRST = "system_administrator"
THREE = (FIRST, "security_administrator", "auditor")
# Behind the hash it never reaches a server, a proxy or a log.
ADDRESS = "/first#"


def make(identity: Identity, actor: Actor, role: str = FIRST, *, hours: int | None = None) -> str:
    """Make the link's secret for an administrator that there is not yet; an older link of the role ends.

    Raises
    ------
    InputError
        If the role is not one of the three administrators.
    ConflictError
        If somebody holds the role.
    """
    if role not in THREE:
        raise InputError(
            f"一次性链接只用于 {'、'.join(THREE)}。", f"One-time links are for {', '.join(THREE)}.", field="role"
        )
    with transaction(identity.engine) as connection:
        if _held(connection, identity, role):
            title = identity.roles[role].title
            raise ConflictError(
                f"已有{title.zh}；请由其在系统内办理。", f"There is a {title.en.lower()}, who sees to it.", field="role"
            )
        return _insert(connection, identity, actor, role, hours or identity.policy.link.hours.value)


def redeem(
    identity: Identity, secret: str, *, account: str, name: str, password: str, address: str = ""
) -> list[dict[str, Any]]:
    """Make the administrator that a link is for; return links for those of the three that are still missing.

    Raises
    ------
    NotThereError
        If the link is unknown, used or too old.
    ConflictError
        If somebody holds the role by now, or there is such an account.
    InputError
        If the account's name or the password is not acceptable.
    """
    passwords.require_good(identity.policy, password, (account, name))
    kept = passwords.hashed(password)
    now = identity.clock()
    actor = Actor(account, address)
    with transaction(identity.engine) as connection:
        # Used up in the same transaction: of two who open the link at once, one gets in.
        row = (
            connection.execute(
                select(table)
                .where(table.c.hash == digest(secret), table.c.used.is_(None), table.c.expires > now)
                .with_for_update()
            )
            .mappings()
            .first()
        )
        if row is None or _held(connection, identity, row["role"]):
            raise NotThereError(
                "链接无效：已使用、已过期或不正确；请在服务器上运行 qinglan account first-link 重新生成。",
                "The link is no good: used, too old or wrong; run qinglan account first-link on the server again.",
                field="link",
            )
        values = {"name": name, "organisation": None, "email": None, "phone": None}
        accounts.insert_account(connection, identity, actor, account, values=values, password=kept, must_change=False)
        grants.insert_grant(connection, identity, actor, account, row["role"])
        connection.execute(update(table).where(table.c.hash == row["hash"]).values(used=now, used_by=account))
        hours = identity.policy.link.successor_hours.value
        return [
            {
                "role": role,
                "role_title": identity.roles[role].title.model_dump(),
                "link": _insert(connection, identity, actor, role, hours),
                "expires": now + timedelta(hours=hours),
            }
            for role in THREE
            if row["role"] == FIRST and not _held(connection, identity, role)
        ]


def missing(identity: Identity) -> list[str]:
    """Return which of the three administrators there are not yet."""
    with transaction(identity.engine) as connection:
        return [role for role in THREE if not _held(connection, identity, role)]


def _insert(connection: Connection, identity: Identity, actor: Actor, role: str, hours: int) -> str:
    secret, now = new_secret(), identity.clock()
    connection.execute(update(table).where(table.c.role == role, table.c.used.is_(None)).values(expires=now))
    connection.execute(
        insert(table).values(
            hash=digest(secret), role=role, created=now, created_by=actor.account, expires=now + timedelta(hours=hours)
        )
    )
    trail.append(connection, actor, "account", f"link/{role}", at=now, detail={"hours": hours})
    return secret


def _held(connection: Connection, identity: Identity, role: str) -> bool:
    day = identity.today()
    query = (
        select(grants_table.c.id)
        .join(accounts_table, accounts_table.c.id == grants_table.c.account)
        .where(
            grants_table.c.role == role,
            grants_table.c.revoked.is_(None),
            (grants_table.c.end.is_(None)) | (grants_table.c.end > day),
            accounts_table.c.disabled.is_(None),
        )
        .limit(1)
    )
    return connection.execute(query).first() is not None
