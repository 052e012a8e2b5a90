"""Runs the examples of the groundwater declarations through the evaluators that users call."""

from __future__ import annotations

from typing import Any

import polars as pl

from qinglan.standards.groundwater.wells import f_score, well_class


def _frame(given: dict[str, float]) -> pl.DataFrame:
    values = [float(value) for value in given.values()]
    return pl.DataFrame({"site": "example", "factor": list(given), "value": values})


def class_answer(given: dict[str, float]) -> dict[str, Any]:
    """Return the class of one sample."""
    return {"class": well_class(_frame(given))["water_class"].item()}


def score_answer(given: dict[str, float]) -> dict[str, Any]:
    """Return the rounded score and its word."""
    f, word = f_score(_frame(given)).select("rounded", "word").row(0)
    return {"f": f, "word": word}
