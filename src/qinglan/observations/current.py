"""The table `current`: one row per key, derived from history partition by partition."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl

from qinglan.core.errors import StorageError
from qinglan.observations.read import rank, watermark
from qinglan.observations.schema import KEY, OBSERVATION, ORDER, empty
from qinglan.observations.tables import Table, refusals, scan_files


def refresh(
    history: Table, current: Table, grain: str, month: str, preference: Sequence[str] = (), *, anew: bool = False
) -> bool:
    """Bring one partition of both tables to order; return whether anything was to do.

    History's files become one, sorted, with every row it had; current's partition is replaced by the resolved rows
    in one commit that also moves the partition's watermark. `anew` does so even where current is up to date. The
    caller holds the lake's lock.
    """
    of_history, of_current = history.open_or_make(), current.open_or_make()
    files = of_history.files().filter(pl.col("grain") == grain, pl.col("month") == month)
    newest = int(files["highest"].max() or 0)  # type: ignore[arg-type]
    if not anew and of_current.transaction(watermark(grain, month)) >= newest:
        return False
    rows = read_partition(files, grain)
    if files.height > 1:
        of_history.replace(rows, grain, month, [])
    of_current.replace(one_per_key(rows, preference), grain, month, [(watermark(grain, month), newest)])
    return True


def read_partition(files: pl.DataFrame, grain: str) -> pl.DataFrame:
    """Return all rows of one partition's files, `in_order`; refuse when a file does not hold what Delta says."""
    if not files.height:
        return empty()
    with refusals(Path(files["path"][0]).parent):
        rows = in_order(scan_files(files["path"].to_list(), grain)).collect()
    if rows.height != files["rows"].sum():
        raise StorageError(
            f"观测库分区 {grain}/{files['month'][0]} 登记 {files['rows'].sum()} 行，读到 {rows.height} 行，文件已损坏；"
            "请从备份恢复。",
            f"The lake's partition {grain}/{files['month'][0]} should hold {files['rows'].sum()} rows but"
            f" {rows.height} were read: a file is damaged; restore it from a backup.",
        )
    return rows


def in_order(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Sort rows as both tables keep them: site, factor, time, basis, then revision."""
    return rows.sort([*ORDER, "revision"])


def one_per_key(rows: pl.DataFrame, preference: Sequence[str] = ()) -> pl.DataFrame:
    """Return the valid row of each key from rows `in_order` of one grain, in the same order."""
    if preference:
        rows = rows.with_columns(rank(preference).alias("_rank")).sort([*ORDER, "_rank", "revision"])
    next_differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in KEY)
    return rows.filter(next_differs).select(*OBSERVATION)
