"""Groundwater: GB/T 14848 (93 items), the score F of 1993, the Nemerow index and DRASTIC."""

from qinglan.standards.groundwater.tables import classes, drastic_tables, score
from qinglan.standards.groundwater.vulnerability import drastic_class, drastic_index, drastic_ratings
from qinglan.standards.groundwater.wells import f_score, nemerow, rejects, well_class

__all__ = [
    "classes",
    "drastic_class",
    "drastic_index",
    "drastic_ratings",
    "drastic_tables",
    "f_score",
    "nemerow",
    "rejects",
    "score",
    "well_class",
]
