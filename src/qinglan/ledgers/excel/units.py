"""Units as sheets write them: in headers, behind numbers, with 万 and 亿 before them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal

from qinglan.core.errors import InputError
from qinglan.core.units import factor_between, normal

_TIMES = {"十": Decimal(10), "百": Decimal(100), "千": Decimal(1000), "万": Decimal(10_000), "亿": Decimal(100_000_000)}
_AREAS = {"亩": ("hm2", Decimal(1) / Decimal(15)), "km²": ("km2", Decimal(1)), "ha": ("hm2", Decimal(1))}
_WRITTEN = {
    "立方米": "m3",
    "方": "m3",
    "升": "L",
    "天": "d",
    "日": "d",
    "年": "a",
    "小时": "h",
    "秒": "s",
    "吨": "t",
    "平方米": "m2",
    "米": "m",
    "公里": "km",
    "千瓦": "kW",
    "兆瓦": "MW",
    "蒸吨": "t/h",
}
_THOUSAND = re.compile(r"^10\^?4\s*")


def plain(unit: str) -> str:
    """Return a unit in one spelling: no blanks, no powers set high, Chinese words by their signs.

    Examples
    --------
    >>> plain("m³/d"), plain("立方米／日"), plain("μg/m³")
    ('m3/d', 'm3/d', 'ug/m3')
    """
    text = unicodedata.normalize("NFKC", unit).replace(" ", "").replace("μ", "u").replace("µ", "u").replace("^", "")
    pieces = [_WRITTEN.get(piece, piece) for piece in text.split("/")]
    joined = "/".join(pieces)
    return normal(joined)


def factor(given: str, wanted: str) -> Decimal:
    """Return what a number in one unit is multiplied by to be in another.

    Raises
    ------
    InputError
        If they are not of one kind.

    Examples
    --------
    >>> factor("万m³", "m3"), factor("亩", "hm2") == Decimal(1) / 15, factor("km", "m")
    (Decimal('10000'), True, Decimal('1000'))
    """
    source, times = _taken_apart(given)
    target, divided = _taken_apart(wanted)
    ratio = times / divided
    if source == target:
        return ratio
    if source in _AREAS:
        source, share = _AREAS[source]
        ratio *= share
    if target in _AREAS:
        target, share = _AREAS[target]
        ratio /= share
    return ratio if source == target else ratio * factor_between(source, target)


def _taken_apart(unit: str) -> tuple[str, Decimal]:
    text = unicodedata.normalize("NFKC", unit).strip()
    times = Decimal(1)
    if _THOUSAND.match(text):
        text, times = _THOUSAND.sub("", text), Decimal(10_000)
    # 千克 and 千米 are units of their own, 千瓦 and 千立方米 are thousands.
    while len(text) > 1 and text[0] in _TIMES and text[:2] not in ("千克", "千米", "千瓦", "百分"):
        times *= _TIMES[text[0]]
        text = text[1:]
    return plain(text), times


def is_unit(text: str, wanted: str) -> bool:
    """Return whether a text is a unit that can be turned into another."""
    try:
        factor(text, wanted)
    except InputError:
        return False
    return True
