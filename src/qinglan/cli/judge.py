"""`qinglan judge`: a table of measurements into verdicts, beside the user's own columns."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from qinglan.cli.application import AsJson, errors, output
from qinglan.cli.usage import a_date
from qinglan.core.errors import InputError

if TYPE_CHECKING:
    from qinglan.gateways.judging.declare import Judgement
    from qinglan.gateways.judging.judging import Judged
    from qinglan.gateways.judging.preparing import Wishes

_SHOWN = 20
_REJECTS_SHOWN = 5
_JSON_ROWS = 1_000


def add(root: typer.Typer) -> None:
    """Add the command."""
    root.command(
        name="judge",
        help="按标准评价监测数据表，写出带评价列的 Excel。 Judge a table of measurements by its standard.",
        no_args_is_help=True,
    )(judge)


def _list_media(wanted: bool) -> None:
    """Print what can be judged, and end."""
    if not wanted:
        return
    from qinglan.gateways.judging.declare import judgements

    table = Table("介质 medium", "方法 method", "评价 judges", "需要的列 needed columns", box=None, pad_edge=False)
    for one in judgements():
        needed = "、".join(column.title.zh for column in one.columns.values() if column.required)
        settings = "、".join(f"--set {name}=" for name, setting in one.parameters.items() if setting.required)
        method = f"{one.method} *" if one.default else one.method
        table.add_row(one.medium, method, escape(one.title.zh), escape("；".join(p for p in (needed, settings) if p)))
    output.print(table)
    output.print("* 默认方法；另需监测项目的列，或因子、监测值两列。")
    raise typer.Exit


def judge(
    medium: Annotated[
        str, typer.Argument(metavar="MEDIUM", help="介质，如 water、air、soil（--list 列出）。 The medium; see --list.")
    ],
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE…", help="CSV、Excel（xlsx、xls）或 Parquet。 The files.")
    ],
    *,
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="方法（--list 列出；默认为带 * 的）。 The method; see --list.")
    ] = None,
    kind: Annotated[
        str | None, typer.Option("--kind", help="水体类型 river、lake，或写明它的列名。 The kind, or its column.")
    ] = None,
    stamp: Annotated[
        Literal["start", "end"] | None,
        typer.Option("--stamp", help="小时的时间是开始还是结束。 Start or end of the hour."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="全表相同的列值或设定，可多次。 Holds for the whole table."),
    ] = None,
    edition: Annotated[str | None, typer.Option("--edition", help="按这一版本评价。 Judge by this edition.")] = None,
    on: Annotated[
        datetime | None,
        typer.Option("--on", parser=a_date, metavar="DATE", help="按这一天的现行版本评价。 By the edition of a day."),
    ] = None,
    sheet: Annotated[str | None, typer.Option("--sheet", help="Excel 的工作表名。 The sheet.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="结果文件 xlsx、csv、parquet（默认 原名-评价.xlsx）。 The file made."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="覆盖已有的结果文件。 Overwrite the file made.")] = False,
    as_json: AsJson = False,
    _: Annotated[
        bool, typer.Option("--list", callback=_list_media, is_eager=True, help="列出介质与方法。 List what there is.")
    ] = False,
) -> None:
    """Judge FILES of one MEDIUM; what cannot be judged is named by row and column, the rest is judged."""
    from qinglan.gateways.judging.declare import find
    from qinglan.gateways.judging.preparing import Wishes

    if out is not None and len(files) > 1:
        raise InputError(
            "--out 只能用于一个文件：多个文件的结果各写在原文件旁。",
            "--out goes with one file: the results of several are written beside each.",
            field="out",
        )
    if edition is not None and on is not None:
        raise InputError("--edition 与 --on 只能写一个。", "Give --edition or --on, not both.", field="edition")
    judgement = find(medium, method)
    said = _settings(settings or [])
    said |= {name: text for name, text in (("kind", kind), ("stamp", stamp)) if text is not None}
    wishes = Wishes(said, edition, None if on is None else on.date(), sheet)
    made = [_one(path, judgement, wishes, out, force=force, quiet=as_json) for path in files]
    if as_json:
        output.print_json(data=made[0] if len(made) == 1 else made)


def _settings(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, equals, text = one.partition("=")
        if not equals or not name.strip():
            raise InputError(
                f"--set 应写成 名称=值，收到“{one}”。", f'--set should be NAME=VALUE; got "{one}".', field="set"
            )
        found[name.strip()] = text.strip()
    return found


def _one(
    path: Path, judgement: Judgement, wishes: Wishes, out: Path | None, *, force: bool, quiet: bool
) -> dict[str, Any]:
    from qinglan.gateways.judging import workbook
    from qinglan.gateways.judging.files import judge_file
    from qinglan.gateways.judging.summary import line

    found = judge_file(path, judgement, wishes)
    target, said = workbook.target(path, out, found, force=force)
    zh, en = line(found)
    made = workbook.write(found, target, path.name, zh, date.today())  # noqa: DTZ011 - the user's own day
    if not quiet:
        _show(found, path, zh, said, made)
    return _as_json(found, path, zh, en, made)


def _show(found: Judged, path: Path, line: str, said: str | None, made: list[Path]) -> None:
    from qinglan.gateways.judging import rejects
    from qinglan.gateways.judging.tables import shown_table

    frame = shown_table(found).head(_SHOWN)
    table = Table(*map(escape, frame.columns), box=None, pad_edge=False, header_style="bold")
    for row in frame.iter_rows():
        table.add_row(*map(_shown, row))
    output.print(table)
    rest = len(found.verdicts) - len(frame)
    if rest > 0:
        output.print(f"[dim]… 另有 {rest:,} 行，见结果文件[/]")
    output.print(f"[bold]{escape(line)}[/]")
    for zh, _ in found.notes:
        output.print(f"[dim]{escape(zh)}[/]")
    for reject in found.rejects.head(_REJECTS_SHOWN).iter_rows(named=True):
        errors.print(f"[yellow]![/] {escape(rejects.sentence(reject, path.name)[0])}")
    more = len(found.rejects) - _REJECTS_SHOWN
    if more > 0:
        errors.print(f"[yellow]![/] 另有 {more:,} 处，见结果文件的“拒收”")
    if said is not None:
        errors.print(f"[yellow]![/] {escape(path.name)} {escape(said)}")
    output.print(f"已写 {'、'.join(escape(str(one)) for one in made)}")


def _shown(cell: object) -> str:
    if cell is None:
        return ""
    return f"{cell:.6g}" if isinstance(cell, float) else escape(str(cell))


def _as_json(found: Judged, path: Path, zh: str, en: str, made: list[Path]) -> dict[str, Any]:
    from qinglan.gateways.judging.summary import counts_of
    from qinglan.gateways.judging.tables import plain_rows

    counts = counts_of(found)
    rows = plain_rows(found)
    return {
        "file": path.name,
        "medium": found.judgement.medium,
        "method": found.judgement.method,
        "summary": {"zh": zh, "en": en},
        "verdicts": counts.verdicts,
        "sites": counts.sites,
        "counts": counts.words,
        "undetermined": counts.undetermined,
        "refused_rows": counts.refused,
        "notes": [{"zh": one, "en": other} for one, other in found.notes],
        "rejects": found.rejects.head(_JSON_ROWS).to_dicts(),
        "rows": rows.head(_JSON_ROWS).to_dicts(),
        "rows_total": len(rows),
        "out": [str(one) for one in made],
    }
