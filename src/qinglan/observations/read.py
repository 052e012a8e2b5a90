"""One snapshot of the lake, read by Polars, DuckDB or Spark.

The order of opening matters. `current` is opened first, `history` second: history then holds at least all that
current was made from, so current's rows and history's rows above the partition's watermark are together exactly
the lake at history's revision, for every partition at once, whatever a writer or a compaction does meanwhile.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Final, NamedTuple, TypedDict

import polars as pl

from qinglan.core.errors import InputError
from qinglan.observations.schema import KEY, empty
from qinglan.observations.tables import Table, Version, scan_files

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import DataFrame as SparkFrame
    from pyspark.sql import SparkSession

# Delta keeps a file's first and last time in whole milliseconds.
_COARSE: Final = timedelta(milliseconds=1)


class Part(NamedTuple):
    """Files of one grain, of which the rows above a revision count."""

    grain: str
    paths: tuple[str, ...]
    above: int = 0


class Selection(TypedDict, total=False):
    """Which observations to read; what is absent or None restricts nothing.

    `start` is included, `end` is not; both carry a time zone. `as_of` reads what was known then: a time with a
    zone (rows received up to it) or a revision.
    """

    sites: str | Sequence[str] | None
    factors: str | Sequence[str] | None
    grain: str | Sequence[str] | None
    basis: str | Sequence[str] | None
    start: datetime | None
    end: datetime | None
    as_of: datetime | int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A selection, checked; None means all."""

    sites: tuple[str, ...] | None = None
    factors: tuple[str, ...] | None = None
    grains: tuple[str, ...] | None = None
    bases: tuple[str, ...] | None = None
    start: datetime | None = None
    end: datetime | None = None
    as_of: datetime | int | None = None

    @classmethod
    def of(cls, selection: Selection) -> Wanted:
        """Check and normalise a selection."""
        for name in ("start", "end", "as_of"):
            moment = selection.get(name)
            if isinstance(moment, datetime) and moment.tzinfo is None:
                raise InputError(
                    f"“{name}”没有时区，应为带时区的时间。", f"{name!r} has no time zone; it must have one.", field=name
                )
        as_of = selection.get("as_of")
        return cls(
            _words(selection.get("sites")),
            _words(selection.get("factors")),
            _words(selection.get("grain")),
            _words(selection.get("basis")),
            _utc(selection.get("start")),
            _utc(selection.get("end")),
            _utc(as_of) if isinstance(as_of, datetime) else as_of,
        )

    def files(self, files: pl.DataFrame) -> pl.DataFrame:
        """Return the files that may hold wanted rows, by partition and file statistics."""
        kept = [pl.lit(True)]
        if self.grains is not None:
            kept.append(pl.col("grain").is_in(self.grains))
        if self.start is not None:
            kept.append((pl.col("last") >= self.start - _COARSE).fill_null(True))
            kept.append(pl.col("month") >= self.start.strftime("%Y-%m"))
        if self.end is not None:
            kept.append((pl.col("first") < self.end + _COARSE).fill_null(True))
            kept.append(pl.col("month") <= self.end.strftime("%Y-%m"))
        if self.sites:
            kept.append((pl.col("first_site") <= max(self.sites)).fill_null(True))
            kept.append((pl.col("last_site") >= min(self.sites)).fill_null(True))
        if isinstance(self.as_of, int):
            kept.append((pl.col("lowest") <= self.as_of).fill_null(True))
        return files.filter(*kept)

    def rows(self) -> list[pl.Expr]:
        """Return the conditions on rows; the grain is chosen by file."""
        kept = [
            pl.col(name) == words[0] if len(words) == 1 else pl.col(name).is_in(words)
            for name, words in (("site", self.sites), ("factor", self.factors), ("basis", self.bases))
            if words is not None
        ]
        if self.start is not None:
            kept.append(pl.col("time") >= self.start)
        if self.end is not None:
            kept.append(pl.col("time") < self.end)
        if isinstance(self.as_of, int):
            kept.append(pl.col("revision") <= self.as_of)
        elif self.as_of is not None:
            kept.append(pl.col("received") <= self.as_of)
        return kept


