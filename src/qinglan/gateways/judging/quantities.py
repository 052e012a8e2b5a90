"""Units as headers and cells write them, and what a number is multiplied by to be in the unit that is judged."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from decimal import Decimal

from qinglan.core import units
from qinglan.core.errors import InputError

# Beside those of core.units; each in terms of the first of its kind.
_MORE: tuple[dict[str, Decimal], ...] = (
    {"mg/kg": Decimal(1), "ug/kg": Decimal("0.001"), "g/kg": Decimal(1000)},
    {"m": Decimal(1), "cm": Decimal("0.01"), "mm": Decimal("0.001"), "km": Decimal(1000)},
    {"hm2": Decimal(1), "亩": Decimal(1) / 15, "km2": Decimal(100), "m2": Decimal("0.0001")},
    {"个/L": Decimal(1), "个/100mL": Decimal(10), "个/mL": Decimal(1000)},
    {"dB": Decimal(1)},
    {"mV": Decimal(1), "V": Decimal(1000)},
    {"元": Decimal(1), "万元": Decimal(10000)},
    {"MPN/100mL or CFU/100mL": Decimal(1), "个/100mL": Decimal(1), "个/L": Decimal("0.1")},
    {"CFU/mL": Decimal(1), "个/mL": Decimal(1)},
    {"Bq": Decimal(1), "GBq": Decimal(10**9), "TBq": Decimal(10**12), "MBq": Decimal(10**6)},
    {"10^4 m3": Decimal(1), "m3": Decimal("0.0001")},
)
_SAME = {
    "count/l": "个/L",
    "mpn/l": "个/L",
    "cfu/l": "个/L",
    "个/升": "个/L",
    "mpn/100ml": "个/100mL",
    "cfu/100ml": "个/100mL",
    "个/100毫升": "个/100mL",
    "cfu/ml": "个/mL",
    "mpn/ml": "个/mL",
    "db(a)": "dB",
    "dba": "dB",
    "分贝": "dB",
    "毫克/千克": "mg/kg",
    "微克/千克": "ug/kg",
    "°c": "℃",
    "oc": "℃",
    "摄氏度": "℃",
    "°": "度",
    "pt-co": "度",
    "铂钴色度单位": "度",
    "厘米": "cm",
    "毫伏": "mV",
    "亩": "亩",
    "万吨": "10^4 t",
    "万立方米": "10^4 m3",
    "万m3": "10^4 m3",
    "万方": "10^4 m3",
    "104m3": "10^4 m3",
    "人": "人",
}
_NONE = {"", "1", "-", "--", "/", "无量纲", "无单位", "ph", "ph值", "none", "dimensionless"}
_PLAIN = (
    "mg/kg",
    "ug/kg",
    "g/kg",
    "m",
    "cm",
    "mm",
    "km",
    "个/L",
    "个/100mL",
    "个/mL",
    "dB",
    "mV",
    "℃",
    "NTU",
    "度",
    "倍",
)
_OTHERS = (
    *_PLAIN,
    "元",
    "万元",
    "Bq",
    "GBq",
    "TBq",
    "MBq",
    "Bq/L",
    "us/cm",
    "ms/m",
    "m3/s",
    "m3",
    "10^4 m3",
    "人",
    "头",
    "年",
    "d",
)
_KNOWN = {name.lower(): name for name in _OTHERS}
_SPLIT = re.compile(r"[\s_/,，:：]+")
_BRACKETS = re.compile(r"^(?P<name>.+?)\s*[(（\[【]\s*(?P<unit>[^\[\]（）【】]+?)\s*[)）\]】]\s*$", re.DOTALL)
_BEHIND_CHINESE = re.compile(r"^(?P<name>.*[一-鿿）)])(?P<unit>[A-Za-zμµ%℃°].*)$")
_LIKE_A_UNIT = re.compile(r"^[A-Za-zμµ%‰°℃/·.\-\d\s^³²⁻¹*]+$")


@dataclass(frozen=True)
class Conversion:
    """A number is multiplied by `times` and divided by `by`: dividing by 1000 is exact, multiplying by 0.001 is not."""

    times: float = 1.0
    by: float = 1.0

    @property
    def none(self) -> bool:
        """Whether the number stays what it is."""
        return self.times == self.by == 1.0


def folded(text: str) -> str:
    """Return a unit's text without what does not matter in it."""
    wide = unicodedata.normalize("NFKC", text).strip().replace("μ", "u").replace("µ", "u")
    plain = re.sub(r"\s+", "", wide).replace("^", "").replace("·l-1", "/l").replace("·L-1", "/L")
    return plain.replace("·m-3", "/m3").replace("·kg-1", "/kg").replace("⁻¹", "-1")


