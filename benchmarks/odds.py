"""Are the odds of a target true? Three simulated truths, 600 series each, one and three years ahead.

``python -m benchmarks.odds``. The calibration error is the mean distance between the odds given and the share of
series that then met their target, over ten classes of odds, weighted by how many series lie in each. Results go to
benchmarks/results/odds.json with a reliability table; the run fails when the error is above its limit.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import harness
from qinglan.science.attainment import odds

SERIES = 600
SEED = 20261123
LIMITS = {1: 0.06, 3: 0.10}
CLASSES = 10
Array = NDArray[np.float64]


def trend_and_noise(length: int, draw: np.random.Generator) -> Array:
    """Return a straight line with independent noise of a spread of its own."""
    noise = draw.normal(0, 1, length) * draw.uniform(0.5, 3)
    return draw.normal(0, 0.5) * np.arange(length) + noise


def walk_with_drift(length: int, draw: np.random.Generator) -> Array:
    """Each year moves on from the last."""
    return np.cumsum(draw.normal(draw.normal(0, 0.3), 1, length))


def autoregressive(length: int, draw: np.random.Generator) -> Array:
    """Return a level to which the figure comes back: AR(1) with a coefficient between 0.3 and 0.9."""
    kept, before = draw.uniform(0.3, 0.9), 50
    moves = draw.normal(0, 1, length + before)
    values = np.zeros(length + before)
    for year in range(1, length + before):
        values[year] = kept * values[year - 1] + moves[year]
    return values[before:]


TRUTHS: dict[str, Callable[[int, np.random.Generator], Array]] = {
    "trend and noise": trend_and_noise,
    "random walk with drift": walk_with_drift,
    "AR(1)": autoregressive,
}


def foretold(truth: Callable[[int, np.random.Generator], Array], ahead: int, seed: int) -> tuple[Array, Array]:
    """Return the odds given for each series and whether its target was met.

    Series are 8 to 20 years long; the target lies about the last value, as far off as the series moves.
    """
    draw = np.random.default_rng(seed)
    given, met = [], []
    for number in range(SERIES):
        known = int(draw.integers(8, 21))
        values = truth(known + ahead, draw)
        moves = float(np.std(np.diff(values[:known]))) * ahead**0.5
        target = float(values[known - 1] + draw.normal(0, 1.5) * moves)
        found = odds(values[:known].tolist(), range(known), target, known - 1 + ahead, "<=", seed=number)
        given.append(found.odds)
        met.append(values[-1] <= target)
    return np.array(given), np.array(met, dtype=np.float64)


def reliability(given: Array, met: Array) -> list[dict[str, Any]]:
    """Return, for each class of odds, how many series, their mean odds and the share that met the target."""
    of = np.minimum((given * CLASSES).astype(int), CLASSES - 1)
    return [
        {
            "odds": f"{number / CLASSES:.1f}–{(number + 1) / CLASSES:.1f}",
            "series": int((of == number).sum()),
            "mean_odds": round(float(given[of == number].mean()), 3),
            "met": round(float(met[of == number].mean()), 3),
        }
        for number in range(CLASSES)
        if np.any(of == number)
    ]


def calibration_error(given: Array, met: Array) -> float:
    """Return the mean distance between odds and outcome over the classes."""
    of = np.minimum((given * CLASSES).astype(int), CLASSES - 1)
    apart = sum(abs(float((given[of == number] - met[of == number]).sum())) for number in range(CLASSES))
    return apart / len(given)


def main() -> None:
    """Measure, write, and fail above the limits."""
    measured: dict[str, Any] = {}
    tables: dict[str, Any] = {}
    above = []
    for ahead, limit in LIMITS.items():
        all_given, all_met = [], []
        for place, (name, truth) in enumerate(TRUTHS.items()):
            given, met = foretold(truth, ahead, SEED + 10 * ahead + place)
            all_given.append(given)
            all_met.append(met)
            key = f"calibration error, {ahead} year(s) ahead, {name}"
            measured[key] = round(calibration_error(given, met), 4)
            tables[f"{ahead} year(s) ahead, {name}"] = reliability(given, met)
            if measured[key] > limit:
                above.append(key)
        together = np.concatenate(all_given), np.concatenate(all_met)
        measured[f"calibration error, {ahead} year(s) ahead, all"] = round(calibration_error(*together), 4)
        measured[f"Brier score, {ahead} year(s) ahead, all"] = round(
            float(((together[0] - together[1]) ** 2).mean()), 4
        )
        tables[f"{ahead} year(s) ahead, all"] = reliability(*together)
    limits = {f"{ahead} year(s) ahead": limit for ahead, limit in LIMITS.items()}
    harness.write("odds", measured, reliability=tables, limits=limits, series_each=SERIES, seed=SEED)
    if above:
        sys.exit(f"above the limit: {', '.join(above)}")


if __name__ == "__main__":
    main()
