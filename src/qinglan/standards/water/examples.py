"""Runs the examples of the water declarations through the evaluators that users call."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl

from qinglan.core.rounding import half_even
from qinglan.standards.water.item_classes import item_class
from qinglan.standards.water.sections import section_class
from qinglan.standards.water.tables import (
    BlackOdorous,
    Discharge,
    EcologicalFlow,
    Trophic,
    WaterClasses,
    WaterEvaluation,
    WaterRanking,
)


def one_sample(given: dict[str, Any]) -> pl.DataFrame:
    """Return an example's concentrations as one tidy sample."""
    return pl.DataFrame(
        {"site": "example", "factor": list(given), "time": "example", "value": [str(value) for value in given.values()]}
    )


def class_answer(edition: WaterClasses, given: dict[str, Any]) -> Any:
    """Return an item's class; for items of tables 2 and 3, whether the limit is met."""
    limit = edition.specific_limits.get(given["item"])
    if limit is not None:
        from qinglan.standards.water.sources import source_tests

        tests = source_tests(one_sample({given["item"]: given["value"]}), edition=edition.id)
        return tests["meets"].item()
    found = item_class(one_sample({given["item"]: given["value"]}), given.get("kind"), edition=edition.id)
    return found["water_class"].item()


def evaluation_answer(method: WaterEvaluation, given: dict[str, Any]) -> Any:
    """Return a section's class, word and main pollutants, or a basin's word for its shares."""
    if "shares" in given:
        from qinglan.standards.water.basins import word_for

        return word_for(method, given["shares"]["good"], given["shares"]["bad"])
    values = {name: value for name, value in given.items() if name != "kind"}
    found = section_class(one_sample(values), given["kind"])
    return found.select("water_class", "word", "main_pollutants").row(0, named=True)


def trophic_answer(rules: Trophic, given: dict[str, Any]) -> dict[str, Any]:
    """Return the index, to three decimals, and the grade of an example's values or item indices."""
    from qinglan.standards.water.trophic import trophic_from_indices, trophic_index

    if "indices" in given:
        columns = {f"tli_{item}": [float(value)] for item, value in given["indices"].items()}
        found = trophic_from_indices(pl.DataFrame({"site": "example", "time": "example"} | columns))
    else:
        found = trophic_index(one_sample(given["values"]))
    tli, grade = found.select("tli", "grade").row(0)
    return {"tli": float(half_even(tli, 3)), "grade": grade}


def ranking_answer(_: WaterRanking, given: dict[str, Any]) -> float:
    """Return one city's index, of the items that the example names."""
    from qinglan.standards.water.ranking import city_index

    sample = one_sample({item: given[item] for item in given["items"]}).with_columns(city=pl.lit("example"))
    return float(city_index(sample, given["kind"], items=given["items"])["rounded"].item())


def discharge_answer(law: Discharge, given: dict[str, Any]) -> Any:
    """Return whether an example's one concentration meets the limit of its class."""
    from qinglan.standards.water.discharge import discharge_verdict

    values = {name: value for name, value in given.items() if name != "grade"}
    found = discharge_verdict(one_sample(values), given["grade"], edition=law.id)
    return found["meets"].item()


def black_odorous_answer(_: BlackOdorous, given: dict[str, Any]) -> str:
    """Return the grade of one point whose samplings the example lists by item."""
    from qinglan.standards.water.black_odorous import black_odorous_points

    columns = {item: [float(value) for value in values] for item, values in given.items()}
    times = list(range(len(next(iter(columns.values())))))
    frame = pl.DataFrame({"water": "example", "site": "example", "time": times} | columns)
    return str(black_odorous_points(frame)["grade"].item())


def flow_answer(_: EcologicalFlow, given: dict[str, Any]) -> float:
    """Return the share of years that keep one month's target."""
    from qinglan.standards.water.flow import flow_satisfaction

    month = given["month"]
    days = [date(int(year), month, 1) for year in given["flows"]]
    flows = pl.DataFrame({"site": "example", "time": days, "value": [float(flow) for flow in given["flows"].values()]})
    targets = pl.DataFrame({"site": ["example"], "month": [month], "target": [float(given["target"])]})
    return float(flow_satisfaction(flows, targets).filter(month=month)["rate"].item())
