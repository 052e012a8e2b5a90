"""环办〔2011〕22号: a basin, a river or a region by the shares of its sections."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

import narwhals as nw

from qinglan.core.frames import opened, settled, with_ratios
from qinglan.standards.lookup import decimal, looked_up
from qinglan.standards.water.classes import Judged, chosen_editions, grade_of, judged, kind_marks
from qinglan.standards.water.items import averaged, samples, title_of
from qinglan.standards.water.pollutants import PLACES, with_tops
from qinglan.standards.water.sections import verdicts
from qinglan.standards.water.tables import GOOD, WORST, WaterEvaluation

_PERCENT = 100


def word_for(method: WaterEvaluation, good: float, bad: float) -> str:
    """Return a basin's word for its shares (%) of class I–III and of worse than V.

    Examples
    --------
    >>> from qinglan.standards.water.tables import water_evaluations
    >>> word_for(water_evaluations()[-1], 38.5, 0)
    '轻度污染'
    """
    for rule in method.basin:
        by_good = rule.good_from is not None and good >= rule.good_from
        by_bad = rule.good_from is None and (rule.bad_below is None or bad < rule.bad_below)
        if by_good or by_bad:
            return rule.word
    return method.basin[-1].word


def basin_evaluation(frame: Any, kind: str | None = None, *, by: str = "basin", edition: str | None = None) -> Any:
    """Return the evaluation of each basin at each time.

    Parameters
    ----------
    frame, kind, edition
        As for `section_class`, with a column that names the basin. `time` is the period; sections are compared that
        share it.
    by
        That column.

    Returns
    -------
    frame
        The basin, ``time, sections`` (with data), ``judged`` (with a class), ``class_1`` … ``class_6`` (how many),
        ``share_1`` … ``share_6, share_good`` (I–III), ``share_bad`` (worse than V; %, one decimal), ``rule``
        (``shares``, or ``mean`` with fewer than five sections), ``water_class, grade`` (of the means), ``word,
        main_pollutants, edition, stage, clause, missing, note``.

    Notes
    -----
    依据: 环办〔2011〕22号 三.
    """
    given = opened(frame, ("site", "time", by))
    names = given.frame.collect_schema().names()
    law, method = chosen_editions(given.frame, edition)
    column = kind_marks(kind, names)[2]
    keys = [by, "site", "time", *([column] if column else [])]
    found = judged(samples(given.frame, keys, method.evaluated), names, kind, law, method)
    sections = settled(found.frame)
    texts = settled(verdicts(replace(found, frame=sections), names, kind, keys))
    counted = sections.group_by(by, "time").agg(
        nw.len().cast(nw.Int64).alias("sections"),
        nw.col("water_class").count().cast(nw.Int64).alias("judged"),
        *(
            (nw.col("water_class") == number).cast(nw.Int64).sum().cast(nw.Int64).alias(f"class_{number}")
            for number in range(1, WORST + 1)
        ),
        *((nw.col(f"c {item}") > GOOD).cast(nw.Int64).sum().cast(nw.Int64).alias(f"x {item}") for item in found.items),
    )
    few = settled(_few(given.frame, found, names, kind, by))
    joined = counted.join(few, on=[by, "time"], how="left").join(_each(texts, by, method), on=[by, "time"], how="left")
    return given.give(_rows(joined, found, by))


def _few(frame: nw.LazyFrame[Any], found: Judged, names: list[str], kind: str | None, by: str) -> nw.LazyFrame[Any]:
    """Return the class of the items' means over the sections; a basin of rivers and lakes has no kind of its own."""
    method = found.method
    column = kind_marks(kind, names)[2]
    keys = [by, "site", "time", *([column] if column else [])]
    each = samples(frame, keys, method.evaluated, halve=True)
    each = replace(each, frame=settled(each.frame))
    mean = averaged(each, [by, "time"])
    if column:
        kinds = each.frame.group_by(by, "time").agg(
            nw.col(column).min().alias("_first"), nw.col(column).max().alias("_last")
        )
        same = nw.when(nw.col("_first") == nw.col("_last")).then(nw.col("_first"))
        kinds = kinds.select(by, "time", same.alias(column))
        mean = replace(mean, frame=mean.frame.join(kinds, on=[by, "time"], how="left"))
    one = judged(mean, names, kind, found.edition, method)
    return verdicts(one, names, kind, [by, "time"]).select(
        by, "time", nw.col("water_class").alias("of means"), nw.col("word").alias("word of means"),
        nw.col("note").alias("note of means"),
    )  # fmt: skip


