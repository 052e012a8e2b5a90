"""The city's water figures: which sections, months and sources count; the demo's series, made without any limit."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from qinglan.app import Application
from qinglan.base.settings import Settings
from qinglan.cli.demo_city import waters_of
from qinglan.gateways.simulator.waters import sampled_waters
from qinglan.indicators import board
from qinglan.indicators.compute import Period, Request, estimate
from qinglan.indicators.declare import Indicator
from qinglan.indicators.evaluate import evaluate
from qinglan.indicators.examples import scanning
from qinglan.indicators.installation import sites_of

GOOD, BAD, SOURCES = "water.good_section_share", "water.bad_section_share", "water.drinking_source_share"
OLD, NEW = "national-sections-7", "national-sections-11"
START, END = date(2020, 1, 1), date(2026, 1, 1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    """A home with the pack's six years of samples, evaluated after the last."""
    with Application.open(Settings(home=tmp_path_factory.mktemp("water"))) as application:
        frame = sampled_waters(waters_of(application), START, END, seed=42)
        key = ["site", "factor", "grain", "time"]
        again = ~frame.select(pl.struct(key).is_first_distinct()).to_series()
        for batch in (frame.filter(~again), frame.filter(again)):
            application.lake.submit(batch, source="simulated")
        evaluate(application, date(2026, 3, 1), [GOOD, BAD, SOURCES])
        yield application


def figures(application: Application, indicator: str) -> dict[str, tuple[str, str, dict[str, int]]]:
    found = board.indicator(application, indicator, date(2026, 3, 1))
    counts = {entry["period"]: entry["counts"] for entry in found["lineage"]}
    return {
        point["period"]: (point["text"], point["network"], counts[point["period"]])
        for point in found["history"]
        if point["kind"] == "estimate"
    }


def test_four_of_seven_in_2020_and_ten_of_eleven_in_2025(demo):
    found = figures(demo, GOOD)
    # 4 / 7 × 100 = 57.142857…; 10 / 11 × 100 = 90.909…
    assert found["2020"] == ("57.14", OLD, {"valid": 7, "expected": 7})
    assert found["2025"] == ("90.91", NEW, {"valid": 11, "expected": 11})
    assert [found[str(year)][1] for year in range(2021, 2026)] == [NEW] * 5
    shares = [float(found[str(year)][0]) for year in range(2021, 2026)]
    assert shares == sorted(shares)


def test_one_of_eleven_is_worse_than_v_at_first_and_none_in_the_end(demo):
    found = figures(demo, BAD)
    assert (found["2020"][0], found["2021"][0], found["2025"][0]) == ("0.00", "9.09", "0.00")


def test_every_source_meets_in_every_year(demo):
    found = figures(demo, SOURCES)
    assert {text for text, _, _ in found.values()} == {"100.0"}
    assert found["2025"][2] == {"valid": 6, "expected": 6}


def test_the_change_of_network_is_a_break_without_line_gap_or_pace(demo):
    found = board.indicator(demo, GOOD, date(2026, 3, 1))
    assert [(gap["after"], gap["before"], gap["reason"]) for gap in found["breaks"]] == [("2020", "2021", "network")]
    # Every pair of neighbouring points that a line would join stands on one network.
    points = {point["period"]: point["network"] for point in found["points"]}
    assert [points[str(year)] for year in range(2020, 2026)] == [OLD, *[NEW] * 5]
    # At the end of 2020 only the old network has a figure: nothing is held against the target of the new one.
    before = board.indicator(demo, GOOD, date(2021, 6, 30))
    assert (before["gap"], before["needed_pace"], before["state"]) == (None, None, "no_data")
    assert before["break"] is not None
    # 90.9 − 72.73 = 18.17 over four years; the years of the new network alone make the line.
    later = board.indicator(demo, GOOD, date(2022, 6, 30))
    assert (later["latest"]["text"], later["gap"]["text"]) == ("72.73", "+18.17")
    assert later["needed_pace"]["text"] == "+4.54"


def test_the_number_opens_to_sections_clause_and_series(demo):
    newest = board.indicator(demo, GOOD, date(2026, 3, 1))["lineage"][0]
    assert (newest["period"], newest["function"], newest["basis"]) == ("2025", GOOD, "assessed")
    assert "GB 3838" in newest["clause"]
    assert "环办〔2011〕22号" in newest["clause"]
    steps = {step["title"]["zh"]: step["text"] for step in newest["steps"]}
    assert steps["Ⅰ—Ⅲ类断面"] == "10 / 11"
    assert steps["各断面类别（各项目月值的年均值）"].count("Ⅳ") == 1
    # 21 items of 11 sections.
    assert len(newest["series"]) == 21 * 11
    assert {one["grain"] for one in newest["series"]} == {"month"}


