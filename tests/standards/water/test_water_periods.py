"""Basins, periods, networks, cities, sources, plants and flows: small cases worked by hand."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest

from qinglan.standards import water
from qinglan.standards.water import load

CODMN = {"Ⅱ": 3.0, "Ⅲ": 5.0, "Ⅳ": 7.0, "Ⅴ": 12.0, "劣Ⅴ": 16.0}


def sections(*grades: str) -> pl.DataFrame:
    sites = [chr(97 + number) for number in range(len(grades))]
    return pl.DataFrame({"basin": "b", "site": sites, "time": "t", "codmn": [CODMN[grade] for grade in grades]})


def test_thirteen_sections_of_bozhou() -> None:
    """July 2022: II 1, III 4, IV 7, V 1: 38.5 % good, none worse than V, 轻度污染."""
    found = water.basin_evaluation(sections("Ⅱ", *["Ⅲ"] * 4, *["Ⅳ"] * 7, "Ⅴ"), "river")
    shares = found.select("share_2", "share_3", "share_4", "share_5", "share_good", "share_bad").row(0)
    assert shares == (7.7, 30.8, 53.8, 7.7, 38.5, 0.0)
    assert found.select("rule", "word", "main_pollutants").row(0) == ("shares", "轻度污染", "高锰酸盐指数")


def test_fewer_than_five_sections_are_averaged() -> None:
    """(3 + 5 + 7 + 16) / 4 = 7.75: class IV; five of the same shares go by shares."""
    found = water.basin_evaluation(sections("Ⅱ", "Ⅲ", "Ⅳ", "劣Ⅴ"), "river")
    assert found.select("rule", "grade", "word").row(0) == ("mean", "Ⅳ", "轻度污染")
    assert found["main_pollutants"].item() == "c：高锰酸盐指数(0.2)；d：高锰酸盐指数(1.7)"
    found = water.basin_evaluation(sections("Ⅱ", "Ⅲ", "Ⅳ", "劣Ⅴ", "劣Ⅴ"), "river")
    assert found.select("rule", "word").row(0) == ("shares", "重度污染")  # 40 % worse than V


def test_a_year_is_the_class_of_the_means_of_months() -> None:
    """Months 2.5 (of 1 and 4 on two days) and 9: the year's mean is 5.75, class III, and too few months."""
    frame = pl.DataFrame(
        {
            "site": "a",
            "factor": "codmn",
            "time": [datetime(2024, 1, 1), datetime(2024, 1, 1, 4), datetime(2024, 1, 2), datetime(2024, 2, 1)],
            "value": ["<2", "1", "4", "9"],
        }
    )
    targets = pl.DataFrame({"site": ["a"], "target": [3]})
    found = water.section_assessment(frame, "river", period="year", targets=targets)
    columns = ("period", "months", "grade", "enough", "attains")
    assert found.select(columns).row(0) == ("2024", 2, "Ⅲ", False, True)
    months = water.section_assessment(frame, "river").sort("period")
    assert months.select("period", "grade").rows() == [("2024-01", "Ⅱ"), ("2024-02", "Ⅳ")]


def test_four_of_seven_and_ten_of_eleven_are_a_break() -> None:
    old = pl.DataFrame(
        {"site": list("abcdefg"), "period": "2020", "last_month": "2020-12", "water_class": [2, 2, 3, 3, 4, 4, 5]}
    )
    new = pl.DataFrame(
        {"site": list("abcdefghijk"), "period": "2025", "last_month": "2025-12", "water_class": [3] * 10 + [4]}
    )
    network = pl.concat(
        [
            pl.DataFrame(
                {"network": "seven", "site": list("abcdefg"), "start": date(2016, 1, 1), "end": date(2020, 12, 31)}
            ),
            pl.DataFrame({"network": "eleven", "site": list("abcdefghijk"), "start": date(2021, 1, 1)}).with_columns(
                end=pl.lit(None, dtype=pl.Date)
            ),
        ]
    )
    both = pl.concat([old, new])
    found = water.network_shares(both, network, decimals=2).sort("period")
    columns = ("network", "expected", "sections", "good", "share_good", "unlike_last")
    assert found.select(columns).rows() == [("seven", 7, 7, 4, 57.14, False), ("eleven", 11, 11, 10, 90.91, True)]
    assert "不可比" in found["note"][1]
    assert water.network_shares(both, network).sort("period")["share_good"].to_list() == [57.1, 90.9]
    short = water.network_shares(both.filter(pl.col("site") != "a"), network).sort("period")
    assert short["missing"].to_list() == ["1 个断面没有类别"] * 2


def test_a_city_of_rivers_and_a_lake() -> None:
    """Rivers: mean TP (0.1 + 0.3)/2 over 0.2 = 1; lake 0.1 over 0.05 = 2; (1 × 2 + 2 × 1) / 3 = 1.3333."""
    frame = pl.DataFrame(
        {"city": "x", "site": ["a", "b", "l"], "kind": ["river", "river", "lake"], "time": "t", "tp": [0.1, 0.3, 0.1]}
    )
    found = water.city_index(frame, "kind", items=["tp"])
    assert found.select("river", "lake", "rounded", "rank").row(0) == (1.0, 2.0, 1.3333, 1)
    whole = water.city_index(frame, "kind")
    assert whole["rounded"].item() is None
    assert "河流缺pH" in whole["missing"].item()


