"""The odds that an indicator reaches its target by a date, from what it has been.

Three ways of going on are mixed, because none is right everywhere: a straight line (least squares), the slope of
Theil and Sen with its residuals drawn again, and a random walk with drift. Each is weighed by how well it would have
foretold the periods already known (rolling origin), and the spread between the three is shown beside the mix.

Sources: Bates and Granger (1969) for mixing; Tashman (2000) for rolling origins; Theil (1950), Sen (1968).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from qinglan.core.declare import Title
from qinglan.core.errors import InputError
from qinglan.science.statistics.series import numbers

LEAST = 6
"""Fewer points say nothing about how far the next one may lie off."""

FIRST_ORIGIN = 5
DRAWS = 400
SHARPNESS = 0.5
"""Logarithmic scores of successive origins are not independent: they count half in the weights."""

Comparator = Literal[">=", "<=", ">", "<"]
Array = NDArray[np.float64]

TITLES: Mapping[str, Title] = {
    "linear": Title(zh="线性趋势", en="linear trend"),
    "theil_sen": Title(zh="泰尔—森斜率（重抽样）", en="Theil–Sen slope, resampled"),
    "random_walk": Title(zh="带漂移的随机游走", en="random walk with drift"),
}


@dataclass(frozen=True)
class Method:
    """One way of going on: its odds, weight, middle and the interval that holds 80 %."""

    id: str
    title: Title
    odds: float
    weight: float
    centre: float
    low: float
    high: float


@dataclass(frozen=True)
class Odds:
    """The odds (0 to 1) that the target is met in `by`.

    `spread` is the difference between the largest and smallest odds of the methods; `ahead` how many periods `by`
    lies after the last point.
    """

    odds: float
    spread: float
    methods: tuple[Method, ...]
    points: int
    first: int
    last: int
    by: int
    ahead: int
    note: Title


@dataclass(frozen=True)
class _Outlook:
    """A forecast as Student's t; `draws` where the odds come from draws instead."""

    centre: float
    scale: float
    freedom: int
    draws: Array | None = None

    def below(self, target: float) -> float:
        if self.draws is not None:
            return float((np.sum(self.draws <= target) + 0.5) / (len(self.draws) + 1))
        return float(stats.t.cdf((target - self.centre) / self.scale, self.freedom))

    def quantile(self, share: float) -> float:
        if self.draws is not None:
            return float(np.quantile(self.draws, share))
        return float(self.centre + self.scale * stats.t.ppf(share, self.freedom))

    def log_score(self, value: float) -> float:
        return float(stats.t.logpdf((value - self.centre) / self.scale, self.freedom) - np.log(self.scale))


def odds(
    values: Sequence[float],
    periods: Sequence[int],
    target: float,
    by: int,
    comparator: Comparator,
    breaks: Sequence[int] = (),
    seed: int = 0,
) -> Odds:
    """Return the odds that an indicator meets its target in the period `by`.

    Parameters
    ----------
    values, periods
        One value a period (year), in order; periods may be left out, none may be missing a value.
    target, comparator
        What the value must reach: ``value comparator target``, in the values' unit.
    by
        The period judged, after the last one given.
    breaks
        The last period before each break of network, method or basis.
    seed
        Of the draws; the same seed gives the same odds.

    Raises
    ------
    InputError
        If there are fewer than six points, a break lies among them, periods do not rise, or `by` is over.

    Examples
    --------
    >>> found = odds([42, 40, 39, 37, 36, 34, 33], range(2018, 2025), target=33, by=2025, comparator="<=")
    >>> found.odds > 0.8, found.points, found.ahead
    (True, 7, 1)
    """
    given, at = _checked(values, periods, by, breaks)
    if comparator not in (">=", "<=", ">", "<"):
        raise InputError(
            f"comparator 应为 >=、<=、>、<，收到“{comparator}”。",
            f'comparator should be >=, <=, > or <; got "{comparator}".',
            field="comparator",
        )
    goal = float(target)
    if not np.isfinite(goal):
        raise InputError("目标值应是有限数。", "The target should be a finite number.", field="target")
    unit = float(np.std(given))
    if unit == 0.0:
        return _constant(given, at, goal, by, comparator)
    scaled = (given - given[0]) / unit
    outlooks = _outlooks(scaled, at, by, seed)
    weights = _weights(scaled, at, by - int(at[-1]), seed)
    reached = (goal - given[0]) / unit
    parts = []
    for name, outlook in outlooks.items():
        below = outlook.below(reached)
        met = below if comparator in ("<=", "<") else 1 - below
        low, centre, high = (float(given[0] + unit * outlook.quantile(share)) for share in (0.1, 0.5, 0.9))
        parts.append(Method(name, TITLES[name], met, weights[name], centre, low, high))
    return _answer(parts, at, by)


