"""One YAML file added at run time is a ledger with all: table, API, form, list, template, import, export, history."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

import openpyxl
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import inspect

from ledgers.conftest import POND, USCC
from ledgers.messy import table
from qinglan import app
from qinglan.app import Application
from qinglan.base.settings import Settings
from qinglan.core.declare import Declarations
from qinglan.indicators.city import Places
from qinglan.ledgers import attachments, heads
from qinglan.ledgers.verify import verify
from qinglan.web import ledgers_daily
from qinglan.web.application import create_application

HERE = "http://127.0.0.1:8212"
LEDGER = "/api/v1/ledgers/pond"
PDF = b"%PDF-1.4 a plan"


@pytest.fixture(scope="module")
def declarations(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Declarations]:
    """What is shipped and one file more, read once as the program reads it."""
    added = tmp_path_factory.mktemp("added")
    (added / "pond.yaml").write_text(POND, "utf-8")
    shipped = app.declaration_folders()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(app, "declaration_folders", lambda: [*shipped, added])
        yield app.load_declarations("huludao")


@pytest.fixture
def application(
    settings: Settings, declarations: Declarations, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Application]:
    """A home whose program has one more file of declaration than it ships."""
    monkeypatch.setattr(app, "load_declarations", lambda _: declarations)
    with Application.open(settings) as opened:
        yield opened


@pytest.fixture
def client(application: Application) -> Iterator[TestClient]:
    with TestClient(create_application(application), base_url=HERE, raise_server_exceptions=False) as made:
        yield made


@pytest.fixture
def place(application: Application) -> str:
    """A county of the installed city, by its id and its name."""
    entries = next(iter(application.declarations.of(Places).values())).entries
    return next(one.id for one in entries if one.parent is not None)


def pond(place: str, **values: Any) -> dict[str, Any]:
    return {"code": "W001", "name": "一号库", "place": place, "volume": 1000, "height": 40, "owner": USCC} | values


def made(client: TestClient, place: str, **values: Any) -> dict[str, Any]:
    answer = client.post(f"{LEDGER}/records", json={"values": pond(place, **values)})
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"{LEDGER}/records/{found['record']}"
    return found


def test_a_ledger_added_at_run_time_has_everything(application: Application, client: TestClient, place: str) -> None:
    assert "pond" in [one["id"] for one in client.get("/api/v1/ledgers").json()["ledgers"]]
    schema = client.get(LEDGER).json()
    assert [field["id"] for field in schema["fields"]][:3] == ["code", "name", "place"]
    assert inspect(application.engine).has_table("ledger_pond")

    record = made(client, place)
    address = f"{LEDGER}/records/{record['record']}"
    changed = client.put(address, json={"values": {"volume": 2000}, "version": 1, "why": "换证"}).json()
    assert (changed["version"], changed["values"]["share"]) == (2, 50.0)
    versions = client.get(f"{address}/history").json()["versions"]
    assert [(one["version"], one["why"]) for one in versions] == [(2, "换证"), (1, None)]

    listed = client.get(f"{LEDGER}/records", params={"filter": "volume:ge:2000", "columns": "code,volume"}).json()
    assert [one["values"] for one in listed["records"]] == [{"code": "W001", "volume": 2000.0}]
    assert (listed["count"], listed["cursor"]) == (1, None)

    sheet = openpyxl.load_workbook(io.BytesIO(client.get(f"{LEDGER}/template.xlsx").content)).worksheets[0]
    assert sheet["A1"].value == "*编码"
    uploaded = {"files": ("表.xlsx", table(["编码", "名称", "地区"], ["W002", "二号库", place], ["W003", "三", "x"]))}
    shown = client.post(f"{LEDGER}/imports", files=uploaded)
    assert shown.status_code == 201, shown.text
    assert shown.json()["counts"] == {"read": 2, "add": 1, "update": 0, "same": 0, "refused": 1}
    inside = f"{LEDGER}/imports/{shown.json()['id']}"
    refused = client.post(f"{inside}/write", json={"mode": "all"})
    assert (refused.status_code, refused.json()["field"]) == (422, "mode")
    assert client.get(f"{inside}/marked.xlsx").content[:2] == b"PK"
    assert client.post(f"{inside}/write", json={"mode": "good"}).json()["state"] == "written"
    assert client.get(f"{inside}/rest.xlsx").content[:2] == b"PK"

    text = client.get(f"{LEDGER}/export.csv", params={"sort": "code", "columns": "code,name"}).content.decode(
        "utf-8-sig"
    )
    assert text.splitlines() == ["编码,名称", "W001,一号库", "W002,二号库"]
    assert client.get(f"{LEDGER}/export.xlsx").content[:2] == b"PK"
    assert client.get(f"{LEDGER}/export.geojson").json()["type"] == "FeatureCollection"
    file = client.get(f"/api/v1/enterprises/{USCC}/file").json()
    assert [(part["ledger"], len(part["records"])) for part in file["ledgers"]] == [("pond", 1)]
    assert [event["action"] for event in file["timeline"]] == ["update", "create"]
    assert list(verify(application.ledgers)) == []


def test_refusals_name_every_field_and_conflicts_who(client: TestClient, place: str) -> None:
    wrong = client.post(f"{LEDGER}/records", json={"values": pond(place, volume=-1, height="高", colour="红")})
    assert wrong.status_code == 422
    assert {one["field"] for one in wrong.json()["errors"]} == {"volume", "height", "colour"}
    record = made(client, place)
    address = f"{LEDGER}/records/{record['record']}"
    client.put(address, json={"values": {"volume": 1}, "version": 1})
    conflict = client.put(address, json={"values": {"height": 1}, "version": 1})
    assert conflict.status_code == 409
    assert (conflict.json()["who"], conflict.json()["version"]) == ("local", 2)
    assert [one["field"] for one in conflict.json()["changes"]] == ["volume"]
    merged = client.put(address, json={"values": {"height": 1}, "version": 1, "merge": True}).json()
    assert (merged["version"], merged["values"]["volume"], merged["values"]["height"]) == (3, 1.0, 1.0)


def test_taking_out_bringing_back_remarks_and_several_at_once(client: TestClient, place: str) -> None:
    address = f"{LEDGER}/records/{made(client, place, head='王小明')['record']}"
    assert client.request("DELETE", address, json={"why": " "}).status_code == 422
    assert client.request("DELETE", address, json={"why": "重复"}).status_code == 204
    assert client.get(f"{LEDGER}/records").json()["records"] == []
    assert client.post(f"{address}/restore", json={"why": "不重复"}).json()["deleted"] is None
    assert client.post(f"{address}/comments", json={"text": "已核"}).status_code == 201
    assert [one["text"] for one in client.get(f"{address}/comments").json()["comments"]] == ["已核"]
    assert client.post(f"{address}/erase", json={"why": "本人要求"}).json() == {"versions": 3}
    several = {
        "operations": [{"action": "create", "values": pond(place, code="W002")}, {"action": "update", "record": "x"}]
    }
    answer = client.post(f"{LEDGER}/bulk", json=several).json()
    assert [one["done"] for one in answer["outcomes"]] == [True, False]


@pytest.mark.parametrize(
    ("method", "address", "status"),
    [
        ("GET", "/api/v1/ledgers/nothing", 404),
        ("GET", f"{LEDGER}/records/nothing", 404),
        ("GET", f"{LEDGER}/records/../../../etc/passwd", 404),
        ("GET", f"{LEDGER}/records?filter=x", 422),
        ("GET", f"{LEDGER}/records?sort=wells", 422),
        ("GET", f"{LEDGER}/records?cursor=abc", 422),
        ("GET", f"{LEDGER}/records?limit=5000", 422),
        ("GET", f"{LEDGER}/records?as_of=yesterday", 422),
        ("GET", f"{LEDGER}/export.csv?columns=nothing", 422),
        ("GET", f"{LEDGER}/imports/..%2f..%2fbase.sqlite", 404),
        ("GET", f"{LEDGER}/records/x/files/..%2f..%2fheads.key", 404),
        ("GET", f"/api/v1/enterprises/{USCC}/file", 404),
        ("POST", f"{LEDGER}/imports/x/write", 422),
    ],
)
def test_what_is_not_there_is_said_plainly(client: TestClient, method: str, address: str, status: int) -> None:
    answer = client.request(method, address)
    assert answer.status_code == status, answer.text
    assert answer.json()["zh"]


# attachments


def kept(client: TestClient, content: bytes, name: str = "预案.pdf") -> Any:
    return client.post(f"{LEDGER}/files", files={"files": (name, content)})


def test_a_file_is_kept_by_what_it_holds(application: Application, client: TestClient, place: str) -> None:
    first, again = kept(client, PDF).json()["files"][0], kept(client, PDF, "副本.pdf").json()["files"][0]
    assert first["sha256"] == again["sha256"]
    assert first["media"] == "application/pdf"
    assert len([one for one in (application.settings.files / "attachments").rglob("*") if one.is_file()]) == 1
    record = made(client, place, plan=[{"sha256": first["sha256"], "name": "预案.pdf"}])
    address = f"{LEDGER}/records/{record['record']}/files"
    assert [(one["field"], one["name"]) for one in client.get(address).json()["files"]] == [("plan", "预案.pdf")]
    got = client.get(f"{address}/{first['sha256']}")
    assert got.content == PDF
    assert got.headers["content-disposition"].startswith("attachment")
    assert got.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in got.headers["content-security-policy"]


def test_a_hash_alone_opens_nobodys_file(client: TestClient, place: str) -> None:
    other = "/api/v1/ledgers/tailings_pond/files"
    elsewhere = client.post(other, files={"files": ("秘密.pdf", PDF)}).json()["files"][0]["sha256"]
    refused = client.post(f"{LEDGER}/records", json={"values": pond(place, plan=[{"sha256": elsewhere, "name": "x"}])})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "plan")
    record = made(client, place)
    assert client.get(f"{LEDGER}/records/{record['record']}/files/{elsewhere}").status_code == 404


def archive(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made_of:
        for name, content in members.items():
            made_of.writestr(name.replace("__", "/").replace("_", "."), content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b"<!DOCTYPE html><script>alert(1)</script>", "a.pdf"),
        (b"  \n<svg xmlns='http://www.w3.org/2000/svg' onload='x()'/>", "a.png"),
        (b"hello <img src=x onerror=alert(1)>", "a.txt"),
        ("\ufeff<html>".encode(), "a.csv"),
        (b"MZ\x90\x00\x03", "a.exe"),
        (b"\x7fELF\x02", "a.pdf"),
        (archive(zeros=b"0" * 30_000_000), "a.zip"),
        (archive(word__vbaProject_bin=b"x", word__document_xml=b"x"), "a.docx"),
        (b"PK\x03\x04broken", "a.zip"),
        (b"", "a.pdf"),
    ],
    ids=["page", "svg", "page in text", "page with mark", "exe", "elf", "bomb", "macros", "broken", "empty"],
)
def test_what_could_run_or_burst_is_not_kept(
    application: Application, client: TestClient, content: bytes, name: str
) -> None:
    answer = kept(client, content, name)
    assert answer.status_code == 422, answer.text
    assert not (application.settings.files / "attachments").exists()


def test_without_the_check_of_markup_a_page_would_be_kept(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "_is_markup", lambda text: False)
    assert kept(client, b"<html><script>alert(1)</script>").status_code == 201


def test_a_large_file_is_refused_by_its_size(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "LARGEST", 100)
    assert kept(client, PDF + bytes(200)).status_code == 413


def test_the_days_heads_are_asked_for_once(application: Application, client: TestClient, place: str) -> None:
    assert not heads.due(application.ledgers)
    made(client, place)
    assert heads.due(application.ledgers)
    ledgers_daily.ask(application)
    assert not ledgers_daily.ask(application)
    heads.sign(application.ledgers)
    assert not heads.due(application.ledgers)
