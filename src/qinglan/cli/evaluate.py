"""`qinglan evaluate`, `qinglan confirm`, `qinglan target issue`: how the plan stands, and what documents say."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.cells import cell_len
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from qinglan.cli.application import AsJson, Home, errors, existing, output
from qinglan.cli.usage import a_date
from qinglan.core.errors import InputError

if TYPE_CHECKING:
    from qinglan.app import Application

# A run of Latin letters, digits and marks, or one other sign; brackets and stops go with what they belong to.
_PIECES = re.compile(r"[（“(]*(?:[!-'*-~µ³²°⁴]+|[^（“(])[）”)、，。]*|[（“(]+")
_NAME_CELLS = 24
_KINDS = {"estimate": "自测", "reported": "上报", "confirmed": "认定"}
_SOURCES = {"province": "省定", "straight_line": "直线推算"}
_COLOURS = {"met": "green", "on_pace": "green", "behind": "yellow", "missed": "red"}

AsOf = Annotated[
    datetime | None, typer.Option("--as-of", parser=a_date, help="截至日期（默认今天）。 The day to stand on.")
]
Identifier = Annotated[str, typer.Argument(metavar="INDICATOR", help="指标编号，如 air.pm25_mean。 The indicator.")]
Year = Annotated[int, typer.Option("--year", min=1990, max=2100, help="年份。 The year.")]
Number = Annotated[
    float | None, typer.Option("--value", help="数值，用指标的单位。 The value in the indicator's unit.")
]
Document = Annotated[str | None, typer.Option("--document", help="文件名称或文号。 The document.")]
DocumentDate = Annotated[datetime | None, typer.Option("--date", parser=a_date, help="文件日期。 The document's date.")]
Note = Annotated[str | None, typer.Option("--note", help="备注。 A note.")]


def add(root: typer.Typer) -> None:
    """Add the commands."""
    root.command(name="evaluate", help="评价规划指标。 Evaluate the plan's indicators.")(evaluate)
    root.command(name="confirm", help="登记或撤回上级认定的数值。 Record or take back a confirmed value.")(confirm)
    group = typer.Typer(help="规划目标。 Targets of the plan.", no_args_is_help=True)
    group.command(name="issue", help="登记下达的目标值。 Record an issued target.")(issue)
    group.command(name="withdraw", help="撤回登记的目标值。 Take an issued target back.")(withdraw_target)
    root.add_typer(group, name="target")


def evaluate(
    as_of: AsOf = None,
    indicator: Annotated[
        list[str] | None, typer.Option("--indicator", help="只评价这一项（可重复）。 Only this one; may be repeated.")
    ] = None,
    lineage: Annotated[
        str | None,
        typer.Option("--lineage", metavar="INDICATOR", help="给出一项指标的来历。 Where a number comes from."),
    ] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Compute the indicators anew and show how the plan stands."""
    from qinglan import app
    from qinglan.indicators import board
    from qinglan.indicators.installation import today

    day = today() if as_of is None else as_of.date()
    wanted = [lineage] if lineage else indicator
    with app.Application.open(existing(home)) as application:
        _compute(application, day, wanted, quiet=as_json)
        if lineage:
            found = board.indicator(application, lineage, day)
            if as_json:
                output.print_json(data=found["lineage"])
            else:
                _show_lineage(found)
            return
        answer = board.board(application, day)
    if wanted is not None:
        answer["indicators"] = [card for card in answer["indicators"] if card["id"] in wanted]
        answer["summary"] = dict(Counter(card["state"] for card in answer["indicators"]))
    if as_json:
        output.print_json(data=answer)
    else:
        _show_board(answer)


def confirm(
    indicator: Identifier,
    *,
    year: Year,
    value: Number = None,
    document: Document = None,
    document_date: DocumentDate = None,
    note: Note = None,
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="撤回该年的认定值，--note 写明原因。 Take the year's value back.")
    ] = False,
    home: Home = None,
) -> None:
    """Record the value of a year that a document confirms, or take it back; the estimate stays beside it."""
    from qinglan import app
    from qinglan.indicators import record

    if withdraw:
        _only_reason(value, document, document_date)
        with app.Application.open(existing(home)) as application:
            card = record.withdraw(application, indicator, year, note=note or "")
        _show_withdrawn(card, year, "认定值", note or "")
        return
    number, paper, day = _whole(value, document, document_date)
    with app.Application.open(existing(home)) as application:
        card = record.confirm(application, indicator, year, number, document=paper, document_date=day, note=note)
    _show_recorded(card, year, number, paper, "认定值")


