"""The map's answer: one medium's points with their verdicts on a day, the legend and the city's boundary."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import polars as pl

from qinglan.core.declare import Declarations, Title
from qinglan.core.interval import BEIJING
from qinglan.indicators.city import Role, Site
from qinglan.indicators.declare import Target
from qinglan.observations.lake import Lake
from qinglan.web.inventory import SIMULATED
from qinglan.web.maps import others, waters
from qinglan.web.maps.verdicts import GREY, NO_DATA, NO_VERDICT, MapClass, Picture, Verdict, factor_lines
from qinglan.web.places import Geography

Judge = Callable[[pl.DataFrame, Sequence[Site]], Picture]
ROLES: dict[Role, Title] = {
    "assessment": Title(zh="考核点位", en="assessment"),
    "reference": Title(zh="对照点位", en="reference"),
    "county": Title(zh="县级点位", en="county"),
    "province": Title(zh="省控点位", en="province"),
    "enterprise": Title(zh="企业点位", en="enterprise"),
    "source": Title(zh="饮用水水源", en="drinking-water source"),
}
NOTE = Title(
    zh="地图仅供工作参考，不作划界依据；公开使用须另取得审图号。",
    en="A map for reference at work, no ground for delimitation; one that is published needs its approval number.",
)
OWN_COLOURS = Title(
    zh="本媒体的标准没有规定图上颜色，沿用地表水评价办法的颜色。",
    en="The standard of this medium sets no colours; those of the surface-water method are used.",
)


@dataclass(frozen=True)
class MapMedium:
    """A medium of the map: which sites, how its rows are judged, and how many days back a value is still the latest."""

    id: str
    title: Title
    medium: str
    is_source: bool
    grains: tuple[str, ...]
    days: int
    judge: Judge
    own_colours: bool = True

    def sites(self, geography: Geography) -> tuple[Site, ...]:
        """Return the sites of the medium."""
        return tuple(
            site
            for site in geography.sites.values()
            if _is_source(site) == self.is_source and (self.is_source or site.medium == self.medium)
        )


MEDIA = (
    MapMedium(
        "surface-water", Title(zh="地表水", en="Surface water"), "water", False, ("month", "sample"), 400,
        waters.sections, own_colours=False,
    ),
    MapMedium(
        "air", Title(zh="环境空气", en="Ambient air"), "air", False, ("hour",), 40, others.air_days, own_colours=False
    ),
    MapMedium("sea", Title(zh="近岸海域", en="Coastal water"), "sea", False, ("sample",), 400, waters.coast),
    MapMedium(
        "groundwater", Title(zh="地下水", en="Groundwater"), "groundwater", False, ("sample",), 400, waters.wells
    ),
    MapMedium(
        "drinking-source", Title(zh="饮用水水源", en="Drinking-water sources"), "", True, ("month", "sample"), 400,
        waters.sources,
    ),
    MapMedium("noise", Title(zh="声环境", en="Noise"), "noise", False, ("hour",), 200, others.surveys),
)  # fmt: skip


def map_answer(
    lake: Lake,
    geography: Geography,
    declarations: Declarations,
    medium: MapMedium,
    day: date,
    *,
    boundary: dict[str, Any] | None,
    last: datetime | None = None,
    known_by: datetime | None = None,
) -> dict[str, Any]:
    """Return the map of one medium on a day.

    Parameters
    ----------
    day
        What was measured up to it counts; a value of a whole day counts when the day is over.
    last
        When the medium's sites last measured anything, where that is known: the search goes back from there.
    known_by
        Read the lake as it was known at this moment; None: as it is known now.
    """
    sites = medium.sites(geography)
    rows = _rows(lake, medium, sites, day, last, known_by)
    picture = medium.judge(rows, sites)
    networks = _networks(declarations)
    simulated = set(rows.filter(pl.col("source") == SIMULATED)["site"].unique())
    on = picture.end or day
    lines: dict[Any, pl.DataFrame] = {}
    if picture.values.height:
        lines = {key[0]: frame for key, frame in picture.values.partition_by("site", as_dict=True).items()}
    return {
        "as_of": day,
        "medium": medium.id,
        "media": [
            {"id": one.id, "title": one.title.model_dump(), "points": len(one.sites(geography))} for one in MEDIA
        ],
        "period": picture.period(),
        "boundary": boundary,
        "note": _note(medium, boundary).model_dump(),
        "legend": picture.legend(),
        "points": [
            _point(site, picture, geography, networks, on, lines.get(site.id), site.id in simulated) for site in sites
        ],
        "simulated": bool(simulated),
        "revision": lake.revision,
    }


def read_boundary(pack: Path) -> dict[str, Any] | None:
    """Return the boundary that a city pack ships, None where it ships none."""
    path = pack / "boundaries.geojson"
    if not path.is_file():
        return None
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def window(medium: MapMedium, day: date, last: datetime | None) -> tuple[datetime, datetime]:
    """Return from when to when values are looked for, in UTC."""
    end = datetime.combine(day + timedelta(days=1), time(), BEIJING).astimezone(UTC)
    newest = end if last is None else min(end, last.astimezone(UTC) + timedelta(hours=1))
    return newest - timedelta(days=medium.days), end


def _rows(
    lake: Lake, medium: MapMedium, sites: Sequence[Site], day: date, last: datetime | None, known_by: datetime | None
) -> pl.DataFrame:
    start, end = window(medium, day, last)
    return lake.scan(
        sites=[site.id for site in sites], grain=list(medium.grains), start=start, end=end, as_of=known_by
    ).collect()


def _point(
    site: Site,
    picture: Picture,
    geography: Geography,
    networks: dict[str, Title],
    day: date,
    values: pl.DataFrame | None,
    simulated: bool,
) -> dict[str, Any]:
    verdict = picture.verdicts.get(site.id, Verdict(None, note=NO_DATA))
    found = picture.of(verdict.number)
    roles = [held for held in site.roles if held.start <= day and (held.end is None or held.end > day)]
    network = next((networks[held.network] for held in roles if held.network in networks), None)
    place = geography.place_title(site.place)
    return {
        "site": site.id,
        "title": site.title.model_dump(),
        "longitude": site.longitude,
        "latitude": site.latitude,
        "place": site.place,
        "place_title": None if place is None else place.model_dump(),
        "role_titles": [ROLES[held.role].model_dump() for held in roles],
        "network": None if network is None else network.model_dump(),
        "class": verdict.number,
        "word": _word(found, verdict).model_dump(),
        "colour": found.colour if found else GREY,
        "main_pollutants": verdict.main_pollutants,
        "edition": verdict.edition,
        "clause": verdict.clause,
        "missing": verdict.missing,
        "note": None if verdict.note is None else verdict.note.model_dump(),
        "factors": [] if values is None else factor_lines(values),
        "simulated": site.simulated or simulated,
    }


def _word(found: MapClass | None, verdict: Verdict) -> Title:
    """Return the verdict's own words where they say more than the class, else the class."""
    if found is None:
        return verdict.word or NO_VERDICT
    own = verdict.word
    return found.title if own is None or own.zh in found.title.zh else own


def _note(medium: MapMedium, boundary: dict[str, Any] | None) -> Title:
    text = NOTE
    if boundary is not None and isinstance(boundary.get("source"), str):
        source = boundary["source"]
        text = Title(zh=f"{text.zh}边界来源：{source}。", en=f"{text.en} Boundaries: {source}.")
    if medium.own_colours:
        text = Title(zh=f"{text.zh}{OWN_COLOURS.zh}", en=f"{text.en} {OWN_COLOURS.en}")
    return text


def _networks(declarations: Declarations) -> dict[str, Title]:
    return {
        named.id: named.title
        for target in declarations.of(Target).values()
        for named in (target.baseline.network, target.goal.network)
    }


def _is_source(site: Site) -> bool:
    return any(held.role == "source" for held in site.roles)
