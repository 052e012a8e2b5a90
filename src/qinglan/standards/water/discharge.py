"""GB 18918: what a municipal wastewater plant discharges, against the class that holds for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import long, opened, real, scaled
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.lookup import decimal, looked_up
from qinglan.standards.water.items import NANO, item_of, samples
from qinglan.standards.water.tables import GRADES, Discharge, DischargeLimit, discharges

_HUNDREDTHS = 100


def discharge_verdict(frame: Any, grade: str, *, built_before_2006: bool = False, edition: str | None = None) -> Any:
    """Return for each daily mean whether it meets the limit of the plant's class.

    Parameters
    ----------
    frame
        Daily means: ``site, factor, time, value`` (mg/L; colour in times of dilution), or a column an item. With
        ``water_temp`` (°C) ammonia goes by the limit of its temperature.
    grade
        ``"1A"``, ``"1B"``, ``"2"``, ``"3"``, or the column that says which.
    built_before_2006
        Whether the plants were built before 2006, for phosphorus.
    edition
        An edition of GB 18918.

    Returns
    -------
    frame
        ``site, time`` (and the class's column), ``factor, title, value, unit, limit, multiple`` (two decimals, where
        exceeded), ``meets`` (null = 无法判定, or no limit), ``edition, stage, clause, missing, note``.

    Notes
    -----
    依据: GB 18918—2002 表1—表3.
    """
    given = opened(frame, ("site", "time"))
    schema = given.frame.collect_schema()
    if grade not in GRADES and grade not in schema.names():
        raise InputError(
            f"grade 应为 {'、'.join(GRADES)} 之一，或写明执行标准的列名，收到“{grade}”。",
            f'grade should be one of {", ".join(GRADES)}, or the column that says which; got "{grade}".',
            field="grade",
        )
    law = discharges(edition)[-1]
    if edition is None and isinstance(schema["time"], nw.Datetime | nw.Date):
        refuse_uncovered(given.frame, nw.col("time"), discharges())
    keys = ["site", "time", *([] if grade in GRADES else [grade])]
    rows: dict[str, list[DischargeLimit]] = {}
    for row in law.limits:
        rows.setdefault(item_of(row.item) or row.item, []).append(row)
    held = samples(given.frame, keys, (*rows, "water_temp"))
    warm = nw.lit(None, dtype=nw.Boolean)
    if "water_temp" in held.items:
        warm = nw.col("q water_temp") > int(law.cold * NANO)
    items = [item for item in held.items if item in rows]
    if not items:
        raise InputError("没有 GB 18918 的项目。", "There is no item of GB 18918.", field="factor")
    ranged = {item: item in held.ranged for item in items}
    limited = held.frame.with_columns(
        *(column for item in items for column in _limits(item, rows[item], grade, warm, built_before_2006))
    )
    met = limited.with_columns(_meets(item, rows[item], ranged=ranged[item]).alias(f"met {item}") for item in items)
    parts = {item: _part(item, ranged=ranged[item]) for item in items}
    return given.give(
        _shown(long(met, keys, parts, given.frame), keys, {item: rows[item][0] for item in items}, law, grade)
    )


def _limits(item: str, rows: Sequence[DischargeLimit], grade: str, warm: nw.Expr, old: bool) -> Iterator[nw.Expr]:
    """Yield ``most ITEM`` and ``least ITEM``: the lenient and the strict limit that may hold; the ends of a range."""
    strict, lenient = _pair(item, rows, old)
    if rows[0].op == "range":
        yield _limit(strict, grade, 1).alias(f"most {item}")
        yield _limit(strict, grade, 0).alias(f"least {item}")
    else:
        one, other = _limit(strict, grade, 0), _limit(lenient, grade, 0)
        cold = nw.when(warm).then(one).otherwise(other)
        yield nw.when(warm.is_null()).then(other).otherwise(cold).alias(f"most {item}")
        yield nw.when(warm.is_null()).then(one).otherwise(cold).alias(f"least {item}")
    yield _limit(strict, grade, 0).is_null().alias(f"unset {item}")


def _meets(item: str, rows: Sequence[DischargeLimit], *, ranged: bool) -> nw.Expr:
    q = nw.col(f"q {item}")
    h = nw.col(f"h {item}") if ranged else q
    most, least = nw.col(f"most {item}"), nw.col(f"least {item}")
    if rows[0].op == "range":
        return nw.when(q == h).then((q >= least) & (q <= most))
    nothing_found = (most == 0) & (q == 0)
    sure = (h <= least).fill_null(value=False) | nothing_found.fill_null(value=False)
    met = nw.when(sure & ~most.is_null()).then(nw.lit(value=True))
    return nw.when(q > most).then(nw.lit(value=False)).otherwise(met)


def _part(item: str, *, ranged: bool) -> dict[str, nw.Expr]:
    return {
        "factor": nw.lit(item),
        "_q": nw.col(f"q {item}"),
        "_h": nw.col(f"h {item}") if ranged else nw.col(f"q {item}"),
        "_most": nw.col(f"most {item}"),
        "_least": nw.col(f"least {item}"),
        "_unset": nw.col(f"unset {item}"),
        "meets": nw.col(f"met {item}"),
    }


def _shown(
    frame: nw.LazyFrame[Any], keys: Sequence[str], rows: Mapping[str, DischargeLimit], law: Discharge, grade: str
) -> nw.LazyFrame[Any]:
    factor, q, most = nw.col("factor"), nw.col("_q"), nw.col("_most")
    span = factor.is_in([item for item, row in rows.items() if row.op == "range"] or [""])
    some = nw.when(~span & (most > 0) & (q > most)).then(most)
    staged = frame.with_columns(
        looked_up(factor, {item: row.title for item, row in rows.items()}, nw.String).alias("title"),
        scaled((q - some).cast(nw.Float64) / some, _HUNDREDTHS).alias("_over"),
    )
    title = nw.col("title")
    return staged.select(
        *keys,
        *("factor", "title"),
        nw.when(q == nw.col("_h")).then(real(q, NANO)).alias("value"),
        looked_up(factor, {item: row.unit for item, row in rows.items()}, nw.String).alias("unit"),
        looked_up(factor, {item: f"GB 18918 表{row.table}" for item, row in rows.items()}, nw.String).alias("clause"),
        nw.when(q.is_null()).then(title).alias("missing"),
        nw.when(span | (nw.col("_least") == most)).then(real(most, NANO)).alias("limit"),
        decimal(nw.col("_over"), 2).alias("multiple"),
        "meets",
        _note(grade).alias("note"),
        nw.lit(law.name).alias("edition"),
        nw.lit(law.stage, dtype=nw.String).alias("stage"),
    )


def _pair(item: str, rows: Sequence[DischargeLimit], old: bool) -> tuple[DischargeLimit, DischargeLimit]:
    """Return the row for warm water and the one for cold; phosphorus has one, by the plant's age."""
    if item == "tp":
        return (rows[0], rows[0]) if old else (rows[-1], rows[-1])
    return rows[0], rows[-1]


def _limit(row: DischargeLimit, grade: str, end: int) -> nw.Expr:
    def of(name: str) -> nw.Expr:
        ends = row.limits[name]
        return nw.lit(None if ends is None else int(ends[end] * NANO), dtype=nw.Int64)

    if grade in GRADES:
        return of(grade)
    found = nw.lit(None, dtype=nw.Int64)
    for name in GRADES:
        found = nw.when(nw.col(grade) == name).then(of(name)).otherwise(found)
    return found


def _note(grade: str) -> nw.Expr:
    unknown = nw.when(nw.col("_unset")).then(nw.lit("本级别没有限值")).otherwise(nw.lit("无法判定"))
    found = nw.when(~nw.col("_q").is_null() & nw.col("meets").is_null()).then(unknown)
    third = nw.lit(grade == "3") if grade in GRADES else (nw.col(grade) == "3").fill_null(value=False)
    by_removal = nw.col("factor").is_in(["cod", "bod5"]) & third
    return nw.when(by_removal).then(nw.lit("进水浓度高时三级标准按去除率评价，此处未计")).otherwise(found)
