"""`qinglan import air`: what it prints, and with which code it ends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from qinglan.base.settings import Settings
from qinglan.cli import main
from qinglan.observations.lake import open_lake

TABLE = "站点,时间,PM2.5,CO\nA,2023-01-20 08:00,12,0.7\nA,2023-01-20 09:00,x,\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """Run the real command line in this process; return its exit code, output and error output."""
    monkeypatch.setenv("COLUMNS", "160")

    def do(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["qinglan", "import", "air", *arguments, "--home", str(tmp_path / "home")])
        with pytest.raises(SystemExit) as ended:
            main()
        printed = capsys.readouterr()
        return int(ended.value.code or 0), printed.out, printed.err

    return do


def test_some_rejects_are_said_and_the_rest_is_read(run, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLE, "utf-8")
    code, out, err = run(str(path), "--stamp", "start", "--basis", "audited", "--source", "总站")
    assert code == 0
    (line,) = [line for line in out.splitlines() if line.strip().startswith("t.csv ")]
    assert line.split() == ["t.csv", "4", "2", "0", "0", "1", "1"]
    assert "列“站点”当作点位" in out
    assert "1 个值被拒收" in err
    (rejects,) = (tmp_path / "home" / "files").glob("*/rejects.csv")
    assert str(rejects) in err
    rows = open_lake(Settings.load(tmp_path / "home")).scan().collect()
    assert set(rows.select("basis", "source").unique().rows()) == {("audited", "总站")}


def test_json_gives_the_counts(run, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text(TABLE, "utf-8")
    (tmp_path / "map.yaml").write_text("stamp: start\nunits: {CO: mg/m3}\n", "utf-8")
    code, out, _ = run(str(path), "--map", str(tmp_path / "map.yaml"), "--json")
    found = json.loads(out)
    assert code == 0
    assert found["counts"] == {
        "read": 4,
        "added": 2,
        "repeated": 0,
        "revised": 0,
        "rejected": 1,
        "empty": 1,
        "sentinels": 0,
    }
    _, out, _ = run(str(path), "--map", str(tmp_path / "map.yaml"), "--json")
    assert (json.loads(out)["counts"]["added"], json.loads(out)["counts"]["repeated"]) == (0, 2)


@pytest.mark.parametrize(
    ("language", "sentence"), [("zh", "photo.csv 是图片（PNG）"), ("en", "photo.csv is a picture (PNG)")]
)
def test_a_refusal_is_one_sentence_and_code_two(run, tmp_path, monkeypatch, language, sentence):
    monkeypatch.setenv("QINGLAN_LANGUAGE", language)
    good, photo = tmp_path / "good.csv", tmp_path / "photo.csv"
    good.write_text(TABLE, "utf-8")
    photo.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(64))
    code, out, err = run(str(good), str(photo), "--stamp", "start")
    assert code == 2
    assert sentence in err
    assert "Traceback" not in out + err
    assert open_lake(Settings.load(tmp_path / "home")).scan().collect().is_empty()


def test_a_mapping_is_refused_under_its_own_name(run, tmp_path):
    (tmp_path / "mine.yaml").write_text("stamps: start\n", "utf-8")
    (tmp_path / "t.csv").write_text(TABLE, "utf-8")
    code, _, err = run(str(tmp_path / "t.csv"), "--map", str(tmp_path / "mine.yaml"))
    assert code == 2
    assert "mine.yaml" in err
    assert "stamps" in err


def test_a_home_that_cannot_be_written_is_refused(run, tmp_path):
    (tmp_path / "home").write_text("a file where the folder should be", "utf-8")
    (tmp_path / "t.csv").write_text(TABLE, "utf-8")
    code, _, err = run(str(tmp_path / "t.csv"), "--stamp", "start")
    assert code == 2
    assert "不是目录" in err
    assert "Traceback" not in err


def test_sites_that_no_city_pack_knows_are_said(run, tmp_path):
    (tmp_path / "t.csv").write_text(TABLE, "utf-8")
    code, _, err = run(str(tmp_path / "t.csv"), "--stamp", "start")
    assert code == 0
    assert "1 个点位未在城市包登记，不计入城市值：A；" in err


def test_sites_of_the_city_pack_are_not_warned_about(run, tmp_path):
    declared = Path(__file__).parents[2] / "cities" / "huludao" / "sites.yaml"
    known = yaml.safe_load(declared.read_text("utf-8"))["entries"][0]["id"]
    (tmp_path / "t.csv").write_text(f"点位,时间,PM2.5\n{known},2023-01-20 08:00,12\n", "utf-8")
    assert "未在城市包登记" not in run(str(tmp_path / "t.csv"), "--stamp", "start")[2]


def test_values_that_cannot_be_are_counted_and_stay(run, tmp_path):
    rows = ["A,2023-01-20 08:00,5000,200,3000", "A,2023-01-20 09:00,5001,201,12", "A,2023-01-20 10:00,9998,1,12"]
    (tmp_path / "t.csv").write_text("\n".join(["站点,时间,PM2.5,CO,SO2", *rows, ""]), "utf-8")
    code, _, err = run(str(tmp_path / "t.csv"), "--stamp", "start")
    assert code == 0
    assert "PM2.5 有 2 个值超出可能的范围 0–5000" in err
    assert "最大的为 9998" in err
    assert "CO 有 1 个值超出可能的范围 0–200 mg/m3" in err
    assert "SO2 有" not in err
    kept = open_lake(Settings.load(tmp_path / "home")).scan().collect()
    assert sorted(kept.filter(factor="a34004")["value"]) == [5000, 5001, 9998]
    assert kept["flag"].null_count() == 9
