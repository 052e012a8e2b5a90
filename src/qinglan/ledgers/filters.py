"""Filters of a list: ``field:operator:value``, each typed by its field, told apart from SQL by construction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Table, Text, and_, func, or_, true, type_coerce

from qinglan.base.scope import Scope
from qinglan.core.declare import Title
from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING, to_utc
from qinglan.ledgers.declare import MOMENTS, Ledger
from qinglan.ledgers.fields import LedgerField
from qinglan.ledgers.places import Places
from qinglan.ledgers.rights import hides
from qinglan.ledgers.tables import BOX

_ORDERED = ("eq", "ne", "lt", "le", "gt", "ge", "between")
_SAME = ("eq", "ne", "in")
_PRESENT = ("blank", "filled")
OPERATORS: dict[str, tuple[str, ...]] = {
    "text": ("contains", "starts", *_SAME, *_PRESENT),
    "number": (*_ORDERED, *_PRESENT),
    "quantity": (*_ORDERED, *_PRESENT),
    "date": (*_ORDERED, *_PRESENT),
    "datetime": (*_ORDERED, *_PRESENT),
    "boolean": ("eq", *_PRESENT),
    "code": (*_SAME, *_PRESENT),
    "place": ("below", *_SAME, *_PRESENT),
    "enterprise": (*_SAME, *_PRESENT),
    "reference": (*_SAME, *_PRESENT),
    "geometry": ("bbox", *_PRESENT),
    "file": _PRESENT,
    "many": ("has", *_PRESENT),
}
MOST_FILTERS = 20
MOST_VALUES = 200


@dataclass(frozen=True)
class Filter:
    """One condition, as it was asked."""

    field: str
    operator: str
    value: str

    @classmethod
    def read(cls, text: str) -> Filter:
        """Read ``field:operator`` or ``field:operator:value``.

        Examples
        --------
        >>> Filter.read("volume:ge:1000")
        Filter(field='volume', operator='ge', value='1000')
        """
        name, _, rest = text.partition(":")
        operator, _, value = rest.partition(":")
        if not name or not operator:
            raise InputError(
                f"筛选条件“{text[:60]}”应写作 字段:运算符:值。",
                f'The filter "{text[:60]}" should be field:operator:value.',
                field="filter",
            )
        return cls(name, operator, value)


def operators_of(field: LedgerField) -> tuple[str, ...]:
    """Return what a field can be filtered by; nothing for detail rows."""
    if field.type == "rows":
        return ()
    if field.many and field.type != "file":
        return OPERATORS["many"]
    return OPERATORS[field.result if field.type == "computed" else field.type]


def condition(
    ledger: Ledger, records: Table, scope: Scope, places: Places, filters: Sequence[Filter]
) -> ColumnElement[bool]:
    """Return the condition of several filters together.

    Raises
    ------
    InputError
        If a field or operator is not there, a value is not of the field's type, or the field is masked for the scope:
        who may not read a value may not guess it either.
    """
    if len(filters) > MOST_FILTERS:
        raise InputError(f"筛选条件至多 {MOST_FILTERS} 个。", f"At most {MOST_FILTERS} filters.", field="filter")
    return and_(true(), *(_one(ledger, records, scope, places, one) for one in filters))


def _one(ledger: Ledger, records: Table, scope: Scope, places: Places, asked: Filter) -> ColumnElement[bool]:
    if asked.field in (*MOMENTS, "created_by", "updated_by", "simulated"):
        field = _system(asked.field)
        known = OPERATORS[field.type]
    else:
        found = ledger.by_id.get(asked.field)
        if found is None or hides(ledger, scope, asked.field) or not operators_of(found):
            raise _refused(asked, "没有可供筛选的这个字段", "there is no such field to filter by")
        field, known = found, operators_of(found)
    if asked.operator not in known:
        raise _refused(asked, f"可用的运算符是 {'、'.join(known)}", f"the operators are {', '.join(known)}")
    if asked.operator == "bbox":
        return within(records, field.id, asked.value)
    column = records.c[field.id]
    if asked.operator in _PRESENT:
        return column.is_(None) if asked.operator == "blank" else column.is_not(None)
    return _compared(field, column, places, asked)


def _system(name: str) -> LedgerField:
    """Return a column that every ledger has, as a field."""
    title = Title(zh=name, en=name)
    if name in MOMENTS:
        return LedgerField.model_construct(id=name, title=title, type="datetime")
    return LedgerField.model_construct(id=name, title=title, type="boolean" if name == "simulated" else "text")


def _compared(field: LedgerField, column: ColumnElement[Any], places: Places, asked: Filter) -> ColumnElement[bool]:
    operator, text = asked.operator, asked.value
    if operator in ("contains", "starts"):
        pattern = text.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return func.lower(column).like(pattern + "%" if operator == "starts" else f"%{pattern}%", escape="\\")
    if operator == "has":
        quoted = json.dumps(text, ensure_ascii=False).replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        return type_coerce(column, Text).like(f"%{quoted}%", escape="\\")
    if operator == "below":
        return column.in_(sorted(places.below(text)))
    if operator == "in":
        values = [_typed(field, one, asked) for one in text.split(",")][:MOST_VALUES]
        return column.in_([low for low, _ in values])
    if operator == "between":
        first, _, last = text.partition("..")
        return (
            and_(column >= _typed(field, first, asked)[0], column < _typed(field, last, asked)[1])
            if _spans(field)
            else and_(column >= _typed(field, first, asked)[0], column <= _typed(field, last, asked)[0])
        )
    low, after = _typed(field, text, asked)
    if _spans(field):
        return _of_span(column, operator, low, after)
    if operator == "eq":
        same: ColumnElement[bool] = column == low
        return same
    if operator == "ne":
        return or_(column != low, column.is_(None))
    ordered: dict[str, ColumnElement[bool]] = {
        "lt": column < low,
        "le": column <= low,
        "gt": column > low,
        "ge": column >= low,
    }
    return ordered[operator]


def _spans(field: LedgerField) -> bool:
    return field.type == "datetime"


def _of_span(column: Any, operator: str, low: Any, after: Any) -> ColumnElement[bool]:
    """Compare a moment with a whole day, or with itself where a time was given."""
    inside = and_(column >= low, column < after)
    found: ColumnElement[bool] = {
        "eq": inside,
        "ne": or_(column < low, column >= after, column.is_(None)),
        "lt": column < low,
        "ge": column >= low,
        "le": column < after,
        "gt": column >= after,
    }[operator]
    return found


def _typed(field: LedgerField, text: str, asked: Filter) -> tuple[Any, Any]:
    """Return the value that a text says, and for moments the end of what it spans."""
    kind = field.result if field.type == "computed" else field.type
    try:
        if kind in ("number", "quantity"):
            return float(text), None
        if kind == "date":
            return date.fromisoformat(text), None
        if kind == "datetime":
            if len(text) <= len("2024-03-01"):
                start = datetime.combine(date.fromisoformat(text), datetime.min.time(), BEIJING).astimezone(UTC)
                return start, start + timedelta(days=1)
            moment = to_utc(datetime.fromisoformat(text.replace(" ", "+")))
            return moment, moment + timedelta(microseconds=1)
        if kind == "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()], None
    except (ValueError, KeyError, OverflowError) as error:
        raise _refused(asked, f"“{text[:40]}”不是这个字段的值", f'"{text[:40]}" is no value of this field') from error
    return text, None


def within(records: Table, shape: str, text: str) -> ColumnElement[bool]:
    """Return the condition that a shape's box meets ``west,south,east,north``."""
    try:
        west, south, east, north = (float(piece) for piece in text.split(","))
    except ValueError as error:
        raise InputError(
            "bbox 应为 西,南,东,北 四个经纬度。", "bbox should be west,south,east,north in degrees.", field="bbox"
        ) from error
    low_x, low_y, high_x, high_y = (records.c[f"{shape}_{side}"] for side in BOX)
    return and_(low_x <= east, high_x >= west, low_y <= north, high_y >= south)


def _refused(asked: Filter, zh: str, en: str) -> InputError:
    return InputError(
        f"筛选条件“{asked.field}:{asked.operator}”不可用：{zh}。",
        f'The filter "{asked.field[:40]}:{asked.operator[:20]}" cannot be used: {en}.',
        field="filter",
    )
