"""建城〔2015〕130号: whether an urban water is black and odorous, by points, reaches and the whole."""

from __future__ import annotations

from functools import reduce
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import listed, opened, scaled
from qinglan.standards.edition import editions
from qinglan.standards.water.items import NANO, samples, title_of
from qinglan.standards.water.tables import FOLDER, BlackOdorous, BlackOdorousLimit

NONE, LIGHT, HEAVY = "非黑臭", "轻度黑臭", "重度黑臭"
_PERCENT = 100


def black_odorous_editions() -> tuple[BlackOdorous, ...]:
    """Return the editions of the guide, the oldest first."""
    return editions(FOLDER, BlackOdorous, "建城〔2015〕130号")


def black_odorous_points(frame: Any, *, by: str = "water") -> Any:
    """Return the grade of each point of each water, over all its samplings.

    Parameters
    ----------
    frame
        ``site`` (the point), the water, ``factor, time, value`` with ``sd`` (transparency, cm), ``do`` (mg/L), ``orp``
        (mV), ``nh3n`` (mg/L), or a column an item. With ``depth`` (cm) shallow points have their own limit of
        transparency; with ``order`` (the point's place along the water, a number) reaches are found.
    by
        The column that names the water.

    Returns
    -------
    frame
        The water, ``site, samples, grade`` (非黑臭, 轻度黑臭, 重度黑臭), ``level`` (0, 1, 2), ``heavy_items``,
        ``in_heavy_reach`` (one of three or more heavy neighbours; null without ``order``), ``edition, stage, clause,
        missing, note``.

    Notes
    -----
    依据: 建城〔2015〕130号 表1 (orp and shares: check M; the light grade is an own reading).
    """
    given = opened(frame, ("site", "time", by))
    names = given.frame.collect_schema().names()
    rules = black_odorous_editions()[-1]
    extra = [name for name in ("depth", "order") if name in names]
    wanted = {limit.item: limit for limit in rules.limits}
    held = samples(given.frame, [by, "site", "time", *extra], wanted, units={"sd": "cm"})
    if held.ranged:
        low = ", ".join(held.ranged)
        raise InputError(
            f"黑臭水体评价不接受带“<”或“>”的值：{'、'.join(map(title_of, held.ranged))}。",
            f"Values with a qualifier are not judged here: {low}.",
            field="qualifier",
        )
    there = [limit for limit in rules.limits if limit.item in held.items]
    marked = held.frame.with_columns(
        *(_beyond(limit, rules, "depth" in extra, heavy=True).alias(f"heavy {limit.item}") for limit in there),
        *(_beyond(limit, rules, "depth" in extra, heavy=False).alias(f"light {limit.item}") for limit in there),
    )
    summed = marked.group_by(by, "site").agg(
        nw.len().cast(nw.Int64).alias("samples"),
        *(nw.col(f"q {limit.item}").count().cast(nw.Int64).alias(f"n {limit.item}") for limit in there),
        *(
            nw.col(f"{word} {limit.item}").sum().cast(nw.Int64).alias(f"{word} {limit.item}")
            for word in ("heavy", "light")
            for limit in there
        ),
        *([nw.col("order").min().alias("order")] if "order" in extra else []),
    )
    heavy, light = _reached(there, rules, "heavy"), _reached(there, rules, "light")
    known = reduce(lambda one, other: one | other, [nw.col(f"n {limit.item}") > 0 for limit in there])
    level = nw.when(heavy).then(nw.lit(2)).otherwise(nw.when(light).then(nw.lit(1)).otherwise(nw.lit(0)))
    graded = summed.with_columns(nw.when(known).then(level).cast(nw.Int64).alias("level"))
    reach = _reach(by) if "order" in extra else nw.lit(None, dtype=nw.Boolean)
    counted = graded.with_columns((nw.col("level") == 2).fill_null(value=False).cast(nw.Int64).alias("_heavy"))
    never = [title_of(limit.item) for limit in rules.limits if limit not in there]
    return given.give(
        counted.with_columns(reach.alias("in_heavy_reach")).select(
            *(by, "site", "samples"),
            _word(nw.col("level")).alias("grade"),
            "level",
            listed([(nw.col(f"heavy {one.item}") > 0, title_of(one.item)) for one in there]).alias("heavy_items"),
            "in_heavy_reach",
            nw.lit(rules.name).alias("edition"),
            nw.lit(rules.stage, dtype=nw.String).alias("stage"),
            nw.lit(f"{rules.number} 表1（未全：{'、'.join(rules.lacking)}）").alias("clause"),
            nw.lit("、".join(never) or None, dtype=nw.String).alias("missing"),
            nw.when(nw.col("level").is_null()).then(nw.lit("没有可评价的数据")).alias("note"),
        )
    )


