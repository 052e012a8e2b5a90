"""Files of a multipart request, written to disk while they arrive."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from qinglan.base.storage import storage_errors
from qinglan.core.errors import InputError
from qinglan.web.limits import MEBIBYTE

MOST_FILES = 50
MOST_FIELDS = 20
LONGEST_NAME = 120
_PIECE = MEBIBYTE


@dataclass(frozen=True)
class Upload:
    """One file that arrived: what its sender calls it, and where it is."""

    name: str
    path: Path


@dataclass(frozen=True)
class Form:
    """The files and the other fields of a request."""

    uploads: tuple[Upload, ...]
    fields: dict[str, str]


@asynccontextmanager
async def received(request: Request, folder: Path) -> AsyncIterator[Form]:
    """Read the form of `request` with its files below `folder`; they go when the block ends.

    Raises
    ------
    InputError
        If the request is no multipart form.
    StorageError
        If the disk has no room.
    """
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        raise InputError(
            "请以 multipart/form-data 上传文件，字段名为 files。",
            "Upload the files as multipart/form-data, in the field files.",
            field="files",
        )
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        keep = tempfile.TemporaryDirectory(prefix="upload-", dir=folder)
    try:
        with storage_errors(folder):
            yield await _parsed(request, Path(keep.name))
    finally:
        await run_in_threadpool(keep.cleanup)


async def _parsed(request: Request, folder: Path) -> Form:
    parser = _ToFolder(request, folder)
    try:
        form = await parser.parse()
    except MultiPartException as error:
        raise InputError(
            f"上传的内容无法读懂：{error.message}。",
            f"The upload cannot be read: {error.message}",
            field="files",
        ) from error
    uploads = []
    for given in form.getlist("files"):
        if isinstance(given, UploadFile):
            path = Path(str(given.file.name))
            await given.close()
            uploads.append(Upload(safe_name(given.filename or ""), path))
    fields = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    return Form(tuple(uploads), fields)


class _ToFolder(MultiPartParser):
    """Starlette's parser with its temporary files where the home folder is, so that they need no second disk."""

    def __init__(self, request: Request, folder: Path) -> None:
        super().__init__(request.headers, request.stream(), max_files=MOST_FILES, max_fields=MOST_FIELDS)
        self._folder = folder

    def on_headers_finished(self) -> None:
        super().on_headers_finished()
        part = self._current_part
        if part.file is not None:
            part.file.file.close()
            opened = tempfile.NamedTemporaryFile(dir=self._folder, delete=False)  # noqa: SIM115
            self._files_to_close_on_error[-1] = opened  # type: ignore[call-overload]
            part.file = UploadFile(opened, size=0, filename=part.file.filename, headers=part.file.headers)  # type: ignore[arg-type]


def safe_name(name: str) -> str:
    r"""Return the last part of a file's name, without signs that mean something to a path or a terminal.

    Examples
    --------
    >>> safe_name("../../etc/passwd"), safe_name("C:\\数据\\一月.csv"), safe_name(".."), safe_name("a\x00b\n.csv")
    ('passwd', '一月.csv', 'file', 'ab.csv')
    """
    last = PureWindowsPath(name).name
    kept = "".join(letter for letter in last if letter.isprintable() and letter not in '<>:"/\\|?*').strip(". ")
    return kept[-LONGEST_NAME:] or "file"
