"""The city's air figures by hand: which stations, which hours, which days count."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from qinglan import app
from qinglan.core.declare import Title
from qinglan.indicators.city import DatedRole, Site
from qinglan.indicators.compute import Period, Request, estimate
from qinglan.indicators.declare import Indicator
from qinglan.indicators.examples import HourlyYear, hours, scanning

CALM = {"a34002": 50, "a21026": 10, "a21004": 20, "a21005": 0.5, "a05024": 60}
INDICATORS = app.load_declarations(next(iter(app.city_folders()))).of(Indicator)


def station(identifier, *roles):
    return Site(
        id=identifier,
        title=Title(zh=identifier, en=identifier),
        place="000000",
        medium="air",
        longitude=0,
        latitude=0,
        roles=tuple(DatedRole(role=role, start=start, end=end) for role, start, end in roles),
    )


def year(number, days, added):
    return hours(
        HourlyYear.model_validate(
            {
                "year": number,
                "sites": [{"id": name, "role": "assessment", "add": {"a34004": more}} for name, more in added.items()],
                "days": [{"count": count, "values": CALM | {"a34004": value}} for count, value in days],
            }
        )
    )


def ask(indicator, frame, sites, period, **more):
    return estimate(
        Request(
            indicator=INDICATORS[indicator],
            period=period,
            scan=scanning(frame),
            city="000000",
            sites=tuple(sites),
            **more,
        )
    )


ALWAYS = (date(2015, 1, 1), None)
A, B = station("A", ("assessment", *ALWAYS)), station("B", ("assessment", *ALWAYS))


def test_a_station_counts_from_the_day_its_role_begins_to_the_day_before_it_ends():
    frame = year(2023, [(365, 30)], {"A": 0, "B": 60})
    half = station(
        "B", ("reference", date(2015, 1, 1), date(2023, 7, 1)), ("assessment", date(2023, 7, 1), date(2023, 7, 11))
    )
    found = ask("air.pm25_mean", frame, [A, half], Period(2023))
    # ten days of (30 + 90)/2 = 60 among 365 of 30: (355×30 + 10×60)/365 = 30.8219
    assert found.value == pytest.approx(11250 / 365, abs=1e-9)
    assert (found.text, found.valid, found.expected) == ("30.8", 365, 365)


def test_one_basis_is_taken_for_a_series_and_the_best_there_is():
    frame = year(2023, [(365, 30)], {"A": 0})
    raw = year(2023, [(365, 80)], {"A": 0}).with_columns(pl.lit("realtime").alias("basis"))
    found = ask("air.pm25_mean", pl.concat([raw, frame]), [A], Period(2023))
    assert (found.value, found.basis) == (30, "assessed")
    only = ask("air.pm25_mean", raw, [A], Period(2023))
    assert (only.value, only.basis) == (80, "realtime")


def test_indicators_of_one_evaluation_that_prefer_other_bases_do_not_share_their_hours():
    frame = year(2023, [(365, 30)], {"A": 0})
    raw = year(2023, [(365, 80)], {"A": 0}).with_columns(pl.lit("realtime").alias("basis"))
    both, shared = pl.concat([raw, frame]), {}
    assert ask("air.pm25_mean", both, [A], Period(2023), shared=shared).value == 30
    raw_first = INDICATORS["air.pm25_mean"].model_copy(update={"bases": ("realtime",)})
    found = estimate(
        Request(indicator=raw_first, period=Period(2023), scan=scanning(both), city="000000", sites=(A,), shared=shared)
    )
    assert (found.value, found.basis) == (80, "realtime")


def test_a_year_with_too_few_days_is_no_figure_and_says_what_it_came_to():
    found = ask("air.good_day_ratio", year(2023, [(100, 30)], {"A": 0}), [A], Period(2023))
    assert (found.value, found.text, found.valid, found.expected) == (None, "", 100, 365)
    assert any("100" in note.zh and "无效" in note.zh for note in found.notes)


def test_the_running_year_is_given_as_a_part_and_says_so():
    # 150 days of 30 up to 30 May, then 31 days of 90 (AQI 119) up to 30 June: 150 of 181
    frame = year(2023, [(150, 30), (215, 90)], {"A": 0})
    found = ask("air.good_day_ratio", frame, [A], Period(2023, date(2023, 6, 30)))
    assert (found.period, found.valid, found.expected, found.text) == ("2023-06-30", 181, 181, "82.9")
    assert found.value == pytest.approx(150 / 181 * 100, abs=1e-9)
    assert any("累计" in note.zh for note in found.notes)


def test_no_station_and_no_hours_are_two_reasons():
    frame = year(2023, [(365, 30)], {"A": 0})
    none = ask("air.pm25_mean", frame, [station("A", ("reference", *ALWAYS))], Period(2023))
    silent = ask("air.pm25_mean", frame, [B], Period(2023))
    assert (none.value, none.notes[0].zh) == (None, "本期没有国控考核点位。")
    assert (silent.value, silent.valid, silent.expected) == (None, 0, 365)


def test_days_of_dust_are_taken_out_of_both_counts():
    # 2 dust days above 100: 355 good of 363 instead of 355 of 365
    frame = year(2023, [(355, 30), (10, 90)], {"A": 0})
    dust = (date(2023, 12, 30), date(2023, 12, 31))
    found = ask("air.good_day_ratio", frame, [A], Period(2023), dust_days=dust)
    assert (found.valid, found.text) == (363, "97.8")
    assert ask("air.good_day_ratio", frame, [A], Period(2023)).text == "97.3"


def test_each_day_of_2026_lies_under_its_own_edition_and_2025_under_one():
    old = ask("air.good_day_ratio", year(2025, [(365, 30)], {"A": 0}), [A], Period(2025), edition_policy="own_day")
    new = ask("air.good_day_ratio", year(2026, [(365, 30)], {"A": 0}), [A], Period(2026), edition_policy="own_day")
    assert old.edition == "HJ 633—2012"
    assert new.edition == "HJ 633—2012、HJ 633—2026"
    end = ask("air.good_day_ratio", year(2026, [(365, 30)], {"A": 0}), [A], Period(2026), edition_policy="period_end")
    assert end.edition == "HJ 633—2026"


def test_invalid_hours_do_not_count_and_the_lineage_counts_what_did():
    from qinglan.catalogue.flags import invalid_flags

    frame = year(2023, [(365, 30)], {"A": 0})
    spoilt = frame.with_columns(
        pl.when((pl.col("factor") == "a34004") & (pl.col("time").dt.month() == 3))
        .then(pl.lit(min(invalid_flags())))
        .alias("flag"),
        pl.when((pl.col("factor") == "a34004") & (pl.col("time").dt.month() == 3))
        .then(500.0)
        .otherwise("value")
        .alias("value"),
    )
    found = ask("air.pm25_mean", spoilt, [A], Period(2023), edition_policy="period_end")
    series = {used.factor: used.rows for used in found.series}
    # March in UTC has 744 hours; the year is not valid without it
    assert series == {"a34004": 8760 - 744}
    assert found.value is None
    assert found.valid == 333


@pytest.mark.parametrize(("indicator", "factors"), [("air.pm25_mean", 1), ("air.good_day_ratio", 6)])
def test_the_hours_of_the_lineage_are_those_of_its_series(indicator, factors):
    found = ask(indicator, year(2023, [(365, 30)], {"A": 0, "B": 0}), [A, B], Period(2023))
    # two stations, 365 days of 24 hours; the index is made of six pollutants
    counted = next(step.text for step in found.steps if step.title.zh == "有效小时值")
    assert counted == str(2 * 365 * 24 * factors)
    assert sum(series.rows for series in found.series) == int(counted)
