"""The map: classes by hand from a few samples, their colours and words, periods, networks and what has no data."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from qinglan.app import Application
from qinglan.base.settings import Settings
from qinglan.core.interval import BEIJING
from qinglan.indicators.installation import today
from qinglan.web.application import create_application

HERE = "http://127.0.0.1:8212"
BLUE, GREEN, YELLOW, ORANGE, RED, GREY = "#2979d9", "#1ca35a", "#f2c200", "#f07d00", "#d9352b", "#9aa0a6"
COLUMNS = {"value": pl.Float64, "qualifier": pl.String, "limit": pl.Float64}
RECEIVED = datetime(2024, 8, 1, tzinfo=UTC)


def rows(site: str, time: datetime, values: dict[str, float | str], **more: str) -> list[dict[str, Any]]:
    found = []
    for factor, value in values.items():
        below = isinstance(value, str)
        number = float(value.removeprefix("<")) if isinstance(value, str) else value
        found.append(
            {
                "site": site,
                "factor": factor,
                "time": time.astimezone(UTC),
                "value": number,
                "qualifier": "<" if below else None,
                "limit": number if below else None,
                "received": RECEIVED,
                "grain": "sample",
                "basis": "assessed",
                **more,
            }
        )
    return found


def at(year: int, month: int, day: int = 1, hour: int = 0) -> datetime:
    return datetime(year, month, day, hour, tzinfo=BEIJING)


def water() -> list[dict[str, Any]]:
    month = {"grain": "month"}
    return [
        # June: 3.0 is class II; 6.1 is IV, (6.1 − 6) / 6 = 0.0; ammonia of 2.1 is worse than V, (2.1 − 1) / 1 = 1.1.
        *rows("211421-W01", at(2024, 6), {"w01019": 3.0, "w22001": "<0.01"}, **month),
        *rows("211402-W01", at(2024, 6), {"w01019": 6.1}, **month),
        *rows("211403-W01", at(2024, 6), {"w21003": 2.1}, **month),
        # Another month, and a section that has only that one.
        *rows("211421-W01", at(2024, 5), {"w01019": 12.0}, **month),
        *rows("211481-W01", at(2024, 5), {"w01019": 3.0}, **month),
        *rows("211421-W01", at(2020, 12), {"w01019": 3.0}, **month),
    ]


def others() -> list[dict[str, Any]]:
    return [
        # Class 2 by nitrogen of 0.30, worse than 4 by 0.51: (0.51 − 0.30) / 0.30 = 0.70; another survey before.
        *rows("211421-H01", at(2024, 5, 9, 9), {"din": 0.30, "dip": 0.010}),
        *rows("211421-H02", at(2024, 5, 8, 9), {"din": 0.51}),
        *rows("211421-H03", at(2023, 10, 8, 9), {"din": 0.10}),
        # A well of class III by nitrate of 20.0, one of IV by 20.1.
        *rows("211402-G01", at(2024, 5, 6, 9), {"w21007": 20.0}),
        *rows("211403-G02", at(2024, 5, 7, 9), {"w21007": 20.1}),
        # A reservoir with phosphorus at the limit of lakes, then above it; wells at and above class III.
        *rows("211404-Y01", at(2024, 4, 6, 9), {"w21011": 0.05, "w21001": 5.0}),
        *rows("211422-Y03", at(2024, 5, 6, 9), {"w21011": 0.06}),
        *rows("211402-Y02", at(2024, 4, 6, 9), {"w21007": 20.1}),
        *rows("211402-Y02", at(2024, 5, 6, 9), {"w21007": 20.0}),
    ]


def levels(site: str, day: datetime, by_day: float, by_night: float, hours: int = 24) -> list[dict[str, Any]]:
    """A survey from 6 in the morning: 16 hours by day and 8 by night."""
    found = []
    for passed in range(hours):
        level = by_day if passed < 16 else by_night
        found += rows(site, day + timedelta(hours=6 + passed), {"Leq": level}, grain="hour", basis="audited")
    return found


def noise() -> list[dict[str, Any]]:
    return [
        # Zone 1 allows 55 by day and 45 by night; zone 2 60 and 50; zone 3 65 and 55; zone 4a 70 and 55.
        *levels("211403-Z01", at(2024, 5, 10), 55.0, 45.0),
        *levels("211403-Z02", at(2024, 5, 11), 60.0, 51.5),
        *levels("211403-Z03", at(2024, 5, 12), 66.0, 55.5),
        *levels("211403-Z04", at(2024, 5, 13), 60.0, 50.0, hours=20),
    ]


def air() -> list[dict[str, Any]]:
    calm = {"a34004": 30.0, "a34002": 50.0, "a21026": 10.0, "a21004": 20.0, "a21005": 0.5, "a05024": 40.0}
    found = []
    for site, fine in (("211400-01", 30.0), ("211481-01", 115.0)):
        for hour in range(24):
            found += rows(site, at(2024, 6, 9, hour), calm | {"a34004": fine}, grain="hour", basis="audited")
    # The next day has but one station.
    for hour in range(24):
        found += rows("211400-01", at(2024, 6, 10, hour), calm, grain="hour", basis="audited")
    return found


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with Application.open(Settings(home=tmp_path_factory.mktemp("map") / "home")) as application:
        frame = pl.DataFrame([*water(), *others(), *noise(), *air()], schema_overrides=COLUMNS)
        application.lake.submit(frame, source="file")
        with TestClient(create_application(application), base_url=HERE) as found:
            yield found


def asked(client: TestClient, medium: str, **more: str) -> dict[str, Any]:
    answer = client.get("/api/v1/map", params={"medium": medium, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def points(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {point["site"]: point for point in found["points"]}


def test_sections_have_the_class_of_the_latest_month_in_the_methods_colours(client: TestClient):
    found = asked(client, "surface-water")
    assert found["period"] == {
        "start": "2024-06-01",
        "end": "2024-06-30",
        "text": {"zh": "2024 年 6 月", "en": "2024-06"},
    }
    here = points(found)
    seen = {site: (here[site]["class"], here[site]["colour"], here[site]["word"]["zh"]) for site in here}
    assert seen["211421-W01"] == (2, BLUE, "Ⅱ类（优）")
    assert seen["211402-W01"] == (4, YELLOW, "Ⅳ类（轻度污染）")
    assert seen["211403-W01"] == (6, RED, "劣Ⅴ（重度污染）")
    assert here["211402-W01"]["main_pollutants"] == "高锰酸盐指数(0.0)"
    assert here["211403-W01"]["main_pollutants"] == "氨氮(1.1)"
    assert here["211403-W01"]["edition"].startswith("GB 3838")
    assert "环办〔2011〕22号" in here["211403-W01"]["clause"]
    assert "化学需氧量" in here["211403-W01"]["missing"]
    texts = {one["factor"]: (one["text"], one["unit"]) for one in here["211421-W01"]["factors"]}
    assert texts == {"w01019": ("3", "mg/L"), "w22001": ("<0.01", "mg/L")}


def test_what_was_not_measured_in_the_month_is_grey_and_says_so(client: TestClient):
    here = points(asked(client, "surface-water"))
    silent = here["211481-W01"]
    assert (silent["class"], silent["colour"], silent["note"]["zh"]) == (None, GREY, "本期没有数据")
    assert (silent["factors"], silent["edition"]) == ([], None)
    assert len(here) == 12


def test_the_legend_is_the_editions_with_no_verdict_last(client: TestClient):
    legend = asked(client, "surface-water")["legend"]
    assert [one["class"] for one in legend] == [1, 2, 3, 4, 5, 6, None]
    assert [one["colour"] for one in legend] == [BLUE, BLUE, GREEN, YELLOW, ORANGE, RED, GREY]
    assert legend[0]["title"]["zh"] == "Ⅰ类（优）"


def test_roles_and_networks_are_those_of_the_period(client: TestClient):
    now = points(asked(client, "surface-water"))
    assert now["211421-W01"]["network"]["zh"] == "国控断面 11 个"
    assert now["211403-W01"]["network"] is None
    assert now["211403-W01"]["role_titles"][0]["zh"] == "省控点位"
    before = asked(client, "surface-water", as_of="2021-01-15")
    # What is known now of a day before: this was received in 2024.
    assert before["period"] is None
    assert before["legend"][-1]["class"] is None


def test_the_sea_shows_the_latest_survey(client: TestClient):
    found = asked(client, "sea")
    here = points(found)
    assert found["period"]["text"]["zh"] == "2024 年春季"
    assert (here["211421-H01"]["class"], here["211421-H01"]["word"]["zh"]) == (2, "二类")
    assert (here["211421-H02"]["class"], here["211421-H02"]["colour"]) == (5, RED)
    assert here["211421-H02"]["main_pollutants"] == "无机氮(0.70)"
    assert here["211421-H03"]["class"] is None
    assert "沿用地表水" in found["note"]["zh"]


def test_wells_and_sources(client: TestClient):
    wells = points(asked(client, "groundwater"))
    assert (wells["211402-G01"]["class"], wells["211403-G02"]["class"]) == (3, 4)
    assert wells["211403-G02"]["main_pollutants"] == "硝酸盐(0.00)"
    assert not any(site.startswith("211402-Y") for site in wells)
    found = asked(client, "drinking-source")
    sources = points(found)
    assert (sources["211404-Y01"]["class"], sources["211404-Y01"]["word"]["zh"]) == (1, "达标")
    assert (sources["211422-Y03"]["class"], sources["211422-Y03"]["main_pollutants"]) == (2, "总磷(0.20)")
    # The newer of its two tests counts.
    assert sources["211402-Y02"]["class"] == 1
    assert sources["211404-Y01"]["role_titles"][0]["zh"] == "饮用水水源"


def test_noise_by_zone_day_and_night(client: TestClient):
    found = asked(client, "noise")
    here = points(found)
    assert (here["211403-Z01"]["class"], here["211403-Z01"]["word"]["zh"]) == (1, "昼夜均达标")
    assert (here["211403-Z02"]["class"], here["211403-Z02"]["word"]["zh"]) == (2, "夜间超标 1.5 dB")
    assert (here["211403-Z03"]["class"], here["211403-Z03"]["word"]["zh"]) == (3, "昼间超标 1 dB、夜间超标 0.5 dB")
    # Four hours of its night are missing.
    assert here["211403-Z04"]["class"] is None
    assert "夜间无法判定" in here["211403-Z04"]["note"]["zh"]
    assert {one["factor"] for one in here["211403-Z02"]["factors"]} == {"Ld", "Ln"}
    assert found["period"]["start"] == "2024-05-10"


def test_air_shows_the_latest_day_and_who_has_none(client: TestClient):
    found = asked(client, "air")
    here = points(found)
    assert found["period"]["start"] == found["period"]["end"] == "2024-06-10"
    # PM2.5 of 30 has a sub-index of 30 / 35 × 50 = 42.9, up to 43; PM10 of 50 has 50.
    assert (here["211400-01"]["class"], here["211400-01"]["word"]["zh"]) == (1, "优（AQI 50）")
    assert here["211481-01"]["class"] is None
    texts = {one["factor"]: one["text"] for one in here["211400-01"]["factors"]}
    assert (texts["a34004"], texts["a21005"]) == ("30", "0.5")
    day_before = points(asked(client, "air", as_of="2024-08-01"))
    assert day_before["211400-01"]["class"] == 1


def test_boundary_and_the_statement_of_the_approval_number(client: TestClient):
    found = asked(client, "air")
    assert found["boundary"]["type"] == "FeatureCollection"
    first = found["boundary"]["features"][0]["properties"]
    assert (first["adcode"], first["level"], first["title"]["en"]) == ("211400", "city", "Huludao")
    assert "审图号" in found["note"]["zh"]
    assert "approval number" in found["note"]["en"]
    assert {one["id"]: one["points"] for one in found["media"]} == {
        "surface-water": 12, "air": 6, "sea": 10, "groundwater": 8, "drinking-source": 6, "noise": 10,
    }  # fmt: skip


def test_nothing_of_a_day_that_is_not_over_is_shown(client: TestClient):
    assert date.fromisoformat(asked(client, "air")["as_of"]) == today() - timedelta(days=1)
    assert asked(client, "air", as_of="2024-08-02")["as_of"] == "2024-08-02"
    assert asked(client, "air", as_of="2024-08-02T12:00:00+08:00")["as_of"] == "2024-08-01"


def test_an_answer_is_not_sent_twice_and_a_medium_is_named(client: TestClient):
    first = client.get("/api/v1/map?medium=sea")
    again = client.get("/api/v1/map?medium=sea", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    wrong = client.get("/api/v1/map?medium=lava")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "medium")
    assert "surface-water" in wrong.json()["zh"]


def test_the_map_is_among_the_pages(client: TestClient):
    assert "map" in client.get("/api/v1/meta").json()["pages"]
