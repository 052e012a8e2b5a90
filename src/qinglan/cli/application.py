"""The root command: options that all commands share, and what a refusal looks like on a terminal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console

from qinglan import __version__
from qinglan.core.errors import QinglanError

if TYPE_CHECKING:
    from qinglan.base.settings import Settings

root = typer.Typer(
    name="qinglan",
    help="晴岚：让一座城市的生态环境规划运行起来。 Runs a city's environmental plan.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
errors = Console(stderr=True, soft_wrap=True, highlight=False)
output = Console(soft_wrap=True, highlight=False)

Home = Annotated[
    Path | None,
    typer.Option("--home", envvar="QINGLAN_HOME", help="数据目录（默认 ~/.qinglan）。 The home folder."),
]
AsJson = Annotated[bool, typer.Option("--json", help="以 JSON 输出。 Print JSON.")]


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"qinglan {__version__}")
        raise typer.Exit


@root.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="版本。 The version.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """Run the command line; a refusal is one sentence on the error stream and exit code 2."""
    from qinglan.cli import commands
    from qinglan.cli.usage import UsageError, sentence

    commands.add_all(root)
    language: Literal["zh", "en"] = "en" if os.environ.get("QINGLAN_LANGUAGE", "zh").startswith("en") else "zh"
    try:
        code = root(standalone_mode=False)
    except QinglanError as refusal:
        errors.print(f"[bold red]✗[/] {_escaped(refusal.sentence(language))}")
        sys.exit(refusal.exit_code)
    except UsageError as error:
        if type(error).__name__ != "NoArgsIsHelpError":  # Its help has been shown already.
            errors.print(f"[bold red]✗[/] {_escaped(sentence(error, language))}")
        sys.exit(2)
    except typer.Abort:
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)


def existing(home: Path | None) -> Settings:
    """Return the settings of a home folder that is there, for commands that only look or add to what is there.

    Raises
    ------
    InputError
        If the folder is not there or is no home folder of Qinglan: a mistyped one is never made.
    """
    from qinglan.base.settings import Settings

    return Settings.existing(home)


def _escaped(sentence: str) -> str:
    return sentence.replace("[", r"\[")
