"""The command line: one module a group of commands, each adding its own to the one application."""

from qinglan.cli.application import main

__all__ = ["main"]
