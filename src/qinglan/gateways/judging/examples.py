"""The worked examples of declarations, run through the same steps as a user's file."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from qinglan.core.errors import InputError
from qinglan.gateways.judging.declare import Judgement
from qinglan.gateways.judging.judging import judge
from qinglan.gateways.judging.preparing import Wishes
from qinglan.gateways.judging.sheets import written


def shown(judgement: Judgement, given: Any) -> list[list[Any]]:
    """Return what the verdict columns ``show`` hold for each row of an example's ``table``.

    Parameters
    ----------
    given
        ``table`` (CSV text), ``show`` (names of verdict columns), optionally ``set`` (settings), ``edition``, ``on``,
        and ``where`` (verdict column → the value of the rows to be shown).
    """
    on = given.get("on")
    wishes = Wishes(
        {name: str(text) for name, text in given.get("set", {}).items()},
        given.get("edition"),
        date.fromisoformat(str(on)) if on else None,
    )
    found = judge(written(given["table"], f"{judgement.id} 算例"), judgement, wishes)
    absent = [name for name in given["show"] if name not in found.verdicts.columns]
    if absent:
        raise InputError(
            f"{judgement.id} 的结果没有列 {'、'.join(absent)}，只有 {'、'.join(found.verdicts.columns)}。",
            f"{judgement.id} gives no column {', '.join(absent)}, only {', '.join(found.verdicts.columns)}.",
            field="show",
        )
    rows = found.verdicts
    for name, value in given.get("where", {}).items():
        rows = rows.filter(pl.col(name) == value)
    return [list(row) for row in rows.select(given["show"]).rows()]
