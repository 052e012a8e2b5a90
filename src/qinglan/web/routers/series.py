"""Series: what was measured, in points and as a file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import polars as pl
from fastapi import APIRouter, Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from qinglan.core.interval import Basis, Grain
from qinglan.observations.read import Snapshot
from qinglan.web.answers import Json, csv_response
from qinglan.web.identity import needs
from qinglan.web.inventory import inventory, value_text
from qinglan.web.kept import tag, tagged, unchanged
from qinglan.web.moments import parse_as_of, parse_moment, parse_since
from qinglan.web.naming import factor_title, known_factor, known_site, unit_of
from qinglan.web.points import (
    MOST_POINTS,
    beijing_text,
    changed,
    download_rows,
    expected_slots,
    flags_used,
    iso,
    point_rows,
    valid_values,
)
from qinglan.web.state import Served, Serving

router = APIRouter(prefix="/api/v1/series", tags=["series"])
Name = Annotated[str, Query(min_length=1, max_length=64)]
Moment = Annotated[str | None, Query(max_length=40)]


@dataclass(frozen=True)
class Asked:
    """One series over one range, as it was known at one time."""

    site: str
    factor: str
    grain: Grain
    basis: Basis
    start: datetime | None
    end: datetime | None
    as_of: datetime | None
    since: int | datetime | None

    def snapshot(self, served: Served) -> Snapshot:
        """Return one state of the lake, from which nothing but this series is read."""
        return served.application.lake.snapshot(
            sites=self.site,
            factors=self.factor,
            grain=self.grain,
            basis=self.basis,
            start=self.start,
            end=self.end,
            as_of=self.as_of,
        )

    def rows(self, snapshot: Snapshot) -> pl.DataFrame:
        """Return the rows in order of time."""
        return changed(snapshot.polars(), self.since).sort("time").collect()


def asked(
    serving: Serving,
    *,
    site: Name,
    factor: Name,
    grain: Grain,
    basis: Basis,
    start: Moment = None,
    end: Moment = None,
    as_of: Moment = None,
    changed_since: Moment = None,
) -> Asked:
    """Read the arguments that all answers about one series share.

    A bare date is a whole Beijing day, the last one included; a time as `end` is not.
    """
    return Asked(
        known_site(serving, site),
        known_factor(serving, factor),
        grain,
        basis,
        parse_moment(start, "start") if start else None,
        parse_moment(end, "end", end=True) if end else None,
        parse_as_of(as_of),
        parse_since(changed_since) if changed_since else None,
    )


@router.get("")
@needs("read")
def list_series(
    serving: Serving,
    request: Request,
    *,
    site: Annotated[str | None, Query(max_length=64)] = None,
    factor: Annotated[str | None, Query(max_length=64)] = None,
    grain: Grain | None = None,
    basis: Basis | None = None,
    limit: Annotated[int, Query(ge=1, le=20_000)] = 5_000,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Response:
    """List the series that the lake holds, with their newest value."""
    lake = serving.application.lake
    revision = lake.revision
    wanted = {
        "site": known_site(serving, site) if site else None,
        "factor": known_factor(serving, factor) if factor else None,
        "grain": grain,
        "basis": basis,
    }
    etag = tag("series", revision, *wanted.values(), limit, offset)
    if found := unchanged(request, etag):
        return found
    conditions = [pl.col(name) == word for name, word in wanted.items() if word is not None]
    rows = (
        inventory(lake, serving.kept, revision)
        .filter(*conditions)
        .slice(offset, limit)
        .with_columns(beijing_text("first"), beijing_text("last"), beijing_text("time"))
    )
    return Json([_listed(serving, row) for row in rows.iter_rows(named=True)], headers=tagged(etag))


@router.get("/data")
@needs("read")
def series_data(
    serving: Serving,
    request: Request,
    wanted: Annotated[Asked, Depends(asked)],
    limit: Annotated[int, Query(ge=1, le=MOST_POINTS)] = MOST_POINTS,
    cursor: Moment = None,
) -> Response:
    """Return the points of one series, and how many there should be.

    `cursor` is the one that a truncated answer gave: the points go on from there. `changed_since` (a revision or
    a time) leaves only points that were written after it.
    """
    snapshot = wanted.snapshot(serving)
    etag = tag("data", snapshot.revision, wanted, limit, cursor)
    # What is expected up to now grows with the clock, so only a closed range of the past can be unchanged.
    closed = wanted.end is not None and wanted.end <= datetime.now(UTC)
    if closed and (found := unchanged(request, etag)):
        return found
    frame = wanted.rows(snapshot)
    counts = _counts(wanted, frame)
    if cursor:
        frame = frame.filter(pl.col("time") >= parse_moment(cursor, "cursor"))
    shown = frame.head(limit)
    after = frame["time"][limit] if frame.height > limit else None
    answer = {
        "series": {"site": wanted.site, "factor": wanted.factor, "grain": wanted.grain, "basis": wanted.basis},
        "unit": unit_of(serving, wanted.factor),
        "revision": snapshot.revision,
        **counts,
        "simulated": bool((frame["source"] == "simulated").any()),
        "points": point_rows(shown),
        "flags": flags_used(shown),
        "truncated": after is not None,
        "cursor": iso(after),
    }
    return Json(answer, headers=tagged(etag) if closed else None)


@router.get("/data.csv")
@needs("export")
def series_file(serving: Serving, wanted: Annotated[Asked, Depends(asked)]) -> Response:
    """Return all rows of one series as a file that says in its first lines what was asked for."""
    snapshot = wanted.snapshot(serving)
    name = f"{wanted.site}_{wanted.factor}_{wanted.grain}_{wanted.basis}.csv"
    return csv_response(name, _file_rows(serving, wanted, snapshot.revision, wanted.rows(snapshot)))


def _file_rows(serving: Served, wanted: Asked, revision: int, frame: pl.DataFrame) -> Iterator[Sequence[Any]]:
    unit = unit_of(serving, wanted.factor) or ""
    yield ("# 点位 site", wanted.site, serving.geography.site_title(wanted.site).zh)
    yield ("# 因子 factor", wanted.factor, factor_title(serving, wanted.factor).zh)
    yield ("# 单位 unit", unit)
    yield ("# 时段 grain", wanted.grain)
    yield ("# 口径 basis", wanted.basis)
    yield ("# 起 start (included)", iso(wanted.start))
    yield ("# 止 end (not included)", iso(wanted.end))
    yield ("# 截至 as_of", iso(wanted.as_of))
    yield ("# 此后变化 changed_since", iso(wanted.since) if isinstance(wanted.since, datetime) else wanted.since)
    yield ("# 数据修订号 lake revision", revision)
    yield ("# 行数 rows", frame.height)
    if frame.height and (frame["source"] == "simulated").any():
        yield ("# 注意 note", "含模拟数据 contains simulated data")
    yield ("time_utc", "time_beijing", "value", "flag", "qualifier", "limit", "source", "received_utc", "revision")
    yield from download_rows(frame)


def _counts(wanted: Asked, frame: pl.DataFrame) -> dict[str, int | None]:
    first = wanted.start or (frame["time"][0] if frame.height else None)
    last = wanted.end or (_past(wanted.grain, frame["time"][-1]) if frame.height else None)
    expected = None
    if wanted.since is None and first is not None and last is not None:
        expected = expected_slots(wanted.grain, first, min(last, wanted.as_of or datetime.now(UTC)))
    return {"expected": expected, "present": frame.height, "valid": frame.filter(valid_values()).height}


def _past(grain: Grain, moment: datetime) -> datetime:
    return moment if grain in {"realtime", "sample"} else moment.replace(microsecond=moment.microsecond + 1)


def _listed(serving: Served, row: dict[str, Any]) -> dict[str, Any]:
    latest = None
    if row["time"] is not None:
        latest = {"time": row["time"], "value": row["value"], "text": value_text(row["value"]), "flag": row["flag"]}
    return {
        "site": row["site"],
        "factor": row["factor"],
        "grain": row["grain"],
        "basis": row["basis"],
        "unit": unit_of(serving, row["factor"]),
        "first": row["first"],
        "last": row["last"],
        "rows": row["rows"],
        "latest": latest,
        "simulated": row["simulated"],
    }
