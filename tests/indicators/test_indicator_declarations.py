from __future__ import annotations

import pytest
import yaml

from qinglan import app
from qinglan.core.declare import Declarations, read
from qinglan.core.errors import DeclarationError
from qinglan.indicators.declare import Indicator, Target

PACK = app.city_folders()["huludao"]
PM25 = app.PACKAGE / "domains" / "air" / "indicators" / "pm25_mean.yaml"
WATER = PACK / "targets" / "04-good-section-share.yaml"
SHIPPED = [indicator for indicator in app.load_declarations("huludao").of(Indicator).values() if indicator.examples]


def changed(tmp_path, source, **changes):
    content = yaml.safe_load(source.read_text("utf-8")) | changes
    path = tmp_path / source.name
    path.write_text(
        yaml.safe_dump(
            {key: value for key, value in content.items() if value is not None}, sort_keys=False, allow_unicode=True
        ),
        "utf-8",
    )
    return path


def findings(path):
    declarations = app.load_declarations("huludao")
    declaration = read(path)
    declarations.by_kind[declaration.KIND].pop(declaration.id)
    declarations.add(declaration)
    return [finding.zh for finding in declaration.check(declarations)]


def test_what_ships_is_counted():
    found = app.load_declarations("huludao")
    counts = {kind: len(found.by_kind[kind]) for kind in ("indicator", "target", "domain", "city", "places", "sites")}
    assert counts == {"indicator": 18, "target": 18, "domain": 14, "city": 1, "places": 1, "sites": 6}


@pytest.mark.parametrize("indicator", SHIPPED, ids=lambda indicator: indicator.id)
def test_every_example_gives_what_its_source_says(indicator):
    assert all(example.from_ for example in indicator.examples)
    assert list(indicator.run_examples()) == []


def test_every_computing_indicator_has_an_example():
    computing = {
        indicator.id for indicator in app.load_declarations("huludao").of(Indicator).values() if indicator.computed
    }
    assert (
        computing
        == {indicator.id for indicator in SHIPPED}
        == {
            *("air.pm25_mean", "air.good_day_ratio", "air.heavy_day_ratio"),
            *("water.good_section_share", "water.bad_section_share", "water.drinking_source_share"),
            "sea.good_area_share",
        }
    )


def test_a_computing_indicator_without_example_is_refused(tmp_path):
    assert any("没有算例" in zh for zh in findings(changed(tmp_path, PM25, examples=None)))
    assert findings(changed(tmp_path, PM25, examples=None, compute="reported")) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"indicator": "water.nothing"}, "没有声明"),
        ({"comparator": "<="}, "方向"),
        ({"breaks": None}, "断点"),
    ],
)
def test_a_target_that_contradicts_itself_is_found(tmp_path, change, said):
    assert any(said in zh for zh in findings(changed(tmp_path, WATER, **change)))


def test_a_target_with_more_decimals_than_are_compared_is_found(tmp_path):
    goal = yaml.safe_load(WATER.read_text("utf-8"))["goal"] | {"value": 90.909}
    assert any("小数位" in zh for zh in findings(changed(tmp_path, WATER, goal=goal)))


@pytest.mark.parametrize("change", [{"status": "awaiting"}, {"value": None}])
def test_awaiting_has_no_value_and_fixed_has_one(tmp_path, change):
    goal = yaml.safe_load(WATER.read_text("utf-8"))["goal"] | change
    with pytest.raises(DeclarationError, match="goal"):
        read(changed(tmp_path, WATER, goal=goal))


def test_an_unknown_key_is_refused_by_name(tmp_path):
    with pytest.raises(DeclarationError, match="limit"):
        read(changed(tmp_path, PM25, limit=35))


def test_a_changed_example_is_found(tmp_path):
    content = yaml.safe_load(PM25.read_text("utf-8"))
    content["examples"][0]["expect"]["text"] = "43.1"
    declaration = read(changed(tmp_path, PM25, examples=content["examples"]))
    assert [finding.en for finding in declaration.run_examples()] != []


def test_check_names_a_function_that_is_not_there(tmp_path):
    folder = tmp_path / "more"
    folder.mkdir()
    changed(folder, PM25, indicator="air.other", compute="air.no_such_function")
    report = app.check([folder])
    assert any("air.no_such_function" in finding.zh for finding in report.findings)
    assert report.counts["indicator"] == 19
    assert report.as_json()["findings"][0]["file"].endswith("pm25_mean.yaml")


def test_a_city_pack_that_is_not_there_is_refused():
    with pytest.raises(Exception, match="atlantis") as refusal:
        app.load_declarations("atlantis")
    assert refusal.value.field == "city"


def test_a_year_lies_on_the_ground_of_its_side_of_the_break():
    target = Declarations.from_folders([PACK]).get(Target, "huludao-14fyp.04")
    assert [target.ground(year).network.id[-2:] for year in (2019, 2020, 2021, 2025)] == ["-7", "-7", "11", "11"]
