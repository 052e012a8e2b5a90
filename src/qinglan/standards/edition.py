"""Editions: a standard's text in force between two dates, and which one a date lies under."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal, TypeVar

import narwhals as nw
from pydantic import Field

from qinglan.core.declare import Declaration, Declarations, Finding, Part, read
from qinglan.core.errors import DeclarationError, EditionError

Check = Literal["O", "P", "D", "M", "U"]
"""How sure a row is: O read in the document, P agrees with a public page, D derived, M from memory, U unsupported."""


class InForce(Part):
    """The days on which an edition is in force, both included; an open end is in force still."""

    start: date
    end: date | None = None


class Rule(Part):
    """One rule of the text in our own words, with its clause and how sure we are of it."""

    rule: str = Field(min_length=1)
    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)
    clause: str
    check: Check


class Edition(Declaration):
    """The root of all declared editions."""

    number: str = Field(min_length=3)
    edition: str
    stage: str | None = None
    in_force: InForce
    replaces: str | None = None
    state: Literal["complete", "incomplete"] = "complete"
    lacking: tuple[str, ...] = ()
    rules: tuple[Rule, ...] = ()

    @property
    def name(self) -> str:
        """Number and year, as it is cited: ``HJ 633—2012``."""
        return f"{self.number}—{self.edition}"

    def covers(self, day: date) -> bool:
        """Return whether the edition is in force on `day`."""
        return self.in_force.start <= day and (self.in_force.end is None or day <= self.in_force.end)

    def rows(self, table: str, columns: Sequence[str]) -> tuple[dict[str, str], ...]:
        """Return the rows of the CSV table beside the declaration.

        Raises
        ------
        DeclarationError
            If the table is absent or its columns are others.
        """
        return _rows(self.file.parent / table, tuple(columns))

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield overlaps and gaps with the next edition, and what a complete edition lacks."""
        if not self.examples:
            yield self.finding("没有算例。", "has no example.")
        if (self.state == "incomplete") != bool(self.lacking):
            yield self.finding(
                "state: incomplete 与 lacking（缺少的条款）必须同时给出。",
                "state: incomplete and lacking (the missing clauses) go together.",
            )
        same = [
            other
            for other in declarations.of(type(self)).values()
            if other.number == self.number and other.in_force.start > self.in_force.start
        ]
        following = min(same, key=lambda other: other.in_force.start, default=None)
        if following is not None and self.in_force.end != following.in_force.start - timedelta(days=1):
            yield self.finding(
                f"止于 {self.in_force.end}，而 {following.id} 自 {following.in_force.start} 起：二者之间重叠或空缺。",
                f"ends on {self.in_force.end} while {following.id} begins on {following.in_force.start}: "
                "they overlap or leave a gap.",
            )


@cache
def _rows(path: Path, columns: tuple[str, ...]) -> tuple[dict[str, str], ...]:
    try:
        with path.open(encoding="utf-8", newline="") as table:
            reader = csv.DictReader(table)
            found = tuple(reader)
    except OSError as error:
        raise DeclarationError(
            f"声明所指的表 {path.name} 无法读取。", f"The table {path.name} that a declaration names cannot be read."
        ) from error
    if tuple(reader.fieldnames or ()) != columns:
        raise DeclarationError(
            f"{path.name} 的列应为 {'、'.join(columns)}。", f"{path.name} should have the columns {', '.join(columns)}."
        )
    return found


E = TypeVar("E", bound=Edition)


@cache
def editions(folder: Path, model: type[E], number: str) -> tuple[E, ...]:
    """Return the editions of one standard below `folder`, the oldest first."""
    found = [
        declaration
        for path in sorted(folder.glob("*.yaml"))
        if isinstance(declaration := read(path), model) and declaration.number == number
    ]
    return tuple(sorted(found, key=lambda edition: edition.in_force.start))


def named(available: Sequence[E], edition: str) -> E:
    """Return the edition with the id or year `edition`.

    Raises
    ------
    EditionError
        If there is none.
    """
    for candidate in available:
        if edition in (candidate.id, candidate.edition, candidate.name):
            return candidate
    known = "、".join(candidate.id for candidate in available)
    raise EditionError(
        f"没有名为“{edition}”的版本：现有 {known}。",
        f'There is no edition "{edition}": there are {known}.',
        field="edition",
    )


def in_force(available: Sequence[E], day: date) -> E:
    """Return the edition in force on `day`.

    Raises
    ------
    EditionError
        If none is.
    """
    for candidate in available:
        if candidate.covers(day):
            return candidate
    first = available[0]
    raise EditionError(
        f"{first.number} 在 {day.isoformat()} 没有收录现行版本（最早收录 {first.name}，自 {first.in_force.start} 起）；"
        "如需按某一版本评价，请写明 edition。",
        f"No edition of {first.number} is on file for {day.isoformat()} (the first is {first.name}, from "
        f"{first.in_force.start}); to judge by one all the same, give edition.",
        field="edition",
    )


def by_day(available: Sequence[E], day: nw.Expr, build: Callable[[E], nw.Expr]) -> nw.Expr:
    """Return, for each row, what `build` makes of the edition in force on its own `day`."""
    *older, newest = available
    found = build(newest)
    for edition in reversed(older):
        last = edition.in_force.end
        found = nw.when(day <= nw.lit(last)).then(build(edition)).otherwise(found)
    return found


def refuse_uncovered(frame: nw.LazyFrame[Any], day: nw.Expr, available: Sequence[Edition]) -> None:
    """Refuse a frame with a day before the first edition on file."""
    earliest = frame.select(day.min().alias("earliest")).collect().to_dict(as_series=False)["earliest"][0]
    if earliest is not None:
        in_force(available, earliest if type(earliest) is date else earliest.date())