def _each(texts: nw.LazyFrame[Any], by: str, method: WaterEvaluation) -> nw.LazyFrame[Any]:
    """Return the main pollutants of each section, for basins with few of them."""
    polluted = texts.filter(~nw.col("main_pollutants").is_null())
    text = nw.concat_str([nw.col("site"), nw.lit("："), nw.col("main_pollutants")])
    ranked = polluted.with_columns(text.alias("_text")).with_columns(
        nw.col("_text").rank("ordinal").over(by, "time").cast(nw.Int64).alias("_rank")
    )
    places = range(1, method.few_sections)
    spread = ranked.group_by(by, "time").agg(
        *(nw.when(nw.col("_rank") == place).then(nw.col("_text")).max().alias(f"_{place}") for place in places)
    )
    joined = nw.concat_str([f"_{place}" for place in places], separator="；", ignore_nulls=True)
    return spread.select(by, "time", joined.alias("of each"))


def _rows(joined: nw.LazyFrame[Any], found: Judged, by: str) -> nw.LazyFrame[Any]:
    method = found.method
    whole = nw.when(nw.col("judged") > 0).then(nw.col("judged"))
    good = reduce(lambda one, other: one + other, (nw.col(f"class_{number}") for number in range(1, GOOD + 1)))
    bad = nw.col(f"class_{WORST}")
    by_shares = nw.col("judged") >= method.few_sections
    word = nw.lit(method.basin[-1].word)
    for rule in reversed(method.basin[:-1]):
        if rule.good_from is not None:
            holds = good * _PERCENT >= whole * int(rule.good_from)
        else:
            holds = bad * _PERCENT < whole * int(rule.bad_below or 0)
        word = nw.when(holds).then(nw.lit(rule.word)).otherwise(word)
    worded = _with_rates(joined, found).with_columns(
        nw.when(by_shares).then(word).otherwise(nw.col("word of means")).alias("word"),
        nw.when(by_shares).then(nw.col("_by_rate")).otherwise(nw.col("of each")).alias("_pollutants"),
        good.alias("good"),
    )
    parts = {f"share_{number}": nw.col(f"class_{number}") for number in range(1, WORST + 1)}
    parts |= {"share_good": nw.col("good"), "share_bad": bad}
    steps = _PERCENT * 10**method.share_decimals
    shared = with_ratios(worded, {name: (part * steps, whole) for name, part in parts.items()})
    fine = nw.col("word").is_in([rule.word for rule in method.basin if rule.good_from is not None])
    absent = nw.when(nw.col("sections") > nw.col("judged")).then(nw.col("sections") - nw.col("judged"))
    return shared.select(
        by,
        "time",
        "sections",
        "judged",
        *(f"class_{number}" for number in range(1, WORST + 1)),
        *(decimal(nw.col(name), method.share_decimals).alias(name) for name in parts),
        nw.when(by_shares).then(nw.lit("shares")).otherwise(nw.lit("mean")).alias("rule"),
        nw.when(~by_shares).then(nw.col("of means")).alias("water_class"),
        nw.when(~by_shares).then(grade_of(nw.col("of means"))).alias("grade"),
        "word",
        nw.when(~fine).then(nw.col("_pollutants")).alias("main_pollutants"),
        nw.lit(found.edition.name).alias("edition"),
        nw.lit(found.edition.stage, dtype=nw.String).alias("stage"),
        nw.lit(f"{method.number} 三").alias("clause"),
        nw.concat_str([absent.cast(nw.String), nw.lit(" 个断面无法判定")]).alias("missing"),
        nw.when(~by_shares).then(nw.col("note of means")).alias("note"),
    )


def _with_rates(joined: nw.LazyFrame[Any], found: Judged) -> nw.LazyFrame[Any]:
    """Add ``_by_rate``: the three items that exceed class III in most sections; ties in the order of table 1."""
    keys = [
        nw.when(nw.col(f"x {item}") > 0)
        .then(nw.col(f"x {item}") * PLACES + (PLACES - 1 - number))
        .otherwise(nw.lit(-1, dtype=nw.Int64))
        .alias(f"k {item}")
        for number, item in enumerate(found.items)
    ]
    count = found.method.pollutants.count
    topped = with_tops(joined.with_columns(*keys), [f"k {item}" for item in found.items], count)
    names = {number: title_of(item) for number, item in enumerate(found.items)}
    shown = []
    for rank in range(count):
        top = nw.col(f"top {rank}")
        shown.append(nw.when(top >= 0).then(looked_up(PLACES - 1 - top % PLACES, names, nw.String)))
    return topped.with_columns(nw.concat_str(shown, separator="、", ignore_nulls=True).alias("_by_rate"))
