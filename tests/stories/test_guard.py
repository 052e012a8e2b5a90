"""The guard of all stories notices what it is there for."""

from __future__ import annotations

import pytest

from stories.guarded import Guard, Visits

pytestmark = pytest.mark.browser
ELSEWHERE = "http://127.0.0.2:9/elsewhere.png"
_ASK = """(address) => new Promise((done) => {
  const image = new Image()
  image.onload = image.onerror = () => done(true)
  image.src = address
})"""


def test_a_request_to_another_host_is_noticed_and_not_sent(visit: Visits) -> None:
    visitor = visit(bypass_csp=True)
    page = visitor.open("/")
    page.evaluate(_ASK, ELSEWHERE)
    assert visitor.guard.wrongs()[0] == f"asked another host: {ELSEWHERE}"
    # Noticed, as it should be: the end of this test need not notice it again.
    visitor.guard.foreign.clear()
    visitor.guard.expected.append("net::ERR_FAILED")


def test_another_port_of_the_same_machine_is_another_host() -> None:
    guard = Guard("http://127.0.0.1:8212")
    assert guard.is_own("http://127.0.0.1:8212/api/v1/board?as_of=2024-01-01")
    assert guard.is_own("data:image/png;base64,AAAA")
    assert not guard.is_own("http://127.0.0.1:8213/")
    assert not guard.is_own("https://127.0.0.1:8212/")
    assert not guard.is_own("http://127.0.0.1:8212.example/")


def test_a_breach_of_the_policy_is_noticed(visit: Visits) -> None:
    visitor = visit()
    page = visitor.open("/")
    with page.expect_console_message(lambda message: "policy violated: img-src" in message.text):
        page.evaluate(_ASK, ELSEWHERE)
    assert any("policy violated: img-src" in wrong for wrong in visitor.guard.wrongs())
    visitor.guard.expected.append("policy violated: img-src|violates the following Content Security Policy")
    visitor.guard.foreign.clear()


def test_an_error_of_a_script_and_one_on_the_console_are_noticed(visit: Visits) -> None:
    visitor = visit()
    page = visitor.open("/")
    with visitor.page.context.expect_event("weberror"):
        page.evaluate("setTimeout(() => { throw new Error('thrown here') })")
    with page.expect_console_message():
        page.evaluate("console.error('said here')")
    wrongs = " ".join(visitor.guard.wrongs())
    assert "thrown here" in wrongs
    assert "said here" in wrongs
    visitor.guard.expected += ["thrown here", "said here"]