def unit_of(text: str) -> str | None:
    """Return the one spelling of the unit that `text` is; None where it is none.

    Examples
    --------
    >>> [unit_of(text) for text in ("μg/L", "mg_l", "dB(A)", "毫克/升", "MPN/L", "以P计")]
    ['ug/L', 'mg/L', 'dB', 'mg/L', '个/L', None]
    """
    plain = folded(text)
    for written in (plain, plain.replace("_", "/")):
        low = written.lower()
        if low in _NONE:
            return "1"
        if low in _SAME:
            return _SAME[low]
        if low in _KNOWN:
            return _KNOWN[low]
        normal = units.normal(written)
        if normal != written or _is_core(normal):
            return normal
    return None


def split(header: str) -> tuple[str, str | None]:
    """Return a header's name and unit: ``氨氮(mg/L)``, ``codmn_mg_l``, ``透明度 cm``; unit None where it gives none.

    What stands in brackets and looks like a unit is one, known or not, so that a wrong unit is refused and not lost.

    Examples
    --------
    >>> split("高锰酸盐指数(mg/L)"), split("do_mg_l"), split("昼间dB(A)"), split("pH")
    (('高锰酸盐指数', 'mg/L'), ('do', 'mg/L'), ('昼间', 'dB'), ('pH', None))
    """
    found = _BRACKETS.match(header)
    if found and unit_of(found["unit"]) is not None:
        return found["name"].strip(), unit_of(found["unit"])
    for cut in _SPLIT.finditer(header):
        name, rest = header[: cut.start()], header[cut.end() :]
        known = unit_of(rest) if name and rest else None
        if known not in (None, "1"):
            return name, known
    behind = _BEHIND_CHINESE.match(header)
    # One letter behind a name is a sign more often than a unit.
    if behind and len(behind["unit"].strip()) > 1:
        known = unit_of(behind["unit"])
        if known not in (None, "1"):
            return behind["name"].strip(), known
    if found and _LIKE_A_UNIT.match(found["unit"]):
        return found["name"].strip(), found["unit"].strip()
    return header, None


def conversion(given: str | None, wanted: str) -> Conversion | None:
    """Return what brings a number in `given` to `wanted`; None where they are of different kinds.

    Examples
    --------
    >>> conversion("ug/L", "mg/L"), conversion("个/100mL", "个/L"), conversion("mg/m3", "mg/L")
    (Conversion(times=1.0, by=1000.0), Conversion(times=10.0, by=1.0), None)
    """
    if given is None:
        return Conversion()
    source, target = unit_of(given) or given.strip(), unit_of(wanted) or wanted.strip()
    if source == target:
        return Conversion()
    for kind in _MORE:
        if source in kind and target in kind:
            return _of(kind[source] / kind[target])
    try:
        return _of(units.factor_between(source, target))
    except InputError:
        return None


def _of(ratio: Decimal) -> Conversion:
    return Conversion(times=float(ratio)) if ratio >= 1 else Conversion(by=float(1 / ratio))


def _is_core(name: str) -> bool:
    return any(_converts(name, other) for other in ("ug/m3", "mg/L", "kg", "km2", "%", "m"))


def _converts(name: str, other: str) -> bool:
    try:
        units.factor_between(name, other)
    except InputError:
        return False
    return True
