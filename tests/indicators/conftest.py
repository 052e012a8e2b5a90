"""A home folder with the shipped city pack and an empty lake."""

from __future__ import annotations

from datetime import datetime

import polars as pl
import pytest

from qinglan.app import Application
from qinglan.base.settings import Settings
from qinglan.core.interval import BEIJING


@pytest.fixture
def application(tmp_path):
    with Application.open(Settings(home=tmp_path)) as found:
        yield found


@pytest.fixture
def report(application):
    """Put one yearly figure into the lake, as a department reports it."""

    def put(indicator, year, value, *, site=None, basis="assessed", flag=None, received=None):
        frame = pl.DataFrame(
            {
                "site": [site or application.city.adcode],
                "factor": [f"indicator:{indicator}"],
                "grain": ["year"],
                "time": [datetime(year, 1, 1, tzinfo=BEIJING)],
                "basis": [basis],
                "value": [float(value)],
                "flag": [flag],
                "received": [received or datetime(year + 1, 3, 1, tzinfo=BEIJING)],
            },
            schema_overrides={"flag": pl.String},
        ).with_columns(pl.col("time", "received").dt.convert_time_zone("UTC"))
        return application.lake.submit(frame, source="simulated")

    return put
