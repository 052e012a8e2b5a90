"""The protocol's words, and `qinglan hj212 decode` as a person types it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import typer
from hj212_samples import FIELD_TIME, INTERVAL, framed, segment
from typer.testing import CliRunner, Result

from qinglan.cli import hj212
from qinglan.core.errors import InputError
from qinglan.gateways.hj212.codec import REASONS, decode
from qinglan.gateways.hj212.codec.naming import command, explain, word

HOUR = framed(segment("DataTime=20160801080000;w01018-Avg=40.1,w01018-Flag=D;SB1-RS=1", command="2061"))


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    root = typer.Typer()
    hj212.add(root)

    def typed(*words: str, stdin: bytes | None = None) -> Result:
        return CliRunner().invoke(root, ["hj212", "decode", *words], input=stdin)

    return typed


def test_each_field_in_both_languages():
    header, items = explain(decode(HOUR))
    assert {line.name: line.meaning and line.meaning.en for line in header} == {
        "QN": "2016-08-01 08:58:57 Beijing time",
        "ST": "Water pollution source",
        "CN": "Hour data",
        "PW": None,
        "MN": None,
        "Flag": "version bits 1, answer wanted",
    }
    assert [(line.name, line.title and line.title.zh, line.meaning and line.meaning.zh) for line in items] == [
        ("DataTime", "数据时间", "2016-08-01 08:00:00（北京时间）"),
        ("w01018-Avg", "化学需氧量 平均值", None),
        ("w01018-Flag", "化学需氧量 数据标记", "仪器故障"),
        ("SB1-RS", "SB1 设施运行状态", "运行"),
    ]


def test_a_command_has_the_meaning_of_its_edition():
    assert command("1001", "2005") == word_of("设置超限报警时间")
    assert command("1001", "2025") == word_of("上传数采仪硬件标识")
    assert command("9014", "surface-water") == word_of("数据应答")
    assert command("7777", "2017") is None


def word_of(zh: str) -> object:
    from qinglan.gateways.hj212.codec.naming import _commands

    return next(title for known in _commands().values() for title in known.values() if title.zh == zh)


def test_every_return_code_has_words():
    assert word("QnRtn", "9").en == "wrong CRC"
    assert word("ExeRtn", "100").zh == "没有数据"
    assert word("QnRtn", "55") is None


def test_the_argument_as_text(run):
    done = run(INTERVAL.decode())
    assert done.exit_code == 0, done.output
    for words in ("有效 valid", "HJ 212-2017", "设置实时数据间隔", "Set the real-time interval", "RtdInterval", "30"):
        assert words in done.stdout


def test_json_has_every_field_and_observation(run):
    done = run(HOUR.decode(), "--json")
    (packet,) = json.loads(done.stdout)["packets"]
    assert (packet["valid"], packet["edition"], packet["reason"]) == (True, "2017", None)
    assert [one["name"] for one in packet["items"]] == ["DataTime", "w01018-Avg", "w01018-Flag", "SB1-RS"]
    (observation,) = packet["observations"]
    assert (observation["factor"], observation["value"], observation["flag"]) == ("w01018", 40.1, "D")
    assert observation["time"] == "2016-08-01T08:00:00+08:00"
    assert [one["name"] for one in packet["events"]] == ["SB1-RS"]


def test_a_file_of_several_packets_and_other_lines(run, tmp_path: Path):
    path = tmp_path / "log.txt"
    path.write_bytes(b"10:00 received\r\n" + INTERVAL + b"\r\n" + FIELD_TIME[:-4] + b"0000\r\n")
    done = run("--file", str(path), "--json")
    found = json.loads(done.stdout)
    assert done.exit_code == 1
    assert [one["valid"] for one in found["packets"]] == [True, False]
    assert found["packets"][1]["defects"] == [{"code": "checksum", **REASONS["checksum"].model_dump()}]
    assert found["skipped"] == 16


def test_hexadecimal_and_standard_input(run):
    assert "RtdInterval" in run("--hex", INTERVAL.hex(" ")).stdout
    assert "RtdInterval" in run("--hex", stdin=", ".join(f"0x{byte:02X}" for byte in INTERVAL).encode()).stdout
    assert "RtdInterval" in run(stdin=INTERVAL).stdout
    assert "RtdInterval" in run("-", stdin=INTERVAL).stdout


def test_what_is_not_valid_says_why(run):
    done = run(FIELD_TIME.decode()[:-4] + "0000")
    assert done.exit_code == 1
    assert REASONS["checksum"].zh in done.stdout
    assert REASONS["checksum"].en in done.stdout
    bare = run("QN=1;CN=2011;MN=7;CP=&&w01018-Rtd=[1]&&", "--json")
    assert json.loads(bare.stdout)["packets"][0]["reason"] == "no_head"


def test_the_dialect_of_a_device(run):
    raw = "##0097QN=20170516010101001;ST=22;CN=1000;PW=123456;MN=ABCDEFG1234567;Flag=3;CP=&&OverTime=5;ReCount=3&&2D61"
    assert "无效" in run(raw).stdout
    assert "可用" in run(raw, "--checksum", "modbus").stdout


@pytest.mark.parametrize(
    ("words", "stdin"),
    [(["--hex", "xyz"], None), (["--key", "00", "##"], None), (["-"], b" \r\n"), (["a", "--file", "b"], None)],
)
def test_refusals(run, words: list[str], stdin: bytes | None):
    done = run(*words, stdin=stdin)
    assert isinstance(done.exception, InputError)
    assert done.exception.zh
    assert done.exception.en


def test_a_file_that_is_not_there_is_refused(run, tmp_path: Path):
    done = run("--file", str(tmp_path / "absent"))
    assert isinstance(done.exception, InputError)
    assert done.exception.file == str(tmp_path / "absent")
