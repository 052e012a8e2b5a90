"""Board, indicators and evaluations over the API."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qinglan.app import Application
from qinglan.indicators.board import board
from qinglan.indicators.installation import today
from qinglan.web.application import create_application

Waits = Callable[[str], dict[str, Any]]
ENTRY = {
    "year": 2023,
    "value": 34.0,
    "document": "辽环函〔2024〕1号",
    "document_date": "2024-03-01",
    "note": "",
}


@pytest.fixture
def own(own_home: Application) -> Iterator[TestClient]:
    with TestClient(create_application(own_home), base_url="http://127.0.0.1") as client:
        yield client


def test_the_board_is_the_one_of_the_command_line(client: TestClient, application: Application) -> None:
    found = client.get("/api/v1/board").json()
    assert found == board(application, today())
    assert len(found["indicators"]) == 18
    assert sum(found["summary"].values()) == 18


def test_the_board_has_a_day(client: TestClient) -> None:
    assert client.get("/api/v1/board", params={"as_of": "2023-06-30"}).json()["as_of"] == "2023-06-30"


def test_meta_on_a_first_run(own: TestClient) -> None:
    found = own.get("/api/v1/meta").json()
    assert found["first_run"] is True
    assert found["simulated"] is False
    assert found["city"] == {"id": "huludao", "title": {"zh": "葫芦岛市", "en": "Huludao"}, "place": "211400"}
    assert found["plan"]["start"] == "2021-01-01"
    assert found["today"] == today().isoformat()


def test_meta_with_data(client: TestClient) -> None:
    found = client.get("/api/v1/meta").json()
    assert (found["first_run"], found["simulated"]) == (False, True)


def test_an_indicator_opens_to_its_history(client: TestClient) -> None:
    found = client.get("/api/v1/indicators/air.pm25_mean").json()
    assert found["baseline"]["value"] == 43
    assert set(found) >= {"history", "targets", "breaks", "lineage", "documents", "notes", "state"}


@pytest.mark.parametrize(
    ("method", "address"),
    [
        ("GET", "/api/v1/indicators/air.phlogiston"),
        ("POST", "/api/v1/indicators/air.phlogiston/confirmed"),
        ("POST", "/api/v1/indicators/air.phlogiston/targets"),
    ],
)
def test_an_unknown_indicator_is_refused(client: TestClient, method: str, address: str) -> None:
    answer = client.request(method, address, json=ENTRY if method == "POST" else None)
    assert answer.status_code == 404
    assert answer.json()["field"] == "indicator"
    assert "air.phlogiston" in answer.json()["zh"]


@pytest.mark.parametrize("address", ["/api/v1/board", "/api/v1/indicators/air.pm25_mean"])
@pytest.mark.parametrize("as_of", ["2023-13-01", "tomorrow", "2023", "-1"])
def test_a_bad_day_is_refused(client: TestClient, address: str, as_of: str) -> None:
    answer = client.get(address, params={"as_of": as_of})
    assert answer.status_code == 422
    assert answer.json()["field"] == "as_of"


def test_a_confirmed_value_is_shown_from_then_on(own: TestClient) -> None:
    answer = own.post("/api/v1/indicators/air.pm25_mean/confirmed", json=ENTRY)
    assert answer.status_code == 200
    found = answer.json()
    assert found["latest"]["value"] == 34
    assert found["shown_kind"] == "confirmed"
    assert found["confirmed"]["document"] == "辽环函〔2024〕1号"
    before = own.get("/api/v1/indicators/air.pm25_mean", params={"as_of": "2024-02-29"}).json()
    assert (before["latest"], before["baseline"]["value"]) == (None, 43)


@pytest.mark.parametrize("kind", ["confirmed", "targets"])
def test_an_entry_is_taken_back_and_stays_listed(own: TestClient, kind: str) -> None:
    address = f"/api/v1/indicators/air.pm25_mean/{kind}"
    assert own.post(address, json=ENTRY).status_code == 200
    found = own.request("DELETE", f"{address}/2023", json={"note": "年份有误"}).json()
    assert (found["latest"], found["target"]["status"]) == (None, "awaiting")
    (listed,) = found["superseded"]
    assert (listed["year"], listed["value"], listed["how"]) == (2023, 34, "withdrawn")
    assert (listed["reason"], listed["superseded_by"]) == ("年份有误", "local")
    again = own.request("DELETE", f"{address}/2023", json={"note": "年份有误"})
    assert (again.status_code, again.json()["field"]) == (422, "year")


@pytest.mark.parametrize("body", [{}, {"note": " "}, {"note": "x", "value": 1}])
def test_a_withdrawal_without_a_reason_is_refused(own: TestClient, body: dict[str, Any]) -> None:
    own.post("/api/v1/indicators/air.pm25_mean/confirmed", json=ENTRY)
    assert own.request("DELETE", "/api/v1/indicators/air.pm25_mean/confirmed/2023", json=body).status_code == 422
    assert own.get("/api/v1/indicators/air.pm25_mean").json()["latest"]["value"] == 34


def test_an_issued_target_is_shown_from_then_on(own: TestClient) -> None:
    entry = {**ENTRY, "year": 2025, "value": 36.0}
    found = own.post("/api/v1/indicators/air.pm25_mean/targets", json=entry).json()
    assert found["target"]["status"] == "issued"
    assert found["target"]["value"] == 36


@pytest.mark.parametrize("kind", ["confirmed", "targets"])
@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"value": "many"}, "value"),
        ({"value": None}, "value"),
        ({"year": 20233}, "year"),
        ({"document": " "}, "document"),
        ({"document_date": "1 March"}, "document_date"),
        ({"document_date": "2999-01-01"}, "document_date"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_bad_entry_is_named_and_not_kept(client: TestClient, kind: str, wrong: dict[str, Any], field: str) -> None:
    before = client.get("/api/v1/indicators/air.pm25_mean").json()
    answer = client.post(f"/api/v1/indicators/air.pm25_mean/{kind}", json={**ENTRY, **wrong})
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert client.get("/api/v1/indicators/air.pm25_mean").json() == before


@pytest.mark.parametrize(
    ("kind", "wrong", "field"),
    [
        # Fifteen years before the baseline of 2020 may be confirmed, for the odds; no more.
        ("confirmed", {"year": 2004, "document_date": "2020-03-01"}, "year"),
        ("confirmed", {"year": 2026, "document_date": "2026-10-01"}, "year"),
        ("targets", {"year": 2020}, "year"),
        ("targets", {"year": 2026}, "year"),
        # Its declaration compares the mean with one decimal.
        ("targets", {"year": 2025, "value": 36.55}, "value"),
        # Its declaration takes 0.1 to 1000.
        ("confirmed", {"value": 0}, "value"),
        ("confirmed", {"value": 1000.1}, "value"),
        ("targets", {"value": -35}, "value"),
    ],
)
def test_what_the_plan_cannot_hold_is_refused_beside_its_field(
    client: TestClient, kind: str, wrong: dict[str, Any], field: str
) -> None:
    before = client.get("/api/v1/indicators/air.pm25_mean").json()
    answer = client.post(f"/api/v1/indicators/air.pm25_mean/{kind}", json={**ENTRY, **wrong})
    assert answer.status_code == 422
    assert answer.json()["field"] == field
    assert client.get("/api/v1/indicators/air.pm25_mean").json() == before


def test_a_document_from_before_the_year_ended_confirms_nothing(client: TestClient) -> None:
    answer = client.post("/api/v1/indicators/air.pm25_mean/confirmed", json={**ENTRY, "document_date": "2023-06-01"})
    assert answer.status_code == 422
    assert answer.json()["field"] == "document_date"


def test_an_evaluation_runs_as_a_job(client: TestClient, finished: Waits) -> None:
    answer = client.post("/api/v1/evaluations", json={"as_of": "2023-12-31", "indicators": ["air.pm25_mean"]})
    assert answer.status_code == 202
    done = finished(f"/api/v1/jobs/{answer.json()['job']}")
    assert done["state"] == "done", done
    assert set(done) >= {"id", "kind", "state", "progress", "started", "finished", "error"}
    assert done["progress"]["done"] == done["progress"]["total"]


def test_an_evaluation_of_nothing_said_is_accepted(own: TestClient) -> None:
    assert own.post("/api/v1/evaluations", json={}).status_code == 202


def test_an_evaluation_that_waits_is_not_doubled(own_home: Application) -> None:
    own_home.handlers = {}
    with TestClient(create_application(own_home), base_url="http://127.0.0.1") as client:
        first = client.post("/api/v1/evaluations").json()
        assert client.post("/api/v1/evaluations").json() == first
        assert client.post("/api/v1/evaluations", json={"as_of": "2024-01-01"}).json() != first
        assert len(client.get("/api/v1/jobs").json()) == 2
        cancelled = client.post(f"/api/v1/jobs/{first['job']}/cancel")
        assert cancelled.json()["state"] == "cancelled"
        again = client.post(f"/api/v1/jobs/{first['job']}/cancel")
        assert again.status_code == 409
        assert again.json()["zh"]


@pytest.mark.parametrize(
    ("body", "status"), [({"as_of": "never"}, 422), ({"indicators": ["air.phlogiston"]}, 404), ({"when": 1}, 422)]
)
def test_a_bad_evaluation_is_refused(client: TestClient, body: dict[str, Any], status: int) -> None:
    assert client.post("/api/v1/evaluations", json=body).status_code == status


def test_standards_in_force_on_a_day(client: TestClient) -> None:
    def editions(day: str) -> set[str]:
        return {one["id"] for one in client.get("/api/v1/standards", params={"on": day}).json()}

    assert {"GB3095-2012", "HJ633-2012"} <= editions("2026-02-28")
    assert {"GB3095-2026-transition", "HJ633-2026"} <= editions("2026-03-01")
    assert not editions("2026-03-01") & {"GB3095-2012", "HJ633-2012"}
    listed = client.get("/api/v1/standards").json()
    assert set(listed[0]) >= {
        "id",
        "standard",
        "edition",
        "stage",
        "title",
        "start",
        "end",
        "state",
        "missing",
        "checks",
    }
    incomplete = [one for one in listed if one["state"] == "incomplete"]
    assert all(one["missing"] for one in incomplete)
    assert client.get("/api/v1/standards", params={"on": "soon"}).json()["field"] == "on"


def test_the_lake_says_what_it_holds(client: TestClient, application: Application) -> None:
    found = client.get("/api/v1/lake").json()
    assert found["revision"] == application.lake.revision
    assert found["backlog"] == {"batches": 0, "rows": 0}
    assert found["history"]["rows"] >= 2018
