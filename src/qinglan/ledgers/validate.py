"""Whether a record is what its declaration asks for: every fault by field, all at once, in both languages."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from qinglan.core.errors import InputError
from qinglan.core.interval import beijing_day, to_utc
from qinglan.core.rounding import exact
from qinglan.ledgers.codes import Code
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.expression import expression
from qinglan.ledgers.faults import Fault
from qinglan.ledgers.fields import LONGEST_TEXT, LedgerField
from qinglan.ledgers.places import Places
from qinglan.ledgers.shapes import read_shape
from qinglan.ledgers.values import Values

LARGEST = 1e15
MOST_ROWS = 5_000
MOST_VALUES = 200
_USCC_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_SHA = re.compile(r"[0-9a-f]{64}")
# Characters that no text needs and that databases or spreadsheets refuse.
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufffe\uffff\ud800-\udfff]")


@dataclass(frozen=True)
class Context:
    """What validation needs beside the declaration: shared code lists, the city's places, and the day."""

    codes: Mapping[str, Sequence[Code]] = field(default_factory=dict)
    places: Places = field(default_factory=Places)
    day: date = field(default_factory=lambda: beijing_day(datetime.now(UTC)))

    def codes_of(self, asked: LedgerField) -> Sequence[Code]:
        """Return the codes that a field may have, of all times."""
        if asked.code_list is not None:
            return self.codes.get(asked.code_list, ())
        return asked.codes if isinstance(asked.codes, tuple) else ()


@dataclass(frozen=True)
class Checked:
    """A record as it would be kept, and what is wrong with it."""

    values: Values
    faults: tuple[Fault, ...]


def check(
    ledger: Ledger, given: Mapping[str, Any], context: Context, before: Mapping[str, Any] | None = None
) -> Checked:
    """Return the whole record that `given` makes, and every fault.

    Parameters
    ----------
    given
        The values that are said; those of computed fields are passed over, they follow from the others.
    before
        The record as it is: what `given` does not say stays, and a code that has ended meanwhile may stay too.
    """
    known = ledger.by_id
    faults = [
        Fault(
            str(name)[:60], f"台账 {ledger.id} 没有字段“{str(name)[:60]}”。", f'There is no field "{str(name)[:60]}".'
        )
        for name in given
        if name not in known
    ]
    values: Values = dict(before or {})
    for one in ledger.fields:
        if one.type == "computed":
            continue
        if one.id in given:
            earlier = None if before is None else before.get(one.id)
            values[one.id] = _checked(one, given[one.id], context, earlier, faults)
        if ledger.is_required(one) and _blank(values.get(one.id)) and not any(f.field == one.id for f in faults):
            faults.append(Fault(one.id, f"{one.title.zh}必填。", f"{one.title.en} is required."))
    return Checked(computed(ledger, values), tuple(faults))


def computed(ledger: Ledger, values: Mapping[str, Any]) -> Values:
    """Return the values with the computed fields worked out."""
    found = dict(values)
    for one in ledger.fields:
        if one.expression is not None:
            found[one.id] = _computed(one, values)
    return found


def _computed(one: LedgerField, values: Mapping[str, Any]) -> Any:
    value = expression(one.expression or "").value(values)
    if one.result == "number":
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if not number or abs(value) > LARGEST:
            return None
        return float(value) if one.decimals is None else float(round(exact(float(value)), one.decimals))
    if one.result == "boolean":
        return value if isinstance(value, bool) else None
    return None if value is None else str(value)


def _blank(value: Any) -> bool:
    return value is None or value in ("", [], ())


def _checked(one: LedgerField, given: Any, context: Context, earlier: Any, faults: list[Fault]) -> Any:
    """Return one field's value; what is wrong with it goes to `faults`."""
    if _blank(given) or (isinstance(given, str) and not given.strip()):
        return None
    if one.type == "rows":
        return _rows(one, given, context, faults)
    try:
        if one.type == "file":
            return _files(one, given)
        if one.many:
            return _several(one, given, context, earlier or ())
        return _single(one, given, context, () if earlier is None else (earlier,))
    except InputError as error:
        faults.append(Fault(one.id, f"{one.title.zh}：{error.zh}", f"{one.title.en}: {error.en}"))
    return None


def _several(one: LedgerField, given: Any, context: Context, earlier: Iterable[Any]) -> list[Any]:
    if not isinstance(given, list | tuple):
        given = [given]
    if len(given) > MOST_VALUES:
        raise InputError(f"至多 {MOST_VALUES} 个值。", f"at most {MOST_VALUES} values.")
    kept = [_single(one, value, context, tuple(earlier)) for value in given if not _blank(value)]
    return list(dict.fromkeys(kept))


