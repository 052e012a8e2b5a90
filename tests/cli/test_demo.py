"""`qinglan demo`: complete after an interruption, quick the second time, never mixed with other data."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import typer
from typer.testing import CliRunner

from qinglan.app import Application
from qinglan.base.settings import Settings
from qinglan.cli import demo
from qinglan.cli.demo_city import figures_of, noises_of, waters_of
from qinglan.core.errors import InputError
from qinglan.gateways.simulator import demo as simulated
from qinglan.indicators.declare import Indicator
from qinglan.indicators.installation import sites_of
from qinglan.observations.lake import Lake

KEY = ["site", "factor", "grain", "time", "basis"]


@pytest.fixture(autouse=True)
def evaluations(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """One month instead of six years, and the homes that were evaluated instead of the (slow) evaluation."""
    found: list[Path] = []
    monkeypatch.setattr(simulated, "START", date(2024, 12, 1))
    monkeypatch.setattr(simulated, "END", date(2025, 1, 1))
    monkeypatch.setattr(simulated, "ROWS", 6_000)
    monkeypatch.setattr(demo, "_evaluate", lambda application, _: found.append(application.settings.home))
    return found


def opened(home: Path) -> Application:
    return Application.open(Settings.load(home, environment={}))


@pytest.fixture(scope="module")
def runner() -> CliRunner:
    return CliRunner()


def run(runner: CliRunner, *arguments: str) -> int:
    root = typer.Typer()
    root.callback()(lambda: None)
    demo.add(root)
    result = runner.invoke(root, ["demo", *arguments], catch_exceptions=True)
    if isinstance(result.exception, InputError):
        raise result.exception
    return result.exit_code


def history_rows(home: Path) -> int:
    """Rows of all revisions: a batch that was taken twice, or a correction that was lost, would show."""
    with opened(home) as application:
        version = application.lake.history.open()
        assert version is not None
        return int(version.files()["rows"].sum())


def rows(lake: Lake) -> pl.DataFrame:
    return lake.scan().collect().sort(KEY)


def test_every_reported_indicator_has_a_course_and_every_course_an_indicator(tmp_path: Path):
    with opened(tmp_path) as application:
        reported = {
            indicator.series for indicator in application.declarations.of(Indicator).values() if not indicator.computed
        }
        figures = figures_of(application, 2020, 2025)
    assert {figure.factor for figure in figures} == reported
    # 18 indicators; air has three and water three that are computed, the sea has one.
    assert len(reported) == 11
    forest = sorted((figure.first, figure.last) for figure in figures if "forest_cover" in figure.factor)
    assert forest == [(2020, 2020), (2021, 2025)]


def test_every_site_of_the_pack_but_those_of_the_air_is_simulated_by_its_own_profile(tmp_path: Path):
    with opened(tmp_path) as application:
        sites = {site.id: site for site in sites_of(application) if site.medium != "air"}
        waters, noises = waters_of(application), noises_of(application)
    assert {site.id for site in waters} | {site.id for site in noises} == set(sites)
    assert {sites[site.id].water_body for site in waters if site.grain == "month"} == {"river"}
    assert len(noises) == 10


def test_a_start_that_broke_off_is_finished_by_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: CliRunner
):
    assert run(runner, "--home", str(tmp_path / "whole"), "--no-serve") == 0
    submit, count = Lake.submit, iter(range(100))

    def dies_after_the_third(self: Lake, frame: pl.DataFrame, *, source: str):
        receipt = submit(self, frame, source=source)
        if next(count) == 2:
            raise KeyboardInterrupt
        return receipt

    with monkeypatch.context() as broken:
        broken.setattr(Lake, "submit", dies_after_the_third)
        assert run(runner, "--home", str(tmp_path / "broken"), "--no-serve") != 0
    with opened(tmp_path / "broken") as application:
        assert 0 < application.lake.scan().select(pl.len()).collect().item() <= 12_000
    assert run(runner, "--home", str(tmp_path / "broken"), "--no-serve") == 0
    with opened(tmp_path / "whole") as whole, opened(tmp_path / "broken") as broken_off:
        expected, found = rows(whole.lake), rows(broken_off.lake)
    assert found.drop("revision").equals(expected.drop("revision"))
    assert history_rows(tmp_path / "broken") == history_rows(tmp_path / "whole") > expected.height
    assert expected.height > 25_000
    assert expected["source"].unique().to_list() == ["simulated"]


def test_a_second_start_takes_nothing_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runner: CliRunner, evaluations: list[Path]
):
    assert run(runner, "--home", str(tmp_path), "--no-serve") == 0
    with opened(tmp_path) as application:
        revision = application.lake.revision

    def never(*_: object, **__: object) -> None:
        raise AssertionError("the lake was written again")

    monkeypatch.setattr(Lake, "submit", never)
    assert run(runner, "--home", str(tmp_path), "--no-serve") == 0
    with opened(tmp_path) as application:
        assert application.lake.revision == revision
    assert evaluations == [tmp_path]


def test_a_home_with_other_data_is_refused_and_left_as_it_was(tmp_path: Path, runner: CliRunner):
    row = {"site": "x", "factor": "a34004", "grain": "hour", "basis": "realtime", "value": 1.0}
    with opened(tmp_path) as application:
        application.lake.submit(pl.DataFrame([row | {"time": datetime(2024, 1, 1, tzinfo=UTC)}]), source="file")
    with pytest.raises(InputError, match="--home"):
        run(runner, "--home", str(tmp_path), "--no-serve")
    with pytest.raises(InputError, match="--fresh"):
        run(runner, "--home", str(tmp_path), "--no-serve", "--fresh")
    with opened(tmp_path) as application:
        assert application.lake.scan().collect()["source"].to_list() == ["file"]


def test_fresh_begins_anew(tmp_path: Path, runner: CliRunner):
    assert run(runner, "--home", str(tmp_path), "--no-serve") == 0
    stray = tmp_path / "files" / "old.txt"
    stray.write_text("old", "utf-8")
    assert run(runner, "--home", str(tmp_path), "--no-serve", "--fresh") == 0
    assert not stray.exists()
    with opened(tmp_path) as application:
        assert application.lake.scan().select(pl.len()).collect().item() > 25_000


def test_lines_of_requests_do_not_bury_the_address_of_the_demo(tmp_path, monkeypatch):
    levels: list[int] = []
    monkeypatch.setattr(demo, "make", lambda _: None)
    monkeypatch.setattr("qinglan.web.observed.configure_logs", lambda **said: levels.append(said["level"]))
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: None)
    with pytest.raises(typer.Exit):
        demo.demo(tmp_path / "home", port=0)
    assert levels == [logging.WARNING]


def test_make_run_takes_a_port():
    lines = (Path(__file__).parents[2] / "Makefile").read_text("utf-8").splitlines()
    assert "\t$(BIN)/qinglan demo --home .qinglan/demo $(if $(PORT),--port $(PORT))" in lines
