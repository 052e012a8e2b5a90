"""The map: points by class, drawn without any tiles; what it shows is the API's answer."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from stories.guarded import Visits
from stories.running import Server

pytestmark = pytest.mark.browser
MEDIA = ("surface-water", "air", "sea", "groundwater", "drinking-source", "noise")
# A point has a letter in its middle: its colour is read above it.
ABOVE = 8
ALONE = 36
COLOUR_AT = """
(map, [x, y]) => {
  const canvas = map.querySelector('.ol-layer canvas')
  const scale = canvas.width / map.clientWidth
  const place = [Math.round(x * scale), Math.round(y * scale)]
  const [red, green, blue] = canvas.getContext('2d').getImageData(...place, 1, 1).data
  return '#' + [red, green, blue].map((one) => one.toString(16).padStart(2, '0')).join('')
}
"""


def words(found: Locator) -> str:
    return " ".join(found.inner_text().split())


def opened(page: Page) -> Page:
    expect(page.get_by_test_id("map-row").first).to_be_visible()
    expect(page.get_by_test_id("map")).to_have_attribute("data-extent", re.compile(r"^[\d.,-]+$"))
    return page


def northing(latitude: float) -> float:
    return math.log(math.tan(math.pi / 4 + math.radians(latitude) / 2))


def pixel(page: Page, longitude: float, latitude: float) -> tuple[float, float]:
    """Where a place lies on the map, in its own pixels: reckoned here, not asked of the page."""
    west, south, east, north = extent(page)
    box = page.get_by_test_id("map").evaluate("map => [map.clientWidth, map.clientHeight]")
    x = (longitude - west) / (east - west) * box[0]
    y = (northing(north) - northing(latitude)) / (northing(north) - northing(south)) * box[1]
    return x, y


def extent(page: Page) -> tuple[float, ...]:
    return tuple(float(one) for one in (page.get_by_test_id("map").get_attribute("data-extent") or "").split(","))


def alone(page: Page, points: list[dict[str, Any]]) -> list[tuple[dict[str, Any], float, float]]:
    """The points that no other comes near to."""
    places = [(one, *pixel(page, one["longitude"], one["latitude"])) for one in points if one["longitude"] is not None]
    return [
        (one, x, y)
        for one, x, y in places
        if all(other is one or math.hypot(x - left, y - top) > ALONE for other, left, top in places)
    ]


class TestWhatItShows:
    @pytest.mark.parametrize("medium", MEDIA)
    def test_points_classes_and_counts_are_the_apis(
        self, visit: Visits, server: Server, pictures: Path, medium: str
    ) -> None:
        found = server.get("/map", medium=medium)
        page = opened(visit().open(f"/map?medium={medium}"))
        rows = page.get_by_test_id("map-row").all()
        shown = {row.get_attribute("data-site"): (row.get_attribute("data-class"), words(row)) for row in rows}
        assert set(shown) == {point["site"] for point in found["points"]}
        assert len(rows) == len(found["points"]) > 0
        for point in found["points"]:
            number, text = shown[point["site"]]
            assert number == ("" if point["class"] is None else str(point["class"]))
            assert point["title"]["zh"] in text
            assert point["word"]["zh"] in text
            assert (point["main_pollutants"] or "") in text
        ranks = [int(row.get_attribute("data-class") or -1) for row in rows]
        assert ranks == sorted(ranks, reverse=True)

        legend = page.get_by_test_id("map-class").all()
        assert [one.get_attribute("data-class") for one in legend] == [
            "" if one["class"] is None else str(one["class"]) for one in found["legend"]
        ]
        for entry, one in zip(legend, found["legend"], strict=True):
            of = sum(point["class"] == one["class"] for point in found["points"])
            assert words(entry).endswith(f"{one['title']['zh']} {of}")
        signs = [words(one.locator(".sign")) for one in legend]
        assert len(set(signs)) == len(signs), "a class is told by its sign, not by its colour alone"

        tabs = {tab.get_attribute("data-id"): words(tab) for tab in page.get_by_test_id("map-medium").all()}
        assert tabs == {one["id"]: f"{one['title']['zh']} {one['points']}" for one in found["media"]}
        expect(page.get_by_role("tab", selected=True)).to_have_attribute("data-id", medium)
        assert found["period"]["text"]["zh"] in words(page.get_by_test_id("map-period"))
        assert f"截至 {found['as_of'][:10]}" in words(page.get_by_test_id("map-period"))
        assert found["note"]["zh"] in words(page.get_by_test_id("map-note"))
        expect(page.get_by_test_id("simulated-banner")).to_be_visible()
        page.screenshot(path=pictures / f"map-{medium}-desktop-zh.png", full_page=True)

    @pytest.mark.parametrize("medium", ["surface-water", "sea"])
    def test_a_point_lies_at_its_place_in_its_colour(self, visit: Visits, server: Server, medium: str) -> None:
        found = server.get("/map", medium=medium)
        page = opened(visit().open(f"/map?medium={medium}"))
        page.wait_for_timeout(300)
        apart = [(one, x, y) for one, x, y in alone(page, found["points"]) if one["class"] is not None]
        assert len(apart) >= 4
        for point, x, y in apart:
            assert page.get_by_test_id("map").evaluate(COLOUR_AT, [x, y - ABOVE]) == point["colour"].lower()
            # A ring's width beyond the mark is none of it.
            assert page.get_by_test_id("map").evaluate(COLOUR_AT, [x, y + 20]) != point["colour"].lower()

    def test_the_card_is_the_points_answer_and_leads_to_its_series(self, visit: Visits, server: Server) -> None:
        found = server.get("/map")
        page = opened(visit().open("/map"))
        expect(page.get_by_test_id("map-card")).to_have_count(0)
        worst = max(found["points"], key=lambda one: (one["class"] or 0, len(one["factors"])))
        for point in (found["points"][0], worst):
            page.locator(f'[data-testid="map-row"][data-site="{point["site"]}"]').click()
            card = page.get_by_test_id("map-card")
            expect(card).to_have_attribute("data-site", point["site"])
            text = words(card)
            texts = [point["title"]["zh"], point["place_title"]["zh"], point["word"]["zh"], point["edition"]]
            texts += [point["clause"], point["missing"], point["main_pollutants"]]
            texts += [title["zh"] for title in [*point["role_titles"], point["network"], point["note"]] if title]
            for expected in texts:
                assert (expected or "") in text
            factors = {one.get_attribute("data-factor"): words(one) for one in card.get_by_test_id("map-factor").all()}
            assert set(factors) == {one["factor"] for one in point["factors"]}
            for one in point["factors"]:
                assert factors[one["factor"]].startswith(f"{one['title']['zh']} {one['text']}")
        assert worst["factors"]
        page.get_by_test_id("map-factor").first.get_by_role("link").click()
        expect(page.get_by_test_id("series-point").first).to_be_visible()
        assert f"site={worst['site']}" in page.url
        page.go_back()
        expect(page.get_by_test_id("map-card")).to_have_attribute("data-site", worst["site"])
        page.get_by_test_id("map-series").click()
        expect(page.get_by_test_id("series-point").first).to_be_visible()

    def test_it_shows_what_was_known_on_the_day_asked_about(self, visit: Visits, server: Server) -> None:
        then, now = server.get("/map", as_of="2020-08-15"), server.get("/map")
        assert (then["period"], len(then["points"])) != (now["period"], len(now["points"]))
        page = opened(visit().open("/map?as_of=2020-08-15"))
        assert then["period"]["text"]["zh"] in words(page.get_by_test_id("map-period"))
        expect(page.get_by_test_id("map-row")).to_have_count(len(then["points"]))

    def test_without_data_points_stand_without_verdict_and_say_so(
        self, visit: Visits, server: Server, pictures: Path
    ) -> None:
        found = server.get("/map", as_of="2019-06-30")
        assert found["period"] is None
        page = opened(visit().open("/map?as_of=2019-06-30"))
        expect(page.get_by_test_id("map-empty")).to_contain_text("没有数据")
        shown = {row.get_attribute("data-class") for row in page.get_by_test_id("map-row").all()}
        assert shown == {""}
        page.screenshot(path=pictures / "map-empty-desktop-zh.png", full_page=True)

    def test_an_unknown_medium_is_refused_in_the_servers_words(self, visit: Visits) -> None:
        visitor = visit()
        visitor.guard.expected.append("status of 422")
        page = visitor.open("/map?medium=phlogiston")
        expect(page.get_by_test_id("load-problem")).to_contain_text("phlogiston")


class TestHowItIsUsed:
    def test_a_point_that_is_clicked_opens_and_an_empty_place_closes(self, visit: Visits, server: Server) -> None:
        found = server.get("/map")
        page = opened(visit().open("/map"))
        point, x, y = alone(page, found["points"])[0]
        page.get_by_test_id("map").click(position={"x": x, "y": y})
        expect(page.get_by_test_id("map-card")).to_have_attribute("data-site", point["site"])
        row = page.locator(f'[data-testid="map-row"][data-site="{point["site"]}"]')
        expect(row).to_have_attribute("aria-pressed", "true")
        expect(row).to_be_in_viewport()
        assert f"site={point['site']}" in page.url
        page.get_by_test_id("map").click(position={"x": 20, "y": 250})
        expect(page.get_by_test_id("map-card")).to_have_count(0)

    def test_a_row_brings_its_point_into_sight(self, visit: Visits, server: Server) -> None:
        found = server.get("/map")
        page = opened(visit().open("/map"))
        west = min(found["points"], key=lambda one: one["longitude"])
        east = max(found["points"], key=lambda one: one["longitude"])
        page.locator(f'[data-testid="map-row"][data-site="{west["site"]}"]').click()
        for _ in range(4):
            page.get_by_title("放大").click()
            page.wait_for_timeout(400)
        before = extent(page)
        page.locator(f'[data-testid="map-row"][data-site="{east["site"]}"]').click()
        page.wait_for_timeout(600)
        shown = extent(page)
        assert shown != before
        assert shown[0] < east["longitude"] < shown[2]
        assert shown[1] < east["latitude"] < shown[3]
        page.get_by_test_id("map-whole").click()
        page.wait_for_timeout(600)
        whole = extent(page)
        for point in found["points"]:
            assert whole[0] < point["longitude"] < whole[2]
            assert whole[1] < point["latitude"] < whole[3]

    def test_all_is_reached_by_keyboard(self, visit: Visits, server: Server) -> None:
        found = server.get("/map", medium="air")
        page = opened(visit().open("/map"))
        page.get_by_role("tab", selected=True).focus()
        page.keyboard.press("ArrowRight")
        expect(page.get_by_role("tab", selected=True)).to_have_attribute("data-id", "air")
        expect(page.get_by_test_id("map-row")).to_have_count(len(found["points"]))
        expect(page.get_by_role("tab", selected=True)).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_test_id("map")).to_be_focused()
        before = extent(page)
        page.keyboard.press("+")
        page.wait_for_timeout(600)
        assert extent(page)[2] - extent(page)[0] < before[2] - before[0]
        page.get_by_test_id("map-row").first.focus()
        page.keyboard.press("ArrowDown")
        second = page.get_by_test_id("map-row").nth(1)
        expect(second).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("map-card")).to_have_attribute("data-site", second.get_attribute("data-site") or "?")

    def test_it_is_printed_with_legend_day_and_a_place_for_the_approval_number(
        self, visit: Visits, server: Server, pictures: Path
    ) -> None:
        found = server.get("/map")
        page = opened(visit().open("/map"))
        page.emulate_media(media="print")
        for mark in ("map", "map-legend", "map-note", "map-period", "map-list"):
            expect(page.get_by_test_id(mark)).to_be_visible()
        expect(page.get_by_text("审图号：", exact=False).first).to_be_visible()
        expect(page.get_by_test_id("map-whole")).to_be_hidden()
        expect(page.get_by_text("两指", exact=False)).to_be_hidden()
        rows = page.get_by_test_id("map-row")
        assert rows.locator("visible=true").count() == len(found["points"])
        assert page.pdf(path=pictures / "map-printed.pdf", prefer_css_page_size=True).startswith(b"%PDF-")

    def test_a_phone_has_the_list_below_the_map_and_the_card_between(self, visit: Visits, pictures: Path) -> None:
        phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
        page = opened(visit(**phone).open("/map"))
        page.get_by_test_id("map-row").first.tap()
        expect(page.get_by_test_id("map-card")).to_be_in_viewport()
        tops = [
            page.get_by_test_id(mark).evaluate("one => one.getBoundingClientRect().top")
            for mark in ("map", "map-card", "map-list")
        ]
        assert tops == sorted(tops)
        page.screenshot(path=pictures / "map-card-phone-zh.png", full_page=True)
