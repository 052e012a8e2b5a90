"""Runs the examples of the air declarations through the evaluators that users call."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl

from qinglan.standards.air.composite import composite_index
from qinglan.standards.air.index import daily_aqi_from_days, item_index
from qinglan.standards.air.pollutants import safe
from qinglan.standards.air.tables import TENTHS, Evaluation, Index, Ranking, decimals

_DAY_FACTOR = {"O3/8h": "O3", "O3/1h": "O3_1h"}


def index_answer(index: Index, given: dict[str, float]) -> dict[str, Any]:
    """Return ``{iaqi}`` for one item (and its stand-in), ``{aqi, primary}`` for a day of several."""
    import narwhals as nw

    item = next(iter(given))
    if len(given) == 1 or item.endswith("/1h"):
        rounded = {safe(f"t {name}"): [_tenths(name, value)] for name, value in given.items()}
        frame = nw.from_native(pl.DataFrame(rounded).lazy())
        columns = {name: f"t {name}" for name in given}
        found = frame.select(item_index(index, item, columns).alias("iaqi")).collect()
        return {"iaqi": found["iaqi"][0]}
    days = pl.DataFrame(
        {
            "site": "example",
            "factor": [_DAY_FACTOR.get(name, name.split("/")[0]) for name in given],
            "date": index.in_force.start,
            "value": [float(value) for value in given.values()],
        }
    )
    aqi, primary = daily_aqi_from_days(days, edition=index.id).select("aqi", "primary").row(0)
    return {"aqi": aqi, "primary": primary}


def _tenths(item: str, value: float) -> int:
    from qinglan.core.rounding import half_even

    return int(half_even(value, decimals(item)) * TENTHS)


def evaluation_answer(evaluation: Evaluation, given: dict[str, Any]) -> float:
    """Return a percentile of the whole numbers ``first`` to ``last``, as one site's daily values."""
    from qinglan.standards.air.annual import annual_evaluation

    values = range(given["values"]["first"], given["values"]["last"] + 1)
    factor = {95: "PM2.5", 98: "SO2", 90: "O3"}[given["percentile"]]
    first = date(2021, 1, 1)
    days = pl.DataFrame(
        {
            "site": "example",
            "factor": factor,
            "date": [first + timedelta(days=number) for number in range(len(values))],
            "value": [float(value) for value in values],
        }
    )
    edition = "2012" if evaluation.edition == "2013" else "2026-transition"
    found = annual_evaluation(days, edition=edition).filter(pl.col("statistic") == f"p{given['percentile']}")
    return float(found.filter(pl.col("factor") == factor)["value"].item())


def ranking_answer(ranking: Ranking, given: dict[str, Any]) -> float:
    """Return the composite index of one city's period statistics, rounded as the rule says."""
    on = given["date"]
    values = {name: float(value) for name, value in given.items() if name != "date"}
    frame = pl.DataFrame({"site": "example", "factor": list(values), "value": list(values.values())})
    return float(composite_index(frame, on)["rounded"].item())
