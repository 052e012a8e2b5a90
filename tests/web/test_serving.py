"""The frame around the routes: failures, foreign requests, pages, health."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from qinglan import jobs
from qinglan.app import Application
from qinglan.core.errors import InputError, StorageError
from qinglan.observations.lake import Lake
from qinglan.web.application import create_application
from qinglan.web.limits import MEBIBYTE
from qinglan.web.observed import configure_logs

HERE = "http://127.0.0.1:8212"


@pytest.fixture
def browser(tmp_path: Path) -> Path:
    folder = tmp_path / "browser"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<html>first page</html>", "utf-8")
    (folder / "assets" / "index-3f2a.js").write_text("let a = 1", "utf-8")
    (folder / "favicon.svg").write_text("<svg/>", "utf-8")
    (tmp_path / "secret.txt").write_text("the treasure", "utf-8")
    return folder


@pytest.fixture
def app(application: Application, browser: Path) -> FastAPI:
    app = create_application(application, browser=browser, upload_bytes=3 * MEBIBYTE)

    @app.get("/api/v1/_broken")
    def broken() -> None:
        raise RuntimeError("the password is hunter2")

    @app.get("/api/v1/_refused")
    def refused() -> None:
        raise InputError("第 3 行有误。", "Row 3 is wrong.", file="a.csv", row=3, field="value")

    @app.post("/api/v1/_read")
    async def read(body: dict[str, Any]) -> dict[str, Any]:
        return body

    return app


@pytest.fixture
def client(app: FastAPI) -> Iterator[TestClient]:
    with TestClient(app, base_url=HERE) as client:
        yield client


class TestFailures:
    def test_own_errors_keep_where_they_happened(self, client: TestClient) -> None:
        answer = client.get("/api/v1/_refused")
        assert answer.status_code == 422
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json() == {
            "type": "urn:qinglan:InputError",
            "title": "InputError",
            "status": 422,
            "detail": "第 3 行有误。",
            "zh": "第 3 行有误。",
            "en": "Row 3 is wrong.",
            "file": "a.csv",
            "row": 3,
            "field": "value",
        }

    def test_the_unforeseen_is_logged_under_a_reference_and_not_shown(self, client: TestClient) -> None:
        log = io.StringIO()
        configure_logs(as_json=True, stream=log)
        answer = client.get("/api/v1/_broken")
        configure_logs(as_json=True)
        assert answer.status_code == 500
        problem = answer.json()
        assert "hunter2" not in answer.text
        assert "Traceback" not in answer.text
        assert problem["reference"] in problem["zh"]
        assert problem["reference"] in problem["en"]
        assert problem["reference"] in log.getvalue()
        assert "RuntimeError" in log.getvalue()
        assert "the password is hunter2" in log.getvalue()

    def test_the_unforeseen_keeps_the_security_headers(self, client: TestClient) -> None:
        assert "frame-ancestors 'none'" in client.get("/api/v1/_broken").headers["content-security-policy"]

    @pytest.mark.parametrize(
        ("method", "path", "status"),
        [
            ("GET", "/api/v1/nothing", 404),
            ("GET", "/api/", 404),
            ("POST", "/nothing", 404),
            ("DELETE", "/api/v1/jobs", 405),
            ("GET", "/api/v1/jobs/unknown", 404),
            ("POST", "/api/v1/jobs/unknown/cancel", 404),
            ("GET", "/api/v1/jobs?limit=0", 422),
            ("GET", "/api/v1/jobs?limit=999999", 422),
            ("GET", "/api/v1/jobs?state=asleep", 422),
        ],
    )
    def test_every_refusal_says_why_in_both_languages(
        self, client: TestClient, method: str, path: str, status: int
    ) -> None:
        answer = client.request(method, path)
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        problem = answer.json()
        assert problem["status"] == status
        assert problem["zh"].endswith("。")
        assert problem["en"].endswith(".")

    def test_a_wrong_argument_is_named_with_its_bound(self, client: TestClient) -> None:
        problem = client.get("/api/v1/jobs?limit=0").json()
        assert problem["field"] == "limit"
        assert "≥ 1" in problem["zh"]
        assert "limit" in problem["en"]

    def test_a_method_that_is_not_taken_names_those_that_are(self, client: TestClient) -> None:
        answer = client.delete("/api/v1/jobs")
        assert answer.headers["allow"] == "GET"
        assert "GET" in answer.json()["zh"]


class TestForeignRequests:
    @pytest.mark.parametrize(
        "host", ["evil.example", "127.0.0.1.evil.example:8212", "10.0.0.5", "", "[::1", "localhost.x"]
    )
    def test_a_foreign_host_is_refused_on_every_route(self, client: TestClient, host: str) -> None:
        for path in ("/", "/api/v1/jobs", "/healthz"):
            answer = client.get(path, headers={"host": host})
            assert answer.status_code == 403
            assert answer.json()["field"] == "Host"

    @pytest.mark.parametrize("host", ["127.0.0.1:8212", "localhost:8212", "LOCALHOST", "[::1]:8212", "127.0.0.2"])
    def test_this_machine_is_not_foreign(self, client: TestClient, host: str) -> None:
        assert client.get("/healthz", headers={"host": host}).status_code == 200

    @pytest.mark.parametrize(
        "headers",
        [
            {"origin": "http://evil.example"},
            {"origin": "null"},
            {"origin": "http://127.0.0.1:9999"},
            {"origin": "http://localhost:8212"},
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ],
    )
    def test_changes_that_another_site_asks_for_are_refused(self, client: TestClient, headers: dict[str, str]) -> None:
        answer = client.post("/api/v1/_read", json={"a": 1}, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["field"] == "Origin"
        assert "zh" in answer.json()

    @pytest.mark.parametrize("headers", [{}, {"origin": HERE, "sec-fetch-site": "same-origin"}])
    def test_own_pages_and_programs_may_change_things(self, client: TestClient, headers: dict[str, str]) -> None:
        assert client.post("/api/v1/_read", json={"a": 1}, headers=headers).json() == {"a": 1}


class TestBodies:
    def test_a_large_body_is_refused_by_its_announced_length(self, client: TestClient) -> None:
        answer = client.post(
            "/api/v1/_read", content=b" " * (MEBIBYTE + 1), headers={"content-type": "application/json"}
        )
        assert answer.status_code == 413
        assert "1 MB" in answer.json()["zh"]

    def test_a_large_body_is_refused_when_its_length_was_not_announced(self, client: TestClient) -> None:
        def pieces() -> Iterator[bytes]:
            for _ in range(40):
                yield b" " * (MEBIBYTE // 16)

        answer = client.post("/api/v1/_read", content=pieces(), headers={"content-type": "application/json"})
        assert answer.status_code == 413
        assert answer.json()["status"] == 413

    def test_what_is_no_json_is_refused_with_a_sentence(self, client: TestClient) -> None:
        answer = client.post("/api/v1/_read", content=b"{", headers={"content-type": "application/json"})
        assert answer.status_code == 422
        assert "JSON" in answer.json()["zh"]


class TestPages:
    def test_every_page_address_gets_the_first_page_uncached(self, client: TestClient) -> None:
        for path in ("/", "/index.html", "/board", "/indicators/air.pm25_mean", "/imports/1"):
            answer = client.get(path)
            assert answer.status_code == 200
            assert answer.text == "<html>first page</html>"
            assert answer.headers["cache-control"] == "no-cache"
            assert answer.headers["content-type"].startswith("text/html")

    def test_hashed_files_are_cached_for_ever_and_others_are_not(self, client: TestClient) -> None:
        hashed = client.get("/assets/index-3f2a.js")
        assert hashed.text == "let a = 1"
        assert "immutable" in hashed.headers["cache-control"]
        assert hashed.headers["content-type"].startswith("text/javascript")
        assert client.get("/favicon.svg").headers["cache-control"] == "no-cache"

    @pytest.mark.parametrize("path", ["/assets/gone.js", "/assets/", "/robots.txt"])
    def test_a_missing_file_is_not_the_first_page(self, client: TestClient, path: str) -> None:
        assert client.get(path).status_code == 404

    @pytest.mark.parametrize(
        "path",
        [
            "/../secret.txt",
            "/%2e%2e/secret.txt",
            "/assets/..%2f..%2fsecret.txt",
            "/..%5csecret.txt",
            "//etc/passwd",
            "/assets/%00.js",
            "/%2fetc%2fpasswd",
        ],
    )
    def test_nothing_outside_the_folder_is_given(self, client: TestClient, path: str) -> None:
        answer = client.get(path)
        assert "treasure" not in answer.text
        assert "root:" not in answer.text

    def test_a_link_out_of_the_folder_is_not_followed(self, client: TestClient, browser: Path) -> None:
        (browser / "way-out.txt").symlink_to(browser.parent / "secret.txt")
        assert client.get("/way-out.txt").status_code == 404

    def test_pages_that_are_not_built_say_how_to_build_them(self, application: Application, tmp_path: Path) -> None:
        with TestClient(create_application(application, browser=tmp_path / "none"), base_url=HERE) as client:
            answer = client.get("/")
        assert answer.status_code == 503
        assert answer.text.count("make run") == 2
        assert "浏览器页面还没有生成" in answer.text

    def test_every_answer_keeps_the_page_to_itself(self, client: TestClient) -> None:
        for path in ("/", "/api/v1/jobs", "/api/v1/nothing", "/assets/index-3f2a.js"):
            headers = client.get(path).headers
            policy = headers["content-security-policy"]
            assert "default-src 'self'" in policy
            assert "style-src 'self' 'unsafe-inline'" in policy
            assert "frame-ancestors 'none'" in policy
            assert "http" not in policy
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "same-origin"


class TestHealth:
    def test_alive_and_ready(self, client: TestClient) -> None:
        assert client.get("/healthz").json() == {"state": "alive"}
        answer = client.get("/readyz")
        assert answer.status_code == 200
        assert answer.json() == {"ready": True, "checks": {"base": "ok", "lake": "ok", "worker": "ok"}}

    def test_not_ready_when_the_lake_does_not_open(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        def fails(_: Lake) -> int:
            raise StorageError("观测库打不开。", "The lake does not open.")

        monkeypatch.setattr(Lake, "revision", property(fails))
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert "The lake does not open." in answer.json()["checks"]["lake"]
        assert answer.json()["checks"]["base"] == "ok"

    def test_not_ready_when_the_worker_stopped(self, client: TestClient, app: FastAPI) -> None:
        assert app.state.served.worker.stop()
        assert client.get("/readyz").json()["checks"]["worker"] == "stopped"

    def test_the_worker_ends_with_the_server(self, app: FastAPI) -> None:
        with TestClient(app, base_url=HERE):
            assert app.state.served.worker.alive
        assert not app.state.served.worker.alive

    def test_metrics_count_requests_by_route_and_not_by_address(
        self, client: TestClient, application: Application
    ) -> None:
        for number in range(3):
            client.get(f"/api/v1/jobs/{number}")
        text = client.get("/metrics").text
        assert 'qinglan_http_requests_total{method="GET",route="/api/v1/jobs/{job_id}",status="404"} 3.0' in text
        assert f"qinglan_lake_revision {application.lake.revision}.0" in text
        assert "qinglan_worker_alive 1.0" in text
        assert 'qinglan_jobs{state="waiting"} 0.0' in text

    def test_a_job_runs_while_the_server_runs(self, own_home: Application) -> None:
        done = threading.Event()
        own_home.handlers = {"greet": lambda _: done.set()}
        job = jobs.enqueue(own_home.engine, "greet", {}, title_zh="问候", title_en="Greet")
        with TestClient(create_application(own_home), base_url=HERE) as client:
            assert done.wait(10)
            assert client.get("/api/v1/jobs").json()[0]["id"] == job
            assert client.get(f"/api/v1/jobs/{job}").json()["title"] == {"zh": "问候", "en": "Greet"}


def test_long_answers_travel_compressed_where_the_reader_can(client: TestClient) -> None:
    packed = client.get("/api/v1/factors", headers={"Accept-Encoding": "gzip"})
    plain = client.get("/api/v1/factors", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert packed.json() == plain.json()
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
