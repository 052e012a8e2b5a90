"""Environmental tax on what is discharged into air and water, outlet by outlet and month by month."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.core.frames import scaled
from qinglan.standards.edition import in_force, named, refuse_uncovered
from qinglan.standards.governance.tables import Rate, Tax, taxes
from qinglan.standards.lookup import amounts, decimal, looked_up, only
from qinglan.standards.signed import signed

REQUIRED = ("site", "outlet", "medium", "factor", "date", "value")
MEDIA = ("air", "water")
_OUTLET = ("site", "outlet", "medium", "_month")


def pollution_tax(
    frame: Any,
    *,
    province: str | None = None,
    rates: Mapping[str, float] | None = None,
    edition: str | None = None,
) -> Any:
    """Return the tax on each pollutant of each outlet and month.

    Parameters
    ----------
    frame
        One row a pollutant, outlet and month: ``site, outlet, medium`` (air, water), ``factor`` (the name in annex 2,
        or SO2, NOx, CO, HCl, COD, BOD5, TOC, SS, NH3-N, TP …), ``date`` (a day of the month) and ``value``: kilograms;
        tonnes of waste water for the rows of pH, coliforms and residual chlorine; head, birds, beds or tonnes for
        small sources. Optional, for the reduction: ``concentration, standard`` (in one unit) and ``exceeded``
        (whether any hourly or daily value exceeded).
    province
        Whose rates count, by the date: ``"辽宁"``, ``"山东"``, ``"江苏/南京"`` …
    rates
        Yuan for one equivalent instead, ``{"air": 1.2, "water": 2.8}``.
    edition
        An edition of the law; by default the one in force on each date.

    Returns
    -------
    frame
        ``site, outlet, medium, factor, date, value``, then ``group, equivalents, place`` (among those of its outlet),
        ``taxed, rate, share`` (what is due after the reduction), ``tax`` (yuan, rounded to 0.01), ``edition, stage,
        clause, missing, note``.

    Raises
    ------
    InputError
        If a column is absent, an amount is negative, the medium is none of the two, a rate lies outside the law's
        range, or neither province nor rates are given.
    EditionError
        If the province's rates are not on file, or a date lies before the law.

    Notes
    -----
    依据: 环境保护税法 第七、八、九、十一、十三条, 附表二; 实施条例 第十、十一条.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import date
    >>> month = pl.DataFrame({"site": "a", "outlet": "1", "medium": "air", "factor": ["SO2", "CO"],
    ...                       "date": date(2025, 6, 1), "value": [100.0, 200.0]})
    >>> pollution_tax(month, rates={"air": 1.2})["tax"].to_list()
    [126.32, 14.37]
    """
    given = amounts(frame, REQUIRED, ("value", "concentration", "standard"))
    only(given.frame, "medium", MEDIA)
    rule = _edition(given.frame, edition)
    names = given.frame.collect_schema().names()
    known = _with_facts(given.frame, rule).with_columns(
        (nw.col("value") / nw.col("_equivalent")).alias("equivalents"),
        (nw.col("date").dt.year() * 12 + nw.col("date").dt.month()).alias("_month"),
        *_share(rule, names),
    )
    counted = _places(known)
    small = nw.col("group") == "small_source"
    limit = nw.when(nw.col("_order") == 0).then(nw.lit(0)).otherwise(_first(rule))
    eligible = ~nw.col("equivalents").is_null() & ~nw.col("_outdone") & ~nw.col("_too_small")
    taxed = eligible & (small | (nw.col("place") <= limit))
    judged = counted.with_columns(taxed.alias("taxed"), _rate(rule, province, rates).alias("rate"))
    due = nw.col("equivalents") * nw.col("rate") * nw.col("share")
    return given.give(
        judged.select(
            *REQUIRED,
            "group",
            "equivalents",
            nw.when(eligible & ~small).then(nw.col("place")).alias("place"),
            "taxed",
            "rate",
            "share",
            decimal(nw.when(nw.col("taxed")).then(scaled(due, 100)).otherwise(_zero_if_known()), 2).alias("tax"),
            *signed(rule),
            nw.when(nw.col("value").is_null()).then(nw.lit("value")).alias("missing"),
            _note().alias("note"),
        )
    )


def _edition(frame: nw.LazyFrame[Any], edition: str | None) -> Tax:
    available = taxes()
    if edition is not None:
        return named(available, edition)
    refuse_uncovered(frame, nw.col("date"), available)
    latest = frame.select(nw.col("date").max().alias("last")).collect().to_dict(as_series=False)["last"][0]
    return (
        available[-1]
        if latest is None
        else in_force(available, latest if not hasattr(latest, "date") else latest.date())
    )


def _with_facts(frame: nw.LazyFrame[Any], rule: Tax) -> nw.LazyFrame[Any]:
    """Add what annex 2 says of each row's pollutant; the text is looked up once, its row's number then."""
    rows = list(enumerate(rule.equivalents))
    key = nw.concat_str([nw.col("medium"), nw.lit("/"), nw.col("factor")])
    numbers = {f"{row.medium}/{name}": number for number, row in rows for name in (row.pollutant, *row.aliases)}
    numbered = frame.with_columns(looked_up(key, numbers, nw.Int64).alias("_row"))
    row_ = nw.col("_row")
    above = looked_up(row_, {number: row.above for number, row in rows}, nw.Int64)
    return numbered.with_columns(
        looked_up(row_, {number: float(row.equivalent) for number, row in rows}, nw.Float64).alias("_equivalent"),
        looked_up(row_, {number: row.group for number, row in rows}, nw.String).alias("group"),
        looked_up(row_, {number: row.one_of for number, row in rows}, nw.String).alias("_one_of"),
        (nw.col("value") <= above).fill_null(value=False).alias("_too_small"),
    )


def _share(rule: Tax, names: list[str]) -> list[nw.Expr]:
    given = [name for name in ("concentration", "standard", "exceeded") if name in names]
    if not given:
        return [nw.lit(1.0).alias("share")]
    absent = [name for name in ("concentration", "standard", "exceeded") if name not in names]
    if absent:
        raise InputError(
            f"减免要同时给出 concentration、standard、exceeded 三列，缺 {'、'.join(absent)}。",
            f"A reduction needs the columns concentration, standard and exceeded; {', '.join(absent)} is absent.",
            field=absent[0],
        )
    found = nw.lit(1.0)
    measured, standard = scaled(nw.col("concentration")), scaled(nw.col("standard"))
    clean = (~nw.col("exceeded")).fill_null(value=False) & (standard > 0).fill_null(value=False)
    for step in reversed(rule.reductions):
        low = (measured * 10 <= standard * int(step.concentration * 10)).fill_null(value=False)
        found = nw.when(clean & low).then(nw.lit(float(step.due))).otherwise(found)
    return [found.alias("share")]


def _places(known: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    group = nw.col("group")
    queue = nw.when(group.is_in(["class2", "other"])).then(nw.lit("others")).otherwise(group).fill_null("untaxed")
    size = (-nw.col("equivalents")).fill_null(1.0)
    sized = known.with_columns(
        queue.alias("_queue"), size.alias("_size"), nw.col("_one_of").fill_null(nw.col("factor")).alias("_kin")
    )
    largest = sized.with_columns(nw.col("_size").min().over(*_OUTLET, "_kin").alias("_least"))
    first = nw.when(nw.col("_size") == nw.col("_least")).then(nw.col("factor"))
    ahead = largest.with_columns(first.min().over(*_OUTLET, "_kin").alias("_ahead"))
    outdone = ~nw.col("_one_of").is_null() & (nw.col("factor") != nw.col("_ahead"))
    chosen = ahead.with_columns(outdone.fill_null(value=False).alias("_outdone"))
    in_order = chosen.with_columns(
        nw.when(nw.col("_outdone") | nw.col("_too_small")).then(nw.lit(1.0)).otherwise(nw.col("_size")).alias("_order")
    )
    place = nw.col("_order").cum_count().over(*_OUTLET, "_queue", order_by=("_order", "factor"))
    return in_order.with_columns(place.cast(nw.Int64).alias("place"))


def _first(rule: Tax) -> nw.Expr:
    queue = nw.col("_queue")
    others = nw.when(queue == "class1").then(nw.lit(rule.first.class1)).otherwise(nw.lit(rule.first.others))
    return nw.when(queue == "air").then(nw.lit(rule.first.air)).otherwise(others)


def _rate(rule: Tax, province: str | None, rates: Mapping[str, float] | None) -> nw.Expr:
    if (province is None) == (rates is None):
        raise InputError(
            "请给出 province（省份）或 rates（每污染当量税额），二者取一。",
            "Give either a province or rates, yuan for one equivalent.",
            field="province",
        )
    found = nw.lit(None, dtype=nw.Float64)
    if rates is not None:
        for medium, rate in rates.items():
            least, most = rule.amount_of.get(medium, (Decimal(0), Decimal(0)))
            if not least <= Decimal(str(rate)) <= most:
                raise InputError(
                    f"{medium} 的税额 {rate} 不在法定幅度 {least}—{most} 元之内。",
                    f"The rate {rate} for {medium} lies outside the law's range of {least} to {most} yuan.",
                    field="rates",
                )
            found = nw.when(nw.col("medium") == medium).then(nw.lit(float(rate))).otherwise(found)
        return found
    for row in rule.rates(province or ""):
        found = nw.when(_applies(row, rule)).then(nw.lit(float(row.rate))).otherwise(found)
    return found


def _applies(rate: Rate, rule: Tax) -> nw.Expr:
    applies = (nw.col("medium") == rate.medium) & (nw.col("date") >= nw.lit(rate.start))
    if rate.end is not None:
        applies = applies & (nw.col("date") <= nw.lit(rate.end))
    if rate.pollutants:
        rows = [row for row in rule.equivalents if row.medium == rate.medium and row.pollutant in rate.pollutants]
        applies = applies & nw.col("factor").is_in([name for row in rows for name in (row.pollutant, *row.aliases)])
    return applies


def _zero_if_known() -> nw.Expr:
    return nw.when(~nw.col("equivalents").is_null()).then(nw.lit(0, dtype=nw.Int64))


def _note() -> nw.Expr:
    unlisted = nw.when(nw.col("group").is_null()).then(nw.lit("不在应税污染物和当量值表之列"))
    empty = unlisted.when(nw.col("value").is_null()).then(nw.lit("没有排放量"))
    small = empty.when(nw.col("_too_small")).then(nw.lit("未达到征收规模"))
    outdone = small.when(nw.col("_outdone")).then(nw.lit("同一排放口只征一项"))
    later = outdone.when(~nw.col("taxed")).then(nw.lit("当量数排在应征项数之后"))
    return later.when(nw.col("rate").is_null()).then(nw.lit("没有适用税额"))
