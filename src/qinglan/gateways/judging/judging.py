"""A prepared table judged: the evaluator called, its verdicts beside the user's rows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import polars as pl

from qinglan.core.declare import Title
from qinglan.core.errors import InputError
from qinglan.gateways.files.reading import Table
from qinglan.gateways.judging import rejects
from qinglan.gateways.judging.declare import Judgement, Together
from qinglan.gateways.judging.notes import Note
from qinglan.gateways.judging.preparing import PLAIN, Prepared, Wishes, prepare
from qinglan.gateways.judging.titles import title_of

_NUMBER = "site"


@dataclass(frozen=True)
class Judged:
    """What came of a table.

    Attributes
    ----------
    verdicts
        One row for each of the user's (``row`` and the verdict columns, null where refused), or the table of groups.
    beside
        Whether the verdicts stand beside the user's rows; else they are a table of their own.
    columns
        Verdict column → its title, in order.
    items
        The verdicts on single items, where a row has several.
    """

    judgement: Judgement
    prepared: Prepared
    verdicts: pl.DataFrame
    beside: bool
    columns: dict[str, Title]
    rejects: pl.DataFrame
    notes: tuple[Note, ...]
    items: pl.DataFrame | None = None
    files: dict[str, Any] = field(default_factory=dict)

    @property
    def judged(self) -> int:
        """How many rows have entered a verdict."""
        return int(self.prepared.known["sample"].count())

    @property
    def refused(self) -> int:
        """How many rows have not."""
        return int(self.rejects["row"].n_unique())


def judge(table: Table, judgement: Judgement, wishes: Wishes = PLAIN) -> Judged:
    """Return the verdicts on a table.

    Raises
    ------
    InputError
        If the header is not understood, a setting is wrong, or no row can be judged; the first reason is named.
    EditionError
        If no edition covers the question.
    """
    prepared = prepare(table, judgement, wishes)
    parts = _verdicts(prepared, table.title)
    if not parts:
        raise _nothing(prepared, table.title)
    found = pl.concat(parts) if len(parts) > 1 else parts[0]
    found = found.with_columns(_together(one).alias(name) for name, one in judgement.together.items())
    found = found.with_columns(
        pl.col(name).cast(pl.String).replace(words).alias(name) for name, words in judgement.words.items()
    )
    verdicts, own, items = _placed(prepared, found)
    own = [*judgement.together, *(name for name in own if name not in judgement.together)]
    titles = {name: title_of(name, judgement) for name in own}
    return Judged(
        judgement,
        prepared,
        verdicts,
        judgement.per != "group",
        titles,
        prepared.rejects,
        prepared.notes,
        items,
    )


def _verdicts(prepared: Prepared, name: str) -> list[pl.DataFrame]:
    judgement = prepared.judgement
    try:
        return [judgement.function()(frame, **prepared.arguments) for frame in prepared.frames]
    except InputError as refusal:
        if refusal.field != "factor" or judgement.items is None:
            raise
        reading = prepared.reading
        there = "、".join(one.header for one in reading.measured.values()) or reading.title("factor")
        raise InputError(
            f"{name} 没有一项参加“{judgement.title.zh}”的项目（只有 {there}）。",
            f"{name} has no item that enters {judgement.title.en} ({there}).",
            file=name,
            field=there,
        ) from refusal


def _together(one: Together) -> pl.Expr:
    need = [pl.col(name) for name in one.need]
    fails = pl.any_horizontal(~pl.col(name) for name in (*one.need, *one.also)).fill_null(value=False)
    return pl.when(fails).then(pl.lit(value=False)).when(pl.all_horizontal(need)).then(pl.lit(value=True))


def _nothing(prepared: Prepared, name: str) -> InputError:
    refused = prepared.rejects
    if refused.is_empty():
        return InputError(
            f"{name} 没有数据行，一行也没有评价。", f"{name} has no rows of data; nothing was judged.", file=name
        )
    first = refused.row(0, named=True)
    zh, en = rejects.sentence(first, name)
    rows = int(refused["row"].n_unique())
    more = (f"（共 {rows} 行被拒收）", f" ({rows} rows refused)") if rows > 1 else ("", "")
    return InputError(
        f"一行也没有评价：{zh}{more[0]}。",
        f"Nothing was judged: {en}{more[1]}.",
        file=name,
        row=int(first["row"]),
        field=str(first["column"]) or None,
    )


def _placed(prepared: Prepared, found: pl.DataFrame) -> tuple[pl.DataFrame, list[str], pl.DataFrame | None]:
    """Return the verdicts by the user's rows (or groups), the names of their columns, and those on single items."""
    judgement = prepared.judgement
    hidden = {*judgement.hide, "row", "sample"}
    if judgement.per == "group":
        keys = [key for key in judgement.keys if key in found.columns]
        own = [name for name in found.columns if name not in hidden]
        return found.select(own).sort(keys, nulls_last=True), own, None
    given = {*judgement.columns, "site", "time", "date", "factor"} - set(judgement.output)
    own = [name for name in found.columns if name not in given and name not in hidden]
    rows = prepared.known.select("row", "sample")
    if judgement.per == "key":
        keys = [key for key in judgement.keys if key in prepared.known.columns]
        known = prepared.known.select("row", "sample", *keys)
        joined = known.join(
            found.select(*keys, *own).unique(keys, maintain_order=True), on=keys, how="left", nulls_equal=True,
            maintain_order="left",
        )  # fmt: skip
        blank = pl.col("sample").is_null()
        return joined.select("row", *(pl.when(~blank).then(pl.col(name)).alias(name) for name in own)), own, None
    if judgement.per == "row" and "site" not in found.columns:
        raise InputError("评价函数没有返回 site。", "The evaluator gave no site.")
    numbered = found.with_columns(pl.col(_NUMBER).cast(pl.Int64).alias("sample"))
    if judgement.per == "item":
        return _of_items(prepared, numbered, own)
    joined = rows.join(numbered.select("sample", *own), on="sample", how="left", maintain_order="left")
    return joined.drop("sample"), own, None


