"""A file judged: its table, or the first sheet of a workbook that has what is needed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from qinglan.core.errors import InputError
from qinglan.gateways.files.reading import open_table
from qinglan.gateways.judging.declare import Judgement
from qinglan.gateways.judging.judging import Judged, judge
from qinglan.gateways.judging.preparing import PLAIN, Wishes


def judge_file(path: Path, judgement: Judgement, wishes: Wishes = PLAIN) -> Judged:
    """Return the verdicts on a file.

    Raises
    ------
    InputError
        If the file cannot be read, or nothing in it can be judged; the file is named.
    EditionError
        If no edition covers the question.
    """
    tables = open_table(path, sheet=wishes.sheet)
    refusals: list[InputError] = []
    for table in tables:
        try:
            found = judge(table, judgement, wishes)
        except InputError as refusal:
            refusals.append(refusal)
            continue
        others = [one.title for one in tables if one is not table]
        if not others:
            return found
        note = (
            f"读工作表“{table.title}”，未读：{'、'.join(others)}（--sheet 指定）",
            f'sheet "{table.title}" read; not read: {", ".join(others)} (choose with --sheet)',
        )
        return replace(found, notes=(note, *found.notes))
    first = refusals[0]
    if path.name in first.zh:
        raise first
    raise InputError(
        f"{path.name}：{first.zh}", f"{path.name}: {first.en}", file=path.name, row=first.row, field=first.field
    )
