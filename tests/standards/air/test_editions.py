"""The law of the date: which edition judges a day, a year, and a verdict made again later."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from itertools import pairwise

import polars as pl
import pytest

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import air
from qinglan.standards.air.tables import FOLDER, Index, Limits
from qinglan.standards.edition import editions, in_force, named


def days(first: date, count: int, **values: float) -> pl.DataFrame:
    dates = [first + timedelta(days=number) for number in range(count)]
    return pl.concat(
        pl.DataFrame({"site": "a", "factor": factor, "date": dates, "value": float(value)})
        for factor, value in values.items()
    )


CLEAN = {"SO2": 6, "NO2": 12, "PM10": 51, "CO": 0.9, "O3": 90}


def test_a_day_in_february_and_one_in_march_2026() -> None:
    """PM2.5 = 61: IAQI 83 on the 2012 table (50 + 50 × 26/40 = 82.5, up), 101 on the 2026 table."""
    frame = days(date(2026, 2, 28), 2, **{"PM2.5": 61}, **CLEAN)
    found = air.daily_aqi_from_days(frame).sort("date")
    assert found["aqi"].to_list() == [83, 101]
    assert found["edition"].to_list() == ["HJ 633—2012", "HJ 633—2026"]
    assert found["level"].to_list() == [2, 3]
    assert found["primary"].to_list() == ["PM2.5", "PM2.5"]


def test_hours_lie_under_the_edition_of_the_hour_they_end() -> None:
    """00:00 of 1 March, stamped at the end, is hour 24 of February and under the 2012 edition."""
    times = [datetime(2026, 3, 1, 0), datetime(2026, 3, 1, 1)]
    values = {"PM2.5": 61.0, **CLEAN}
    frame = pl.concat(
        pl.DataFrame({"site": "a", "factor": factor, "time": times, "value": float(value)})
        for factor, value in values.items()
    )
    found = air.hourly_aqi(frame, stamp="end", pm="1h").sort("time")
    assert found["edition"].to_list() == ["HJ 633—2012", "HJ 633—2026"]
    assert found["aqi"].to_list() == [83, 101]
    assert "非条款" in found["clause"][0]
    assert "非条款" not in found["clause"][1]


def test_year_2026_is_judged_whole_by_the_edition_of_its_last_day_unless_said_otherwise() -> None:
    """PM2.5 61 every day: under the 2026 edition no day is good; by each day's own, the 59 before March are."""
    frame = days(date(2026, 1, 1), 365, **{"PM2.5": 61}, **CLEAN)
    whole = air.annual_evaluation(frame).filter(pl.col("statistic") == "good_days")
    assert (whole["value"].item(), whole["edition"].item()) == (0.0, "HJ 633—2026")
    own = air.annual_evaluation(frame, policy="own_day").filter(pl.col("statistic") == "good_days")
    assert own["value"].item() == 59.0
    assert own["edition"].item() == "HJ 633—2012、HJ 633—2026"
    mean = air.annual_evaluation(frame).filter((pl.col("factor") == "PM2.5") & (pl.col("statistic") == "mean"))
    assert mean.select("limit", "edition", "stage").row(0) == (30.0, "GB 3095—2026", "transition")
    assert "未全" in mean["clause"].item()  # HJ 663—2026 is declared incomplete, and its verdicts say so


def test_year_2031_lies_under_the_final_limits() -> None:
    frame = days(date(2031, 1, 1), 365, **{"PM2.5": 26})
    mean = air.annual_evaluation(frame).filter((pl.col("factor") == "PM2.5") & (pl.col("statistic") == "mean"))
    assert mean.select("limit", "meets", "stage").row(0) == (25.0, False, "final")
    assert mean["multiple"].item() == 0.04  # (26 − 25) / 25


def test_a_2025_verdict_made_again_now_is_unchanged() -> None:
    frame = days(date(2025, 1, 1), 365, **{"PM2.5": 61}, **CLEAN)
    found = air.annual_evaluation(frame)
    good = found.filter(pl.col("statistic") == "good_days")
    assert (good["value"].item(), good["edition"].item()) == (365.0, "HJ 633—2012")
    mean = found.filter((pl.col("factor") == "PM2.5") & (pl.col("statistic") == "mean"))
    assert mean.select("limit", "multiple", "edition").row(0) == (35.0, 0.74, "GB 3095—2012")  # 26 / 35 = 0.7428…


def test_a_named_edition_overrides() -> None:
    frame = days(date(2025, 1, 1), 365, **{"PM2.5": 61}, **CLEAN)
    found = air.annual_evaluation(frame, edition="2026-final")
    mean = found.filter((pl.col("factor") == "PM2.5") & (pl.col("statistic") == "mean"))
    assert mean["limit"].item() == 25.0
    assert found.filter(pl.col("statistic") == "good_days")["value"].item() == 0.0


def test_no_edition_in_force_is_refused_by_name_and_date() -> None:
    frame = days(date(2015, 12, 31), 2, **{"PM2.5": 61})
    with pytest.raises(EditionError, match=r"HJ 633 在 2015-12-31"):
        air.daily_aqi_from_days(frame)
    with pytest.raises(EditionError, match=r"GB 3095 在 2015-12-31"):
        air.annual_evaluation(frame)
    assert air.daily_aqi_from_days(frame, edition="2012")["aqi"].to_list() == [83, 83]


def test_an_unknown_edition_is_refused() -> None:
    with pytest.raises(EditionError, match="HJ633-2012"):
        air.daily_aqi_from_days(days(date(2025, 1, 1), 1, SO2=1), edition="1996")


def test_the_stamp_must_be_said() -> None:
    hour = pl.DataFrame({"site": ["a"], "factor": ["SO2"], "time": [datetime(2025, 6, 1, 8)], "value": [9.0]})
    with pytest.raises(InputError, match="start"):
        air.daily_aqi(hour, stamp="")  # type: ignore[arg-type]


def test_editions_follow_each_other_without_gap() -> None:
    for model, number in ((Limits, "GB 3095"), (Index, "HJ 633")):
        available = editions(FOLDER, model, number)
        for older, newer in pairwise(available):
            assert older.in_force.end is not None
            assert newer.in_force.start - older.in_force.end == timedelta(days=1)
        assert available[-1].in_force.end is None
        assert in_force(available, date(2030, 12, 31)) is named(available, available[-2 if model is Limits else -1].id)
