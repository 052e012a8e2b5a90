"""Online monitoring of pollution sources: validity, means, candidates of exceedance, transmission, totals.

>>> import polars as pl
>>> from datetime import datetime
>>> hours = pl.DataFrame({"site": "a", "factor": "w01018", "time": [datetime(2025, 7, 1)], "value": [2600.0]})
>>> arrival_flags(hours, "wastewater")["doubt"].item()
'out_of_range'
"""

from qinglan.standards.emission.averaging import converted_hours, furnace_days, gas_days, hourly_means, water_days
from qinglan.standards.emission.exceedance import candidate_exceedances
from qinglan.standards.emission.tables import (
    gas_onlines,
    incinerations,
    online_marks,
    transmissions,
    validities,
    water_onlines,
)
from qinglan.standards.emission.totals import gas_totals, hourly_emissions, water_totals
from qinglan.standards.emission.transmission import transmission_rate
from qinglan.standards.emission.validity import arrival_flags, gaps

__all__ = [
    "arrival_flags",
    "candidate_exceedances",
    "converted_hours",
    "furnace_days",
    "gaps",
    "gas_days",
    "gas_onlines",
    "gas_totals",
    "hourly_emissions",
    "hourly_means",
    "incinerations",
    "online_marks",
    "transmission_rate",
    "transmissions",
    "validities",
    "water_days",
    "water_onlines",
    "water_totals",
]
