"""`qinglan account`: an account from nothing to a role, a token, a lock and back, each in plain JSON."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from qinglan.base.settings import Settings
from qinglan.cli import commands
from qinglan.cli.application import root
from qinglan.core.errors import QinglanError

if not root.registered_groups:
    commands.add_all(root)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    found = tmp_path_factory.mktemp("account") / "home"
    settings = Settings.load(found, {})
    settings.prepare()
    return found


def run(home: Path, *arguments: str, stdin: str | None = None) -> Any:
    result = CliRunner().invoke(root, ["account", *arguments, "--home", str(home), "--json"], input=stdin)
    if result.exception is not None:
        raise result.exception
    return json.loads(result.stdout)


def test_an_account_from_beginning_to_end(home: Path) -> None:
    made = run(home, "add", "zhang.wei", "--name", "张某", "--phone", "13800001234")
    assert (made["id"], made["state"], made["must_change"], made["roles"]) == ("zhang.wei", "active", True, [])
    assert len(made["password"]) >= 12
    granted = run(home, "grant", "zhang.wei", "section_officer", "--medium", "air", "--end", "2099-01-01")
    assert (granted["role"], granted["media"], granted["end"], granted["state"]) == (
        "section_officer", ["air"], "2099-01-01", "held",
    )  # fmt: skip
    assert [one["roles"][0]["id"] for one in run(home, "list", "zhang")] == ["section_officer"]
    token = run(home, "token", "zhang.wei", "--title", "夜间同步", "--right", "read", "--days", "30")
    assert token["secret"].startswith("qlt_")
    assert run(home, "revoke", "zhang.wei", token["id"]) == {"revoked": [token["id"]]}
    assert run(home, "disable", "zhang.wei", "--reason", "调离")["state"] == "disabled"
    assert run(home, "disable", "zhang.wei", "--enable")["state"] == "active"
    assert run(home, "unlock", "zhang.wei")["locked_until"] is None
    assert run(home, "password", "zhang.wei")["password"] != made["password"]
    assert run(home, "revoke", "zhang.wei", "section_officer")["revoked"] == [granted["id"]]
    assert run(home, "list", "zhang")[0]["roles"] == []


def test_a_first_link_names_the_address_and_is_for_a_missing_administrator(home: Path) -> None:
    link = run(home, "first-link")
    assert link["address"] == f"http://127.0.0.1:8212/first#{link['link']}"
    run(home, "add", "sys.admin", "--name", "某甲", "--role", "system_administrator")
    with pytest.raises(QinglanError, match="系统管理员"):
        run(home, "first-link")
    assert run(home, "first-link", "--role", "auditor")["role"] == "auditor"


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["add", "Zhang Wei", "--name", "张某"], "小写"),
        (["add", "zhang.wei", "--name", "张某"], "已存在"),
        (["grant", "zhang.wei", "emperor"], "emperor"),
        (["grant", "zhang.wei", "county_officer"], "地区"),
        (["grant", "zhang.wei", "county_officer", "--place", "999999"], "999999"),
        (["grant", "nobody", "observer"], "nobody"),
        (["revoke", "zhang.wei", "observer"], "observer"),
        (["token", "zhang.wei", "--title", "x", "--right", "administer"], "administer"),
        (["token", "zhang.wei", "--title", "x", "--right", "read", "--days", "4000"], "365"),
        (["unlock", "nobody"], "nobody"),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(home: Path, arguments: list[str], word: str) -> None:
    with pytest.raises(QinglanError) as refused:
        run(home, *arguments)
    assert word in refused.value.zh
    assert refused.value.exit_code == 2


def test_a_weak_password_from_stdin_is_refused_and_never_echoed(home: Path) -> None:
    with pytest.raises(QinglanError) as refused:
        run(home, "add", "li.na", "--name", "李某", "--password-stdin", stdin="short-Pw1\n")
    assert "12" in refused.value.zh
    assert "short-Pw1" not in str(refused.value)


def test_the_command_itself_says_no_with_exit_code_2(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-m", "qinglan", "account", "list", "--home", str(tmp_path / "nowhere")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    assert "没有这个数据目录" in ended.stderr
