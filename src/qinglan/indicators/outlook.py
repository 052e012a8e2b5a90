"""What may come of an indicator: the odds that its target is met, and what its running year may still show.

Odds rest on yearly values of one network, method and basis, after the last break; exact arithmetic on days is no odds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from typing import Any

from qinglan.core.declare import Title
from qinglan.core.errors import InputError
from qinglan.core.rounding import exact, half_even
from qinglan.core.rounding import text as printed
from qinglan.indicators.declare import Break
from qinglan.indicators.facts import Facts
from qinglan.indicators.state import is_over
from qinglan.indicators.store import Value
from qinglan.science import attainment
from qinglan.science.in_year import days_left, good_days_left, remaining_mean

_NO_TARGET = Title(zh="本年没有下达目标", en="no target was issued for the year")
_ALL_VALID = Title(zh="假定余下各天都有效", en="as if all days left become valid")


def odds(found: Facts) -> dict[str, Any] | None:
    """Return the odds that the target is met, or why there are none; None where they do not apply.

    They apply where the indicator declares them and a target with a value is still to come.
    """
    wanted = _target(found)
    if not found.indicator.outlook.odds or wanted is None:
        return None
    year, goal = wanted
    run, broken = _run(found)
    answer: dict[str, Any] = {
        "target_year": year,
        "probability": None,
        "text": None,
        "spread": None,
        "methods": [],
        "points_used": len(run),
        "from": str(run[0][0]) if run else None,
        "note": None,
        "refused": None,
    }
    across = found.target.break_between(run[-1][0], year) if run else None
    if across is not None:
        refused = Title(
            zh=f"概率不跨中断计算：{across.title.zh}", en=f"odds are not drawn across a break: {across.title.en}"
        )
        return answer | {"refused": refused.model_dump()}
    if run and (other := _other_method(found, run[-1][0])) is not None:
        return answer | {"refused": other.model_dump()}
    try:
        made = _odds(tuple(run), goal, year, found.target.comparator)
    except InputError as error:
        return answer | {"refused": _refusal(error, broken).model_dump()}
    chances = [float(method.odds) for method in made.methods]
    low, high = min(chances), max(chances)
    return answer | {
        "probability": float(made.odds),
        "text": percent(made.odds),
        "spread": {"low": low, "high": high, "text": f"{percent(low)}—{percent(high)}"},
        "methods": [
            {
                "id": method.id,
                "title": method.title.model_dump(),
                "weight": float(method.weight),
                "probability": float(method.odds),
                "text": percent(method.odds),
            }
            for method in made.methods
        ],
        "note": made.note.model_dump(),
    }


def short_odds(found: Facts) -> dict[str, Any] | None:
    """Return ``{text, probability}`` for the board, None where there are no odds."""
    made = odds(found)
    if made is None or made["probability"] is None:
        return None
    return {"text": made["text"], "probability": made["probability"]}


def in_year(found: Facts) -> dict[str, Any] | None:
    """Return what the running year may still show; None where the indicator declares nothing or no year is running."""
    rule, day = found.indicator.outlook.in_year, found.as_of
    part = found.own(max((period for period in found.periods() if len(period) > 4), default=""))
    if rule is None or is_over(day.year, day) or part is None or part.period[:4] != str(day.year):
        return None
    until = date.fromisoformat(part.period)
    counted = int((part.detail.get("counts") or {}).get("valid") or 0)
    left, goal = days_left(until), _goal_of(found, day.year)
    answer = {"year": day.year, "days_left": left, "may_lose": None, "mean_remaining": None, "note": None}
    if goal is None or not counted or not left:
        return answer | {"note": _NO_TARGET.model_dump()} if goal is None else answer
    if rule == "good_days":
        return answer | _good_days(found, part, counted, left, goal, until)
    return answer | _mean(found, part, counted, left, goal, until)


def percent(chance: float) -> str:
    """Return odds as they are printed: whole per cent, never 0 or 100.

    Examples
    --------
    >>> percent(0.634), percent(0.999), percent(0.001)
    ('63 %', '>99 %', '<1 %')
    """
    whole = int(half_even(exact(float(chance)) * 100))
    return "<1 %" if whole < 1 else ">99 %" if whole > 99 else f"{whole} %"


def _target(found: Facts) -> tuple[int, float] | None:
    """Return the year and value that the odds are about: the plan's own target, else the next one issued."""
    goal = found.goal()
    if is_over(goal.year, found.as_of):
        return None
    if goal.value is not None:
        return goal.year, float(goal.value)
    coming = [one for one in found.issued if not is_over(one.year, found.as_of)]
    nearest = min(coming, key=lambda one: one.year, default=None)
    return None if nearest is None else (nearest.year, nearest.value)


