"""What a document says about an indicator, checked against the plan and recorded; the answer is the indicator again."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

from qinglan.core.declare import Title
from qinglan.core.errors import InputError
from qinglan.indicators import entries, store
from qinglan.indicators.board import indicator as answer
from qinglan.indicators.declare import Indicator, carries
from qinglan.indicators.installation import Installation, indicator_of, target_of, today

# A document speaks of a year; the plan it belongs to is the one of that year's last day.
_OF = (12, 31)
# How many times a figure may differ from the city's own before it is remarked on; no document says this.
_FAR = 3
HISTORY = 15
"""How many years before the baseline may be confirmed: the figures that odds rest on."""


def confirm(
    installation: Installation,
    identifier: str,
    year: int,
    value: float,
    *,
    document: str,
    document_date: date,
    note: str | None = None,
    who: str = store.LOCAL,
) -> dict[str, Any]:
    """Record the value that a document confirms for a year, and return the indicator as it stands now.

    Raises
    ------
    InputError
        If the plan has no such indicator, the year lies outside it, the date cannot be, or the value is no number.
    """
    target = target_of(installation, identifier, date(year, *_OF))
    declared = indicator_of(installation, target)
    # Where odds are drawn, the years before the baseline are what they rest on.
    first = target.baseline.year - (HISTORY if declared.outlook.odds else 0)
    if not first <= year <= target.goal.year:
        raise _outside(year, first, target.goal.year)
    _not_from_the_future(document_date)
    _plausible(declared, value)
    store.confirm(
        installation.engine,
        identifier,
        year,
        value,
        document=document,
        document_date=document_date,
        note=note,
        who=who,
    )
    return _answer(installation, identifier, year, value, zh="认定值", en="confirmed value")


def issue_target(
    installation: Installation,
    identifier: str,
    year: int,
    value: float,
    *,
    document: str,
    document_date: date,
    note: str | None = None,
    who: str = store.LOCAL,
) -> dict[str, Any]:
    """Record the target that a document issues for a year, and return the indicator as it stands now.

    Raises
    ------
    InputError
        If the plan has no such indicator, the year lies outside it, the value is no number, or it has more decimals
        than the indicator is compared with.
    """
    target = target_of(installation, identifier, date(year, *_OF))
    if not target.baseline.year < year <= target.goal.year:
        raise _outside(year, target.baseline.year + 1, target.goal.year)
    _not_from_the_future(document_date)
    declared = indicator_of(installation, target)
    _plausible(declared, value)
    decimals = declared.rounding.decimals
    if not carries(value, decimals):
        raise InputError(
            f"目标值 {value:g} 的小数位多于“{declared.title.zh}”比较时的 {decimals} 位，无法判定是否达到。",
            f"The target {value:g} has more decimals than the {decimals} that {declared.title.en} is compared with.",
            field="value",
        )
    store.issue_target(
        installation.engine,
        identifier,
        year,
        value,
        document=document,
        document_date=document_date,
        note=note,
        who=who,
    )
    return _answer(installation, identifier, year, value, zh="目标值", en="target")


def withdraw(
    installation: Installation, identifier: str, year: int, *, note: str, who: str = store.LOCAL
) -> dict[str, Any]:
    """Take back the confirmed value of a year, and return the indicator as it stands now.

    Raises
    ------
    InputError
        If the plan has no such indicator, no reason is given, or no confirmed value of the year is on file.
    """
    target_of(installation, identifier, today())
    entries.withdraw_confirmed(installation.engine, identifier, year, note=note, who=who)
    return answer(installation, identifier, today())


def withdraw_target(
    installation: Installation, identifier: str, year: int, *, note: str, who: str = store.LOCAL
) -> dict[str, Any]:
    """Take back the issued target of a year, and return the indicator as it stands now.

    Raises
    ------
    InputError
        If the plan has no such indicator, no reason is given, or no issued target of the year is on file.
    """
    target_of(installation, identifier, today())
    entries.withdraw_target(installation.engine, identifier, year, note=note, who=who)
    return answer(installation, identifier, today())


def _answer(
    installation: Installation, identifier: str, year: int, value: float, *, zh: str, en: str
) -> dict[str, Any]:
    found = answer(installation, identifier, today())
    own = [
        entry["value"] for entry in found["history"] if entry["period"] == str(year) and entry["kind"] != "confirmed"
    ]
    warnings = [_far_off(year, value, own[0], zh, en)] if own and _is_far(value, own[0]) else []
    return found | {"warnings": [warning.model_dump() for warning in warnings]}


def _is_far(value: float, own: float) -> bool:
    """Return whether `value` is more than three times the city's own figure, or less than a third of it."""
    return own > 0 and (value > _FAR * own or value * _FAR < own)


def _far_off(year: int, value: float, own: float, zh: str, en: str) -> Title:
    return Title(
        zh=f"{zh} {value:g} 与 {year} 年自有数值 {own:g} 相差三倍以上：已登记，请核对；有误可撤回。",
        en=f"The {en} {value:g} is more than three times off the city's own {own:g} of {year}: recorded; check it.",
    )


def _plausible(declared: Indicator, value: float) -> None:
    # Not a number is refused with its own sentence where the entry is kept.
    if math.isfinite(value) and not declared.plausible.holds(value):
        bounds, unit = declared.plausible.title, declared.unit_title
        raise InputError(
            f"“{declared.title.zh}”的数值 {value:g} 不合理：应{_should(bounds.zh)}"
            f"（{unit.zh if unit else declared.unit}；这是本软件防止误填的界限，不是标准规定）。",
            f"{value:g} cannot be a value of {declared.title.en}: it should be {bounds.en} "
            f"({unit.en if unit else declared.unit}; a bound of this software against slips, not of a standard).",
            field="value",
        )


def _should(bounds: str) -> str:
    return bounds if bounds.startswith("不") else f"为 {bounds}"


def _outside(year: int, first: int, last: int) -> InputError:
    return InputError(
        f"{year} 年不在规划范围内：应为 {first} 至 {last} 年。",
        f"The year {year} lies outside the plan: it should be {first} to {last}.",
        field="year",
    )


def _not_from_the_future(document_date: date) -> None:
    if document_date > today():
        raise InputError(
            f"文件日期 {document_date} 晚于今天：请核对。",
            f"The document's date {document_date} lies in the future: check it.",
            field="document_date",
        )
