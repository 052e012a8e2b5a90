"""Reading the catalogue's own tables: CSV files that ship beside the code."""

from __future__ import annotations

import csv
from importlib.resources import files

from qinglan.core.errors import DeclarationError


def rows_of(name: str) -> list[dict[str, str]]:
    """Return the rows of one of the catalogue's tables; an empty cell is an empty text.

    Raises
    ------
    DeclarationError
        If the table is not in the installation.
    """
    try:
        text = files("qinglan.catalogue").joinpath(name).read_text("utf-8")
    except OSError as error:
        raise DeclarationError(
            f"缺少目录表 {name}：请重新安装 qinglan。",
            f"The catalogue's table {name} is missing: install qinglan again.",
            file=name,
        ) from error
    return list(csv.DictReader(text.splitlines()))
