"""Units: the many ways of writing one, and factors between units of one dimension."""

from __future__ import annotations

import re
from decimal import Decimal

from qinglan.core.errors import InputError

# Each unit in terms of the first of its dimension.
_DIMENSIONS: dict[str, dict[str, Decimal]] = {
    "concentration": {
        "ug/m3": Decimal(1),
        "mg/m3": Decimal(1000),
        "ng/m3": Decimal("0.001"),
        "g/m3": Decimal(1000000),
    },
    "water concentration": {
        "mg/L": Decimal(1),
        "ug/L": Decimal("0.001"),
        "ng/L": Decimal("0.000001"),
        "g/L": Decimal(1000),
    },
    "content": {
        "mg/kg": Decimal(1),
        "ug/kg": Decimal("0.001"),
        "ng/kg": Decimal("0.000001"),
        "g/kg": Decimal(1000),
    },
    "conductivity": {"uS/cm": Decimal(1), "mS/cm": Decimal(1000), "mS/m": Decimal(10)},
    "mass": {"kg": Decimal(1), "g": Decimal("0.001"), "t": Decimal(1000), "10^4 t": Decimal(10000000)},
    "area": {"km2": Decimal(1), "hm2": Decimal("0.01"), "m2": Decimal("0.000001")},
    "share": {"%": Decimal(1), "1": Decimal(100)},
    "length": {"m": Decimal(1), "km": Decimal(1000), "mm": Decimal("0.001")},
}
_WRITTEN: dict[str, str] = {
    "微克/立方米": "ug/m3",
    "毫克/立方米": "mg/m3",
    "纳克/立方米": "ng/m3",
    "毫克/升": "mg/L",
    "微克/升": "ug/L",
    "纳克/升": "ng/L",
    "吨": "t",
    "万吨": "10^4 t",
    "千克": "kg",
    "公斤": "kg",
    "克": "g",
    "公顷": "hm2",
    "平方公里": "km2",
    "平方千米": "km2",
    "平方米": "m2",
    "百分比": "%",
    "米": "m",
    "毫米": "mm",
    "千米": "km",
    "℃": "degC",
    "°C": "degC",
    "摄氏度": "degC",
    "无量纲": "1",
    "个/L": "count/L",
    "个/升": "count/L",
    "MPN/L": "count/L",
    "CFU/L": "count/L",
    "毫克/千克": "mg/kg",
    "毫克/公斤": "mg/kg",
    "微克/千克": "ug/kg",
    "微克/公斤": "ug/kg",
    "纳克/千克": "ng/kg",
    "dB(A)": "dB",
    "分贝": "dB",
}
_DRY = re.compile(r"[-(（]?(?:dry(?:weight)?|dw|干重|干基)[)）]?$")
_SIGNS = str.maketrans({"μ": "u", "µ": "u", "³": "3", "²": "2", "％": "%", "／": "/", "^": ""})
_BY_FOLDED = {
    name.translate(_SIGNS).replace(" ", "").lower(): name for dimension in _DIMENSIONS.values() for name in dimension
}


def normal(written: str) -> str:
    """Return the one spelling of a unit; a unit that no dimension knows comes back as it was written.

    Examples
    --------
    >>> normal("mg/kg-dry"), normal("μg/kg（干重）")
    ('mg/kg', 'ug/kg')
    >>> normal("μg/m³"), normal("毫克/升"), normal("MG/M3"), normal("℃"), normal("NTU")
    ('ug/m3', 'mg/L', 'mg/m3', 'degC', 'NTU')
    """
    folded = written.strip().translate(_SIGNS).replace(" ", "").replace("m**3", "m3").lower()
    if "/kg" in folded or "/千克" in folded or "/公斤" in folded:
        # What soil holds is told of its dry mass, whether the unit says so or not.
        folded, written = _DRY.sub("", folded), _DRY.sub("", written.strip().lower())
    return _WRITTEN.get(written.strip()) or _BY_FOLDED.get(folded) or written.strip()


def factor_between(given: str, wanted: str) -> Decimal:
    """Return what a number in `given` is multiplied by to be in `wanted`.

    Raises
    ------
    InputError
        If the two are not of one dimension.

    Examples
    --------
    >>> factor_between("mg/m3", "μg/m³")
    Decimal('1000')
    """
    source, target = normal(given), normal(wanted)
    if source == target:
        return Decimal(1)
    for units in _DIMENSIONS.values():
        if source in units and target in units:
            return units[source] / units[target]
    litres = _DIMENSIONS["water concentration"]
    if target == "mg/m3" and source in litres:
        # Chlorophyll; the other way round it would take what air holds for what water holds.
        return litres[source] * 1000
    raise InputError(
        f"单位“{given}”不能换算为“{wanted}”：请改用与“{wanted}”同类的单位。",
        f'Unit "{given}" cannot be converted to "{wanted}": use a unit of the same kind as "{wanted}".',
        field="unit",
    )
