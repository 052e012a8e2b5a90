"""Days and years by hand: means, ozone maxima, validity, percentiles, good days, dust, cities."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.standards import air

YEAR_2020 = [date(2020, 1, 1) + timedelta(days=number) for number in range(366)]
CLEAN = {"SO2": 6.0, "NO2": 12.0, "PM10": 40.0, "CO": 0.9, "O3": 90.0}


def hours(values: list[float | None], factor: str = "PM2.5", day: date = date(2025, 6, 1)) -> pl.DataFrame:
    start = datetime(day.year, day.month, day.day)
    return pl.DataFrame(
        {
            "site": "a",
            "factor": factor,
            "time": [start + timedelta(hours=number) for number in range(len(values))],
            "value": pl.Series(values, dtype=pl.Float64),
        }
    )


def daily(values: list[float | None], factor: str = "PM2.5") -> dict[str, object]:
    found = air.daily_values(hours(values, factor), stamp="start")
    return found.filter(pl.col("factor") == factor).row(0, named=True)


def test_a_daily_mean_needs_20_hours() -> None:
    assert daily([10.0] * 20 + [None] * 4)["value"] == 10.0
    short = daily([10.0] * 19 + [None] * 5)
    assert (short["value"], short["valid"], short["hours"]) == (None, False, 19)


def test_absent_hours_count_as_missing() -> None:
    assert daily([10.0] * 19)["valid"] is False


def test_an_hour_stamped_at_its_end_belongs_to_the_day_before() -> None:
    frame = hours([10.0] * 24).with_columns(pl.col("time") + timedelta(hours=1))
    found = air.daily_values(frame, stamp="end").filter(pl.col("factor") == "PM2.5")
    assert found.select("date", "hours").rows() == [(date(2025, 6, 1), 24)]


def test_nan_infinity_and_null_are_no_values() -> None:
    assert daily([10.0] * 20 + [float("nan"), float("inf"), float("-inf"), None])["hours"] == 20


def test_ozone_day_is_the_largest_8_hour_mean_within_the_day() -> None:
    """Hours 13–20 at 160, the rest 40: the window of those eight is 160; the 24-hour mean would be 80."""
    values = [160.0 if 12 <= hour < 20 else 40.0 for hour in range(24)]
    assert daily(values, "O3")["value"] == 160.0


def test_ozone_windows_do_not_reach_into_the_day_before() -> None:
    """High values in the first seven hours are only ever seen in windows ending at 08:00 or later."""
    values = [200.0] * 7 + [0.0] * 17
    assert daily(values, "O3")["value"] == 175.0  # (7 × 200 + 0) / 8, the window ending at 08:00


def test_an_8_hour_mean_needs_6_hours() -> None:
    """Three of the first eight hours missing: the window ending at 08:00 has 5 and does not count."""
    values: list[float | None] = [None, None, None, *[90.0] * 5, *[30.0] * 16]
    assert daily(values, "O3")["value"] == pytest.approx((5 * 90 + 30) / 6, abs=1e-6)


@pytest.mark.parametrize(("level", "expected"), [(100.0, None), (170.0, 170.0), (160.0, None), (160.5, None)])
def test_with_fewer_than_14_windows_the_ozone_day_counts_only_above_the_limit(
    level: float, expected: float | None
) -> None:
    """18 hours from 06:00: windows ending 12:00 to 24:00 have six hours or more, 13 of them."""
    assert daily([None] * 6 + [level] * 18, "O3")["value"] == expected


def year(pm25: list[float | None], **others: float) -> pl.DataFrame:
    frames = [pl.DataFrame({"site": "city", "factor": "PM2.5", "date": YEAR_2020, "value": pm25}, strict=False)]
    values = CLEAN | others
    frames += [
        pl.DataFrame({"site": "city", "factor": factor, "date": YEAR_2020, "value": [value] * 366})
        for factor, value in values.items()
    ]
    return pl.concat(frames)


def statistic(frame: pl.DataFrame, name: str, factor: str = "aqi") -> dict[str, object]:
    found = frame.filter((pl.col("statistic") == name) & (pl.col("factor") == factor))
    return found.row(0, named=True)


def test_the_citys_own_2020_figures() -> None:
    """302 good of 366 days is 82.5 %, 4 heavy days are 1.09 % (1.1 to one decimal), PM2.5 is 43.

    302 days at 30, 60 at 90, 3 at 170 and 1 at 258: (9060 + 5400 + 510 + 258) / 366 = 41.6; so the good days are
    set at 31.7 to come to 43: 302 × 31.7 + 5400 + 510 + 258 = 15741.4, / 366 = 43.0.
    """
    found = air.annual_evaluation(year([31.7] * 302 + [90.0] * 60 + [170.0] * 3 + [258.0]))
    assert statistic(found, "valid_days")["value"] == 366
    assert statistic(found, "good_days")["value"] == 302
    assert statistic(found, "heavy_days")["value"] == 4
    assert statistic(found, "good_ratio")["rounded"] == 82.5
    assert statistic(found, "heavy_ratio")["value"] == pytest.approx(1.0929, abs=5e-5)
    assert statistic(found, "mean", "PM2.5")["rounded"] == 43.0


def test_a_year_needs_324_days_and_27_a_month() -> None:
    enough = air.annual_evaluation(year([30.0] * 366))
    assert statistic(enough, "mean", "PM2.5")["valid"] is True
    few = air.annual_evaluation(year([None] * 43 + [30.0] * 323))
    assert statistic(few, "mean", "PM2.5")["valid"] is False
    assert statistic(few, "mean", "PM2.5")["days"] == 323
    assert statistic(few, "mean", "PM2.5")["value"] == 30.0
    thin_january = air.annual_evaluation(year([None] * 5 + [30.0] * 361))
    assert statistic(thin_january, "mean", "PM2.5")["valid"] is False
    thin_enough_february = air.annual_evaluation(year([30.0] * 31 + [None] * 4 + [30.0] * 331))
    assert statistic(thin_enough_february, "mean", "PM2.5")["valid"] is True


def test_a_day_without_a_pollutant_counts_only_above_100() -> None:
    """Ten days lack PM2.5: no verdict on them; were NO2 at 85 (IAQI 103) they would count as polluted."""
    clean = air.annual_evaluation(year([None] * 10 + [30.0] * 356))
    assert statistic(clean, "valid_days")["value"] == 356
    assert statistic(clean, "good_ratio")["rounded"] == 100.0
    polluted = air.annual_evaluation(year([None] * 10 + [30.0] * 356, NO2=85.0))
    assert statistic(polluted, "valid_days")["value"] == 366
    assert statistic(polluted, "good_days")["value"] == 0


def test_dust_days_leave_the_statistics_of_the_second_set() -> None:
    frame = year([30.0] * 361 + [300.0] * 5)
    dust = pl.DataFrame({"site": "city", "date": YEAR_2020[361:]})
    found = air.annual_evaluation(frame, dust_days=dust)
    assert statistic(found, "heavy_days")["value"] == 5
    assert statistic(found, "heavy_days_without_dust")["value"] == 0
    assert statistic(found, "valid_days_without_dust")["value"] == 361
    assert statistic(found, "mean_without_dust", "PM2.5")["value"] == 30.0
    assert statistic(found, "mean", "PM2.5")["value"] == pytest.approx((361 * 30 + 5 * 300) / 366, abs=1e-6)


def roles(*stations: tuple[str, str, date | None, date | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(site, "city", role, start, end) for site, role, start, end in stations],
        schema={"site": pl.String, "place": pl.String, "role": pl.String, "start": pl.Date, "end": pl.Date},
        orient="row",
    )


def station_days(*values: tuple[str, float | None]) -> pl.DataFrame:
    return pl.DataFrame(
        [(site, "PM2.5", date(2025, 6, 1), value) for site, value in values],
        schema={"site": pl.String, "factor": pl.String, "date": pl.Date, "value": pl.Float64},
        orient="row",
    )


def test_the_reference_and_county_stations_stay_out_of_the_citys_mean() -> None:
    known = roles(("1", "assessment", None, None), ("2", "assessment", None, None), ("3", "reference", None, None))
    found = air.city_mean(station_days(("1", 30.0), ("2", 41.0), ("3", 5.0), ("4", 99.0)), known)
    assert found.select("site", "value", "stations", "expected").rows() == [("city", 35.5, 2, 2)]


def test_a_station_counts_only_while_it_has_the_role() -> None:
    known = roles(("1", "assessment", None, None), ("2", "assessment", date(2025, 6, 2), None))
    assert air.city_mean(station_days(("1", 30.0), ("2", 41.0)), known)["value"].to_list() == [30.0]


@pytest.mark.parametrize(("valid", "of", "given_value"), [(3, 4, True), (2, 4, False), (1, 2, True), (1, 3, False)])
def test_a_city_needs_three_quarters_of_its_stations_or_half_of_fewer_than_four(
    valid: int, of: int, given_value: bool
) -> None:
    known = roles(*((str(number), "assessment", None, None) for number in range(of)))
    values = station_days(*((str(number), 30.0 if number < valid else None) for number in range(of)))
    assert (air.city_mean(values, known)["value"].item() is not None) is given_value


def test_ranking_gives_equal_indices_the_same_rank() -> None:
    values = {"SO2": 6.0, "NO2": 12.0, "PM10": 51.0, "PM2.5": 19.0, "CO": 0.9, "O3": 137.0}
    frame = pl.concat(
        pl.DataFrame({"site": site, "factor": list(values), "value": [value * scale for value in values.values()]})
        for site, scale in (("a", 2.0), ("b", 1.0), ("c", 1.0), ("d", 3.0))
    )
    frame = pl.concat([frame, pl.DataFrame({"site": "e", "factor": ["SO2"], "value": [1.0]})])
    found = air.ranking(frame, date(2025, 12, 31)).sort("site")
    assert found["rank"].to_list() == [3, 1, 1, 4, None]
    assert found["missing"].to_list()[4] == "NO2、PM10、CO、O3、PM2.5"


concentration = st.floats(0, 2000, allow_nan=False)


@settings(max_examples=40, deadline=None)
@given(low=concentration, rise=concentration, factor=st.sampled_from(["SO2", "NO2", "PM10", "O3", "PM2.5"]))
def test_worse_never_gives_a_better_index(low: float, rise: float, factor: str) -> None:
    frame = pl.DataFrame(
        {
            "site": ["low", "high"],
            "factor": factor,
            "date": date(2025, 6, 1),
            "value": [low, low + rise],
        }
    )
    for edition in ("2012", "2026"):
        index = f"iaqi_{factor.lower().replace('.', '')}"
        found = dict(air.daily_aqi_from_days(frame, edition=edition).select("site", index).rows())
        assert found["high"] >= found["low"]


@settings(max_examples=25, deadline=None)
@given(
    values=st.lists(st.one_of(st.none(), st.integers(0, 900)), min_size=24, max_size=24),
    seed=st.randoms(use_true_random=False),
)
def test_the_order_of_rows_changes_nothing(values: list[int | None], seed: object) -> None:
    frame = pl.concat([hours([None if v is None else float(v) for v in values], f) for f in ("O3", "PM10")])
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed.randint(0, 10**6))  # type: ignore[attr-defined]
    key = ["site", "date"]
    assert air.daily_aqi(frame, "start").sort(key).equals(air.daily_aqi(shuffled, "start").sort(key))
