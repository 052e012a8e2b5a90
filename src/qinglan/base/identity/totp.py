"""The second factor: a code of six digits that changes every half minute (RFC 6238).

依据: GB/T 22239—2019 8.1.4.1 d)（两种或两种以上组合的鉴别技术）。
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass

import pyotp
import segno
from sqlalchemy import Connection, select, update

from qinglan.base.engine import reading, transaction
from qinglan.base.identity import trail
from qinglan.base.identity.identity import Actor, Identity
from qinglan.base.identity.refusals import ConflictError
from qinglan.base.identity.tables import accounts as table
from qinglan.core.errors import InputError

ISSUER = "Qinglan"
STEP_SECONDS = 30
_NEIGHBOURS = (0, -1, 1)


@dataclass(frozen=True)
class Enrolment:
    """What an authenticator needs: the secret, its address, and the address as a picture."""

    secret: str
    uri: str
    svg: str


def begin(identity: Identity, account: str) -> Enrolment:
    """Make a new secret for an account; it counts once `confirm` has seen a code of it.

    Raises
    ------
    ConflictError
        If the account has a second factor: a security administrator takes a lost one away.
    """
    secret = pyotp.random_base32(32)
    sealed = identity.seal(secret)
    with transaction(identity.engine) as connection:
        query = update(table).where(table.c.id == account, table.c.totp_confirmed.is_(None))
        if not connection.execute(query.values(totp=sealed, totp_step=None)).rowcount:
            raise ConflictError(
                "已启用双因素；如验证器遗失，请安全管理员解除。",
                "There is a second factor already; if it is lost, a security administrator takes it away.",
                field="totp",
            )
    uri = pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)
    return Enrolment(secret, uri, segno.make(uri, error="m").svg_data_uri(scale=4))


def confirm(identity: Identity, actor: Actor, code: str) -> None:
    """Have the second factor count, once a code shows that the authenticator has it.

    Raises
    ------
    InputError
        If the code is wrong, or no enrolment was begun.
    """
    with transaction(identity.engine) as connection:
        if not accepted(connection, identity, actor.account, code):
            raise InputError(
                "验证码不正确：请核对手机时间，输入当前的 6 位数字。",
                "The code is wrong: check the clock of the telephone and type the six digits shown now.",
                field="code",
            )
        now = identity.clock()
        connection.execute(update(table).where(table.c.id == actor.account).values(totp_confirmed=now))
        trail.append(connection, actor, "second_factor", f"account/{actor.account}", at=now, detail={"confirmed": True})


def accepted(connection: Connection, identity: Identity, account: str, code: str) -> bool:
    """Return whether a code is right now, and use it up: none is taken twice."""
    row = connection.execute(
        select(table.c.totp, table.c.totp_step).where(table.c.id == account).with_for_update()
    ).one()
    if row.totp is None:
        return False
    secret = pyotp.TOTP(identity.unseal(row.totp))
    now = int(identity.clock().timestamp()) // STEP_SECONDS
    given = code.replace(" ", "")
    for offset in _NEIGHBOURS:
        step = now + offset
        right = hmac.compare_digest(secret.at(step * STEP_SECONDS).encode(), given.encode())
        if right and (row.totp_step is None or step > row.totp_step):
            connection.execute(update(table).where(table.c.id == account).values(totp_step=step))
            return True
    return False


def enrolled(identity: Identity, account: str) -> bool:
    """Return whether an account has a second factor."""
    with reading(identity.engine) as connection:
        query = select(table.c.totp_confirmed).where(table.c.id == account)
        return connection.scalars(query).first() is not None
