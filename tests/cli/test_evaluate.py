"""The commands as a person types them, on a home folder of their own."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from qinglan.cli import commands
from qinglan.cli.application import root
from qinglan.cli.evaluate import folded
from qinglan.core.errors import InputError

commands.add_all(root)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")
    (tmp_path / "qinglan.toml").write_text('city = "huludao"\n', "utf-8")

    def typed(*words):
        return CliRunner().invoke(root, [*words, "--home", str(tmp_path)])

    return typed


def test_the_board_as_text_and_as_json(run):
    text = run("evaluate", "--as-of", "2026-03-01")
    assert text.exit_code == 0, text.output
    assert "无数据 18" in text.stdout
    assert text.stdout.count("规划期内") == 18
    assert "PM2.5）" in text.stdout
    assert "57.14" in text.stdout
    found = json.loads(run("evaluate", "--as-of", "2026-03-01", "--indicator", "ecology.forest_cover", "--json").stdout)
    assert [card["id"] for card in found["indicators"]] == ["ecology.forest_cover"]
    assert found["indicators"][0]["state"] == "no_data"


def test_a_confirmed_value_and_an_issued_target_decide(run):
    words = ("--year", "2025", "--document", "省函〔2026〕1号", "--date", "2026-02-01")
    issued = run("target", "issue", "air.pm25_mean", "--value", "35", *words)
    assert (issued.exit_code, "35" in issued.stdout) == (0, True), issued.output
    confirmed = run("confirm", "air.pm25_mean", "--value", "33.1", *words)
    assert "指标现状（2025 年 33.1）：已达成" in confirmed.stdout, confirmed.output
    card = json.loads(run("evaluate", "--indicator", "air.pm25_mean", "--json").stdout)["indicators"][0]
    assert (card["state"], card["shown_kind"], card["gap"]["value"]) == ("met", "confirmed", -1.9)
    earlier = run("evaluate", "--as-of", "2026-01-31", "--indicator", "air.pm25_mean", "--json")
    assert json.loads(earlier.stdout)["indicators"][0]["state"] == "no_data"


def test_a_wrong_entry_is_taken_back(run):
    words = ("--document", "省函〔2026〕1号", "--date", "2026-02-01")
    run("target", "issue", "air.pm25_mean", "--year", "2025", "--value", "35", *words)
    run("confirm", "air.pm25_mean", "--year", "2025", "--value", "331", *words)
    taken = run("confirm", "air.pm25_mean", "--year", "2025", "--withdraw", "--note", "小数点错位")
    assert taken.exit_code == 0, taken.output
    assert "已撤回" in taken.stdout
    assert "指标现状（规划期内无数据）：无数据" in taken.stdout
    run("confirm", "air.pm25_mean", "--year", "2024", "--value", "33.1", *words)
    target = run("target", "withdraw", "air.pm25_mean", "--year", "2025", "--note", "文件作废")
    assert "指标现状（2024 年 33.1）：待省下达" in target.stdout, target.output


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("confirm", "air.pm25_mean", "--year", "2025", "--withdraw"), "note"),
        (("confirm", "air.pm25_mean", "--year", "2025", "--withdraw", "--note", "错"), "year"),
        (("confirm", "air.pm25_mean", "--year", "2025", "--withdraw", "--note", "错", "--value", "3"), "withdraw"),
        (("confirm", "air.pm25_mean", "--year", "2025"), "value"),
        (("target", "withdraw", "air.pm25_mean", "--year", "2025", "--note", "错"), "year"),
    ],
)
def test_what_cannot_be_taken_back_is_refused(run, words, field):
    refused = run(*words)
    assert isinstance(refused.exception, InputError)
    assert refused.exception.field == field


def test_a_pace_names_its_source(run):
    words = ("--document", "省函", "--date", "2024-02-01")
    run("confirm", "ecology.forest_cover", "--year", "2023", "--value", "36.5", *words)
    assert "直线推算" in run("evaluate", "--as-of", "2024-06-30", "--indicator", "ecology.forest_cover").stdout


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("城市细颗粒物（PM2.5）年平均浓度（微克/立方米）", ["城市细颗粒物（PM2.5）年", "平均浓度（微克/立方米）"]),
        ("城市环境空气细颗粒物年平均（PM2.5）", ["城市环境空气细颗粒物年平", "均（PM2.5）"]),
        ("好（%）", ["好（%）"]),
    ],
)
def test_words_and_numbers_of_a_title_stay_whole(title, lines):
    assert folded(title, 24) == lines
    assert "".join(folded(title, 3)) == title


def test_lineage_says_why_there_is_no_number(run):
    found = run("evaluate", "--as-of", "2022-06-30", "--lineage", "air.good_day_ratio")
    assert found.exit_code == 0, found.output
    assert "air.good_day_ratio" in found.stdout
    assert "没有有效的小时数据" in found.stdout


@pytest.mark.parametrize(
    "words",
    [
        ("evaluate", "--indicator", "air.nothing"),
        ("evaluate", "--lineage", "air.nothing"),
        ("confirm", "air.pm25_mean", "--year", "2030", "--value", "1", "--document", "函", "--date", "2026-02-01"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run, words):
    refused = run(*words)
    assert isinstance(refused.exception, InputError)
    assert refused.exception.exit_code == 2
