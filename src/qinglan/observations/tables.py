"""Delta tables at the edge: open, make, list files, commit. Nothing else touches deltalake."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

import polars as pl
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties, write_deltalake
from deltalake.exceptions import DeltaError

from qinglan.base.storage import explain
from qinglan.core.errors import StorageError
from qinglan.observations import parquet
from qinglan.observations.schema import OBSERVATION, PARTITION, TIME, month_of

_PROPERTIES: Final = WriterProperties(compression="ZSTD", compression_level=3, max_row_group_size=parquet.ROW_GROUP)
_STORED: Final = {**OBSERVATION, "month": pl.String()}
_CONFIGURATION: Final = {"delta.checkpointInterval": "50"}
_NUMBER_IN_TEXT: Final = re.compile(r"(?:code: |os error )(\d+)")
_FILE_SCHEMA: Final = {
    "path": pl.String(),
    "size_bytes": pl.Int64(),
    "num_records": pl.Int64(),
    "partition.grain": pl.String(),
    "partition.month": pl.String(),
    "min.site": pl.String(),
    "max.site": pl.String(),
    "min.time": TIME,
    "max.time": TIME,
    "min.revision": pl.Int64(),
    "max.revision": pl.Int64(),
}
_FILE_NAMES: Final = {
    "size_bytes": "bytes",
    "num_records": "rows",
    "partition.grain": "grain",
    "partition.month": "month",
    "min.site": "first_site",
    "max.site": "last_site",
    "min.time": "first",
    "max.time": "last",
    "min.revision": "lowest",
    "max.revision": "highest",
}


class Table:
    """One Delta table of observations, partitioned by grain and month."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    def open(self) -> Version | None:
        """Return the newest version, or None where the table was never made."""
        with refusals(self.path):
            if not (self.path / "_delta_log").exists():
                return None
            return Version(self.path, DeltaTable(str(self.path)))

    def open_or_make(self) -> Version:
        """Return the newest version of a table that is made when absent."""
        found = self.open()
        if found is not None:
            return found
        with refusals(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            schema = pl.DataFrame(schema=_STORED).to_arrow(compat_level=pl.CompatLevel.oldest())
            handle = DeltaTable.create(
                str(self.path),
                schema=schema.schema,
                mode="ignore",
                partition_by=list(PARTITION),
                configuration=_CONFIGURATION,
            )
        return Version(self.path, handle)


class Version:
    """One version of a table: its files never change, and its own commits move it forward."""

    def __init__(self, path: Path, handle: DeltaTable) -> None:
        self.path = path
        self._handle: Any = handle

    @property
    def number(self) -> int:
        """The Delta version."""
        return int(self._handle.version())

    def files(self) -> pl.DataFrame:
        """Return the version's files: path, bytes, rows, grain, month, first and last site, time, revision."""
        with refusals(self.path):
            found = pl.DataFrame(self._handle.get_add_actions(flatten=True))
        if not found.height:
            return pl.DataFrame(schema=_FILE_SCHEMA).rename(_FILE_NAMES)
        return (
            found.select(pl.col(name).cast(kind) for name, kind in _FILE_SCHEMA.items())
            .rename(_FILE_NAMES)
            .with_columns(
                pl.col("path").map_elements(lambda found: str(self.path / unquote(found)), return_dtype=pl.String)
            )
            .sort("grain", "month", "path")
        )

    def transaction(self, app: str) -> int:
        """Return the last number that an application committed to this version (0: none)."""
        with refusals(self.path):
            return int(self._handle.transaction_version(app) or 0)

    def append(self, frame: pl.DataFrame, transactions: Sequence[tuple[str, int]]) -> None:
        """Add rows and move the applications' numbers in one commit; no rows moves the numbers only."""
        with refusals(self.path):
            write_deltalake(
                self._handle,
                frame.select(*OBSERVATION, month_of()),
                mode="append",
                writer_properties=_PROPERTIES,
                commit_properties=_properties(transactions),
            )

    def replace(
        self, pieces: Iterable[pl.DataFrame], grain: str, month: str, transactions: Sequence[tuple[str, int]]
    ) -> None:
        """Put sorted frames, as one file, in the place of one partition in one commit."""
        with refusals(self.path):
            actions = parquet.write(self.path, grain, month, pieces)
            self._handle.create_write_transaction(
                actions,
                "overwrite",
                self._handle.schema(),
                list(PARTITION),
                [("grain", "=", grain), ("month", "=", month)],
                commit_properties=_properties(transactions),
            )

    def vacuum(self, hours: int) -> int:
        """Delete files that no version younger than `hours` needs, and what killed writers left; return how many."""
        with refusals(self.path):
            return len(self._handle.vacuum(hours, dry_run=False, enforce_retention_duration=False, full=True))


def _properties(transactions: Sequence[tuple[str, int]]) -> CommitProperties:
    return CommitProperties(app_transactions=[Transaction(app, number) for app, number in transactions])


def scan_files(paths: Sequence[str], grain: str) -> pl.LazyFrame:
    """Read files of one grain; the grain comes from the list, never from folder names (a home may hold `=`)."""
    return (
        pl.scan_parquet(list(paths), hive_partitioning=False, glob=False)
        .with_columns(pl.lit(grain, pl.String()).alias("grain"))
        .select(*OBSERVATION)
    )


@contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn what the storage says into one sentence."""
    try:
        yield
    except (DeltaError, OSError, pl.exceptions.ComputeError) as reason:
        number = _NUMBER_IN_TEXT.search(str(reason))
        known = explain(OSError(int(number[1]), "") if number else reason, path)
        if known is not None:
            raise known from reason
        short = str(reason).splitlines()[0] if str(reason) else type(reason).__name__
        raise StorageError(
            f"观测库“{path}”无法读写（{short}），请检查目录权限和磁盘空间；已确认的数据没有丢失。",
            f"The lake table {str(path)!r} cannot be read or written ({short}); check the folder's permissions and the"
            " free space; nothing acknowledged was lost.",
            file=str(path),
        ) from reason
