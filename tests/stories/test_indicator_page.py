"""The indicator page: breaks of network, odds, what a running year may still show, and taking an entry back."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, Route, expect

from stories.guarded import Visits
from stories.running import Server

pytestmark = pytest.mark.browser
SECTIONS = "water.good_section_share"
FOREST = "ecology.forest_cover"
PHONE = {"viewport": {"width": 390, "height": 844}, "device_scale_factor": 2, "has_touch": True, "is_mobile": True}
# Lines of figures have the colours of their kinds: estimate, reported, confirmed.
DRAWN = """
(chart) => {
  const colours = ['#9a7b2d', '#3f76ad', '#2c6e49']
  const span = (one) => { const box = one.getBoundingClientRect(); return [box.left, box.right] }
  const paths = [...chart.querySelectorAll('svg path')]
  return {
    lines: paths.filter((one) => colours.includes(one.getAttribute('stroke')?.toLowerCase())).map(span),
    bands: paths.filter((one) => /110, ?120, ?135/.test(one.getAttribute('fill') ?? '')).map(span),
    words: [...chart.querySelectorAll('svg text')].map((one) => one.textContent).join(''),
  }
}
"""


def words(found: Locator) -> str:
    return " ".join(found.inner_text().split())


@pytest.fixture(scope="module")
def own_server(demo_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A copy of the demo city, for entries that no other story may meet."""
    home = tmp_path_factory.mktemp("own") / "home"
    shutil.copytree(demo_home, home, ignore=shutil.ignore_patterns("locks"))
    started = Server.start(home)
    yield started
    started.stop()


class TestAChangedNetwork:
    def test_no_line_goes_from_7_sections_to_11_and_the_break_is_named(
        self, visit: Visits, server: Server, pictures: Path
    ) -> None:
        found = server.get(f"/indicators/{SECTIONS}")
        years = {one["period"]: one for one in found["history"] if len(one["period"]) == 4}
        assert years["2020"]["text"] == "57.14"
        later = [one for period, one in years.items() if period > "2020"]
        assert {one["network"] for one in later} == {"national-sections-11"}
        assert years["2020"]["network"] == "national-sections-7"
        assert found["target"]["text"] == "90.9"

        page = visit().open(f"/indicators/{SECTIONS}")
        chart = page.get_by_test_id("history-chart")
        expect(chart.locator("svg text").first).to_be_visible()
        drawn = chart.evaluate(DRAWN)
        ((left, right),) = drawn["bands"]
        assert right - left > 20
        assert [line for line in drawn["lines"] if line[0] < right and line[1] > left] == []
        # There are figures on both sides, and those of the new network are joined.
        assert [line for line in drawn["lines"] if line[1] <= left]
        assert max(line[1] - line[0] for line in drawn["lines"] if line[0] >= right) > right - left
        assert "断点：监测网络变化" in drawn["words"]
        assert found["break"]["note"]["zh"] in words(page.get_by_test_id("state-line"))
        page.screenshot(path=pictures / "break-desktop-zh.png", full_page=True)

    def test_a_line_across_would_be_noticed(self, visit: Visits) -> None:
        """The same figures as if of one network: the chart then joins them."""
        visitor = visit()

        def one_network(route: Route) -> None:
            found: dict[str, Any] = route.fetch().json()
            for one in found["history"]:
                one |= {"network": "same", "method": "same", "basis": "same", "kind": "reported"}
            route.fulfill(json=found | {"breaks": []})

        visitor.page.route(f"**/api/v1/indicators/{SECTIONS}", one_network)
        page = visitor.open(f"/indicators/{SECTIONS}")
        chart = page.get_by_test_id("history-chart")
        expect(chart.locator("svg text").first).to_be_visible()
        drawn = chart.evaluate(DRAWN)
        assert drawn["bands"] == []
        assert "断点" not in drawn["words"]
        whole = max(line[1] - line[0] for line in drawn["lines"])
        first, last = min(line[0] for line in drawn["lines"]), max(line[1] for line in drawn["lines"])
        assert whole > (last - first) * 0.9


def enter(page: Page, year: str, value: str) -> None:
    page.get_by_test_id("enter-confirmed").click()
    for field, text in (("year", year), ("value", value), ("document", "某函〔2026〕9号")):
        page.get_by_test_id(f"entry-{field}").fill(text)
    page.locator(".el-dialog .el-date-editor input").fill("2026-03-01")
    page.locator(".el-dialog .el-date-editor input").press("Enter")
    page.get_by_test_id("entry-submit").click()


