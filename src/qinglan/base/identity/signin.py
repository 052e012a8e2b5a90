"""Signing in: password, then the second factor where there is one.

Every refusal reads the same and costs the same work, whether there is such an account or not.
依据: GB/T 22239—2019 8.1.4.1 b)（登录失败处理、限制非法登录次数）。
"""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from qinglan.base.engine import reading, transaction
from qinglan.base.identity import passwords, sessions, totp, trail
from qinglan.base.identity.accounts import ID
from qinglan.base.identity.identity import Actor, Identity
from qinglan.base.identity.refusals import NotSignedInError, TooOftenError, sign_in_refused
from qinglan.base.identity.sessions import Session
from qinglan.base.identity.tables import accounts as table
from qinglan.base.identity.tables import sessions as sessions_table


def sign_in(identity: Identity, login: str, password: str, *, address: str = "", agent: str = "") -> str:
    """Check a password and return the secret of a new session.

    Raises
    ------
    NotSignedInError
        If account or password is wrong, or the account is locked or disabled: the same sentence for all.
    TooOftenError
        If this address failed too often.
    """
    now = identity.clock()
    _require_calm(identity, address)
    # Only a name that is there is written into the trail: people type passwords into the field of the name.
    account = login.strip().lower()
    row = None
    if ID.fullmatch(account):
        with reading(identity.engine) as connection:
            row = connection.execute(select(table.c.id, table.c.password).where(table.c.id == account)).first()
    right = passwords.matches(password, None if row is None else row.password)
    if row is None:
        identity.throttle.failed(address, now)
        with transaction(identity.engine) as connection:
            trail.append(connection, Actor("", address), "sign_in", "account/?", at=now, outcome="refused")
        raise sign_in_refused()
    secret = None
    with transaction(identity.engine) as connection:
        # Read again: while the password was checked, other attempts may have locked the account.
        if _usable(connection, identity, account) and right:
            connection.execute(update(table).where(table.c.id == account).values(last_sign_in=now))
            secret = sessions.start(connection, identity, account, address=address, agent=agent, factor=False)
            actor = Actor(account, address)
            trail.append(connection, actor, "sign_in", f"account/{account}", at=now)
            if not _has_factor(connection, account):
                _forgive(connection, account)
        else:
            _fail(connection, identity, Actor(account, address), counts=not right)
    if secret is None:
        identity.throttle.failed(address, now)
        raise sign_in_refused()
    return secret


def second_factor(identity: Identity, session: Session, code: str, *, address: str = "", agent: str = "") -> str:
    """Check a code and return the secret of the session that replaces the one begun by the password.

    Raises
    ------
    NotSignedInError
        If the code is wrong or was used, or the account was locked meanwhile.
    TooOftenError
        If this address failed too often.
    """
    _require_calm(identity, address)
    account, secret = str(session.account["id"]), None
    actor = Actor(account, address)
    with transaction(identity.engine) as connection:
        usable = _usable(connection, identity, account)
        if usable and totp.accepted(connection, identity, account, code):
            connection.execute(
                update(sessions_table).where(sessions_table.c.id == session.id).values(ended=identity.clock())
            )
            _forgive(connection, account)
            secret = sessions.start(connection, identity, account, address=address, agent=agent, factor=True)
            trail.append(connection, actor, "second_factor", f"account/{account}", at=identity.clock())
        else:
            _fail(connection, identity, actor, counts=usable, action="second_factor")
    if secret is None:
        identity.throttle.failed(address, identity.clock())
        raise NotSignedInError(
            "验证码不正确或已用过：请输入当前的 6 位数字；多次错误将锁定账户。",
            "The code is wrong or was used: type the six digits shown now; too many errors lock the account.",
            field="code",
        )
    return secret


def _require_calm(identity: Identity, address: str) -> None:
    if identity.throttle.stopped(address, identity.clock()):
        minutes = identity.policy.failures.address_minutes.value
        raise TooOftenError(
            f"此地址的登录失败过多，请 {minutes} 分钟后再试。",
            f"Too many sign-ins from this address failed; try again in {minutes} minutes.",
        )


def _usable(connection: Connection, identity: Identity, account: str) -> bool:
    query = select(table.c.disabled, table.c.locked_until).where(table.c.id == account).with_for_update()
    row = connection.execute(query).one()
    return row.disabled is None and (row.locked_until is None or row.locked_until <= identity.clock())


def _has_factor(connection: Connection, account: str) -> bool:
    return connection.scalars(select(table.c.totp_confirmed).where(table.c.id == account)).first() is not None


def _forgive(connection: Connection, account: str) -> None:
    connection.execute(update(table).where(table.c.id == account).values(failures=0, locked_until=None))


def _fail(connection: Connection, identity: Identity, actor: Actor, *, counts: bool, action: str = "sign_in") -> None:
    now, most = identity.clock(), identity.policy.failures.account.value
    what = f"account/{actor.account}"
    trail.append(connection, actor, action, what, at=now, outcome="refused")
    row = connection.execute(select(table.c.failures, table.c.locked_until).where(table.c.id == actor.account)).one()
    if not counts or (row.locked_until is not None and row.locked_until > now):
        return
    failures = row.failures + 1
    values = {"failures": failures, "locked_until": None}
    if failures >= most:
        values = {"failures": 0, "locked_until": now + identity.policy.lock}
        detail = {"failures": failures, "until": values["locked_until"]}
        trail.append(connection, actor, "lock", what, at=now, detail=detail)
    connection.execute(update(table).where(table.c.id == actor.account).values(values))
