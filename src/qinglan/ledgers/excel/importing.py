"""Imports: a file is checked and kept, its changes are shown, and only then it is written, whole or its good rows."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import RowMapping, insert, select, update

from qinglan.base import dialect
from qinglan.base.engine import reading, transaction
from qinglan.base.schema import ledger_imports
from qinglan.base.scope import Scope
from qinglan.base.storage import storage_errors
from qinglan.core.errors import InputError
from qinglan.core.interval import to_beijing
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.excel.marked import marked_copy
from qinglan.ledgers.excel.reading import Checked, Line, read_book
from qinglan.ledgers.excel.workbook import Book, open_book
from qinglan.ledgers.faults import MissingError, TooLargeError
from qinglan.ledgers.geo.layers import open_layer, sort_of
from qinglan.ledgers.history import answer_of, changes_of
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.rights import require
from qinglan.ledgers.store import refresh_statistics
from qinglan.ledgers.values import Values, canonical, digest, plain_values
from qinglan.ledgers.writing import Writing, insert_many, new_id, update_many, write_audit, write_transaction

Mode = Literal["all", "good"]
FOLDER = "ledger-imports"
LARGEST = 64 << 20
SHOWN = 200
_AT_ONCE = 500
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Kept:
    """An import that was checked: its row, and the file as it was handed in."""

    row: RowMapping
    path: Path


def check_file(
    ledgers: Ledgers, scope: Scope, ledger_id: str, name: str, content: bytes, *, crs: str | None = None
) -> Values:
    """Keep a file and say what it would do; nothing is written into the ledger.

    Parameters
    ----------
    content
        A workbook, a CSV, or a layer: Shapefile in an archive, GeoPackage, GeoJSON.
    crs
        The reference system of its shapes; else a layer's own, else longitude and latitude.

    Raises
    ------
    InputError
        If it cannot be read as a table of this ledger.
    ForbiddenError
        If the scope may not import into it.
    """
    ledger = ledgers.get(ledger_id)
    require(ledger, scope, "import")
    if len(content) > LARGEST:
        raise TooLargeError(f"{name} 超过 64 MB。", f"{name} is larger than 64 MB.", file=name)
    book, checked = _read(ledgers, scope, ledger, content, name, crs)
    identifier = new_id()
    folder = ledgers.files / FOLDER / identifier
    with storage_errors(folder):
        folder.mkdir(parents=True)
        (folder / "source").write_bytes(content)
        if checked.all_faults():
            (folder / "marked.xlsx").write_bytes(marked_copy(book, checked))
    summary = {"counts": checked.counts(), "plan": _plan(ledger, checked), "faults": len(checked.all_faults())}
    with transaction(ledgers.engine) as connection:
        connection.execute(
            insert(ledger_imports).values(
                id=identifier,
                ledger=ledger_id,
                name=name[:200],
                state="checked",
                options={"crs": crs},
                summary=summary,
                created=dialect.now(connection),
                who=Writing(scope).who,
            )
        )
    return _answer(ledgers, scope, ledger, _found(ledgers, scope, ledger_id, identifier).row, checked)


def _read(
    ledgers: Ledgers, scope: Scope, ledger: Ledger, content: bytes, name: str, crs: str | None
) -> tuple[Book, Checked]:
    if sort_of(content) is not None:
        book = open_layer(ledger, content, name, crs)
        return book, read_book(ledgers, scope, ledger.id, book)
    book = open_book(content, name)
    return book, read_book(ledgers, scope, ledger.id, book, crs)


def _plan(ledger: Ledger, checked: Checked) -> str:
    """Return a mark of what the file would do, to see whether it would still do the same when it is written."""
    said = [
        [line.sheet, line.row, line.action, line.existing["version"] if line.existing is not None else None]
        + ([canonical(plain_values(ledger.fields, line.values))] if line.action in ("add", "update") else [])
        for line in checked.lines
    ]
    return digest(canonical(said))


def get_import(ledgers: Ledgers, scope: Scope, ledger_id: str, identifier: str) -> Values:
    """Return an import with its changes and errors, checked again against what is on file now."""
    kept = _found(ledgers, scope, ledger_id, identifier)
    ledger = ledgers.get(ledger_id)
    if kept.row["state"] != "checked":
        return _head(kept.row)
    _, checked = _read(ledgers, scope, ledger, kept.path.read_bytes(), kept.row["name"], kept.row["options"]["crs"])
    return _answer(ledgers, scope, ledger, kept.row, checked)


def marked(ledgers: Ledgers, scope: Scope, ledger_id: str, identifier: str, *, rest: bool = False) -> bytes:
    """Return the marked copy of an import's file, or the rows that were not written.

    Raises
    ------
    MissingError
        If there is no such import, or nothing was wrong with it.
    """
    kept = _found(ledgers, scope, ledger_id, identifier)
    path = kept.path.with_name("rest.xlsx" if rest else "marked.xlsx")
    if not path.is_file():
        raise MissingError("这次导入没有错误的行。", "This import has no rows with errors.", field="import")
    return path.read_bytes()


def write_import(ledgers: Ledgers, writing: Writing, ledger_id: str, identifier: str, mode: Mode) -> Values:
    """Write a checked file: all of it or nothing, or its good rows and a file of the rest.

    Raises
    ------
    InputError
        If it was written already, has errors and `mode` is ``all``, or would no longer do what was shown.
    """
    ledger = ledgers.get(ledger_id)
    require(ledger, writing.scope, "import")
    kept = _found(ledgers, writing.scope, ledger_id, identifier)
    if kept.row["state"] != "checked":
        raise InputError("这次导入已经写入。", "This import was written already.", field="import")
    content, name, crs = kept.path.read_bytes(), kept.row["name"], kept.row["options"]["crs"]
    book, checked = _read(ledgers, writing.scope, ledger, content, name, crs)
    if mode == "all" and checked.all_faults():
        raise InputError(
            f"文件还有 {len(checked.all_faults())} 处错误，没有写入任何一行：请改正，或只写入正确的行。",
            f"The file has {len(checked.all_faults())} errors, nothing was written: correct them or write good rows.",
            field="mode",
        )
    if _plan(ledger, checked) != kept.row["summary"]["plan"]:
        raise InputError(
            "核对之后台账或规则已有变化：请重新上传核对。",
            "The ledger has changed since the file was checked: upload it again.",
            field="import",
        )
    _write(ledgers, ledger, Writing(**(vars(writing) | {"origin": "import"})), checked, identifier)
    if any(line.action == "refused" for line in checked.lines):
        with storage_errors(kept.path):
            kept.path.with_name("rest.xlsx").write_bytes(marked_copy(book, checked, only_refused=True))
    return _head(_found(ledgers, writing.scope, ledger_id, identifier).row)


def _write(ledgers: Ledgers, ledger: Ledger, writing: Writing, checked: Checked, identifier: str) -> None:
    """Write the lines in one transaction, so that a crash leaves all or nothing."""
    why = writing.why or f"导入 {identifier}"
    writing = Writing(**(vars(writing) | {"why": why}))
    adds = [line for line in checked.lines if line.action == "add"]
    changes = [line for line in checked.lines if line.action == "update"]
    with write_transaction(ledgers, ledger) as connection:
        _refuse_moved(ledgers, ledger, connection, changes)
        for start in range(0, len(adds), _AT_ONCE):
            insert_many(connection, ledgers, ledger, writing, [line.values for line in adds[start : start + _AT_ONCE]])
        for start in range(0, len(changes), _AT_ONCE):
            some = [
                (line.existing, line.before, line.values)
                for line in changes[start : start + _AT_ONCE]
                if line.existing is not None
            ]
            update_many(connection, ledgers, ledger, writing, some)
        table = ledger_imports
        done = connection.execute(
            update(table)
            .where(table.c.id == identifier, table.c.state == "checked")
            .values(state="written", written=dialect.now(connection))
        )
        if done.rowcount != 1:
            raise InputError("这次导入已经写入。", "This import was written already.", field="import")
        write_audit(connection, ledger, writing, "import", identifier, checked.counts())
        if len(adds) + len(changes) > _AT_ONCE:
            refresh_statistics(connection, ledgers.tables(ledger.id))


def _refuse_moved(ledgers: Ledgers, ledger: Ledger, connection: Any, changes: list[Line]) -> None:
    """Refuse to write over what was changed between the check and the transaction."""
    records = ledgers.tables(ledger.id).records
    for start in range(0, len(changes), _AT_ONCE):
        seen = {
            line.existing["record"]: line.existing["version"]
            for line in changes[start : start + _AT_ONCE]
            if line.existing
        }
        query = select(records.c.record, records.c.version).where(records.c.record.in_(list(seen)))
        now = {row.record: row.version for row in connection.execute(query)}
        if now != seen:
            raise InputError(
                "写入时台账刚被他人修改：请重新上传核对。",
                "Somebody changed the ledger at this moment: upload the file again.",
                field="import",
            )


def _found(ledgers: Ledgers, scope: Scope, ledger_id: str, identifier: str) -> Kept:
    require(ledgers.get(ledger_id), scope, "import")
    table = ledger_imports
    with reading(ledgers.engine) as connection:
        query = select(table).where(table.c.id == identifier, table.c.ledger == ledger_id)
        row = connection.execute(query).mappings().first()
    # A file holds what its sender may write, which is more than another importer may see.
    mine = row is not None and (row["who"] == Writing(scope).who or scope.places is None)
    if row is None or not mine or not _ID.fullmatch(identifier):
        raise MissingError(
            f"没有编号为“{identifier[:40]}”的导入。", f'There is no import "{identifier[:40]}".', field="import"
        )
    return Kept(row, ledgers.files / FOLDER / identifier / "source")


def _head(row: RowMapping) -> Values:
    return {
        "id": row["id"],
        "ledger": row["ledger"],
        "name": row["name"],
        "state": row["state"],
        "counts": row["summary"]["counts"],
        "errors": row["summary"]["faults"],
        "created": to_beijing(row["created"]).isoformat(),
        "written": None if row["written"] is None else to_beijing(row["written"]).isoformat(),
        "who": row["who"],
    }


def _answer(ledgers: Ledgers, scope: Scope, ledger: Ledger, row: RowMapping, checked: Checked) -> Values:
    changes = [
        {
            "sheet": line.sheet,
            "row": line.row,
            "action": line.action,
            "record": line.existing["record"] if line.existing is not None else None,
            "label": line.values.get(ledger.label),
            "changes": changes_of(ledger, scope, line.before, line.values) if line.action == "update" else [],
            "values": answer_of(ledger, scope, line.values) if line.action == "add" else {},
        }
        for line in checked.lines
        if line.action in ("add", "update")
    ]
    faults = checked.all_faults()
    return _head(row) | {
        "counts": checked.counts(),
        "errors": len(faults),
        "faults": [fault.answer() for fault in faults[:SHOWN]],
        "changes": changes[:SHOWN],
        "notes": [note.model_dump() for note in checked.notes],
        "writable": {"all": not faults, "good": any(line.action in ("add", "update") for line in checked.lines)},
    }
