"""Water over the API: the national feed and a laboratory's table, in a home of their own."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from qinglan.app import Application
from qinglan.web.application import create_application

ADDRESS = "/api/v1/imports"


@pytest.fixture
def own(own_home: Application) -> Iterator[TestClient]:
    with TestClient(create_application(own_home), base_url="http://127.0.0.1:8212") as client:
        yield client


def upload(client: TestClient, name: str, content: str, **fields: str) -> Any:
    return client.post(ADDRESS, files=[("files", (name, content.encode(), "application/octet-stream"))], data=fields)


def finished(client: TestClient, answer: Any) -> dict[str, Any]:
    assert answer.status_code == 202, answer.text
    for _ in range(600):
        found: dict[str, Any] = client.get(answer.headers["location"]).json()
        if found["state"] in {"done", "failed", "cancelled"}:
            return found
        time.sleep(0.05)
    raise AssertionError(f"the import did not end: {found}")


def test_the_surface_water_feed_may_be_handed_in(own: TestClient, own_home: Application) -> None:
    row = ["丙省", "丁流域", "九号桥", "01-02 08:00", "Ⅱ", "0.31", "正常"]
    titles = ["省份", "流域", "断面名称", "监测时间", "水质类别", "氨氮<br/>(mg/L)", "站点情况"]
    content = json.dumps({"thead": titles, "tbody": [row]}, ensure_ascii=False)
    done = finished(own, upload(own, "feed_2021-01-02.json", content, layout="water-feed"))
    assert (done["state"], done["layout"], done["counts"]["added"]) == ("done", "water-feed", 2)
    assert own_home.lake.scan(sites="丙省/九号桥", factors="w21003").collect()["value"].to_list() == [0.31]
    undated = upload(own, "feed.json", content, layout="water-feed")
    assert (undated.status_code, undated.json()["field"]) == (422, "date")


def test_water_of_a_laboratory_is_said_by_its_medium(own: TestClient, own_home: Application) -> None:
    table = "断面,采样日期,砷(ug/L)\nW9,2024-05-06,1.5\n"
    done = finished(own, upload(own, "lab.csv", table, medium="water"))
    assert done["counts"]["added"] == 1
    kept = own_home.lake.scan(sites="W9").collect()
    assert kept.select("factor", "grain", "value").rows() == [("w20141", "sample", 0.0015)]
    wrong = upload(own, "lab.csv", table, medium="lava")
    assert (wrong.status_code, wrong.json()["field"]) == (422, "medium")
