"""All command modules; each has ``add(root)``."""

from __future__ import annotations

import typer

from qinglan.cli import (
    account,
    audit,
    check,
    demo,
    evaluate,
    gateway,
    hj212,
    imports,
    jobs,
    judge,
    lake,
    ledger,
    serve,
    standards,
)


def add_all(root: typer.Typer) -> None:
    """Add every module's commands to the root command."""
    for module in (
        account,
        audit,
        check,
        demo,
        evaluate,
        gateway,
        hj212,
        imports,
        jobs,
        judge,
        lake,
        ledger,
        serve,
        standards,
    ):
        module.add(root)
