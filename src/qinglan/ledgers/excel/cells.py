"""One cell as a field's value: what people and spreadsheets write, read for what it says or refused with the reason."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date, datetime, timedelta
from datetime import time as clock
from decimal import Decimal
from typing import Any

from shapely.geometry.base import BaseGeometry

from qinglan.core.errors import InputError
from qinglan.core.interval import BEIJING
from qinglan.ledgers.excel import units
from qinglan.ledgers.fields import LedgerField
from qinglan.ledgers.validate import Context

BLANKS = frozenset({"", "-", "--", "---", "—", "——", "–", "/", "\\", "N/A", "n/a", "NA", "null", "NULL", "空", "暂无"})
_ERRORS = frozenset({"#N/A", "#REF!", "#VALUE!", "#DIV/0!", "#NAME?", "#NULL!", "#NUM!", "#GETTING_DATA"})
_NUMBER = re.compile(r"([+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?)\s*(.*)", re.DOTALL)
_THOUSANDS = re.compile(r"[+-]?\d{1,3}(?:,\d{3})+(?:\.\d+)?(?!\d)")
_DAY = re.compile(
    r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?(?:[\sT]*(\d{1,2})\s*[:时点]\s*(?:(\d{1,2})\s*分?)?"
    r"(?::(\d{1,2})(?:\.\d+)?)?)?"
)
_MONTH = re.compile(r"\d{4}\s*[-/.年]\s*\d{1,2}\s*月?|\d{4}\s*年?")
_CHINESE = str.maketrans("〇零一二三四五六七八九", "00123456789")
_CHINESE_DAY = re.compile(
    r"([〇零一二三四五六七八九]{4})年([一二三四五六七八九十]{1,3})月([一二三四五六七八九十]{1,3})日"
)
_SERIALS = (1, 109_574)
_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a day of the calendar, of no zone
# A number of sixteen digits or more has lost its last ones in a spreadsheet.
_LOST = 1e15
_SEPARATORS = re.compile(r"[、；;\n]+")
_DEGREES = re.compile(r"[°度′'分″\"秒]+")
_TRUE = frozenset({"是", "有", "√", "✓", "✔", "y", "yes", "true", "1", "对", "已"})
_FALSE = frozenset({"否", "无", "×", "✗", "✘", "n", "no", "false", "0", "错", "未"})


def folded(cell: Any) -> str:
    """Return a cell's text with full-width signs made narrow and blanks at its ends gone.

    Examples
    --------
    >>> folded("　１２．５（ｍ） "), folded(12.0)
    ('12.5(m)', '12')
    """
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < _LOST:
        return str(int(cell))
    return unicodedata.normalize("NFKC", str(cell)).replace("\u200b", "").replace("\ufeff", "").strip()


def is_blank(cell: Any) -> bool:
    """Return whether a cell says nothing: it is empty, or holds one of the strokes that people put there."""
    return cell is None or (isinstance(cell, str) and (folded(cell) in BLANKS or set(folded(cell)) <= {"-", "−", "—"}))


def read_cell(field: LedgerField, cell: Any, context: Context, unit: str | None = None) -> Any:
    """Return the value of a cell, ready for validation; None for a blank one.

    Parameters
    ----------
    unit
        The unit that the column's header says; else the field's.

    Raises
    ------
    InputError
        If the cell cannot be read for certain.
    """
    if is_blank(cell):
        return None
    text = folded(cell)
    if text.upper() in _ERRORS:
        raise InputError(f"单元格是 Excel 的错误值 {text}。", f"The cell holds Excel's error {text}.")
    if field.many:
        return [
            _READ[field.type](field, piece, context, unit) for piece in _SEPARATORS.split(str(cell)) if piece.strip()
        ]
    return _READ[field.type](field, cell, context, unit)


def _text(_: LedgerField, cell: Any, __: Context, ___: str | None) -> str:
    if isinstance(cell, datetime | date | clock | timedelta):
        raise InputError(
            f"Excel 已把它变成日期或时间（{cell}）：请把该列设为文本后重填。",
            f"Excel has made a date or time of it ({cell}): set the column to text and write it again.",
        )
    if isinstance(cell, float) and abs(cell) >= _LOST:
        raise InputError(
            f"编号被存为数字，末几位已失真（{cell:.0f}）：请把该列设为文本后重填。",
            f"It was kept as a number and lost its last digits ({cell:.0f}): set the column to text.",
        )
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, str):
        # An apostrophe before a sign is how an export keeps a text from being taken for a formula.
        text = cell.strip()
        return text[1:] if len(text) > 1 and text[0] == "'" and text[1] in "=+-@\t\r＝＋－＠" else text
    return folded(cell)


def _sign(field: LedgerField, cell: Any, context: Context, unit: str | None) -> str:
    return folded(_text(field, cell, context, unit))


def _number(field: LedgerField, cell: Any, _: Context, unit: str | None) -> float | Decimal:
    if isinstance(cell, bool | datetime | date | clock | timedelta):
        raise InputError(f"“{cell}”不是数。", f'"{cell}" is no number.')
    wanted = field.unit
    if isinstance(cell, int | float):
        return _scaled(cell, unit, wanted)
    text = folded(cell).replace("−", "-")
    if "," in text:
        match = _THOUSANDS.match(text)
        if match is None or "," in text[match.end() :]:
            raise InputError(
                f"“{text}”中的逗号含义不明：小数写 12.5，千分位写 1,234。",
                f'The comma in "{text}" may mean two things: write 12.5, or 1,234 for thousands.',
            )
        text = match[0].replace(",", "") + text[match.end() :]
    found = _NUMBER.fullmatch(text)
    if found is None:
        raise InputError(f"“{text[:40]}”不是数。", f'"{text[:40]}" is no number.')
    behind = found[2].strip()
    if behind and (wanted is None or not units.is_unit(behind, wanted)):
        raise InputError(
            f"“{text[:40]}”中的“{behind[:20]}”不是可换算的单位{f'（应为 {wanted}）' if wanted else ''}。",
            f'"{behind[:20]}" in "{text[:40]}" is no unit that can be converted{f" to {wanted}" if wanted else ""}.',
        )
    return _scaled(Decimal(found[1]), behind or unit, wanted)


def _scaled(number: float | Decimal, unit: str | None, wanted: str | None) -> float | Decimal:
    if unit is None or wanted is None:
        return number
    times = units.factor(unit, wanted)
    return number if times == 1 else Decimal(repr(number) if isinstance(number, float) else number) * times


def _moment_of(cell: Any) -> datetime:
    """Return what a cell says of a day, with its time where it has one."""
    if isinstance(cell, datetime):
        return cell
    if isinstance(cell, date):
        return datetime.combine(cell, clock())
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _from_number(cell)
    text = folded(cell)
    chinese = _CHINESE_DAY.fullmatch(unicodedata.normalize("NFKC", str(cell)).strip())
    if chinese is not None:
        return _made(text, int(chinese[1].translate(_CHINESE)), _ten(chinese[2]), _ten(chinese[3]))
    found = _DAY.fullmatch(text)
    if found is not None:
        return _made(text, *(int(part) for part in found.groups(default="0")))
    if text.replace(".", "", 1).isdigit():
        return _from_number(float(text))
    if _MONTH.fullmatch(text):
        raise InputError(f"“{text}”没有写到日：请补全为 2024-03-01。", f'"{text}" has no day: write it as 2024-03-01.')
    raise InputError(f"“{text[:40]}”不是日期，应如 2024-03-01。", f'"{text[:40]}" is no day such as 2024-03-01.')


def _from_number(number: float) -> datetime:
    """Return the day of 20240301, or of a spreadsheet's serial number."""
    if float(number).is_integer() and 18000101 <= number <= 22001231:
        text = str(int(number))
        return _made(text, int(text[:4]), int(text[4:6]), int(text[6:]))
    # Small numbers are years or counts as likely as days of 1900 to 1954.
    if not 20_000 <= number <= _SERIALS[1]:
        raise InputError(f"“{number:g}”不是日期，应如 2024-03-01。", f'"{number:g}" is no day such as 2024-03-01.')
    return _EPOCH + timedelta(seconds=round(number * 86_400))


