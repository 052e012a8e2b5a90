"""Runs the examples of the safe-use rates through the evaluators that users call."""

from __future__ import annotations

from typing import Any

import polars as pl

from qinglan.standards.soil.rates import construction_safe_use_rate, farmland_safe_use_rate


def rate(given: dict[str, Any]) -> float:
    """Return the rounded rate of the areas given."""
    frame = pl.DataFrame({name: [float(area)] for name, area in given.items()})
    evaluate = construction_safe_use_rate if "key_area" in given else farmland_safe_use_rate
    return float(evaluate(frame)["rounded"].item())
