"""GB 15618: farmland soil by pH and use, and its three classes."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import half_even_ratio, opened, real, scaled, settled
from qinglan.standards import single_factor
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.exceeding import Beyond, with_exceeding
from qinglan.standards.single_factor import Item, Samples, high, joined, largest, low
from qinglan.standards.soil.tables import LANDS, PH, FarmlandSoil, farmland_editions
from qinglan.standards.spelling import canonical

CLASSES = ("优先保护类", "安全利用类", "严格管控类")
LAND_WORDS = {
    "paddy": "paddy", "水田": "paddy", "orchard": "orchard", "果园": "orchard", "other": "other", "其他": "other",
    "其它": "other", "其他用地": "other", "旱地": "other", "旱作": "other", "菜地": "other", "水浇地": "other",
    "rotation": "rotation", "水旱轮作": "rotation", "水旱轮作地": "rotation",
}  # fmt: skip
_MOSTLY = 80


def farmland(frame: Any, edition: str | None = None) -> Any:
    """Return the class of each farmland point.

    Parameters
    ----------
    frame
        ``site, factor, value, land``, optionally ``time, unit, qualifier, limit, flag``. Items by code, symbol or
        Chinese name, mg/kg; pH as a factor of its own or a column ``ph``. Land: ``paddy`` 水田, ``orchard`` 果园,
        ``other`` 其他, ``rotation`` 水旱轮作.
    edition
        One edition of GB 15618; by default that in force.

    Returns
    -------
    frame
        ``site, (time,) land, soil_class, word, over_screening, over_intervention, edition, stage, clause, missing,
        note``: `soil_class` 1–3, `word` 优先保护类, 安全利用类, 严格管控类; null is 无法判定. The lists have multiples
        and every item of the tables; the class stands on Cd, Hg, As, Pb and Cr.

    Raises
    ------
    InputError
        If no factor is an item of the standard, a unit cannot be converted or a use of land is not known.

    Notes
    -----
    依据: GB 15618—2018 表1—3; 环办土壤〔2019〕53号.

    Examples
    --------
    >>> import polars as pl
    >>> point = pl.DataFrame({"site": "a", "land": "水田", "factor": ["pH", "镉", "汞", "砷", "铅", "铬"],
    ...                       "value": [6.0, 0.5, 0.1, 8.0, 30.0, 70.0]})
    >>> farmland(point).select("word", "over_screening").row(0)
    ('安全利用类', '镉(0.25)')
    """
    given = opened(frame, ("site", "factor", "value", "land"))
    names = given.frame.collect_schema().names()
    available = farmland_editions(edition)
    if edition is None and "time" in names:
        refuse_uncovered(given.frame, nw.col("time"), available)
    chosen = available[-1]
    known = canonical(given.frame, "land", LAND_WORDS)
    keys: list[str] = [name for name in ("site", "time", "land", "ph") if name in names]
    found = single_factor.samples(known, chosen.items, keys, chosen.name)
    return given.give(_judged(found, chosen, keys))


def farmland_rejects(frame: Any) -> Any:
    """Return the rows that `farmland` does not count, with ``field, zh, en`` saying why."""
    given = opened(frame, ("site", "factor", "value"))
    chosen = farmland_editions()[-1]
    return given.give(single_factor.rejects(given.frame, chosen.items, chosen.name))


def _judged(samples: Samples, edition: FarmlandSoil, keys: list[str]) -> nw.LazyFrame[Any]:
    items = [item for item in samples.items if item is not PH]
    ph = _ph(samples, keys)
    bins = nw.lit(len(edition.bins), dtype=nw.Int64)
    for number, end in reversed(list(enumerate(edition.bins))):
        bins = nw.when(ph <= PH.whole(end)).then(nw.lit(number, dtype=nw.Int64)).otherwise(bins)
    binned = samples.frame.with_columns(nw.when(~ph.is_null()).then(bins).alias("_bin"))
    limited = settled(
        binned.with_columns(
            _value(edition, kind, item).alias(f"_{kind} {item.code}")
            for item in items
            for kind in ("screening", "intervention")
        )
    )
    deciding = [item for item in items if item.code in edition.deciding]
    judged = limited.with_columns(
        largest([_class(item, nw.col(low(item))) for item in deciding]).alias("_best"),
        largest([_class(item, nw.col(high(item))) for item in deciding]).alias("_worst"),
        samples.missing(edition.deciding).alias("missing"),
    )
    word = nw.lit(None, dtype=nw.String)
    for number, name in enumerate(CLASSES, start=1):
        word = nw.when(nw.col("soil_class") == number).then(nw.lit(name)).otherwise(word)
    decided = judged.with_columns(
        nw.when(nw.col("_best") == nw.col("_worst")).then(nw.col("_best")).alias("soil_class")
    )
    note = joined(
        [
            (nw.col("_bin").is_null(), nw.lit("缺 pH 或 pH 不唯一，限值不定，无法判定")),
            (~nw.col("_bin").is_null() & nw.col("_best").is_null(), nw.lit("五项均无数据，无法判定")),
            (nw.col("_best") < nw.col("_worst"), nw.lit("检出限高于限值，无法判定")),
            (~nw.col("missing").is_null() & ~nw.col("soil_class").is_null(), nw.lit("有缺项，类别只就已测项目")),
            *samples.notes(),
        ]
    )
    listed = with_exceeding(
        decided,
        {
            "over_screening": [_over("screening", item) for item in items],
            "over_intervention": [_over("intervention", item) for item in items],
        },
    )
    return listed.select(
        *(key for key in keys if key != "ph"),
        "soil_class",
        word.alias("word"),
        "over_screening",
        "over_intervention",
        nw.lit(edition.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit(edition.basis[0].clause).alias("clause"),
        "missing",
        note.alias("note"),
    )


def _ph(samples: Samples, keys: list[str]) -> nw.Expr:
    if "ph" in keys:
        column = nw.col("ph").cast(nw.Float64)
        return scaled(nw.when((column >= 0) & (column <= 14)).then(column), PH.scale)
    if PH not in samples.items:
        return nw.lit(None, dtype=nw.Int64)
    return nw.when(nw.col(low(PH)) == nw.col(high(PH))).then(nw.col(low(PH)))


def _value(edition: FarmlandSoil, kind: str, item: Item) -> nw.Expr:
    found = nw.lit(None, dtype=nw.Int64)
    for land in LANDS:
        four = edition.four(kind, item.code, land)
        if four is None:
            continue
        for number, value in enumerate(four):
            here = (nw.col("land") == land) & (nw.col("_bin") == number)
            found = nw.when(here).then(nw.lit(item.whole(value), dtype=nw.Int64)).otherwise(found)
    return found


def _class(item: Item, value: nw.Expr) -> nw.Expr:
    above = (value > nw.col(f"_screening {item.code}")).cast(nw.Int64)
    return above + (value > nw.col(f"_intervention {item.code}")).cast(nw.Int64) + 1


def _over(kind: str, item: Item) -> Beyond:
    limit, value = nw.col(f"_{kind} {item.code}"), nw.col(low(item))
    return Beyond(item.name, value > limit, value, limit)


def farmland_units(frame: Any) -> Any:
    """Return the class of each evaluation unit from the classes of its points.

    Parameters
    ----------
    frame
        ``unit, soil_class``: one row a point, as `farmland` gives them with the unit added.

    Returns
    -------
    frame
        ``unit, points, share, soil_class, word, edition, stage, clause, missing, note``: all points of one class, or
        more than 80 % of them with no other of 严格管控类, decide; else the unit is to be divided and has no class.

    Notes
    -----
    依据: 环办土壤〔2019〕53号 (单元类别, check M).

    Examples
    --------
    >>> import polars as pl
    >>> points = pl.DataFrame({"unit": ["a"] * 6 + ["b"] * 2, "soil_class": [1, 1, 1, 1, 1, 2, 1, 3]})
    >>> farmland_units(points).sort("unit").select("share", "word").rows()
    [(83.3, '优先保护类'), (50.0, None)]
    """
    given = opened(frame, ("unit", "soil_class"))
    counts = given.frame.group_by("unit").agg(
        nw.col("soil_class").count().cast(nw.Int64).alias("points"),
        nw.len().cast(nw.Int64).alias("_rows"),
        *(
            (nw.col("soil_class") == number).cast(nw.Int64).sum().cast(nw.Int64).alias(f"_n{number}")
            for number in (1, 2, 3)
        ),
    )
    most = nw.max_horizontal("_n1", "_n2", "_n3")
    lead = (
        nw.when(nw.col("_n3") == most).then(nw.lit(3)).when(nw.col("_n2") == most).then(nw.lit(2)).otherwise(nw.lit(1))
    )
    led = counts.with_columns(most.alias("_most"), lead.cast(nw.Int64).alias("_lead"))
    whole = nw.col("points") == nw.col("_most")
    mostly = (nw.col("_most") * 100 > nw.col("points") * _MOSTLY) & ((nw.col("_n3") == 0) | (nw.col("_lead") == 3))
    judged = led.with_columns(
        nw.when((nw.col("points") > 0) & (whole | mostly)).then(nw.col("_lead")).alias("soil_class")
    )
    total = nw.when(nw.col("points") > 0).then(nw.col("points"))
    tenths = half_even_ratio(nw.col("_most") * 1000, total)
    word = nw.lit(None, dtype=nw.String)
    for number, name in enumerate(CLASSES, start=1):
        word = nw.when(nw.col("soil_class") == number).then(nw.lit(name)).otherwise(word)
    unjudged = nw.col("_rows") - nw.col("points")
    edition = farmland_editions()[-1]
    return given.give(
        judged.select(
            "unit",
            "points",
            real(tenths, 10).alias("share"),
            "soil_class",
            word.alias("word"),
            nw.lit(edition.name).alias("edition"),
            nw.lit(None, dtype=nw.String).alias("stage"),
            nw.lit(edition.basis[1].clause).alias("clause"),
            nw.when(unjudged > 0).then(nw.concat_str([unjudged.cast(nw.String), nw.lit("个点位")])).alias("missing"),
            nw.when(nw.col("soil_class").is_null()).then(nw.lit("点位类别不一致，应划分单元")).alias("note"),
        )
    )
