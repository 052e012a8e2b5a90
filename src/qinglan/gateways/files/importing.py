"""The job that imports files: all are checked first, then each is read, cleaned and handed to the lake in chunks.

The lake takes a row that it has as a repeat, so that a job that was killed is simply run again from its beginning.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl
from sqlalchemy import Engine, select, update

from qinglan.base import schema
from qinglan.base.engine import reading, transaction
from qinglan.base.settings import Settings
from qinglan.base.storage import storage_errors
from qinglan.core.errors import InputError, QinglanError, StorageError
from qinglan.gateways.files.cleaning import Cleaned, clean
from qinglan.gateways.files.doubts import Doubts, contradictions, doubtful_units, medians_of
from qinglan.gateways.files.mapping import Mapping as FileMapping
from qinglan.gateways.files.mapping import load_mapping
from qinglan.gateways.files.preparing import Prepared, Wishes, prepare
from qinglan.gateways.files.reading import Chunk
from qinglan.gateways.files.rejects import RejectFile, rejects, rejects_path
from qinglan.gateways.files.water_feed import CLASS_FACTOR, FeedTable
from qinglan.jobs import Handler, JobContext
from qinglan.jobs.context import LeaseLostError
from qinglan.observations.journal import Receipt
from qinglan.observations.lake import Lake

KIND = "import"
ROOM = 64 << 20
INCOMING = "incoming-"
"""Folders of uploaded copies, below the home's files, begin so."""
# A file up to here is looked through when it is handed in, not only when its job's turn comes.
_SMALL = 8 << 20
_AGAIN = {
    "zh": "本次导入曾经中断，后从头重来：中断前已入库的值计为重复。",
    "en": "This import was interrupted and begun again: what it had taken in before counts as repeated.",
}


@dataclass
class Counts:
    """What became of the cells: read = added + repeated + revised + rejected + empty, always."""

    read: int = 0
    added: int = 0
    repeated: int = 0
    revised: int = 0
    rejected: int = 0
    empty: int = 0
    sentinels: int = 0

    def take(self, cleaned: Cleaned, receipt: Receipt) -> None:
        """Count one chunk."""
        self.read += cleaned.read
        self.empty += cleaned.empty
        self.rejected += cleaned.rejected
        self.sentinels += cleaned.sentinels
        self.added += receipt.added
        self.repeated += receipt.repeated + cleaned.repeated
        self.revised += receipt.revised + cleaned.revised

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in asdict(self)})


