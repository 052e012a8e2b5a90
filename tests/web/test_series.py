"""Series over the API against what was put into the lake."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from qinglan.app import Application

ONE = {"site": "211400-01", "factor": "a34004", "grain": "hour", "basis": "audited"}
ADDRESS = "/api/v1/series/data"


def data(client: TestClient, **more: Any) -> dict[str, Any]:
    answer = client.get(ADDRESS, params={**ONE, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_points_are_those_of_the_lake(client: TestClient, application: Application) -> None:
    lake = application.lake.scan(sites="211400-01", factors="a34004", grain="hour").sort("time").collect()
    points = data(client)["points"]
    assert [point[1] for point in points] == lake["value"].to_list()
    assert [point[6] for point in points] == lake["revision"].to_list()
    assert points[0][0] == "2023-01-20T00:00:00+08:00"
    assert len(points) == 4 * 24


def test_a_day_is_a_whole_beijing_day(client: TestClient) -> None:
    found = data(client, start="2023-01-21", end="2023-01-21")
    assert found["points"][0][0] == "2023-01-21T00:00:00+08:00"
    assert found["points"][-1][0] == "2023-01-21T23:00:00+08:00"
    assert (found["expected"], found["present"], found["valid"]) == (24, 24, 23)
    assert found["points"][0][1:3] == [999.0, "D"]
    assert found["flags"] == {"D": {"zh": "仪器故障", "en": "Instrument fault", "valid": False}}
    assert found["unit"] == "ug/m3"
    assert found["simulated"] is True


def test_a_flag_says_whether_its_values_count(client: TestClient, application: Application) -> None:
    times = [datetime(2023, 1, 20, hour, tzinfo=UTC) for hour in (16, 17)]
    marked = pl.DataFrame({"time": times, "value": [300.0, 301.0], "flag": ["dust", "D"]})
    same = {"site": "X-flags", "factor": "a34004", "grain": "hour", "basis": "audited"}
    application.lake.submit(marked.with_columns(pl.lit(word).alias(name) for name, word in same.items()), source="file")
    found = data(client, site="X-flags", start="2023-01-21", end="2023-01-21")
    assert {name: flag["valid"] for name, flag in found["flags"].items()} == {"D": False, "dust": True}
    assert (found["present"], found["valid"]) == (2, 1)


def test_absent_hours_are_expected_and_not_present(client: TestClient) -> None:
    found = data(client, start="2023-01-21", end="2023-01-23")
    assert (found["expected"], found["present"]) == (72, 48)


def test_a_time_as_end_is_not_included(client: TestClient) -> None:
    found = data(client, start="2023-01-21T05:00:00+08:00", end="2023-01-21T07:00:00+08:00")
    assert [point[0][11:16] for point in found["points"]] == ["05:00", "06:00"]


def test_utc_is_understood_and_a_lost_plus_too(client: TestClient) -> None:
    zulu = data(client, start="2023-01-20T21:00:00Z", end="2023-01-20T23:00:00Z")
    lost = client.get(
        ADDRESS + "?site=211400-01&factor=a34004&grain=hour&basis=audited"
        "&start=2023-01-21T05:00:00+08:00&end=2023-01-21T07:00:00+08:00"
    ).json()
    assert zulu["points"] == lost["points"]
    assert len(zulu["points"]) == 2


def test_a_factor_may_be_written_as_people_write_it(client: TestClient) -> None:
    assert data(client, factor="PM2.5")["points"] == data(client)["points"]


def test_pages_join_to_the_whole(client: TestClient) -> None:
    whole = data(client)["points"]
    joined: list[Any] = []
    cursor = None
    for _ in range(11):
        page = data(client, limit=10, **({"cursor": cursor} if cursor else {}))
        assert len(page["points"]) <= 10
        assert page["present"] == 96
        joined += page["points"]
        cursor = page["cursor"]
        if not page["truncated"]:
            break
    assert cursor is None
    assert joined == whole


def test_only_what_changed_since_a_revision(client: TestClient) -> None:
    found = data(client, site="211400-02", changed_since="1")
    assert [(point[0], point[1], point[6]) for point in found["points"]] == [("2023-01-20T00:00:00+08:00", 61.5, 3)]
    assert data(client, site="211400-02", changed_since="3")["points"] == []


def test_only_what_changed_since_a_time(client: TestClient) -> None:
    received = data(client, site="211400-02")["points"]
    newest = max(point[5] for point in received)
    assert len(data(client, site="211400-02", changed_since=newest)["points"]) >= 1
    assert data(client, site="211400-02", changed_since="2190-01-01T00:00:00Z")["points"] == []


def test_as_of_reads_what_was_known(client: TestClient) -> None:
    assert data(client, as_of="2023-01-01")["points"] == []
    assert data(client, site="211400-02", as_of="2199-12-31")["points"][0][1] == 61.5


def test_listed_series_say_what_the_lake_holds(client: TestClient) -> None:
    listed = client.get("/api/v1/series", params={"site": "211400-01"}).json()
    assert len(listed) == 6
    particles = next(one for one in listed if one["factor"] == "a34004")
    assert particles == {
        "site": "211400-01",
        "factor": "a34004",
        "grain": "hour",
        "basis": "audited",
        "unit": "ug/m3",
        "first": "2023-01-20T00:00:00+08:00",
        "last": "2023-01-24T23:00:00+08:00",
        "rows": 96,
        "latest": {"time": "2023-01-24T23:00:00+08:00", "value": 400.0, "text": "400", "flag": None},
        "simulated": True,
    }
    assert len(client.get("/api/v1/series", params={"limit": 4, "offset": 2}).json()) == 4


def test_an_unchanged_answer_is_not_sent_again(client: TestClient, own_home: Application) -> None:
    first = client.get(ADDRESS, params={**ONE, "end": "2023-01-31"})
    again = client.get(ADDRESS, params={**ONE, "end": "2023-01-31"}, headers={"if-none-match": first.headers["etag"]})
    other = client.get(ADDRESS, params={**ONE, "end": "2023-01-21"}, headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert other.status_code == 200


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"start": "yesterday"}, 422, "start"),
        ({"start": "2023-02-30"}, 422, "start"),
        ({"end": "0001-01-01"}, 422, "end"),
        ({"as_of": "20230132"}, 422, "as_of"),
        ({"changed_since": "soon"}, 422, "changed_since"),
        ({"cursor": "next"}, 422, "cursor"),
        ({"site": "nowhere"}, 404, "site"),
        ({"factor": "phlogiston"}, 422, "factor"),
        ({"grain": "century"}, 422, "grain"),
        ({"basis": "guessed"}, 422, "basis"),
        ({"limit": "20001"}, 422, "limit"),
        ({"limit": "0"}, 422, "limit"),
    ],
)
def test_a_bad_argument_is_named(client: TestClient, wrong: dict[str, str], status: int, field: str) -> None:
    answer = client.get(ADDRESS, params={**ONE, **wrong})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["field"] == field
    assert problem["zh"]
    assert problem["en"]


def test_a_missing_argument_is_named(client: TestClient) -> None:
    problem = client.get(ADDRESS, params={"site": "211400-01"}).json()
    assert {error["field"] for error in problem["errors"]} == {"factor", "grain", "basis"}
    assert "缺少此项" in problem["zh"]


class TestFile:
    def read(self, client: TestClient, **more: str) -> tuple[list[list[str]], list[dict[str, str]]]:
        answer = client.get(ADDRESS + ".csv", params={**ONE, **more})
        assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert "attachment" in answer.headers["content-disposition"]
        assert answer.content.startswith(b"\xef\xbb\xbf")
        lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        head = [line for line in lines if line[0].startswith("#")]
        body = lines[len(head) :]
        return head, [dict(zip(body[0], line, strict=True)) for line in body[1:]]

    def test_the_filter_stands_in_the_first_lines(self, client: TestClient) -> None:
        head, _ = self.read(client, start="2023-01-21", end="2023-01-21")
        said = {line[0]: line[1] for line in head}
        assert said["# 点位 site"] == "211400-01"
        assert said["# 因子 factor"] == "a34004"
        assert said["# 起 start (included)"] == "2023-01-21T00:00:00+08:00"
        assert said["# 止 end (not included)"] == "2023-01-22T00:00:00+08:00"
        assert said["# 行数 rows"] == "24"
        assert any("模拟数据" in cell for line in head for cell in line)

    def test_both_clocks_stand_in_each_row(self, client: TestClient) -> None:
        _, rows = self.read(client, start="2023-01-21", end="2023-01-21")
        assert rows[0]["time_utc"] == "2023-01-20T16:00:00Z"
        assert rows[0]["time_beijing"] == "2023-01-21T00:00:00+08:00"
        assert (rows[0]["value"], rows[0]["flag"]) == ("999.0", "D")

    def test_rows_equal_the_points(self, client: TestClient) -> None:
        _, rows = self.read(client)
        points = data(client)["points"]
        assert [(row["time_beijing"], float(row["value"])) for row in rows] == [(p[0], p[1]) for p in points]

    def test_no_cell_is_a_formula(self, client: TestClient, own_home: Application) -> None:
        from fastapi.testclient import TestClient as OtherClient

        from qinglan.web.application import create_application

        frame = pl.DataFrame(
            {
                "site": ["=HYPERLINK(1)"],
                "factor": ["a34004"],
                "grain": ["hour"],
                "basis": ["audited"],
                "time": [None],
                "value": [-3.5],
            }
        ).with_columns(time=pl.datetime(2023, 1, 1, time_zone="UTC"))
        own_home.lake.submit(frame, source="@SUM(1)")
        with OtherClient(create_application(own_home), base_url="http://127.0.0.1") as other:
            answer = other.get(ADDRESS + ".csv", params={**ONE, "site": "=HYPERLINK(1)"})
        text = answer.content.decode("utf-8-sig")
        cells = [cell for line in csv.reader(io.StringIO(text)) for cell in line]
        assert not [cell for cell in cells if cell.startswith(("=", "@", "+"))]
        assert "'=HYPERLINK(1)" in cells
        assert "'@SUM(1)" in cells
        assert "-3.5" in cells
        assert '"' not in answer.headers["content-disposition"].split("filename=")[1].split(";")[0].strip('"')


def test_sites_of_the_city_come_first_then_those_only_measured(client: TestClient) -> None:
    sites = client.get("/api/v1/sites").json()
    station = sites[0]
    assert station["id"] == "211400-01"
    assert station["place_title"] == {"zh": "龙港区", "en": "Longgang District"}
    assert station["roles"] == [{"role": "assessment", "start": "2015-01-01", "end": None}]
    assert set(station) >= {"id", "title", "place", "place_title", "roles", "longitude", "latitude", "simulated"}


def test_measured_factors_come_first(client: TestClient) -> None:
    listed = client.get("/api/v1/factors").json()
    assert {one["id"] for one in listed[:6]} == {"a34004", "a34002", "a21026", "a21004", "a21005", "a05024"}
    assert not any(one["present"] for one in listed[6:])
    assert set(listed[0]) >= {"id", "title", "unit", "alias", "medium"}
    assert len(listed) > 300
