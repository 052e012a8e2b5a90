"""The lake: what was measured, all revisions of it, and what is valid now."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, Unpack

import polars as pl
from filelock import FileLock, Timeout
from sqlalchemy import Engine

from qinglan.base.settings import Settings
from qinglan.base.storage import storage_errors
from qinglan.core.errors import BusyError
from qinglan.observations import latest
from qinglan.observations.journal import Journal, Receipt
from qinglan.observations.read import Selection, Snapshot, Wanted, take
from qinglan.observations.tables import Table, scan_files
from qinglan.observations.writer import Progress, Writer

if TYPE_CHECKING:
    import duckdb
    from pyspark.sql import DataFrame as SparkFrame
    from pyspark.sql import SparkSession

WAIT_SECONDS: Final = 120.0
"""How long to wait for another process that writes the lake."""


class Lake:
    """Measured data: written through journals by one writer at a time, read by any number of processes.

    Parameters
    ----------
    path, journals, locks
        Folders; made when first written to.
    engine
        The base, whose table `latest` the writer keeps; without it `latest()` reads the lake.
    preference
        Sources in order of preference where several speak of one observation. Default: the latest revision counts.
    """

    def __init__(
        self, path: Path, journals: Path, locks: Path, engine: Engine | None = None, *, preference: Sequence[str] = ()
    ) -> None:
        self.path = Path(path)
        self.journals = Path(journals)
        self.locks = Path(locks)
        self.engine = engine
        self.preference = tuple(preference)
        self.history = Table(self.path / "history")
        # What is derived by another order of preference is another table.
        order = hashlib.sha256("\n".join(self.preference).encode()).hexdigest()[:8]
        self.current = Table(self.path / (f"current-{order}" if self.preference else "current"))
        self._journal: Journal | None = None
        self._healed = engine is None

    @property
    def journal(self) -> Journal:
        """The journal of this lake's own submissions (gateways have their own files beside it)."""
        if self._journal is None:
            self._journal = Journal(self.journals / "lake.sqlite")
        return self._journal

    def submit(self, frame: pl.DataFrame, *, source: str, wait: float = WAIT_SECONDS) -> Receipt:
        """Write observations durably and into the lake; return what became of them.

        Up to `journal.BATCH_ROWS` rows appear to readers all at once.

        Parameters
        ----------
        frame
            See `schema.validate`.
        source
            Who says so: `cnemc`, `file`, `simulated`…
        wait
            Seconds to wait for another process that writes the lake.

        Raises
        ------
        InputError
            The frame is not acceptable; nothing was written.
        BusyError
            Another process kept the lake for too long. The rows are safe in the journal; the next writer takes them.
        StorageError
            The home folder cannot be written.
        """
        offsets = self.journal.append_many([(frame, source)])
        if offsets:
            try:
                self.drain(wait=wait)
            except BusyError:
                if not self._holds(offsets[-1]):
                    raise
        return self.journal.receipt(offsets)

    def _holds(self, offset: int) -> bool:
        version = self.history.open()
        return version is not None and version.transaction(self.journal.app_id) >= offset

    def drain(self, *, wait: float = WAIT_SECONDS, progress: Progress | None = None) -> Receipt:
        """Take what waits in all journals into the lake; `progress(done, total)` counts rows."""
        with self.locked(wait):
            self._heal()
            return Writer(self.history, self.journals, self._committed).drain(progress)

    @contextmanager
    def locked(self, wait: float = WAIT_SECONDS) -> Iterator[None]:
        """Be the one writer; the kernel frees the lock when the process dies."""
        place = self.locks / "lake.lock"
        try:
            with storage_errors(self.locks):
                self.locks.mkdir(parents=True, exist_ok=True)
                lock = FileLock(place)
                lock.acquire(timeout=wait)
        except Timeout as reason:
            raise BusyError(
                f"另一个进程正在写观测库，{wait:g} 秒内没有等到；已提交的数据在日志中，由下一次写入接着入库。",
                f"Another process kept the lake for {wait:g} s; what was submitted is safe in the journal and is"
                " taken in by the next write.",
                file=str(place),
            ) from reason
        try:
            yield
        finally:
            lock.release()

    def _committed(self, rows: pl.DataFrame, before: int) -> None:
        if self.engine is None or not rows.height:
            return
        if latest.mark(self.engine) != before:
            # Another process ended between its commit and the table; to go on from here would hide its rows for ever.
            self._heal(again=True)
        else:
            latest.update(self.engine, rows, int(rows["revision"].max()), self.preference)  # type: ignore[arg-type]

    def _heal(self, *, again: bool = False) -> None:
        """Bring `latest` up to history after a crash between the two; once per process, unless `again` is needed."""
        if self.engine is None or (self._healed and not again):
            return
        version = self.history.open()
        files = version.files() if version is not None else None
        revision = int(files["highest"].max() or 0) if files is not None else 0  # type: ignore[arg-type]
        mark = latest.mark(self.engine)
        if mark > revision:
            self.refill_latest()
        elif mark < revision and files is not None:
            behind = files.filter(pl.col("highest") > mark)
            rows = pl.concat(
                scan_files(group["path"].to_list(), grain)
                for (grain,), group in behind.partition_by("grain", as_dict=True).items()
            ).filter(pl.col("revision") > mark)
            latest.update(self.engine, latest.newest(rows, self.preference).collect(), revision, self.preference)
        self._healed = True

    def refill_latest(self) -> None:
        """Make the base table `latest` anew from the lake; the caller holds the lock."""
        if self.engine is not None:
            snapshot = self.snapshot()
            latest.replace(self.engine, latest.newest(snapshot.polars()).collect(), snapshot.revision)

    def snapshot(self, **selection: Unpack[Selection]) -> Snapshot:
        """Return one unchanging state of the lake, for several reads of the same."""
        return take(self.current, self.history, Wanted.of(selection), self.preference)

    def scan(self, **selection: Unpack[Selection]) -> pl.LazyFrame:
        """Return observations, one row per key, as a lazy frame in the columns of `schema.OBSERVATION`.

        Parameters
        ----------
        sites, factors, grain, basis
            One or several; None for all.
        start, end
            Times with a zone; `start` is included, `end` is not.
        as_of
            Read what was known then: a time with a zone (rows received up to it) or a revision. None: now.

        Raises
        ------
        InputError
            A time has no zone.
        StorageError
            The lake cannot be read.
        """
        return self.snapshot(**selection).polars()

    def duckdb(self, connection: duckdb.DuckDBPyConnection, **selection: Unpack[Selection]) -> duckdb.DuckDBPyRelation:
        """Return the same as `scan` as a relation of an open DuckDB connection."""
        return self.snapshot(**selection).duckdb(connection)

    def spark(self, session: SparkSession, **selection: Unpack[Selection]) -> SparkFrame:
        """Return the same as `scan` as a Spark frame; every worker must see the lake at the same path."""
        return self.snapshot(**selection).spark(session)

    def latest(self) -> pl.DataFrame:
        """Return the newest observation of each series (site, factor, grain, basis)."""
        if self.engine is not None:
            return latest.read(self.engine).sort(latest.SERIES)
        return latest.newest(self.scan()).collect().sort(latest.SERIES)

    @property
    def revision(self) -> int:
        """The highest revision in the lake (0: empty)."""
        return self.snapshot().revision


def open_lake(settings: Settings, engine: Engine | None = None, *, preference: Sequence[str] = ()) -> Lake:
    """Return the lake of an installation; nothing is read or written yet."""
    return Lake(settings.lake, settings.journals, settings.locks, engine, preference=preference)
