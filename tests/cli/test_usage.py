"""A command written wrongly is answered in one sentence; a mistyped home folder is never made."""

from __future__ import annotations

from pathlib import Path

import pytest

from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.cli import main
from qinglan.cli.usage import a_date


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the real command line in this process; return its exit code, output and error output."""

    def do(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["qinglan", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return do


@pytest.mark.parametrize(
    ("written", "zh"),
    [
        ("import air x --basis foo", "--basis 的值“foo”不可用，应为 realtime、audited、assessed、estimate 之一。"),
        ("import air x --stmp end", "没有选项 --stmp，是否指 --stamp"),
        ("import air", "缺少 FILE…。"),
        ("imprt", "没有命令“imprt”，可用的有：account、"),
        ("up --port 70000", "--port 的值“70000”不可用，应为整数（0–65535）。"),
        ("up --port x", "--port 的值“x”不可用，应为整数（0–65535）。"),
        ("jobs list --limit", "选项 --limit 后面缺少值"),
        ("lake status extra", "多余的参数：extra；"),
        ("evaluate --as-of x", "--as-of 的值“x”不可用，应为日期，如 2024-03-01。"),
    ],
)
def test_a_wrong_command_line_is_answered_in_one_chinese_sentence(run, monkeypatch, written, zh):
    monkeypatch.delenv("QINGLAN_LANGUAGE", raising=False)
    code, out, err = run(*written.split())
    assert (code, out) == (2, "")
    assert zh in err
    assert "--help" in err
    assert len(err.strip().splitlines()) == 1


def test_in_english_when_asked_for(run, monkeypatch):
    monkeypatch.setenv("QINGLAN_LANGUAGE", "en")
    code, _, err = run("up", "--port", "70000")
    assert code == 2
    assert 'The value "70000" of --port should be a whole number from 0 to 65535. See' in err


@pytest.mark.parametrize("text", ["2024-03-01", "2024-3-1", "2024/3/1", "20240301", "2024年3月1日"])
def test_days_as_people_write_them(text):
    assert a_date(text).date().isoformat() == "2024-03-01"


@pytest.mark.parametrize("text", ["2024-3/1", "2024301", "2024-02-30", "03-01", "2024-03-01 08:00"])
def test_what_is_no_day_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        a_date(text)


@pytest.mark.parametrize(
    "written",
    [
        *(f"lake {command}" for command in ("status", "compact", "rebuild", "verify", "vacuum")),
        *(f"jobs {command}" for command in ("list", "show 1", "cancel 1")),
        "evaluate",
        "confirm air.pm25_mean --year 2024 --value 33.5 --document 文号 --date 2025/2/10",
        "target issue air.pm25_mean --year 2025 --value 35 --document 文号 --date 20240301",
    ],
)
@pytest.mark.parametrize("there", [False, True])
def test_a_folder_that_is_no_home_is_refused_and_left_as_it_is(run, tmp_path, written, there):
    home = tmp_path / "typo"
    if there:
        home.mkdir()
    code, _, err = run(*written.split(), "--home", str(home))
    assert code == 2
    assert str(home) in err
    assert "请检查 --home，或先用 qinglan import / up 建立" in err
    assert home.exists() == there
    assert not there or not list(home.iterdir())


def test_a_home_is_one_by_its_settings_or_by_its_folders(tmp_path: Path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "qinglan.toml").write_text("port = 9000\n", "utf-8")
    assert Settings.existing(tmp_path / "new", {}).port == 9000
    open_base(Settings.load(tmp_path / "old", {})).dispose()
    assert Settings.existing(tmp_path / "old", {}).home == tmp_path / "old"


def test_the_state_of_a_lake_not_yet_compacted_is_said_in_beijing_time(run, tmp_path):
    table, home = tmp_path / "t.csv", str(tmp_path / "home")
    table.write_text("点位名称,监测时间,PM2.5\nA,2023-01-20 00:00,12\n", "utf-8")
    assert run("import", "air", str(table), "--stamp", "start", "--home", home)[0] == 0
    code, out, _ = run("lake", "status", "--home", home)
    assert code == 0
    assert "历史：1 行" in out
    assert "现行表尚未整理（不影响读取；可运行 qinglan lake compact）" in out
    assert "时间 2023-01-20 00:00 至 2023-01-20 00:00（北京时间" in out
    assert run("lake", "compact", "--home", home)[0] == 0
    assert "现行：1 行" in run("lake", "status", "--home", home)[1]
