"""What holds of every page: both languages, a phone, paper, an address that is wrong, a server that is gone."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Response, expect

from stories.guarded import Visitor, Visits
from stories.running import Server

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
# Page → address, and what stands there once it is ready.
PAGES = {
    "board": ("/", '[data-testid="indicator-row"]'),
    "indicator": ("/indicators/air.good_day_ratio", '[data-testid="lineage-series"]'),
    "reported": ("/indicators/water.good_section_share", '[data-testid="history-row"]'),
    "map": ("/map", '[data-testid="map-row"]'),
    "series": ("/series?site=211400-01&factor=a34004&grain=hour", '[data-testid="series-point"]'),
    "calendar": ("/air/calendar?year=2025", '[data-testid="calendar-day"][data-level="1"]'),
    "imports": ("/imports", '[data-testid="import-submit"]'),
    "missing": ("/nowhere", '[data-testid="not-found"]'),
}
EVERY = pytest.mark.parametrize("name", PAGES)
HAN = re.compile(r"[\u4e00-\u9fff]")


def opened(visitor: Visitor, name: str, more: str = "") -> Page:
    address, ready = PAGES[name]
    page = visitor.open(address + (("&" if "?" in address else "?") + more if more else ""))
    expect(page.locator(ready).first).to_be_visible()
    # The city's name comes with the server's first answer, the fonts after it.
    expect(page.locator("header .city")).to_be_visible()
    page.evaluate("document.fonts.ready.then(() => true)")
    return page


def sideways(page: Page) -> list[str]:
    """What reaches beyond the window, outside of tables that scroll by themselves."""
    found: list[str] = page.evaluate(
        """() => {
          const width = document.documentElement.clientWidth
          if (document.documentElement.scrollWidth <= width) return []
          const beyond = [...document.querySelectorAll('body *')].filter((one) =>
            one.getBoundingClientRect().right > width + 1 && !one.closest('.scroll-x'))
          const some = beyond.slice(0, 5).map((one) => one.outerHTML.slice(0, 120))
          return [`${document.documentElement.scrollWidth} > ${width}`, ...some]
        }"""
    )
    return found


@EVERY
@pytest.mark.parametrize("language", ["zh", "en"])
def test_it_fits_a_phone(visit: Visits, pictures: Path, name: str, language: str) -> None:
    page = opened(visit(**PHONE), name, f"lang={language}")
    page.screenshot(path=pictures / f"{name}-phone-{language}.png", full_page=True)
    assert page.evaluate("document.documentElement.clientWidth") == 390
    assert sideways(page) == []


def test_what_reaches_beyond_a_phone_is_noticed(visit: Visits) -> None:
    page = opened(visit(**PHONE), "missing")
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<div style=\"width: 600px\">x</div>')"
    )
    assert sideways(page) != []


@EVERY
def test_it_reads_in_both_languages_on_a_desk(visit: Visits, pictures: Path, name: str) -> None:
    page = opened(visit(), name)
    page.screenshot(path=pictures / f"{name}-desktop-zh.png", full_page=True)
    assert sideways(page) == []
    assert page.evaluate("document.documentElement.lang") == "zh-CN"
    assert HAN.search(page.title())
    page.get_by_test_id("language-switch").click()
    expect(page.locator("nav a").first).to_have_text("Plan board")
    assert page.evaluate("document.documentElement.lang") == "en"
    assert not HAN.search(page.title())
    shown = page.locator("h1, h2, th, dt, label, .label, .el-button, .chip").all_inner_texts()
    assert [text for text in shown if HAN.search(text)] == []
    page.screenshot(path=pictures / f"{name}-desktop-en.png", full_page=True)
    page.reload()
    expect(page.locator("nav a").first).to_have_text("Plan board")


@EVERY
def test_its_first_load_stays_below_a_megabyte_compressed(visit: Visits, name: str) -> None:
    visitor = visit()
    answers: list[Response] = []

    def keep(answer: Response) -> None:
        answers.append(answer)

    visitor.page.on("response", keep)
    opened(visitor, name)
    weights = [len(gzip.compress(answer.body())) for answer in answers]
    assert len(weights) > 3
    assert 50_000 < sum(weights) < 1_000_000, weights


def test_numbers_are_the_same_in_english(visit: Visits, server: Server) -> None:
    page = opened(visit(), "board", "lang=en")
    for card in server.get("/board")["indicators"]:
        row = page.locator(f'[data-testid="indicator-row"][data-id="{card["id"]}"]')
        text = " ".join(row.inner_text().split())
        assert card["title"]["en"] in text
        assert card["latest"]["text"] in text


@EVERY
def test_it_prints(visit: Visits, pictures: Path, server: Server, name: str) -> None:
    page = opened(visit(), name)
    page.emulate_media(media="print")
    expect(page.locator("header")).to_be_hidden()
    expect(page.locator(".only-print.head")).to_contain_text("截至")
    expect(page.locator(".only-print.head")).to_be_visible()
    assert page.locator("input:visible, textarea:visible, .el-button:visible").count() == 0
    assert page.pdf(path=pictures / f"{name}.pdf", prefer_css_page_size=True).startswith(b"%PDF-")
    if name == "board":
        assert page.get_by_test_id("indicator-row").locator("visible=true").count() == 18


def test_a_wrong_address_says_so_and_leads_back(visit: Visits) -> None:
    page = opened(visit(), "missing")
    expect(page.get_by_test_id("not-found")).to_contain_text("没有这个页面")
    page.get_by_test_id("not-found").get_by_role("link").click()
    expect(page.get_by_test_id("indicator-row")).to_have_count(18)


def test_an_unknown_indicator_is_said_in_the_servers_words(visit: Visits) -> None:
    visitor = visit()
    visitor.guard.expected.append("status of 404")
    page = visitor.open("/indicators/air.phlogiston")
    expect(page.get_by_test_id("load-problem")).to_contain_text("air.phlogiston")


def test_every_state_of_a_day_has_words_and_a_sign(visit: Visits, server: Server) -> None:
    met = set()
    for day in ("2020-06-30", "2021-06-30", "2022-06-30", "2024-06-30"):
        page = opened(visit(), "board", f"as_of={day}")
        for card in server.get("/board", as_of=day)["indicators"]:
            row = page.locator(f'[data-testid="indicator-row"][data-id="{card["id"]}"]')
            mark = row.locator(".standing .state")
            assert card["state_title"]["zh"] in mark.inner_text()
            assert mark.locator("path").get_attribute("d")
            colour = mark.evaluate("one => getComputedStyle(one).color")
            assert colour != page.locator("body").evaluate("one => getComputedStyle(one).color"), card["state"]
            met.add(card["state"])
    assert "no_pace" in met


def test_a_server_that_stopped_is_said_with_a_way_to_go_on(visit: Visits, demo_home: Path, pictures: Path) -> None:
    own = Server.start(demo_home)
    try:
        visitor = visit(origin=own.origin)
        visitor.guard.expected += [
            "net::ERR_CONNECTION_REFUSED",
            "Failed to fetch dynamically imported module|Unable to preload CSS",
        ]
        page = opened(visitor, "board")
        own.stop()
        # The page's own script is not there yet either.
        page.get_by_role("link", name="数据导入").first.click()
        expect(page.get_by_test_id("load-problem")).to_contain_text("连不上服务器")
        page.screenshot(path=pictures / "stopped-desktop-zh.png")
        page.get_by_test_id("retry").click()
        expect(page.get_by_test_id("load-problem")).to_be_visible()
        own = Server.start(demo_home, own.port)
        page.get_by_test_id("retry").click()
        expect(page.get_by_test_id("import-submit")).to_be_visible()
        # A page whose script is there, but whose answer does not come.
        page.get_by_role("link", name="规划看板").first.click()
        expect(page.get_by_test_id("indicator-row")).to_have_count(18)
        own.stop()
        page.get_by_role("link", name="数据导入").first.click()
        expect(page.get_by_test_id("load-problem").first).to_contain_text("连不上服务器")
        own = Server.start(demo_home, own.port)
        page.get_by_test_id("retry").first.click()
        expect(page.get_by_test_id("load-problem")).to_have_count(0)
    finally:
        own.stop()
