"""The trail of who did what: rows are added, never changed, and each carries the hash of the one before.

依据: GB/T 22239—2019 8.1.4.3（安全审计）。
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Select, insert, select, update

from qinglan.base.engine import reading
from qinglan.base.identity.identity import Actor
from qinglan.base.identity.tables import trail, trail_head
from qinglan.base.scope import masked_text
from qinglan.core.declare import Title
from qinglan.core.interval import to_beijing

START = "0" * 64
_HEAD = 1
ACTIONS: dict[str, Title] = {
    "sign_in": Title(zh="登录", en="sign in"),
    "sign_out": Title(zh="退出", en="sign out"),
    "second_factor": Title(zh="双因素", en="second factor"),
    "password": Title(zh="修改口令", en="password"),
    "account": Title(zh="账户", en="account"),
    "organisation": Title(zh="机构", en="organisation"),
    "grant": Title(zh="授权", en="grant"),
    "token": Title(zh="令牌", en="token"),
    "lock": Title(zh="锁定", en="lock"),
    "export": Title(zh="导出", en="export"),
    "change": Title(zh="变更", en="change"),
    "refused": Title(zh="拒绝访问", en="access refused"),
}
HEADING = ["编号", "时间", "账户", "地址", "动作", "对象", "结果", "说明", "散列"]
_LONGEST = 500


@dataclass(frozen=True)
class Found:
    """What is wrong with the trail, and from which entry on."""

    entry: int
    zh: str
    en: str


def append(
    connection: Connection,
    actor: Actor,
    action: str,
    what: str,
    *,
    at: datetime,
    outcome: str = "done",
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry in the caller's transaction: what is done and what is written about it stand or fall together.

    Identity and mobile numbers in `detail` are masked; passwords and secrets must never be given.
    """
    head = connection.execute(select(trail_head).where(trail_head.c.id == _HEAD).with_for_update()).mappings().one()
    row = {
        "id": head["last"] + 1,
        "at": at,
        "account": actor.account[:128],
        "address": actor.address[:64],
        "action": action,
        "object": masked_text(what)[:255],
        "outcome": outcome,
        "detail": _masked(dict(detail)) if detail else None,
        "previous": head["hash"],
    }
    row["hash"] = _hash(row)
    connection.execute(insert(trail).values(row))
    connection.execute(update(trail_head).where(trail_head.c.id == _HEAD).values(last=row["id"], hash=row["hash"]))


def entries(
    engine: Engine,
    *,
    account: str | None = None,
    action: str | None = None,
    outcome: str | None = None,
    start: datetime | None = None,
    end: datetime | None = None,
    before: int | None = None,
    limit: int | None = 100,
) -> list[dict[str, Any]]:
    """Return entries, the newest first.

    Parameters
    ----------
    account
        Only those of accounts whose name contains this.
    start, end
        Only those in ``[start, end)``.
    before
        Only those before the entry with this number: the last of the page before.
    """
    query = select(trail).order_by(trail.c.id.desc())
    query = _filtered(query, account, action, outcome, start, end)
    if before is not None:
        query = query.where(trail.c.id < before)
    if limit is not None:
        query = query.limit(limit)
    with reading(engine) as connection:
        return [_shown(dict(row)) for row in connection.execute(query).mappings()]


def _filtered(
    query: Select[Any],
    account: str | None,
    action: str | None,
    outcome: str | None,
    start: datetime | None,
    end: datetime | None,
) -> Select[Any]:
    # PostgreSQL takes no null character, and none is in what is kept.
    if account:
        query = query.where(trail.c.account.contains(account.replace("\0", ""), autoescape=True))
    if action:
        query = query.where(trail.c.action == action.replace("\0", ""))
    if outcome:
        query = query.where(trail.c.outcome == outcome)
    if start is not None:
        query = query.where(trail.c.at >= start)
    if end is not None:
        query = query.where(trail.c.at < end)
    return query


def verify(engine: Engine) -> list[Found]:
    """Return where the trail is broken: an entry changed, taken out, put in between, or the end cut off.

    Whoever can write the base can compute the whole chain anew; only a head kept outside of it (`head`) shows that.
    """
    found: list[Found] = []
    with reading(engine) as connection:
        last, previous = 0, START
        for row in connection.execute(select(trail).order_by(trail.c.id)).mappings():
            if row["id"] != last + 1:
                found.append(Found(last + 1, f"第 {last + 1} 条缺失。", f"Entry {last + 1} is missing."))
            elif row["previous"] != previous:
                found.append(
                    Found(
                        row["id"],
                        f"第 {row['id']} 条与前一条不衔接。",
                        f"Entry {row['id']} does not follow its predecessor.",
                    )
                )
            if _hash(dict(row)) != row["hash"]:
                found.append(Found(row["id"], f"第 {row['id']} 条被改动。", f"Entry {row['id']} was changed."))
            last, previous = row["id"], row["hash"]
        kept = connection.execute(select(trail_head).where(trail_head.c.id == _HEAD)).mappings().first()
    if kept is None or (kept["last"], kept["hash"]) != (last, previous):
        found.append(Found(last + 1, f"第 {last} 条之后的记录被删去。", f"What followed entry {last} was cut off."))
    return found


def head(engine: Engine) -> tuple[int, str]:
    """Return the number and the hash of the last entry, to be kept outside of the base."""
    with reading(engine) as connection:
        row = connection.execute(select(trail_head).where(trail_head.c.id == _HEAD)).mappings().one()
    return row["last"], row["hash"]


def table_row(row: Mapping[str, Any]) -> list[Any]:
    """Return an entry as the row of a sheet, in the order of `HEADING`."""
    detail = "" if row["detail"] is None else json.dumps(row["detail"], ensure_ascii=False, sort_keys=True)
    outcome = {"done": "成功", "refused": "拒绝"}.get(row["outcome"], row["outcome"])
    names = ("id", "at", "account", "address")
    return [*(row[name] for name in names), row["action_title"]["zh"], row["object"], outcome, detail, row["hash"]]


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    title = ACTIONS.get(row["action"], Title(zh=row["action"], en=row["action"]))
    return {
        **{name: row[name] for name in ("id", "account", "address", "action", "object", "outcome", "detail", "hash")},
        "at": to_beijing(row["at"]).isoformat(),
        "action_title": title.model_dump(),
    }


def _hash(row: Mapping[str, Any]) -> str:
    content = [
        row["id"],
        row["at"].isoformat(),
        *(row[name] for name in ("account", "address", "action", "object", "outcome", "detail", "previous")),
    ]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _masked(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _masked(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked(one) for one in (sorted(value) if isinstance(value, set | frozenset) else value)]
    if value is None or isinstance(value, bool | int | float):
        return value
    return masked_text(str(value))[:_LONGEST]
