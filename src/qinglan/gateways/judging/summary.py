"""One line of what came out: how many, of which class, and what was refused."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from qinglan.core.rounding import text
from qinglan.gateways.judging.judging import Judged

UNDETERMINED = "无法判定"


@dataclass(frozen=True)
class Counts:
    """How many verdicts there are, of how many sites, and of each word in the standard's order."""

    verdicts: int
    sites: int | None
    words: dict[str, int]
    undetermined: int
    refused: int


def verdicts_of(found: Judged) -> pl.DataFrame:
    """Return one row for each verdict (a tidy table repeats a sample's on each of its rows)."""
    if not found.beside:
        return found.verdicts
    known = found.prepared.known.select("sample")
    marked = found.verdicts.with_columns(known["sample"]).filter(pl.col("sample").is_not_null())
    if found.judgement.per in ("sample", "item"):
        marked = marked.unique("sample", keep="first", maintain_order=True)
    return marked


def counts_of(found: Judged) -> Counts:
    """Return the counts of the verdict column that the declaration names."""
    rule = found.judgement.summary
    rows = verdicts_of(found)
    words = pl.Series([], dtype=pl.String)
    if rule.by is not None:
        words = rows[rule.by].cast(pl.String).replace({"true": "达标", "false": "不达标"})
    held = dict(words.drop_nulls().value_counts(sort=True).rows())
    ordered = {word: held.pop(word) for word in rule.order if word in held} | held
    known = found.prepared.known
    sites = None
    if "site" in known.columns and found.beside:
        sites = int(known.filter(pl.col("sample").is_not_null())["site"].drop_nulls().n_unique())
    return Counts(len(rows), sites, ordered, int(words.null_count()), found.refused)


def line(found: Judged) -> tuple[str, str]:
    """Return the line in Chinese and in English."""
    rule, counts = found.judgement.summary, counts_of(found)
    some = counts.sites is not None and counts.sites != counts.verdicts
    zh = f"{counts.sites} 个{rule.noun.zh} {counts.verdicts} 次评价" if some else f"{counts.verdicts} 个{rule.noun.zh}"
    en = (
        f"{counts.sites} {rule.noun.en}(s), {counts.verdicts} verdicts"
        if some
        else f"{counts.verdicts} {rule.noun.en}(s)"
    )
    parts_zh, parts_en = [], []
    good = sum(count for word, count in counts.words.items() if word in rule.good)
    if rule.good:
        title = rule.good_title or "、".join(rule.good)
        parts_zh.append(f"{title} {good} 个（{_share(good, counts.verdicts)}）")
        parts_en.append(f"{title} {good} ({_share(good, counts.verdicts)})")
    singly = not (rule.good and rule.good_title == "达标")
    for word, count in counts.words.items():
        if singly or word not in rule.good:
            parts_zh.append(f"{word} {count} 个（{_share(count, counts.verdicts)}）")
            parts_en.append(f"{word} {count} ({_share(count, counts.verdicts)})")
    if counts.undetermined:
        parts_zh.append(f"{UNDETERMINED} {counts.undetermined} 个")
        parts_en.append(f"undetermined {counts.undetermined}")
    if rule.total is not None:
        total = found.verdicts[rule.total].sum()
        parts_zh.append(f"{rule.total_title}合计 {text(round(float(total), 6), 2)} {rule.total_unit}")
        parts_en.append(f"total {text(round(float(total), 6), 2)}")
    if parts_zh:
        zh, en = f"{zh}：{'，'.join(parts_zh)}", f"{en}: {', '.join(parts_en)}"
    if counts.refused:
        zh, en = f"{zh}；拒收 {counts.refused} 行", f"{en}; {counts.refused} row(s) refused"
    return f"{zh}。", f"{en}."


def _share(count: int, total: int) -> str:
    from decimal import Decimal

    return f"{text(Decimal(count) * 100 / total, 2)}%" if total else "—"
