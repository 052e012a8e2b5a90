"""Odds of a target and what a running year may still show; figures by hand arithmetic or worked out another way."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from scipy import stats

from qinglan.indicators import board, record, store
from qinglan.indicators.compute import Estimate
from qinglan.indicators.declare import Indicator, Target
from qinglan.indicators.outlook import percent

FOREST, PM25, GOOD_DAYS = "ecology.forest_cover", "air.pm25_mean", "air.good_day_ratio"
SECTIONS = "water.good_section_share"
DAY = date(2024, 6, 30)


def confirm(application, indicator, values):
    for year, value in values.items():
        record.confirm(application, indicator, year, value, document="公报", document_date=date(year + 1, 3, 1))


def card(application, indicator, day=DAY):
    return next(one for one in board.board(application, day)["indicators"] if one["id"] == indicator)


def target_of(application, indicator) -> Target:
    return next(one for one in application.declarations.of(Target).values() if one.indicator == indicator)


def part(application, indicator, period, value, valid, **details):
    """Record the running figure of a year up to a day."""
    found = Estimate(
        indicator=indicator,
        period=period,
        value=value,
        text=str(value),
        function=application.declarations.get(Indicator, indicator).compute,
        valid=valid,
        expected=valid,
        details=details,
    )
    ground = target_of(application, indicator).ground(int(period[:4]))
    store.record_estimates(application.engine, [(found, ground)], as_of=date.fromisoformat(period))


def test_odds_from_eight_values_with_all_their_parts(application):
    values = {2016: 36.00, 2017: 36.06, 2018: 36.15, 2019: 36.18, 2020: 36.40, 2021: 36.42, 2022: 36.51, 2023: 36.58}
    confirm(application, FOREST, values)
    found = board.indicator(application, FOREST, DAY)["odds"]
    assert (found["target_year"], found["points_used"], found["from"], found["refused"]) == (2025, 8, "2016", None)
    assert {method["id"] for method in found["methods"]} == {"linear", "theil_sen", "random_walk"}
    assert sum(method["weight"] for method in found["methods"]) == pytest.approx(1)
    mixed = sum(method["weight"] * method["probability"] for method in found["methods"])
    assert found["probability"] == pytest.approx(mixed)
    chances = [method["probability"] for method in found["methods"]]
    assert (found["spread"]["low"], found["spread"]["high"]) == (min(chances), max(chances))
    # The straight line by least squares and Student's t, written out here once more: the target is 36.65 in 2025.
    years, heights = np.array(list(values), float), np.array(list(values.values()))
    slope, start = np.polyfit(years, heights, 1)
    rest = heights - start - slope * years
    spread = ((years - years.mean()) ** 2).sum()
    error = np.sqrt(rest @ rest / 6 * (1 + 1 / 8 + (2025 - years.mean()) ** 2 / spread))
    straight = stats.t.sf((36.65 - start - slope * 2025) / error, 6)
    linear = next(method for method in found["methods"] if method["id"] == "linear")
    assert linear["probability"] == pytest.approx(straight, abs=1e-6)
    assert linear["text"] == percent(straight)
    assert card(application, FOREST)["odds"] == {"text": found["text"], "probability": found["probability"]}


def test_five_values_are_too_few_and_the_reason_is_said(application):
    confirm(application, FOREST, {2019: 36.18, 2021: 36.42, 2022: 36.51, 2023: 36.58})  # and the plan's own of 2020
    found = board.indicator(application, FOREST, DAY)["odds"]
    assert (found["points_used"], found["probability"], found["text"], found["spread"]) == (5, None, None, None)
    assert found["methods"] == []
    assert "少于 6 个" in found["refused"]["zh"]
    assert "fewer than 6" in found["refused"]["en"]
    assert card(application, FOREST)["odds"] is None


def test_no_odds_across_a_change_of_network(application):
    confirm(application, SECTIONS, {year: 50.0 + year - 2012 for year in range(2012, 2020)})
    before = board.indicator(application, SECTIONS, date(2021, 6, 30))["odds"]
    # Nine values up to 2020, all of the old network; the target is the new one's.
    assert (before["points_used"], before["probability"]) == (9, None)
    assert before["refused"]["zh"].startswith("概率不跨中断计算")
    confirm(application, SECTIONS, {2021: 72.73, 2022: 81.82, 2023: 81.82})
    after = board.indicator(application, SECTIONS, DAY)["odds"]
    assert (after["points_used"], after["from"], after["probability"]) == (3, "2021", None)
    assert "7 个国控断面" in after["refused"]["zh"]


def test_no_odds_without_a_target_or_after_its_year_or_where_not_declared(application):
    assert board.indicator(application, PM25, DAY)["odds"] is None
    assert board.indicator(application, FOREST, date(2025, 12, 31))["odds"] is None
    assert board.indicator(application, "emissions.nox_reduction", DAY)["odds"] is None
    record.issue_target(application, PM25, 2025, 36.0, document="省函", document_date=date(2022, 1, 1))
    confirm(application, PM25, dict(zip(range(2014, 2024), (58, 55, 52, 50, 47, 46, 43, 40, 38, 37), strict=True)))
    # Before 2023 was over only its earlier years count.
    assert board.indicator(application, PM25, date(2023, 6, 30))["odds"]["points_used"] == 9
    found = board.indicator(application, PM25, DAY)["odds"]
    assert found["probability"] > 0.5


def test_estimates_of_another_basis_do_not_join_confirmed_ones(application):
    record.issue_target(application, PM25, 2025, 36.0, document="省函", document_date=date(2022, 1, 1))
    confirm(application, PM25, dict(zip(range(2014, 2023), range(58, 40, -2), strict=True)))
    found = Estimate(
        indicator=PM25, period="2023", value=41.0, text="41.0", function=PM25, valid=365, expected=365, basis="realtime"
    )
    ground = target_of(application, PM25).ground(2023)
    store.record_estimates(application.engine, [(found, ground)], as_of=date(2024, 1, 2))
    made = board.indicator(application, PM25, DAY)["odds"]
    assert (made["points_used"], made["from"]) == (1, "2023")
    assert made["refused"] is not None


def test_good_days_that_may_still_be_lost(application):
    part(application, GOOD_DAYS, "2024-10-26", 88.333333, 300, days=265)
    day = date(2024, 10, 26)
    waiting = board.indicator(application, GOOD_DAYS, day)["in_year"]
    assert (waiting["days_left"], waiting["may_lose"], waiting["note"]["zh"]) == (66, None, "本年没有下达目标")
    record.issue_target(application, GOOD_DAYS, 2024, 87.5, document="省函", document_date=date(2024, 1, 5))
    found = board.indicator(application, GOOD_DAYS, day)["in_year"]
    # 366 days; 320 / 366 = 87.43, rounded 87.4; 321 / 366 = 87.70: 321 are needed, 265 are there, 66 − 56 = 10.
    assert (found["year"], found["days_left"], found["may_lose"]) == (2024, 66, {"value": 10, "text": "10"})
    assert found["mean_remaining"] is None
    assert "321 天优良" in found["note"]["zh"]
    assert board.indicator(application, GOOD_DAYS, date(2024, 12, 31))["in_year"] is None


def test_a_target_out_of_reach_is_said_with_its_days(application):
    part(application, GOOD_DAYS, "2024-10-26", 70.0, 300, days=210)
    record.issue_target(application, GOOD_DAYS, 2024, 87.5, document="省函", document_date=date(2024, 1, 5))
    found = board.indicator(application, GOOD_DAYS, date(2024, 11, 2))["in_year"]
    # 321 − 210 = 111 more are needed and 66 days are left.
    assert found["may_lose"] == {"value": -45, "text": "-45"}
    assert "差 45 天" in found["note"]["zh"]
    assert "2024-10-26" in found["note"]["zh"]


def test_the_mean_that_the_days_left_may_show(application):
    part(application, PM25, "2024-10-26", 40.0, 300)
    record.issue_target(application, PM25, 2024, 36.0, document="省函", document_date=date(2024, 1, 5))
    found = board.indicator(application, PM25, date(2024, 10, 26))["in_year"]
    # (36 × 366 − 40 × 300) / 66 = 1176 / 66 = 17.81…, down to the safe side.
    assert found["mean_remaining"]["value"] == pytest.approx(1176 / 66)
    assert found["mean_remaining"]["text"] == "17.8"
    assert found["may_lose"] is None


def test_indicators_that_declare_nothing_have_no_running_year(application):
    assert board.indicator(application, FOREST, DAY)["in_year"] is None
    assert board.indicator(application, PM25, DAY)["in_year"] is None


@pytest.mark.parametrize(
    ("chance", "text"), [(0.0, "<1 %"), (0.004, "<1 %"), (0.505, "50 %"), (0.994, "99 %"), (0.996, ">99 %")]
)
def test_odds_are_never_certain_in_print(chance, text):
    assert percent(chance) == text
