"""What the demo city measures and what its departments report each year: plausible figures, none of them real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from qinglan.gateways.simulator.noise import NoiseSite
from qinglan.gateways.simulator.waters import SampledSite
from qinglan.gateways.simulator.yearly import Figure

if TYPE_CHECKING:
    from qinglan.indicators.installation import Installation


@dataclass(frozen=True)
class _Course:
    """From the first to the last year of the plan; `before` is the year before the plan, where one is reported."""

    start: float
    end: float
    noise: float
    decimals: int
    before: float | None = None
    high: float = 100.0
    rises: bool = False

    def figure(self, series: str, network: str, years: tuple[int, int], values: tuple[float, float]) -> Figure:
        return Figure(
            factor=series,
            site=network,
            first=years[0],
            last=years[1],
            start=values[0],
            end=values[1],
            noise=self.noise,
            decimals=self.decimals,
            high=self.high,
            rises=self.rises,
        )


_COURSES: Final = {
    "waste.household_recycling_rate": _Course(21.5, 35.8, 1.5, 1),
    "emissions.cod_reduction": _Course(0.0812, 0.6034, 0.03, 4, high=10, rises=True),
    "emissions.ammonia_nitrogen_reduction": _Course(0.0031, 0.0207, 0.001, 4, high=10, rises=True),
    "emissions.nox_reduction": _Course(0.1264, 0.8530, 0.04, 4, high=10, rises=True),
    "emissions.voc_reduction": _Course(0.0517, 0.3368, 0.02, 4, high=10, rises=True),
    "climate.carbon_intensity_reduction": _Course(3.12, 14.57, 0.5, 2, rises=True),
    "climate.energy_intensity_reduction": _Course(2.64, 13.21, 0.5, 2, rises=True),
    "soil.farmland_safe_use_rate": _Course(97.31, 98.62, 0.1, 2, before=97.05),
    "soil.construction_land_safe_use_rate": _Course(98.4, 100, 0.3, 2),
    "ecology.forest_cover": _Course(36.44, 36.67, 0.01, 2, before=36.4),
    "ecology.redline_share": _Course(21.86, 21.86, 0, 2),
}


def figures_of(installation: Installation, first: int, last: int) -> list[Figure]:
    """Return the yearly figures of the indicators that departments report, each at the network of its year."""
    from qinglan.indicators.declare import Target
    from qinglan.indicators.installation import indicator_of

    figures = []
    for target in installation.declarations.of(Target).values():
        course = _COURSES.get(target.indicator)
        if course is None:
            continue
        series, planned = indicator_of(installation, target).series, target.baseline.year + 1
        if course.before is not None and first < planned:
            network = target.ground(first).network.id
            figures.append(course.figure(series, network, (first, planned - 1), (course.before, course.before)))
        network = target.ground(planned).network.id
        figures.append(course.figure(series, network, (planned, last), (course.start, course.end)))
    return figures


def waters_of(installation: Installation) -> list[SampledSite]:
    """Return the rivers, reservoirs, coastal points and wells that the city pack has simulated.

    River sections have a value a month, as the national stations give it; the others have samples.
    """
    from qinglan.indicators.installation import sites_of

    return [
        SampledSite(
            site.id,
            site.simulation.profile,
            site.simulation.load,
            site.simulation.months,
            "month" if site.water_body == "river" else "sample",
        )
        for site in sites_of(installation)
        if site.simulation is not None and site.medium not in ("air", "noise")
    ]


def noises_of(installation: Installation) -> list[NoiseSite]:
    """Return the noise points that the city pack has simulated."""
    from qinglan.indicators.installation import sites_of

    return [
        NoiseSite(site.id, site.simulation.load, site.simulation.months)
        for site in sites_of(installation)
        if site.simulation is not None and site.medium == "noise"
    ]
