"""The result as tables: the user's own columns untouched, the verdict columns beside them."""

from __future__ import annotations

import re
from datetime import date

import polars as pl

from qinglan.gateways.files.rejects import FORMULA_STARTS
from qinglan.gateways.judging import rejects
from qinglan.gateways.judging.judging import Judged

_YES_NO = {True: "是", False: "否"}
FORMULA = f"^[{''.join(map(re.escape, FORMULA_STARTS))}]"
"""A text that a spreadsheet would take for a formula."""


def judged_table(found: Judged) -> pl.DataFrame:
    """Return the user's columns as text under their own headers, then the verdict columns under their titles.

    Rows that were refused stay in their place, without a verdict, and their note says why. Verdicts on groups are a
    table of their own, whose keys have the user's headers.
    """
    prepared = found.prepared
    if not found.beside:
        reading = prepared.reading
        taken: set[str] = set()
        names = {}
        for name in found.columns:
            own = reading.roles.get(name) is not None and name in found.judgement.keys
            names[name] = _free(reading.header[reading.roles[name]] if own else found.columns[name].zh, taken)
        return _plain(found.verdicts.select(list(found.columns)).rename(names))
    taken = set()
    own_names = {f"c{at}": _free(name or f"列{at + 1}", taken) for at, name in enumerate(prepared.reading.header)}
    verdicts = found.verdicts
    columns = dict(found.columns)
    if "note" not in columns:
        verdicts = verdicts.with_columns(pl.lit(None, pl.String).alias("note"))
    refused = prepared.texts.select("row").join(_reasons(found.rejects), on="row", how="left", maintain_order="left")
    verdicts = verdicts.with_columns(
        pl.concat_str([refused["refused"], pl.col("note")], separator="；", ignore_nulls=True).alias("note")
    ).with_columns(pl.when(pl.col("note") != "").then(pl.col("note")).alias("note"))
    titles = {name: _free(title.zh, taken) for name, title in columns.items()}
    titles.setdefault("note", _free("说明", taken))
    shown = _plain(verdicts.select(list(titles)).rename(titles))
    return pl.concat([prepared.texts.select(list(own_names)).rename(own_names), shown], how="horizontal")


def own_width(found: Judged) -> int:
    """Return how many of the table's first columns are the user's own."""
    return len(found.prepared.reading.header) if found.beside else 0


def _reasons(refused: pl.DataFrame) -> pl.DataFrame:
    reason = pl.format(
        "拒收：{}{}", pl.when(pl.col("column") != "").then(pl.col("column") + "：").otherwise(pl.lit("")), "zh"
    )
    return refused.group_by("row", maintain_order=True).agg(reason.str.join("；").alias("refused"))


def _free(name: str, taken: set[str]) -> str:
    """Return a name that no column before has."""
    found, number = name, 2
    while found in taken:
        found = f"{name}（评价）" if number == 2 else f"{name}（评价{number}）"
        number += 1
    taken.add(found)
    return found


def _plain(frame: pl.DataFrame) -> pl.DataFrame:
    """Return truth values as words and days as they are written."""
    made = []
    for name, kind in frame.schema.items():
        column = pl.col(name)
        if kind == pl.Boolean:
            made.append(column.replace_strict(_YES_NO, default=None, return_dtype=pl.String))
        elif isinstance(kind, pl.Datetime):
            midnight = (column.dt.hour() == 0) & (column.dt.minute() == 0) & (column.dt.second() == 0)
            made.append(
                pl.when(midnight).then(column.dt.strftime("%Y-%m-%d")).otherwise(column.dt.strftime("%Y-%m-%d %H:%M"))
            )
        elif kind == pl.Date:
            made.append(column.dt.strftime("%Y-%m-%d"))
        else:
            made.append(column)
    return frame.select(made)


def shown_table(found: Judged) -> pl.DataFrame:
    """Return what a terminal shows: where and when, and the verdict columns that matter most."""
    known, judgement = found.prepared.known, found.judgement
    titles = {name: title.zh for name, title in found.columns.items()}
    if not found.beside:
        chosen = [name for name in dict.fromkeys((*judgement.keys, *judgement.show)) if name in found.columns]
        return _plain(found.verdicts.select(chosen)).rename({name: titles[name] for name in chosen})
    keys = [name for name in ("site", "time", "date", "factor") if name in known.columns]
    own = known.select("row", *keys)
    verdicts = found.verdicts.select(name for name in judgement.show if name in found.columns)
    joined = pl.concat([own, verdicts], how="horizontal")
    refused = found.verdicts.select("row").join(_reasons(found.rejects), on="row", how="left", maintain_order="left")
    if not found.rejects.is_empty():
        mark = pl.when(refused["refused"].is_not_null()).then(pl.lit("拒收"))
        joined = joined.with_columns(mark.alias("refused"))
    taken: set[str] = set()
    names = {"row": "行", "refused": ""} | {name: found.prepared.reading.title(name) for name in keys} | titles
    return _plain(joined).rename({name: _free(names[name], taken) for name in joined.columns})