def issue(
    indicator: Identifier,
    *,
    year: Year,
    value: Number,
    document: Document,
    document_date: DocumentDate,
    note: Note = None,
    home: Home = None,
) -> None:
    """Record the target that a document issues for a year."""
    from qinglan import app
    from qinglan.indicators import record

    number, paper, day = _whole(value, document, document_date)
    with app.Application.open(existing(home)) as application:
        card = record.issue_target(application, indicator, year, number, document=paper, document_date=day, note=note)
    _show_recorded(card, year, number, paper, "目标值")


def withdraw_target(
    indicator: Identifier,
    *,
    year: Year,
    note: Annotated[str, typer.Option("--note", help="撤回的原因。 The reason.")],
    home: Home = None,
) -> None:
    """Take back the target that was recorded for a year; it stays on file with the reason."""
    from qinglan import app
    from qinglan.indicators import record

    with app.Application.open(existing(home)) as application:
        card = record.withdraw_target(application, indicator, year, note=note)
    _show_withdrawn(card, year, "目标值", note)


def _whole(value: float | None, document: str | None, document_date: datetime | None) -> tuple[float, str, date]:
    given = {"--value": value, "--document": document, "--date": document_date}
    missing = [name for name, found in given.items() if found is None]
    if value is None or document is None or document_date is None:
        raise InputError(
            f"还缺 {'、'.join(missing)}：登记须有数值、文件和文件日期；撤回用 --withdraw。",
            f"{', '.join(missing)} missing: an entry needs value, document and date; --withdraw takes one back.",
            field=missing[0].removeprefix("--"),
        )
    return value, document, document_date.date()


def _only_reason(value: float | None, document: str | None, document_date: datetime | None) -> None:
    if value is not None or document is not None or document_date is not None:
        raise InputError(
            "--withdraw 只需年份和 --note：先撤回，再另行登记正确的数值。",
            "--withdraw takes only the year and --note: withdraw first, then record the right value.",
            field="withdraw",
        )


def _show_recorded(card: dict[str, Any], year: int, value: float, document: str, what: str) -> None:
    output.print(f"已登记：{card['title']['zh']} {year} 年{what} {value:g}（{escape(document)}）。")
    for warning in card["warnings"]:
        output.print(f"[yellow]{warning['zh']}[/]")
    _show_standing(card)


def _show_withdrawn(card: dict[str, Any], year: int, what: str, note: str) -> None:
    output.print(
        f"已撤回：{card['title']['zh']} {year} 年{what}（{escape(note)}）。原登记仍留在记录中，请登记正确的数值。"
    )
    _show_standing(card)


def _show_standing(card: dict[str, Any]) -> None:
    latest = card["latest"]
    stands = "规划期内无数据" if latest is None else f"{latest['period']} 年 {latest['text']}"
    output.print(f"指标现状（{stands}）：{card['state_title']['zh']}")


def _compute(application: Application, day: date, wanted: list[str] | None, *, quiet: bool) -> None:
    from qinglan import app, jobs
    from qinglan.core.errors import JobError
    from qinglan.indicators.installation import target_of

    for identifier in wanted or []:
        target_of(application, identifier, day)
    job = jobs.enqueue(
        application.engine,
        app.EVALUATE,
        {"as_of": day.isoformat(), "indicators": wanted},
        title_zh=f"评价至 {day}",
        title_en=f"Evaluation up to {day}",
    )
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=errors, transient=True, disable=quiet) as bar:
        task = bar.add_task("评价", total=None)

        def shown(done: int, total: int | None, zh: str, _en: str) -> None:
            bar.update(task, completed=done, total=total, description=escape(zh) or "评价")

        finished = jobs.run_now(application.engine, application.handlers, job, on_progress=shown)
    if finished.state != "done":
        raise finished.error or JobError("评价没有完成。", "The evaluation did not finish.")


