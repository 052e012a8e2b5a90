"""Waste: codes of hazardous waste, tailings ponds, land for livestock manure.

>>> import polars as pl
>>> check_codes(pl.DataFrame({"code": ["841-001-01"]}), edition="2021")["list_name"].item()
'医疗废物'
"""

from qinglan.standards.waste.codes import check_codes, producer_grade
from qinglan.standards.waste.manure import capacity_index, land_capacity, pig_equivalents
from qinglan.standards.waste.tables import hazardous_wastes, manures, tailings_rules
from qinglan.standards.waste.tailings import tailings_risk, tailings_size

__all__ = [
    "capacity_index",
    "check_codes",
    "hazardous_wastes",
    "land_capacity",
    "manures",
    "pig_equivalents",
    "producer_grade",
    "tailings_risk",
    "tailings_rules",
    "tailings_size",
]
