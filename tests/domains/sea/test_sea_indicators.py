"""The share of good coastal points is an own estimate: shown beside the target, never held against it."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from qinglan.app import Application
from qinglan.base.settings import Settings
from qinglan.cli.demo_city import waters_of
from qinglan.gateways.simulator.waters import sampled_waters
from qinglan.indicators import board, record
from qinglan.indicators.evaluate import evaluate

GOOD = "sea.good_area_share"
AFTER = date(2026, 3, 1)


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory):
    with Application.open(Settings(home=tmp_path_factory.mktemp("sea"))) as application:
        points = [site for site in waters_of(application) if site.profile == "sea"]
        frame = sampled_waters(points, date(2020, 1, 1), date(2026, 1, 1), seed=42)
        application.lake.submit(frame.unique(["site", "factor", "time"], keep="first"), source="simulated")
        evaluate(application, AFTER, [GOOD])
        yield application


def test_it_is_named_an_own_estimate_with_its_own_method(demo):
    found = board.indicator(demo, GOOD, AFTER)
    assert found["latest"]["kind"] == "estimate"
    assert found["latest"]["method"] == "points-mean-of-surveys"
    assert found["latest"]["method_title"]["zh"].startswith("自测")
    assert found["points"][0]["method"] == "area-by-interpolation"
    newest = found["lineage"][0]
    assert (newest["period"], newest["counts"]) == ("2025", {"valid": 10, "expected": 10})
    assert newest["method"]["zh"].startswith("自测")
    assert any("官方数值" in note["zh"] for note in newest["notes"])
    # A share of ten points in three surveys: tenths of 30.
    assert 60 <= found["latest"]["value"] <= 100


def test_another_method_is_never_held_against_the_target(demo):
    assert board.indicator(demo, GOOD, AFTER)["state"] == "awaiting_province"
    issued = record.issue_target(demo, GOOD, 2025, 90.0, document="省函", document_date=date(2022, 1, 1))
    assert (issued["state"], issued["gap"], issued["needed_pace"]) == ("no_pace", None, None)
    assert any("方法不同" in note["zh"] for note in issued["notes"])
    odds = board.indicator(demo, GOOD, date(2025, 6, 30))["odds"]
    assert (odds["probability"], odds["target_year"]) == (None, 2025)
    assert "方法" in odds["refused"]["zh"]
    confirmed = record.confirm(demo, GOOD, 2025, 91.3, document="省核定", document_date=date(2026, 2, 1))
    # The confirmed figure is one of area, like the target: 91.3 ≥ 90.
    assert (confirmed["state"], confirmed["shown_kind"]) == ("met", "confirmed")
    assert confirmed["estimate"]["method"] == "points-mean-of-surveys"


def test_samples_out_of_season_belong_to_no_survey():
    from datetime import datetime

    from qinglan.core.interval import BEIJING
    from qinglan.domains.sea.surveys import classes

    rows = pl.DataFrame(
        {
            "site": ["a"] * 3,
            "factor": ["din"] * 3,
            "grain": ["sample"] * 3,
            "time": [datetime(2024, month, 9, 9, tzinfo=BEIJING) for month in (2, 5, 11)],
            "basis": ["assessed"] * 3,
            "value": [0.9, 0.25, 0.15],
            "flag": pl.Series([None] * 3, dtype=pl.String),
            "qualifier": pl.Series([None] * 3, dtype=pl.String),
            "limit": pl.Series([None] * 3, dtype=pl.Float64),
        }
    ).with_columns(pl.col("time").dt.convert_time_zone("UTC"))
    found = classes(rows).select("year", "survey", "water_class").rows()
    assert found == [(2024, None, 5), (2024, "春", 2), (2024, "秋", 1)]
