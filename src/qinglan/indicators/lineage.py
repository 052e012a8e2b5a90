"""Where a number comes from: function, edition and clause, steps, and the series it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qinglan.catalogue import factors
from qinglan.core.declare import Title
from qinglan.core.interval import to_beijing
from qinglan.indicators.declare import Indicator, Target
from qinglan.indicators.installation import Installation, sites_of
from qinglan.indicators.store import Value

POLICIES = {
    "own_day": Title(zh="逐日按当日现行版本评价", en="each day by the edition in force on it"),
    "period_end": Title(zh="全时段按期末现行版本评价", en="the whole period by the edition in force on its last day"),
}


def lineage(
    installation: Installation, target: Target, indicator: Indicator, values: Sequence[Value]
) -> list[dict[str, Any]]:
    """Return where each of the city's own numbers comes from, newest period first."""
    sites = {site.id: site.title for site in sites_of(installation)}
    sites[installation.city.adcode] = installation.city.title
    for ground in (target.baseline, target.goal):
        sites.setdefault(ground.network.id, ground.network.title)
    own = [value for value in values if value.kind != "confirmed" and value.detail]
    return [
        _entry(target, indicator, value, sites) for value in sorted(own, key=lambda value: value.period, reverse=True)
    ]


def _entry(target: Target, indicator: Indicator, value: Value, sites: dict[str, Title]) -> dict[str, Any]:
    ground = target.ground(int(value.period[:4]))
    detail = value.detail
    policy = POLICIES.get(detail.get("policy") or "")
    other = value.kind == "estimate" and value.method not in (None, ground.method.id)
    method = indicator.method if other else ground.method
    return {
        "period": value.period,
        "value": value.value,
        "text": value.text,
        "function": detail["function"],
        "title": indicator.method.title.model_dump(),
        "policy": None if policy is None or not indicator.computed else policy.model_dump(),
        "edition": value.edition,
        "stage": detail.get("stage"),
        "clause": detail.get("clause"),
        "checks": [{"mark": mark.mark, "note": {"zh": mark.zh, "en": mark.en}} for mark in indicator.checks],
        "network": ground.network.title.model_dump(),
        "method": method.title.model_dump(),
        "basis": value.basis,
        "counts": detail.get("counts"),
        "inputs_revision": value.inputs_revision,
        "judged_on": to_beijing(value.recorded).isoformat(timespec="seconds"),
        "steps": detail.get("steps", []),
        "notes": detail.get("notes", []),
        "series": [_series(indicator, series, sites) for series in detail.get("series", [])],
    }


def _series(indicator: Indicator, series: dict[str, Any], sites: dict[str, Title]) -> dict[str, Any]:
    factor = factors.find(series["factor"])
    site = sites.get(series["site"])
    if series["factor"] == indicator.series:
        factor_title = indicator.title.model_dump()
    else:
        factor_title = {"zh": series["factor"], "en": series["factor"]} if factor is None else factor.title.model_dump()
    return series | {
        "site_title": {"zh": series["site"], "en": series["site"]} if site is None else site.model_dump(),
        "factor_title": factor_title,
    }
