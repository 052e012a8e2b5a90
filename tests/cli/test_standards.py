"""`qinglan standards` as a user runs it."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from qinglan.cli import standards


@pytest.fixture
def root() -> typer.Typer:
    root = typer.Typer()
    standards.add(root)
    return root


def run(root: typer.Typer, *arguments: str) -> str:
    found = CliRunner().invoke(root, ["standards", *arguments])
    assert found.exit_code == 0, found.output
    return found.output


def test_each_day_has_its_editions(root: typer.Typer) -> None:
    def air_on(day: str) -> set[str]:
        listed = json.loads(run(root, "list", "--on", day, "--json"))
        return {one["id"] for one in listed if one["standard"] in ("GB 3095", "HJ 633", "HJ 663")}

    assert air_on("2026-02-28") == {"GB3095-2012", "HJ633-2012", "HJ663-2013"}
    assert air_on("2026-03-01") == {"GB3095-2026-transition", "HJ633-2026", "HJ663-2026"}
    assert air_on("2031-01-01") == {"GB3095-2026-final", "HJ633-2026", "HJ663-2026"}


def test_an_edition_is_shown_with_its_clauses_and_marks(root: typer.Typer) -> None:
    shown = run(root, "show", "HJ633-2026")
    assert "环境空气质量指数（AQI）技术规定" in shown
    assert "5.3.1" in shown
    found = json.loads(run(root, "show", "HJ663-2026", "--json"))
    assert found["state"] == "incomplete"
    assert "三年滑动平均公式" in found["lacking"]


def test_an_unknown_edition_is_refused(root: typer.Typer) -> None:
    found = CliRunner().invoke(root, ["standards", "show", "GB0"])
    assert "GB3095-2012" in str(found.exception)
