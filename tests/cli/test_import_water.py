"""`qinglan import water`: the feed and a laboratory's table from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from qinglan.cli import main

FEED = {
    "thead": ["省份", "流域", "断面名称", "监测时间", "水质类别", "氨氮<br/>(mg/L)", "站点情况"],
    "tbody": [["丙省", "丁流域", "一号桥", "01-02 08:00", "Ⅱ", "<span title='原始值：0.0149'>0.015</span>", "正常"]],
}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the real command line in this process; return its exit code, output and error output."""
    monkeypatch.setenv("COLUMNS", "600")

    def do(*arguments: str) -> tuple[int, str, str]:
        # The table of a narrow terminal folds the file's name.
        monkeypatch.setattr("qinglan.cli.application.output._width", 160)
        monkeypatch.setattr("sys.argv", ["qinglan", "import", "water", *arguments, "--home", str(tmp_path / "home")])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return do


def test_the_feed_is_taken_in_and_says_where_the_rest_went_and_what_nobody_knows(run, tmp_path):
    path = tmp_path / "feed_2021-01-02.json"
    path.write_text(json.dumps(FEED, ensure_ascii=False), "utf-8")
    code, out, err = run(str(path))
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.strip().startswith("feed_2021-01-02.json ")]
    assert line.split()[-6:] == ["2", "2", "0", "0", "0", "0"]
    (sections,) = (tmp_path / "home" / "files").glob("*/sections-*.csv")
    assert str(sections) in out
    assert "1 个点位未在城市包登记" in err
    assert "丙省/一号桥" in err


def test_json_counts_the_same_file_twice(run, tmp_path):
    path = tmp_path / "lab.csv"
    path.write_text("断面,采样日期,氨氮(mg/L)\n甲,2024-05-06,0.31\n甲,2024-05-07,未检出\n", "utf-8")
    code, out, _ = run(str(path), "--basis", "audited", "--json")
    assert (code, json.loads(out)["counts"]["added"]) == (0, 2)
    _, out, _ = run(str(path), "--basis", "audited", "--json")
    assert (json.loads(out)["counts"]["added"], json.loads(out)["counts"]["repeated"]) == (0, 2)


def test_what_cannot_be_read_is_refused_with_one_sentence(run, tmp_path):
    path = tmp_path / "feed.json"
    path.write_text(json.dumps(FEED, ensure_ascii=False), "utf-8")
    code, _, err = run(str(path))
    assert code == 2
    assert "没有年份" in err
    path.write_text("{", "utf-8")
    code, _, err = run(str(path))
    assert code == 2
    assert "feed.json" in err
