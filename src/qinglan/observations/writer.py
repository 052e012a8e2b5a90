"""From journals into history, each batch exactly once. The caller holds the lake's lock.

One Delta commit carries the rows and the journal's last offset as a Delta transaction, so both are there or
neither is; after a kill at any moment the next writer goes on behind that offset. Receipts are written before the
commit: they become true with it, and a commit that never came is classified anew.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Final

import polars as pl

from qinglan.observations.journal import Batch, Journal, Receipt
from qinglan.observations.schema import CONTENT, IDENTITY, OBSERVATION, ORDER, month_of
from qinglan.observations.tables import Table, Version, scan_files

COMMIT_ROWS: Final = 1_000_000
_MANY: Final = 5_000
# The kernel writes dirty files within a minute; a batch kept this long outlives a power cut after the commit.
_KEPT: Final = timedelta(minutes=10)

Progress = Callable[[int, int], None]


class Writer:
    """Drains journals into history.

    Parameters
    ----------
    history
        The table of all revisions.
    journals
        The folder of journals (`*.sqlite`).
    committed
        Called with the rows of each commit, in the lake's types, and the lake's revision before it.
    """

    def __init__(self, history: Table, journals: Path, committed: Callable[[pl.DataFrame, int], None]) -> None:
        self.history = history
        self.journals = journals
        self.committed = committed

    def drain(self, progress: Progress | None = None) -> Receipt:
        """Take in all waiting batches of all journals; return what became of them."""
        total = Receipt()
        for path in sorted(self.journals.glob("*.sqlite")):
            journal = Journal(path)
            try:
                total += self._drain(journal, progress)
            finally:
                journal.close()
        return total

    def _drain(self, journal: Journal, progress: Progress | None) -> Receipt:
        if journal.last_offset == 0:
            return Receipt()
        version = self.history.open_or_make()
        app = journal.app_id
        taken = version.transaction(app)
        if taken > journal.last_offset:
            app, taken = journal.renew(), 0
        total, done, waiting = Receipt(), 0, journal.backlog(taken)[1]
        while batches := journal.read_after(taken, COMMIT_ROWS):
            total += self._commit(version, journal, app, batches)
            taken = batches[-1].offset
            done += sum(batch.rows for batch in batches)
            if progress is not None:
                progress(done, max(done, waiting))
        now = datetime.now(timezone.utc)
        if (oldest := journal.oldest) is not None and oldest < now - 2 * _KEPT:
            journal.prune(taken, received_before=now - _KEPT)
        return total

    def _commit(self, version: Version, journal: Journal, app: str, batches: list[Batch]) -> Receipt:
        files = version.files()
        revision = int(files["highest"].max() or 0)  # type: ignore[arg-type]
        rows = pl.concat(
            batch.frame.with_columns(
                pl.lit(batch.offset, pl.Int64).alias("offset"),
                pl.lit(revision + 1 + at, pl.Int64).alias("revision"),
            )
            for at, batch in enumerate(batches)
        )
        written, receipts = classify(rows, held(files, rows))
        journal.save_receipts(receipts)
        new = written.select(*OBSERVATION).sort(ORDER)
        version.append(new, [(app, batches[-1].offset)])
        self.committed(new, revision)
        return sum(receipts.values(), Receipt())


def held(files: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Return what the lake says now, per identity, of the observations in `rows`.

    Only files whose partition, times and sites meet those of the rows are opened.
    """
    touched = (
        rows.lazy()
        .group_by("grain", month_of())
        .agg(
            pl.col("time").min().alias("from"),
            pl.col("time").max().alias("to"),
            pl.col("site").min().alias("from_site"),
            pl.col("site").max().alias("to_site"),
        )
        .collect()
    )
    meets = [
        pl.col("first") <= pl.col("to") + timedelta(milliseconds=1),
        pl.col("last") + timedelta(milliseconds=1) >= pl.col("from"),
        pl.col("first_site") <= pl.col("to_site"),
        pl.col("last_site") >= pl.col("from_site"),
    ]
    chosen = files.join(touched, on=["grain", "month"]).filter(*(one.fill_null(True) for one in meets))
    found = [
        _held_in_grain(grain, group["path"].to_list(), rows)
        for (grain,), group in chosen.partition_by("grain", as_dict=True).items()
    ]
    columns = [*IDENTITY, *CONTENT]
    return pl.concat(found) if found else pl.DataFrame(schema={name: OBSERVATION[name] for name in columns})


