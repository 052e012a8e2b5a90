"""Governance: environmental tax, heavy-pollution levels, credit of enterprises, grades of incidents.

>>> import polars as pl
>>> incident_grade(pl.DataFrame({"site": ["a"], "deaths": [2]}))["word"].item()
'一般'
"""

from qinglan.standards.governance.credit import credit_grade
from qinglan.standards.governance.incident import incident_grade
from qinglan.standards.governance.other_tax import noise_tax, solid_tax
from qinglan.standards.governance.tables import credits_of, heavy_pollution, incidents, taxes
from qinglan.standards.governance.tax import pollution_tax
from qinglan.standards.governance.warning import heavy_pollution_level

__all__ = [
    "credit_grade",
    "credits_of",
    "heavy_pollution",
    "heavy_pollution_level",
    "incident_grade",
    "incidents",
    "noise_tax",
    "pollution_tax",
    "solid_tax",
    "taxes",
]
