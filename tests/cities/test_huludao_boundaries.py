"""The boundaries that the pack ships: as large as the full ones, sharing their edges, small enough for a page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import shapely
import shapely.affinity
from shapely.geometry import shape

from qinglan.app import city_folders, load_declarations
from qinglan.indicators.city import Places

COUNTIES = ("211402", "211403", "211404", "211421", "211422", "211481")


@pytest.fixture(scope="module")
def file() -> Path:
    return city_folders()["huludao"] / "boundaries.geojson"


@pytest.fixture(scope="module")
def shapes(file: Path):
    features = json.loads(file.read_text("utf-8"))["features"]
    return {feature["properties"]["adcode"]: shape(feature["geometry"]) for feature in features}


def test_the_city_and_its_six_counties_with_their_names_and_source(file: Path):
    found = json.loads(file.read_text("utf-8"))
    properties = [feature["properties"] for feature in found["features"]]
    assert [one["adcode"] for one in properties] == ["211400", *COUNTIES]
    assert [one["level"] for one in properties] == ["city", *["county"] * 6]
    titles = {
        place.id: place.title.model_dump()
        for places in load_declarations("huludao").of(Places).values()
        for place in places.entries
    }
    assert all(one["title"] == titles[one["adcode"]] for one in properties)
    assert "MIT" in found["source"]
    assert "审图号" in found["note"]["zh"]


def test_small_enough_for_a_page(file: Path):
    assert file.stat().st_size <= 150_000


def test_neighbours_share_edges_and_the_counties_fill_the_city(shapes):
    counties = [shapes[code] for code in COUNTIES]
    assert all(one.is_valid for one in shapes.values())
    assert shapely.coverage_is_valid(counties)
    assert shapely.union_all(counties).symmetric_difference(shapes["211400"]).area < 1e-9


@pytest.mark.golden
def test_areas_and_overlap_with_the_full_boundaries(shared: Path, shapes):
    content = json.loads((shared / "data" / "geo" / "huludao.geojson").read_text("utf-8"))
    full = {str(feature["properties"]["adcode"]): shape(feature["geometry"]) for feature in content["features"]}
    assert set(full) == set(shapes)
    for code, whole in full.items():
        mine = shapes[code]
        assert mine.area == pytest.approx(whole.area, rel=0.001), code
        overlap = mine.intersection(whole).area / mine.union(whole).area
        assert overlap > 0.997, (code, overlap)
    # Without the conversion from GCJ-02 a county lies some 500 m beside itself.
    beside = shapely.affinity.translate(full["211422"], 0.0053, 0.0015)
    assert beside.intersection(full["211422"]).area / beside.union(full["211422"]).area < 0.98
