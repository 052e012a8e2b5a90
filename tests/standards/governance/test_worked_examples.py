"""The worked examples of the facts folder that concern governance, through the functions that users call."""

from __future__ import annotations

import csv
import re
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from qinglan.standards import governance
from qinglan.standards.governance.tables import FOLDER, credits_of, heavy_pollution, incidents, taxes

pytestmark = pytest.mark.golden


def rows(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "standards" / name).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.fixture(scope="module")
def examples(shared: Path) -> dict[str, dict[str, str]]:
    return {row["id"]: row for row in rows(shared, "worked_examples.csv")}


def outlet(medium: str, amounts: dict[str, float]) -> pl.DataFrame:
    values = [float(value) for value in amounts.values()]
    return pl.DataFrame(
        {
            "site": "a",
            "outlet": "1",
            "medium": medium,
            "factor": list(amounts),
            "date": date(2025, 6, 1),
            "value": values,
        }
    )


def test_air(examples: dict[str, dict[str, str]]) -> None:
    row = examples["TAX-1"]
    found = re.findall(r"(SO2|fluoride|CO|HCl) (\d+) kg", row["input"])
    amounts = {{"fluoride": "氟化物"}.get(name, name): float(value) for name, value in found}
    assert len(amounts) == 4
    tax = governance.pollution_tax(outlet("air", amounts), rates={"air": 1.2})
    by_name = dict(zip(tax["factor"], tax["tax"], strict=True))
    total, fluoride, sulphur, monoxide = map(float, re.findall(r"\d+\.\d+", row["expected"]))
    assert (by_name["氟化物"], by_name["SO2"], by_name["CO"], by_name["HCl"]) == (fluoride, sulphur, monoxide, 0.0)
    assert round(sum(by_name.values()), 2) == total


def test_livestock(examples: dict[str, dict[str, str]]) -> None:
    head = float(re.findall(r"(\d+) dairy cows", examples["TAX-2"]["input"])[0])
    tax = governance.pollution_tax(outlet("water", {"牛": head}), rates={"water": 2.8})
    assert tax["tax"].item() == float(examples["TAX-2"]["expected"])


def test_tailings(examples: dict[str, dict[str, str]]) -> None:
    generated, recovered, stored = map(float, re.findall(r"(\d+) t", examples["TAX-3"]["input"]))
    waste = pl.DataFrame(
        {
            "site": "a",
            "kind": "tailings",
            "generated": [generated],
            "stored": [stored],
            "disposed": [0.0],
            "recovered": [recovered],
        }
    )
    assert governance.solid_tax(waste)["tax"].item() == float(examples["TAX-3"]["expected"])


def test_noise(examples: dict[str, dict[str, str]]) -> None:
    day, days, night, nights = map(
        float, re.findall(r"over (\d+) dB \D+(\d+) days, over (\d+) dB \D+(\d+) days", examples["TAX-4"]["input"])[0]
    )
    noise = pl.DataFrame(
        {"site": "a", "point": "1", "period": ["day", "night"], "exceedance": [day, night], "days": [days, nights]}
    )
    assert governance.noise_tax(noise)["tax"].sum() == float(examples["TAX-4"]["expected"])


@pytest.mark.parametrize("identifier", ["HPW-1", "HPW-2", "HPW-3"])
def test_heavy_pollution(examples: dict[str, dict[str, str]], identifier: str) -> None:
    row = examples[identifier]
    aqi, hours = map(int, re.findall(r"AQI (\d+) for (\d+) h", row["input"])[0])
    parts = [24] * (hours // 24) + [hours % 24]
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(len(parts))]
    frame = pl.DataFrame({"site": "a", "date": days, "aqi": aqi, "hours": parts})
    edition = re.findall(r"\d{4}", row["topic"])[0]
    assert governance.heavy_pollution_level(frame, edition)["level_id"].to_list() == [row["expected"]]


def test_equivalents_and_amounts_equal_the_facts(shared: Path) -> None:
    (tax,) = taxes()
    facts = rows(shared, "governance/env_tax_equivalents.csv")
    assert [(e.medium, e.group, e.pollutant, e.equivalent, e.check) for e in tax.equivalents] == [
        (row["medium"], row["group"], row["pollutant"], Decimal(row["equivalent_value"]), row["check"]) for row in facts
    ]
    assert len(facts) == 123
    for row in rows(shared, "governance/env_tax_rates.csv"):
        assert tax.amount_of[row["item"]] == (Decimal(row["amount_min"]), Decimal(row["amount_max"]))


def test_provincial_rates_equal_the_facts(shared: Path) -> None:
    (tax,) = taxes()
    for row in rows(shared, "governance/env_tax_province_rates.csv"):
        highest = {
            medium: max(float(r.rate) for r in tax.rates(row["province"]) if r.medium == medium)
            for medium in ("air", "water")
        }
        assert highest["air"] == float(row["air_CNY_per_equiv"])
        general = [float(r.rate) for r in tax.rates(row["province"]) if r.medium == "water" and not r.pollutants]
        assert general == [float(row["water_CNY_per_equiv"])]
        assert {str(r.start) for r in tax.rates(row["province"])} == {row["valid_from"]}


def test_heavy_pollution_terms_equal_the_facts(shared: Path) -> None:
    facts = rows(shared, "governance/heavy_pollution_warning_terms.csv")
    for edition in heavy_pollution():
        wanted = [
            (row["level"], int(row["alternative"]), int(row["aqi_above"]), int(row["hours_at_least"]), row["check"])
            for row in facts
            if row["rule_version"] == edition.edition
        ]
        assert [(t.level, t.alternative, t.aqi, t.hours, t.check) for t in edition.terms] == wanted
        assert wanted


def test_credit_tables_equal_the_facts(shared: Path) -> None:
    (rule,) = credits_of()
    for row in rows(shared, "governance/credit_indicators.csv"):
        title, weight = rule.indicators[int(row["no"])]
        assert (title, weight) == (row["indicator"], float(row["weight_percent"]) if row["weight_percent"] else None)
    assert {number: title.en for number, title in rule.conditions.items()} == {
        int(row["no"]): row["condition"] for row in rows(shared, "governance/credit_veto.csv")
    }
    assert rule.lacking


def test_incident_criteria_equal_the_facts(shared: Path) -> None:
    facts = rows(shared, "governance/incident_levels.csv")
    for rule in incidents():
        wanted = [
            (row["level"], row["criterion"], row["at_least"], row["below"], row["check"])
            for row in facts
            if row["version"] == rule.edition
        ]
        got = [
            (
                c.level,
                c.criterion,
                "" if c.at_least is None else str(c.at_least),
                "" if c.below is None else str(c.below),
                c.check,
            )
            for c in rule.criteria
        ]
        assert got == wanted
    assert (FOLDER / "incident-2014.csv").is_file()
