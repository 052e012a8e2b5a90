"""`qinglan ledger`: what ledgers there are, their records, templates, imports, exports, history."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from qinglan.cli.application import AsJson, Home, errors, output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager

    from qinglan.ledgers.registry import Ledgers

LedgerId = Annotated[str, typer.Argument(metavar="LEDGER", help="台账编号。 The ledger's id.")]
RecordId = Annotated[str, typer.Argument(metavar="RECORD", help="记录编号或主键。 The record's id or key.")]
Filters = Annotated[
    list[str] | None, typer.Option("--filter", help="筛选：字段:运算符:值，可多次。 field:operator:value.")
]


def add(root: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(name="ledger", help="台账。 Ledgers.", no_args_is_help=True)
    group.command(name="list", help="列出台账，或一个台账的记录。 List ledgers, or the records of one.")(list_)
    group.command(name="show", help="查看一条记录。 Show a record.")(show)
    group.command(name="template", help="写出填报模板。 Write the template.")(template)
    group.command(name="import", help="核对并导入填好的表。 Check and import a filled workbook.")(import_)
    group.command(name="export", help="导出为 Excel、CSV 或 GeoJSON。 Export.")(export)
    group.command(name="history", help="查看一条记录的历次版本。 Show the versions of a record.")(history)
    group.command(name="migrate", help="应用改动过的台账声明。 Apply a changed declaration.")(migrate)
    root.add_typer(group)


def opened(home: Path | None) -> AbstractContextManager[Ledgers]:
    """Open the ledgers of a home folder that is there."""
    from contextlib import contextmanager

    from qinglan.app import Application
    from qinglan.base.settings import Settings

    @contextmanager
    def held() -> Iterator[Ledgers]:
        with Application.open(Settings.existing(home)) as application:
            yield application.ledgers

    return held()


def list_(
    ledger: Annotated[str | None, typer.Argument(metavar="[LEDGER]", help="台账编号。 The ledger's id.")] = None,
    filters: Filters = None,
    search: Annotated[str, typer.Option("--search", help="检索文字。 Words to search for.")] = "",
    sort: Annotated[str, typer.Option("--sort", help="排序字段，- 为降序。 The sort, - for falling.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, max=1000, help="至多几条。 At most so many.")] = 50,
    cursor: Annotated[str, typer.Option("--cursor", help="上一页给出的游标。 Where the last page ended.")] = "",
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """List the ledgers, or the records of one."""
    from qinglan.base.scope import EVERYTHING
    from qinglan.ledgers import forms, listing
    from qinglan.ledgers.filters import Filter

    with opened(home) as ledgers:
        if ledger is None:
            found = [forms.brief(one, EVERYTHING) for one in ledgers.declared.values()]
            for name, error in ledgers.refused.items():
                errors.print(f"[yellow]![/] {escape(name)}：{escape(error.zh)}")
            if as_json:
                output.print_json(data=found)
            else:
                _table(["id", "名称", "领域", "牵头"], [_line(one) for one in found])
            return
        declared = ledgers.get(ledger)
        query = listing.Query(
            tuple(Filter.read(one) for one in filters or ()), search=search, sort=sort, limit=limit, cursor=cursor
        )
        page = listing.page(ledgers, EVERYTHING, ledger, query)
        answer = page.answer(declared, EVERYTHING, listing.columns_of(declared))
    if as_json:
        output.print_json(data=answer)
        return
    names = answer["columns"][:6]
    _table(names, [[str(row["values"][name] or "") for name in names] for row in answer["records"]])
    if answer["cursor"]:
        output.print(f"[dim]--cursor {answer['cursor']}[/]")


def _line(one: dict[str, Any]) -> list[str]:
    return [one["id"], one["title"]["zh"], one["domain"], one["lead"]["department"]["zh"]]


def _table(headings: list[str], rows: list[list[str]]) -> None:
    table = Table(*headings, box=None, header_style="bold")
    for row in rows:
        table.add_row(*(escape(cell) for cell in row))
    output.print(table)


def _record(ledgers: Ledgers, ledger: str, record: str) -> str:
    """Return the id of the record that an id, a key or a label names."""
    from qinglan.base.engine import reading
    from qinglan.base.scope import EVERYTHING
    from qinglan.ledgers.resolve import Resolver

    ledgers.get(ledger)
    with reading(ledgers.engine) as connection:
        return Resolver(connection, ledgers, EVERYTHING).look_up(ledger, record) or record


def show(ledger: LedgerId, record: RecordId, home: Home = None, as_json: AsJson = False) -> None:
    """Show one record."""
    from qinglan.base.scope import EVERYTHING
    from qinglan.ledgers.records import read

    with opened(home) as ledgers:
        found = read(ledgers, EVERYTHING, ledger, _record(ledgers, ledger, record))
        declared = ledgers.get(ledger)
        answer = found.answer(declared, EVERYTHING)
    if as_json:
        output.print_json(data=answer)
        return
    rows = [
        [declared.field(name).title.zh, str(value)] for name, value in answer["values"].items() if value is not None
    ]
    _table(["字段", "值"], rows)


def template(
    ledger: LedgerId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="写到哪个 .xlsx。 Where to.")],
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write the workbook that a ledger is filled in."""
    from qinglan.base.storage import storage_errors
    from qinglan.ledgers.excel.template import template as made

    with opened(home) as ledgers:
        content = made(ledgers, ledger)
    with storage_errors(file):
        file.write_bytes(content)
    _written(file, as_json)


