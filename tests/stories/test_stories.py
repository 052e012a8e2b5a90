"""What officers do from page to page; every number that a page shows is the API's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from stories.guarded import Visits
from stories.running import Server

pytestmark = pytest.mark.browser
PM = "air.pm25_mean"
MINE = "story-01"
GOOD = ((1, "35"), (2, "36"), (3, "41.5"), (4, "38"))
ROWS = [f"{MINE},2025-05-01 {hour:02d}:00,{value}" for hour, value in GOOD]
# Six values: four can be read; one is no number, one has no time.
TABLE = "\n".join(["site,time,PM2.5", *ROWS, f"{MINE},2025-05-01 05:00,abc", f"{MINE},someday,40"]) + "\n"


def words(found: Locator) -> str:
    """What a reader reads, with single spaces."""
    return " ".join(found.inner_text().split())


def row_of(page: Page, card: dict[str, Any]) -> Locator:
    return page.locator(f'[data-testid="indicator-row"][data-id="{card["id"]}"]')


def assert_card(row: Locator, card: dict[str, Any]) -> None:
    """Compare a line of the board with the API's card."""
    assert row.get_attribute("data-state") == card["state"]
    assert card["state_title"]["zh"] in words(row)
    value = words(row.get_by_test_id("indicator-value"))
    if card["latest"] is None:
        assert "无数据" in value
    else:
        assert row.get_by_test_id("indicator-value").locator("b").inner_text() == card["latest"]["text"]
        assert card["latest"]["period"] in value
    if card["target"]["status"] == "awaiting":
        assert "待省下达" in words(row.get_by_test_id("indicator-target"))
    else:
        assert card["target"]["text"] in words(row.get_by_test_id("indicator-target"))
    if card["gap"] is not None:
        assert card["gap"]["text"] in words(row)
    if card["baseline"]["value"] is not None:
        assert card["baseline"]["text"] in words(row)


class TestFromTheBoardToTheMeasurements:
    @pytest.mark.parametrize("as_of", ["", "2023-06-30"])
    def test_the_board_shows_the_18_indicators_of_the_api(self, visit: Visits, server: Server, as_of: str) -> None:
        page = visit().open(f"/?as_of={as_of}" if as_of else "/")
        expect(page.get_by_test_id("indicator-row")).to_have_count(18)
        board = server.get("/board", as_of=as_of) if as_of else server.get("/board")
        for card in board["indicators"]:
            assert_card(row_of(page, card), card)
        shown = page.get_by_test_id("state-chip").all()
        counts = {chip.get_attribute("data-state"): int(chip.locator("b").inner_text()) for chip in shown}
        assert counts.pop("all") == 18
        counts.pop("confirmed", None)
        assert counts == board["summary"]
        expect(page.get_by_test_id("simulated-banner")).to_be_visible()

    def test_an_indicator_opens_to_its_lineage_and_that_to_its_series(self, visit: Visits, server: Server) -> None:
        page = visit().open("/")
        row_of(page, {"id": PM}).click()
        expect(page.get_by_test_id("lineage-series").first).to_be_visible()
        found = server.get(f"/indicators/{PM}")
        assert urlsplit(page.url).path == f"/indicators/{PM}"
        line = page.get_by_test_id("state-line")
        assert line.get_attribute("data-state") == found["state"]
        assert line.get_by_test_id("indicator-value").inner_text() == found["latest"]["text"]
        gap = "—" if found["gap"] is None else found["gap"]["text"]
        assert f"与目标的差距? {gap}" in words(line)
        assert_history(page, found)
        assert_lineage(page, found)
        link = page.get_by_test_id("lineage-series").first
        site = link.get_attribute("data-site")
        link.click()
        expect(page.get_by_test_id("series-point").first).to_be_visible()
        query = dict(parse_qsl(urlsplit(page.url).query))
        assert query["site"] == site
        assert_series(page, server.get("/series/data", **query))

    def test_the_series_can_be_taken_away_as_a_file(self, visit: Visits, server: Server) -> None:
        query = {"site": "211400-01", "factor": "a34004", "grain": "hour", "basis": "audited"}
        listed = [one for one in server.get("/series", site=query["site"], factor="a34004") if one["grain"] == "hour"]
        query["basis"] = listed[0]["basis"]
        span = {"start": "2025-03-01", "end": "2025-03-02"}
        page = visit().open("/series?" + "&".join(f"{name}={word}" for name, word in {**query, **span}.items()))
        expect(page.get_by_test_id("series-point").first).to_be_visible()
        found = server.get("/series/data", **query, **span)
        assert found["expected"] == 48
        with page.expect_download() as started:
            page.get_by_test_id("series-export").click()
        lines = started.value.path().read_text("utf-8-sig").splitlines()
        data = [line for line in lines if re.match(r"\d{4}-", line)]
        assert len(data) == found["present"]