def _run(found: Facts) -> tuple[list[tuple[int, float]], Break | None]:
    """Return the last years whose values stand on one network, method and basis, and the break before them."""
    run: list[tuple[int, float]] = []
    ground: tuple[str, str, str] | None = None
    for period in reversed(found.years()):
        value = found.confirmed(period) or found.own(period)
        if value is None or value.value is None or not is_over(int(period), found.as_of):
            continue
        here = _ground(found, value)
        broken = found.target.break_between(int(period), run[0][0]) if run else None
        if broken is not None or (ground is not None and here != ground):
            return run, broken
        ground = here
        run.insert(0, (int(period), float(value.value)))
    return run, None


def _other_method(found: Facts, year: int) -> Title | None:
    """Return why the value of a year cannot be held against the target: it was made by another method."""
    value = found.confirmed(str(year)) or found.own(str(year))
    if value is None or found.compares(value):
        return None
    own, wanted = found.indicator.method, found.target.goal.method
    return Title(
        zh=f"自测方法（{own.zh}）与目标的方法（{wanted.zh}）不同，不给出达标概率",
        en=f"the own estimate ({own.en}) and the target ({wanted.en}) differ in method: no odds are given",
    )


def _ground(found: Facts, value: Value) -> tuple[str, str, str]:
    ground = found.target.ground(int(value.period[:4]))
    basis = value.basis if value.kind == "estimate" and value.basis else ground.basis.id
    method = ground.method.id if found.compares(value) else str(value.method)
    return ground.network.id, method, basis


@lru_cache(maxsize=512)
def _odds(run: tuple[tuple[int, float], ...], goal: float, year: int, comparator: Any) -> attainment.Odds:
    return attainment.odds([value for _, value in run], [one for one, _ in run], goal, year, comparator)


def _refusal(error: InputError, broken: Break | None) -> Title:
    if broken is None:
        return Title(zh=error.zh, en=error.en)
    return Title(
        zh=f"{error.zh}口径中断之前的值不用：{broken.title.zh}",
        en=f"{error.en} Values before the break are not used: {broken.title.en}",
    )


def _goal_of(found: Facts, year: int) -> float | None:
    issued = [one.value for one in found.issued if one.year == year]
    if issued:
        return issued[-1]
    goal = found.goal()
    return float(goal.value) if goal.year == year and goal.value is not None else None


def _good_days(found: Facts, part: Value, counted: int, left: int, goal: float, until: date) -> dict[str, Any]:
    days: Mapping[str, Any] = part.detail.get("details") or {}
    if "days" not in days:
        return {}
    made = good_days_left(int(days["days"]), counted, left, exact(goal), found.decimals)
    if made.reachable:
        zh, en = f"还可以有 {made.may_lose} 天不达优良", f"{made.may_lose} days may still not be good"
    else:
        zh, en = f"差 {-made.may_lose} 天，目标已无法达到", f"out of reach by {-made.may_lose} days"
    note = Title(
        zh=f"截至 {until}：有效 {counted} 天，优良 {made.good} 天，余 {left} 天；全年须 {made.needed} 天优良，{zh}"
        f"（目标 {goal:g} %，{_ALL_VALID.zh}）",
        en=f"up to {until}: {counted} valid days, {made.good} good, {left} left; the year needs {made.needed}: {en} "
        f"(target {goal:g} %, {_ALL_VALID.en})",
    )
    return {"may_lose": {"value": made.may_lose, "text": str(made.may_lose)}, "note": note.model_dump()}


def _mean(found: Facts, part: Value, counted: int, left: int, goal: float, until: date) -> dict[str, Any]:
    if part.value is None:
        return {}
    lower = found.indicator.better == "lower"
    made = remaining_mean([exact(part.value)] * counted, exact(goal), counted + left, found.decimals, at_most=lower)
    unit = found.indicator.unit_title or Title(zh=found.indicator.unit, en=found.indicator.unit)
    so_far = printed(part.value, found.decimals)
    bound_zh, bound_en = ("不高于", "at most") if lower else ("不低于", "at least")
    note = Title(
        zh=f"截至 {until}：{counted} 个有效日的均值 {so_far} {unit.zh}；余下 {left} 天的均值须{bound_zh} {made.text}"
        f"（目标 {goal:g}，{_ALL_VALID.zh}）",
        en=f"up to {until}: mean of {counted} valid days {so_far} {unit.en}; the mean of the {left} days left must be "
        f"{bound_en} {made.text} (target {goal:g}, {_ALL_VALID.en})",
    )
    return {"mean_remaining": {"value": float(made.mean), "text": made.text}, "note": note.model_dump()}
