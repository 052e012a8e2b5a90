"""What verdict columns are called in a table, where a declaration does not say it itself."""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files

from qinglan.core.declare import Title
from qinglan.gateways.judging.declare import Judgement


def title_of(name: str, judgement: Judgement) -> Title:
    """Return a verdict column's title: the declaration's, a column's own, or the shared one."""
    if name in judgement.output:
        return judgement.output[name]
    if name in judgement.columns:
        return judgement.columns[name].title
    return shared().get(name) or Title(zh=name, en=name)


@cache
def shared() -> dict[str, Title]:
    """Return the titles that judgements share."""
    text = files("qinglan.gateways.judging").joinpath("titles.csv").read_text("utf-8")
    return {row["name"]: Title(zh=row["zh"], en=row["en"]) for row in csv.DictReader(text.splitlines())}
