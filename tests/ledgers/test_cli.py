"""`qinglan ledger` and `qinglan audit`: what a user sees, which files are made, and with which code it ends."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from ledgers.conftest import USCC
from qinglan import app
from qinglan.app import Application
from qinglan.cli import main
from qinglan.core.declare import Declarations
from qinglan.indicators.city import Places

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def declarations() -> Declarations:
    return app.load_declarations("huludao")


@pytest.fixture
def home(tmp_path: Path, declarations: Declarations, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(app, "load_declarations", lambda _: declarations)
    with Application.open(tmp_path / "home"):
        return tmp_path / "home"


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the real command line in this process; return its exit code, output and error output."""
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("QINGLAN_HOME", str(home))

    def do(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["qinglan", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return do


@pytest.fixture
def file(tmp_path: Path, declarations: Declarations) -> Path:
    """An enterprise of a county of the installed city, by the county's name."""
    entries = next(iter(declarations.of(Places).values())).entries
    county = next(one.title.zh for one in entries if one.parent is not None)
    path = tmp_path / "企业.csv"
    path.write_text(f"统一社会信用代码,单位名称,所在地区,生产状态\n{USCC},示例水泥,{county},在产\n", "utf-8")
    return path


def test_from_a_file_to_a_record_and_its_history(run: Run, file: Path, tmp_path: Path) -> None:
    code, out, _ = run("ledger", "import", "enterprise", str(file))
    assert code == 0
    assert "新增 1" in out
    assert json.loads(run("ledger", "list", "enterprise", "--json")[1])["records"] == []
    code, out, _ = run("ledger", "import", "enterprise", str(file), "--write", "--json")
    assert (code, json.loads(out)["state"]) == (0, "written")
    listed = json.loads(run("ledger", "list", "enterprise", "--filter", "name:contains:水泥", "--json")[1])
    assert [one["values"]["uscc"] for one in listed["records"]] == [USCC]
    shown = json.loads(run("ledger", "show", "enterprise", USCC, "--json")[1])
    assert (shown["values"]["status"], shown["version"]) == ("operating", 1)
    assert "单位名称：None → 示例水泥" in run("ledger", "history", "enterprise", USCC)[1]
    for name in ("a.xlsx", "a.csv", "a.geojson"):
        assert run("ledger", "export", "enterprise", str(tmp_path / name))[0] == 0
        assert (tmp_path / name).stat().st_size > 50
    assert run("ledger", "template", "enterprise", str(tmp_path / "t.xlsx"))[0] == 0
    assert openpyxl.load_workbook(tmp_path / "t.xlsx").worksheets[0]["A1"].value == "*统一社会信用代码"


def test_errors_are_listed_by_cell_and_marked(run: Run, file: Path, tmp_path: Path) -> None:
    file.write_text(file.read_text("utf-8").replace("在产", "休眠"), "utf-8")
    marked = tmp_path / "marked.xlsx"
    code, _, err = run("ledger", "import", "enterprise", str(file), "--marked", str(marked))
    assert code == 2
    assert "企业!D2" in err
    assert openpyxl.load_workbook(marked).worksheets[1]["D2"].comment is not None
    code, _, err = run("ledger", "import", "enterprise", str(file), "--write")
    assert code == 2
    assert "没有写入任何一行" in err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("ledger", "list", "nothing"), "没有编号为“nothing”的台账"),
        (("ledger", "show", "enterprise", "nobody"), "没有编号为“nobody”的记录"),
        (("ledger", "list", "enterprise", "--filter", "x"), "字段:运算符:值"),
        (("ledger", "export", "enterprise", "a.pdf"), ".xlsx、.csv 或 .geojson"),
        (("ledger", "migrate", "nothing"), "没有台账“nothing”"),
        (("audit", "verify", "--ledger", "nothing"), "没有编号为“nothing”的台账"),
    ],
)
def test_what_cannot_be_ends_with_one_sentence_and_code_2(run: Run, arguments: tuple[str, ...], said: str) -> None:
    code, _, err = run(*arguments)
    assert code == 2
    assert said in err
    assert len(err.strip().splitlines()) == 1


def test_verify_names_what_was_changed_past_the_program(run: Run, file: Path, home: Path) -> None:
    run("ledger", "import", "enterprise", str(file), "--write")
    assert run("audit", "sign")[0] == 0
    code, out, _ = run("audit", "verify")
    assert (code, "0 处不符" in out) == (0, True)
    with sqlite3.connect(home / "base.sqlite") as base:
        base.execute("UPDATE ledger_enterprise SET name = '别的'")
    base.close()
    code, out, err = run("audit", "verify")
    assert (code, "1 处不符" in out) == (1, True)
    assert "enterprise" in err
    assert "name" in err
    found = json.loads(run("audit", "verify", "--json")[1])["differences"]
    assert [(one["ledger"], one["check"]) for one in found] == [("enterprise", "rows")]


def test_migrate_says_what_it_did(run: Run) -> None:
    code, out, _ = run("ledger", "migrate", "enterprise", "--json")
    assert code == 0
    assert json.loads(out)["losses"] == []