def _rows(one: LedgerField, given: Any, context: Context, faults: list[Fault]) -> list[Values] | None:
    if not isinstance(given, list | tuple) or not all(isinstance(row, Mapping) for row in given):
        faults.append(Fault(one.id, f"{one.title.zh}应为明细行的列表。", f"{one.title.en} should be a list of rows."))
        return None
    if len(given) > MOST_ROWS:
        faults.append(
            Fault(one.id, f"{one.title.zh}至多 {MOST_ROWS} 行。", f"{one.title.en}: at most {MOST_ROWS} rows.")
        )
        return None
    known = {inner.id for inner in one.fields}
    found: list[Values] = []
    for position, row in enumerate(given, start=1):
        inside: list[Fault] = [
            Fault(str(name)[:60], f"没有列“{str(name)[:60]}”。", f'there is no column "{str(name)[:60]}".')
            for name in row
            if name not in known
        ]
        values = {inner.id: _checked(inner, row.get(inner.id), context, None, inside) for inner in one.fields}
        inside += [
            Fault(inner.id, f"{inner.title.zh}必填。", f"{inner.title.en} is required.")
            for inner in one.fields
            if inner.required and values[inner.id] is None and not any(fault.field == inner.id for fault in inside)
        ]
        faults += [
            Fault(
                f"{one.id}.{fault.field}",
                f"{one.title.zh}第 {position} 行：{fault.zh}",
                f"{one.title.en}, row {position}: {fault.en}",
                position,
            )
            for fault in inside
        ]
        found.append(values)
    return found


def _files(one: LedgerField, given: Any) -> list[Values]:
    given = [given] if isinstance(given, Mapping) else given
    if not isinstance(given, list | tuple):
        raise InputError("应为附件的列表。", "it should be a list of files.")
    if len(given) > (MOST_VALUES if one.many else 1):
        raise InputError("附件过多。", "there are too many files.")
    kept = []
    for file in given:
        hashed = file.get("sha256") if isinstance(file, Mapping) else None
        if not isinstance(hashed, str) or not _SHA.fullmatch(hashed):
            raise InputError("附件须先上传，再以其 sha256 填入。", "upload the file first, then give its sha256.")
        kept.append({"sha256": hashed, "name": _text_of(file.get("name") or hashed)[:200]})
    return kept


def _single(one: LedgerField, given: Any, context: Context, earlier: tuple[Any, ...]) -> Any:
    if one.type == "geometry":
        assert one.of is not None
        return read_shape(given, one.of)
    if one.type == "code":
        return _code(one, given, context, earlier)
    if one.type == "place":
        return _place(given, context, earlier)
    return _READERS[one.type](one, given, context)


def _text_of(given: Any) -> str:
    if isinstance(given, bool) or not isinstance(given, str | int | float):
        raise InputError("应为文字。", "it should be text.")
    return str(given).strip()


def _text(one: LedgerField, given: Any, _: Context) -> str:
    text = _text_of(given)
    if _CONTROLS.search(text):
        raise InputError("含有不可见的控制字符。", "it holds control characters.")
    longest = one.max_length or LONGEST_TEXT
    if len(text) > longest:
        raise InputError(
            f"至多 {longest} 个字，给出的有 {len(text)} 个。", f"at most {longest} letters; given {len(text)}."
        )
    if one.pattern is not None and not re.fullmatch(one.pattern, text):
        shape = one.help or one.pattern
        zh, en = (shape, shape) if isinstance(shape, str) else (shape.zh, shape.en)
        raise InputError(f"“{text[:60]}”的写法不符，应为：{zh}。", f'"{text[:60]}" is not of the form {en}.')
    return text


def _number(one: LedgerField, given: Any, _: Context) -> float:
    if isinstance(given, bool) or not isinstance(given, int | float | str | Decimal):
        raise InputError("应为数。", "it should be a number.")
    try:
        number = float(given)
    except (ValueError, OverflowError) as error:
        raise InputError(f"“{str(given)[:40]}”不是数。", f'"{str(given)[:40]}" is no number.') from error
    if not math.isfinite(number) or abs(number) > LARGEST:
        raise InputError("数值超出可存的范围。", "the number is beyond what can be kept.")
    if one.decimals is not None and round(exact(number), one.decimals) != exact(number):
        what = (
            ("整数", "a whole number")
            if one.decimals == 0
            else (f"至多 {one.decimals} 位小数", f"at most {one.decimals} places")
        )
        raise InputError(f"{number!r} 应为{what[0]}。", f"{number!r} should be {what[1]}.")
    unit = f" {one.unit}" if one.unit else ""
    if isinstance(one.minimum, int | float) and number < one.minimum:
        raise InputError(f"{number:g} 小于下限 {one.minimum:g}{unit}。", f"{number:g} is below {one.minimum:g}{unit}.")
    if isinstance(one.maximum, int | float) and number > one.maximum:
        raise InputError(f"{number:g} 大于上限 {one.maximum:g}{unit}。", f"{number:g} is above {one.maximum:g}{unit}.")
    return number + 0.0


