"""``python -m qinglan``."""

from qinglan.cli import main

main()
