"""`qinglan hj212 simulate` as a person types it."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from hj212_platform import Platform
from typer.testing import CliRunner, Result

from qinglan.cli import hj212
from qinglan.core.errors import InputError


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("COLUMNS", "200")
    root = typer.Typer()
    hj212.add(root)
    return lambda *words: CliRunner().invoke(root, ["hj212", "simulate", *words])


def test_the_summary_in_words_and_as_json(run, tmp_path: Path):
    record = tmp_path / "sent.jsonl"
    with Platform() as platform:
        to = ("--to", f"127.0.0.1:{platform.port}", "--devices", "2", "--rate", "20", "--duration", "0.5")
        as_json: Result = run(*to, "--json", "--record", str(record))
        in_words: Result = run(*to, "--faults", "resends", "--share", "0.5")
    found = json.loads(as_json.stdout)
    assert found["acknowledged"] == found["packets"] == len(record.read_text("utf-8").splitlines()) > 5
    assert found["p99"] >= found["p50"] > 0
    assert as_json.exit_code == in_words.exit_code == 0
    for words in ("已应答", "acknowledged", "ms", "fault resends"):
        assert words in in_words.stdout


def test_a_packet_without_an_answer_is_exit_code_1(run):
    with Platform(lambda link, packet: None) as platform:
        done = run("--to", f"127.0.0.1:{platform.port}", "--burst", "1", "--timeout", "0.1", "--grace", "0.3", "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["unacknowledged"] == 1


def test_numbers_of_devices_for_registering_them(run):
    done = run("--devices", "2", "--first", "5", "--list-devices")
    assert done.stdout.split() == ["5A0000000000000000000005", "5A0000000000000000000006"]


@pytest.mark.parametrize(
    "words",
    [
        ["--to", "9212"],
        ["--to", "192.0.2.9:9212"],
        ["--faults", "rain"],
        ["--duration", "901"],
        ["--record", "/no/such/folder/file"],
    ],
)
def test_refusals(run, words: list[str]):
    done = run(*words)
    assert isinstance(done.exception, InputError)
    assert done.exception.zh
    assert done.exception.en


def test_more_devices_than_the_system_allows_are_refused_in_words(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "qinglan", "hj212", "simulate", "--devices", "5000", "--duration", "1"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"QINGLAN_LANGUAGE": "en"},
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512)),
    )
    assert done.returncode == 2
    assert "ulimit -n" in done.stderr
