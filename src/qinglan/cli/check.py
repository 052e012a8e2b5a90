"""`qinglan check`: every declaration read, every reference followed, every example run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from qinglan.cli.application import AsJson, errors, output


def add(root: typer.Typer) -> None:
    """Add the command."""
    root.command(name="check", help="检查全部声明。 Check all declarations.")(check)


def check(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="另外检查的目录。 Further folders.", exists=True, file_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check the shipped declarations and city packs, and those below FOLDERS."""
    from qinglan import app

    report = app.check(folders or [])
    if as_json:
        output.print_json(data=report.as_json())
    else:
        for finding in report.findings:
            errors.print(f"[red]✗[/] {finding.file.name}: {finding.zh}", soft_wrap=True)
        kinds = "、".join(f"{name} {count}" for name, count in sorted(report.counts.items()))
        output.print(f"声明：{kinds}；算例 {report.examples} 个；问题 {len(report.findings)} 处。")
    if report.findings:
        raise typer.Exit(2)