def test_a_running_year_is_a_part_and_says_so(demo):
    found = ask(demo, GOOD, Period(2025, date(2025, 6, 30)))
    assert (found.period, found.expected) == ("2025-06-30", 11)
    assert any("截至 2025-06-30" in note.zh for note in found.notes)


def test_without_measurements_the_reported_figure_stands_in(tmp_path):
    with Application.open(Settings(home=tmp_path)) as application:
        frame = pl.DataFrame(
            {
                "site": [NEW],
                "factor": [f"indicator:{GOOD}"],
                "grain": ["year"],
                "time": [date(2024, 12, 31)],
                "basis": ["assessed"],
                "value": [81.82],
            }
        ).with_columns(pl.col("time").cast(pl.Datetime("us")).dt.offset_by("16h").dt.replace_time_zone("UTC"))
        application.lake.submit(frame, source="file")
        evaluate(application, date(2026, 3, 1), [GOOD])
        found = board.indicator(application, GOOD, date(2026, 3, 1))
    assert found["latest"]["text"] == "81.82"
    assert (found["latest"]["kind"], found["latest"]["period"]) == ("reported", "2025")
    assert "没有考核点位的监测值" in ask_nothing(2024)


def ask(application: Application, indicator: str, period: Period, network: str = NEW):
    rows = application.lake.scan().collect()
    return estimate(
        Request(
            indicator=application.declarations.get(Indicator, indicator),
            period=period,
            scan=scanning(rows),
            city=application.city.adcode,
            network=network,
            sites=tuple(sites_of(application)),
        )
    )


def ask_nothing(year: int) -> str:
    from qinglan.app import load_declarations
    from qinglan.observations.schema import OBSERVATION

    declared = load_declarations("huludao").get(Indicator, GOOD)
    empty = scanning(pl.DataFrame(schema=dict(OBSERVATION)))
    found = estimate(Request(indicator=declared, period=Period(year), scan=empty, city="211400", network=NEW))
    assert found.value is None
    return found.notes[0].zh


def row(site: str, month: int, factor: str, value: float, **more):
    from datetime import datetime

    from qinglan.core.interval import BEIJING

    given = {"grain": "month", "basis": "assessed", "flag": None, "qualifier": None, "limit": None}
    moment = datetime(2024, month, 1, tzinfo=BEIJING)
    return {"site": site, "factor": factor, "time": moment, "value": value, **given, **more}


def sections_of(rows) -> dict[str, int | None]:
    from qinglan.domains.samples import judged_frame
    from qinglan.domains.water.sections import kinds_of, section_rows
    from qinglan.standards import water

    frame = pl.DataFrame(rows, schema_overrides={"flag": pl.String, "qualifier": pl.String, "limit": pl.Float64})
    frame = frame.with_columns(
        pl.col("time").dt.convert_time_zone("UTC"), source=pl.lit("x"), revision=pl.lit(1, pl.Int64)
    )
    counted = judged_frame(section_rows(frame, ("assessed", "audited", "realtime")))
    kinds = pl.DataFrame({"site": counted["site"].unique(), "kind": "river"})
    assert kinds_of(()).is_empty()
    classes = water.section_assessment(counted.join(kinds, on="site"), "kind", period="year")
    return dict(classes.select("site", "water_class").rows())


def test_monthly_values_go_before_samples_and_invalid_values_do_not_count():
    # Mean of the months: 4.0 (class II); the samples of 20 mg/L would be class 6, the flagged month too.
    rows = [row("a", month, "w01019", 4.0) for month in range(1, 13)]
    samples = [row("a", month, "w01019", 20.0, grain="sample", basis="realtime") for month in range(1, 13)]
    assert sections_of([*rows, *samples]) == {"a": 2}
    assert sections_of(samples) == {"a": 6}
    assert sections_of([*rows[1:], row("a", 1, "w01019", 99.0, flag="invalid_audit")]) == {"a": 2}


def test_a_mean_exactly_at_the_limit_and_just_above_it():
    # Six months of 5.9 and six of 6.1: the mean is 6.0, class III; 6.2 instead: 6.05, class IV.
    half = [row("a", month, "w01019", 5.9) for month in range(1, 7)]
    assert sections_of([*half, *(row("a", month, "w01019", 6.1) for month in range(7, 13))]) == {"a": 3}
    assert sections_of([*half, *(row("a", month, "w01019", 6.2) for month in range(7, 13))]) == {"a": 4}