def assert_history(page: Page, found: dict[str, Any]) -> None:
    """Compare the table of years with the API."""
    rows = page.get_by_test_id("history-row").all()
    shown = sorted((row.get_attribute("data-period"), row.get_attribute("data-kind"), words(row)) for row in rows)
    expected = sorted((one["period"], one["kind"], one["text"]) for one in found["history"])
    assert [one[:2] for one in shown] == [one[:2] for one in expected]
    for (*_, text), (*_, number) in zip(shown, expected, strict=True):
        assert f" {number} " in text
    targets = page.get_by_test_id("target-row").all()
    assert [int(row.get_attribute("data-year") or 0) for row in targets] == [one["year"] for one in found["targets"]]


def assert_lineage(page: Page, found: dict[str, Any]) -> None:
    """Compare where the newest number comes from with the API."""
    newest = max(one["period"] for one in found["lineage"])
    (lineage,) = [one for one in found["lineage"] if one["period"] == newest]
    panel = words(page.get_by_test_id("lineage"))
    assert lineage["edition"] in panel
    assert lineage["clause"] in panel
    assert f"{lineage['counts']['valid']:,} / {lineage['counts']['expected']:,}" in panel
    links = page.get_by_test_id("lineage-series").all()
    shown = [(link.get_attribute("data-site"), link.get_attribute("data-factor")) for link in links]
    assert shown == [(one["site"], one["factor"]) for one in lineage["series"]]
    assert shown
    for link, one in zip(links, lineage["series"], strict=True):
        assert f"{one['rows']:,}" in words(link.locator("xpath=ancestor::tr"))


def assert_series(page: Page, found: dict[str, Any]) -> None:
    """Compare the counts and the first points of a series with the API."""
    counts = words(page.get_by_test_id("series-capture"))
    for name in ("expected", "present", "valid"):
        assert f"{found[name]:,}" in counts
    shown = page.get_by_test_id("series-point").all()
    assert len(shown) == min(24, len(found["points"]))
    for cell, point in zip(shown, found["points"], strict=False):
        assert cell.get_attribute("data-time") == point[0]
        value = cell.get_attribute("data-value")
        assert (float(value) if value else None) == point[1]


def choose(page: Page, field: str, option: str) -> None:
    page.get_by_test_id(field).click()
    page.locator(".el-select-dropdown__item:visible", has_text=option).click()


def hand_in(page: Page, name: str) -> None:
    page.get_by_test_id("import-file").set_input_files(
        files=[{"name": name, "mimeType": "text/csv", "buffer": TABLE.encode()}]
    )
    expect(page.get_by_test_id("import-chosen")).to_have_count(1)


def counts_shown(page: Page) -> dict[str, int]:
    names = ("read", "added", "repeated", "revised", "rejected", "empty")
    return {name: int(page.get_by_test_id(f"import-count-{name}").get_attribute("data-value") or -1) for name in names}