def _made(text: str, *parts: int) -> datetime:
    try:
        return datetime(*parts)  # type: ignore[arg-type]  # noqa: DTZ001 - given its zone by the caller
    except ValueError as error:
        raise InputError(f"没有“{text}”这一天或时刻。", f'There is no day or time "{text}".') from error


def _ten(text: str) -> int:
    tens, _, ones = text.partition("十") if "十" in text else ("0", "", text)
    return int(tens.translate(_CHINESE) or 1) * 10 + int(ones.translate(_CHINESE) or 0)


def _date(_: LedgerField, cell: Any, __: Context, ___: str | None) -> date:
    found = _moment_of(cell)
    if found.time() != clock():
        raise InputError(f"“{cell}”带有时刻，应只写日期。", f'"{cell}" has a time; write the day only.')
    return found.date()


def _datetime(_: LedgerField, cell: Any, __: Context, ___: str | None) -> datetime:
    return _moment_of(cell).replace(tzinfo=BEIJING)


def _boolean(_: LedgerField, cell: Any, __: Context, ___: str | None) -> bool:
    if isinstance(cell, bool):
        return cell
    text = folded(cell).lower()
    if text in _TRUE:
        return True
    if text in _FALSE or text in ("x",):
        return False
    raise InputError(f"“{text[:20]}”应写是或否。", f'"{text[:20]}" should be yes or no (是, 否).')


