"""The table `current`: one row per key, derived from history partition by partition."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from qinglan.observations.read import rank, watermark
from qinglan.observations.schema import KEY, OBSERVATION, ORDER
from qinglan.observations.tables import Table, scan_files


def refresh(history: Table, current: Table, grain: str, month: str, preference: Sequence[str] = ()) -> bool:
    """Bring one partition of both tables to order; return whether anything was to do.

    History's files become one, sorted, with every row it had; current's partition is replaced by the resolved rows
    in one commit that also moves the partition's watermark. The caller holds the lake's lock.
    """
    of_history, of_current = history.open_or_make(), current.open_or_make()
    files = of_history.files().filter(pl.col("grain") == grain, pl.col("month") == month)
    newest = int(files["highest"].max() or 0)  # type: ignore[arg-type]
    if of_current.transaction(watermark(grain, month)) >= newest:
        return False
    rows = in_order(scan_files(files["path"].to_list(), grain)).collect()
    if rows.height != files["rows"].sum():
        raise RuntimeError(f"{grain}/{month}: the files say {files['rows'].sum()} rows, read were {rows.height}")
    if files.height > 1:
        of_history.replace(rows, grain, month, [])
    of_current.replace(one_per_key(rows, preference), grain, month, [(watermark(grain, month), newest)])
    return True


def in_order(rows: pl.LazyFrame) -> pl.LazyFrame:
    """Sort rows as both tables keep them: site, factor, time, basis, then revision."""
    return rows.sort([*ORDER, "revision"])


def one_per_key(rows: pl.DataFrame, preference: Sequence[str] = ()) -> pl.DataFrame:
    """Return the valid row of each key from rows `in_order` of one grain, in the same order."""
    if preference:
        rows = rows.with_columns(rank(preference).alias("_rank")).sort([*ORDER, "_rank", "revision"])
    next_differs = pl.any_horizontal(pl.col(name).ne_missing(pl.col(name).shift(-1)) for name in KEY)
    return rows.filter(next_differs).select(*OBSERVATION)
