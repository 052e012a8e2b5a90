"""Region codes; expected counts are those that the Ministry of Civil Affairs gives for the end of 2025."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from qinglan.catalogue import regions
from qinglan.core.errors import InputError


def test_counts_of_the_ministry():
    counts = Counter(found.level for found in regions.all_regions())
    assert counts == {"province": 34, "prefecture": 333, "county": 2845}
    kinds = Counter(found.kind for found in regions.all_regions())
    assert (kinds["地级市"], kinds["自治州"], kinds["地区"], kinds["盟"]) == (293, 30, 7, 3)


def test_every_parent_exists_and_is_one_level_up_or_a_province():
    for found in regions.all_regions():
        above = [one.level for one in regions.ancestors(found.code)]
        assert (
            above
            in {
                "province": [[]],
                "prefecture": [["province"]],
                "county": [["prefecture", "province"], ["province"]],
            }[found.level]
        )


@pytest.mark.parametrize("file", ["huludao.geojson", "liaoning_cities_simplified.geojson"])
def test_names_of_the_maps(shared: Path, file):
    features = json.loads((shared / "data" / "geo" / file).read_text("utf-8"))["features"]
    assert len(features) == {"huludao.geojson": 7, "liaoning_cities_simplified.geojson": 15}[file]
    for feature in features:
        found = regions.region(feature["properties"]["adcode"])
        assert found.name == feature["properties"]["name"]
        parent = feature["properties"].get("parent")
        assert parent is None or found.parent == str(parent)


def test_cities_of_liaoning():
    cities = regions.children("210000")
    assert len(cities) == 14
    assert cities[-1].name == "葫芦岛市"
    assert regions.children("211402") == ()


def test_counties_under_a_province_and_regions_without_children():
    assert regions.region("429004").parent == "420000"
    assert [above.name for above in regions.ancestors("500157")] == ["重庆市"]
    assert regions.children("710000") == ()


def test_an_unknown_code_is_refused_with_the_nearest():
    with pytest.raises(InputError) as refused:
        regions.region("211405")
    assert "21140" in refused.value.zh
    with pytest.raises(InputError, match="211400"):
        regions.region("somewhere")
