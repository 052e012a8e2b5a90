"""A small demo city made once, the real `qinglan up` on it, and Chromium."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from playwright.sync_api import Browser, expect, sync_playwright

from qinglan.app import Application
from qinglan.cli.demo_city import figures_of, noises_of, waters_of
from qinglan.gateways.simulator.air import AirSite
from qinglan.gateways.simulator.demo import SEED, SOURCE, demo_batches
from qinglan.gateways.simulator.waters import sampled_waters
from qinglan.indicators.evaluate import evaluate
from qinglan.indicators.installation import sites_of, today
from qinglan.observations import maintenance
from stories.guarded import Guard, Visitor, Visits
from stories.running import Server

REPOSITORY = Path(__file__).resolve().parents[2]
PAGES = REPOSITORY / "src" / "qinglan" / "web" / "browser" / "index.html"
PICTURES = REPOSITORY / "test-results" / "stories"
ARGUMENTS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
PATIENCE_MS = 30_000
DESKTOP = {"width": 1366, "height": 768}


@pytest.fixture(scope="session")
def demo_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo city, evaluated: two years of its assessment stations' hours and of noise, six of water, all figures."""
    if not PAGES.is_file():
        pytest.skip("the browser application is not built (make run)")
    root = tmp_path_factory.getbasetemp()
    # Workers of one run share it: making it is the slow part.
    root = root.parent if "PYTEST_XDIST_WORKER" in os.environ else root
    home, ready = root / "demo-city", root / "demo-city.ready"
    with FileLock(root / "demo-city.lock"):
        if not ready.exists():
            _make(home)
            ready.touch()
    return home


def _make(home: Path) -> None:
    with Application.open(home) as application:
        stations = [
            AirSite(site.id)
            for site in sites_of(application)
            if site.medium == "air" and site.roles[0].role == "assessment"
        ]
        figures, noises = figures_of(application, 2020, 2025), noises_of(application)
        end = date(2026, 1, 1)
        for batch in demo_batches(stations, figures, noises=noises, start=date(2024, 1, 1), end=end):
            application.lake.submit(batch.frame, source=SOURCE)
        # The network of river sections changed after 2020.
        waters = sampled_waters(waters_of(application), date(2020, 1, 1), end, SEED)
        application.lake.submit(waters, source=SOURCE)
        maintenance.compact(application.lake)
        evaluate(application, today())


@pytest.fixture(scope="module")
def server(demo_home: Path) -> Iterator[Server]:
    """The server that the stories share."""
    started = Server.start(demo_home)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium with a new, empty profile; its event loop must not outlive the stories."""
    program = shutil.which("chromium")
    if program is None:
        pytest.skip("there is no Chromium here (apt-get install chromium)")
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=list(ARGUMENTS))
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser, server: Server) -> Iterator[Visits]:
    """Open readers of the server; the test fails if any page asked another host or reported an error."""
    guards: list[Guard] = []
    contexts = []

    def opened(*, origin: str = server.origin, **options: Any) -> Visitor:
        context = chromium.new_context(**{"viewport": DESKTOP, "locale": "zh-CN", **options})
        context.set_default_timeout(PATIENCE_MS)
        guard = Guard(origin)
        guard.watch(context)
        contexts.append(context)
        guards.append(guard)
        return Visitor(context.new_page(), guard, origin)

    yield opened
    for context in contexts:
        context.close()
    assert [wrong for guard in guards for wrong in guard.wrongs()] == []


@pytest.fixture(scope="session")
def pictures() -> Path:
    """Where screenshots are kept for people to look at."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    return PICTURES
