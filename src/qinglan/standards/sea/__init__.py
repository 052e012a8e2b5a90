"""The sea: GB 3097 (classes of points), shares of area, words, eutrophication, and what rivers carry in.

>>> import polars as pl
>>> point = pl.DataFrame({"site": "a", "factor": ["溶解氧", "无机氮"], "value": [5.5, 0.35]})
>>> point_class(point).select("word", "deciding").row(0)
('三类', '无机氮')
"""

from qinglan.standards.sea.area import shares_by_interpolation
from qinglan.standards.sea.flux import river_flux
from qinglan.standards.sea.points import point_class, rejects
from qinglan.standards.sea.shares import grade_words, shares_by_areas, shares_by_points, yearly_shares
from qinglan.standards.sea.tables import classes, evaluation

__all__ = [
    "classes",
    "evaluation",
    "grade_words",
    "point_class",
    "rejects",
    "river_flux",
    "shares_by_areas",
    "shares_by_interpolation",
    "shares_by_points",
    "yearly_shares",
]
