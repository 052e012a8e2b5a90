"""Each row of the shared worked examples has a test, or a reason why it cannot be made again."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.golden

HERE = Path(__file__).parent
MEDIA = ("water", "sea", "soil", "noise", "groundwater", "governance", "risk")


def listed() -> list[dict[str, str]]:
    with (HERE / "worked_examples.csv").open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def examples(shared: Path) -> list[tuple[str, str]]:
    """Every row of every table of examples, by the table and the row's first cell."""
    folder = shared / "standards"
    tables = [folder / "worked_examples.csv"]
    tables += sorted(path for medium in MEDIA for path in (folder / medium).glob("example*.csv"))
    found = []
    for path in tables:
        with path.open(encoding="utf-8", newline="") as table:
            found += [(path.relative_to(folder).as_posix(), next(iter(row.values()))) for row in csv.DictReader(table)]
    return found


def speaks_of(entry: dict[str, str], table: str, name: str) -> bool:
    return entry["table"] == table and re.fullmatch(entry["rows"], name) is not None


def test_every_example_is_tested_or_has_a_reason(shared: Path) -> None:
    entries = listed()
    used = set()
    for table, name in examples(shared):
        about = [number for number, entry in enumerate(entries) if speaks_of(entry, table, name)]
        assert len(about) == 1, (table, name)
        used.add(about[0])
    assert used == set(range(len(entries)))
    assert all(bool(entry["where"]) != bool(entry["why_not"]) for entry in entries)


def test_the_tests_are_there_and_read_the_examples() -> None:
    for entry in listed():
        if not entry["where"]:
            continue
        file, name = entry["where"].split("::")
        text = (HERE / file).read_text("utf-8")
        functions = {node.name for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)}
        assert name in functions, entry


def test_how_many_are_tested(shared: Path) -> None:
    """58 rows of worked examples (3 of greenhouse gases are not judged by a standard), 1,492 of the media's own."""
    entries = listed()
    rows = examples(shared)
    without = [entry for entry in entries if entry["why_not"]]
    untested = [one for one in rows if any(speaks_of(entry, *one) for entry in without)]
    common = [one for one in rows if one[0] == "worked_examples.csv"]
    assert (len(common), len(rows) - len(common), len(untested)) == (58, 1492, 7)
