"""How the pages of the reference are written: tables, lists, values as a reader sees them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from qinglan.core.declare import Clause, Title
from qinglan.standards.edition import Edition

CHECKS = (
    "Check marks say how sure a row is: O read in the document, P agrees with a public page, D derived, "
    "M from memory, U unsupported.\n"
)


def span(edition: Edition) -> str:
    """Return the days between which an edition is in force."""
    return f"{edition.in_force.start} – {edition.in_force.end or ''}".rstrip()


def clauses(clauses: Iterable[Clause]) -> str:
    """Return clauses in one text."""
    return "；".join(" ".join(part for part in (one.document, one.clause, one.note) if part) for one in clauses)


def is_parts(value: Any) -> bool:
    """Return whether a value is a part of a declaration, or several."""
    return isinstance(value, BaseModel) or (
        isinstance(value, tuple) and bool(value) and isinstance(value[0], BaseModel)
    )


def parts(value: Any) -> Iterator[str]:
    """Yield parts as a table of the columns that they use."""
    rows = [{name: shown(getattr(one, name)) for name in type(one).model_fields} for one in many(value)]
    used = [name for name in rows[0] if any(row[name] for row in rows)]
    yield from table(tuple(words(name) for name in used), [tuple(row[name] for name in used) for row in rows])


def many(value: Any) -> tuple[BaseModel, ...]:
    """Return one part or several as several."""
    return value if isinstance(value, tuple) else (value,)


def shown(value: Any) -> str:
    """Return a value as a reader sees it."""
    if value is None:
        return ""
    if isinstance(value, Title):
        return f"{value.zh} {value.en}"
    if isinstance(value, tuple):
        return "、".join(map(shown, value))
    if isinstance(value, Mapping):
        return "、".join(f"{key}: {shown(one)}" for key, one in value.items())
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def csv_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV table."""
    with path.open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def listing(facts: Mapping[str, Any]) -> Iterator[str]:
    """Yield facts as a list, blank ones left out."""
    lines = [f"- {name}: {shown(value)}" for name, value in facts.items() if shown(value)]
    yield "\n".join(lines) + "\n"


def table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> Iterator[str]:
    """Yield a table, or nothing where it has no rows."""
    if not rows:
        return
    lines = [head, tuple("---" for _ in head), *rows]
    yield "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines) + "\n"


def cell(value: Any) -> str:
    """Return a value on one line of a table."""
    return " ".join(shown(value).replace("|", "\\|").split())


def words(name: str) -> str:
    """Return a field's name as words."""
    return name.replace("_", " ")


def anchor(name: str) -> str:
    """Return the anchor of a heading."""
    return name.lower()
