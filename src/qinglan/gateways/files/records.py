"""Imports as rows of the base: put one in, look at one, list them."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, insert, select

from qinglan import jobs
from qinglan.base import schema
from qinglan.base.engine import reading, transaction
from qinglan.base.settings import Settings
from qinglan.base.storage import storage_errors
from qinglan.core.errors import InputError
from qinglan.core.interval import Basis, Grain, Stamp, to_beijing
from qinglan.gateways.files.importing import (
    INCOMING,
    KIND,
    incoming_folders,
    refuse_no_files,
    refuse_unsaid_stamp,
    require_room,
    wishes_of,
)
from qinglan.gateways.files.mapping import LayoutName, Medium, load_mapping

# A folder younger than this may belong to an import that is being put in this moment.
_YOUNG = timedelta(hours=1)
_COUNTED = ("read", "added", "repeated", "revised", "rejected", "empty")


@dataclass(frozen=True)
class ImportOptions:
    """What the caller says about the files of one import; `mapping` is the YAML text."""

    basis: Basis | None = None
    source: str | None = None
    layout: LayoutName = "auto"
    stamp: Stamp | None = None
    grain: Grain | None = None
    mapping: str | None = None
    medium: Medium = "air"


def start_import(
    engine: Engine,
    settings: Settings,
    files: Sequence[Path],
    options: ImportOptions | None = None,
    *,
    names: Sequence[str] | None = None,
    copy: bool = True,
) -> str:
    """Put in the job that imports `files`, and return its id, which is the import's too.

    Parameters
    ----------
    names
        What the user calls the files, where that is not the name of the path.
    copy
        Keep copies below the home folder, so that uploads may go; otherwise the files are read where they are.

    Raises
    ------
    InputError
        If there is no file, one is absent or no file, the mapping is not acceptable, or a small upload of hours
        comes without its stamp.
    StorageError
        If the disk has no room.
    """
    options = options or ImportOptions()
    refuse_no_files(files)
    remove_leftovers(engine, settings)
    shown = _names(files, names)
    folder = settings.files / f"{INCOMING}{secrets.token_hex(12)}"
    try:
        paths = _copies(settings, folder, files, shown) if copy else [path.absolute() for path in files]
        mapping = _mapping_file(folder, options.mapping)
        arguments: dict[str, Any] = {
            "paths": [str(path) for path in paths],
            "names": shown,
            "mapping": None if mapping is None else str(mapping),
            "basis": options.basis,
            "source": options.source,
            "layout": options.layout,
            "stamp": options.stamp,
            "grain": options.grain,
            "medium": "water" if options.layout == "water-feed" else options.medium,
        }
        if copy:
            refuse_unsaid_stamp(paths, shown, wishes_of(arguments))
        listed = "、".join(shown[:3]) + (" …" if len(shown) > 3 else "")
        with transaction(engine) as connection:
            identifier = jobs.enqueue(
                engine,
                KIND,
                arguments,
                title_zh=f"导入 {listed}",
                title_en=f"Import {listed}",
                connection=connection,
            )
            connection.execute(
                insert(schema.imports),
                [
                    {
                        "id": identifier,
                        "files": [
                            {"name": name, "size": path.stat().st_size if path.is_file() else 0}
                            for name, path in zip(shown, paths, strict=True)
                        ],
                        "basis": options.basis or "realtime",
                        "source": options.source or "file",
                        "layout": options.layout,
                        "mapping": options.mapping,
                        "created": datetime.now(UTC),
                        "simulated": options.source == "simulated",
                    }
                ],
            )
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return identifier


def get_import(engine: Engine, identifier: str) -> dict[str, Any]:
    """Return one import as the API shows it.

    Raises
    ------
    InputError
        If there is none of that id.
    """
    with reading(engine) as connection:
        row = connection.execute(select(schema.imports).where(schema.imports.c.id == identifier)).mappings().first()
    if row is None:
        raise InputError(
            f"没有编号为“{identifier}”的导入。", f'There is no import with the id "{identifier}".', field="id"
        )
    return _shown(dict(row), jobs.get(engine, identifier))


def list_imports(engine: Engine, *, limit: int = 50, before: str | None = None) -> list[dict[str, Any]]:
    """Return imports, the newest first; `before` is the id of the last one of the page before."""
    found = {job.id: job for job in jobs.list_jobs(engine, kinds=[KIND], limit=limit, before=before)}
    query = select(schema.imports).where(schema.imports.c.id.in_(list(found))).order_by(schema.imports.c.id.desc())
    with reading(engine) as connection:
        rows = connection.execute(query).mappings().all()
    return [_shown(dict(row), found[row["id"]]) for row in rows]


def remove_leftovers(engine: Engine, settings: Settings, *, older_than: timedelta = _YOUNG) -> None:
    """Remove uploaded copies that no import will read again: those of imports that were cancelled or given up."""
    found = list(settings.files.glob(f"{INCOMING}*"))
    if not found:
        return
    waiting = jobs.list_jobs(engine, kinds=[KIND], states=["waiting", "running"], limit=10_000)
    kept = {folder for job in waiting for folder in incoming_folders(settings, job.arguments)}
    before = (datetime.now(UTC) - older_than).timestamp()
    for folder in found:
        # Another process may remove the same folder at the same moment.
        with suppress(FileNotFoundError):
            if folder not in kept and folder.stat().st_mtime < before:
                shutil.rmtree(folder, ignore_errors=True)


def _shown(row: Mapping[str, Any], job: jobs.Job) -> dict[str, Any]:
    seen = job.as_json()
    counts = {name: int((row["counts"] or {}).get(name, 0)) for name in _COUNTED}
    return {
        "id": row["id"],
        "job": row["id"],
        "files": row["files"],
        "state": job.state,
        "basis": row["basis"],
        "source": row["source"],
        "layout": row["layout"],
        "counts": counts,
        "rejects": row["rejects_file"] is not None,
        "progress": seen["progress"],
        "created": to_beijing(row["created"]).isoformat(),
        "started": seen["started"],
        "finished": seen["finished"],
        "error": seen["error"],
        "simulated": bool(row["simulated"]),
    }


def _names(files: Sequence[Path], given: Sequence[str] | None) -> list[str]:
    """Return what the files are called: their names, or whole paths where names alone would be the same."""
    names = [Path(name).name for name in given] if given is not None else [path.name for path in files]
    if given is None and len(set(names)) < len(names):
        return [str(path) for path in files]
    return names


def _copies(settings: Settings, folder: Path, files: Sequence[Path], names: Sequence[str]) -> list[Path]:
    for path, name in zip(files, names, strict=True):
        if not path.is_file():
            raise InputError(f"没有文件 {name}。", f"There is no file {name}.", file=name)
    require_room(settings.files, sum(path.stat().st_size for path in files))
    copies = []
    with storage_errors(folder):
        folder.mkdir(parents=True)
        for index, path in enumerate(files):
            copies.append(folder / f"{index}{''.join(path.suffixes[-2:])[:20]}")
            shutil.copyfile(path, copies[-1])
    return copies


def _mapping_file(folder: Path, text: str | None) -> Path | None:
    """Keep the mapping beside the copies and make sure that it can be read."""
    if text is None or not text.strip():
        return None
    path = folder / "mapping.yaml"
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    load_mapping(path)
    return path
