"""Noise: GB 3096 (functional zones), HJ 640 (cities), GB 12348 (works) and GB 12523 (construction sites).

>>> import polars as pl
>>> roads = pl.DataFrame({"site": ["a", "b"], "value": [65.0, 66.0], "length": [200.0, 800.0]})
>>> city_grade(roads, kind="road_traffic").select("rounded", "grade", "word").row(0)
(65.8, '一级', '好')
"""

from qinglan.standards.noise.boundary import boundary, construction, octave, structure_borne
from qinglan.standards.noise.city import attainment, city_grade
from qinglan.standards.noise.functional_zones import zone_verdict
from qinglan.standards.noise.levels import levels
from qinglan.standards.noise.tables import boundaries, city_grades, zones
from qinglan.standards.noise.words import rejects

__all__ = [
    "attainment",
    "boundaries",
    "boundary",
    "city_grade",
    "city_grades",
    "construction",
    "levels",
    "octave",
    "rejects",
    "structure_borne",
    "zone_verdict",
    "zones",
]
