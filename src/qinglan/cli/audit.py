"""`qinglan audit`: whether anything was changed past the program, and the signed heads that show it."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from qinglan.cli.application import AsJson, Home, errors, output

MOST_SHOWN = 200


def add(root: typer.Typer) -> None:
    """Add the group of commands."""
    group = typer.Typer(name="audit", help="核验与审计。 Verifying and auditing.", no_args_is_help=True)
    group.command(name="verify", help="核验台账的记录、版本、哈希链与签名链头。 Verify the ledgers.")(verify)
    group.command(name="sign", help="现在签署台账链头。 Sign the heads of the ledgers now.")(sign)
    root.add_typer(group)


def verify(
    ledger: Annotated[str | None, typer.Option("--ledger", help="只核验这个台账。 This ledger only.")] = None,
    home: Home = None,
    as_json: AsJson = False,
) -> None:
    """Compare rows, versions, chain and signed heads; exit code 1 where they differ."""
    from qinglan.cli.ledger import opened
    from qinglan.ledgers.verify import verify as differences

    with opened(home) as ledgers:
        checked = [ledger] if ledger else sorted(set(ledgers.declared) - set(ledgers.refused))
        found = list(differences(ledgers, only=ledger))
    if as_json:
        output.print_json(data={"ledgers": checked, "differences": [one.answer() for one in found]})
    else:
        for one in found[:MOST_SHOWN]:
            where = " ".join(part for part in (one.ledger, one.record) if part)
            errors.print(f"[red]x[/] {escape(where)}：{escape(one.zh)}")
        output.print(f"核验台账 {len(checked)} 个，发现 {len(found)} 处不符。 {len(found)} differences.")
    if found:
        raise typer.Exit(1)


def sign(home: Home = None, as_json: AsJson = False) -> None:
    """Write the signed heads of all chains into the home folder; copy them elsewhere."""
    from qinglan.cli.ledger import opened
    from qinglan.ledgers import heads

    with opened(home) as ledgers:
        path = heads.sign(ledgers)
    if as_json:
        output.print_json(data={"file": str(path)})
    else:
        output.print(f"已签署 {escape(str(path))}。 Signed.")
