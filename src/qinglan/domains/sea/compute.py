"""The share of coastal water of class 1 or 2, by points: an own estimate beside the official share of area."""

from __future__ import annotations

import polars as pl

from qinglan.core.declare import Title
from qinglan.core.rounding import text as printed
from qinglan.domains.samples import SEA_ITEMS, counting_by_period, within
from qinglan.domains.sea.surveys import classes, points
from qinglan.indicators.compute import Estimate, Request, Step, function, nothing, reported, used
from qinglan.standards import sea

OWN = Title(
    zh="自测：按点位比例，各期平均；官方数值由国家或省海洋中心按面积插值得出，两者不能直接比较",
    en="Own estimate by points, mean of the surveys; the official figure is one of area by interpolation, made by the "
    "national or provincial centre: the two do not compare",
)


@function("sea.good_point_share")
def good_point_share(request: Request) -> Estimate:
    """Return the mean over the surveys of the share of points of class 1 or 2, in %.

    依据: GB 3097—1997 表1; HJ 442—2020 (各期平均, check M).
    """
    period = request.period
    found = points(request.sites, period.first, period.last, request.network)
    periods = request.periods or (period,)
    ever = points(request.sites, periods[0].first, periods[-1].last)
    key = ("sea", periods, request.indicator.bases)
    all_rows = request.once(key, lambda: counting_by_period(request, [site.id for site in ever], list(SEA_ITEMS)))
    every = request.once((*key, "classes"), lambda: classes(all_rows))
    mine = pl.col("site").is_in([site.id for site in found])
    rows = within(all_rows, period).filter(mine)
    judged = within(every, period).filter(mine) if every.height else every
    inside = judged.filter(pl.col("survey").is_not_null()) if judged.height else judged
    if inside.is_empty():
        if period.complete and (figure := reported(request)).value is not None:
            return figure
        return nothing(
            request,
            "本期没有近岸海域点位的调查，也没有上报的年度数值。",
            "There is no survey of coastal points in this period, and no reported figure.",
            valid=0,
            expected=len(found),
        )
    surveys = sea.shares_by_points(inside, by=["year", "survey"])
    year = sea.yearly_shares(surveys, by=["year"]).filter(pl.col("year") == period.year).row(0, named=True)
    value, decimals = year["good"], request.indicator.rounding.decimals
    first = inside.row(0, named=True)
    notes = [OWN]
    if not period.complete:
        notes.append(
            Title(
                zh=f"截至 {period.last} 的累计值，不是年度值", en=f"running figure up to {period.last}, not the year's"
            )
        )
    if year["note"]:
        notes.append(Title(zh=year["note"], en="fewer than three surveys: for orientation only"))
    each = "、".join(
        f"{row['survey']} {row['good']:g}%（{row['judged']} 个点位）"
        for row in surveys.sort(pl.col("survey").replace_strict({"春": 0, "夏": 1, "秋": 2})).iter_rows(named=True)
    )
    return Estimate(
        indicator=request.indicator.id,
        period=period.id,
        value=value,
        text=printed(value, decimals),
        function=request.indicator.compute,
        edition=first["edition"],
        stage=first["stage"],
        clause=f"{first['clause']}；{year['clause']}",
        policy=request.edition_policy,
        valid=inside.filter(pl.col("water_class").is_not_null())["site"].n_unique(),
        expected=len(found),
        basis="、".join(rows["basis"].unique().sort()),
        steps=(
            Step(Title(zh="评价点位", en="Points that count"), f"{inside['site'].n_unique()} / {len(found)}"),
            Step(Title(zh="各期一、二类点位比例", en="Share of points of class 1 or 2 in each survey"), each),
            Step(Title(zh="各期平均", en="Mean of the surveys"), f"{value:g} %（{year['surveys']} 期）"),
            Step(Title(zh="按声明修约", en="Rounded as declared"), printed(value, decimals)),
        ),
        series=used(rows),
        notes=tuple(notes),
        method=request.indicator.method,
    )
