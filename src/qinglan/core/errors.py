"""The one exception tree.

    QinglanError
    ├── DeclarationError     a declaration cannot be read, or contradicts another
    ├── InputError           a file, row, field or argument is not acceptable
    ├── EditionError         no edition of a standard is in force, or it does not cover the question
    ├── StorageError         the home folder, base or lake cannot be read or written
    │   ├── NewerDataError   the data were written by a newer version
    │   └── BusyError        another process holds what this one needs
    └── JobError             a job cannot run, or was taken away from this worker

Every error says one sentence in Chinese and the same in English, and keeps where it happened as fields,
so that the command line, problem+json and a reject sheet show the same thing.
"""

from __future__ import annotations

from typing import Any, ClassVar


class QinglanError(Exception):
    """The root of every error that Qinglan raises on purpose.

    Parameters
    ----------
    zh, en
        One whole sentence each: what is wrong, why, and what would be right.
    file, row, field
        Where it happened, as far as known; `row` counts as the user's program counts (the header is row 1).
    """

    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        zh: str,
        en: str,
        *,
        file: str | None = None,
        row: int | None = None,
        field: str | None = None,
    ) -> None:
        super().__init__(zh)
        self.zh = zh
        self.en = en
        self.file = file
        self.row = row
        self.field = field

    def __str__(self) -> str:
        return f"{self.zh} / {self.en}"

    def sentence(self, language: str = "zh") -> str:
        """Return the sentence in one language."""
        return self.en if language == "en" else self.zh

    def problem(self) -> dict[str, Any]:
        """Return the error as a problem+json object (RFC 9457)."""
        found: dict[str, Any] = {
            "type": f"urn:qinglan:{type(self).__name__}",
            "title": type(self).__name__,
            "status": self.status,
            "detail": self.zh,
            "zh": self.zh,
            "en": self.en,
        }
        where = {"file": self.file, "row": self.row, "field": self.field}
        return found | {name: value for name, value in where.items() if value is not None}


class DeclarationError(QinglanError):
    """A declaration cannot be read, or contradicts another."""

    exit_code = 2


class InputError(QinglanError):
    """A file, row, field or argument is not acceptable."""

    status = 422
    exit_code = 2


class EditionError(QinglanError):
    """No edition of a standard is in force on the date, or it does not cover what was asked."""

    status = 422
    exit_code = 2


class StorageError(QinglanError):
    """The home folder, the base or the lake cannot be read or written."""

    status = 503
    exit_code = 2


class NewerDataError(StorageError):
    """The data were written by a newer version of Qinglan."""

    status = 409


class BusyError(StorageError):
    """Another process holds what this one needs."""

    status = 409


class JobError(QinglanError):
    """A job cannot run, or was taken away from this worker."""

    status = 409