class TestTakingBack:
    def test_a_confirmed_value_is_withdrawn_with_a_reason_and_can_be_entered_again(
        self, visit: Visits, own_server: Server, pictures: Path
    ) -> None:
        page = visit(origin=own_server.origin).open(f"/indicators/{FOREST}")
        expect(page.get_by_test_id("history-row").first).to_be_visible()
        # The plan's own baseline is confirmed, but was not entered here.
        baseline = page.locator('[data-testid="history-row"][data-period="2020"][data-kind="confirmed"]')
        expect(baseline).to_have_count(1)
        expect(baseline.get_by_test_id("withdraw-confirmed")).to_have_count(0)
        enter(page, "2025", "36.71")
        row = page.locator('[data-testid="history-row"][data-period="2025"][data-kind="confirmed"]')
        expect(row).to_contain_text("36.71")

        row.get_by_test_id("withdraw-confirmed").click()
        expect(page.locator(".el-dialog__title")).to_have_text("撤回 2025 年认定值")
        page.get_by_test_id("withdraw-submit").click()
        expect(page.locator(".el-form-item__error")).to_contain_text("撤回原因")
        assert own_server.get(f"/indicators/{FOREST}")["confirmed"]["text"] == "36.71"
        page.get_by_test_id("withdraw-reason").fill("文号录错")
        page.screenshot(path=pictures / "withdraw-desktop-zh.png")
        page.get_by_test_id("withdraw-submit").click()
        expect(row).to_have_count(0)
        gone = page.locator('[data-testid="superseded-row"][data-how="withdrawn"]')
        expect(gone).to_contain_text("文号录错")
        expect(gone).to_contain_text("36.71")
        found = own_server.get(f"/indicators/{FOREST}")
        # Another story may have entered a figure of that year before, which this entry superseded.
        taken_back = [one for one in found["superseded"] if one["how"] == "withdrawn"]
        assert [(one["text"], one["reason"]) for one in taken_back] == [("36.71", "文号录错")]
        enter(page, "2025", "36.71")
        expect(row).to_contain_text("36.71")
        expect(gone).to_have_count(1)

    def test_an_issued_target_is_withdrawn(self, visit: Visits, own_server: Server) -> None:
        own = "air.pm25_mean"
        page = visit(origin=own_server.origin).open(f"/indicators/{own}")
        page.get_by_test_id("enter-target").click()
        for field, text in (("year", "2024"), ("value", "34"), ("document", "某函〔2024〕3号")):
            page.get_by_test_id(f"entry-{field}").fill(text)
        page.locator(".el-dialog .el-date-editor input").fill("2024-04-01")
        page.locator(".el-dialog .el-date-editor input").press("Enter")
        page.get_by_test_id("entry-submit").click()
        row = page.locator('[data-testid="target-row"][data-year="2024"]')
        expect(row).to_contain_text("某函〔2024〕3号")
        row.get_by_test_id("withdraw-target").click()
        expect(page.locator(".el-dialog__title")).to_have_text("撤回 2024 年下达目标")
        page.get_by_test_id("withdraw-reason").fill("未下达")
        page.get_by_test_id("withdraw-submit").click()
        expect(row).to_have_count(0)
        targets = own_server.get(f"/indicators/{own}")["targets"]
        assert [one for one in targets if one["year"] == 2024] == []

    def test_a_figure_far_off_the_citys_own_is_recorded_with_a_warning(
        self, visit: Visits, own_server: Server, pictures: Path
    ) -> None:
        own = "air.pm25_mean"
        page = visit(origin=own_server.origin).open(f"/indicators/{own}")
        estimate = own_server.get(f"/indicators/{own}")["estimate"]
        expect(page.get_by_test_id("state-line")).to_be_visible()
        enter(page, estimate["period"], f"{estimate['value'] * 3.5:.0f}")
        warning = page.get_by_test_id("entry-warning")
        expect(warning).to_contain_text("相差三倍以上")
        page.screenshot(path=pictures / "warning-desktop-zh.png")
        warning.get_by_role("button").click()
        expect(warning).to_have_count(0)
        assert own_server.get(f"/indicators/{own}")["confirmed"]["value"] == round(estimate["value"] * 3.5)