def _of_items(
    prepared: Prepared, found: pl.DataFrame, own: list[str]
) -> tuple[pl.DataFrame, list[str], pl.DataFrame | None]:
    gather = prepared.judgement.gather
    assert gather is not None
    there = found.filter(pl.col("value").is_not_null() | pl.col(gather.meets).is_not_null())
    meets = pl.col(gather.meets)
    multiple = pl.col(gather.multiple) if gather.multiple else pl.lit(None, pl.Float64)
    title = pl.col(gather.title)
    over = pl.when(multiple.is_not_null()).then(pl.format("{}({})", title, multiple)).otherwise(title)
    listed = ("exceeding", over.filter(~meets)), ("undetermined", title.filter(meets.is_null()))
    summed = there.group_by("sample", maintain_order=True).agg(
        pl.when((~meets).any()).then(False).when(meets.is_null().any()).then(None).otherwise(True).alias("meets"),
        *(texts.str.join("、").alias(name) for name, texts in listed),
        pl.len().cast(pl.Int64).alias("items"),
        *(pl.col(name).first() for name in ("edition", "stage")),
        pl.col("clause").unique(maintain_order=True).str.join("、").alias("clause"),
    )
    summed = summed.with_columns(
        pl.when(pl.col(name) != "").then(pl.col(name)).alias(name) for name in ("exceeding", "undetermined")
    )
    names = ["meets", "exceeding", "undetermined", "items", "edition", "stage", "clause"]
    rows = prepared.known.select("row", "sample")
    joined = rows.join(summed, on="sample", how="left", maintain_order="left")
    keys = [name for name in ("site", "time", "date") if name in prepared.known.columns]
    first = prepared.known.filter(pl.col("sample").is_not_null()).unique("sample", keep="first", maintain_order=True)
    first_of_all = ("title", "value", "unit", "limit", "multiple", "meets")
    single = sorted(
        (name for name in own if name != "missing"),
        key=lambda name: first_of_all.index(name) if name in first_of_all else len(first_of_all),
    )
    items = first.select("row", "sample", *keys).join(
        there.select("sample", *single), on="sample", how="inner", maintain_order="left_right"
    )
    return joined.select("row", *names), names, items.drop("sample")
