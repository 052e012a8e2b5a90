"""Risk: grades of enterprises for sudden incidents (HJ 941), categories of radioactive sources.

>>> import polars as pl
>>> source_category(pl.DataFrame({"site": ["a"], "nuclide": ["Co-60"], "activity": [3e13]}))["word"].item()
'极高危险源'
"""

from qinglan.standards.risk.control import control_score, surroundings
from qinglan.standards.risk.grade import risk_grade
from qinglan.standards.risk.quantity import critical_quantities, risk_quantity
from qinglan.standards.risk.sources import source_category
from qinglan.standards.risk.tables import enterprise_risks, radioactive_sources

__all__ = [
    "control_score",
    "critical_quantities",
    "enterprise_risks",
    "radioactive_sources",
    "risk_grade",
    "risk_quantity",
    "source_category",
    "surroundings",
]
