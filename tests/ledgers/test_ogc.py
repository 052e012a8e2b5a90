"""OGC API - Features: what the standard asks for, and that GDAL's own driver reads it."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any

import pyogrio
import pytest
import uvicorn
from fastapi.testclient import TestClient

from ledgers.test_api import LEDGER, application, client, declarations, place, pond  # noqa: F401 - fixtures
from qinglan.app import Application
from qinglan.web.application import create_application

OGC = "/api/v1/ogc"
ITEMS = f"{OGC}/collections/pond/items"


@pytest.fixture
def filled(client: TestClient, place: str) -> TestClient:  # noqa: F811
    for number in range(5):
        values = pond(place, code=f"W00{number}", location=[120 + number, 40.5])
        assert client.post(f"{LEDGER}/records", json={"values": values}).status_code == 201
    assert client.post(f"{LEDGER}/records", json={"values": pond(place, code="W009")}).status_code == 201
    return client


def codes(answer: Any) -> list[str]:
    return [feature["properties"]["code"] for feature in answer.json()["features"]]


def test_the_landing_page_leads_to_everything(filled: TestClient) -> None:
    links = {link["rel"]: link["href"] for link in filled.get(OGC).json()["links"]}
    assert {"self", "service-desc", "conformance", "data"} <= set(links)
    for address in links.values():
        assert filled.get(address).status_code == 200
    assert any(one.endswith("/conf/core") for one in filled.get(links["conformance"]).json()["conformsTo"])
    assert "pond" in [one["id"] for one in filled.get(links["data"]).json()["collections"]]
    assert "organisation" not in [one["id"] for one in filled.get(links["data"]).json()["collections"]]


def test_a_collection_says_its_box(filled: TestClient) -> None:
    found = filled.get(f"{OGC}/collections/pond").json()
    assert found["extent"]["spatial"]["bbox"] == [[120.0, 40.5, 124.0, 40.5]]
    assert filled.get(f"{OGC}/collections/nothing").status_code == 404


def test_items_by_page_box_and_time(filled: TestClient) -> None:
    first = filled.get(ITEMS, params={"limit": 2})
    assert first.headers["content-type"] == "application/geo+json"
    assert (first.json()["numberReturned"], first.json()["numberMatched"]) == (2, 5)
    walked, answer = [], first
    while True:
        walked += codes(answer)
        following = [link["href"] for link in answer.json()["links"] if link["rel"] == "next"]
        if not following:
            break
        answer = filled.get(following[0])
    assert sorted(walked) == ["W000", "W001", "W002", "W003", "W004"]
    assert codes(filled.get(ITEMS, params={"bbox": "121.5,40,122.5,41"})) == ["W002"]
    assert codes(filled.get(ITEMS, params={"bbox": "121.5,40,0,122.5,41,9"})) == ["W002"]
    assert len(codes(filled.get(ITEMS, params={"datetime": "2020-01-01T00:00:00Z/.."}))) == 5
    assert codes(filled.get(ITEMS, params={"datetime": "../2020-01-01T00:00:00Z"})) == []
    one = filled.get(ITEMS, params={"limit": 1}).json()["features"][0]
    assert filled.get(f"{ITEMS}/{one['id']}").json()["geometry"] == one["geometry"]


@pytest.mark.parametrize(
    "asked",
    [{"bbox": "1,2"}, {"bbox": "a,b,c,d"}, {"datetime": "yesterday"}, {"limit": "0"}, {"limit": "x"}, {"colour": "red"},
     {"cursor": "zzz"}],
)  # fmt: skip
def test_what_the_standard_answers_with_400(filled: TestClient, asked: dict[str, str]) -> None:
    answer = filled.get(ITEMS, params=asked)
    assert answer.status_code == 400, answer.text
    assert answer.json()["zh"]


def test_a_limit_beyond_the_most_is_cut(filled: TestClient) -> None:
    assert len(codes(filled.get(ITEMS, params={"limit": 10_000}))) == 5


@pytest.fixture
def address(application: Application, filled: TestClient) -> Iterator[str]:  # noqa: F811
    """The same application behind a real server on loopback, where GDAL can reach it."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        held.listen()
        server = uvicorn.Server(uvicorn.Config(create_application(application), log_level="error", lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [held]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server.started
        yield f"http://127.0.0.1:{held.getsockname()[1]}{OGC}"
        server.should_exit = True
        thread.join(10)


READER = """
import json, sys
import pyogrio, shapely
source = "OAPIF:" + sys.argv[1]
layers = [str(name) for name, _ in pyogrio.list_layers(source)]
meta, _, shapes, columns = pyogrio.raw.read(source, layer="pond", PAGE_SIZE=2)
codes = dict(zip(meta["fields"], columns))["code"]
print(json.dumps([layers, {code: shapely.from_wkb(shape).x for code, shape in zip(codes, shapes)}]))
"""


def test_the_driver_of_gdal_reads_it(address: str) -> None:
    if "OAPIF" not in pyogrio.list_drivers():
        pytest.skip("this GDAL was built without its OGC API driver")
    # A process of its own: the driver waits for the server while it holds the interpreter's lock.
    outside = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    done = subprocess.run(
        [sys.executable, "-c", READER, address], env=outside, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    layers, found = json.loads(done.stdout)
    assert "pond" in layers
    assert found == {f"W00{number}": 120.0 + number for number in range(5)}
