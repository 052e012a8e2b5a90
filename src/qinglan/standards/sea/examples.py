"""Runs the examples of the sea declarations through the evaluators that users call."""

from __future__ import annotations

from typing import Any

import polars as pl

from qinglan.standards.sea.points import point_class
from qinglan.standards.sea.shares import grade_words


def class_answer(given: dict[str, float]) -> dict[str, Any]:
    """Return the class and the index E of one sample."""
    frame = pl.DataFrame(
        {"site": "example", "factor": list(given), "value": [float(value) for value in given.values()]}
    )
    water_class, index = point_class(frame).select("water_class", "e_rounded").row(0)
    return {"class": water_class, "e": index}


def grade_answer(given: dict[str, float]) -> str:
    """Return the word for the shares of an area."""
    return str(grade_words(pl.DataFrame({name: [float(share)] for name, share in given.items()}))["word"].item())
