"""The city's water indicators: shares of national sections by class, and of drinking-water sources that meet.

Where nothing was measured in a year that is over, the figure that a department reported for it stands in.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import polars as pl

from qinglan.core.declare import Title
from qinglan.core.rounding import text as printed
from qinglan.domains.samples import counting_by_period, within
from qinglan.domains.water.sections import Sections, sections
from qinglan.domains.water.sources import sources, tests
from qinglan.indicators.compute import Estimate, Request, Step, function, nothing, reported, used
from qinglan.standards import water


@function("water.good_section_share")
def good_section_share(request: Request) -> Estimate:
    """Return the share of national sections of class I to III, in %. 依据: 环办〔2011〕22号; GB 3838—2002."""
    return _section_share(request, "good", Title(zh="Ⅰ—Ⅲ类断面", en="Sections of class I–III"))


@function("water.bad_section_share")
def bad_section_share(request: Request) -> Estimate:
    """Return the share of national sections worse than class V, in %. 依据: 环办〔2011〕22号; GB 3838—2002."""
    return _section_share(request, "bad", Title(zh="劣Ⅴ类断面", en="Sections worse than class V"))


@function("water.drinking_source_share")
def drinking_source_share(request: Request) -> Estimate:
    """Return the share of sources of which every test of the period meets, by number, in %. 依据: HJ 774—2015."""
    period = request.period
    found = sources(request.sites, period.first, period.last)
    periods = request.periods or (period,)
    ever = sources(request.sites, periods[0].first, periods[-1].last)
    key = ("sources", periods, request.indicator.bases)
    all_rows = request.once(key, lambda: counting_by_period(request, [site.id for site in ever]))
    every = request.once((*key, "tests"), lambda: tests(all_rows, ever))
    mine = pl.col("site").is_in([site.id for site in found])
    tested = within(every, period).filter(mine)
    if tested.is_empty():
        return _unmeasured(request, len(found))
    rates = water.source_rates(tested.select("site", "time", "meets"), decimals=request.indicator.rounding.decimals)
    row = rates.filter(pl.col("year") == period.year).row(0, named=True)
    judged = tested.filter(pl.col("meets").is_not_null())
    failed = tested.filter(~pl.col("meets"))
    titles = {site.id: site.title.zh for site in found}
    failures = "、".join(
        f"{titles[site]} {time.date().isoformat()}：{items}"
        for site, time, items in failed.select("site", "time", "exceeding").iter_rows()
    )
    untested = [titles[site.id] for site in found if site.id not in set(tested["site"])]
    notes = _running(request)
    if untested:
        notes.append(
            Title(
                zh=f"本期没有监测：{'、'.join(untested)}", en=f"{len(untested)} sources were not tested in the period"
            )
        )
    if row["undetermined"]:
        notes.append(
            Title(zh=row["note"], en=f"{row['undetermined']} sources cannot be judged and do not count as met")
        )
    rows = within(all_rows, period).filter(mine)
    return _estimate(
        request,
        (row["qualified"], row["sources"]),
        expected=len(found),
        edition="、".join(tested["edition"].unique().sort()),
        clause=row["clause"],
        basis="、".join(rows["basis"].unique().sort()),
        steps=(
            Step(Title(zh="参评水源", en="Sources that count"), f"{row['sources']} / {len(found)}"),
            Step(Title(zh="监测次数（其中能判定的）", en="Tests (judged)"), f"{tested.height} ({judged.height})"),
            Step(Title(zh="未达标的监测", en="Tests that fail"), failures or "无"),
            Step(Title(zh="各次均达标的水源", en="Sources that meet in every test"), str(row["qualified"])),
        ),
        series=used(rows),
        notes=tuple(notes),
    )


def _section_share(request: Request, part: str, title: Title) -> Estimate:
    found = sections(request)
    if found.shares.is_empty():
        return _unmeasured(request, len(found.members))
    row = found.shares.row(0, named=True)
    if not row["sections"]:
        return nothing(
            request,
            "各断面的监测月数都不足，本期没有可参评的断面。",
            "No section has months enough in the period.",
            valid=0,
            expected=row["expected"],
            series=found.series,
        )
    notes = _running(request)
    if row["missing"]:
        absent = row["expected"] - row["sections"]
        notes.append(Title(zh=row["missing"], en=f"{absent} sections have no class"))
    first = found.classes.row(0, named=True)
    return _estimate(
        request,
        (row[part], row["sections"]),
        expected=row["expected"],
        edition=first["edition"],
        stage=first["stage"],
        clause=f"{first['clause']}；{row['clause']}" if part == "good" else first["clause"],
        basis="、".join(sorted({series.basis for series in found.series})),
        steps=(
            Step(Title(zh="考核断面", en="Sections of the network"), str(row["expected"])),
            Step(Title(zh="各断面类别（各项目月值的年均值）", en="Class of each (means of months)"), _classes(found)),
            Step(title, f"{row[part]} / {row['sections']}"),
        ),
        series=found.series,
        notes=tuple(notes),
    )


def _estimate(request: Request, share: tuple[int, int], *, expected: int, **more: Any) -> Estimate:
    part, whole = share
    value, decimals = Decimal(part) * 100 / whole, request.indicator.rounding.decimals
    steps = (
        *more.pop("steps"),
        Step(Title(zh="比例", en="Share"), f"{part} / {whole} × 100 = {float(value):.6g}"),
        Step(Title(zh="按声明修约", en="Rounded as declared"), printed(value, decimals)),
    )
    return Estimate(
        indicator=request.indicator.id,
        period=request.period.id,
        value=float(value),
        text=printed(value, decimals),
        function=request.indicator.compute,
        policy=request.edition_policy,
        valid=whole,
        expected=expected,
        steps=steps,
        **more,
    )


def _unmeasured(request: Request, expected: int) -> Estimate:
    """Return the figure that was reported for the year, else nothing."""
    if request.period.complete and (figure := reported(request)).value is not None:
        return figure
    return nothing(
        request,
        "本期没有考核点位的监测值，也没有上报的年度数值。",
        "There are no measurements of assessed sites in this period, and no reported figure.",
        valid=0,
        expected=expected,
    )


def _running(request: Request) -> list[Title]:
    if request.period.complete:
        return []
    last = request.period.last
    return [Title(zh=f"截至 {last} 的累计值，不是年度值", en=f"running figure up to {last}, not the year's")]


def _classes(found: Sections) -> str:
    titles = {site.id: site.title.zh for site in found.members}
    return "、".join(
        f"{titles[site]} {grade if counts else '月数不足'}"
        for site, grade, counts in found.classes.select(
            "site", "grade", pl.col("water_class").is_not_null()
        ).iter_rows()
    )
