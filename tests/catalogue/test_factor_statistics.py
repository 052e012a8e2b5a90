"""The statistics that monitors send of a factor are factors of their own, with a name and a unit."""

from __future__ import annotations

import pytest

from qinglan.catalogue import factors
from qinglan.gateways.hj212.codec.observing import STATISTICS


@pytest.mark.parametrize(
    ("text", "of", "zh", "unit"),
    [
        ("w01018-min", "w01018", "化学需氧量最小值", "mg/L"),
        ("w01018-max", "w01018", "化学需氧量最大值", "mg/L"),
        # HJ 212-2017 annex B prints kg as the unit of an emission of COD.
        ("w01018-cou", "w01018", "化学需氧量累计值", "kg"),
        ("a21026-zs", "a21026", "二氧化硫折算值", "ug/m3"),
        ("a21026-zs-max", "a21026", "二氧化硫折算最大值", "ug/m3"),
    ],
)
def test_a_statistic_has_the_factor_its_name_and_unit(text: str, of: str, zh: str, unit: str) -> None:
    found = factors.get(text)
    assert (found.id, found.of, found.title.zh, found.unit) == (text, of, zh, unit)
    assert found.title.en.startswith(factors.get(of).title.en)


def test_every_statistic_that_the_gateway_writes_has_a_name() -> None:
    for statistic in {one for one in STATISTICS.values() if one}:
        assert factors.find(f"w01018-{statistic}") is not None


@pytest.mark.parametrize("text", ["w01018-mean", "-min", "nothing-min"])
def test_what_is_no_statistic_of_a_factor_is_none(text: str) -> None:
    assert factors.find(text) is None


def test_published_running_means_stay_what_they_are() -> None:
    assert factors.get("a05024-8h-24h").title.zh == "臭氧日最大8小时平均"
