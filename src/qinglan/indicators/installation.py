"""What indicators need of an installation; the composition root provides it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Protocol

from sqlalchemy import Engine

from qinglan.core.declare import Declarations
from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING
from qinglan.indicators.city import City, Plan, Site, Sites
from qinglan.indicators.declare import Indicator, Target
from qinglan.observations.lake import Lake


class Installation(Protocol):
    """One home folder with its base, lake, declarations and city."""

    @property
    def engine(self) -> Engine:
        """The base."""
        ...

    @property
    def lake(self) -> Lake:
        """The lake."""
        ...

    @property
    def declarations(self) -> Declarations:
        """What is declared."""
        ...

    @property
    def city(self) -> City:
        """The city of this installation."""
        ...


def today() -> date:
    """Return today's date in Beijing."""
    return datetime.now(BEIJING).date()


def targets_of(installation: Installation, plan: Plan) -> list[Target]:
    """Return the lines of a plan's table, in its order."""
    found = [target for target in installation.declarations.of(Target).values() if target.plan == plan.id]
    return sorted(found, key=lambda target: (target.row, target.order, target.id))


def target_of(installation: Installation, indicator: str, day: date) -> Target:
    """Return the line that the plan of `day` has for an indicator.

    Raises
    ------
    InputError
        If the plan has none.
    """
    plan = installation.city.current_plan(day)
    targets = targets_of(installation, plan)
    for target in targets:
        if target.indicator == indicator:
            return target
    known = [target.indicator for target in targets]
    raise InputError(
        f"规划“{plan.title.zh}”没有指标“{indicator}”；有：{'、'.join(known)}。",
        f'The plan "{plan.title.en}" has no indicator "{indicator}"; it has {", ".join(known)}.',
        field="indicator",
    )


def indicator_of(installation: Installation, target: Target) -> Indicator:
    """Return the indicator of a target."""
    return installation.declarations.get(Indicator, target.indicator)


def sites_of(installation: Installation) -> Iterator[Site]:
    """Yield the sites of the installation's city."""
    for sites in installation.declarations.of(Sites).values():
        if sites.city == installation.city.id:
            yield from sites.entries
