from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sqlalchemy import Engine

from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.gateways.files.cleaning import Cleaned, clean
from qinglan.gateways.files.importing import KIND, handler
from qinglan.gateways.files.mapping import Mapping
from qinglan.gateways.files.preparing import Wishes, prepare
from qinglan.gateways.files.records import ImportOptions, start_import
from qinglan.jobs import run_now
from qinglan.observations.lake import Lake, open_lake

NOW = datetime(2026, 6, 1, tzinfo=UTC)


@dataclass
class Home:
    """One installation in a temporary folder."""

    settings: Settings
    engine: Engine
    lake: Lake

    def take(self, *files: Path, **options: Any) -> dict[str, Any]:
        identifier = start_import(self.engine, self.settings, list(files), ImportOptions(**options))
        job = run_now(self.engine, {KIND: handler(self.settings, self.lake)}, identifier)
        return {"id": identifier, **dict(job.result or {})}

    def rows(self) -> pl.DataFrame:
        return self.lake.scan().sort("site", "factor", "time").collect()


@pytest.fixture
def home(tmp_path: Path) -> Home:
    settings = Settings.load(tmp_path / "home", {})
    engine = open_base(settings)
    return Home(settings, engine, open_lake(settings, engine))


@pytest.fixture
def cleaned(tmp_path: Path) -> Callable[..., Cleaned]:
    """Return what becomes of a CSV text (its only chunk)."""

    def do(text: str, *, stamp: str | None = "start", encoding: str = "utf-8", **mapping: Any) -> Cleaned:
        path = tmp_path / "given.csv"
        path.write_bytes(text.encode(encoding))
        prepared = prepare(path, path.name, Wishes(Mapping(**mapping), stamp=stamp), NOW)  # type: ignore[arg-type]
        return clean(next(iter(prepared.chunks())), prepared.rules)

    return do
