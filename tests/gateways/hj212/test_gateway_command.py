"""`qinglan gateway`: a gateway that is served, its devices declared and adopted, its packets found."""

from __future__ import annotations

import json
import re
import signal
import socket
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer
from gateway_fleet import Served, free_port
from gateway_parts import MN, upload
from typer.testing import CliRunner

from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.cli import gateway as command
from qinglan.core.errors import BusyError, InputError, StorageError
from qinglan.gateways.hj212.codec import StreamDecoder
from qinglan.gateways.hj212.counting import Counts
from qinglan.gateways.hj212.metrics import exposition
from qinglan.observations.lake import open_lake


def run(home: Path, *arguments: str) -> str:
    root = typer.Typer()
    command.add(root)
    result = CliRunner().invoke(root, ["gateway", *arguments, "--home", str(home)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


class Server:
    def __init__(self, home: Path) -> None:
        home.mkdir()
        self.home, self.port = home, free_port()
        self.served = Served(home, self.port, "--metrics-port", "0", processes=2)
        self.served.wait_ready()

    def exchange(self, *raws: bytes, wait: float = 5.0) -> int:
        """Send packets on a connection of their own; return how many were answered."""
        decoder, count = StreamDecoder(), 0
        with socket.create_connection(("127.0.0.1", self.port)) as link:
            link.sendall(b"".join(raws))
            until = time.monotonic() + wait
            while count < len(raws) and time.monotonic() < until:
                link.settimeout(max(until - time.monotonic(), 0.01))
                try:
                    count += len(decoder.feed(link.recv(65536)))
                except TimeoutError:
                    break
        return count


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    found = Server(tmp_path / "home")
    yield found
    found.served.clear()


def eventually(condition, wait: float = 20.0) -> None:
    until = time.monotonic() + wait
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.2)


def test_a_served_gateway_from_the_first_packet_to_the_lake(server: Server, tmp_path: Path) -> None:
    home = server.home
    # Two connections may reach two processes; the same packet is stored for the lake once.
    assert server.exchange(upload(1), upload(2)) == 2
    assert server.exchange(upload(2), upload(3, checksum="1234"), wait=1) == 1
    eventually(lambda: [one["mn"] for one in json.loads(run(home, "devices", "--json"))] == [MN])
    assert json.loads(run(home, "devices", "--json", "--state", "quarantined"))[0]["site"] is None
    adopted = json.loads(run(home, "adopt", MN, "--site", "OUTLET-1", "--json"))
    assert (adopted["added"], adopted["revised"]) == (2, 0)

    assert server.exchange(upload(4)) == 1
    settings = Settings(home=home)
    lake = open_lake(settings, open_base(settings))
    eventually(lambda: lake.scan().collect()["value"].sort().to_list() == [1.5, 2.5, 4.5])
    assert lake.scan().collect()["site"].unique().to_list() == ["OUTLET-1"]
    assert lake.latest()["value"].to_list() == [4.5]

    eventually(lambda: json.loads(run(home, "status", "--json"))["counts"]["acknowledged"] == 4)
    status = json.loads(run(home, "status", "--json"))
    assert (status["running"], status["acknowledging"], status["processes"]) == (True, True, 2)
    assert status["refused"] == {"checksum": 1}
    assert status["devices"] == {"adopted": 1}
    assert "接收进程 2 个" in run(home, "status")

    where = re.search(r"http://127.0.0.1:\d+/metrics", server.served.said)
    assert where is not None
    with urllib.request.urlopen(where[0]) as answer:
        said = answer.read().decode()
    assert sum(map(float, re.findall(r"qinglan_gateway_acknowledged_total\{.*\} (\S+)", said))) == 4
    assert re.search(r'qinglan_gateway_refused_total\{process="\d",reason="checksum"\} 1.0', said)

    kept = json.loads(run(home, "packets", MN, "--json"))
    assert {one["raw"] for one in kept} >= {upload(at).decode().strip() for at in (1, 2, 4)}
    assert [one["reason"] for one in json.loads(run(home, "packets", "--verdict", "refused", "--json"))] == ["checksum"]
    assert upload(4).decode().strip() in run(home, "packets", MN)

    with pytest.raises(BusyError, match="already"):
        run(home, "serve", "--port", "0")
    run(home, "block", MN)
    eventually(lambda: server.exchange(upload(5), wait=0.5) == 0)

    server.served.process.send_signal(signal.SIGTERM)
    assert server.served.process.wait(60) == 0
    assert json.loads(run(home, "status", "--json"))["running"] is False
    assert list((home / "journals" / "gateway").iterdir()) == []


def test_devices_are_declared_from_a_file(tmp_path: Path) -> None:
    home, file = tmp_path / "home", tmp_path / "devices.csv"
    file.write_bytes("mn,title,site\nA1,东门排口,P1\nB2,,\n".encode("gb18030"))
    assert "登记或更改 2 台" in run(home, "devices", str(file))
    assert json.loads(run(home, "devices", str(file), "--json")) == {"read": 2, "changed": 0}
    listed = json.loads(run(home, "devices", "--json"))
    assert [(one["mn"], one["title"], one["heard"]) for one in listed] == [("A1", "东门排口", None), ("B2", "", None)]
    assert "password" not in listed[0]
    assert "东门排口" in run(home, "devices")
    assert json.loads(run(home, "maintain", "--json")) == {"days": 0, "archived": 0, "events_deleted": 0}
    assert json.loads(run(home, "events", "A1", "--json")) == []
    assert json.loads(run(home, "replay", "A1", "--json"))["packets"] == 0


def test_wrong_input_is_refused_in_a_sentence(tmp_path: Path) -> None:
    home = tmp_path / "home"
    Settings(home=home).prepare()
    for arguments, word in (
        (["devices", str(tmp_path / "absent.csv")], "absent.csv"),
        (["adopt", "NOBODY"], "NOBODY"),
        (["block", "NOBODY"], "NOBODY"),
        (["replay", "NOBODY"], "NOBODY"),
        (["set-aside", "0-1-2"], "0-1-2"),
        (["serve", "--port", "0", "--allow", "10.0.0.300"], "10.0.0.300"),
        (["serve", "--port", "0", "--host", "203.0.113.7"], "203.0.113.7"),
    ):
        with pytest.raises(InputError, match=re.escape(word)) as refusal:
            run(home, *arguments)
        assert refusal.value.exit_code == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BusyError, match="--port"):
            run(home, "serve", "--host", "127.0.0.1", "--port", str(taken.getsockname()[1]))