def test_a_source_meets_only_if_every_test_does() -> None:
    """COD is left out; trichloromethane 0.07 over 0.06 is 0.17 times too much."""
    frame = pl.DataFrame(
        {
            "site": ["a", "a", "b", "b"],
            "time": [date(2024, 1, 5), date(2024, 2, 5), date(2024, 1, 5), date(2024, 1, 5)],
            "factor": ["三氯甲烷", "三氯甲烷", "硝酸盐", "化学需氧量"],
            "value": ["0.05", "0.07", "10", "99"],
        }
    )
    tests = water.source_tests(frame.filter(pl.col("factor") != "化学需氧量")).sort("site", "time")
    assert tests.select("meets", "exceeding").rows() == [(True, None), (False, "三氯甲烷(0.17)"), (True, None)]
    assert water.source_tests(frame)["items"].to_list() == [1, 1, 1]
    volumes = pl.DataFrame({"site": ["a", "b"], "year": [2024, 2024], "volume": [3.0, 1.0]})
    rates = water.source_rates(tests, volumes)
    assert rates.select("sources", "qualified", "rate", "volume_rate").row(0) == (2, 1, 50.0, 25.0)


def test_a_source_whose_detection_limit_is_too_high_cannot_be_judged() -> None:
    frame = pl.DataFrame({"site": ["a"], "time": [date(2024, 1, 5)], "factor": ["苯并(a)芘"], "value": ["<0.00001"]})
    tests = water.source_tests(frame)
    assert tests.select("meets", "undetermined").row(0) == (None, "苯并(a)芘")
    assert water.source_rates(tests).select("qualified", "undetermined", "rate").row(0) == (0, 1, 0.0)


def test_phosphorus_of_a_plant_goes_by_its_age() -> None:
    frame = pl.DataFrame({"site": ["p"], "time": [date(2024, 1, 1)], "factor": ["总磷"], "value": [0.8]})
    new, old = (water.discharge_verdict(frame, "1A", built_before_2006=age) for age in (False, True))
    assert new.select("limit", "multiple", "meets").row(0) == (0.5, 0.6, False)
    assert old.select("limit", "multiple", "meets").row(0) == (1.0, None, True)


@pytest.fixture(scope="module")
def years() -> pl.DataFrame:
    """Nine years of days; the flow of a year is its number, in February a tenth of it."""
    days = [date(2011, 1, 1) + timedelta(days=number) for number in range(3287)]
    flows = [float(day.year - 2010) * (0.1 if day.month == 2 else 1.0) for day in days]
    return pl.DataFrame({"site": "a", "time": days, "value": flows})


@pytest.mark.parametrize(
    ("method", "january", "july"),
    [
        ("q90", 0.1, 0.1),  # driest months 0.1 … 0.9 in nine years: the first of nine at (9 + 1) × 10 %
        ("7q10", 0.1, 0.1),
        ("monthly_q90", 1.0, 1.0),
        ("monthly_share", 0.5, 0.5),  # a tenth of (1 + … + 9) / 9 = 5
        ("tennant", 0.4625, 1.3875),  # 10 % and 30 % of (11 × 5 + 0.5) / 12 = 4.625
    ],
)
def test_targets_of_flow(years: pl.DataFrame, method: str, january: float, july: float) -> None:
    found = water.flow_targets(years, method).sort("month")  # type: ignore[arg-type]
    assert found.height == 12
    assert found["target"][0] == pytest.approx(january)
    assert found["target"][6] == pytest.approx(july)
    assert found["note"][0] == "系列不足 30 年（9 年）"


def test_three_heavy_neighbours_are_a_heavy_reach() -> None:
    frame = pl.DataFrame(
        {
            "water": "w",
            "site": list("abcde"),
            "order": [1, 2, 3, 4, 5],
            "time": "t",
            "sd": [5.0, 5.0, 5.0, 50.0, 20.0],
            "do": [3.0] * 5,
        }
    )
    points = water.black_odorous_points(frame).sort("site")
    assert points["grade"].to_list() == ["重度黑臭"] * 3 + ["非黑臭", "轻度黑臭"]
    assert points["in_heavy_reach"].to_list() == [True, True, True, False, False]
    assert water.black_odorous_waters(points).select("points", "heavy", "grade").row(0) == (5, 3, "重度黑臭")


def test_a_reach_with_decay_bears_more() -> None:
    """One day at 0.2 per day: 15 × e^−0.2 = 12.281; (20 − 12.281) × 10 × 31.536 = 2434.3 t/a."""
    found = load.capacity(20.0, 15.0, 9.0, 1.0, decay=0.2, length=43_200.0, velocity=0.5)
    assert found == pytest.approx(2434.3, abs=0.1)
    assert found > load.capacity(20.0, 15.0, 9.0, 1.0)
    middle = load.capacity_from_middle(20.0, 15.0, 10.0, decay=0.2, length=43_200.0, velocity=0.5)
    assert middle == pytest.approx(2434.3 * 1.10517, abs=0.2)  # e^0.1
