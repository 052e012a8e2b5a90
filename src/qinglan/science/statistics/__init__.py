"""Trends, changes and completeness of series: pure functions on numbers.

>>> from qinglan.science import statistics
>>> statistics.daniel([9, 8, 4, 5, 3]).word
'显著下降'
"""

from qinglan.science.statistics.change import Change, change_word, share_change_word, year_on_year
from qinglan.science.statistics.rank import RankTrend, critical_value, daniel, rank_correlation
from qinglan.science.statistics.smoothing import capture, kolmogorov_zurbenko
from qinglan.science.statistics.trend import MannKendall, TheilSen, mann_kendall, seasonal_mann_kendall, theil_sen

__all__ = [
    "Change",
    "MannKendall",
    "RankTrend",
    "TheilSen",
    "capture",
    "change_word",
    "critical_value",
    "daniel",
    "kolmogorov_zurbenko",
    "mann_kendall",
    "rank_correlation",
    "seasonal_mann_kendall",
    "share_change_word",
    "theil_sen",
    "year_on_year",
]
