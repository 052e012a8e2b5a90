"""Evaluation: every indicator of the plan, for every year of it up to a day, computed and recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime
from functools import partial
from typing import Any

from qinglan.indicators import store
from qinglan.indicators.compute import Estimate, Period, Request, estimate
from qinglan.indicators.declare import Target
from qinglan.indicators.installation import (
    Installation,
    indicator_of,
    sites_of,
    target_of,
    targets_of,
)

Progress = Callable[[int, int, str, str], None]


def evaluate(
    installation: Installation,
    as_of: date,
    indicators: Sequence[str] | None = None,
    *,
    known_by: datetime | None = None,
    progress: Progress | None = None,
) -> list[Estimate]:
    """Compute the indicators of the plan of `as_of` and record what changed; return all that was computed.

    Parameters
    ----------
    as_of
        Years that are over by this day count whole; the running year counts up to it and is marked as a part.
    indicators
        Their ids; None for all of the plan.
    known_by
        Read the lake as it was known at this moment; None: as it is known now. What is read as of the past is
        returned but not recorded, since it is no news.
    progress
        Called with done, total and a message in Chinese and English.

    Raises
    ------
    InputError
        If the plan has no such indicator.
    """
    plan = installation.city.current_plan(as_of)
    if indicators is None:
        targets = targets_of(installation, plan)
    else:
        targets = [target_of(installation, name, as_of) for name in indicators]
    work = [(target, period) for target in targets for period in periods(installation, target, as_of)]
    shared: dict[Any, Any] = {}
    found: list[Estimate] = []
    for done, (target, period) in enumerate(work):
        indicator = indicator_of(installation, target)
        if progress is not None:
            progress(done, len(work), f"{indicator.title.zh} {period.id}", f"{indicator.title.en} {period.id}")
        ground = target.ground(period.year)
        result = estimate(
            Request(
                indicator=indicator,
                period=period,
                scan=partial(installation.lake.scan, as_of=known_by),
                city=installation.city.adcode,
                network=ground.network.id,
                sites=tuple(sites_of(installation)),
                edition_policy=target.edition_policy,
                periods=tuple(periods(installation, target, as_of)),
                shared=shared,
            )
        )
        found.append(result)
        if known_by is None:
            store.record_estimates(installation.engine, [(result, ground)], as_of=as_of)
    if progress is not None:
        progress(len(work), len(work), "完成", "done")
    return found


def periods(installation: Installation, target: Target, as_of: date) -> list[Period]:
    """Return the years from the baseline to the plan's end that have begun by `as_of`; the running one in part.

    A reported figure exists for whole years only.
    """
    last = min(target.goal.year, as_of.year)
    found = [Period(year, min(as_of, date(year, 12, 31))) for year in range(target.baseline.year, last + 1)]
    computed = indicator_of(installation, target).computed
    return [period for period in found if computed or period.complete]