class TestWhatMayCome:
    """Odds need six yearly values of one network; what a year may still lose needs a target of that year."""

    DAY = "2025-06-30"

    def test_odds_stand_in_words_and_numbers_with_their_methods(
        self, visit: Visits, own_server: Server, pictures: Path
    ) -> None:
        for year, value in zip(range(2014, 2020), (35.9, 36.02, 36.1, 36.17, 36.25, 36.33), strict=True):
            entry = {
                "year": year,
                "value": value,
                "document": f"某公报〔{year}〕",
                "document_date": f"{year + 1}-05-01",
            }
            own_server.post(f"/indicators/{FOREST}/confirmed", entry)
        found = own_server.get(f"/indicators/{FOREST}", as_of=self.DAY)["odds"]
        assert found["refused"] is None
        page = visit(origin=own_server.origin).open(f"/indicators/{FOREST}?as_of={self.DAY}")
        panel = page.get_by_test_id("odds")
        expect(panel.get_by_test_id("odds-probability")).to_contain_text(found["text"])
        chance = found["probability"]
        words_of = ((0.9, "把握很大"), (2 / 3, "把握较大"), (1 / 3, "难以断定"), (0.1, "把握较小"), (0, "把握很小"))
        assert panel.get_by_test_id("odds-word").inner_text() == next(
            word for least, word in words_of if chance >= least
        )
        low, high = found["spread"]["text"].split("—")
        assert f"{low} 至 {high}" in words(panel.get_by_test_id("odds-spread"))
        rows = [[words(cell) for cell in row.locator("td").all()] for row in panel.get_by_test_id("odds-method").all()]
        assert [(title, text) for title, _, text in rows] == [
            (one["title"]["zh"], one["text"]) for one in found["methods"]
        ]
        assert len(rows) == 3
        assert f"{found['from']} 年起的 {found['points_used']} 个年度值" in words(panel)
        page.screenshot(path=pictures / "odds-desktop-zh.png", full_page=True)

        board = {card["id"]: card for card in own_server.get("/board", as_of=self.DAY)["indicators"]}
        assert board[FOREST]["odds"]["text"] == found["text"]
        page.goto(f"{own_server.origin}/?as_of={self.DAY}")
        cell = page.locator(f'[data-testid="indicator-row"][data-id="{FOREST}"]').get_by_test_id("indicator-odds")
        expect(cell).to_contain_text(found["text"])
        other = page.locator(f'[data-testid="indicator-row"][data-id="{SECTIONS}"]').get_by_test_id("indicator-odds")
        assert words(other) == "—"
        page.screenshot(path=pictures / "board-odds-desktop-zh.png", full_page=True)

    def test_where_none_are_given_the_reason_is(self, visit: Visits, server: Server) -> None:
        found = server.get(f"/indicators/{SECTIONS}", as_of=self.DAY)["odds"]
        page = visit().open(f"/indicators/{SECTIONS}?as_of={self.DAY}")
        expect(page.get_by_test_id("odds-refused")).to_contain_text(found["refused"]["zh"])
        expect(page.get_by_test_id("odds-probability")).to_have_count(0)
        assert "2021 年起的 4 个年度值" in words(page.get_by_test_id("odds-refused"))

    def test_there_is_no_column_of_odds_once_the_target_year_is_over(self, visit: Visits, server: Server) -> None:
        assert not any(card["odds"] for card in server.get("/board")["indicators"])
        page = visit().open("/")
        expect(page.get_by_test_id("indicator-row")).to_have_count(18)
        expect(page.get_by_test_id("indicator-odds")).to_have_count(0)

    def test_a_running_year_says_what_it_may_still_lose(
        self, visit: Visits, own_server: Server, pictures: Path
    ) -> None:
        own = "air.good_day_ratio"
        target = {"year": 2025, "value": 80, "document": "某函〔2025〕2号", "document_date": "2025-03-01"}
        own_server.post(f"/indicators/{own}/targets", target)
        own_server.finish(own_server.post("/evaluations", {"as_of": self.DAY, "indicators": [own]})["job"])
        found = own_server.get(f"/indicators/{own}", as_of=self.DAY)["in_year"]
        assert found["days_left"] == 184
        page = visit(origin=own_server.origin, **PHONE).open(f"/indicators/{own}?as_of={self.DAY}")
        panel = page.get_by_test_id("in-year")
        expect(panel).to_contain_text("184 天")
        expect(panel.get_by_test_id("may-lose")).to_have_text(f"{found['may_lose']['text']} 天")
        expect(panel).to_contain_text(found["note"]["zh"])
        page.screenshot(path=pictures / "in-year-phone-zh.png", full_page=True)