@dataclass
class FileResult:
    """What became of one file."""

    name: str
    size: int
    sha256: str
    layout: str
    grain: str
    stamp: str
    source: str
    counts: Counts = field(default_factory=Counts)
    guesses: list[dict[str, str]] = field(default_factory=list)
    warnings: list[dict[str, str]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return the counts beside the name, as the API shows a file."""
        found = asdict(self)
        return {**found.pop("counts"), **found}


def handler(settings: Settings, lake: Lake, registered: Collection[str] | None = None) -> Handler:
    """Return the handler of jobs of the kind `KIND`; `registered` are the sites that the city pack knows."""

    def run(context: JobContext) -> dict[str, object]:
        folders = incoming_folders(settings, context.arguments)
        try:
            # A job that was killed between its last word and its end has nothing left to do; its copies may be gone.
            summary = _finished(context.engine, settings, context.id) or import_files(
                context, settings, lake, registered
            )
        except InputError:
            # No further try can succeed, so nothing will read the copies again.
            _remove(folders)
            raise
        _remove(folders)
        return summary

    return run


def incoming_folders(settings: Settings, arguments: Mapping[str, Any]) -> set[Path]:
    """Return the folders of uploaded copies that an import reads; files read where they are lie in none."""
    named = [*arguments["paths"], *filter(None, [arguments.get("mapping")])]
    folders = {Path(path).parent for path in named}
    return {folder for folder in folders if folder.parent == settings.files and folder.name.startswith(INCOMING)}


def _remove(folders: Iterable[Path]) -> None:
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _finished(engine: Engine, settings: Settings, identifier: str) -> dict[str, object] | None:
    """Return the summary of an import whose files were all taken in, or None."""
    query = select(schema.imports).where(schema.imports.c.id == identifier, schema.imports.c.finished.is_not(None))
    with reading(engine) as connection:
        row = connection.execute(query).mappings().first()
    if row is None:
        return None
    lines, _ = rejects(settings, identifier, 0, 1)
    return {
        "counts": row["counts"],
        "files": row["files"],
        "rejects_file": row["rejects_file"],
        "reject_lines": lines,
    }


def refuse_unsaid_stamp(paths: Iterable[Path], names: Iterable[str], wishes: Wishes) -> None:
    """Refuse small files at once that lack what only their sender knows: the stamp of hours, the day of the feed.

    Everything else that is wrong with a file, and large files, are left to the job.

    Raises
    ------
    InputError
        With the field ``stamp`` or ``date``.
    """
    for path, name in zip(paths, names, strict=True):
        if path.stat().st_size > _SMALL:
            continue
        try:
            prepare(path, name, wishes, datetime.now(UTC))
        except InputError as error:
            if error.field in ("stamp", "date"):
                raise


def import_files(
    context: JobContext, settings: Settings, lake: Lake, registered: Collection[str] | None = None
) -> dict[str, object]:
    """Import the files that the job names; see `records.start_import` for its arguments.

    Where `registered` is given, sites that are not among them are warned about.

    Raises
    ------
    InputError
        If any file cannot be taken as a whole; then nothing of any of them was written.
    StorageError
        If there is no room for the data.
    """
    arguments = context.arguments
    names: list[str] = list(arguments["names"])
    paths = [Path(path) for path in arguments["paths"]]
    wishes = wishes_of(arguments)
    now = datetime.now(UTC)
    prepared = []
    for path, name in zip(paths, names, strict=True):
        context.progress(0, None, f"检查 {name}", f"Checking {name}")
        prepared.append(prepare(path, name, wishes, now, checked=lambda _: context.check()))
    require_room(settings.lake, sum(one.table.size for one in prepared))
    results = [_result(one) for one in prepared]
    for one, result in zip(prepared, results, strict=True):
        result.guesses += _kept_attributes(one, settings, context.id)
    if context.attempt > 1 or _begun_before(context):
        for result in results:
            result.warnings.append(_AGAIN)
    total = sum(one.table.size for one in prepared)
    before = 0
    rejected = RejectFile(rejects_path(settings, context.id))
    try:
        with rejected:
            for one, result in zip(prepared, results, strict=True):
                for chunk in _imported(one, result, lake, rejected, context.check, Doubts(registered)):
                    context.progress(before + min(chunk.done, one.table.size), total, *_said(result))
                before += one.table.size
    except LeaseLostError:
        raise
    except BaseException:
        # What was taken in stays in the lake, so the import says it although it was stopped.
        with suppress(QinglanError):
            _record(context, wishes, results, rejected, whole=False)
        raise
    counts = sum((result.counts for result in results), start=Counts())
    if rejected.lines:
        context.log(f"拒收 {counts.rejected} 个值，见 {rejected.path}。 / {counts.rejected} values rejected.")
    summary: dict[str, object] = {
        "counts": asdict(counts),
        "files": [result.as_json() for result in results],
        "rejects_file": str(rejected.path) if rejected.lines else None,
        "reject_lines": rejected.lines,
    }
    _record(context, wishes, results, rejected, whole=True)
    context.progress(total, total, "完成", "Done")
    return summary


def _imported(
    one: Prepared,
    result: FileResult,
    lake: Lake,
    rejected: RejectFile,
    checked: Callable[[], None],
    doubts: Doubts,
) -> Iterator[Chunk]:
    """Yield each chunk of one file after it is in the lake and counted; `checked` refuses where the job is lost."""
    medians: list[pl.DataFrame] = []
    contradicted = 0
    for chunk in one.chunks():
        cleaned = clean(chunk, one.rules)
        checked()
        rejected.add(result.name, cleaned.rejects)
        receipt = lake.submit(cleaned.observations, source=one.source) if len(cleaned.observations) else Receipt()
        result.counts.take(cleaned, receipt)
        doubts.take(cleaned.observations)
        medians.append(medians_of(cleaned.observations))
        contradicted += cleaned.revised
        yield chunk
    result.warnings += [*doubtful_units(medians), *contradictions(contradicted), *doubts.warnings()]


def _said(result: FileResult) -> tuple[str, str]:
    read, rejected = result.counts.read, result.counts.rejected
    return (
        f"{result.name}：已读 {read:,} 个值，拒收 {rejected:,}",
        f"{result.name}: {read:,} values read, {rejected:,} rejected",
    )


def wishes_of(arguments: Mapping[str, Any]) -> Wishes:
    """Return what a job's arguments say about its files."""
    path = arguments.get("mapping")
    mapping = load_mapping(Path(path)) if path else FileMapping()
    return Wishes(
        mapping,
        basis=arguments.get("basis"),
        source=arguments.get("source"),
        layout=arguments.get("layout") or "auto",
        stamp=arguments.get("stamp"),
        grain=arguments.get("grain"),
        medium=arguments.get("medium") or "air",
    )


def require_room(folder: Path, size: int) -> None:
    """Refuse to begin where the disk has less than `size` bytes, and some to spare, free.

    Raises
    ------
    StorageError
        If there is no room.
    """
    place = folder
    while not place.exists() and place != place.parent:
        place = place.parent
    with storage_errors(folder):
        free = shutil.disk_usage(place).free
    if free < size + ROOM:
        wanted = (size + ROOM) / (1 << 20)
        raise StorageError(
            f"磁盘空间不足：{folder} 所在磁盘剩余 {free / (1 << 20):.0f} MB，导入约需 {wanted:.0f} MB；"
            "未写入任何数据。",
            f"No room on the disk: {free / (1 << 20):.0f} MB are free at {folder}, the import needs about "
            f"{wanted:.0f} MB; nothing was written.",
            file=str(folder),
        )


def _result(one: Prepared) -> FileResult:
    clock = one.rules.clock
    guesses = [{"zh": zh, "en": en} for zh, en in one.guesses]
    return FileResult(
        one.table.name,
        one.table.size,
        one.table.sha256,
        one.rules.layout.kind,
        clock.grain,
        clock.stamp,
        one.source,
        guesses=guesses,
    )


def _kept_attributes(one: Prepared, settings: Settings, identifier: str) -> list[dict[str, str]]:
    """Write what a feed says of its sections beside the rejects, and say where; observations have no column for it."""
    if not isinstance(one.table, FeedTable):
        return []
    found = one.table.attributes()
    path = rejects_path(settings, identifier).with_name(f"sections-{one.table.sha256[:8]}.csv")
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\xef\xbb\xbf" + found.write_csv().encode())
    return [
        {
            "zh": f"省份、流域、所在地市、所属河流不是监测值，{found.height} 个断面的已写入 {path}；"
            f"发布的水质类别作为因子 {CLASS_FACTOR} 入库。",
            "en": f"Province, basin, city and river are no measurements: those of {found.height} sections are in "
            f"{path}; the published class is kept as the factor {CLASS_FACTOR}.",
        }
    ]


def _begun_before(context: JobContext) -> bool:
    """Return whether an earlier try, given back when its worker stopped, has written down what it took in."""
    query = select(schema.imports.c.counts).where(schema.imports.c.id == context.id)
    with reading(context.engine) as connection:
        return connection.execute(query).scalar_one_or_none() is not None


def _record(
    context: JobContext, wishes: Wishes, results: list[FileResult], rejected: RejectFile, *, whole: bool
) -> None:
    sources = sorted({result.source for result in results})
    layouts = sorted({result.layout for result in results})
    row = {
        "files": [result.as_json() for result in results],
        "basis": wishes.basis or wishes.mapping.basis or "realtime",
        "source": "、".join(sources)[:255],
        "layout": "、".join(layouts)[:32],
        "counts": asdict(sum((result.counts for result in results), start=Counts())),
        "rejects_file": str(rejected.path) if rejected.lines else None,
        "finished": datetime.now(UTC) if whole else None,
        "simulated": "simulated" in sources,
    }
    with transaction(context.engine) as connection:
        connection.execute(update(schema.imports).where(schema.imports.c.id == context.id).values(**row))


def refuse_no_files(paths: Iterable[Path]) -> None:
    """Refuse an import of nothing.

    Raises
    ------
    InputError
        If there is no file.
    """
    if not list(paths):
        raise InputError("没有要导入的文件。", "There is no file to import.", field="files")
