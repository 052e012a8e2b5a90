"""Files of records: kept by what they hold (SHA-256), their sort told from their bytes, never from their names."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
import zlib
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select

from qinglan.base import dialect
from qinglan.base.engine import reading, transaction
from qinglan.base.schema import ledger_files
from qinglan.base.scope import Scope
from qinglan.base.storage import storage_errors
from qinglan.core.errors import InputError
from qinglan.ledgers.faults import MissingError, TooLargeError
from qinglan.ledgers.listing import exists
from qinglan.ledgers.records import read
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.rights import hides, require
from qinglan.ledgers.values import Values
from qinglan.ledgers.writing import Writing

FOLDER: Final = "attachments"
LARGEST: Final = 50 << 20
MOST_UNPACKED: Final = 1 << 30
MOST_RATIO: Final = 200
_OFFICE = {
    "word/": ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", ".docx"),
    "xl/": ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", ".xlsx"),
    "ppt/": ("application/vnd.openxmlformats-officedocument.presentationml.presentation", ".pptx"),
}
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"%PDF-", "application/pdf"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"II*\x00", "image/tiff"),
    (b"MM\x00*", "image/tiff"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
)
_KNOWN = "PDF、PNG、JPEG、GIF、TIFF、WebP、MP4、Word、Excel、PowerPoint、OFD、ZIP、CSV/文本"


def sniff(content: bytes) -> str:
    """Return the media type of a file by what it holds.

    Raises
    ------
    InputError
        If it is none of those that are kept: programs, pages and drawings with scripts in them are not.

    Examples
    --------
    >>> sniff(b"%PDF-1.7 ..."), sniff("编码,名称".encode())
    ('application/pdf', 'text/plain')
    """
    for start, media in _MAGIC:
        if content.startswith(start):
            return media
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    if content[4:8] == b"ftyp":
        return "video/mp4"
    if content.startswith(b"PK\x03\x04"):
        return _packed(content)
    text = _text(content)
    if text is None or _is_markup(text):
        raise InputError(
            f"不接受此类文件：可上传 {_KNOWN}（不含网页、SVG 与程序）。",
            "Files of this sort are not kept: no pages, SVG or programs.",
            field="files",
        )
    return "text/plain"


def _text(content: bytes) -> str | None:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            found = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        return None if any(ord(sign) < 32 and sign not in "\t\r\n\f" for sign in found) else found
    return None


def _is_markup(text: str) -> bool:
    """Return whether a browser could take a text for a page or a drawing, wherever in it the first tag stands."""
    lowered = text.lower()
    return lowered.lstrip().startswith("<") or any(
        tag in lowered for tag in ("<!doctype", "<html", "<svg", "<script", "<iframe", "<body", "<?xml", "<img")
    )


def _packed(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            unpacked = sum(member.file_size for member in members)
            if unpacked > MOST_UNPACKED or unpacked > MOST_RATIO * max(len(content), 1 << 16):
                raise InputError(
                    "压缩包展开后过大，不予接收。", "The archive unpacks to too much and is refused.", field="files"
                )
            names = [member.filename for member in members]
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, OSError) as error:
        raise InputError("压缩包已损坏。", "The archive is damaged.", field="files") from error
    if any(name.lower().endswith("vbaproject.bin") for name in names):
        raise InputError("不接受带宏的文档。", "Documents with macros are not kept.", field="files")
    if "OFD.xml" in names:
        return "application/ofd"
    for folder, (media, _) in _OFFICE.items():
        if any(name.startswith(folder) for name in names):
            return media
    return "application/zip"


def path_of(ledgers: Ledgers, sha256: str) -> Path:
    """Return where a file is kept."""
    return ledgers.files / FOLDER / sha256[:2] / sha256


def keep(ledgers: Ledgers, scope: Scope, ledger_id: str, name: str, content: bytes) -> Values:
    """Keep a file for a ledger; the same content is kept once.

    Raises
    ------
    InputError
        If it is empty, too large, or of a sort that is not kept.
    ForbiddenError
        If the scope may not write into the ledger.
    """
    ledger = ledgers.get(ledger_id)
    require(ledger, scope, "write")
    if not content:
        raise InputError(f"{name} 是空文件。", f"{name} is empty.", field="files")
    if len(content) > LARGEST:
        raise TooLargeError(f"{name} 超过 {LARGEST >> 20} MB。", f"{name} is over {LARGEST >> 20} MB.", field="files")
    media = sniff(content)
    sha256 = hashlib.sha256(content).hexdigest()
    path = path_of(ledgers, sha256)
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            fresh = path.with_name(f"{sha256}.{os.getpid()}.new")
            fresh.write_bytes(content)
            fresh.replace(path)
    row = {
        "sha256": sha256,
        "ledger": ledger_id,
        "name": name[:200],
        "media": media,
        "size": len(content),
        "who": Writing(scope).who,
    }
    with transaction(ledgers.engine) as connection:
        dialect.upsert(connection, ledger_files, [row | {"at": dialect.now(connection)}])
    return {key: row[key] for key in ("sha256", "name", "media", "size")}


def described(ledgers: Ledgers, scope: Scope, ledger_id: str, record: str) -> list[Values]:
    """Return the files of a record, with the field that names each."""
    ledger = ledgers.get(ledger_id)
    found = read(ledgers, scope, ledger_id, record)
    require(ledger, scope, "files", found.values)
    named: list[dict[str, Any]] = [
        {"field": field.id, **one}
        for field in ledger.fields
        if field.type == "file" and not hides(ledger, scope, field.id)
        for one in found.values.get(field.id) or ()
    ]
    with reading(ledgers.engine) as connection:
        query = select(ledger_files).where(
            ledger_files.c.ledger == ledger_id, ledger_files.c.sha256.in_([one["sha256"] for one in named])
        )
        known = {row["sha256"]: row for row in connection.execute(query).mappings()}
    return [
        one | {"media": known[one["sha256"]]["media"], "size": known[one["sha256"]]["size"]}
        for one in named
        if one["sha256"] in known
    ]


def open_file(ledgers: Ledgers, scope: Scope, ledger_id: str, record: str, sha256: str) -> tuple[Path, str, str]:
    """Return where a record's file is, its name and its media type.

    Raises
    ------
    MissingError
        If the record, as the scope may see it, has no such file.
    """
    exists(ledgers, scope, ledger_id, record)
    for one in described(ledgers, scope, ledger_id, record):
        if one["sha256"] == sha256 and path_of(ledgers, sha256).is_file():
            return path_of(ledgers, sha256), one["name"], one["media"]
    raise MissingError(f"这条记录没有附件“{sha256[:16]}”。", f'The record has no file "{sha256[:16]}".', field="sha256")
