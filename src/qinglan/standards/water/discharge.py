"""GB 18918: what a municipal wastewater plant discharges, against the class that holds for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import long, opened, real, scaled
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.water.items import NANO, decimal, item_of, samples
from qinglan.standards.water.tables import GRADES, DischargeLimit, discharges

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
    parts = {
        item: _part(item, rows[item], grade, warm, built_before_2006, ranged=item in held.ranged)
        for item in held.items
        if item in rows
    }
    if not parts:
        raise InputError("没有 GB 18918 的项目。", "There is no item of GB 18918.", field="factor")
    found = long(held.frame, keys, parts, given.frame)
    return given.give(
        found.with_columns(
            nw.lit(law.name).alias("edition"),
            nw.lit(law.stage, dtype=nw.String).alias("stage"),
        )
    )


def _part(
    item: str, rows: Sequence[DischargeLimit], grade: str, warm: nw.Expr, old: bool, *, ranged: bool
) -> dict[str, nw.Expr]:
    strict, lenient = _pair(item, rows, old)
    q = nw.col(f"q {item}")
    h = nw.col(f"h {item}") if ranged else q
    first = rows[0]
    common = {
        "factor": nw.lit(item),
        "title": nw.lit(first.title),
        "value": nw.when(q == h).then(real(q, NANO)),
        "unit": nw.lit(first.unit),
        "clause": nw.lit(f"GB 18918 表{first.table}"),
        "missing": nw.when(q.is_null()).then(nw.lit(first.title)),
    }
    if first.op == "range":
        low, high = (_limit(strict, grade, end) for end in (0, 1))
        outside = (q < low) | (q > high)
        meets: nw.Expr = nw.when(q == h).then(~outside)
        limit, over = real(high, NANO), nw.lit(None, dtype=nw.Int64)
    else:
        one, other = _limit(strict, grade, 0), _limit(lenient, grade, 0)
        at_most = nw.when(warm.is_null()).then(other).otherwise(nw.when(warm).then(one).otherwise(other))
        at_least = nw.when(warm.is_null()).then(one).otherwise(at_most)
        nothing_found = (at_most == 0) & (q == 0)
        sure = (h <= at_least).fill_null(value=False) | nothing_found.fill_null(value=False)
        met = nw.when(sure).then(nw.lit(value=True))
        meets = nw.when(q > at_most).then(nw.lit(value=False)).otherwise(nw.when(~at_most.is_null()).then(met))
        limit = real(nw.when(at_least == at_most).then(at_most), NANO)
        some = nw.when((at_most > 0) & (q > at_most)).then(at_most)
        over = scaled((q - some).cast(nw.Float64) / some, _HUNDREDTHS)
    return common | {
        "limit": limit,
        "multiple": decimal(over, 2),
        "meets": meets,
        "note": _note(item, grade, q, meets, _limit(strict, grade, 0)),
    }


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


def _note(item: str, grade: str, q: nw.Expr, meets: nw.Expr, limit: nw.Expr) -> nw.Expr:
    unknown = nw.when(limit.is_null()).then(nw.lit("本级别没有限值")).otherwise(nw.lit("无法判定"))
    found = nw.when(~q.is_null() & meets.is_null()).then(unknown)
    if item not in ("cod", "bod5"):
        return found
    third = nw.lit(grade == "3") if grade in GRADES else nw.col(grade) == "3"
    return nw.when(third).then(nw.lit("进水浓度高时三级标准按去除率评价，此处未计")).otherwise(found)
