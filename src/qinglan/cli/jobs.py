"""`qinglan jobs`: what is waiting, running and done, and a worker of its own."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape
from rich.table import Table

from qinglan.cli.application import AsJson, Home, errors, existing, output

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from qinglan.jobs import Job

_STATES = {"waiting": "等待", "running": "执行中", "done": "完成", "failed": "失败", "cancelled": "已取消"}
_COLOURS = {"waiting": "dim", "running": "cyan", "done": "green", "failed": "red", "cancelled": "yellow"}
_SHORT = 8
JobId = Annotated[str, typer.Argument(metavar="ID", help="作业编号，或其开头几位。 The job's id, or its beginning.")]


def add(root: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(name="jobs", help="后台作业。 Background jobs.", no_args_is_help=True)
    group.command(name="list", help="列出作业。 List jobs.")(list_)
    group.command(name="show", help="查看一个作业及其日志。 Show a job and its log.")(show)
    group.command(name="cancel", help="取消作业。 Cancel a job.")(cancel)
    group.command(name="work", help="执行作业，直到中断。 Run jobs until interrupted.")(work)
    root.add_typer(group)


def list_(
    home: Home = None,
    kinds: Annotated[list[str] | None, typer.Option("--kind", help="只列这些种类。 Only these kinds.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="至多几个。 At most so many.")] = 20,
    before: Annotated[str | None, typer.Option("--before", help="只列比它更早的。 Only those older than it.")] = None,
    as_json: AsJson = False,
) -> None:
    """Show the newest jobs."""
    from qinglan import jobs
    from qinglan.base.database import open_base

    engine = open_base(existing(home))
    found = jobs.list_jobs(engine, kinds=kinds, limit=limit, before=before and _whole(engine, before))
    if as_json:
        output.print_json(data=[job.as_json() for job in found])
        return
    if not found:
        output.print("没有作业。 No jobs.")
        return
    table = Table(box=None, header_style="bold")
    # The start of an id is what the other commands ask for: it is never cut.
    letters = _telling([job.id for job in found])
    table.add_column("编号", min_width=letters, no_wrap=True)
    table.add_column("名称", min_width=20, overflow="fold")
    for heading in ("状态", "进度", "建立"):
        table.add_column(heading, no_wrap=True)
    for job in found:
        state = f"[{_COLOURS[job.state]}]{_STATES[job.state]}[/]"
        shown = job.as_json()
        table.add_row(
            job.id[:letters], escape(job.title["zh"]), state, _progress(job), shown["created"][:16].replace("T", " ")
        )
    output.print(table)


def show(identifier: JobId, home: Home = None, as_json: AsJson = False) -> None:
    """Show one job and its log."""
    from qinglan import jobs
    from qinglan.base.database import open_base
    from qinglan.core.interval import to_beijing

    engine = open_base(existing(home))
    identifier = _whole(engine, identifier)
    job = jobs.get(engine, identifier)
    log = [{"at": to_beijing(entry.at).isoformat(), "text": entry.text} for entry in jobs.log_of(engine, identifier)]
    if as_json:
        output.print_json(data=job.as_json() | {"log": log})
        return
    shown = job.as_json()
    output.print(f"[bold]{escape(job.title['zh'])}[/]  {job.kind}  {job.id}")
    output.print(f"状态：[{_COLOURS[job.state]}]{_STATES[job.state]}[/]（第 {job.attempts}/{job.max_attempts} 次）")
    if _progress(job):
        output.print(f"进度：{_progress(job)} {escape(job.message_zh)}")
    for name, key in (("建立", "created"), ("开始", "started"), ("结束", "finished")):
        if shown[key]:
            output.print(f"{name}：{shown[key][:19].replace('T', ' ')}")
    if job.result is not None:
        output.print("结果：")
        output.print_json(data=shown["result"])
    if job.error_zh:
        output.print(f"[red]✗[/] {escape(job.error_zh)}")
    for entry in log:
        output.print(f"[dim]{entry['at'][:19].replace('T', ' ')}[/] {escape(entry['text'])}")


def cancel(identifier: JobId, home: Home = None, as_json: AsJson = False) -> None:
    """Cancel one job."""
    from qinglan import jobs
    from qinglan.base.database import open_base

    engine = open_base(existing(home))
    job = jobs.cancel(engine, _whole(engine, identifier))
    if as_json:
        output.print_json(data=job.as_json())
    elif job.state == "cancelled":
        output.print(f"已取消：{escape(job.title['zh'])}")
    else:
        output.print(f"已请求取消，作业将在下一步停止：{escape(job.title['zh'])}")


def work(
    home: Home = None,
    once: Annotated[bool, typer.Option("--once", help="做完等待中的作业就退出。 Leave when none is waiting.")] = False,
) -> None:
    """Run the jobs of one home folder in this process."""
    from qinglan.app import Application
    from qinglan.base.settings import Settings
    from qinglan.jobs import Worker

    with Application.open(Settings.load(home)) as application:
        worker = Worker(application.engine, application.handlers)
        if once:
            while worker.run_one():
                pass
            return
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: worker.stop())
        errors.print("等待作业，Ctrl+C 停止。 Waiting for jobs; press Ctrl+C to stop.")
        worker.run()


def _telling(identifiers: list[str]) -> int:
    """Return how many letters tell the ids apart; ids of jobs put in at nearly the same moment begin alike."""
    longest = max(map(len, identifiers))
    return next(
        (
            letters
            for letters in range(_SHORT, longest)
            if len({identifier[:letters] for identifier in identifiers}) == len(identifiers)
        ),
        longest,
    )


def _whole(engine: Engine, beginning: str) -> str:
    """Return the id of the only job that begins so; what begins no job is left for the query to refuse.

    Raises
    ------
    InputError
        If several jobs begin so.
    """
    from qinglan import jobs
    from qinglan.core.errors import InputError

    # Ids are of hexadecimal digits, so "g" stands just after every id with this beginning.
    alike = [job.id for job in jobs.list_jobs(engine, limit=5, before=f"{beginning}g") if job.id.startswith(beginning)]
    if len(alike) > 1:
        raise InputError(
            f"以“{beginning}”开头的作业不止一个：{'、'.join(alike)}；请多写几位。",
            f'Several jobs begin with "{beginning}": {", ".join(alike)}; write more of the id.',
            field="id",
        )
    return alike[0] if alike else beginning


def _progress(job: Job) -> str:
    if job.total:
        return f"{job.done:,}/{job.total:,}"
    return f"{job.done:,}" if job.done else ""
