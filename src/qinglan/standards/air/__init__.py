"""Ambient air: GB 3095 (limits), HJ 633 (index), HJ 663 (evaluation) and the cities' composite index.

>>> import polars as pl
>>> from datetime import date
>>> days = pl.DataFrame({"site": ["a"] * 6, "factor": ["PM2.5", "PM10", "SO2", "NO2", "CO", "O3"],
...                      "date": [date(2025, 6, 1)] * 6, "value": [45, 80, 35, 85, 3, 140]})
>>> daily_aqi_from_days(days).select("aqi", "level", "primary").row(0)
(103, 3, 'NO2')
"""

from qinglan.standards.air.annual import annual_evaluation
from qinglan.standards.air.city import city_mean
from qinglan.standards.air.composite import composite_index, ranking
from qinglan.standards.air.days import daily_values
from qinglan.standards.air.index import daily_aqi, daily_aqi_from_days, hourly_aqi
from qinglan.standards.air.rolling import rolling
from qinglan.standards.air.tables import classes, evaluations, indices, limits

__all__ = [
    "annual_evaluation",
    "city_mean",
    "classes",
    "composite_index",
    "daily_aqi",
    "daily_aqi_from_days",
    "daily_values",
    "evaluations",
    "hourly_aqi",
    "indices",
    "limits",
    "ranking",
    "rolling",
]
