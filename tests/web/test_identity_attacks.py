"""Attacks on the sign-in and on what stands behind it; each with proof that the protection is what stops it."""

from __future__ import annotations

import io
import json
import re
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import openpyxl
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from qinglan.app import Application, load_declarations
from qinglan.base.database import open_base
from qinglan.base.identity import accounts, grants, sessions, signin, tokens, trail
from qinglan.base.identity.refusals import NotSignedInError
from qinglan.base.identity.throttle import Throttle
from qinglan.base.scope import EVERYTHING
from qinglan.base.settings import Settings
from qinglan.core.declare import Declarations
from qinglan.indicators.city import City
from qinglan.observations.lake import open_lake
from qinglan.web import identity as guard
from qinglan.web.application import create_application
from qinglan.web.observed import configure_logs
from web.people import (
    HERE,
    MAKER,
    PASSWORD,
    Clock,
    Page,
    browser,
    cheap_hashes,
    complete,
    enrolled,
    populate,
    sign_in,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module", autouse=True)
def _cheap_hashes() -> Iterator[None]:
    with cheap_hashes():
        yield


@pytest.fixture(scope="module")
def declarations() -> Declarations:
    return load_declarations("huludao")


@pytest.fixture
def empty(tmp_path: Path, declarations: Declarations) -> Iterator[Application]:
    """A home without accounts; what is declared is read once for all tests."""
    settings = Settings(home=tmp_path / "home")
    engine = open_base(settings)
    city = next(iter(declarations.of(City).values()))
    with Application(settings, engine, open_lake(settings, engine), declarations, city) as found:
        yield found


@pytest.fixture
def application(empty: Application, clock: Clock) -> Application:
    empty.identity.clock = clock
    populate(empty.identity)
    return empty


@pytest.fixture
def app(application: Application) -> FastAPI:
    return create_application(application)


class TestCookies:
    def test_no_script_reads_it_no_other_site_sends_it(self, app: FastAPI) -> None:
        answer = browser(app).post("/session", {"account": "leader", "password": PASSWORD})
        cookie = answer.headers["set-cookie"]
        assert re.match(r"qinglan_session=[\w-]{43};", cookie)
        assert {part.strip().lower() for part in cookie.split(";")[1:]} == {"httponly", "path=/", "samesite=strict"}
        assert answer.headers["cache-control"] == "no-store"

    def test_with_tls_it_goes_by_tls_alone(self, app: FastAPI) -> None:
        page = browser(app, base="https://127.0.0.1:8212")
        cookie = page.post("/session", {"account": "leader", "password": PASSWORD}).headers["set-cookie"]
        assert cookie.startswith("__Host-qinglan_session=")
        assert "Secure" in cookie
        assert "Domain" not in cookie

    def test_behind_a_proxy_with_tls_too(self, application: Application) -> None:
        application.settings = application.settings.model_copy(update={"https": True})
        page = browser(create_application(application))
        cookie = page.post("/session", {"account": "leader", "password": PASSWORD}).headers["set-cookie"]
        assert cookie.startswith("__Host-")
        assert "Secure" in cookie

    def test_signing_out_ends_it_on_the_server(self, app: FastAPI) -> None:
        page = sign_in(app, "leader")
        secret = page.client.cookies["qinglan_session"]
        assert page.send("DELETE", "/session").status_code == 200
        stolen = browser(app)
        stolen.client.cookies.set("qinglan_session", secret)
        assert stolen.get("/board").status_code == 401


class TestForgery:
    """A page of another site makes the browser send the cookie along."""

    body: ClassVar = {"year": 2023, "value": 31.0, "document": "伪造文件", "document_date": "2024-01-10"}
    path = "/api/v1/indicators/air.pm25_mean/confirmed"

    def attack(self, page: Page, **headers: str) -> int:
        return page.client.post(self.path, json=self.body, headers=headers).status_code

    def test_a_change_without_the_pages_token_is_refused(self, app: FastAPI, clock: Clock) -> None:
        page, other = sign_in(app, "officer"), sign_in(app, "duty")
        for token in ({}, {"X-CSRF-Token": ""}, {"X-CSRF-Token": "0" * 64}, {"X-CSRF-Token": other.csrf}):
            assert self.attack(page, **token) == 403
        assert page.post("/indicators/air.pm25_mean/confirmed", self.body).status_code == 200

    def test_it_is_the_token_that_stops_it(self, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(guard, "require_csrf", lambda *_: None)
        assert self.attack(sign_in(app, "officer")) == 200

    def test_a_foreign_origin_is_refused_even_with_the_token(self, app: FastAPI) -> None:
        page = sign_in(app, "officer")
        assert self.attack(page, **{"X-CSRF-Token": page.csrf, "Origin": "https://evil.example"}) == 403
        assert self.attack(page, **{"X-CSRF-Token": page.csrf, "Sec-Fetch-Site": "cross-site"}) == 403

    def test_a_foreign_page_cannot_sign_a_browser_in(self, app: FastAPI) -> None:
        given = {"account": "leader", "password": PASSWORD}
        answer = browser(app).post("/session", given, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers

    def test_a_token_in_the_header_needs_none(self, app: FastAPI, application: Application) -> None:
        _, secret = tokens.add(application.identity, MAKER, "officer", title="x", rights=["confirm"], days=1)
        client = TestClient(app, base_url=HERE)
        answer = client.post(self.path, json=self.body, headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 200
        board = client.get("/api/v1/board", headers={"Authorization": f"Bearer {secret}"})
        assert board.status_code == 403, "the token may confirm and not read"


class TestFixation:
    """An attacker plants a session in a browser before its owner signs in."""

    def test_the_session_that_was_there_before_is_not_the_one_after(self, app: FastAPI) -> None:
        page = sign_in(app, "observer")
        planted = page.client.cookies["qinglan_session"]
        answer = page.post("/session", {"account": "leader", "password": PASSWORD})
        assert answer.status_code == 200
        assert page.client.cookies["qinglan_session"] != planted
        attacker = browser(app)
        attacker.client.cookies.set("qinglan_session", planted)
        assert attacker.get("/me").status_code == 401

    def test_a_made_up_one_is_not_taken_over(self, app: FastAPI) -> None:
        page = browser(app)
        page.client.cookies.set("qinglan_session", "A" * 43)
        assert page.post("/session", {"account": "leader", "password": PASSWORD}).status_code == 200
        attacker = browser(app)
        attacker.client.cookies.set("qinglan_session", "A" * 43)
        assert attacker.get("/me").status_code == 401

    def test_the_second_factor_changes_it_and_half_a_sign_in_opens_nothing(
        self, app: FastAPI, application: Application, clock: Clock
    ) -> None:
        codes = enrolled(application.identity, "auditor")
        clock.move(minutes=2)
        page = sign_in(app, "auditor")
        half = page.client.cookies["qinglan_session"]
        refused = page.get("/trail")
        assert (refused.status_code, refused.json()["step"]) == (403, "totp")
        me = page.get("/me").json()
        assert (me["step"], me["rights"], me["places"]) == ("totp", [], [])
        for path, body in (("/me/password", {"old": PASSWORD, "password": "Fluss-Wald-2024"}), ("/me/totp", None)):
            assert page.post(path, body).status_code == 403
        page.csrf = page.post("/session/totp", {"code": codes.at(clock())}).json()["csrf"]
        assert page.get("/trail").status_code == 200
        assert page.client.cookies["qinglan_session"] != half
        attacker = browser(app)
        attacker.client.cookies.set("qinglan_session", half)
        assert attacker.get("/me").status_code == 401


class TestGuessing:
    def test_the_right_password_after_five_wrong_ones_is_refused(self, app: FastAPI) -> None:
        page = browser(app)
        for number in range(5):
            assert page.post("/session", {"account": "leader", "password": f"wrong-{number}"}).status_code == 401
        assert page.post("/session", {"account": "leader", "password": PASSWORD}).status_code == 401

    def test_it_is_the_lock_that_stops_it(
        self, app: FastAPI, application: Application, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(signin, "_fail", lambda *_, **__: None)
        page = browser(app)
        for number in range(20):
            assert page.post("/session", {"account": "leader", "password": f"wrong-{number}"}).status_code == 401
        assert page.post("/session", {"account": "leader", "password": PASSWORD}).status_code == 200

    def test_guessing_at_many_accounts_is_stopped_by_the_address(self, app: FastAPI, application: Application) -> None:
        page = browser(app)
        seen = [
            page.post("/session", {"account": f"guess{number}", "password": "x"}).status_code for number in range(31)
        ]
        assert seen == [401] * 30 + [429]
        application.identity.throttle = Throttle(10**6, application.identity.throttle._window, 100)
        assert page.post("/session", {"account": "leader", "password": PASSWORD}).status_code == 200

    def test_a_forged_address_is_not_believed(self, app: FastAPI, application: Application) -> None:
        page = browser(app)
        for number in range(30):
            headers = {"X-Forwarded-For": f"192.0.2.{number}"}
            page.post("/session", {"account": "nobody", "password": "x"}, headers=headers)
        answer = page.post("/session", {"account": "leader", "password": PASSWORD})
        assert answer.status_code == 429
        proxied = application.settings.model_copy(update={"proxies": ("testclient",)})
        said = {"headers": [(b"x-forwarded-for", b"203.0.113.9, 192.0.2.7")], "client": ("testclient", 1)}
        assert guard.address_of(proxied, said) == "192.0.2.7", "the nearest that no proxy of ours wrote"
        assert guard.address_of(application.settings, said) == "testclient"

    def test_attempts_at_once_do_not_slip_past_the_lock(self, app: FastAPI, application: Application) -> None:
        identity, inside = application.identity, []

        def guess(password: str) -> None:
            with suppress(NotSignedInError):
                inside.append(signin.sign_in(identity, "leader", password, address=password))

        for number in range(5):
            guess(f"wrong-{number}")
        threads = [threading.Thread(target=guess, args=(PASSWORD,)) for _ in range(8)]
        for one in threads:
            one.start()
        for one in threads:
            one.join()
        assert inside == []

    def test_every_refusal_is_the_same_to_the_letter(self, app: FastAPI) -> None:
        page = browser(app)
        for _ in range(5):
            page.post("/session", {"account": "police", "password": "x"})
        said = {
            page.post("/session", {"account": account, "password": "x"}).text
            for account in ("leader", "police", "nobody", "' OR 1=1 --", "\x00", "a" * 100)
        }
        assert len(said) == 1


class TestOthersThings:
    """Ids of others' things in addresses."""

    def test_sessions_and_tokens_of_others_are_not_there(self, app: FastAPI, application: Application) -> None:
        victim, attacker = sign_in(app, "works-b"), sign_in(app, "works-a")
        given = {"title": "同步", "rights": ["read"], "days": 1}
        token = victim.post("/me/tokens", given).json()
        session = victim.get("/me/sessions").json()[0]["id"]
        assert attacker.send("DELETE", f"/me/tokens/{token['id']}").status_code == 404
        assert attacker.send("DELETE", f"/me/sessions/{session}").status_code == 404
        assert [one["state"] for one in victim.get("/me/tokens").json()] == ["active"]
        assert victim.get("/me").status_code == 200
        assert victim.send("DELETE", f"/me/tokens/{token['id']}").status_code == 200

    def test_an_enterprise_sees_its_own_organisation_alone(self, app: FastAPI) -> None:
        page = sign_in(app, "works-a")
        assert [one["id"] for one in page.get("/organisations").json()] == ["works-a"]
        assert page.get("/organisations/works-a").status_code == 200
        for other in ("works-b", "bureau", "nowhere", "works-a' OR '1'='1"):
            answer = page.get(f"/organisations/{other}")
            assert answer.status_code == 404
        assert page.get("/accounts").status_code == 403
        assert page.get("/accounts/works-b").status_code == 403

    def test_it_is_the_scope_that_hides_them(self, app: FastAPI, monkeypatch: pytest.MonkeyPatch) -> None:
        page = sign_in(app, "works-a")
        real = guard.identify

        def everybody(*given: Any) -> guard.Caller:
            found = real(*given)
            return replace(found, scope=replace(EVERYTHING, account=found.scope.account))

        monkeypatch.setattr(guard, "identify", everybody)
        assert page.get("/organisations/works-b").status_code == 200
        assert page.get("/accounts/works-b").status_code == 200

    def test_nobody_gives_a_role_to_oneself(self, app: FastAPI, application: Application, clock: Clock) -> None:
        for name in ("officer", "system"):
            page = complete(app, application, clock, name)
            given = {"role": "leader"}
            assert page.post(f"/accounts/{name}/grants", given).status_code == 403
        page = complete(app, application, clock, "security")
        answer = page.post("/accounts/security/grants", {"role": "system_administrator"})
        assert answer.status_code == 409
        assert "三员分立" in answer.json()["zh"]

    def test_an_officer_of_one_medium_confirms_nothing_of_another(self, app: FastAPI, application: Application) -> None:
        page = sign_in(app, "officer")
        other = "/indicators/water.good_section_share"
        answer = page.post(f"{other}/confirmed", TestForgery.body)
        assert (answer.status_code, answer.json()["field"]) == (403, "indicator")
        assert page.post(f"{other}/targets", TestForgery.body).status_code == 403
        assert page.send("DELETE", f"{other}/confirmed/2023", {"note": "x"}).status_code == 403
        assert page.post("/indicators/nothing/confirmed", TestForgery.body).status_code == 404
        grants.grant(application.identity, MAKER, "officer", "section_officer", media=["water"])
        assert page.post(f"{other}/confirmed", {**TestForgery.body, "value": 80.0}).status_code == 200
        assert page.get("/indicators/water.good_section_share").json()["confirmed"] is not None

    def test_a_body_with_more_than_is_asked_changes_nothing_more(
        self, app: FastAPI, application: Application, clock: Clock
    ) -> None:
        page = complete(app, application, clock, "system")
        for more in ({"roles": ["leader"]}, {"password": "x"}, {"disabled": None}, {"id": "root"}):
            assert page.send("PATCH", "/accounts/leader", {"name": "某乙", **more}).status_code == 422
        assert page.send("PATCH", "/accounts/leader", {"name": "某乙"}).json()["name"] == "某乙"


class TestSecrets:
    def test_none_is_in_the_logs(self, app: FastAPI, application: Application) -> None:
        stream = io.StringIO()
        configure_logs(as_json=True, stream=stream)
        page = sign_in(app, "officer")
        token = page.post("/me/tokens", {"title": "x", "rights": ["read"], "days": 1}).json()["secret"]
        page.post("/session", {"account": "leader", "password": "Falsch-Geraten-9"})
        page.client.post("/api/v1/session", content=b'{"account": "leader", "password": "Falsch-Geraten-9"')
        page.get("/board", headers={"Authorization": f"Bearer {token}"})
        page.get("/board", headers={"Authorization": f"Bearer {token}x"})
        browser(app).post("/first-account", {"link": "L" * 43, "account": "a1", "name": "x", "password": PASSWORD})
        logged = stream.getvalue()
        assert logged.count('"event": "request"') >= 6
        secrets = [PASSWORD, "Falsch-Geraten-9", token, page.client.cookies["qinglan_session"], page.csrf, "L" * 43]
        for secret in secrets:
            assert secret not in logged

    def test_a_failure_inside_does_not_write_what_was_typed(
        self, app: FastAPI, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        stream = io.StringIO()
        configure_logs(as_json=True, stream=stream)

        def fails(*given: Any, **more: Any) -> None:
            raise RuntimeError("Innenleben")

        monkeypatch.setattr(signin, "sign_in", fails)
        page = Page(TestClient(app, base_url=HERE, raise_server_exceptions=False))
        answer = page.post("/session", {"account": "leader", "password": PASSWORD})
        assert answer.status_code == 500
        assert "Innenleben" not in answer.text
        assert "unforeseen" in stream.getvalue()
        assert PASSWORD not in stream.getvalue()

    def test_wrong_input_is_not_sent_back_with_its_password(self, app: FastAPI) -> None:
        answer = browser(app).post("/session", {"account": "leader", "password": [PASSWORD]})
        assert answer.status_code == 422
        assert PASSWORD not in answer.text
        assert PASSWORD not in browser(app).post("/session", {"password": PASSWORD}).text
        assert PASSWORD not in browser(app).post("/session", {"account": "a", "password": PASSWORD + "x" * 1000}).text

    def test_a_wrong_token_is_refused_even_where_a_session_would_do(self, app: FastAPI) -> None:
        page = sign_in(app, "leader")
        answer = page.get("/board", headers={"Authorization": "Bearer qlt_wrong"})
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


class TestTrail:
    def test_exports_changes_and_refusals_are_written(
        self, app: FastAPI, application: Application, clock: Clock
    ) -> None:
        officer, observer = sign_in(app, "officer"), sign_in(app, "observer")
        officer.get("/series/data.csv", params={"site": "x", "factor": "a34004", "grain": "hour", "basis": "audited"})
        officer.post("/indicators/air.pm25_mean/confirmed", TestForgery.body)
        observer.post("/evaluations")
        auditor = complete(app, application, clock, "auditor")
        found = auditor.get("/trail", params={"limit": 500}).json()
        seen = {(one["account"], one["action"], one["outcome"], one["object"]) for one in found["entries"]}
        assert ("officer", "change", "done", "POST /api/v1/indicators/air.pm25_mean/confirmed") in seen
        assert ("observer", "refused", "refused", "POST /api/v1/evaluations") in seen
        assert any(account == "officer" and action == "sign_in" for account, action, _, _ in seen)
        assert auditor.get("/trail/verify").json()["whole"] is True

    def test_the_workbook_holds_what_the_list_holds_and_no_formula(
        self, app: FastAPI, application: Application, clock: Clock
    ) -> None:
        accounts.set_disabled(application.identity, MAKER, EVERYTHING, "duty", True, reason="=HYPERLINK(1)")
        auditor = complete(app, application, clock, "auditor")
        book = openpyxl.load_workbook(io.BytesIO(auditor.get("/trail.xlsx").content))
        rows = list(book.active.iter_rows(values_only=True))
        assert rows[0][:3] == ("编号", "时间", "账户")
        assert all(cell.data_type != "f" for row in book.active.iter_rows() for cell in row)
        assert any("HYPERLINK" in str(row[7]) for row in rows)
        text = auditor.get("/trail.csv", params={"action": "account"}).content.decode("utf-8-sig")
        listed = auditor.get("/trail", params={"action": "account", "limit": 500}).json()["entries"]
        assert len(text.strip().splitlines()) == len(listed) + 1
        exports = auditor.get("/trail", params={"action": "export"}).json()["entries"]
        assert {one["object"] for one in exports} == {"trail.csv", "trail.xlsx"}

    def test_only_the_auditor_reads_it(self, app: FastAPI, application: Application, clock: Clock) -> None:
        for name in ("system", "security", "leader", "officer"):
            page = complete(app, application, clock, name)
            for path in ("/trail", "/trail.csv", "/trail.xlsx", "/trail/verify"):
                assert page.get(path).status_code == 403, (name, path)

    @pytest.mark.parametrize("attack", ["' OR 1=1 --", "%", "_", "\\", "x'; DROP TABLE trail; --", "\x00"])
    def test_filters_are_values(self, app: FastAPI, application: Application, clock: Clock, attack: str) -> None:
        auditor = complete(app, application, clock, "auditor")
        for name in ("account", "action"):
            answer = auditor.get("/trail", params={name: attack})
            assert answer.status_code == 200
            assert attack == "\x00" or answer.json()["entries"] == []
        assert auditor.get("/trail", params={"start": attack}).status_code == 422
        assert trail.verify(application.identity.engine) == []


class TestBeforeThereAreAccounts:
    def test_all_is_open_here_and_the_first_account_closes_it(self, empty: Application) -> None:
        app = create_application(empty)
        page = browser(app)
        meta = page.get("/meta").json()
        assert (meta["accounts"], meta["signed_in"]) == (False, False)
        me = page.get("/me").json()
        assert (me["accounts"], me["account"], me["places"]) == (False, None, None)
        assert "confirm" in me["rights"]
        assert page.get("/board").status_code == 200
        assert page.post("/indicators/air.pm25_mean/confirmed", TestForgery.body).status_code == 200
        # Another process, such as the command line, makes the first account: the open server notices.
        accounts.add(empty.identity, MAKER, "chief", name="某甲")
        assert page.get("/board").status_code == 401
        meta = page.get("/meta").json()
        assert (meta["accounts"], meta["signed_in"]) == (True, False)
        assert "plan" not in meta
        assert "revision" not in meta
        assert page.client.get("/healthz").status_code == 200
        assert page.client.get("/metrics").status_code == 401

    def test_a_foreign_host_is_refused_until_there_are_accounts_and_names(self, empty: Application) -> None:
        app = create_application(empty)
        for host in ("192.0.2.5:8212", "qinglan.example"):
            assert TestClient(app, base_url=f"http://{host}").get("/api/v1/meta").status_code == 403
        accounts.add(empty.identity, MAKER, "chief", name="某甲")
        empty.settings = empty.settings.model_copy(update={"names": ("qinglan.example",)})
        app = create_application(empty)
        for host, status in (("192.0.2.5:8212", 200), ("QINGLAN.example", 200), ("rebound.example", 403)):
            assert TestClient(app, base_url=f"http://{host}").get("/api/v1/meta").status_code == status, host


def test_a_first_sign_in_asks_for_a_new_password_and_then_goes_on(app: FastAPI, application: Application) -> None:
    identity = application.identity
    _, first = accounts.add(identity, MAKER, "newcomer", name="某丁", organisation="bureau")
    grants.grant(identity, MAKER, "newcomer", "observer")
    page = sign_in(app, "newcomer", first)
    answer = page.get("/board")
    assert (answer.status_code, answer.json()["step"]) == (403, "password")
    weak = page.post("/me/password", {"old": first, "password": "weak"})
    assert (weak.status_code, weak.json()["field"]) == (422, "password")
    answer = page.post("/me/password", {"old": first, "password": "Lachs-Fluss-2024"})
    assert answer.status_code == 200
    page.csrf = answer.json()["csrf"]
    assert answer.json()["step"] is None
    assert page.get("/board").status_code == 200


def test_signing_out_everywhere_leaves_this_browser_alone(app: FastAPI) -> None:
    pages = [sign_in(app, "leader") for _ in range(3)]
    assert pages[0].send("DELETE", "/me/sessions").json() == {"ended": 2}
    assert [page.get("/me").status_code for page in pages] == [200, 401, 401]


def test_the_pages_token_is_not_the_cookie(app: FastAPI) -> None:
    page = sign_in(app, "leader")
    secret = page.client.cookies["qinglan_session"]
    assert page.get("/me").json()["csrf"] == page.csrf == sessions.csrf(secret)
    assert secret not in json.dumps(page.get("/me").json())
    assert secret not in json.dumps(page.get("/me/sessions").json())
