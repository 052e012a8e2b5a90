"""Drinking-water sources: GB 3838 tables 1 to 3 at class III, and the rates by number and by volume."""

from __future__ import annotations

from functools import reduce
from typing import Any

import narwhals as nw

from qinglan.core.frames import SCALE, on_beijing_clock, opened, real, scaled, with_lists, with_ratios
from qinglan.standards.lookup import decimal
from qinglan.standards.water.classes import chosen_editions, kind_marks
from qinglan.standards.water.items import NANO, samples, title_of
from qinglan.standards.water.tables import GOOD, WaterClasses

NOT_JUDGED = ("water_temp", "cod", "tn", "fc")
"""Items of table 1 that do not decide about a source. 依据: 环办〔2011〕22号; HJ 774—2015 (check M)."""

_PERCENT = 100


def source_tests(frame: Any, kind: str | None = None, *, edition: str | None = None) -> Any:
    """Return, for each test of a surface-water source, whether it meets.

    Parameters
    ----------
    frame
        As for `section_class`, with the items of tables 1, 2 and 3 (those of tables 2 and 3 by their Chinese names).
    kind
        ``"river"``, ``"lake"`` or the column that says which, for phosphorus.
    edition
        An edition of GB 3838.

    Returns
    -------
    frame
        ``site, time, items`` (judged), ``meets`` (null = 无法判定), ``exceeding`` (with multiples), ``undetermined,
        edition, stage, clause, missing`` (items of table 1 not measured), ``note``.

    Notes
    -----
    Table 1 at class III without water temperature, chemical oxygen demand, total nitrogen and faecal coliforms; the
    limits of tables 2 and 3 are met or not. 依据: GB 3838—2002 表1—表3; HJ 774—2015 (check M).
    """
    given = opened(frame, ("site", "time"))
    names = given.frame.collect_schema().names()
    law, _ = chosen_editions(given.frame, edition)
    is_river, is_lake, column = kind_marks(kind, names)
    keys = ["site", "time", *([column] if column else [])]
    first = [item for item in law.items if item not in NOT_JUDGED]
    held = samples(given.frame, keys, (*first, *law.specific_limits))
    staged, multiples = [], {}
    for item in held.items:
        exceeds, unclear, multiple = _verdict(law, item, is_river, is_lake, ranged=item in held.ranged)
        staged += [exceeds.alias(f"over {item}"), unclear.alias(f"unsure {item}")]
        if multiple is not None:
            multiples[item] = multiple.alias(f"m {item}")
    texts = [
        nw.when(nw.col(f"over {item}")).then(
            _written(title_of(item), nw.col(f"m {item}") if item in multiples else None)
        )
        for item in held.items
    ]
    counted = [(~nw.col(f"q {item}").is_null()).cast(nw.Int64) for item in held.items]
    never = [title_of(item) for item in first if item not in held.items]
    absent = [(nw.col(f"q {item}").is_null(), title_of(item)) for item in first if item in held.items] or [_NEVER]
    here = nw.col("_absent")
    missing = nw.concat_str([here, nw.lit("、".join(never))], separator="、", ignore_nulls=True) if never else here
    judged = with_lists(
        held.frame.with_columns(*staged, *multiples.values()),
        {
            "undetermined": [
                (nw.col(f"unsure {item}") & ~nw.col(f"over {item}"), title_of(item)) for item in held.items
            ],
            "_absent": absent,
            **held.excluded(),
        },
    ).with_columns(nw.concat_str(texts, separator="、", ignore_nulls=True).alias("exceeding"))
    exceeding, unclear = nw.col("exceeding"), nw.col("undetermined")
    return given.give(
        judged.select(
            *keys,
            reduce(lambda one, other: one + other, counted).alias("items"),
            nw.when(exceeding != "").then(nw.lit(value=False)).otherwise(
                nw.when(unclear.is_null()).then(nw.lit(value=True))
            ).alias("meets"),
            nw.when(exceeding != "").then(exceeding).alias("exceeding"),
            "undetermined",
            nw.lit(law.name).alias("edition"),
            nw.lit(law.stage, dtype=nw.String).alias("stage"),
            nw.lit(f"{law.number} 表1—表3").alias("clause"),
            missing.alias("missing"),
            held.note().alias("note"),
        )
    )  # fmt: skip


_NEVER = (nw.lit(value=False), "")


def _verdict(
    law: WaterClasses, item: str, is_river: nw.Expr, is_lake: nw.Expr, *, ranged: bool
) -> tuple[nw.Expr, nw.Expr, nw.Expr | None]:
    """Return whether an item exceeds, whether that is unclear, and the multiple in hundredths where it has one."""
    q = nw.col(f"q {item}")
    h = nw.col(f"h {item}") if ranged else q
    there = ~q.is_null()
    if item in law.specific_limits:
        limit = int(law.specific_limits[item].limit * NANO)
    else:
        criterion = law.criterion(item, "lake")
        if criterion.op == "range":
            low, high = (int(end * NANO) for end in criterion.limits)
            outside = there & ((q < low) | (q > high))
            return _sure(outside), _sure(there & (h.is_null() | (h != q))), None
        limit = int(criterion.limits[GOOD - 1] * NANO)
        if criterion.op == ">=":
            return _sure(h < limit), _sure(there & (q < limit)), None
    against, kindest = nw.lit(limit, dtype=nw.Int64), nw.lit(limit, dtype=nw.Int64)
    if item == "tp":
        river = int(law.criterion(item, "river").limits[GOOD - 1] * NANO)
        kindest = nw.when(is_lake).then(against).otherwise(nw.lit(river, dtype=nw.Int64))
        against = nw.when(is_river).then(nw.lit(river, dtype=nw.Int64)).otherwise(against)
    over = (q - kindest).cast(nw.Float64)
    multiple = scaled(over / (over * 0 + kindest), 100)
    return _sure(q > kindest), _sure(there & (h.is_null() | (h > against))), multiple