def _held_in_grain(grain: str, paths: list[str], rows: pl.DataFrame) -> pl.DataFrame:
    mine = rows.filter(pl.col("grain") == grain)
    kept = [pl.col("time").is_between(mine["time"].min(), mine["time"].max())]
    for name in ("site", "factor", "basis", "source"):
        words = mine[name].unique()
        if words.len() <= _MANY:
            kept.append(pl.col(name).is_in(words.implode()))
    return (
        scan_files(paths, grain)
        .filter(*kept)
        .select(*IDENTITY, *CONTENT, "revision")
        .join(mine.lazy().select(IDENTITY).unique(), on=IDENTITY, how="semi")
        .sort("revision")
        .unique(subset=list(IDENTITY), keep="last")
        .drop("revision")
        .collect()
    )


def classify(rows: pl.DataFrame, held: pl.DataFrame) -> tuple[pl.DataFrame, dict[int, Receipt]]:
    """Tell new, repeated and revised rows apart.

    Parameters
    ----------
    rows
        Observations with `offset`; within one offset the later row of an identity wins, and an earlier one counts
        as revised (or repeated, when both say the same).
    held
        What the lake says now, one row per identity.

    Returns
    -------
    tuple
        The rows to write, and a receipt per offset.
    """
    numbered = rows.with_row_index("_row")
    last = numbered.unique(subset=[*IDENTITY, "offset"], keep="last")
    counted = []
    if last.height < numbered.height:
        winners = last.select(*IDENTITY, "offset", *(pl.col(name).alias(f"_{name}") for name in CONTENT))
        earlier = numbered.join(last, on="_row", how="anti").join(winners, on=[*IDENTITY, "offset"])
        counted.append(earlier.select("offset", pl.when(_same()).then(1).otherwise(2).cast(pl.Int8).alias("_state")))
    before = held.select(*IDENTITY, *(pl.col(name).alias(f"_{name}") for name in CONTENT), _held=pl.lit(True))
    judged = last.join(before, on=IDENTITY, how="left")
    if rows["offset"].n_unique() > 1:
        judged = judged.sort("_row")
        # A later batch of the same commit is compared with the earlier one, as if each had been committed alone.
        again = pl.col("_row").cum_count().over(IDENTITY) > 1
        judged = judged.with_columns(
            *(
                pl.when(again)
                .then(pl.col(name).shift(1).over(IDENTITY))
                .otherwise(pl.col(f"_{name}"))
                .alias(f"_{name}")
                for name in CONTENT
            ),
            pl.when(again).then(True).otherwise(pl.col("_held")).alias("_held"),
        )
    state = pl.when(pl.col("_held").is_null()).then(0).when(_same()).then(1).otherwise(2).cast(pl.Int8)
    judged = judged.with_columns(state.alias("_state"))
    counted.append(judged.select("offset", "_state"))
    counts = (
        pl.concat(counted)
        .group_by("offset")
        .agg(pl.len().alias("read"), *((pl.col("_state") == at).sum().alias(str(at)) for at in range(3)))
    )
    receipts = {
        at: Receipt(read, added, repeated, revised) for at, read, added, repeated, revised in counts.iter_rows()
    }
    return judged.filter(pl.col("_state") != 1).select(rows.columns), receipts


def _same() -> pl.Expr:
    return pl.all_horizontal(pl.col(name).eq_missing(pl.col(f"_{name}")) for name in CONTENT)
