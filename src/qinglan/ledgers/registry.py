"""All ledgers of one open home: declarations, code lists, places, tables, and where files and heads lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path

from sqlalchemy import Engine

from qinglan.catalogue.regions import all_regions
from qinglan.core.declare import Declarations, Finding, Title
from qinglan.core.errors import DeclarationError
from qinglan.core.interval import beijing_day
from qinglan.ledgers import migrate
from qinglan.ledgers.codes import Code, CodeList
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.faults import MissingError
from qinglan.ledgers.places import Places
from qinglan.ledgers.tables import Tables, tables_of
from qinglan.ledgers.validate import Context, check

LOCAL = "local"


@dataclass
class Ledgers:
    """What every reading and writing function takes first.

    A ledger whose declaration cannot be applied without losing data is kept out, with the refusal that says why and
    how; the others work.
    """

    engine: Engine
    home: Path
    declared: Mapping[str, Ledger]
    codes: Mapping[str, tuple[Code, ...]]
    places: Places
    files: Path
    refused: dict[str, DeclarationError] = field(default_factory=dict)
    _tables: dict[str, Tables] = field(default_factory=dict)

    @classmethod
    def open(
        cls, engine: Engine, declarations: Declarations, places: Places, *, home: Path, files: Path | None = None
    ) -> Ledgers:
        """Return the ledgers of a base, their tables brought to what is declared."""
        declared = declarations.of(Ledger)
        codes = {identifier: found.entries for identifier, found in declarations.of(CodeList).items()}
        made = cls(engine, home, declared, codes, places, files or home / "files")
        made.refused = migrate.apply_all(engine, declared.values(), made.context())
        return made

    def get(self, identifier: str) -> Ledger:
        """Return one declaration.

        Raises
        ------
        MissingError
            If there is no such ledger.
        DeclarationError
            If its declaration was not applied.
        """
        found = self.declared.get(identifier)
        if found is None:
            raise MissingError(
                f"没有编号为“{identifier[:40]}”的台账。", f'There is no ledger "{identifier[:40]}".', field="ledger"
            )
        if identifier in self.refused:
            raise self.refused[identifier]
        return found

    def tables(self, identifier: str) -> Tables:
        """Return the tables of one ledger."""
        if identifier not in self._tables:
            self._tables[identifier] = tables_of(self.get(identifier))
        return self._tables[identifier]

    def context(self, day: date | None = None) -> Context:
        """Return what validation needs, on a day."""
        return Context(self.codes, self.places, day or beijing_day(datetime.now(UTC)))


def check_examples(declarations: Declarations) -> list[Finding]:
    """Return a finding for each example of a ledger that is not accepted or refused as its source says.

    Places of examples are the nation's, by their codes: a ledger knows no city.
    """
    places = Places.of((one.code, Title(zh=one.name, en=one.code), one.parent) for one in all_regions())
    codes = {identifier: found.entries for identifier, found in declarations.of(CodeList).items()}
    context, found = Context(codes, places), []
    for ledger in declarations.of(Ledger).values():
        for number, example in enumerate(ledger.examples, start=1):
            faults = check(ledger, example.record, context).faults
            refused, wanted = sorted({fault.field.split(".")[0] for fault in faults}), sorted(example.refused or ())
            if refused != wanted:
                found.append(
                    ledger.finding(
                        f"算例 {number}（{example.from_}）应被拒的字段是 {wanted}，实为 {refused}。",
                        f"example {number} ({example.from_}): refused should be {wanted}, is {refused}.",
                    )
                )
    return found
