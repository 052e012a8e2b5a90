"""The archive of `make bundle`: its installer's refusals, and an installation that has no network at all."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
INSTALLER = REPOSITORY / "tools" / "install" / "install.sh"
RUNNING = f"{sys.version_info.major}.{sys.version_info.minor}"

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="the archive is for Linux")


def run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run with nothing of this process's environment but the path to programs."""
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", **variables}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        timeout=1800,
    )


@pytest.fixture
def unpacked(tmp_path: Path) -> Path:
    """An archive's folder without wheels, which is as far as a refusal comes."""
    folder = tmp_path / "archive"
    folder.mkdir()
    shutil.copy(INSTALLER, folder / "install.sh")
    (folder / "PYTHON").write_text(f"{RUNNING}\n", "utf-8")
    return folder


def install(folder: Path, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return run(["sh", str(folder / "install.sh"), *arguments], folder, **{"PYTHON": sys.executable, **variables})


@linux_only
def test_the_installer_asks_for_a_folder(unpacked: Path):
    done = install(unpacked)
    assert done.returncode == 2
    assert "请写明安装目录" in done.stderr
    assert "Name the folder" in done.stderr


@linux_only
def test_another_python_is_refused_by_its_version(unpacked: Path):
    (unpacked / "PYTHON").write_text("3.99\n", "utf-8")
    done = install(unpacked, str(unpacked / "target"))
    assert done.returncode == 2
    assert "需要 Python 3.99" in done.stderr
    assert not (unpacked / "target").exists()


@linux_only
def test_a_python_without_venv_is_refused(unpacked: Path):
    fake = unpacked / "python-without-venv"
    fake.write_text(f'#!/bin/sh\ncase "$2" in *ensurepip*) exit 1 ;; esac\nexec {sys.executable} "$@"\n', "utf-8")
    fake.chmod(0o755)
    done = install(unpacked, str(unpacked / "target"), PYTHON=str(fake))
    assert done.returncode == 2
    assert "python3-venv" in done.stderr


@linux_only
def test_a_folder_with_other_things_is_left_alone(unpacked: Path):
    target = unpacked / "target"
    target.mkdir()
    (target / "letter.txt").write_text("mine", "utf-8")
    done = install(unpacked, str(target))
    assert done.returncode == 2
    assert [path.name for path in target.iterdir()] == ["letter.txt"]


def without_network() -> list[str]:
    """The words that run a command in a network namespace of its own, which has no route."""
    for words in (["unshare", "--net"], ["unshare", "--map-root-user", "--net"]):
        if shutil.which(words[0]) and not subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
            return words
    pytest.skip("no network namespace can be made here (unshare --net)")


@linux_only
@pytest.mark.soak
@pytest.mark.skipif(os.environ.get("QINGLAN_SOAK") != "1", reason="a soak: `make soak` runs it")
def test_installed_without_a_network_the_demo_city_stands(tmp_path: Path):
    archives = sorted(
        (REPOSITORY / "dist").glob("qinglan-*-linux-x86_64.tar.gz"), key=lambda path: path.stat().st_mtime
    )
    assert archives, "run `make bundle` first"
    alone = without_network()
    routes = run([*alone, "cat", "/proc/net/route"], tmp_path)
    assert len(routes.stdout.splitlines()) <= 1

    with tarfile.open(archives[-1]) as packed:
        packed.extractall(tmp_path, filter="data")
    (folder,) = tmp_path.glob("qinglan-*")
    listed = re.findall(
        r"^\| (\S+) \| (\S+) \| (.+?) \| Python \|$", (folder / "THIRD-PARTY.md").read_text("utf-8"), re.M
    )
    assert len(listed) >= 30
    assert [name for name, version, _ in listed if not any((folder / "licences" / f"{name}-{version}").iterdir())] == []

    target = tmp_path / "installed"
    installed = run([*alone, str(folder / "install.sh"), str(target)], tmp_path)
    assert installed.returncode == 0, installed.stdout + installed.stderr

    qinglan, home = str(target / "bin" / "qinglan"), str(tmp_path / "home")
    demo = run([*alone, qinglan, "demo", "--no-serve", "--home", home], tmp_path)
    assert demo.returncode == 0, demo.stdout + demo.stderr
    shown = run([*alone, qinglan, "evaluate", "--as-of", "2025-12-31", "--json", "--home", home], tmp_path)
    assert shown.returncode == 0, shown.stderr
    board = json.loads(shown.stdout)
    assert len(board["indicators"]) == 18
    assert {card["row"] for card in board["indicators"]} == set(range(1, 16))
    assert board["simulated"] is True
    assert [card["id"] for card in board["indicators"] if card["latest"] is None] == []
    page = next(target.glob("lib/python*/site-packages/qinglan/web/browser/index.html"))
    assert '<div id="app"' in page.read_text("utf-8")
