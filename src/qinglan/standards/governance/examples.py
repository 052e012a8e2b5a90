"""Runs the examples of the governance declarations through the evaluators that users call."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from qinglan.standards.governance.incident import incident_grade
from qinglan.standards.governance.other_tax import noise_tax, solid_tax
from qinglan.standards.governance.tables import Credit, HeavyPollution, Incident, Tax
from qinglan.standards.governance.tax import pollution_tax
from qinglan.standards.governance.warning import heavy_pollution_level


def tax_answer(tax: Tax, given: dict[str, Any]) -> float:
    """Return the tax of one outlet and month, of one kind of solid waste, or of one point's noise."""
    if "solid" in given:
        return float(solid_tax(pl.DataFrame([{"site": "example"} | given["solid"]]), tax.id)["tax"].sum())
    if "noise" in given:
        rows = [
            {"site": "example", "point": "1", "period": period, "exceedance": float(over), "days": days}
            for period, (over, days) in given["noise"].items()
        ]
        return float(noise_tax(pl.DataFrame(rows), tax.id)["tax"].sum())
    medium = "air" if "air" in given else "water"
    amounts: dict[str, float] = given[medium]
    outlet = pl.DataFrame(
        {
            "site": "example",
            "outlet": "1",
            "medium": medium,
            "factor": list(amounts),
            "date": tax.in_force.start,
            "value": [float(value) for value in amounts.values()],
        }
    )
    taxes = pollution_tax(outlet, rates={medium: given["rate"]}, edition=tax.id)["tax"].drop_nulls()
    return float(sum(Decimal(str(value)) for value in taxes))


def heavy_answer(rule: HeavyPollution, given: dict[str, Any]) -> str:
    """Return the level of one value that lasts some hours."""
    hours, first = given["hours"], date(2025, 1, 1)
    parts = [24] * (hours // 24) + ([hours % 24] if hours % 24 else [])
    days = pl.DataFrame(
        {
            "site": "example",
            "date": [first + timedelta(days=number) for number in range(len(parts))],
            "aqi": given["aqi"],
            "hours": parts,
        }
    )
    found = heavy_pollution_level(days, rule.id)["level_id"].to_list()
    return found[0] if found else "none"


def credit_answer(rule: Credit, given: dict[str, Any]) -> str:
    """Return the grade's word of an enterprise that has the same score everywhere, with its vetoes."""
    from qinglan.standards.governance.credit import credit_grade

    lacking = [number for number, (_, weight) in rule.indicators.items() if weight is None]
    weights = dict.fromkeys(lacking, 3.0) | {lacking[0]: 5.0}
    scores = pl.DataFrame({"site": "example", "indicator": list(rule.indicators), "score": float(given["score"])})
    conditions = [*given.get("vetoes", []), *([0] if given.get("ordinary_incident") else [])]
    vetoes = pl.DataFrame({"site": ["example"] * len(conditions), "condition": conditions}) if conditions else None
    return str(credit_grade(scores, vetoes, weights, rule.id)["word"].item())


def incident_answer(rule: Incident, given: dict[str, Any]) -> str:
    """Return the grade's word of one incident."""
    return str(incident_grade(pl.DataFrame([{"site": "example"} | given]), rule.id)["word"].item())
