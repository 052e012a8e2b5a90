"""The base table `latest`: each series' newest observation, for pages that ask for nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
from sqlalchemy import Engine, delete, select

from qinglan.base import dialect
from qinglan.base.engine import reading, transaction
from qinglan.base.schema import latest as table
from qinglan.base.schema import meta
from qinglan.observations.read import rank
from qinglan.observations.schema import OBSERVATION, empty

SERIES: Final = ("site", "factor", "grain", "basis")
_MARK: Final = "lake.latest_revision"
_SITES: Final = 500


def newest(rows: pl.LazyFrame, preference: Sequence[str] = ()) -> pl.LazyFrame:
    """Return one row per series: its newest time; of that the preferred source; of that the highest revision.

    A row without a value counts: a correction to "no value" must not leave the old one standing.
    """
    last = rows.group_by(SERIES).agg(pl.col("time").max())
    at_last = rows.join(last, on=[*SERIES, "time"], how="semi")
    return at_last.sort(rank(preference), "revision").unique(subset=list(SERIES), keep="last").select(*OBSERVATION)


def read(engine: Engine) -> pl.DataFrame:
    """Return the table."""
    with reading(engine) as connection:
        found = connection.execute(select(*(table.c[name] for name in OBSERVATION))).all()
    return pl.DataFrame([tuple(row) for row in found], schema=dict(OBSERVATION), orient="row") if found else empty()


def mark(engine: Engine) -> int:
    """Return the revision up to which the table knows the lake."""
    with reading(engine) as connection:
        found = connection.execute(select(meta.c.value).where(meta.c.key == _MARK)).scalar_one_or_none()
    return int(found or 0)


def update(engine: Engine, rows: pl.DataFrame, revision: int, preference: Sequence[str] = ()) -> None:
    """Take in new rows of history and the revision they reach, in one transaction."""
    offered = newest(rows.lazy(), preference).collect()
    sites = offered["site"].unique().to_list()
    with transaction(engine) as connection:
        query = select(*(table.c[name] for name in OBSERVATION))
        there = [
            tuple(row)
            for at in range(0, len(sites), _SITES)
            for row in connection.execute(query.where(table.c.site.in_(sites[at : at + _SITES])))
        ]
        known = pl.DataFrame(there, schema=dict(OBSERVATION), orient="row") if there else empty()
        both = pl.concat([known.with_columns(_new=pl.lit(False)), offered.with_columns(_new=pl.lit(True))])
        won = (
            both.sort("time", rank(preference), "revision", "_new")
            .unique(subset=list(SERIES), keep="last")
            .filter("_new")
            .drop("_new")
        )
        dialect.upsert(connection, table, won.to_dicts())
        dialect.upsert(connection, meta, [{"key": _MARK, "value": str(revision)}])


def replace(engine: Engine, rows: pl.DataFrame, revision: int) -> None:
    """Put the newest rows of the whole lake in the table's place."""
    with transaction(engine) as connection:
        connection.execute(delete(table))
        dialect.upsert(connection, table, rows.to_dicts())
        dialect.upsert(connection, meta, [{"key": _MARK, "value": str(revision)}])
