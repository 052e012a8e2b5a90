"""Why nothing is acknowledged, and that each cause ends by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from qinglan.gateways.hj212 import health as module
from qinglan.gateways.hj212.health import ClockWatch, Health, look_at_clock, look_at_space


class Clocks:
    def __init__(self) -> None:
        self.wall, self.steady = 1_000_000.0, 50.0

    def go(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds


def watched() -> tuple[Clocks, ClockWatch, Health]:
    clocks = Clocks()
    watch = ClockWatch(wall=lambda: clocks.wall, steady=lambda: clocks.steady, most=30, settled=60)
    return clocks, watch, Health()


@pytest.mark.parametrize("jump", [3600.0, -3600.0, 31.0])
def test_a_clock_that_jumps_stops_the_answers_until_it_is_back(jump: float) -> None:
    clocks, watch, health = watched()
    look_at_clock(health, watch)
    assert health.well
    clocks.go(1)
    clocks.wall += jump
    look_at_clock(health, watch)
    assert health.ailments.keys() == {"clock"}
    assert f"{abs(jump):.0f} s" in health.ailments["clock"].en
    clocks.wall -= jump
    clocks.go(1)
    look_at_clock(health, watch)
    assert health.well


def test_a_clock_that_was_set_right_is_believed_after_a_minute_of_going_evenly() -> None:
    clocks, watch, health = watched()
    clocks.wall += 86_400
    look_at_clock(health, watch)
    assert not health.well
    for _ in range(59):
        clocks.go(1)
        look_at_clock(health, watch)
    assert not health.well
    # Another jump begins the minute anew.
    clocks.wall += 40
    for _ in range(59):
        look_at_clock(health, watch)
        clocks.go(1)
    assert not health.well
    clocks.go(2)
    look_at_clock(health, watch)
    assert health.well


def test_a_clock_that_is_slewed_is_followed() -> None:
    clocks, watch, health = watched()
    for _ in range(200):
        clocks.go(1)
        clocks.wall += 0.5
        look_at_clock(health, watch)
        assert health.well


def test_a_disk_with_little_room_stops_the_answers(tmp_path: Path) -> None:
    health = Health()
    look_at_space(health, tmp_path, 1)
    assert health.well
    look_at_space(health, tmp_path, 1 << 62)
    assert health.ailments.keys() == {"space"}
    look_at_space(health, tmp_path, 1)
    assert health.well


def test_a_cause_is_logged_when_it_begins_and_when_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    class Log:
        def error(self, event: str, **fields: object) -> None:
            said.append(f"{event} {fields['en']}")

        def warning(self, event: str, **fields: object) -> None:
            said.append(f"{event} {fields['acknowledging']}")

    monkeypatch.setattr(module, "log", Log())
    health = Health()
    for _ in range(3):
        health.fails("lake", "只读。", "Read-only.")
    health.fails("space", "已满。", "Full.")
    health.cured("lake")
    health.cured("lake")
    health.cured("space")
    assert said == [
        "acknowledging_stopped Read-only.",
        "acknowledging_stopped Full.",
        "cause_cured False",
        "cause_cured True",
    ]
