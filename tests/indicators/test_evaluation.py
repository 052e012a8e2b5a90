"""Evaluation and the board on a small lake; expected figures are those put in, or hand arithmetic on them."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from qinglan import app, jobs
from qinglan.catalogue.flags import invalid_flags
from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING
from qinglan.indicators import board, record, store
from qinglan.indicators.compute import Estimate
from qinglan.indicators.declare import Target
from qinglan.indicators.evaluate import evaluate

GOOD = "water.good_section_share"
FOREST = "ecology.forest_cover"
ENDED = date(2026, 3, 1)

CARD = {
    *("id", "row", "title", "domain", "domain_title", "unit", "better", "binding", "baseline", "target", "latest"),
    *("estimate", "confirmed", "gap", "needed_pace", "state", "state_title", "break", "simulated", "computed"),
    *("reporter", "points", "shown_kind", "difference"),
}


def test_the_board_of_an_empty_lake_shows_the_plan_itself(application):
    found = board.board(application, ENDED)
    cards = {card["id"]: card for card in found["indicators"]}
    assert (len(cards), found["plan"]["status"], found["simulated"]) == (18, "final_evaluation", False)
    assert found["summary"] == {"no_data": 18}
    assert [card["row"] for card in found["indicators"]] == [*range(1, 10), 9, 9, 9, *range(10, 16)]
    assert set(cards[GOOD]) >= CARD
    assert cards["air.pm25_mean"]["baseline"]["text"] == "43"
    # The baseline is no figure of the plan's own period; it stands in its own place and in the history.
    assert [card["latest"] for card in found["indicators"]] == [None] * 18
    assert [card["shown_kind"] for card in found["indicators"]] == [None] * 18
    assert cards["air.pm25_mean"]["target"]["status"] == "awaiting"
    assert cards["air.pm25_mean"]["points"][0]["document"].startswith("葫政办发〔2022〕16号")
    assert cards["ecology.redline_share"]["baseline"]["value"] is None
    assert cards["water.bad_section_share"]["target"]["status"] == "words"
    assert cards["water.bad_section_share"]["target"]["value"] == 0


def test_the_baseline_is_no_figure_before_its_year_is_over(application):
    card = next(one for one in board.board(application, date(2020, 12, 30))["indicators"] if one["id"] == GOOD)
    assert (card["latest"], card["points"], card["baseline"]["text"]) == (None, [], "57.14")
    over = next(one for one in board.board(application, date(2020, 12, 31))["indicators"] if one["id"] == GOOD)
    assert (over["latest"], [point["period"] for point in over["points"]]) == (None, ["2020"])


def test_a_reported_figure_stands_at_the_network_of_its_year(application, report):
    report(GOOD, 2020, 57.14, site="national-sections-7")
    report(GOOD, 2020, 54.55, site="national-sections-11")  # of another network: not the figure of 2020
    report(GOOD, 2025, 90.91, site="national-sections-11")
    evaluate(application, ENDED, [GOOD])
    found = board.indicator(application, GOOD, ENDED)
    # 10 of 11 sections; 90.9 − 90.91
    assert (found["state"], found["gap"]["value"], found["gap"]["text"]) == ("met", -0.01, "-0.01")
    assert found["break"]["note"]["zh"].startswith("2020 年为 7 个")
    own = {(point["period"], point["kind"]): point for point in found["history"]}
    assert own["2020", "reported"]["value"] == 57.14
    assert own["2020", "reported"]["network"] == "national-sections-7"
    assert own["2025", "reported"]["network"] == "national-sections-11"
    assert found["breaks"] == [
        {"after": "2020", "before": "2021", "reason": "network", "title": found["break"]["note"]}
    ]
    newest = found["lineage"][0]
    assert (newest["period"], newest["function"], newest["counts"]) == ("2025", "reported", {"valid": 1, "expected": 1})
    assert [(series["site"], series["factor"], series["rows"]) for series in newest["series"]] == [
        ("national-sections-11", f"indicator:{GOOD}", 1)
    ]
    assert newest["series"][0]["site_title"]["zh"] == "国控断面 11 个"


def test_confirmed_later_makes_the_verdict_again_and_keeps_the_estimate_beside_it(application, report):
    report(FOREST, 2025, 36.66)
    evaluate(application, ENDED, [FOREST])
    before = board.indicator(application, FOREST, date(2026, 3, 14))
    after = record.confirm(
        application, FOREST, 2025, 36.61, document="省林草公报", document_date=date(2026, 3, 15), note="初步"
    )
    assert (before["state"], before["shown_kind"], before["confirmed"]) == ("met", "reported", None)
    assert (after["state"], after["shown_kind"]) == ("missed", "confirmed")
    assert (after["estimate"]["value"], after["confirmed"]["value"]) == (36.66, 36.61)
    assert after["difference"] == {"value": 0.05, "text": "+0.05"}
    assert board.indicator(application, FOREST, date(2026, 3, 14))["state"] == "met"
    assert after["documents"][-1] == {"title": "省林草公报", "date": "2026-03-15", "note": "初步"}


def test_issued_later_ends_the_waiting_and_goes_before_the_plans_own_figure(application, report):
    report("soil.farmland_safe_use_rate", 2025, 98)
    evaluate(application, ENDED, ["soil.farmland_safe_use_rate"])
    assert board.indicator(application, "soil.farmland_safe_use_rate", ENDED)["state"] == "awaiting_province"
    found = record.issue_target(
        application, "soil.farmland_safe_use_rate", 2025, 97.5, document="省函", document_date=date(2021, 12, 1)
    )
    assert (found["state"], found["target"]["status"], found["target"]["text"]) == ("met", "issued", "97.5")
    assert [target["status"] for target in found["targets"]] == ["awaiting", "issued"]
    report(FOREST, 2025, 36.66)
    evaluate(application, ENDED, [FOREST])
    # the table's own note: what the province issues counts
    raised = record.issue_target(application, FOREST, 2025, 36.7, document="省函", document_date=date(2022, 12, 1))
    assert (raised["state"], raised["target"]["value"]) == ("missed", 36.7)


def test_an_earlier_day_knows_only_full_years(application, report):
    for year, value in ((2021, 36.44), (2022, 36.52), (2023, 36.9)):
        report(FOREST, year, value)
    evaluate(application, date(2023, 6, 30), [FOREST])
    found = board.indicator(application, FOREST, date(2023, 6, 30))
    # 36.4 + 0.25 × 2/5 = 36.50; (36.65 − 36.52) / 3 years = 0.0433
    assert (found["state"], found["state_year"], found["latest"]["period"]) == ("on_pace", 2022, "2022")
    assert (found["gap"]["text"], found["needed_pace"]["text"]) == ("+0.13", "+0.04")
    assert found["needed_pace"]["source"] == "straight_line"
    assert [point["period"] for point in found["points"]] == ["2020", "2021", "2022"]


def test_the_better_basis_is_taken_and_invalid_values_are_not(application, report):
    report(FOREST, 2024, 36.5, basis="realtime")
    report(FOREST, 2024, 36.6, basis="assessed")
    report(FOREST, 2025, 36.9, flag=min(invalid_flags()))
    evaluate(application, ENDED, [FOREST])
    found = board.indicator(application, FOREST, ENDED)
    assert {point["period"]: point["value"] for point in found["points"]} == {"2020": 36.4, "2024": 36.6}
    assert found["state"] == "no_data"


def test_known_by_reads_the_lake_of_that_moment_and_records_nothing(application, report):
    report(FOREST, 2024, 36.5, received=datetime(2025, 3, 1, tzinfo=BEIJING))
    report(FOREST, 2024, 36.6, received=datetime(2025, 9, 1, tzinfo=BEIJING))
    then = evaluate(application, ENDED, [FOREST], known_by=datetime(2025, 6, 1, tzinfo=BEIJING))
    now = evaluate(application, ENDED, [FOREST])
    assert [found.value for found in then if found.period == "2024"] == [36.5]
    assert [found.value for found in now if found.period == "2024"] == [36.6]
    assert {value.value for value in store.values(application.engine, ENDED) if value.period == "2024"} == {36.6}


def test_evaluation_runs_as_a_job_with_progress(application, report):
    report(FOREST, 2025, 36.66)
    arguments = {"as_of": "2026-03-01", "indicators": [FOREST]}
    job = jobs.enqueue(application.engine, app.EVALUATE, arguments, title_zh="评价", title_en="Evaluation")
    said = []
    done = jobs.run_now(application.engine, application.handlers, job, on_progress=lambda *what: said.append(what[:2]))
    # one indicator, six years from 2020 to 2025
    assert (done.state, done.result) == ("done", {"as_of": "2026-03-01", "values": 1})
    assert said == [(number, 6) for number in range(7)]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"identifier": "air.nothing"}, "indicator"),
        ({"year": 2019}, "year"),
        ({"year": 2026}, "year"),
        ({"value": 35.25}, "value"),
        ({"document_date": date(9999, 1, 1)}, "document_date"),
    ],
)
def test_a_target_that_cannot_be_is_refused(application, change, field):
    asked = {"identifier": "air.pm25_mean", "year": 2025, "value": 35.2} | change
    day = asked.pop("document_date", date(2021, 9, 1))
    with pytest.raises(InputError) as refusal:
        record.issue_target(
            application, asked["identifier"], asked["year"], asked["value"], document="函", document_date=day
        )
    assert refusal.value.field == field
    assert store.issued_targets(application.engine, date(2026, 1, 1)) == []


def test_the_running_year_stands_beside_the_full_ones_until_it_is_over(application):
    ground = application.declarations.get(Target, "huludao-14fyp.01").goal
    parts = [("2022", 36.2), ("2023-05-31", 40.1), ("2023-06-30", 38.3), ("2023", 38.4)]
    for period, value in parts:
        made = Estimate(
            indicator="air.pm25_mean", period=period, value=value, text=str(value), function="air.pm25_mean"
        )
        store.record_estimates(application.engine, [(made, ground)], as_of=date(2024, 1, 1))
    found = board.indicator(application, "air.pm25_mean", date(2023, 7, 15))
    assert (found["year_to_date"]["period"], found["year_to_date"]["partial"]) == ("2023-06-30", True)
    assert found["latest"]["period"] == "2022"
    assert [value["period"] for value in found["history"]] == ["2020", "2022"]
    over = board.indicator(application, "air.pm25_mean", date(2024, 1, 1))
    assert (over["year_to_date"], over["latest"]["period"]) == (None, "2023")
    assert [entry["period"] for entry in over["lineage"]] == ["2023", "2022"]