def _sure(condition: nw.Expr) -> nw.Expr:
    return condition.fill_null(value=False)


def _written(title: str, multiple: nw.Expr | None) -> nw.Expr:
    if multiple is None:
        return nw.lit(title)
    whole, rest = (multiple // 100).cast(nw.String), (multiple % 100).cast(nw.String).str.zfill(2)
    figures = nw.concat_str([nw.lit(f"{title}("), whole, nw.lit("."), rest, nw.lit(")")])
    return nw.when(multiple.is_null()).then(nw.lit(title)).otherwise(figures)


def source_rates(tests: Any, volumes: Any = None, *, decimals: int = 1) -> Any:
    """Return the share of sources that meet, by number and by volume, for each year.

    Parameters
    ----------
    tests
        ``site, time, meets``: the tests of surface sources (`source_tests`), of wells (class III of GB/T 14848), or
        both; `time` holds times or dates. A source meets if every test of the year does.
    volumes
        ``site, year, volume`` in a frame of the same engine; without it there is no rate by volume.
    decimals
        Of the rates.

    Returns
    -------
    frame
        ``year, sources, qualified, undetermined, rate`` (%), ``volume, qualified_volume, volume_rate`` (%, null where
        a source has no volume), ``clause, missing, note``.

    Notes
    -----
    A source that cannot be judged counts among the sources and not among those that meet. 依据: HJ 774—2015 (check M).
    """
    given = opened(tests, ("site", "time", "meets"))
    dtype = given.frame.collect_schema()["time"]
    local = given.frame if isinstance(dtype, nw.Date) else on_beijing_clock(given.frame)
    fails = (nw.col("meets") == nw.lit(value=False)).fill_null(value=False).cast(nw.Int64)
    yearly = (
        local.with_columns(
            nw.col("time").dt.year().cast(nw.Int64).alias("year"),
            fails.alias("_fails"),
            nw.col("meets").is_null().cast(nw.Int64).alias("_unclear"),
        )
        .group_by("site", "year")
        .agg(nw.col("_fails").max().alias("_fails"), nw.col("_unclear").max().alias("_unclear"))
        .with_columns(
            ((nw.col("_fails") == 0) & (nw.col("_unclear") == 0)).cast(nw.Int64).alias("_good"),
            ((nw.col("_fails") == 0) & (nw.col("_unclear") == 1)).cast(nw.Int64).alias("_unknown"),
        )
    )
    volume = nw.lit(None, dtype=nw.Float64)
    if volumes is not None:
        amounts = opened(volumes, ("site", "year", "volume")).frame.select(
            "site", nw.col("year").cast(nw.Int64).alias("year"), nw.col("volume").cast(nw.Float64).alias("volume")
        )
        yearly, volume = yearly.join(amounts, on=["site", "year"], how="left"), nw.col("volume")
    q = scaled(volume)
    summed = yearly.with_columns(q.alias("_v")).group_by("year").agg(
        nw.len().cast(nw.Int64).alias("sources"),
        nw.col("_good").sum().cast(nw.Int64).alias("qualified"),
        nw.col("_unknown").sum().cast(nw.Int64).alias("undetermined"),
        nw.col("_v").sum().cast(nw.Int64).alias("_all"),
        nw.col("_v").count().cast(nw.Int64).alias("_known"),
        nw.when(nw.col("_good") == 1).then(nw.col("_v")).sum().cast(nw.Int64).alias("_met"),
    )  # fmt: skip
    whole = (nw.col("_known") == nw.col("sources")) & (nw.col("_all") > 0)
    by_volume = real(nw.col("_met")) / nw.when(whole).then(real(nw.col("_all"))) * _PERCENT
    rated = with_ratios(
        summed.with_columns(by_volume.alias("_share")).with_columns(scaled(nw.col("_share")).alias("_millionths")),
        {
            "_by_volume": (nw.col("_millionths"), SCALE // 10**decimals),
            "_by_number": (nw.col("qualified") * (_PERCENT * 10**decimals), nw.col("sources")),
        },
    )
    absent = nw.col("sources") - nw.col("_known")
    short = nw.when(absent > 0).then(nw.concat_str([absent.cast(nw.String), nw.lit(" 个水源没有取水量")]))
    unknown = nw.concat_str([nw.col("undetermined").cast(nw.String), nw.lit(" 个水源无法判定，不计为达标")])
    return given.give(
        rated.select(
            *("year", "sources", "qualified", "undetermined"),
            decimal(nw.col("_by_number"), decimals).alias("rate"),
            nw.when(whole).then(real(nw.col("_all"))).alias("volume"),
            nw.when(whole).then(real(nw.col("_met"))).alias("qualified_volume"),
            decimal(nw.col("_by_volume"), decimals).alias("volume_rate"),
            nw.lit("达标水源数 / 水源总数；达标取水量 / 取水总量").alias("clause"),
            (short if volumes is not None else nw.lit(None, dtype=nw.String)).alias("missing"),
            nw.when(nw.col("undetermined") > 0).then(unknown).alias("note"),
        )
    )
