"""`qinglan account`: people, from the machine on which the server runs.

Whoever may write the home folder may do everything here; each command is written into the trail all the same.
"""

from __future__ import annotations

import getpass
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from qinglan.cli.application import AsJson, Home, existing, output
from qinglan.cli.usage import a_date

if TYPE_CHECKING:
    from qinglan.base.identity.identity import Actor, Identity
    from qinglan.base.settings import Settings

Account = Annotated[str, typer.Argument(metavar="ACCOUNT", help="账户名。 The account.")]
Places = Annotated[list[str] | None, typer.Option("--place", help="限定的地区编号，可多次。 A place; repeat.")]
Media = Annotated[list[str] | None, typer.Option("--medium", help="限定的要素，可多次。 A medium; repeat.")]
Day = Annotated[datetime | None, typer.Option(parser=a_date, help="日期，如 2024-03-01。 A date.")]
_STATES = {"active": "正常", "locked": "锁定", "disabled": "停用"}


def add(root: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(name="account", help="账户、角色与令牌。 Accounts, roles and tokens.", no_args_is_help=True)
    group.command(name="add", help="建立账户。 Add an account.")(add_)
    group.command(name="list", help="列出账户。 List accounts.")(list_)
    group.command(name="disable", help="停用或启用账户。 Disable or enable an account.")(disable)
    group.command(name="unlock", help="解除锁定。 End an account's lock.")(unlock)
    group.command(name="password", help="重置口令。 Give a new first password.")(password)
    group.command(name="grant", help="授予角色。 Give a role.")(grant)
    group.command(name="revoke", help="收回角色或令牌。 Take a role or a token back.")(revoke)
    group.command(name="token", help="建立接口令牌。 Make an API token.")(token)
    group.command(name="first-link", help="生成一次性管理员链接。 Make an administrator's one-time link.")(first_link)
    root.add_typer(group)


def add_(
    account: Account,
    name: Annotated[str, typer.Option("--name", help="姓名。 The person's name.")],
    organisation: Annotated[str | None, typer.Option("--organisation", help="机构编号。 The organisation.")] = None,
    email: Annotated[str | None, typer.Option("--email", help="电子邮箱。 The e-mail address.")] = None,
    phone: Annotated[str | None, typer.Option("--phone", help="电话。 The telephone.")] = None,
    role: Annotated[str | None, typer.Option("--role", help="同时授予的角色。 A role to give as well.")] = None,
    from_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="从标准输入读首个口令。 Read the first password from stdin.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Add an account; its first password is shown once."""
    from qinglan.base.identity import accounts, grants
    from qinglan.base.scope import EVERYTHING

    _, identity = _opened(home)
    given = sys.stdin.readline().rstrip("\r\n") if from_stdin else None
    values = {"name": name, "organisation": organisation, "email": email, "phone": phone}
    made, first = accounts.add(identity, _actor(), account, **values, password=given)  # type: ignore[arg-type]
    if role is not None:
        grants.grant(identity, _actor(), account, role)
        made = accounts.get(identity, EVERYTHING, account)
    if as_json:
        _print(made | {"password": first})
        return
    output.print(f"已建立账户 {escape(account)}（{escape(name)}）。 The account is made.")
    _show_password(first, given is None)


def list_(
    text: Annotated[str | None, typer.Argument(metavar="TEXT", help="名称中含有的文字。 A text in the name.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the accounts."""
    from qinglan.base.identity import accounts
    from qinglan.base.scope import EVERYTHING

    _, identity = _opened(home)
    found = accounts.listed(identity, EVERYTHING, text=text)
    if as_json:
        _print(found)
        return
    if not found:
        output.print("没有账户。 No accounts.")
        return
    table = Table(box=None, header_style="bold")
    for heading in ("账户", "姓名", "机构", "角色", "状态", "双因素", "最近登录"):
        table.add_column(heading, overflow="fold")
    for one in found:
        roles = "、".join(role["title"]["zh"] for role in one["roles"])
        seen = "" if one["last_sign_in"] is None else _beijing(one["last_sign_in"])
        factor = "是" if one["second_factor"] else ""
        state = _STATES[one["state"]]
        table.add_row(escape(one["id"]), escape(one["name"]), one["organisation"] or "", roles, state, factor, seen)
    output.print(table)


def disable(
    account: Account,
    enable: Annotated[bool, typer.Option("--enable", help="改为启用。 Enable it again.")] = False,
    reason: Annotated[str | None, typer.Option("--reason", help="原因。 Why.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Disable an account and end its sessions, or enable it."""
    from qinglan.base.identity import accounts
    from qinglan.base.scope import EVERYTHING

    _, identity = _opened(home)
    found = accounts.set_disabled(identity, _actor(), EVERYTHING, account, not enable, reason=reason)
    _done(found, as_json, f"{'已启用' if enable else '已停用'} {account}。 {'Enabled' if enable else 'Disabled'}.")


def unlock(account: Account, home: Home = None, as_json: AsJson = False) -> None:
    """End an account's lock before its time."""
    from qinglan.base.identity import accounts
    from qinglan.base.scope import EVERYTHING

    _, identity = _opened(home)
    found = accounts.unlock(identity, _actor(), EVERYTHING, account)
    _done(found, as_json, f"已解锁 {account}。 Unlocked.")


def password(
    account: Account,
    from_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="从标准输入读新口令。 Read the new password from stdin.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Give an account a new first password, which must be changed at the next sign-in."""
    from qinglan.base.identity import accounts
    from qinglan.base.scope import EVERYTHING

    _, identity = _opened(home)
    given = sys.stdin.readline().rstrip("\r\n") if from_stdin else None
    first = accounts.reset_password(identity, _actor(), EVERYTHING, account, given)
    if as_json:
        _print({"id": account, "password": first})
        return
    output.print(f"已重置 {escape(account)} 的口令，其会话均已结束。 The password is reset, all sessions ended.")
    _show_password(first, given is None)


def grant(
    account: Account,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="角色编号。 The role.")],
    places: Places = None,
    organisations: Annotated[
        list[str] | None, typer.Option("--organisation", help="限定的机构编号，可多次。 An organisation; repeat.")
    ] = None,
    media: Media = None,
    start: Day = None,
    end: Day = None,
    reason: Annotated[str | None, typer.Option("--reason", help="依据或原因。 Why.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Give an account a role, for a time and within limits."""
    from qinglan.base.identity import grants

    _, identity = _opened(home)
    made = grants.grant(
        identity,
        _actor(),
        account,
        role,
        places=places,
        organisations_=organisations,
        media=media,
        start=start.date() if start else None,
        end=end.date() if end else None,
        reason=reason,
    )
    said = f"已授予 {account}“{made['role_title']['zh']}”（编号 {made['id']}）。 Granted {made['role_title']['en']}."
    _done(made, as_json, said)


def revoke(
    account: Account,
    what: Annotated[
        str, typer.Argument(metavar="ROLE|ID", help="角色，或授权、令牌的编号。 A role, or the id of a grant or token.")
    ],
    reason: Annotated[str | None, typer.Option("--reason", help="原因。 Why.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Take back a token, a grant, or all grants of a role."""
    from qinglan.base.identity import accounts, grants, tokens
    from qinglan.base.scope import EVERYTHING

    _, identity = _opened(home)
    accounts.get(identity, EVERYTHING, account)
    if any(one["id"] == what and one["state"] == "active" for one in tokens.listed(identity, account)):
        tokens.revoke(identity, _actor(), account, what)
        _done({"revoked": [what]}, as_json, f"已撤销令牌 {what}。 The token is revoked.")
        return
    held = [one for one in grants.listed(identity, account) if one["state"] in {"held", "future"}]
    chosen = [one["id"] for one in held if what in {one["role"], one["id"]}]
    for one in chosen or [what]:
        grants.revoke(identity, _actor(), account, one, reason=reason)
    _done({"revoked": chosen}, as_json, f"已收回 {len(chosen)} 项授权。 Taken back: {len(chosen)}.")


def token(
    account: Account,
    title: Annotated[str, typer.Option("--title", help="用途。 What it is for.")],
    rights: Annotated[list[str], typer.Option("--right", help="权限，如 read、export，可多次。 A right; repeat.")],
    days: Annotated[int, typer.Option("--days", min=1, help="有效天数。 How many days it lasts.")] = 90,
    places: Places = None,
    media: Media = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make an API token; it is shown once."""
    from qinglan.base.identity import tokens

    _, identity = _opened(home)
    made, secret = tokens.add(
        identity, _actor(), account, title=title, rights=rights, days=days, places=places, media=media
    )
    if as_json:
        _print(made | {"secret": secret})
        return
    output.print(f"令牌（只显示这一次）： The token, shown this once:\n{secret}")
    output.print(f"有效至 Valid until {_beijing(made['expires'])}；编号 id {made['id']}")


def first_link(
    role: Annotated[
        str, typer.Option("--role", help="三员之一。 One of the three administrators.")
    ] = "system_administrator",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Make the one-time link by which an administrator that is missing sets up an account."""
    from qinglan.base.identity import links

    settings, identity = _opened(home)
    secret = links.make(identity, _actor(), role)
    address = f"http://{settings.host}:{settings.port}{links.ADDRESS}{secret}"
    hours = identity.policy.link.hours.value
    if as_json:
        _print({"role": role, "link": secret, "address": address, "hours": hours})
        return
    title = identity.roles[role].title
    output.print(f"{title.zh}的一次性链接（{hours} 小时内有效，只能用一次）： One-time link of the {title.en.lower()}:")
    output.print(address)


def _opened(home: Any) -> tuple[Settings, Identity]:
    from qinglan.app import identity_of
    from qinglan.base.database import open_base

    settings = existing(home)
    return settings, identity_of(settings, open_base(settings))


def _actor() -> Actor:
    from qinglan.base.identity.identity import Actor

    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # A container may have no name for its user.
        user = "?"
    return Actor(f"cli:{user}")


def _done(found: Any, as_json: bool, sentence: str) -> None:
    if as_json:
        _print(found)
    else:
        output.print(escape(sentence))


def _print(found: Any) -> None:
    output.print_json(data=found, default=str)


def _show_password(first: str, shown: bool) -> None:
    if shown:
        output.print(f"首个口令（只显示这一次，首次登录须修改）： First password, to be changed:\n{escape(first)}")


def _beijing(moment: datetime) -> str:
    from qinglan.core.interval import to_beijing

    return to_beijing(moment).isoformat()[:16].replace("T", " ")
