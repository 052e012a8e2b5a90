"""What a document says about an indicator, checked against the plan and recorded; the answer is the indicator again."""

from __future__ import annotations

from datetime import date
from typing import Any

from qinglan.core.errors import InputError
from qinglan.indicators import store
from qinglan.indicators.board import indicator as answer
from qinglan.indicators.declare import carries
from qinglan.indicators.installation import Installation, indicator_of, target_of, today

# A document speaks of a year; the plan it belongs to is the one of that year's last day.
_OF = (12, 31)


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
    if not target.baseline.year <= year <= target.goal.year:
        raise _outside(year, target.baseline.year, target.goal.year)
    _not_from_the_future(document_date)
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
    return answer(installation, identifier, today())


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
    return answer(installation, identifier, today())


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
