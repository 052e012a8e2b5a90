"""The table `current`: one row per key, derived from history partition by partition."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import polars as pl

from qinglan.core.errors import StorageError
from qinglan.observations.read import rank, watermark
from qinglan.observations.schema import KEY, OBSERVATION, ORDER, empty
from qinglan.observations.tables import Table, refusals, scan_files

PIECE_ROWS: Final = 1_000_000
"""About how many rows of a partition are in memory at once."""


class Sites(NamedTuple):
    """A range of sites, both ends included."""

    first: str
    last: str


def refresh(
    history: Table, current: Table, grain: str, month: str, preference: Sequence[str] = (), *, anew: bool = False
) -> bool:
    """Bring one partition of both tables to order; return whether anything was to do.

    History's files become one, sorted, with every row it had; current's partition is replaced by the resolved rows
    in one commit that also moves the partition's watermark. `anew` does so even where current is up to date. The
    caller holds the lake's lock.
    """
    of_history, of_current = history.open_or_make(), current.open_or_make()
    here = (pl.col("grain") == grain, pl.col("month") == month)
    files = of_history.files().filter(*here)
    newest = int(files["highest"].max() or 0)  # type: ignore[arg-type]
    if not anew and of_current.transaction(watermark(grain, month)) >= newest:
        return False
    ranges = site_ranges(files, grain)
    if files.height > 1:
        of_history.replace(whole(files, ranges), grain, month, [])
        files = of_history.files().filter(*here)
    resolved = (one_per_key(piece, preference) for piece in whole(files, ranges))
    of_current.replace(resolved, grain, month, [(watermark(grain, month), newest)])
    return True


def site_ranges(files: pl.DataFrame, grain: str) -> list[Sites]:
    """Return ranges of sites, in order, that cut a partition into pieces of about `PIECE_ROWS`."""
    if not files.height:
        return []
    if files["rows"].sum() <= PIECE_ROWS:
        return [Sites("", "\U0010ffff")]
    with refusals(Path(files["path"][0]).parent):
        counts = scan_files(files["path"].to_list(), grain).group_by("site").len().sort("site").collect()
    pieces = (
        counts.with_columns((pl.col("len").cum_sum() // PIECE_ROWS).alias("piece"))
        .group_by("piece", maintain_order=True)
        .agg(pl.col("site").first().alias("first"), pl.col("site").last().alias("last"))
    )
    return [Sites(first, last) for _, first, last in pieces.iter_rows()]


def read_sites(files: pl.DataFrame, grain: str, sites: Sites) -> pl.DataFrame:
    """Return all rows of a range of sites in the tables' order: site, factor, time, basis, then revision."""
    if not files.height:
        return empty()
    rows = scan_files(files["path"].to_list(), grain).filter(
        pl.col("site").is_between(pl.lit(sites.first), pl.lit(sites.last))
    )
    with refusals(Path(files["path"][0]).parent):
        return rows.sort([*ORDER, "revision"]).collect()


def whole(files: pl.DataFrame, ranges: Sequence[Sites]) -> Iterator[pl.DataFrame]:
    """Yield a partition piece by piece; refuse in the end when files do not hold what Delta says of them."""
    if not files.height:
        yield from (empty() for _ in ranges)
        return
    found = 0
    for sites in ranges:
        piece = read_sites(files, files["grain"][0], sites)
        found += piece.height
        yield piece
    if found != files["rows"].sum():
        where = f"{files['grain'][0]}/{files['month'][0]}"
        raise StorageError(
            f"观测库分区 {where} 登记 {files['rows'].sum()} 行，读到 {found} 行，文件已损坏；请从备份恢复。",
            f"The lake's partition {where} should hold {files['rows'].sum()} rows but {found} were read: a file is"
            " damaged; restore it from a backup.",
        )


def one_per_key(rows: pl.DataFrame, preference: Sequence[str] = ()) -> pl.DataFrame:
    """Return the valid row of each key from rows of one grain in the tables' order, in the same order."""
    if preference:
        rows = rows.with_columns(rank(preference).alias("_rank")).sort([*ORDER, "_rank", "revision"])
    next_differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in KEY)
    return rows.filter(next_differs).select(*OBSERVATION)
