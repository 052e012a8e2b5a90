"""`qinglan import`: measurements from files into the lake."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from qinglan.cli.application import AsJson, Home, errors, output

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from qinglan.base.settings import Settings

_COLUMNS = {
    "read": "读取 read",
    "added": "新增 added",
    "repeated": "重复 repeated",
    "revised": "修订 revised",
    "rejected": "拒收 rejected",
    "empty": "空 empty",
}


def add(root: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="从文件导入监测数据。 Import measurements from files.", no_args_is_help=True)
    group.command(name="air", help="导入空气质量数据。 Import air quality data.")(air)
    root.add_typer(group, name="import")


def air(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="CSV、CSV.gz、Excel 或 Parquet 文件。 The files.")
    ],
    *,
    mapping: Annotated[Path | None, typer.Option("--map", help="映射文件（YAML）。 The mapping.")] = None,
    basis: Annotated[
        Literal["realtime", "audited", "assessed", "estimate"] | None,
        typer.Option("--basis", help="口径：实时、审核、考核、自测（默认 realtime）。 The basis."),
    ] = None,
    source: Annotated[
        str | None, typer.Option("--source", help="数据来源（默认 file；国家站点宽表为 cnemc）。 Who says so.")
    ] = None,
    layout: Annotated[
        Literal["auto", "tidy", "national-feed"], typer.Option("--layout", help="版式。 The layout.")
    ] = "auto",
    stamp: Annotated[
        Literal["start", "end"] | None,
        typer.Option("--stamp", help="小时的时间是开始还是结束。 Start or end of the hour."),
    ] = None,
    grain: Annotated[
        Literal["realtime", "minute", "hour", "day", "month", "quarter", "year", "sample"] | None,
        typer.Option("--grain", help="时段（默认由时间的写法判断）。 The grain."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Import FILES; rows that cannot be read go to a reject file, and the others are imported."""
    from qinglan.base.database import open_base
    from qinglan.base.settings import Settings
    from qinglan.gateways.files.mapping import load_mapping
    from qinglan.gateways.files.records import ImportOptions, start_import

    if mapping is not None:
        # Refused here under the name that the user knows.
        load_mapping(mapping)
    settings = Settings.load(home)
    engine = open_base(settings)
    options = ImportOptions(
        basis=basis,
        source=source,
        layout=layout,
        stamp=stamp,
        grain=grain,
        mapping=None if mapping is None else mapping.read_text("utf-8"),
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