def _checked(values: Sequence[float], periods: Sequence[int], by: int, breaks: Sequence[int]) -> tuple[Array, Array]:
    given, at = numbers(values), numbers(list(periods), "periods")
    if len(given) != len(at):
        raise InputError(
            f"values 有 {len(given)} 个，periods 有 {len(at)} 个，应当一样多。",
            f"There are {len(given)} values and {len(at)} periods; they should be as many.",
            field="periods",
        )
    inside = [period for period in breaks if len(at) and at[0] <= period < at[-1]]
    if inside:
        raise InputError(
            f"{inside[0]} 之后口径中断（点位、方法或口径改变）：概率不跨中断计算，请只给中断之后的数。",
            f"There is a break after {inside[0]} (network, method or basis): odds are not drawn across it; give only "
            "the values after it.",
            field="breaks",
        )
    if len(given) < LEAST:
        raise InputError(
            f"只有 {len(given)} 个点，少于 {LEAST} 个，不给出达标概率。",
            f"There are {len(given)} points, fewer than {LEAST}: no odds are given.",
            field="values",
        )
    if np.any(np.diff(at) <= 0):
        raise InputError("periods 应当逐个增大。", "periods should rise from one to the next.", field="periods")
    if by <= at[-1]:
        raise InputError(
            f"{by} 不晚于最后一个已知时段 {int(at[-1])}：已有结果，无需概率。",
            f"{by} is not after the last known period {int(at[-1])}: there is a result, no odds are needed.",
            field="by",
        )
    return given, at


def _constant(given: Array, at: Array, goal: float, by: int, comparator: Comparator) -> Odds:
    """Return the odds of a figure that never moved: the chance of a first move is 1 in n + 1."""
    value = float(given[0])
    met = {">=": value >= goal, "<=": value <= goal, ">": value > goal, "<": value < goal}[comparator]
    stays = len(given) / (len(given) + 1)
    chance = stays if met else 1 - stays
    parts = [Method(name, title, chance, 1 / 3, value, value, value) for name, title in TITLES.items()]
    return _answer(parts, at, by)


def _answer(parts: Sequence[Method], at: Array, by: int) -> Odds:
    chances = [part.odds for part in parts]
    mixed = sum(part.odds * part.weight for part in parts)
    first, last = int(at[0]), int(at[-1])
    note = Title(
        zh=f"由 {first}—{last} 年 {len(at)} 个值外推，假定今后变化如以往；不含已定未见效的措施。",
        en=f"Carried on from {len(at)} values, {first}–{last}, as if changes go on as before; measures decided but "
        "not yet felt are not in it.",
    )
    return Odds(mixed, max(chances) - min(chances), tuple(parts), len(at), first, last, by, by - last, note)


def _outlooks(given: Array, at: Array, by: float, seed: int) -> dict[str, _Outlook]:
    return {name: method(given, at, by, seed) for name, method in _METHODS.items()}


def _weights(given: Array, at: Array, ahead: int, seed: int) -> dict[str, float]:
    scores = dict.fromkeys(_METHODS, 0.0)
    for origin in range(FIRST_ORIGIN, len(given)):
        judged = min(origin - 1 + ahead, len(given) - 1)
        known, when = given[:origin], at[:origin]
        for name, outlook in _outlooks(known, when, float(at[judged]), seed).items():
            scores[name] += max(outlook.log_score(float(given[judged])), _WORST)
    best = max(scores.values())
    raw = {name: float(np.exp(SHARPNESS * (score - best))) for name, score in scores.items()}
    return {name: weight / sum(raw.values()) for name, weight in raw.items()}


