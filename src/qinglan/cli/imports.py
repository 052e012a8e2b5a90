"""`qinglan import`: measurements from files into the lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from qinglan.cli.application import AsJson, Home, errors, output

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from qinglan.base.settings import Settings
    from qinglan.core.interval import Basis, Grain, Stamp
    from qinglan.gateways.files.mapping import LayoutName, Medium

_COLUMNS = {
    "read": "读取 read",
    "added": "新增 added",
    "repeated": "重复 repeated",
    "revised": "修订 revised",
    "rejected": "拒收 rejected",
    "empty": "空 empty",
}


Files = Annotated[list[Path], typer.Argument(metavar="FILE…", help="CSV、CSV.gz、Excel 或 Parquet 文件。 The files.")]
WaterFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE…", help="CSV、CSV.gz、Excel、Parquet，或国家地表水发布数据（JSON、JSON.gz）。 The files."
    ),
]
Map = Annotated[Path | None, typer.Option("--map", help="映射文件（YAML）。 The mapping.")]
BasisName = Annotated[
    Literal["realtime", "audited", "assessed", "estimate"] | None,
    typer.Option("--basis", help="口径：实时、审核、考核、自测（默认 realtime）。 The basis."),
]
Source = Annotated[
    str | None, typer.Option("--source", help="数据来源（默认 file；国家发布数据为 cnemc）。 Who says so.")
]
StampName = Annotated[
    Literal["start", "end"] | None,
    typer.Option("--stamp", help="小时的时间是开始还是结束。 Start or end of the hour."),
]
GrainName = Annotated[
    Literal["realtime", "minute", "hour", "day", "month", "quarter", "year", "sample"] | None,
    typer.Option("--grain", help="时段（默认由时间的写法判断）。 The grain."),
]


def add(root: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="从文件导入监测数据。 Import measurements from files.", no_args_is_help=True)
    group.command(name="air", help="导入空气质量数据。 Import air quality data.")(air)
    group.command(name="water", help="导入水质数据。 Import water quality data.")(water)
    root.add_typer(group, name="import")


def air(
    files: Files,
    *,
    mapping: Map = None,
    basis: BasisName = None,
    source: Source = None,
    layout: Annotated[
        Literal["auto", "tidy", "national-feed"], typer.Option("--layout", help="版式。 The layout.")
    ] = "auto",
    stamp: StampName = None,
    grain: GrainName = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Import FILES; rows that cannot be read go to a reject file, and the others are imported."""
    said = _Said(mapping, basis, source, layout, stamp, grain, "air")
    _import(files, said, home, as_json)


def water(
    files: WaterFiles,
    *,
    mapping: Map = None,
    basis: BasisName = None,
    source: Source = None,
    layout: Annotated[
        Literal["auto", "tidy", "water-feed"], typer.Option("--layout", help="版式。 The layout.")
    ] = "auto",
    stamp: StampName = None,
    grain: Annotated[
        Literal["realtime", "minute", "hour", "day", "month", "quarter", "year", "sample"] | None,
        typer.Option("--grain", help="时段（默认：写到日或小时的为 sample，写到月的为 month）。 The grain."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Import FILES: 4-hourly and laboratory values are samples, times of months are months."""
    said = _Said(mapping, basis, source, layout, stamp, grain, "water")
    _import(files, said, home, as_json)


class _Said(NamedTuple):
    """What the command line says about the files."""

    mapping: Path | None
    basis: Basis | None
    source: str | None
    layout: LayoutName
    stamp: Stamp | None
    grain: Grain | None
    medium: Medium


def _import(files: list[Path], said: _Said, home: Path | None, as_json: bool) -> None:
    from qinglan.base.database import open_base
    from qinglan.base.settings import Settings
    from qinglan.gateways.files.mapping import load_mapping
    from qinglan.gateways.files.records import ImportOptions, start_import

    if said.mapping is not None:
        # Refused here under the name that the user knows.
        load_mapping(said.mapping)
    settings = Settings.load(home)
    engine = open_base(settings)
    options = ImportOptions(
        basis=said.basis,
        source=said.source,
        layout=said.layout,
        stamp=said.stamp,
        grain=said.grain,
        mapping=None if said.mapping is None else said.mapping.read_text("utf-8"),
        medium=said.medium,
    )
    identifier = start_import(engine, settings, files, options, copy=False)
    result = _run(engine, settings, identifier, quiet=as_json)
    if as_json:
        output.print_json(data={"id": identifier, **result})
    else:
        _show(result)


def _run(engine: Engine, settings: Settings, identifier: str, *, quiet: bool) -> dict[str, Any]:
    from qinglan.gateways.files.importing import KIND, handler
    from qinglan.jobs import run_now
    from qinglan.observations import maintenance
    from qinglan.observations.lake import open_lake

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TimeElapsedColumn(),
    )
    lake = open_lake(settings, engine)
    handlers = {KIND: handler(settings, lake, _registered(settings))}
    with Progress(*columns, console=errors, transient=True, disable=quiet) as bar:
        task = bar.add_task("导入", total=None)

        def shown(done: int, total: int | None, zh: str, _en: str) -> None:
            bar.update(task, completed=done, total=total, description=escape(zh) or "导入")

        job = run_now(engine, handlers, identifier, on_progress=shown)
        if maintenance.is_due(lake):
            bar.update(task, completed=None, total=None, description="整理观测库")
            maintenance.compact(lake)
    return dict(job.result or {})


def _registered(settings: Settings) -> set[str] | None:
    """Return the sites of the city pack, or None where it cannot be read: data is taken in all the same."""
    from qinglan.app import load_declarations
    from qinglan.core.errors import QinglanError
    from qinglan.indicators.city import Sites

    try:
        declarations = load_declarations(settings.city)
    except QinglanError as refusal:
        errors.print(f"[yellow]![/] {escape(refusal.zh)}")
        return None
    return {site.id for sites in declarations.of(Sites).values() for site in sites.entries}


def _show(result: dict[str, Any]) -> None:
    table = Table("文件 file", *_COLUMNS.values(), box=None, header_style="bold")
    for column in table.columns[1:]:
        column.justify = "right"
    for file in result["files"]:
        table.add_row(escape(file["name"]), *(f"{file[name]:,}" for name in _COLUMNS))
    if len(result["files"]) > 1:
        table.add_row("合计 total", *(f"{result['counts'][name]:,}" for name in _COLUMNS), style="bold")
    output.print(table)
    for file in result["files"]:
        for guess in file["guesses"]:
            output.print(f"[dim]{escape(file['name'])}：{escape(guess['zh'])}[/]")
        for warning in file["warnings"]:
            errors.print(f"[yellow]![/] {escape(file['name'])}：{escape(warning['zh'])}")
    if result["counts"]["rejected"]:
        errors.print(
            f"[yellow]![/] 有 {result['counts']['rejected']:,} 个值被拒收（其余已导入），行号与原因见 "
            f"{escape(str(result['rejects_file']))}"
        )
