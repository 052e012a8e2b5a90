"""The pack of the first city against the plan's own table, as it was read by hand, and the map."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest

from qinglan.app import load_declarations
from qinglan.indicators.city import City, Places, Sites
from qinglan.indicators.declare import Indicator, Target

BINDING = {"约束性": "binding", "预期性": "expected"}
UNITS = {"微克/立方米": "ug/m3", "%": "%", "万吨": "10^4 t"}


@pytest.fixture(scope="module")
def declared():
    return load_declarations("huludao")


@pytest.fixture(scope="module")
def table(declared):
    """The targets in the order of the plan's table."""
    return sorted(declared.of(Target).values(), key=lambda target: (target.row, target.order))


def test_fifteen_rows_are_eighteen_indicators(declared, table):
    assert len(table) == 18
    assert {target.row for target in table} == set(range(1, 16))
    assert [target.row for target in table].count(9) == 4
    assert len({target.indicator for target in table}) == 18
    assert {target.indicator for target in table} == set(declared.of(Indicator))


@pytest.mark.golden
def test_every_cell_is_the_plans(shared, declared, table):
    lines = (shared / "plan" / "gold-dev.jsonl").read_text("utf-8").splitlines()
    gold = [row for row in map(json.loads, lines) if row.get("table")]
    assert len(gold) == len(table)
    for row, target in zip(gold, table, strict=True):
        baseline = None if target.baseline.value is None else float(target.baseline.value)
        goal = None if target.goal.value is None else float(target.goal.value)
        wanted = row["value"] if row["value"] is not None else row.get("implied_value")
        assert (target.row, target.binding, target.comparator) == (
            row["row"],
            BINDING[row["binding"]],
            row["comparator"],
        )
        assert (baseline, goal, target.goal.text) == (row["baseline_value"], wanted, row["target_text"]), row["id"]
        assert declared.get(Indicator, target.indicator).unit == UNITS[row["unit"]]
        assert (target.goal.year, target.baseline.year) == (int(row["deadline"][:4]), row["baseline_year"])
        assert (target.goal.status == "awaiting") == (row["condition"] is not None and "省下达" in row["condition"])


def test_the_figures_that_settle_doubtful_cells(table):
    by_row = {target.row: target for target in table}
    assert round(4 / 7 * 100, 2) == float(by_row[4].baseline.value)
    assert round(10 / 11 * 100, 1) == float(by_row[4].goal.value)
    assert round(302 / 366 * 100, 1) == float(by_row[2].baseline.value)
    assert round(4 / 366 * 100, 2) == float(by_row[3].baseline.value)
    assert (by_row[5].goal.status, by_row[5].goal.text, by_row[5].goal.value) == ("words", "基本消除", 0)
    assert (by_row[15].baseline.value, by_row[15].baseline.text) == (None, "—")
    assert by_row[14].goal.value == Decimal("36.65")


@pytest.mark.parametrize(("row", "reason"), [(4, "network"), (5, "network"), (7, "basis")])
def test_numbers_on_different_ground_are_a_break(table, row, reason):
    target = next(target for target in table if target.row == row)
    assert [gap.reason for gap in target.breaks] == [reason]
    assert target.break_between(2020, 2025) is target.break_between(2025, 2020) is target.breaks[0]
    assert target.break_between(2021, 2025) is None
    assert (target.ground(2020), target.ground(2021)) == (target.baseline, target.goal)


def test_the_other_lines_have_no_break(table):
    assert {target.row for target in table if target.breaks} == {4, 5, 7}


def test_the_plan_has_run_out_and_is_not_archived(declared):
    city = declared.get(City, "huludao")
    plan = city.current_plan(date(2026, 11, 1))
    assert [plan.status(date(*day)) for day in ((2020, 12, 31), (2021, 1, 1), (2025, 12, 31), (2026, 1, 1))] == [
        *("planned", "in_force", "in_force", "final_evaluation"),
    ]


def test_zones_and_parks_are_places_of_their_own_kind(declared):
    places = declared.get(Places, "huludao")
    regions = {place.id for place in places.entries if place.id.isdigit()}
    assert regions == {"211400", "211402", "211403", "211404", "211421", "211422", "211481"}
    own = [place for place in places.entries if place.id not in regions]
    assert {place.kind for place in own} == {"development_zone", "new_district", "park"}
    assert all(place.start == date(2022, 5, 25) and place.named_in for place in own)
    assert {place.id for place in places.on(date(2021, 1, 1))} == regions


def test_stations_are_simulated_and_only_four_assess_the_city(declared):
    sites = declared.get(Sites, "huludao-air").entries
    assert all(site.simulated and "模拟" in site.title.zh for site in sites)
    roles = {role: [site.id for site in sites if site.has_role(role, date(2020, 1, 1), date(2025, 12, 31))]
             for role in ("assessment", "reference", "county")}  # fmt: skip
    assert roles == {
        "assessment": ["211400-01", "211400-02", "211400-03", "211400-04"],
        "reference": ["211400-05"],
        "county": ["211481-01"],
    }


@pytest.mark.golden
def test_stations_lie_where_they_say(shared, declared):
    shapes = json.loads((shared / "data" / "geo" / "huludao.geojson").read_text("utf-8"))["features"]
    rings = {str(shape["properties"]["adcode"]): shape["geometry"]["coordinates"] for shape in shapes}
    for site in declared.get(Sites, "huludao-air").entries:
        inside = {
            code
            for code, polygons in rings.items()
            if sum(crosses(site.longitude, site.latitude, ring) for polygon in polygons for ring in polygon) % 2
        }
        assert inside == {site.place, "211400"}


def crosses(x, y, ring):
    """How often the ray to the east of a point crosses a ring."""
    return sum(
        (y1 > y) != (y2 > y) and x < (x2 - x1) * (y - y1) / (y2 - y1) + x1 for (x1, y1), (x2, y2) in pairwise(ring)
    )
