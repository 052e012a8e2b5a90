"""The air calendar, against verdicts worked out by hand from the official breakpoints.

HJ 633—2012 table 1, PM2.5 24 h: 35→50, 75→100, 115→150, 150→200, 250→300, 350→400, 500→500.
60 → 50 + 25·50/40 = 81.25, up: 82. 115 → 150. 400 → 400 + 50·100/150 = 433.3, up: 434.
"""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qinglan.app import Application, evaluate

ADDRESS = "/api/v1/air/calendar"


def year(client: TestClient, number: int = 2023, **scope: str) -> dict[str, Any]:
    answer = client.get(ADDRESS, params={"year": number, **scope})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def day(found: dict[str, Any], wanted: str) -> dict[str, Any]:
    return next(one for one in found["days"] if one["date"] == wanted)


def test_the_city_is_the_mean_of_its_assessment_stations(client: TestClient) -> None:
    found = year(client, place="211400")
    one = day(found, "2023-01-20")
    assert (one["aqi"], one["level"], one["colour"], one["primary"]) == (82, 2, "#FFFF00", ["PM2.5"])
    assert one["title"] == {"zh": "良", "en": "good"}
    # One hour of one of four stations was corrected to 61.5: 60 + 1.5/24/4.
    assert one["values"]["a34004"]["value"] == pytest.approx(60.015625)
    assert one["values"]["a34004"]["text"] == "60"
    assert one["values"]["a21005"]["text"] == "0.5"
    assert found["stations"] == ["211400-01", "211400-02", "211400-03", "211400-04"]
    assert found["scope"]["place"] == "211400"


def test_levels_and_colours_of_worse_days(client: TestClient) -> None:
    found = year(client)
    light, severe = day(found, "2023-01-21"), day(found, "2023-01-24")
    assert (light["aqi"], light["level"], light["colour"]) == (150, 3, "#FF7E00")
    assert (severe["aqi"], severe["level"], severe["colour"]) == (434, 6, "#7E0023")


def test_a_day_without_enough_stations_has_no_index_and_says_why(client: TestClient) -> None:
    one = day(year(client), "2023-01-22")
    assert one["aqi"] is None
    assert one["level"] is None
    assert one["colour"] is None
    assert "有效点位不足" in one["note"]["zh"]


def test_a_day_without_data_is_neither_zero_nor_good(client: TestClient) -> None:
    one = day(year(client), "2023-01-23")
    assert (one["aqi"], one["level"], one["colour"]) == (None, None, None)
    assert one["note"] == {"zh": "没有数据", "en": "no data"}


def test_counts_are_over_valid_days(client: TestClient) -> None:
    found = year(client)
    assert found["months"][0] == {"month": 1, "good": 1, "heavy": 1, "valid": 3, "calendar": 31}
    assert found["months"][1] == {"month": 2, "good": 0, "heavy": 0, "valid": 0, "calendar": 28}
    assert len(found["days"]) == 365
    summary = found["summary"]
    assert (summary["good"], summary["heavy"], summary["valid"], summary["calendar"]) == (1, 1, 3, 365)
    assert summary["share_good"]["text"] == "33.3"
    assert found["simulated"] is True


def test_a_good_day_with_an_item_missing_is_shown_and_not_counted(client: TestClient) -> None:
    found = year(client, site="211481-01")
    good, polluted = day(found, "2023-01-25"), day(found, "2023-01-26")
    assert (good["aqi"], good["missing"], good["counted"]) == (50, "NO2", False)
    assert "不计入有效天数" in good["note"]["zh"]
    assert (polluted["aqi"], polluted["missing"], polluted["counted"]) == (150, "NO2", True)
    assert found["months"][0] == {"month": 1, "good": 0, "heavy": 0, "valid": 1, "calendar": 31}


def test_one_site_has_its_own_days(client: TestClient) -> None:
    found = year(client, site="211400-02")
    assert day(found, "2023-01-22")["aqi"] == 50  # PM10 50 → 50; PM2.5 30 → 30·50/35 = 42.9, up: 43
    assert day(found, "2023-01-22")["primary"] == []
    assert found["scope"]["site"] == "211400-02"
    assert found["stations"] is None


def test_a_place_without_assessment_stations_says_so(client: TestClient) -> None:
    found = year(client, place="211421")
    assert found["summary"]["valid"] == 0
    assert found["summary"]["share_good"] is None
    assert {one["note"]["zh"] for one in found["days"]} == {"没有担任评价点位的监测点"}


def test_a_year_under_two_editions_gives_both(client: TestClient) -> None:
    found = year(client, 2026)
    assert [(one["name"], one["start"], one["end"]) for one in found["editions"]] == [
        ("HJ 633—2012", "2026-01-01", "2026-02-28"),
        ("HJ 633—2026", "2026-03-01", "2026-12-31"),
    ]
    assert {one["edition"] for one in found["legend"]} == {"HJ 633—2012", "HJ 633—2026"}
    assert len(found["legend"]) == 12
    assert day(found, "2026-02-28")["edition"] == "HJ 633—2012"
    assert day(found, "2026-03-01")["edition"] == "HJ 633—2026"


def test_days_to_come_say_so(client: TestClient) -> None:
    found = year(client, 2099)
    assert {one["note"]["zh"] for one in found["days"]} == {"尚未到来"}


def test_as_of_knows_only_what_was_received(client: TestClient) -> None:
    found = year(client, as_of="2023-01-23")
    assert found["summary"]["valid"] == 0
    assert day(found, "2023-01-23")["note"]["zh"] == "没有数据"
    assert day(found, "2023-01-24")["note"]["zh"] == "尚未到来"
    assert year(client, as_of="2199-01-01")["summary"]["valid"] == 3


def test_shares_are_those_that_the_evaluation_finds(client: TestClient, application: Application) -> None:
    days = {found.indicator: found for found in evaluate(application, date(2023, 12, 31)) if found.period == "2023"}
    summary = year(client)["summary"]
    assert days["air.good_day_ratio"].details["days"] == summary["good"]
    assert days["air.heavy_day_ratio"].details["days"] == summary["heavy"]
    assert days["air.good_day_ratio"].valid == summary["valid"]


def test_a_leap_year_has_366_days(client: TestClient) -> None:
    assert len(year(client, 2024)["days"]) == 366


def test_the_same_question_is_answered_with_304(client: TestClient) -> None:
    first = client.get(ADDRESS, params={"year": 2023})
    again = client.get(ADDRESS, params={"year": 2023}, headers={"if-none-match": first.headers["etag"]})
    other = client.get(ADDRESS, params={"year": 2024}, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, other.status_code) == (304, 200)


@pytest.mark.parametrize(
    ("asked", "status", "field"),
    [
        ({}, 422, "year"),
        ({"year": "last"}, 422, "year"),
        ({"year": "2010"}, 422, "year"),
        ({"year": "2023", "as_of": "now"}, 422, "as_of"),
        ({"year": "2023", "place": "110000"}, 404, "place"),
        ({"year": "2023", "site": "nowhere"}, 404, "site"),
        ({"year": "2023", "site": "211400-01", "place": "211400"}, 422, "site"),
    ],
)
def test_a_bad_question_is_refused(client: TestClient, asked: dict[str, str], status: int, field: str) -> None:
    answer = client.get(ADDRESS, params=asked)
    assert answer.status_code == status
    assert answer.json()["field"] == field
