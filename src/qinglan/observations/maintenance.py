"""Keeping the lake in order: compaction, rebuilding, verification, what it holds."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import polars as pl

from qinglan.core.errors import StorageError
from qinglan.observations import latest
from qinglan.observations.current import one_per_key, refresh, site_ranges, whole
from qinglan.observations.journal import Journal
from qinglan.observations.lake import WAIT_SECONDS, Lake
from qinglan.observations.read import behind, watermark
from qinglan.observations.schema import IDENTITY, OBSERVATION, month_of
from qinglan.observations.tables import Version
from qinglan.observations.writer import Progress

KEPT_HOURS: Final = 24
"""How long files that a compaction replaced stay: longer than the longest read."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that verification found wrong."""

    what: str
    where: str
    zh: str
    en: str


def compact(
    lake: Lake, *, kept_hours: int = KEPT_HOURS, wait: float = WAIT_SECONDS, progress: Progress | None = None
) -> dict[str, int]:
    """Bring every partition with new rows to order, then delete files that no read can need any more.

    The lock is taken for one partition at a time, so writers get in between; stopping at any moment is safe.

    Parameters
    ----------
    kept_hours
        Files replaced longer ago are deleted; must exceed the longest read. `as_of` is not affected.
    wait
        Seconds to wait for another writer.
    progress
        Called with `(partitions done, partitions to do)`.

    Returns
    -------
    dict
        Counts: `partitions` refreshed, `deleted` files.
    """
    lake.drain(wait=wait)
    todo = _behind(lake).select("grain", "month").rows()
    for done, (grain, month) in enumerate(todo):
        if progress is not None:
            progress(done, len(todo))
        with lake.locked(wait):
            refresh(lake.history, lake.current, grain, month, lake.preference)
    if progress is not None:
        progress(len(todo), len(todo))
    return {"partitions": len(todo), "deleted": vacuum(lake, kept_hours=kept_hours, wait=wait)}


def vacuum(lake: Lake, *, kept_hours: int = KEPT_HOURS, wait: float = WAIT_SECONDS) -> int:
    """Delete files that were replaced more than `kept_hours` ago; return how many."""
    with lake.locked(wait):
        return sum(version.vacuum(kept_hours) for table in (lake.history, lake.current) if (version := table.open()))


def rebuild(lake: Lake, *, wait: float = WAIT_SECONDS, progress: Progress | None = None) -> dict[str, int]:
    """Make `current` and `latest` anew from history, partition by partition, under readers' eyes.

    A `current` that cannot be opened is thrown away first; readers then read history until it is there again.
    """
    lake.drain(wait=wait)
    with lake.locked(wait):
        if lake.current.path.exists():
            try:
                lake.current.open()
            except StorageError:
                shutil.rmtree(lake.current.path)
    found = lake.history.open()
    todo = found.files().select("grain", "month").unique().sort("grain", "month").rows() if found else []
    for done, (grain, month) in enumerate(todo):
        if progress is not None:
            progress(done, len(todo))
        with lake.locked(wait):
            refresh(lake.history, lake.current, grain, month, lake.preference, anew=True)
    with lake.locked(wait):
        lake.refill_latest()
    if progress is not None:
        progress(len(todo), len(todo))
    return {"partitions": len(todo)}


TAIL_FILES: Final = 100
"""With more files than these not yet in `current`, readers grow slow."""


def is_due(lake: Lake) -> bool:
    """Return whether so many files are not yet in `current` that the lake should be compacted."""
    return bool(status(lake)["tail"]["files"] > TAIL_FILES)


def status(lake: Lake) -> dict[str, Any]:
    """Return what the lake holds.

    Returns
    -------
    dict
        `revision`; `watermark` (current holds all up to it); `history` and `current`, each `rows, files, bytes,
        partitions`; `tail` (rows and files not yet in current); `backlog` (batches and rows waiting in journals);
        `first, last` (times).
    """
    of_current, of_history = lake.current.open(), lake.history.open()
    files = of_history.files() if of_history else None
    tail = _tail(of_current, files)
    revision = _number(files["highest"].max()) if files is not None else 0
    waiting = [_waiting(of_history, path) for path in sorted(lake.journals.glob("*.sqlite"))]
    return {
        "revision": revision,
        "watermark": _number(tail["above"].min()) if tail.height else revision,
        "first": files["first"].min() if files is not None else None,
        "last": files["last"].max() if files is not None else None,
        "history": _sizes(files),
        "current": _sizes(of_current.files() if of_current else None),
        "tail": {"rows": _number(tail["rows"].sum()), "files": tail.height},
        "backlog": {"batches": sum(one for one, _ in waiting), "rows": sum(rows for _, rows in waiting)},
    }