def black_odorous_waters(points: Any, *, by: str = "water") -> Any:
    """Return the grade of each whole water from those of its points.

    Parameters
    ----------
    points
        What `black_odorous_points` gave.
    by
        The column that names the water.

    Returns
    -------
    frame
        The water, ``points, heavy, light, grade, clause, note``.

    Notes
    -----
    依据: 建城〔2015〕130号 二 (check M).
    """
    given = opened(points, (by, "site", "level"))
    rules = black_odorous_editions()[-1]
    level = nw.col("level")
    summed = given.frame.group_by(by).agg(
        level.count().cast(nw.Int64).alias("points"),
        (level == 2).cast(nw.Int64).sum().cast(nw.Int64).alias("heavy"),
        (level == 1).cast(nw.Int64).sum().cast(nw.Int64).alias("light"),
    )
    whole = nw.col("heavy") * _PERCENT >= nw.col("points") * rules.of_points
    some = nw.when(nw.col("heavy") + nw.col("light") > 0).then(nw.lit(1)).otherwise(nw.lit(0))
    found = nw.when(nw.col("points") > 0).then(nw.when(whole).then(nw.lit(2)).otherwise(some))
    return given.give(
        summed.select(
            *(by, "points", "heavy", "light"),
            _word(found).alias("grade"),
            nw.lit(f"{rules.number} 二").alias("clause"),
            nw.when(nw.col("points") == 0).then(nw.lit("没有可评价的点位")).alias("note"),
        )
    )


def _beyond(limit: BlackOdorousLimit, rules: BlackOdorous, with_depth: bool, *, heavy: bool) -> nw.Expr:
    q = nw.col(f"q {limit.item}")
    bound = nw.lit(int((limit.heavy if heavy else limit.light) * NANO), dtype=nw.Int64)
    if limit.item == "sd" and with_depth:
        depth = scaled(nw.col("depth"), NANO)
        share = scaled(nw.col("depth") * float(rules.share_of_depth), NANO)
        lower = nw.when(share < bound).then(share).otherwise(bound)
        bound = nw.when(depth < int(rules.shallow * NANO)).then(lower).otherwise(bound)
    found = q < bound if limit.below else q > bound
    return (found if heavy else found | (q == bound)).cast(nw.Int64)


def _reached(there: list[BlackOdorousLimit], rules: BlackOdorous, word: str) -> nw.Expr:
    shares = [(nw.col(f"{word} {limit.item}") * _PERCENT, nw.col(f"n {limit.item}")) for limit in there]
    one = reduce(lambda a, b: a | b, [part > count * rules.one_item for part, count in shares])
    several = reduce(lambda a, b: a + b, [(part > count * rules.two_items).cast(nw.Int64) for part, count in shares])
    return (one | (several >= 2)).fill_null(value=False)


def _reach(by: str) -> nw.Expr:
    """Return whether a heavy point has two heavy neighbours that make three in a row."""
    place = {step: nw.col("_heavy").shift(step).over(by, order_by="order").fill_null(0) for step in (-2, -1, 1, 2)}
    runs = (place[-1] * place[-2]) + (place[-1] * place[1]) + (place[1] * place[2])
    return (nw.col("_heavy") * runs) > 0


def _word(level: nw.Expr) -> nw.Expr:
    found = nw.lit(None, dtype=nw.String)
    for number, word in enumerate((NONE, LIGHT, HEAVY)):
        found = nw.when(level == number).then(nw.lit(word)).otherwise(found)
    return found
