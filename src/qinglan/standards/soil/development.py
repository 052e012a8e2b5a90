"""GB 36600: construction land by class of use, against screening and intervention values."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.catalogue.factors import folded
from qinglan.core.frames import opened, scaled, settled
from qinglan.standards import single_factor
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.exceeding import Beyond, with_exceeding
from qinglan.standards.single_factor import Item, Samples, high, joined, largest, low
from qinglan.standards.soil.tables import ConstructionSoil, construction_editions
from qinglan.standards.spelling import canonical

WORDS = ("不高于筛选值", "高于筛选值", "高于管制值")
_NEXT = ("风险可以忽略", "应开展详细调查和风险评估", "风险不可接受，应采取风险管控或修复措施")
_UNDECIDED = "undecided"


def construction_land(frame: Any, edition: str | None = None) -> Any:
    """Return how each point of construction land lies against the values of its class of use.

    Parameters
    ----------
    frame
        ``site, factor, value, land``, optionally ``time, unit, qualifier, limit, flag`` and ``background`` (mg/kg, the
        soil's own background of the row's item, for As, Co and V). Items by name, symbol or CAS number, mg/kg. Land:
        一类 or 二类, or a code of planned use (``R``, ``A33``, ``A5``, ``A6``; ``M W B S U A G``); 未定 takes class 1.
    edition
        One edition of GB 36600; by default that in force.

    Returns
    -------
    frame
        ``site, (time,) land, level, word, action, over_screening, over_intervention, edition, stage, clause, missing,
        note``: `land` first or second; `level` 1–3 (at or below screening, above it, above intervention), null is
        无法判定; `missing` the items of the 45 basic ones that have no value.

    Raises
    ------
    InputError
        If no factor is an item of the standard, a unit cannot be converted or a use of land is not known.

    Notes
    -----
    依据: GB 36600—2018 表1, 表2, 5.3.

    Examples
    --------
    >>> import polars as pl
    >>> plot = pl.DataFrame({"site": ["T9"], "land": ["二类"], "factor": ["砷"], "value": [119.0]})
    >>> construction_land(plot).select("word", "over_screening").row(0)
    ('高于筛选值', '砷(0.98)')
    """
    given = opened(frame, ("site", "factor", "value", "land"))
    names = given.frame.collect_schema().names()
    available = construction_editions(edition)
    if edition is None and "time" in names:
        refuse_uncovered(given.frame, nw.col("time"), available)
    chosen = available[-1]
    words = {
        word: land
        for land, written in (
            ("first", chosen.land.first),
            ("second", chosen.land.second),
            (_UNDECIDED, chosen.land.undecided),
        )
        for word in (land, *written)
    }
    known = canonical(given.frame, "land", words)
    keys: list[str] = [name for name in ("site", "time", "land") if name in names]
    found = single_factor.samples(known, chosen.items, keys, chosen.name)
    if "background" in names:
        found = _with_background(found, known, keys, chosen)
    return given.give(_judged(found, chosen, keys, with_background="background" in names))


def construction_rejects(frame: Any) -> Any:
    """Return the rows that `construction_land` does not count, with ``field, zh, en`` saying why."""
    given = opened(frame, ("site", "factor", "value"))
    chosen = construction_editions()[-1]
    return given.give(single_factor.rejects(given.frame, chosen.items, chosen.name))


def _with_background(samples: Samples, frame: nw.LazyFrame[Any], keys: list[str], edition: ConstructionSoil) -> Samples:
    items = [item for item in samples.items if item.code in edition.with_background]
    if not items:
        return samples
    named = single_factor.names_of(items)
    written = {item.code: [name for name, found in named.items() if found is item] for item in items}
    present = frame.select("factor").unique().collect().to_dict(as_series=False)["factor"]
    columns = []
    for item in items:
        spelt = [name for name in present if name and folded(str(name)) in written[item.code]]
        own = nw.when(nw.col("factor").is_in(spelt)).then(nw.col("background").cast(nw.Float64))
        columns.append(own.min().alias(f"_own {item.code}"))
    by_sample = frame.group_by(*keys).agg(*columns)
    whole = by_sample.with_columns(
        scaled(nw.col(f"_own {item.code}"), item.scale).alias(f"_own {item.code}") for item in items
    )
    return Samples(settled(samples.frame.join(whole, on=keys, how="left")), samples.items, samples.all_items)


def _judged(
    samples: Samples, edition: ConstructionSoil, keys: list[str], *, with_background: bool
) -> nw.LazyFrame[Any]:
    limited = samples.frame.with_columns(
        _value(edition, kind, item, with_background=with_background).alias(f"_{kind} {item.code}")
        for item in samples.items
        for kind in ("screen", "intervene")
    )
    judged = limited.with_columns(
        largest([_level(item, nw.col(low(item))) for item in samples.items]).alias("_best"),
        largest([_level(item, nw.col(high(item))) for item in samples.items]).alias("_worst"),
        samples.missing(edition.basic).alias("missing"),
    ).with_columns(nw.when(nw.col("_best") == nw.col("_worst")).then(nw.col("_best")).alias("level"))
    note = joined(
        [
            (nw.col("_best").is_null(), nw.lit("没有可用数据，无法判定")),
            (nw.col("_best") < nw.col("_worst"), nw.lit("检出限高于限值，无法判定")),
            (nw.col("land") == _UNDECIDED, nw.lit("规划用途未定，按第一类用地")),
            (~nw.col("missing").is_null() & ~nw.col("level").is_null(), nw.lit("基本项目不全，结论只就已测项目")),
            *samples.notes(),
        ]
    )
    first = nw.when(nw.col("land") == "second").then(nw.lit("second")).otherwise(nw.lit("first"))
    listed = with_exceeding(
        judged,
        {
            "over_screening": [_over("screen", item) for item in samples.items],
            "over_intervention": [_over("intervene", item) for item in samples.items],
        },
    )
    return listed.select(
        *(key for key in keys if key != "land"),
        first.alias("land"),
        "level",
        _word(WORDS).alias("word"),
        _word(_NEXT).alias("action"),
        "over_screening",
        "over_intervention",
        nw.lit(edition.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit(edition.basis[0].clause).alias("clause"),
        "missing",
        note.alias("note"),
    )


def _value(edition: ConstructionSoil, kind: str, item: Item, *, with_background: bool) -> nw.Expr:
    first, second = (
        nw.lit(item.whole(edition.values[item.code, kind, land]), dtype=nw.Int64) for land in ("first", "second")
    )
    printed = nw.when(nw.col("land") == "second").then(second).otherwise(first)
    if not (with_background and item.code in edition.with_background):
        return printed
    return nw.max_horizontal(printed, nw.col(f"_own {item.code}"))


def _level(item: Item, value: nw.Expr) -> nw.Expr:
    above = (value > nw.col(f"_screen {item.code}")).cast(nw.Int64)
    return above + (value > nw.col(f"_intervene {item.code}")).cast(nw.Int64) + 1


def _over(kind: str, item: Item) -> Beyond:
    limit, value = nw.col(f"_{kind} {item.code}"), nw.col(low(item))
    return Beyond(item.name, value > limit, value, limit)


def _word(words: tuple[str, ...]) -> nw.Expr:
    found = nw.lit(None, dtype=nw.String)
    for number, word in enumerate(words, start=1):
        found = nw.when(nw.col("level") == number).then(nw.lit(word)).otherwise(found)
    return found
