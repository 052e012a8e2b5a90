"""What is said beside the verdicts: what was taken for what, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from qinglan.gateways.judging.declare import Judgement
from qinglan.gateways.judging.headers import Reading

Note = tuple[str, str]


def notes_on(
    judgement: Judgement, reading: Reading, known: pl.DataFrame, arguments: Mapping[str, object]
) -> list[Note]:
    """Return what was taken for what, so that a user sees a column that was misread."""
    notes: list[Note] = []
    for role, position in reading.roles.items():
        column = judgement.columns.get(role)
        if column is not None and reading.header[position] != column.title.zh:
            notes.append(
                (
                    f"列“{reading.header[position]}”当作{column.title.zh}",
                    f'column "{reading.header[position]}" taken as {column.title.en}',
                )
            )
        if column is not None and column.lenient and role in known.columns:
            other = int(known[role].null_count())
            if other:
                words = "、".join(spellings[0] if spellings else word for word, spellings in column.words.items())
                notes.append(
                    (
                        f"列“{reading.header[position]}”有 {other} 行写的不是{words}，按未说明处理",
                        f'column "{reading.header[position]}" says none of {", ".join(column.words)} in {other} row(s)',
                    )
                )
    for role, column in judgement.columns.items():
        if column.lenient and column.argument and column.argument not in arguments:
            notes.append(
                (
                    f"未写明{column.title.zh}的（--{role} 或一列“{column.title.zh}”），只在各种情形结论一致时给出结果",
                    f"{column.title.en} not said (--{role}, or a column of it): a verdict only where all kinds agree",
                )
            )
    unused = reading.unused()
    if unused:
        shown = "、".join(unused[:8]) + (f" 等 {len(unused)} 列" if len(unused) > 8 else "")
        notes.append((f"未参加评价的列：{shown}", f"columns that enter no verdict: {', '.join(unused[:8])}"))
    return notes


def note_sentinels(count: int, notes: list[Note]) -> None:
    """Add how many values stood for "no value"."""
    if count:
        notes.append((f"{count} 个表示无数据的值（如 -999）按空白处理", f"{count} values like -999 taken as blank"))
