"""The six basic pollutants: the names of the standards, the codes of the catalogue, the order of the tables."""

from __future__ import annotations

import narwhals as nw

from qinglan.catalogue import factors

POLLUTANTS = ("SO2", "NO2", "PM10", "CO", "O3", "PM2.5")
"""In the order of HJ 633 table 1."""

DAY_MEANS = ("SO2", "NO2", "PM10", "CO", "PM2.5")
"""Those whose daily value is the mean of 24 hours; ozone has daily maxima."""

OZONE_HOUR = "O3_1h"
"""The day's largest hourly ozone value, beside ``O3``, its largest 8-hour mean."""


def written(pollutant: str) -> tuple[str, ...]:
    """Return every way of writing a pollutant in a factor column: its code, its name, its aliases."""
    factor = factors.find(pollutant)
    if factor is None:
        return (pollutant,)
    return tuple(dict.fromkeys((pollutant, factor.id, *factor.aliases)))


def is_pollutant(pollutant: str, column: str = "factor") -> nw.Expr:
    """Return whether a row is of `pollutant`, however it is written."""
    return nw.col(column).is_in(written(pollutant))


def canonical(names: tuple[str, ...], column: str = "factor") -> nw.Expr:
    """Return the standards' name of each row's pollutant; null for factors that the standards do not judge."""
    found = nw.lit(None, dtype=nw.String)
    for name in names:
        known = nw.col(column) == name if name == OZONE_HOUR else is_pollutant(name, column)
        found = nw.when(known).then(nw.lit(name)).otherwise(found)
    return found


def safe(column: str) -> str:
    """Return a column's name without the dot of PM2.5, which Spark would take for a field of a structure."""
    return column.replace("PM2.5", "PM25")


def col(column: str) -> nw.Expr:
    """Return the column of a pollutant, whatever is written before or behind its name."""
    return nw.col(safe(column))