def _day(one: LedgerField, given: Any, context: Context) -> date:
    if isinstance(given, datetime):
        raise InputError("应为日期，不带时刻。", "it should be a day without a time.")
    if not isinstance(given, date):
        try:
            given = date.fromisoformat(str(given).strip())
        except ValueError as error:
            raise InputError(
                f"“{str(given)[:40]}”不是日期，应如 2024-03-01。", f'"{str(given)[:40]}" is no day such as 2024-03-01.'
            ) from error
    _between(one, given, context)
    return date(given.year, given.month, given.day)


def _moment(one: LedgerField, given: Any, context: Context) -> datetime:
    if not isinstance(given, datetime):
        try:
            given = datetime.fromisoformat(str(given).strip())
        except ValueError as error:
            raise InputError(
                f"“{str(given)[:40]}”不是时间，应如 2024-03-01T08:00。",
                f'"{str(given)[:40]}" is no time such as 2024-03-01T08:00.',
            ) from error
    try:
        moment = to_utc(given)
    except OverflowError as error:
        raise InputError("时间超出范围。", "the time is out of range.") from error
    _between(one, beijing_day(moment), context)
    return moment


def _between(one: LedgerField, day: date, context: Context) -> None:
    low = context.day if one.minimum == "today" else one.minimum
    high = context.day if one.maximum == "today" else one.maximum
    if not 1800 <= day.year <= 2200:
        raise InputError(f"{day} 的年份不可能。", f"{day}: the year cannot be.")
    if isinstance(low, date) and day < low:
        raise InputError(f"{day} 早于 {low}。", f"{day} is before {low}.")
    if isinstance(high, date) and day > high:
        raise InputError(f"{day} 晚于 {high}。", f"{day} is after {high}.")


def _boolean(_: LedgerField, given: Any, __: Context) -> bool:
    if isinstance(given, bool):
        return given
    if str(given).strip().lower() in ("true", "1"):
        return True
    if str(given).strip().lower() in ("false", "0"):
        return False
    raise InputError(f"“{str(given)[:40]}”应为是或否（true、false）。", f'"{str(given)[:40]}" should be true or false.')


def _code(one: LedgerField, given: Any, context: Context, earlier: tuple[Any, ...]) -> str:
    text = _text_of(given)
    codes = context.codes_of(one)
    if text in earlier or any(code.code == text and code.on(context.day) for code in codes):
        return text
    if any(code.code == text for code in codes):
        raise InputError(
            f"代码“{text}”在 {context.day} 不再或尚未有效。", f'the code "{text}" is not in force on {context.day}.'
        )
    some = [code for code in codes if code.on(context.day)]
    zh = "、".join(f"{code.code}（{code.title.zh}）" for code in some[:8])
    en = ", ".join(code.code for code in some[:8])
    raise InputError(f"“{text[:40]}”不在代码表中，可用：{zh}。", f'"{text[:40]}" is no code of the list: {en}.')


def _place(given: Any, context: Context, earlier: tuple[Any, ...]) -> str:
    text = _text_of(given)
    if text in context.places.by_id or text in earlier:
        return text
    some = "、".join(f"{place.id}（{place.title.zh}）" for place in context.places.entries[:8])
    raise InputError(f"没有地区“{text[:40]}”，可用：{some} 等。", f'there is no place "{text[:40]}".')


def uscc_is_right(code: str) -> bool:
    """Return whether a unified social credit code has its check digit (GB 32100-2015).

    Examples
    --------
    >>> uscc_is_right("91350100M000100Y43"), uscc_is_right("91350100M000100Y44"), uscc_is_right("9135")
    (True, False, False)
    """
    if len(code) != 18 or any(sign not in _USCC_SIGNS for sign in code):
        return False
    total = sum(_USCC_SIGNS.index(sign) * pow(3, place, 31) for place, sign in enumerate(code[:17]))
    return _USCC_SIGNS[-total % 31] == code[17]


def _enterprise(_: LedgerField, given: Any, __: Context) -> str:
    code = _text_of(given).upper().replace(" ", "")
    if not uscc_is_right(code):
        raise InputError(
            f"“{code[:40]}”不是有效的统一社会信用代码（18 位，末位为校验码）。",
            f'"{code[:40]}" is no unified social credit code (18 signs, the last a check digit).',
        )
    return code


def _reference(_: LedgerField, given: Any, __: Context) -> str:
    return _text_of(given)[:LONGEST_TEXT]


_READERS: dict[str, Callable[[LedgerField, Any, Context], Any]] = {
    "text": _text,
    "number": _number,
    "quantity": _number,
    "date": _day,
    "datetime": _moment,
    "boolean": _boolean,
    "enterprise": _enterprise,
    "reference": _reference,
}
