"""`qinglan demo`: a city with six years of simulated measurements, evaluated, and its pages served.

A start goes through the same steps as real data: batches through the lake's journal, compaction, evaluation. What is
finished is noted in the home folder, so an interrupted start goes on where it was and a second one only serves.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from qinglan.cli.application import errors, output
from qinglan.core.errors import InputError

if TYPE_CHECKING:
    from qinglan.app import Application
    from qinglan.base.settings import Settings

DEFAULT_HOME: Final = Path("~/.qinglan-demo")
_NOTE: Final = "demo.json"
# Of the city's pollution, what a station of each role has.
_LOADS: Final = {"assessment": 1.0, "county": 0.86, "reference": 0.72}

Shown = Callable[[int, int], None]


def add(root: typer.Typer) -> None:
    """Add the command."""
    root.command(name="demo", help="演示城市：六年模拟数据，建好即可浏览。 A demo city with simulated data.")(demo)


def demo(
    home: Annotated[
        Path | None,
        typer.Option("--home", envvar="QINGLAN_HOME", help="演示目录（默认 ~/.qinglan-demo）。 The demo's folder."),
    ] = None,
    port: Annotated[
        int | None, typer.Option("--port", min=0, max=65535, help="端口（默认 8212；0 为任选）。 The port; 0: any.")
    ] = None,
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="建好后启动页面。 Serve the pages when ready.")
    ] = True,
    fresh: Annotated[bool, typer.Option("--fresh", help="删去旧的演示数据重来。 Begin anew.")] = False,
) -> None:
    """Make the demo city where it is not there yet, and serve it."""
    from qinglan.app import Application
    from qinglan.base.settings import Settings

    settings = Settings.load(home or DEFAULT_HOME)
    listener = None
    if serve:
        # A port that is taken is known before the work, not after it.
        from qinglan.cli.serve import listen

        listener = listen(settings.host, settings.port if port is None else port)
    if fresh:
        _remove(settings)
    with Application.open(settings) as application:
        make(application)
        if listener is not None:
            from qinglan.cli.serve import serve as serve_pages
            from qinglan.web.application import create_application

            with listener:
                serve_pages(create_application(application), listener, log_level=logging.WARNING)


def make(application: Application) -> None:
    """Bring the home folder to a complete demo city, from wherever an earlier start left it.

    Raises
    ------
    InputError
        If the home folder holds data that no demo made.
    """
    note = _Note(application.settings.home / _NOTE)
    if not note.exists and application.lake.revision > 0:
        raise InputError(
            f"{application.settings.home} 中已有数据，演示的模拟数据不会混入其中：请用 --home 另选一个目录。",
            f"{application.settings.home} holds data already and simulated data is never mixed in: choose another "
            "folder with --home.",
            field="home",
        )
    if note.done("evaluated"):
        return
    note.set(batches=note.number("batches"))
    output.print("正在建立演示城市，数据全部为模拟。 Making the demo city; all of its data is simulated.")
    with _bars() as bar:
        if not note.done("taken"):
            _fill(application, note, bar("模拟数据入库"))
            note.set(taken=True)
        if not note.done("compacted"):
            from qinglan.observations import maintenance

            maintenance.compact(application.lake, progress=bar("整理"))
            note.set(compacted=True)
        _evaluate(application, bar("评价"))
        note.set(evaluated=True)


def _fill(application: Application, note: _Note, shown: Shown) -> None:
    from qinglan.cli.demo_city import figures_of, noises_of, waters_of
    from qinglan.gateways.simulator import demo as simulated
    from qinglan.gateways.simulator.air import AirSite
    from qinglan.indicators.installation import sites_of

    start, end = simulated.START, simulated.END
    stations = [
        AirSite(site.id, _LOADS.get(site.roles[0].role, 1.0)) for site in sites_of(application) if site.medium == "air"
    ]
    figures = figures_of(application, start.year, end.year - 1)
    taken = note.number("batches")
    batches = simulated.demo_batches(
        stations,
        figures,
        waters=waters_of(application),
        noises=noises_of(application),
        start=start,
        end=end,
        rows=simulated.ROWS,
    )
    for batch in batches:
        # A batch that was taken just before a crash is offered again; the lake knows its rows as repeated.
        if batch.number >= taken:
            application.lake.submit(batch.frame, source=simulated.SOURCE)
            note.set(batches=batch.number + 1)
        shown(batch.number + 1, batch.count)


def _evaluate(application: Application, shown: Shown) -> None:
    from qinglan.indicators.evaluate import evaluate
    from qinglan.indicators.installation import today

    evaluate(application, today(), progress=lambda done, total, _zh, _en: shown(done, total))


def _remove(settings: Settings) -> None:
    if not settings.home.exists():
        return
    if not (settings.home / _NOTE).is_file() and any(settings.home.iterdir()):
        raise InputError(
            f"{settings.home} 不是演示目录，--fresh 不会删除它：请用 --home 指明演示目录。",
            f"{settings.home} is no demo folder, so --fresh does not delete it: name the demo's with --home.",
            field="home",
        )
    # The note goes last: a removal that is interrupted can be begun again.
    for path in settings.home.iterdir():
        if path.name != _NOTE:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    (settings.home / _NOTE).unlink(missing_ok=True)


class _Note:
    """How far a demo has come, in a small file of its home folder."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: dict[str, int | bool] = {}
        if path.is_file():
            self._known = json.loads(path.read_text("utf-8"))

    @property
    def exists(self) -> bool:
        return self._path.is_file()

    def done(self, step: str) -> bool:
        return bool(self._known.get(step))

    def number(self, name: str) -> int:
        return int(self._known.get(name, 0))

    def set(self, **known: int | bool) -> None:
        self._known |= known
        half = self._path.with_suffix(".part")
        with half.open("w", encoding="utf-8") as stream:
            json.dump(self._known, stream)
            stream.flush()
            os.fsync(stream.fileno())
        half.replace(self._path)


@contextmanager
def _bars() -> Iterator[Callable[[str], Shown]]:
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=errors) as progress:

        def bar(title: str) -> Shown:
            task = progress.add_task(title, total=None)
            return lambda done, total: progress.update(task, completed=done, total=total)

        yield bar