def plain_rows(found: Judged) -> pl.DataFrame:
    """Return the verdicts for other programs: the row's number, what names the sample, and the verdict columns."""
    known = found.prepared.known
    if not found.beside:
        return _plain_times(found.verdicts.select(list(found.columns)))
    keys = [name for name in ("site", "time", "date", "factor") if name in known.columns]
    joined = pl.concat([known.select("row", *keys), found.verdicts.select(list(found.columns))], how="horizontal")
    return _plain_times(joined)


def _plain_times(frame: pl.DataFrame) -> pl.DataFrame:
    made = [name for name, kind in frame.schema.items() if kind.is_temporal()]
    finite = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(
        *(pl.col(name).cast(pl.String) for name in made),
        *(pl.when(pl.col(name).is_finite()).then(pl.col(name)).alias(name) for name in finite),
    )


def items_table(found: Judged) -> pl.DataFrame | None:
    """Return the verdicts on single items under their titles, by the user's row number; None where there are none."""
    if found.items is None:
        return None
    from qinglan.gateways.judging.titles import title_of

    taken: set[str] = set()
    names = {"row": "行号"} | {
        name: _free(title_of(name, found.judgement).zh, taken) for name in found.items.columns if name != "row"
    }
    return _plain(found.items.rename(names))


def rejects_table(found: Judged) -> pl.DataFrame:
    """Return what was refused under Chinese titles."""
    return found.rejects.select(list(rejects.TITLES)).rename(rejects.TITLES)


def escaped(frame: pl.DataFrame) -> pl.DataFrame:
    """Return a table whose texts no spreadsheet takes for formulas; numbers with a sign stay as they are."""
    number = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
    texts = [name for name, kind in frame.schema.items() if kind == pl.String]
    dangerous = pl.col(texts).str.contains(FORMULA) & ~pl.col(texts).str.contains(number)
    return frame.with_columns(pl.when(dangerous).then("'" + pl.col(texts)).otherwise(pl.col(texts)).name.keep())


def grounds(found: Judged, file: str, line: str, today: date) -> list[tuple[str, ...]]:
    """Return what the verdicts rest on: lines of up to six cells; one with a single cell is a heading."""
    judgement = found.judgement
    lines: list[tuple[str, ...]] = [
        ("评价",),
        ("评价内容", judgement.title.zh),
        ("命令", f"qinglan judge {judgement.medium} --method {judgement.method}"),
        ("文件", file),
        ("评价日期", today.isoformat()),
        ("结果", line),
    ]
    reading = found.prepared.reading
    lines += [
        ("设定", f"{name} = {f'列“{reading.title(str(value))}”' if value in reading.roles else value}")
        for name, value in found.prepared.arguments.items()
    ]
    lines += [("说明", zh) for zh, _ in found.notes]
    if judgement.remark is not None:
        lines.append(("说明", judgement.remark.zh))
    used = set() if "edition" not in found.verdicts.columns else set(found.verdicts["edition"].drop_nulls().to_list())
    sources = judgement.sources()
    first = {edition.number for edition in judgement.available()}
    chosen = [one for one in sources if one.name in used or one.number not in first]
    lines += [("版本",), ("编号", "名称", "阶段", "施行", "条款", "收录")]
    for one in chosen:
        end = f"至 {one.in_force.end}" if one.in_force.end else "现行"
        clauses = "；".join(" ".join(p for p in (c.document, c.clause, c.note) if p) for c in one.basis)
        state = "完整" if one.state == "complete" else f"未全，缺：{'、'.join(one.lacking)}"
        lines.append((one.name, one.title.zh, one.stage or "", f"{one.in_force.start} {end}", clauses, state))
    rules = [(one.name, rule) for one in chosen for rule in one.rules]
    if rules:
        lines += [("条款与理解",), ("编号", "规则", "条款", "核对")]
        lines += [(name, rule.zh, rule.clause, rule.check) for name, rule in rules]
        lines.append(("核对记号：O 读原文，P 与公开网页一致，D 推算，M 记忆，U 无依据。条款写“未写明”的为自行理解。",))
    return lines
