"""Soil: GB 15618 (farmland, three classes), GB 36600 (construction land) and the safe-use rates."""

from qinglan.standards.soil.agricultural import farmland, farmland_rejects, farmland_units
from qinglan.standards.soil.development import construction_land, construction_rejects
from qinglan.standards.soil.rates import construction_safe_use_rate, farmland_safe_use_rate
from qinglan.standards.soil.tables import construction_editions, farmland_editions, safe_use_rules

__all__ = [
    "construction_editions",
    "construction_land",
    "construction_rejects",
    "construction_safe_use_rate",
    "farmland",
    "farmland_editions",
    "farmland_rejects",
    "farmland_safe_use_rate",
    "farmland_units",
    "safe_use_rules",
]
