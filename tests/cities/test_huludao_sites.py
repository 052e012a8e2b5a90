"""The simulated sites lie where they say, are marked as simulated, and their networks change on the day they should."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest
from shapely.geometry import Point, shape

from qinglan.app import load_declarations
from qinglan.indicators.city import Site, Sites

OLD, NEW = "national-sections-7", "national-sections-11"


@pytest.fixture(scope="module")
def sites() -> list[Site]:
    return [site for held in load_declarations("huludao").of(Sites).values() for site in held.entries]


@pytest.fixture(scope="module")
def full(shared: Path):
    content = json.loads((shared / "data" / "geo" / "huludao.geojson").read_text("utf-8"))
    return {str(feature["properties"]["adcode"]): shape(feature["geometry"]) for feature in content["features"]}


def test_every_medium_is_there_and_every_site_says_that_it_is_simulated(sites):
    counts = {medium: sum(site.medium == medium for site in sites) for medium in {site.medium for site in sites}}
    assert counts == {"air": 6, "water": 15, "sea": 10, "groundwater": 11, "noise": 10}
    assert sum(site.roles[0].role == "source" for site in sites) == 6
    assert all(site.simulated and "模拟" in site.title.zh and "imulated" in site.title.en for site in sites)
    assert len({site.id for site in sites}) == len(sites)


def test_seven_sections_until_2020_and_eleven_from_2021(sites):
    def members(network: str, day: date) -> set[str]:
        return {site.id for site in sites if site.has_role("assessment", day, day, network)}

    assert len(members(OLD, date(2020, 12, 31))) == 7
    assert members(NEW, date(2020, 12, 31)) == set()
    assert members(OLD, date(2021, 1, 1)) == set()
    assert len(members(NEW, date(2021, 1, 1))) == len(members(NEW, date(2025, 12, 31))) == 11
    # Six go on, one leaves the list and five come to it.
    assert len(members(NEW, date(2021, 1, 1)) & members(OLD, date(2020, 12, 31))) == 6


@pytest.mark.golden
def test_sites_on_land_lie_in_their_own_county(full, sites):
    for site in sites:
        if site.medium != "sea":
            assert full[site.place].contains(Point(site.longitude, site.latitude)), (site.id, site.place)


@pytest.mark.golden
def test_sea_points_lie_in_the_water_near_the_coast(full, sites):
    for site in sites:
        if site.medium == "sea":
            point = Point(site.longitude, site.latitude)
            assert not full["211400"].contains(point), site.id
            # Degrees: about 30 km.
            assert full[site.place].distance(point) < 0.35, (site.id, full[site.place].distance(point))