def verify(lake: Lake, *, wait: float = WAIT_SECONDS, progress: Progress | None = None) -> list[Finding]:
    """Compare `current`, `latest` and the journals with history; return what is wrong (nothing: an empty list)."""
    lake.drain(wait=wait)
    of_current, of_history = lake.current.open(), lake.history.open()
    findings: list[Finding] = []
    if of_history is not None:
        files = of_history.files()
        current_files = of_current.files() if of_current else files.clear()
        both = pl.concat([files, current_files]).select("grain", "month").unique().sort("grain", "month").rows()
        for done, (grain, month) in enumerate(both):
            if progress is not None:
                progress(done, len(both))
            here = (pl.col("grain") == grain, pl.col("month") == month)
            through = of_current.transaction(watermark(grain, month)) if of_current else 0
            findings += _wrong(
                lake.preference, (grain, month), files.filter(*here), current_files.filter(*here), through
            )
        if progress is not None:
            progress(len(both), len(both))
    findings += _wrong_latest(lake, wait)
    return findings


def _wrong(
    preference: tuple[str, ...],
    partition: tuple[str, str],
    files: pl.DataFrame,
    current_files: pl.DataFrame,
    through: int,
) -> Iterator[Finding]:
    grain, month = partition
    where = f"{grain}/{month}"
    strangers = doubled = differing = 0
    try:
        ranges = site_ranges(files, grain) or site_ranges(current_files, grain)
        pieces = zip(whole(files, ranges), whole(current_files, ranges), strict=True) if ranges else ()
        for rows, held in pieces:
            strangers += rows.filter(month_of() != month).height
            doubled += rows.select(pl.struct(*IDENTITY, "revision").is_duplicated().sum()).item()
            right = one_per_key(rows.filter(pl.col("revision") <= through), preference)
            differing += not right.equals(held.select(*OBSERVATION))
    except StorageError as refusal:
        yield Finding("unreadable", where, refusal.zh, refusal.en)
        return
    if strangers:
        yield Finding(
            "partition", where, f"{where} 有 {strangers} 行不属于本月。", f"{where}: {strangers} rows of another month."
        )
    if doubled:
        yield Finding("doubled", where, f"{where} 有 {doubled} 行重复。", f"{where}: {doubled} rows are doubled.")
    if differing:
        yield Finding(
            "current",
            where,
            f"{where} 的现行表与历史不符；请运行 qinglan lake rebuild。",
            f"{where}: current differs from history; run qinglan lake rebuild.",
        )


def _wrong_latest(lake: Lake, wait: float) -> Iterator[Finding]:
    if lake.engine is None:
        return
    with lake.locked(wait):
        right = latest.newest(lake.scan()).collect().sort(latest.SERIES)
        found = lake.latest()
    wrong = right.join(found, on=right.columns, how="anti", nulls_equal=True).height
    if wrong or right.height != found.height:
        yield Finding(
            "latest",
            "latest",
            f"最新值表与观测库不符（应有 {right.height} 条序列，现有 {found.height}，不同 {wrong}）；"
            "请运行 qinglan lake rebuild。",
            f"The table latest differs from the lake ({right.height} series expected, {found.height} found, {wrong}"
            " differ); run qinglan lake rebuild.",
        )


def _behind(lake: Lake) -> pl.DataFrame:
    of_current, of_history = lake.current.open(), lake.history.open()
    return _tail(of_current, of_history.files() if of_history else None).unique(["grain", "month"]).sort("month")


def _tail(of_current: Version | None, files: pl.DataFrame | None) -> pl.DataFrame:
    if files is None:
        return pl.DataFrame(schema={"grain": pl.String, "month": pl.String, "rows": pl.Int64, "above": pl.Int64})
    if of_current is None:
        return files.with_columns(above=pl.lit(0, pl.Int64))
    marks = behind(of_current, of_current.files(), files)
    return files.join(marks, on=["grain", "month"]).filter(pl.col("highest") > pl.col("above"))


def _sizes(files: pl.DataFrame | None) -> dict[str, int]:
    if files is None:
        return {"rows": 0, "files": 0, "bytes": 0, "partitions": 0}
    return {
        "rows": _number(files["rows"].sum()),
        "files": files.height,
        "bytes": _number(files["bytes"].sum()),
        "partitions": files.select("grain", "month").n_unique(),
    }


def _number(found: Any) -> int:
    return int(found or 0)


def _waiting(of_history: Version | None, path: Any) -> tuple[int, int]:
    journal = Journal(path)
    try:
        return journal.backlog(of_history.transaction(journal.app_id) if of_history else 0)
    finally:
        journal.close()
