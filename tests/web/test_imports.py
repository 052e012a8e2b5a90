"""Files over the API: upload, job, counts, rejects."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from python_calamine import CalamineWorkbook

from qinglan.app import Application
from qinglan.web.application import create_application
from qinglan.web.limits import MEBIBYTE
from qinglan.web.uploads import safe_name

Waits = Callable[[str], dict[str, Any]]
ADDRESS = "/api/v1/imports"
GOOD = "site,factor,time,value\nX1,PM2.5,2022-05-01 00:00,35\nX1,PM2.5,2022-05-01 01:00,36\n"
BAD = "site,factor,time,value\nX2,PM2.5,2022-05-01 00:00,35\nX2,PM2.5,2022-05-01 01:00,=1+1\nX2,PM2.5,not a time,3\n"


def upload(client: TestClient, *files: tuple[str, bytes | str], **fields: str) -> Any:
    return client.post(
        ADDRESS,
        files=[("files", (name, content, "application/octet-stream")) for name, content in files],
        data={"stamp": "start", "basis": "audited", **fields},
    )


def test_a_file_is_taken_in_and_its_rows_are_in_the_lake(
    client: TestClient, application: Application, finished: Waits
) -> None:
    answer = upload(client, ("五月.csv", GOOD), source="station")
    assert answer.status_code == 202
    started = answer.json()
    assert answer.headers["location"] == f"{ADDRESS}/{started['id']}"
    done = finished(answer.headers["location"])
    assert done["state"] == "done", done
    counts = done["counts"]
    assert (counts["read"], counts["added"], counts["repeated"], counts["rejected"]) == (2, 2, 0, 0)
    assert done["files"][0]["name"] == "五月.csv"
    assert (done["basis"], done["source"], done["error"]) == ("audited", "station", None)
    assert application.lake.scan(sites="X1").sort("time").collect()["value"].to_list() == [35.0, 36.0]
    assert client.get(ADDRESS).json()[0]["id"] == done["id"]
    assert client.get(f"/api/v1/jobs/{done['job']}").json()["state"] == "done"
    # What was only uploaded on the way is gone.
    assert not list(application.settings.files.glob("upload-*"))
    # A site that no city pack knows is listed after those it knows.
    assert client.get("/api/v1/sites").json()[-1]["id"] == "X1"


def test_the_same_file_again_adds_nothing(client: TestClient, finished: Waits) -> None:
    content = GOOD.replace("X1", "X3")
    finished(upload(client, ("a.csv", content)).headers["location"])
    again = finished(upload(client, ("a.csv", content)).headers["location"])
    assert (again["counts"]["added"], again["counts"]["repeated"]) == (0, 2)


@pytest.fixture(scope="module")
def address(client: TestClient, finished: Waits) -> str:
    """The rejects of an import of two bad rows."""
    done = finished(upload(client, ("bad.csv", BAD)).headers["location"])
    assert done["counts"]["rejected"] == 2, done
    return f"{ADDRESS}/{done['id']}/rejects"


class TestRejects:
    def test_each_names_file_row_field_and_reason(self, client: TestClient, address: str) -> None:
        found = client.get(address).json()
        assert found["total"] == 2
        first = found["rows"][0]
        assert (first["file"], first["row"], first["value"]) == ("bad.csv", 3, "=1+1")
        assert first["zh"]
        assert first["en"]
        assert found["rows"][1]["row"] == 4

    def test_they_are_paged(self, client: TestClient, address: str) -> None:
        page = client.get(address, params={"offset": 1, "limit": 1}).json()
        assert (page["total"], [row["row"] for row in page["rows"]]) == (2, [4])
        assert client.get(address, params={"limit": 1001}).status_code == 422

    def test_the_file_holds_no_formula(self, client: TestClient, address: str) -> None:
        answer = client.get(address + ".csv")
        assert "attachment" in answer.headers["content-disposition"]
        lines = list(csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))))
        assert len(lines) == 3
        assert "'=1+1" in lines[1]
        assert not [cell for line in lines for cell in line if cell.startswith("=")]

    def test_the_workbook_holds_texts(self, client: TestClient, address: str) -> None:
        answer = client.get(address + ".xlsx")
        rows = CalamineWorkbook.from_filelike(io.BytesIO(answer.content)).get_sheet_by_index(0).to_python()
        assert len(rows) == 3
        assert any("1+1" in str(cell) for cell in rows[1])
        assert b"<f>" not in answer.content


def test_an_import_without_rejects_has_an_empty_list(client: TestClient, finished: Waits) -> None:
    done = finished(upload(client, ("b.csv", GOOD.replace("X1", "X4"))).headers["location"])
    assert client.get(f"{ADDRESS}/{done['id']}/rejects").json() == {"total": 0, "offset": 0, "rows": []}
    assert client.get(f"{ADDRESS}/{done['id']}/rejects.csv").status_code == 200
    assert client.get(f"{ADDRESS}/{done['id']}/rejects.xlsx").status_code == 200


def test_what_is_no_table_fails_with_a_sentence(client: TestClient, finished: Waits) -> None:
    done = finished(upload(client, ("photo.csv", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40)).headers["location"])
    assert done["state"] == "failed"
    assert done["error"]["zh"]
    assert done["error"]["en"]


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"basis": "gossip"}, "basis"),
        ({"layout": "spiral"}, "layout"),
        ({"stamp": "middle"}, "stamp"),
        ({"source": "two words; drop"}, "source"),
        ({"source": "x" * 65}, "source"),
    ],
)
def test_a_wrong_option_is_named(client: TestClient, fields: dict[str, str], field: str) -> None:
    answer = upload(client, ("a.csv", GOOD), **fields)
    assert answer.status_code == 422
    assert answer.json()["field"] == field


HOURS = "site,factor,time,value\nX6,PM2.5,2022-05-01 01:00,35\nX6,PM2.5,2022-05-01 02:00,36\n"


def test_hours_without_their_stamp_are_refused_at_once_beside_the_field(
    client: TestClient, application: Application
) -> None:
    before = client.get(ADDRESS).json()
    folders = set(application.settings.files.iterdir())
    answer = upload(client, ("小时.csv", HOURS), stamp="")
    assert answer.status_code == 422
    assert (answer.json()["field"], answer.json()["file"]) == ("stamp", "小时.csv")
    assert "time" in answer.json()["zh"]
    assert client.get(ADDRESS).json() == before
    assert set(application.settings.files.iterdir()) == folders


@pytest.mark.parametrize(
    ("content", "mapping"),
    [
        (HOURS.replace("X6", "X7"), "stamp: end"),
        ("site,date,PM2.5\nX7,2022-05-01,35\n", ""),
        (f"{'date,hour,type,1001A'}\n20220501,3,PM2.5,35\n", ""),
    ],
    ids=["said in the mapping", "days", "the national feed"],
)
def test_a_file_that_needs_no_stamp_is_taken_without_one(
    client: TestClient, finished: Waits, content: str, mapping: str
) -> None:
    answer = upload(client, ("a.csv", content), stamp="", map=mapping)
    assert answer.status_code == 202, answer.json()
    assert finished(answer.headers["location"])["state"] == "done"


def test_uploaded_copies_go_when_their_import_is_over(
    client: TestClient, application: Application, finished: Waits
) -> None:
    good = upload(client, ("a.csv", GOOD.replace("X1", "X8")), map="basis: audited")
    bad = upload(client, ("photo.csv", b"\xff\xd8\xff\xe0" + bytes(range(256)) * 40))
    assert finished(good.headers["location"])["state"] == "done"
    assert finished(bad.headers["location"])["state"] == "failed"
    assert list(application.settings.files.glob("incoming-*")) == []


def test_no_file_is_refused(client: TestClient) -> None:
    answer = client.post(ADDRESS, files={"basis": (None, "audited")})
    assert answer.status_code == 422
    assert answer.json()["field"] == "files"


@pytest.mark.parametrize("headers", [{"content-type": "application/json"}, {"content-type": "multipart/form-data"}])
def test_what_is_no_form_is_refused(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post(ADDRESS, content=b"{}", headers=headers)
    assert answer.status_code == 422
    assert answer.json()["field"] == "files"


def test_a_form_that_breaks_off_is_refused(client: TestClient) -> None:
    body = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\nsite'
    answer = client.post(ADDRESS, content=body, headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 422


def test_a_mapping_that_cannot_be_read_is_refused(client: TestClient) -> None:
    answer = upload(client, ("a.csv", GOOD), map="columns: [")
    assert answer.status_code == 422


def test_too_large_an_upload_is_refused_and_leaves_nothing(application: Application) -> None:
    small = create_application(application, upload_bytes=MEBIBYTE)
    before = set(application.settings.files.iterdir())
    with TestClient(small, base_url="http://127.0.0.1") as client:
        answer = upload(client, ("big.csv", b"x" * (2 * MEBIBYTE)))
        listed = client.get(ADDRESS, params={"limit": 1}).json()
    assert answer.status_code == 413
    assert "1 MB" in answer.json()["zh"]
    assert set(application.settings.files.iterdir()) == before
    assert not listed or listed[0]["files"][0]["name"] != "big.csv"


def test_too_large_an_upload_is_refused_when_its_length_is_not_announced(application: Application) -> None:
    small = create_application(application, upload_bytes=MEBIBYTE)
    before = set(application.settings.files.iterdir())

    def body() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.csv"\r\n\r\n'
        for _ in range(40):
            yield b"x" * (MEBIBYTE // 16)
        yield b"\r\n--b--\r\n"

    with TestClient(small, base_url="http://127.0.0.1") as client:
        answer = client.post(ADDRESS, content=body(), headers={"content-type": "multipart/form-data; boundary=b"})
    assert answer.status_code == 413
    assert set(application.settings.files.iterdir()) == before


@pytest.mark.parametrize(
    "name", ["../../../escaped.csv", "..\\..\\escaped.csv", "/etc/escaped.csv", "C:\\escaped.csv", "....//escaped.csv"]
)
def test_a_file_name_leads_nowhere(client: TestClient, application: Application, name: str) -> None:
    answer = upload(client, (name, GOOD.replace("X1", "X5")))
    assert answer.status_code == 202
    assert answer.json()["files"][0]["name"] == "escaped.csv"
    home = application.settings.home
    outside = [path for path in home.parent.rglob("escaped.csv") if not path.is_relative_to(home)]
    assert outside == []
    assert not Path("/etc/escaped.csv").exists()


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("..", "file"),
        ("", "file"),
        (".csv", "csv"),
        ("a\x00\r\n.csv", "a.csv"),
        ("x" * 500 + ".csv", "x" * 116 + ".csv"),
        ("一月 数据(1).xlsx", "一月 数据(1).xlsx"),
    ],
)
def test_names_are_kept_as_far_as_they_are_names(given: str, kept: str) -> None:
    assert safe_name(given) == kept


@pytest.mark.parametrize("identifier", ["unknown", "..", "..%2f..%2fbase.sqlite", "a" * 300])
@pytest.mark.parametrize("rest", ["", "/rejects", "/rejects.csv", "/rejects.xlsx"])
def test_an_unknown_import_is_refused(client: TestClient, identifier: str, rest: str) -> None:
    answer = client.get(f"{ADDRESS}/{identifier}{rest}")
    assert answer.status_code == 404
    assert "SQLite" not in answer.text