def _show_board(answer: dict[str, Any]) -> None:
    plan = answer["plan"]
    output.print(f"[bold]{plan['title']['zh']}[/]（{plan['status_title']['zh']}） 截至 {answer['as_of']}")
    table = Table(box=None, header_style="bold", padding=(0, 1, 0, 0))
    table.add_column("行", justify="right", no_wrap=True)
    table.add_column("指标", no_wrap=True)
    for title in ("基准", "最新", "目标", "差距", "年需"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("状态", no_wrap=True)
    table.add_column("版本", overflow="fold")
    for card in answer["indicators"]:
        table.add_row(*_cells(card))
    output.print(table)
    output.print("、".join(f"{title} {count}" for title, count in Counter(_states(answer)).items()))
    if answer["simulated"]:
        output.print("[yellow]含模拟数据。 Contains simulated data.[/]")


def _states(answer: dict[str, Any]) -> list[str]:
    return [card["state_title"]["zh"] for card in answer["indicators"]]


def _cells(card: dict[str, Any]) -> list[str]:
    latest, pace, baseline, gap = card["latest"], card["needed_pace"], card["baseline"], card["gap"]
    colour = _COLOURS.get(card["state"], "dim")
    return [
        str(card["row"]),
        "\n".join(folded(f"{card['title']['zh']}（{card['unit']['zh']}）", _NAME_CELLS)),
        f"{baseline['text']}\n[dim]{baseline['year']}[/]",
        "规划期内\n无数据"
        if latest is None
        else f"{latest['text']}\n[dim]{latest['period']} {_KINDS[latest['kind']]}[/]",
        f"{card['target']['text']}\n[dim]{card['target']['year']}[/]",
        "—" if gap is None else gap["text"],
        "—" if pace is None else f"{pace['text']}\n[dim]{_SOURCES[pace['source']]}[/]",
        f"[{colour}]{card['state_title']['zh']}[/]" + ("\n[dim]有断点[/]" if card["break"] else ""),
        "" if latest is None else f"[dim]{latest.get('edition', '')}[/]",
    ]


def folded(text: str, cells: int) -> list[str]:
    """Break a title into lines of at most `cells` cells; words and numbers in it stay whole, marks stay with them.

    Examples
    --------
    >>> folded("细颗粒物（PM2.5）年平均", 12)
    ['细颗粒物', '（PM2.5）年', '平均']
    """
    lines = [""]
    for piece in _PIECES.findall(text):
        if lines[-1] and cell_len(lines[-1] + piece) > cells:
            lines.append("")
        lines[-1] += piece
    return lines


def _show_lineage(found: dict[str, Any]) -> None:
    output.print(f"[bold]{found['title']['zh']}[/]（{found['unit']['zh']}）")
    for entry in found["lineage"]:
        output.print(
            f"\n[bold]{entry['period']}[/]  {entry['text'] or '—'}  {entry['title']['zh']}（{entry['function']}）"
        )
        clauses = (entry["edition"], entry["stage"], entry["clause"], entry["policy"] and entry["policy"]["zh"])
        if any(clauses):
            output.print("  依据：" + "；".join(text for text in clauses if text))
        output.print(
            f"  网络：{entry['network']['zh']}；方法：{entry['method']['zh']}；口径：{entry['basis'] or '—'}；"
            f"评价于 {entry['judged_on']}，输入版次 {entry['inputs_revision']}"
        )
        for step in entry["steps"]:
            output.print(f"  {step['title']['zh']}：{escape(step['text'])}")
        for note in entry["notes"]:
            output.print(f"  [dim]{escape(note['zh'])}[/]")
        for series in entry["series"]:
            output.print(
                f"  · {series['site_title']['zh']} {series['factor_title']['zh']}"
                f"（{series['grain']}，{series['basis']}）{series['rows']:,} 条"
            )
    for check in found["lineage"][0]["checks"] if found["lineage"] else []:
        output.print(f"\n  〔{check['mark']}〕{check['note']['zh']}")
