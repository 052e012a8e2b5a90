"""From a declaration to tables: one for the records, one for the versions, one for each field of detail rows.

Columns are nullable: what is required is said by validation, so that a declaration may change without touching rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Float,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    and_,
)
from sqlalchemy.types import TypeEngine

from qinglan.base.schema import metadata
from qinglan.base.types import Json, UtcDateTime
from qinglan.ledgers.declare import MOMENTS, Ledger
from qinglan.ledgers.fields import LedgerField

PREFIX = "ledger_"
BOX = ("west", "south", "east", "north")
LONGEST_ID = 32
# Letters are compared by their code on every database, so that pages follow each other and indexes serve.
_LETTERS = Text().with_variant(Text(collation="C"), "postgresql")
_TYPES: dict[str, type[TypeEngine[Any]] | TypeEngine[Any]] = {
    "text": _LETTERS,
    "number": Float(53),
    "quantity": Float(53),
    "date": Date,
    "datetime": UtcDateTime,
    "boolean": Boolean,
    "code": String(64),
    "place": String(64),
    "geometry": LargeBinary,
    "enterprise": String(18),
    "reference": String(LONGEST_ID),
    "file": Json,
}
_RESULTS: dict[str, type[TypeEngine[Any]] | TypeEngine[Any]] = {
    "number": Float(53),
    "text": _LETTERS,
    "boolean": Boolean,
}


@dataclass(frozen=True)
class Tables:
    """The tables of one ledger."""

    records: Table
    versions: Table
    details: dict[str, Table]

    def all(self) -> tuple[Table, ...]:
        """Return every table."""
        return (self.records, self.versions, *self.details.values())


def tables_of(ledger: Ledger) -> Tables:
    """Return the tables of a declaration, in a collection of their own."""
    into = MetaData(naming_convention=metadata.naming_convention)
    name = PREFIX + ledger.id
    records = Table(
        name,
        into,
        Column("record", String(LONGEST_ID), primary_key=True),
        Column("version", Integer, nullable=False),
        Column("created", UtcDateTime, nullable=False),
        Column("created_by", String(128), nullable=False),
        Column("updated", UtcDateTime, nullable=False),
        Column("updated_by", String(128), nullable=False),
        Column("deleted", UtcDateTime),
        Column("simulated", Boolean, nullable=False),
        Column("search", Text),
        *(column for field in ledger.fields for column in columns_of(field)),
    )
    _add_indexes(ledger, records)
    versions = Table(
        f"{name}_versions",
        into,
        Column("seq", BigInteger, primary_key=True, autoincrement=False),
        Column("record", String(LONGEST_ID), nullable=False),
        Column("version", Integer, nullable=False),
        Column("action", String(16), nullable=False),
        Column("at", UtcDateTime, nullable=False),
        Column("who", String(128), nullable=False),
        Column("why", Text),
        Column("content", Text, nullable=False),
        Column("sealed", Json),
        Column("previous", String(64), nullable=False),
        Column("hash", String(64), nullable=False),
        Index(f"ux_{name}_versions_record_version", "record", "version", unique=True),
        Index(f"ix_{name}_versions_at", "at"),
    )
    details = {field.id: _detail(name, into, field) for field in ledger.fields if field.type == "rows"}
    return Tables(records, versions, details)


def columns_of(field: LedgerField) -> list[Column[Any]]:
    """Return the columns of one field: none for detail rows, five for a shape, else one."""
    if field.type == "rows":
        return []
    if field.type == "geometry":
        return [Column(field.id, LargeBinary), *(Column(f"{field.id}_{side}", Float(53)) for side in BOX)]
    return [Column(field.id, _type(field))]


def _type(field: LedgerField) -> type[TypeEngine[Any]] | TypeEngine[Any]:
    if field.type == "computed":
        return _RESULTS[field.result]
    return Json() if field.many else _TYPES[field.type]


def _detail(name: str, into: MetaData, field: LedgerField) -> Table:
    return Table(
        f"{name}__{field.id}"[:63],
        into,
        Column("record", String(LONGEST_ID), primary_key=True),
        Column("position", Integer, primary_key=True),
        *(column for inner in field.fields for column in columns_of(inner)),
    )


def _add_indexes(ledger: Ledger, records: Table) -> None:
    """Index what lists are sorted by, what records are found by, and what keeps keys unique among the living."""
    living = records.c.deleted.is_(None)
    Index(
        f"ux_{records.name}_key"[:63],
        *(records.c[one] for one in ledger.key),
        unique=True,
        sqlite_where=living,
        postgresql_where=and_(living),
    )
    for sort in dict.fromkeys((*(sort.removeprefix("-") for sort in ledger.sorts), *MOMENTS)):
        Index(f"ix_{records.name}_{sort}"[:63], records.c[sort], records.c.record)
    found = {ledger.place, ledger.organisation, ledger.enterprise_field} - {None}
    found |= {field.id for field in ledger.fields if field.type == "reference" and not field.many}
    for one in sorted(str(name) for name in found):
        if one not in {sort.removeprefix("-") for sort in ledger.sorts}:
            Index(f"ix_{records.name}_{one}"[:63], records.c[one], records.c.record)
    shape = ledger.geometry_field
    if shape is not None:
        Index(f"ix_{records.name}_{shape}_box"[:63], *(records.c[f"{shape}_{side}"] for side in BOX))
