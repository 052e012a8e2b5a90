"""`qinglan jobs` shows and cancels jobs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.cli import jobs as command
from qinglan.core.errors import InputError
from qinglan.jobs import JobContext, Worker, enqueue


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


def run(home: Path, *arguments: str) -> str:
    root = typer.Typer()
    command.add(root)
    result = CliRunner().invoke(root, ["jobs", *arguments, "--home", str(home)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


def handler(context: JobContext) -> None:
    context.log("第 3 行 [红]没有时间")
    raise InputError("第 3 行没有时间。", "Row 3 has no time.")


def test_jobs_are_listed_shown_and_cancelled(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    engine = open_base(Settings.load(home, {}))
    assert "没有作业" in run(home, "list")
    failed = enqueue(engine, "import", {"files": ["甲.csv"]}, title_zh="导入 [甲]", title_en="Import")
    Worker(engine, {"import": handler}).run_one()
    waiting = enqueue(engine, "evaluate", {}, title_zh="评估", title_en="Evaluation")

    listed = run(home, "list")
    for word in (failed[:8], waiting[:8], "导入 [甲]", "失败", "等待"):
        assert word in listed
    assert [job["id"] for job in json.loads(run(home, "list", "--json"))] == [waiting, failed]
    assert [job["id"] for job in json.loads(run(home, "list", "--json", "--kind", "import"))] == [failed]

    shown = run(home, "show", failed)
    for word in ("第 3 行 [红]没有时间", "第 3 行没有时间。", "第 1/3 次"):
        assert word in shown
    as_json = json.loads(run(home, "show", failed, "--json"))
    assert as_json["error"] == {"type": "InputError", "zh": "第 3 行没有时间。", "en": "Row 3 has no time."}
    assert as_json["log"][0]["text"] == "第 3 行 [红]没有时间"

    assert "已取消" in run(home, "cancel", waiting)
    assert json.loads(run(home, "show", waiting, "--json"))["state"] == "cancelled"


def test_an_unknown_job_is_refused(home: Path) -> None:
    open_base(Settings.load(home, {})).dispose()
    with pytest.raises(InputError, match="nowhere"):
        run(home, "show", "nowhere")


def test_at_eighty_columns_the_title_is_whole_and_the_short_id_is_taken(home: Path, monkeypatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    engine = open_base(Settings.load(home, {}))
    jobs_table = ["aaaaaaaa1", "aaaaaaaa2", "bbbbbbbb3"]
    for identifier in jobs_table:
        monkeypatch.setattr("qinglan.jobs.queue.new_id", lambda identifier=identifier: identifier)
        enqueue(engine, "evaluate", {}, title_zh="评价至 2025-12-31", title_en="Evaluation")
    listed = run(home, "list", "--limit", "1")
    assert "bbbbbbbb " in listed
    assert "评价至 2025-12-31" in listed
    assert "bbbbbbbb3" in run(home, "show", "bbbb")
    assert "aaaaaaaa1" in run(home, "list")
    with pytest.raises(InputError, match="aaaaaaaa2、aaaaaaaa1"):
        run(home, "cancel", "aaaaaaaa")
    with pytest.raises(InputError, match="没有编号为“c”"):
        run(home, "show", "c")