def _written(file: Path, as_json: bool) -> None:
    if as_json:
        output.print_json(data={"file": str(file), "bytes": file.stat().st_size})
    else:
        output.print(f"已写出 {escape(str(file))}。 Written.")


def import_(
    ledger: LedgerId,
    file: Annotated[Path, typer.Argument(metavar="FILE", exists=True, dir_okay=False, help="填好的表。 The file.")],
    *,
    write: Annotated[bool, typer.Option("--write", help="没有错误时写入。 Write if nothing is wrong.")] = False,
    good: Annotated[bool, typer.Option("--good-rows", help="只写入正确的行。 Write the good rows only.")] = False,
    marked: Annotated[Path | None, typer.Option("--marked", help="标出错误的副本写到哪。 The marked copy.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Check a file and say what it would do; with --write or --good-rows it is written."""
    from qinglan.base.scope import EVERYTHING
    from qinglan.base.storage import storage_errors
    from qinglan.ledgers.excel import importing
    from qinglan.ledgers.writing import Writing

    with opened(home) as ledgers:
        with storage_errors(file):
            content = file.read_bytes()
        found = importing.check_file(ledgers, EVERYTHING, ledger, file.name, content)
        if marked is not None and found["faults"]:
            with storage_errors(marked):
                marked.write_bytes(importing.marked(ledgers, EVERYTHING, ledger, found["id"]))
        if write or good:
            mode: importing.Mode = "good" if good else "all"
            found |= importing.write_import(ledgers, Writing(EVERYTHING), ledger, found["id"], mode)
    if as_json:
        output.print_json(data=found)
    else:
        _say(found)
    if found["faults"] and not good:
        raise typer.Exit(2)


def _say(found: dict[str, Any]) -> None:
    words = {"read": "读取", "add": "新增", "update": "更新", "same": "不变", "refused": "有误"}
    output.print("、".join(f"{word} {found['counts'][name]}" for name, word in words.items()) + f"（{found['state']}）")
    for note in found["notes"]:
        output.print(f"[dim]{escape(note['zh'])}[/]")
    for fault in found["faults"]:
        cell = f"{fault['sheet']}!{fault['column'] or ''}{fault['row']}"
        errors.print(f"[red]x[/] {escape(cell)}：{escape(fault['zh'])}")


def export(
    ledger: LedgerId,
    file: Annotated[Path, typer.Argument(metavar="FILE", help=".xlsx、.csv 或 .geojson。 The file.")],
    filters: Filters = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Write a ledger to a workbook, CSV or GeoJSON."""
    from qinglan.base.scope import EVERYTHING
    from qinglan.base.storage import storage_errors
    from qinglan.core.errors import InputError
    from qinglan.ledgers.excel.export import as_csv, as_geojson, as_workbook
    from qinglan.ledgers.filters import Filter
    from qinglan.ledgers.listing import Query

    query = Query(tuple(Filter.read(one) for one in filters or ()))
    with opened(home) as ledgers:
        if file.suffix.lower() == ".xlsx":
            content = as_workbook(ledgers, EVERYTHING, ledger, query)
        elif file.suffix.lower() in (".csv", ".geojson"):
            make = as_csv if file.suffix.lower() == ".csv" else as_geojson
            content = b"".join(make(ledgers, EVERYTHING, ledger, query))
        else:
            raise InputError(
                f"{file.name} 的后缀应为 .xlsx、.csv 或 .geojson。",
                f"{file.name} should end with .xlsx, .csv or .geojson.",
                field="FILE",
            )
    with storage_errors(file):
        file.write_bytes(content)
    _written(file, as_json)


def history(ledger: LedgerId, record: RecordId, home: Home = None, as_json: AsJson = False) -> None:
    """Show who changed what of a record, and when."""
    from qinglan.base.scope import EVERYTHING
    from qinglan.ledgers.history import history as versions

    with opened(home) as ledgers:
        found = versions(ledgers, EVERYTHING, ledger, _record(ledgers, ledger, record))
    if as_json:
        output.print_json(data=found)
        return
    for one in found:
        said = " ".join(str(one[name] or "") for name in ("at", "who", "action", "why"))
        output.print(f"[bold]{one['version']}[/] {escape(said)}")
        for change in one["changes"]:
            title, before, after = change["title"]["zh"], str(change["before"]), str(change["after"])
            output.print(f"    {escape(title)}：{escape(before)} → {escape(after)}")


def migrate(
    ledger: LedgerId,
    *,
    destructive: Annotated[
        bool, typer.Option("--destructive", help="允许去掉现有数据（历史保留）。 Allow what loses data.")
    ] = False,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Bring a ledger's tables to its declaration."""
    from qinglan.core.errors import InputError
    from qinglan.ledgers import migrate as changes

    with opened(home) as ledgers:
        declared = ledgers.declared.get(ledger)
        if declared is None:
            raise InputError(f"没有台账“{ledger}”。", f'There is no ledger "{ledger}".', field="LEDGER")
        plan = changes.apply(ledgers.engine, declared, ledgers.context(), destructive=destructive).answer()
    if as_json:
        output.print_json(data=plan)
    else:
        output.print(f"已应用：新增 {plan['added']}，改名 {plan['renamed']}，去掉 {plan['dropped']}。 Applied.")
