"""Code lists: what a field of the type `code` may say, and from when to when."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from qinglan.core.declare import Declaration, Declarations, Finding, Part, Title, kind


class Code(Part):
    """One code with its title; in force in ``[start, end)``, without a date always."""

    code: str = Key(min_length=1, max_length=64)
    title: Title
    start: date | None = None
    end: date | None = None
    parent: str | None = None
    synonyms: tuple[str, ...] = ()

    @field_validator("code", mode="before")
    @classmethod
    def _text(cls, given: Any) -> Any:
        return str(given) if isinstance(given, int) and not isinstance(given, bool) else given

    @field_validator("title", mode="before")
    @classmethod
    def _both(cls, given: Any) -> Any:
        if not isinstance(given, str):
            return given
        zh, _, en = given.partition(" / ")
        return {"zh": zh.strip(), "en": en.strip() or zh.strip()}

    @model_validator(mode="after")
    def _in_order(self) -> Code:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("end must lie after start / end 须晚于 start")
        return self

    def on(self, day: date) -> bool:
        """Return whether it is in force on `day`."""
        return (self.start is None or self.start <= day) and (self.end is None or day < self.end)

    def names(self) -> tuple[str, ...]:
        """Return what a sheet may write for it."""
        return (self.code, self.title.zh, self.title.en, *self.synonyms)


@kind("code_list")
class CodeList(Declaration):
    """A list of codes that several ledgers share."""

    entries: tuple[Code, ...] = Key(min_length=1)

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield a missing basis, codes given twice for one day and parents that are no codes of the list."""
        if not self.basis:
            yield self.finding("没有写依据（basis）。", "it has no basis.")
        known = {entry.code for entry in self.entries}
        for number, entry in enumerate(self.entries):
            if entry.parent is not None and entry.parent not in known:
                yield self.finding(
                    f"{entry.code} 的上级“{entry.parent}”不在表中。", f"{entry.code}: no parent {entry.parent}."
                )
            for other in self.entries[number + 1 :]:
                if entry.code == other.code and _overlap(entry, other):
                    yield self.finding(f"代码 {entry.code} 的有效期重叠。", f"the code {entry.code} overlaps itself.")


def _overlap(one: Code, other: Code) -> bool:
    return (one.start or date.min) < (other.end or date.max) and (other.start or date.min) < (one.end or date.max)
