"""The commands as a person types them, on a home folder of their own."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from qinglan.cli import commands
from qinglan.cli.application import root
from qinglan.core.errors import InputError

commands.add_all(root)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "160")

    def typed(*words):
        return CliRunner().invoke(root, [*words, "--home", str(tmp_path)])

    return typed


def test_the_board_as_text_and_as_json(run):
    text = run("evaluate", "--as-of", "2026-03-01")
    assert text.exit_code == 0, text.output
    assert "待省下达 14" in text.stdout
    assert "57.14" in text.stdout
    found = json.loads(run("evaluate", "--as-of", "2026-03-01", "--indicator", "ecology.forest_cover", "--json").stdout)
    assert [card["id"] for card in found["indicators"]] == ["ecology.forest_cover"]
    assert found["indicators"][0]["state"] == "no_data"


def test_a_confirmed_value_and_an_issued_target_decide(run):
    words = ("--year", "2025", "--document", "省函〔2026〕1号", "--date", "2026-02-01")
    issued = run("target", "issue", "air.pm25_mean", "--value", "35", *words)
    assert (issued.exit_code, "35" in issued.stdout) == (0, True), issued.output
    confirmed = run("confirm", "air.pm25_mean", "--value", "33.1", *words)
    assert "已达成" in confirmed.stdout, confirmed.output
    card = json.loads(run("evaluate", "--indicator", "air.pm25_mean", "--json").stdout)["indicators"][0]
    assert (card["state"], card["shown_kind"], card["gap"]["value"]) == ("met", "confirmed", -1.9)
    earlier = run("evaluate", "--as-of", "2026-01-31", "--indicator", "air.pm25_mean", "--json")
    assert json.loads(earlier.stdout)["indicators"][0]["state"] == "awaiting_province"


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