class Held:
    """Answers questions about an import as while it ran, until the page has shown that it runs."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._running: dict[str, Any] = {}
        self._asked: list[Route] = []
        page.route(re.compile(r"/api/v1/imports/[^/?]+$"), self._answer)

    def release(self, started: dict[str, Any]) -> None:
        progress = {"done": 1, "total": 2, "message": {"zh": "正在读取第一半", "en": "reading the first half"}}
        self._running = {**started, "state": "running", "progress": progress}
        for route in self._asked:
            route.fulfill(json=self._running)
        expect(self._page.get_by_test_id("import-progress")).to_contain_text("正在读取第一半")
        expect(self._page.get_by_test_id("import-progress")).to_contain_text("50%")
        self._page.unroute_all(behavior="wait")

    def _answer(self, route: Route) -> None:
        if self._running:
            route.fulfill(json=self._running)
        else:
            self._asked.append(route)


def test_a_file_is_imported_with_its_rejects_and_a_second_time_adds_nothing(
    visit: Visits, server: Server, pictures: Path
) -> None:
    visitor = visit()
    page = visitor.open("/imports")
    # Hours without their stamp: refused beside the field, nothing is begun.
    visitor.guard.expected.append("status of 422")
    before = [one["id"] for one in server.get("/imports")]
    hand_in(page, "五月.csv")
    page.get_by_test_id("import-submit").click()
    expect(page.locator(".el-form-item__error")).to_contain_text("五月.csv")
    assert "小时时标" in page.locator(".el-form-item", has=page.locator(".el-form-item__error")).inner_text()
    assert [one["id"] for one in server.get("/imports")] == before

    choose(page, "import-stamp", "记在时段开始")
    choose(page, "import-basis", "审核")
    held = Held(page)
    with page.expect_response(lambda answer: answer.request.method == "POST") as posted:
        page.get_by_test_id("import-submit").click()
    held.release(posted.value.json())
    expect(page.locator('[data-testid="import-detail"] [data-testid="import-state"]')).to_have_attribute(
        "data-state", "done"
    )
    identifier = page.get_by_test_id("import-detail").get_attribute("data-id")
    found = server.get(f"/imports/{identifier}")
    assert counts_shown(page) == {"read": 6, "added": 4, "repeated": 0, "revised": 0, "rejected": 2, "empty": 0}
    assert counts_shown(page) == {name: found["counts"][name] for name in counts_shown(page)}
    expect(page.get_by_test_id("reject-row")).to_have_count(2)
    rejects = server.get(f"/imports/{identifier}/rejects")["rows"]
    shown = [[words(cell) for cell in row.locator("td").all()] for row in page.get_by_test_id("reject-row").all()]
    assert shown == [[one["file"], str(one["row"]), one["field"], one["value"], one["zh"]] for one in rejects]
    assert [cells[1] for cells in shown] == ["6", "7"]
    page.screenshot(path=pictures / "imported-desktop-zh.png", full_page=True)

    points = server.get("/series/data", site=MINE, factor="a34004", grain="hour", basis="audited")["points"]
    assert [point[1] for point in points] == [float(value) for _, value in GOOD]
    hand_in(page, "五月.csv")
    page.get_by_test_id("import-submit").click()
    expect(page.get_by_test_id("import-detail")).not_to_have_attribute("data-id", str(identifier))
    expect(page.get_by_test_id("import-count-repeated")).to_have_attribute("data-value", "4")
    assert counts_shown(page) == {"read": 6, "added": 0, "repeated": 4, "revised": 0, "rejected": 2, "empty": 0}


def test_the_water_feed_is_imported_with_its_empty_cells_counted(visit: Visits, server: Server) -> None:
    titles = ["省份", "流域", "断面名称", "监测时间", "水质类别", "氨氮<br/>(mg/L)", "总磷<br/>(mg/L)", "站点情况"]
    rows = [
        ["丙省", "丁流域", "故事桥", "01-02 08:00", "Ⅱ", "0.31", "0.08", "正常"],
        ["丙省", "丁流域", "故事桥", "01-02 12:00", "Ⅱ", "0.29", "--", "正常"],
    ]
    feed = json.dumps({"thead": titles, "tbody": rows}, ensure_ascii=False)
    page = visit().open("/imports")
    page.get_by_test_id("import-file").set_input_files(
        files=[{"name": "feed_2021-01-02.json", "mimeType": "application/json", "buffer": feed.encode()}]
    )
    choose(page, "import-layout", "国家地表水自动站数据")
    expect(page.get_by_test_id("import-medium")).to_contain_text("水")
    page.get_by_test_id("import-submit").click()
    detail = page.get_by_test_id("import-detail")
    expect(detail.get_by_test_id("import-state")).to_have_attribute("data-state", "done")
    identifier = detail.get_attribute("data-id")
    counts = server.get(f"/imports/{identifier}")["counts"]
    shown = counts_shown(page)
    assert shown == {name: counts[name] for name in shown}
    assert shown["empty"] > 0
    assert shown["read"] == sum(shown.values()) - shown["read"]
    row = page.locator(f'[data-testid="import-row"][data-id="{identifier}"]')
    assert [words(cell) for cell in row.locator("td").all()][3:9] == [f"{shown[name]:,}" for name in shown]


def rgb(colour: str) -> str:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgb({red}, {green}, {blue})"


class TestCalendar:
    def test_days_and_colours_are_those_of_the_api_and_its_legend(self, visit: Visits, server: Server) -> None:
        page = visit().open("/air/calendar?year=2025")
        expect(page.get_by_test_id("calendar-day")).to_have_count(365)
        found = server.get("/air/calendar", year=2025)
        summary = words(page.get_by_test_id("calendar-summary"))
        assert found["summary"]["valid"] > 300
        assert f"优良天数 {found['summary']['good']} 天 {found['summary']['share_good']['text']}%" in summary
        assert f"{found['summary']['valid']} / {found['summary']['calendar']} 天" in summary
        cells = page.get_by_test_id("calendar-day").evaluate_all(
            "cells => cells.map(({dataset: {date, aqi, level}}, place) => "
            "[date, aqi, level, getComputedStyle(cells[place]).backgroundColor])"
        )
        legend = {one["level"]: rgb(one["colour"]) for one in found["legend"]}
        by_date = {day["date"]: day for day in found["days"]}
        assert {date for date, *_ in cells} == set(by_date)
        for date, aqi, level, ground in cells:
            day = by_date[date]
            assert aqi == ("" if day["aqi"] is None else str(day["aqi"]))
            assert level == ("" if day["level"] is None else str(day["level"]))
            if day["aqi"] is not None:
                assert ground == legend[day["level"]], date
            else:
                assert ground not in legend.values(), date
        boxes = page.locator(".legend .box:not(.none)").evaluate_all(
            "boxes => boxes.map(box => [Number(box.textContent), getComputedStyle(box).backgroundColor])"
        )
        assert dict(boxes) == legend

    def test_a_day_opens_by_keyboard(self, visit: Visits, server: Server) -> None:
        page = visit().open("/air/calendar?year=2025")
        expect(page.get_by_test_id("calendar-day")).to_have_count(365)
        page.get_by_test_id("calendar-year").locator("input").focus()
        for _ in range(20):
            page.keyboard.press("Tab")
            date = page.evaluate("document.activeElement.dataset.date")
            if date:
                break
        assert date == "2025-01-01"
        # Arrow keys go by day and week, Page keys by month; Tab leaves the year at once.
        for key, reached in (("ArrowDown", "01-08"), ("PageDown", "02-08"), ("End", "02-28"), ("ArrowRight", "03-01")):
            page.keyboard.press(key)
            assert page.evaluate("document.activeElement.dataset.date") == f"2025-{reached}"
        for key in ("PageUp", "PageUp", "ArrowRight"):
            page.keyboard.press(key)
        assert page.get_by_test_id("calendar-day").and_(page.locator('[tabindex="0"]')).count() == 1
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("calendar-detail").locator("h2")).to_have_text("2025-01-02")
        (day,) = [one for one in server.get("/air/calendar", year=2025)["days"] if one["date"] == "2025-01-02"]
        detail = words(page.get_by_test_id("calendar-detail"))
        assert f"AQI {day['aqi']}" in detail
        for value in day["values"].values():
            assert value["text"] in detail

    def test_it_shows_what_was_known_on_the_day_asked_about(self, visit: Visits, server: Server) -> None:
        page = visit().open("/air/calendar?year=2025&as_of=2025-07-31")
        expect(page.get_by_test_id("calendar-day")).to_have_count(365)
        then, now = server.get("/air/calendar", year=2025, as_of="2025-07-31"), server.get("/air/calendar", year=2025)
        assert then["summary"] != now["summary"]
        assert f"优良天数 {then['summary']['good']} 天" in words(page.get_by_test_id("calendar-summary"))


class TestEntries:
    """What an officer enters from a document."""

    ID = "ecology.forest_cover"

    def fill(self, page: Page, year: str, value: str, document: str, day: str) -> None:
        for field, text in (("year", year), ("value", value), ("document", document)):
            page.get_by_test_id(f"entry-{field}").fill(text)
        page.locator(".el-dialog .el-date-editor input").fill(day)
        page.locator(".el-dialog .el-date-editor input").press("Enter")
        page.get_by_test_id("entry-submit").click()

    def test_a_refusal_stands_beside_its_field(self, visit: Visits, server: Server, pictures: Path) -> None:
        visitor = visit()
        visitor.guard.expected.append("status of 422")
        page = visitor.open(f"/indicators/{self.ID}")
        page.get_by_test_id("enter-confirmed").click()
        expect(page.locator(".el-dialog__title")).to_have_text("登记认定值")
        before = server.get(f"/indicators/{self.ID}")
        self.fill(page, "2031", "36.6", "某函〔2026〕1号", "2026-03-01")
        wrong = page.locator(".el-form-item", has=page.locator(".el-form-item__error"))
        expect(wrong).to_have_count(1)
        assert "年份" in words(wrong)
        page.screenshot(path=pictures / "refused-desktop-zh.png")
        assert "2031" in words(wrong.locator(".el-form-item__error"))
        assert server.get(f"/indicators/{self.ID}") == before

    def test_a_confirmed_value_is_shown_with_its_document_and_not_as_the_provinces(
        self, visit: Visits, server: Server
    ) -> None:
        page = visit().open(f"/indicators/{self.ID}")
        page.get_by_test_id("enter-confirmed").click()
        self.fill(page, "2025", "36.71", "某函〔2026〕1号", "2026-03-01")
        expect(page.get_by_test_id("compare-confirmed")).to_have_text("36.71")
        found = server.get(f"/indicators/{self.ID}")
        assert (found["latest"]["text"], found["shown_kind"]) == ("36.71", "confirmed")
        line = words(page.get_by_test_id("state-line"))
        assert "认定值" in line
        assert "某函〔2026〕1号" in line
        page.get_by_role("link", name="规划看板").first.click()
        row = row_of(page, found)
        expect(row).to_contain_text("36.71")
        assert "某函〔2026〕1号" in words(row)
        assert "省认定" not in words(page.locator("body"))