def _code(field: LedgerField, cell: Any, context: Context, unit: str | None) -> str:
    text = _sign(field, cell, context, unit)
    for code in context.codes_of(field):
        if text == code.code:
            return code.code
    for code in context.codes_of(field):
        if text.lower() in {folded(name).lower() for name in code.names()} and code.on(context.day):
            return code.code
    # A template writes "code title" where titles alone would not tell.
    head = text.split(" ")[0]
    return head if any(code.code == head for code in context.codes_of(field)) else text


def _place(field: LedgerField, cell: Any, context: Context, unit: str | None) -> str:
    text = _sign(field, cell, context, unit)
    exact = context.places.by_name.get(text) or context.places.by_name.get(text.lower())
    if exact is not None:
        return exact
    ends = {place.id for place in context.places.entries if len(place.title.zh) > 1 and text.endswith(place.title.zh)}
    starts = {place.id for place in context.places.entries if len(text) > 1 and place.title.zh.startswith(text)}
    for found in (ends, starts):
        if len(found) == 1:
            return found.pop()
    return text


def _geometry(_: LedgerField, cell: Any, __: Context, ___: str | None) -> Any:
    return cell if isinstance(cell, BaseGeometry) else str(cell)


def degrees(cell: Any) -> float:
    """Return longitude or latitude written as a number or as degrees, minutes and seconds.

    Examples
    --------
    >>> degrees("120°30′36″"), degrees(40.7), degrees("１２０．５")
    (120.51, 40.7, 120.5)
    """
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell)
    text = folded(cell)
    pieces = _DEGREES.sub(" ", text.strip("EWNS东西南北经纬 ")).split()
    try:
        numbers = [Decimal(piece) for piece in pieces]
    except ArithmeticError:
        numbers = []
    if not 1 <= len(numbers) <= 3 or any(not 0 <= number < 60 for number in numbers[1:]):
        raise InputError(
            f"“{text[:40]}”不是经纬度，应如 120.5 或 120°30′00″。", f'"{text[:40]}" is no longitude or latitude.'
        )
    value = sum((number / 60**place for place, number in enumerate(numbers)), Decimal(0))
    return float(round(-value if any(side in text for side in "WS西南") else value, 9))


_READ: dict[str, Callable[[LedgerField, Any, Context, str | None], Any]] = {
    "text": _text,
    "number": _number,
    "quantity": _number,
    "date": _date,
    "datetime": _datetime,
    "boolean": _boolean,
    "code": _code,
    "place": _place,
    "enterprise": _sign,
    "reference": _sign,
    "geometry": _geometry,
}