def _words(given: str | Sequence[str] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    return (given,) if isinstance(given, str) else tuple(given)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(timezone.utc)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What to read: `held` needs nothing more; a row of `mixed` gives way to one of `tail` with the same key."""

    revision: int
    held: tuple[Part, ...] = ()
    mixed: tuple[Part, ...] = ()
    tail: tuple[Part, ...] = ()
    wanted: Wanted = field(default_factory=Wanted)
    preference: tuple[str, ...] = ()

    def polars(self) -> pl.LazyFrame:
        """Return the snapshot as a lazy frame."""
        held = [self._scan(part) for part in self.held]
        if not self.tail:
            return pl.concat(held) if held else empty().lazy()
        mixed = pl.concat([self._scan(part) for part in self.mixed]) if self.mixed else empty().lazy()
        tail = pl.concat([self._scan(part) for part in self.tail])
        if self.preference:
            tail = pl.concat([tail, mixed.join(tail.select(KEY).unique(), on=KEY, how="semi")])
        resolved = resolve(tail, self.preference)
        return pl.concat([*held, mixed.join(resolved.select(KEY), on=KEY, how="anti"), resolved])

    def _scan(self, part: Part) -> pl.LazyFrame:
        rows = scan_files(part.paths, part.grain).filter(*self.wanted.rows())
        return rows.filter(pl.col("revision") > part.above) if part.above else rows

    def duckdb(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """Return the snapshot as a relation of an open DuckDB connection."""
        from qinglan.observations import engines

        return engines.duckdb_relation(self, connection)

    def spark(self, session: SparkSession) -> SparkFrame:
        """Return the snapshot as a Spark frame; the files must be at the same path on every worker."""
        from qinglan.observations import engines

        return engines.spark_frame(self, session)


def resolve(rows: pl.LazyFrame, preference: Sequence[str] = ()) -> pl.LazyFrame:
    """Return one row per key: of the source named first in `preference`, and of that its highest revision."""
    order = [rank(preference), pl.col("revision")] if preference else [pl.col("revision")]
    return rows.sort(order).unique(subset=list(KEY), keep="last")


def rank(preference: Sequence[str]) -> pl.Expr:
    """Return a number that is higher for a preferred source; 0 for one that is not named."""
    ranks = {source: len(preference) - at for at, source in enumerate(preference)}
    return pl.col("source").replace_strict(ranks, default=0, return_dtype=pl.Int32)


def take(current: Table, history: Table, wanted: Wanted, preference: tuple[str, ...] = ()) -> Snapshot:
    """Return a snapshot of the newest state, or of an old one by `wanted.as_of`."""
    of_current = current.open()
    of_history = history.open()
    if of_history is None:
        return Snapshot(0, wanted=wanted)
    all_files = of_history.files()
    revision = int(all_files["highest"].max() or 0)  # type: ignore[arg-type]
    files = wanted.files(all_files)
    old = wanted.as_of < revision if isinstance(wanted.as_of, int) else wanted.as_of is not None
    if old:
        return Snapshot(revision, tail=_parts(files), wanted=wanted, preference=preference)
    if of_current is None:
        return Snapshot(revision, tail=_parts(files), wanted=wanted, preference=preference)
    current_files = of_current.files()
    marks = behind(of_current, current_files, files)
    chosen = wanted.files(current_files)
    tail = files.join(marks, on=["grain", "month"]).filter(pl.col("highest") > pl.col("above"))
    return Snapshot(
        revision,
        held=_parts(chosen.join(marks, on=["grain", "month"], how="anti")),
        mixed=_parts(chosen.join(marks, on=["grain", "month"], how="semi")),
        tail=_parts(tail),
        wanted=wanted,
        preference=preference,
    )


def behind(current: Version, current_files: pl.DataFrame, files: pl.DataFrame) -> pl.DataFrame:
    """Return the partitions where history's files hold more than current: grain, month, above (the watermark)."""
    highest = files.group_by("grain", "month").agg(pl.col("highest").max())
    known = current_files.group_by("grain", "month").agg(pl.col("highest").max().alias("known"))
    # Current's own highest revision equals its watermark unless a preferred source hid the newest rows.
    suspects = highest.join(known, on=["grain", "month"], how="left").filter(
        pl.col("known").is_null() | (pl.col("known") < pl.col("highest"))
    )
    marks = [
        (grain, month, mark)
        for grain, month, newest in suspects.select("grain", "month", "highest").sort("grain", "month").iter_rows()
        if (mark := current.transaction(watermark(grain, month))) < newest
    ]
    return pl.DataFrame(marks, schema={"grain": pl.String, "month": pl.String, "above": pl.Int64}, orient="row")


def watermark(grain: str, month: str) -> str:
    """Return the name under which `current` keeps the revision up to which a partition was refreshed."""
    return f"watermark:{grain}/{month}"


def _parts(files: pl.DataFrame) -> tuple[Part, ...]:
    if "above" not in files.columns:
        files = files.with_columns(above=pl.lit(0, pl.Int64))
    grouped = files.sort("grain", "month", "path").group_by("grain", "above", maintain_order=True).agg("path")
    return tuple(Part(grain, tuple(paths), above) for grain, above, paths in grouped.iter_rows())