_WORST = -20.0
"""One origin that a method missed entirely must not decide alone."""

_TINY = 1e-6
"""A forecast is never certain: its scale, in standard deviations of the series, is at least this."""


def _linear(given: Array, at: Array, by: float, seed: int) -> _Outlook:
    n, middle = len(given), float(at.mean())
    spread = float(((at - middle) ** 2).sum())
    slope = float(((at - middle) * (given - given.mean())).sum()) / spread
    residual = given - given.mean() - slope * (at - middle)
    variance = float(residual @ residual) / (n - 2) * (1 + 1 / n + (by - middle) ** 2 / spread)
    return _Outlook(float(given.mean()) + slope * (by - middle), max(variance**0.5, _TINY), n - 2)


def _theil_sen(given: Array, at: Array, by: float, seed: int) -> _Outlook:
    n = len(given)
    draw = np.random.default_rng(seed)
    first, second = np.triu_indices(n, 1)
    apart = at[second] - at[first]

    def line(rows: Array) -> tuple[Array, Array]:
        slope = np.median((rows[:, second] - rows[:, first]) / apart, axis=1)
        return slope, np.median(rows - slope[:, None] * at, axis=1)

    slope, start = line(given[None, :])
    fitted = start[0] + slope[0] * at
    residual = (given - fitted - (given - fitted).mean()) * (n / (n - 2)) ** 0.5
    slopes, starts = line(fitted + draw.choice(residual, (DRAWS, n)))
    draws = np.sort(starts + slopes * by + draw.choice(residual, DRAWS))
    return _Outlook(float(np.median(draws)), max(float(draws.std()), _TINY), n - 2, draws)


def _random_walk(given: Array, at: Array, by: float, seed: int) -> _Outlook:
    steps, length = np.diff(at), float(at[-1] - at[0])
    drift = float(given[-1] - given[0]) / length
    variance = float((((np.diff(given) - drift * steps) ** 2) / steps).sum()) / (len(given) - 2)
    ahead = by - float(at[-1])
    scale = (variance * ahead * (1 + ahead / length)) ** 0.5
    return _Outlook(float(given[-1]) + drift * ahead, max(scale, _TINY), len(given) - 2)


_METHODS: Mapping[str, Callable[[Array, Array, float, int], _Outlook]] = {
    "linear": _linear,
    "theil_sen": _theil_sen,
    "random_walk": _random_walk,
}


def odds_from_months(
    values: Mapping[tuple[int, int], float],
    target: float,
    by: int,
    comparator: Comparator,
    breaks: Sequence[int] = (),
    seed: int = 0,
) -> Odds:
    """Return the odds that the mean of a year's twelve months meets its target.

    Parameters
    ----------
    values
        The value of each ``(year, month)``. A year that is over counts when all its months are there. Where `by` has
        begun, its months so far (from January on, none left out) are settled: the odds are then those that the rest
        of the year keeps to what it still may show, against the same months of the years before.
    target, by, comparator, breaks, seed
        As for `odds`; breaks are years.

    Raises
    ------
    InputError
        As `odds`, and if the months of `by` leave one out or are all known.
    """
    settled = sorted(month for year, month in values if year == by)
    if settled != list(range(1, len(settled) + 1)) or len(settled) == 12:
        raise InputError(
            f"{by} 年应给出自 1 月起连续的月份且未满一年，收到 {'、'.join(map(str, settled))} 月。",
            f"The months of {by} should run from January without a gap and not fill the year; got {settled}.",
            field="values",
        )
    rest = range(len(settled) + 1, 13)
    years = sorted({year for year, _ in values if year < by})
    whole = [year for year in years if all((year, month) in values for month in range(1, 13))]
    known = [float(np.mean([values[year, month] for month in rest])) for year in whole]
    needed = (target * 12 - sum(values[by, month] for month in settled)) / len(rest)
    return odds(known, whole, needed, by, comparator, breaks, seed)
