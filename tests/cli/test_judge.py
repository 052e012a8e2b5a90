"""`qinglan judge`: what a user sees, which files are made, and with which code it ends."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from qinglan.cli import main

TEXT = "断面,时间,氨氮(mg/L),总磷(mg/L)\n甲,2024-05-01,0.9,0.18\n乙,2024-05-01,x,0.05\n丙,2024-05-01,2.3,0.32\n"


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the real command line in this process; return its exit code, output and error output."""
    monkeypatch.setenv("COLUMNS", "160")

    def do(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["qinglan", "judge", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return do


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "五月.csv"
    path.write_text(TEXT, "utf-8")
    return path


def test_a_table_a_line_and_a_workbook_beside_the_file(run, table):
    code, out, err = run("water", str(table), "--kind", "river")
    assert code == 0
    line = "2 个断面：Ⅰ～Ⅲ类 1 个（50.00%），Ⅲ 1 个（50.00%），劣Ⅴ 1 个（50.00%）；拒收 1 行。"
    assert line in out.splitlines()
    assert "五月.csv 第 3 行“氨氮(mg/L)”列的“x”：不是数值，应为不小于 0 的数（mg/L）" in err
    made = table.with_name("五月-评价.xlsx")
    assert f"已写 {made}" in out
    assert openpyxl.load_workbook(made).sheetnames == ["评价", "拒收", "依据"]


def test_the_result_is_kept_unless_it_is_forced(run, table):
    assert run("water", str(table), "--kind", "river")[0] == 0
    code, _, err = run("water", str(table), "--kind", "river")
    assert (code, "五月-评价.xlsx 已存在，没有覆盖" in err) == (2, True)
    assert run("water", str(table), "--kind", "river", "--force")[0] == 0


def test_json_has_the_counts_the_rejects_and_the_rows(run, table, tmp_path):
    out_file = tmp_path / "结果.csv"
    code, out, _ = run("water", str(table), "--kind", "river", "--json", "--out", str(out_file))
    found = json.loads(out)
    assert code == 0
    assert (found["medium"], found["method"], found["verdicts"], found["refused_rows"]) == ("water", "section", 2, 1)
    assert found["counts"] == {"Ⅲ": 1, "劣Ⅴ": 1}
    assert [(row["row"], row["site"], row["grade"]) for row in found["rows"]] == [
        (2, "甲", "Ⅲ"),
        (3, "乙", None),
        (4, "丙", "劣Ⅴ"),
    ]
    assert (
        found["rejects"][0] | {"row": 3, "value": "x", "right_en": "a number of at least 0 (mg/L)"}
        == found["rejects"][0]
    )
    assert [Path(one).name for one in found["out"]] == ["结果.csv", "结果-拒收.csv"]
    assert found["summary"]["en"].startswith("2 section(s): Ⅰ～Ⅲ类 1 (50.00%)")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("watr", "{}"), "没有介质“watr”"),
        (("water", "{}", "-m", "x"), "water 没有方法“x”"),
        (("soil", "{}"), "五月.csv 第 1 行像表头，但农用地土壤环境质量类别还缺：土地利用、监测项目"),
        (("water", "{}", "--set", "x"), "--set 应写成 名称=值"),
        (("water", "{}", "--set", "x=1"), "没有可写明的“x”"),
        (("water", "{}", "--edition", "1999"), "没有名为“1999”的版本"),
        (("water", "{}", "--edition", "2002", "--on", "2024-01-01"), "--edition 与 --on 只能写一个"),
        (("water", "{}", "{}", "--out", "a.xlsx"), "--out 只能用于一个文件"),
        (("water", "{}.no"), "没有文件"),
        (("water", "{}", "--sheet", "甲"), "不是 Excel 工作簿"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_what_cannot_be_done_is_one_sentence_and_code_2(run, table, words, said):
    code, out, err = run(*(word.replace("{}", str(table)) for word in words))
    assert code == 2
    assert said in err
    assert (out, len(err.strip().splitlines())) == ("", 1)
    assert list(table.parent.glob("*评价*")) == []


def test_several_files_each_have_their_result(run, table, tmp_path):
    other = tmp_path / "六月.csv"
    other.write_text(TEXT, "utf-8")
    code, out, _ = run("water", str(table), str(other), "--kind", "river", "--json")
    assert code == 0
    assert [one["file"] for one in json.loads(out)] == ["五月.csv", "六月.csv"]
    assert sorted(path.name for path in tmp_path.glob("*.xlsx")) == ["五月-评价.xlsx", "六月-评价.xlsx"]


def test_the_list_names_each_medium_and_its_default(run):
    code, out, _ = run("--list")
    assert code == 0
    assert "section *" in out
    assert {line.split()[0] for line in out.splitlines()[1:-1] if line[0].isascii() and line[0].isalpha()} >= {
        *("air", "water", "lake", "source", "sea", "groundwater", "soil", "noise", "discharge", "tax"),
    }
