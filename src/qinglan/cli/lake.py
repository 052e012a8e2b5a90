"""`qinglan lake …`: look after the measured data."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from qinglan.cli.application import AsJson, Home, errors, existing, output

if TYPE_CHECKING:
    from pathlib import Path

    from qinglan.observations.lake import Lake

KeptHours = Annotated[
    int,
    typer.Option("--keep-hours", min=0, help="保留多少小时内被替换的文件，须长于最长的读取。 Keep replaced files."),
]


def add(root: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="观测库：状态、整理、重建、核对。 The lake of measured data.", no_args_is_help=True)
    group.command(name="status", help="行数、文件、版次与积压。 Rows, files, revision, backlog.")(status)
    group.command(name="compact", help="整理文件并更新现行表。 Compact files and refresh the current table.")(compact)
    group.command(name="rebuild", help="由历史重建现行表与最新值。 Make current and latest anew.")(rebuild)
    group.command(name="verify", help="核对现行表、最新值与历史。 Compare current and latest with history.")(verify)
    group.command(name="vacuum", help="删除不再需要的文件。 Delete files no longer needed.")(vacuum)
    root.add_typer(group, name="lake")


def status(home: Home = None, as_json: AsJson = False) -> None:
    """Show what the lake holds."""
    from qinglan.core.interval import to_beijing
    from qinglan.observations import maintenance
    from qinglan.observations.lake import open_lake

    found = maintenance.status(open_lake(existing(home)))
    if as_json:
        output.print_json(data=found, default=str)
        return
    waiting = found["history"]["rows"] > 0 and found["current"]["rows"] == 0
    for name, title in (("history", "历史"), ("current", "现行")):
        if name == "current" and waiting:
            output.print("现行表尚未整理（不影响读取；可运行 qinglan lake compact）")
            continue
        sizes = found[name]
        output.print(
            f"{title}：{sizes['rows']:,} 行，{sizes['files']} 个文件，{sizes['partitions']} 个分区，"
            f"{sizes['bytes'] / 1e6:.1f} MB"
        )
    through = "" if waiting else f"现行表至 {found['watermark']}，"
    output.print(
        f"版次 {found['revision']}，{through}未整理 {found['tail']['rows']:,} 行"
        f"（{found['tail']['files']} 个文件），待入库 {found['backlog']['rows']:,} 行"
    )
    if found["first"] is not None:
        first, last = to_beijing(found["first"]), to_beijing(found["last"])
        output.print(f"时间 {first:%Y-%m-%d %H:%M} 至 {last:%Y-%m-%d %H:%M}（北京时间，时段开始）")


def compact(home: Home = None, keep_hours: KeptHours = 24, as_json: AsJson = False) -> None:
    """Compact files, refresh current, delete what no read can need."""
    from qinglan.observations import maintenance

    with _progress("整理") as shown:
        done = maintenance.compact(_open(home), kept_hours=keep_hours, progress=shown)
    _say(done, f"整理 {done['partitions']} 个分区，删除 {done['deleted']} 个文件。", as_json)


def rebuild(home: Home = None, as_json: AsJson = False) -> None:
    """Make current and latest anew from history."""
    from qinglan.observations import maintenance

    with _progress("重建") as shown:
        done = maintenance.rebuild(_open(home), progress=shown)
    _say(done, f"重建 {done['partitions']} 个分区。", as_json)


def verify(home: Home = None, as_json: AsJson = False) -> None:
    """Compare current and latest with history; exit 2 when something is wrong."""
    from qinglan.observations import maintenance

    with _progress("核对") as shown:
        findings = maintenance.verify(_open(home), progress=shown)
    if as_json:
        output.print_json(
            data=[{"what": found.what, "where": found.where, "zh": found.zh, "en": found.en} for found in findings]
        )
    else:
        for found in findings:
            errors.print(f"[red]✗[/] {found.zh}")
        output.print("观测库无误。" if not findings else f"问题 {len(findings)} 处。")
    if findings:
        raise typer.Exit(2)


def vacuum(home: Home = None, keep_hours: KeptHours = 24, as_json: AsJson = False) -> None:
    """Delete files that no read can need."""
    from qinglan.observations import maintenance

    deleted = maintenance.vacuum(_open(home), kept_hours=keep_hours)
    _say({"deleted": deleted}, f"删除 {deleted} 个文件。", as_json)


def _open(home: Path | None) -> Lake:
    from qinglan.base.database import open_base
    from qinglan.observations.lake import open_lake

    settings = existing(home)
    return open_lake(settings, open_base(settings))


def _say(found: dict[str, Any], sentence: str, as_json: bool) -> None:
    if as_json:
        output.print_json(data=found)
    else:
        output.print(sentence)


@contextmanager
def _progress(title: str) -> Iterator[Callable[[int, int], None]]:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=errors, transient=True) as shown:
        task = shown.add_task(title, total=None)
        yield lambda done, total: shown.update(task, completed=done, total=total)
