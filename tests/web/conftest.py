"""A small home folder with measurements whose verdicts are known by hand."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import date, datetime, timedelta
from datetime import time as midnight
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from fastapi.testclient import TestClient

from qinglan.app import Application
from qinglan.core.interval import BEIJING, to_utc
from qinglan.web.application import create_application
from qinglan.web.observed import configure_logs

HERE = "http://127.0.0.1:8212"
STATIONS = ("211400-01", "211400-02", "211400-03", "211400-04")
CODES = {"PM2.5": "a34004", "PM10": "a34002", "SO2": "a21026", "NO2": "a21004", "CO": "a21005", "O3": "a05024"}
CLEAN = {"PM2.5": 30.0, "PM10": 50.0, "SO2": 10.0, "NO2": 20.0, "CO": 0.5, "O3": 40.0}
COUNTY = "211481-01"
WITHOUT_NO2 = {name: value for name, value in CLEAN.items() if name != "NO2"}
Waits = Callable[[str], dict[str, Any]]


def hours(site: str, day: date, values: dict[str, float], count: int = 24) -> pl.DataFrame:
    """The first `count` hours of a Beijing day with the same values throughout."""
    start = to_utc(datetime.combine(day, midnight(), BEIJING))
    rows = [
        {"site": site, "factor": CODES[name], "time": start + timedelta(hours=hour), "value": value}
        for name, value in values.items()
        for hour in range(count)
    ]
    return pl.DataFrame(rows).with_columns(grain=pl.lit("hour"), basis=pl.lit("audited"))


@pytest.fixture(scope="package", autouse=True)
def _logs() -> None:
    configure_logs(as_json=True)


@pytest.fixture(scope="package")
def application(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Application]:
    """2023-01-20: PM2.5 60 everywhere; 21st: 115; 22nd: two stations of four; 24th: 400.

    The county station has no NO2: on the 25th a clean day, on the 26th one with PM2.5 115.
    """
    with Application.open(tmp_path_factory.mktemp("web") / "home") as application:
        days = [
            *(hours(site, date(2023, 1, 20), CLEAN | {"PM2.5": 60.0}) for site in STATIONS),
            *(hours(site, date(2023, 1, 21), CLEAN | {"PM2.5": 115.0}) for site in STATIONS),
            *(hours(site, date(2023, 1, 22), CLEAN) for site in STATIONS[:2]),
            *(hours(site, date(2023, 1, 24), CLEAN | {"PM2.5": 400.0}) for site in STATIONS),
            hours(COUNTY, date(2023, 1, 25), WITHOUT_NO2),
            hours(COUNTY, date(2023, 1, 26), WITHOUT_NO2 | {"PM2.5": 115.0}),
        ]
        application.lake.submit(pl.concat(days), source="simulated")
        # One hour is marked as a fault, one is corrected.
        marked = hours(STATIONS[0], date(2023, 1, 21), {"PM2.5": 999.0}, count=1)
        application.lake.submit(marked.with_columns(flag=pl.lit("D")), source="simulated")
        application.lake.submit(hours(STATIONS[1], date(2023, 1, 20), {"PM2.5": 61.5}, count=1), source="simulated")
        yield application


@pytest.fixture(scope="package")
def client(application: Application) -> Iterator[TestClient]:
    with TestClient(create_application(application), base_url=HERE) as client:
        yield client


@pytest.fixture(scope="package")
def finished(client: TestClient) -> Waits:
    """Wait for a job or import to end."""

    def wait(address: str) -> dict[str, Any]:
        for _ in range(600):
            found: dict[str, Any] = client.get(address).json()
            if found["state"] in {"done", "failed", "cancelled"}:
                return found
            time.sleep(0.05)
        raise AssertionError(f"{address} did not end: {found}")

    return wait


@pytest.fixture
def own_home(tmp_path: Path) -> Iterator[Application]:
    """A home of a test's own, empty."""
    with Application.open(tmp_path / "home") as application:
        yield application
