"""What all tests share: where the shared facts are, and which skips are allowed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("QINGLAN_SHARED", REPOSITORY.parent / "shared"))
ALLOWED_SKIPS = Path(__file__).parent / "allowed_skips.txt"


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of shared facts and measurements; the test is skipped where it is absent."""
    if not (SHARED / "standards").is_dir():
        pytest.skip("the shared facts are not here (QINGLAN_SHARED)")
    return SHARED


@pytest.fixture(scope="session")
def spark() -> Iterator[Any]:
    """The one local Spark session of a test process; its zone is not Beijing's."""
    if shutil.which("java") is None:
        pytest.skip("no Java on this machine: PySpark cannot run")
    sql = pytest.importorskip("pyspark.sql", reason="PySpark is not installed")
    builder = sql.SparkSession.builder.master("local[1]")
    for name, value in {
        "spark.ui.enabled": "false",
        "spark.sql.session.timeZone": "America/New_York",
        "spark.sql.shuffle.partitions": "2",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
    }.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


def _allowed() -> list[str]:
    lines = ALLOWED_SKIPS.read_text("utf-8").splitlines()
    return [line.split("|")[0].strip() for line in lines if line.strip() and not line.startswith("#")]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """On CI a skip fails unless `allowed_skips.txt` names its test with a reason."""
    report = yield
    unlisted = not any(item.nodeid.startswith(start) for start in _allowed())
    if os.environ.get("QINGLAN_CI") == "1" and report.skipped and not hasattr(report, "wasxfail") and unlisted:
        report.outcome = "failed"
        report.longrepr = f"skipped on CI, but not listed in {ALLOWED_SKIPS.name}: {report.longrepr}"
    return report
