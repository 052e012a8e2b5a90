"""`qinglan standards`: which editions are on file, and what one of them says."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from qinglan.cli.application import AsJson, output
from qinglan.cli.usage import a_date
from qinglan.core.interval import BEIJING

if TYPE_CHECKING:
    from qinglan.standards.edition import Edition

standards = typer.Typer(help="标准的版本与条款。 Editions of standards.", no_args_is_help=True)

On = Annotated[
    datetime | None,
    typer.Option("--on", parser=a_date, metavar="DATE", help="只列这一天现行的。 Only those in force on a day."),
]


def add(root: typer.Typer) -> None:
    """Add the commands."""
    root.add_typer(standards, name="standards")


@standards.command("list", help="列出收录的标准版本。 List the editions on file.")
def list_editions(on: On = None, as_json: AsJson = False) -> None:
    """List the editions on file."""
    day = None if on is None else on.date()
    found = [edition for edition in _editions() if day is None or edition.covers(day)]
    if as_json:
        output.print_json(data=[_short(edition) for edition in found])
        return
    table = Table("编号 id", "标准 standard", "名称 title", "施行 in force", "状态 state", box=None, pad_edge=False)
    for edition in found:
        name = edition.name if edition.stage is None else f"{edition.name} ({edition.stage})"
        table.add_row(edition.id, name, edition.title.zh, _dates(edition), _state(edition))
    output.print(table)
    if not found:
        output.print(f"{day} 没有收录现行的标准。 No edition on file is in force on {day}.")


@standards.command("show", help="显示一个版本的条款与核对标记。 Show one edition.")
def show_edition(
    identifier: Annotated[str, typer.Argument(metavar="ID", help="版本编号，见 list。 The edition's id.")],
    as_json: AsJson = False,
) -> None:
    """Show one edition: dates, basis, rules with clause and check mark."""
    from qinglan.standards.edition import named

    edition = named(_editions(), identifier)
    if as_json:
        rules = [rule.model_dump() for rule in edition.rules]
        output.print_json(data=_short(edition) | {"rules": rules, "lacking": list(edition.lacking)})
        return
    output.print(f"[bold]{edition.name} {edition.title.zh}[/]\n{edition.title.en}")
    output.print(f"施行 in force：{_dates(edition)}　状态 state：{_state(edition)}")
    for clause in edition.basis:
        output.print(f"依据 basis：{clause.document} {clause.clause or ''} {clause.note or ''}".rstrip())
    table = Table("条款 clause", "核对 check", "规则 rule", box=None, pad_edge=False)
    for rule in edition.rules:
        table.add_row(rule.clause, rule.check, f"{rule.zh}\n[dim]{rule.en}[/]")
    output.print(table)


def _editions() -> list[Edition]:
    from qinglan import app
    from qinglan.core.declare import Declarations
    from qinglan.standards.edition import Edition

    declarations = Declarations.from_folders(app.declaration_folders())
    found = [declaration for declaration in declarations if isinstance(declaration, Edition)]
    return sorted(found, key=lambda edition: (edition.number, edition.in_force.start))


def _dates(edition: Edition) -> str:
    end = "" if edition.in_force.end is None else edition.in_force.end.isoformat()
    return f"{edition.in_force.start.isoformat()} – {end}"


def _state(edition: Edition) -> str:
    today = datetime.now(BEIJING).date()
    in_force = "现行" if edition.covers(today) else "未施行" if edition.in_force.start > today else "已废止"
    return f"{in_force}，缺 {'、'.join(edition.lacking)}" if edition.lacking else in_force


def _short(edition: Edition) -> dict[str, object]:
    return {
        "id": edition.id,
        "standard": edition.number,
        "edition": edition.edition,
        "stage": edition.stage,
        "title": edition.title.model_dump(),
        "start": edition.in_force.start.isoformat(),
        "end": None if edition.in_force.end is None else edition.in_force.end.isoformat(),
        "state": edition.state,
    }
