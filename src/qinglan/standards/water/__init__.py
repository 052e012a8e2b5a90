"""Surface water: GB 3838 (classes), 环办〔2011〕22号 (evaluation), sections, lakes, cities, sources.

>>> import polars as pl
>>> frame = pl.DataFrame({"site": "a", "time": "2016-04", "factor": ["氨氮", "TP", "w01018"], "value": [2.3, 0.32, 24]})
>>> section_class(frame, kind="river").select("water_class", "word", "main_pollutants").row(0)
(6, '重度污染', '氨氮(1.3)、总磷(0.6)、化学需氧量(0.2)')
"""

from qinglan.standards.water.basins import basin_evaluation
from qinglan.standards.water.black_odorous import (
    black_odorous_editions,
    black_odorous_points,
    black_odorous_waters,
)
from qinglan.standards.water.discharge import discharge_verdict
from qinglan.standards.water.flow import ecological_flows, flow_satisfaction, flow_targets
from qinglan.standards.water.item_classes import item_class
from qinglan.standards.water.kinds import learned_kinds
from qinglan.standards.water.national import network_shares, section_assessment
from qinglan.standards.water.ranking import city_index, index_change, water_rankings
from qinglan.standards.water.sections import section_class
from qinglan.standards.water.sources import source_rates, source_tests
from qinglan.standards.water.tables import discharges, water_classes, water_evaluations
from qinglan.standards.water.trophic import trophic_from_indices, trophic_index, trophics

__all__ = [
    "basin_evaluation",
    "black_odorous_editions",
    "black_odorous_points",
    "black_odorous_waters",
    "city_index",
    "discharge_verdict",
    "discharges",
    "ecological_flows",
    "flow_satisfaction",
    "flow_targets",
    "index_change",
    "item_class",
    "learned_kinds",
    "network_shares",
    "section_assessment",
    "section_class",
    "source_rates",
    "source_tests",
    "trophic_from_indices",
    "trophic_index",
    "trophics",
    "water_classes",
    "water_evaluations",
    "water_rankings",
]