def test_status_without_a_gateway_says_so(tmp_path: Path) -> None:
    Settings(home=tmp_path).prepare()
    assert "没有运行" in run(tmp_path, "status")
    found = json.loads(run(tmp_path, "status", "--json"))
    assert (found["running"], found["acknowledging"], found["connections"]) == (False, False, 0)


def test_looking_needs_no_room_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    open_base(Settings(home=tmp_path)).dispose()

    def full(_: Settings) -> None:
        raise StorageError("磁盘空间不足。", "No space is left.")

    monkeypatch.setattr(Settings, "prepare", full)
    assert json.loads(run(tmp_path, "status", "--json"))["running"] is False
    assert json.loads(run(tmp_path, "devices", "--json")) == []
    assert json.loads(run(tmp_path, "packets", "--json")) == []
    with pytest.raises(StorageError):
        run(tmp_path, "maintain")


def test_metrics_say_why_nothing_is_acknowledged() -> None:
    counts = Counts()
    counts.received = 7
    counts.answer_seconds.add(0.02, 3)
    counts.answer_seconds.add(99.0)
    status = {
        "process": 0, "connections": 3, "devices": 2, "acknowledging": False,
        "ailments": {"space": {"zh": "", "en": "", "since": 0}}, "counts": counts.plain(),
    }  # fmt: skip
    taker = {"process": "taker", "waiting": 12, "counts": {"accepted": 5}, "ailments": {}}
    lines = exposition(lambda: [status, taker, {**status, "process": 1, "stale": True}]).decode().splitlines()
    for line in (
        'qinglan_gateway_received_total{process="0"} 7.0',
        'qinglan_gateway_acknowledging{process="0"} 0.0',
        'qinglan_gateway_failing{cause="space",process="0"} 1.0',
        'qinglan_gateway_failing{cause="lake",process="0"} 0.0',
        'qinglan_gateway_answer_seconds_bucket{le="0.01",process="0"} 0.0',
        'qinglan_gateway_answer_seconds_bucket{le="0.025",process="0"} 3.0',
        'qinglan_gateway_answer_seconds_count{process="0"} 4.0',
        "qinglan_gateway_waiting 12.0",
        'qinglan_gateway_taken_total{verdict="accepted"} 5.0',
    ):
        assert line in lines
    assert not any('process="1"' in line for line in lines)
