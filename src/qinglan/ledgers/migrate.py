"""From the declaration that was applied to the one that is there now: the differences, and what they would lose."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Table,
    column,
    func,
    insert,
    inspect,
    null,
    select,
    table,
    text,
    update,
)
from sqlalchemy.schema import CreateColumn, CreateIndex

from qinglan.base import dialect
from qinglan.base.engine import reading, transaction
from qinglan.base.schema import ledger_applied, ledger_chains
from qinglan.core.errors import DeclarationError
from qinglan.ledgers import chain
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.fields import LedgerField
from qinglan.ledgers.store import records_in_order
from qinglan.ledgers.tables import BOX, Tables, columns_of, tables_of
from qinglan.ledgers.validate import Context, check, computed
from qinglan.ledgers.values import Values, canonical, columns, digest

DECLARATION = "declaration"
PROGRAM = "program"
_NARROWING = ("required", "minimum", "maximum", "pattern", "max_length", "codes", "decimals")


@dataclass
class Plan:
    """What has to be done to a ledger's tables; `losses` names what data it would cost."""

    ledger: Ledger
    added: list[str] = field(default_factory=list)
    renamed: dict[str, str] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    narrowed: list[str] = field(default_factory=list)
    losses: list[tuple[str, str]] = field(default_factory=list)

    @property
    def changes_columns(self) -> bool:
        """Whether the history needs a mark of it."""
        return bool(self.renamed or self.dropped)

    def answer(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "ledger": self.ledger.id,
            "added": self.added,
            "renamed": self.renamed,
            "dropped": self.dropped,
            "narrowed": self.narrowed,
            "losses": [{"zh": zh, "en": en} for zh, en in self.losses],
        }


def text_of(ledger: Ledger) -> str:
    """Return the text of a declaration that its hash is of."""
    return canonical(ledger.model_dump(mode="json", by_alias=True, exclude={"examples"}, exclude_defaults=True))


def apply_all(engine: Engine, ledgers: Iterable[Ledger], context: Context) -> dict[str, DeclarationError]:
    """Bring every ledger's tables to its declaration; return the refusals of those that would lose data."""
    ledgers = list(ledgers)
    with reading(engine) as connection:
        query = select(ledger_applied.c.ledger, ledger_applied.c.hash)
        applied = {row.ledger: row.hash for row in connection.execute(query)}
    refused = {}
    for ledger in ledgers:
        if applied.get(ledger.id) == digest(text_of(ledger)):
            continue
        try:
            apply(engine, ledger, context)
        except DeclarationError as error:
            refused[ledger.id] = error
    return refused


def apply(engine: Engine, ledger: Ledger, context: Context, *, destructive: bool = False) -> Plan:
    """Bring one ledger's tables to its declaration, in one transaction.

    Raises
    ------
    DeclarationError
        If that would lose data and `destructive` is not said; the command that would do it is named.
    """
    with transaction(engine) as connection:
        dialect.lock_for_migration(connection)
        row = connection.execute(select(ledger_applied).where(ledger_applied.c.ledger == ledger.id)).mappings().first()
        tables = tables_of(ledger)
        if row is None:
            _create(connection, ledger, tables)
            found = Plan(ledger)
        else:
            before = json.loads(row["text"])
            found = plan(connection, before, ledger, context)
            if found.losses and not destructive:
                raise _refusal(found)
            _change(connection, before, found, tables)
        dialect.upsert(
            connection,
            ledger_applied,
            [
                {
                    "ledger": ledger.id,
                    "text": text_of(ledger),
                    "hash": digest(text_of(ledger)),
                    "applied": dialect.now(connection),
                }
            ],
        )
    return found


def _refusal(found: Plan) -> DeclarationError:
    zh, en = "；".join(loss[0] for loss in found.losses[:5]), "; ".join(loss[1] for loss in found.losses[:5])
    command = f"qinglan ledger migrate {found.ledger.id} --destructive"
    return DeclarationError(
        f"台账 {found.ledger.id} 的声明与已有数据不合：{zh}。确要如此请执行 {command}（历史版本保留）。",
        f"The declaration of the ledger {found.ledger.id} would lose data: {en}. If that is wanted: {command} "
        "(the history keeps what was there).",
        file=str(found.ledger.file),
        field=found.ledger.id,
    )


def plan(connection: Connection, before: Values, ledger: Ledger, context: Context) -> Plan:
    """Return what has to be done, from the text that was applied."""
    found = Plan(ledger)
    old = {one["id"]: one for one in before["fields"]}
    new = ledger.by_id
    for one in ledger.fields:
        if one.was in old and one.id not in old and one.was not in new:
            found.renamed[str(one.was)] = one.id
    former = {now: was for was, now in found.renamed.items()}
    if [found.renamed.get(one, one) for one in before["key"]] != list(ledger.key):
        found.losses.append((f"主键由 {before['key']} 改为 {list(ledger.key)}", f"another key: {list(ledger.key)}"))
    for identifier in old:
        if identifier not in new and identifier not in found.renamed:
            found.dropped.append(identifier)
            found.losses.append((f"字段 {identifier} 被去掉", f"the field {identifier} is taken away"))
    for one in ledger.fields:
        earlier = old.get(former.get(one.id, one.id))
        if earlier is None:
            found.added.append(one.id)
            if one.required:
                found.narrowed.append(one.id)
        elif _nature(earlier) != _nature(_dumped(one)):
            found.dropped.append(one.id)
            found.added.append(one.id)
            found.losses.append((f"字段 {one.id} 的类型或单位改变", f"another type or unit of {one.id}"))
        else:
            _detail_losses(earlier, one, found)
            if any(earlier.get(key) != _dumped(one).get(key) for key in _NARROWING):
                found.narrowed.append(one.id)
    found.losses += _outside(connection, before, found, context)
    return found


def _dumped(one: LedgerField) -> Values:
    return one.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _nature(one: Values) -> tuple[Any, ...]:
    """Return what makes a column what it is."""
    result = one.get("result", "number") if one.get("type") == "computed" else None
    natural = [one.get(key) for key in ("unit", "of", "ledger")]
    return (one.get("type", "text"), bool(one.get("many")), bool(one.get("sealed")), result, *natural)


def _detail_losses(earlier: Values, one: LedgerField, found: Plan) -> None:
    inside = {inner.id: _nature(_dumped(inner)) for inner in one.fields}
    for was in earlier.get("fields", ()):
        if inside.get(was["id"]) != _nature(was):
            name = f"{one.id}.{was['id']}"
            found.losses.append((f"明细列 {name} 去掉或改了类型", f"the column {name} goes or changes"))


def _outside(connection: Connection, before: Values, found: Plan, context: Context) -> Iterator[tuple[str, str]]:
    """Yield the narrowed fields that records on file do not fit."""
    former = {now: was for was, now in found.renamed.items()}
    old = {one["id"] for one in before["fields"]}
    for one in found.ledger.fields:
        if one.id not in found.narrowed or one.type in ("rows", "computed", "geometry", "file"):
            continue
        name = former.get(one.id, one.id)
        kept: ColumnElement[Any] = column(name, columns_of(one)[0].type) if name in old else null()
        source = table(tables_of(found.ledger).records.name, column("deleted"))
        query = select(kept).select_from(source).where(source.c.deleted.is_(None))
        bad = sum(not _fits(found.ledger, one, value, context) for (value,) in connection.execute(query))
        if bad:
            yield (f"已有 {bad} 条记录的 {one.id} 不合新的要求", f"{one.id} of {bad} records does not fit")


def _fits(ledger: Ledger, one: LedgerField, value: Any, context: Context) -> bool:
    if value is None:
        return not ledger.is_required(one)
    if one.type == "code":
        known = {code.code for code in context.codes_of(one)}
        return known.issuperset(value if one.many else [value])
    alone = ledger.with_fields((one,), key=())
    return not check(alone, {one.id: value}, context, before={one.id: value}).faults


def _create(connection: Connection, ledger: Ledger, tables: Tables) -> None:
    for made in tables.all():
        made.create(connection)
    connection.execute(insert(ledger_chains).values(ledger=ledger.id, seq=0, hash=chain.START, live=0))


def _change(connection: Connection, before: Values, found: Plan, tables: Tables) -> None:
    ledger, records = found.ledger, tables.records
    old = {one["id"]: one for one in before["fields"]}
    _drop_indexes(connection, found, records)
    for identifier in found.dropped:
        _drop_field(connection, records.name, old[identifier])
    for was, now in found.renamed.items():
        _rename_field(connection, records.name, old[was], now)
    for one in ledger.fields:
        if one.type == "rows":
            _fit_detail(connection, tables.details[one.id])
    _add_columns(connection, records)
    existing = {index["name"] for index in inspect(connection).get_indexes(records.name)}
    for index in records.indexes:
        if index.name not in existing:
            connection.execute(CreateIndex(index))
    if found.changes_columns:
        _mark(connection, found, tables)
    if _derived(before) != _derived(json.loads(text_of(ledger))):
        _refill(connection, ledger, tables)


def _drop_indexes(connection: Connection, found: Plan, records: Table) -> None:
    """Drop the indexes that are no longer declared, and those over columns that go or get another name."""
    declared = {str(index.name): [one.name for one in index.columns] for index in records.indexes}
    touched = {*found.dropped, *found.renamed}
    for index in inspect(connection).get_indexes(records.name):
        over = [str(name) for name in index["column_names"]]
        if declared.get(str(index["name"])) != over or touched.intersection(
            name.removesuffix("_west") for name in over
        ):
            connection.execute(text(f'DROP INDEX "{index["name"]}"'))


def _drop_field(connection: Connection, records: str, one: Values) -> None:
    if one.get("type") == "rows":
        connection.execute(text(f'DROP TABLE "{_detail_name(records, one["id"])}"'))
        return
    for name in _column_names(one):
        connection.execute(text(f'ALTER TABLE "{records}" DROP COLUMN "{name}"'))


def _rename_field(connection: Connection, records: str, one: Values, now: str) -> None:
    if one.get("type") == "rows":
        former, later = _detail_name(records, one["id"]), _detail_name(records, now)
        connection.execute(text(f'ALTER TABLE "{former}" RENAME TO "{later}"'))
        return
    for name in _column_names(one):
        later = now + name.removeprefix(one["id"])
        connection.execute(text(f'ALTER TABLE "{records}" RENAME COLUMN "{name}" TO "{later}"'))


def _detail_name(records: str, identifier: str) -> str:
    return f"{records}__{identifier}"[:63]


def _column_names(one: Values) -> list[str]:
    sides = BOX if one.get("type") == "geometry" else ()
    return [one["id"], *(f"{one['id']}_{side}" for side in sides)]


def _fit_detail(connection: Connection, detail: Table) -> None:
    if not inspect(connection).has_table(detail.name):
        detail.create(connection)
        return
    wanted = {one.name: one.type for one in detail.columns}
    for there in inspect(connection).get_columns(detail.name):
        same = there["name"] in wanted and _kind(there["type"], connection) == _kind(wanted[there["name"]], connection)
        if not same:
            connection.execute(text(f'ALTER TABLE "{detail.name}" DROP COLUMN "{there["name"]}"'))
    _add_columns(connection, detail)


def _kind(of: Any, connection: Connection) -> str:
    """Return a column type's word without its length: FLOAT and DOUBLE PRECISION are the same."""
    word = str(of.compile(dialect=connection.dialect)).upper().split("(")[0].split(" COLLATE")[0]
    return {"DOUBLE PRECISION": "FLOAT", "DOUBLE_PRECISION": "FLOAT", "REAL": "FLOAT"}.get(word, word)


def _add_columns(connection: Connection, into: Table) -> None:
    there = {one["name"] for one in inspect(connection).get_columns(into.name)}
    for one in into.columns:
        if one.name not in there:
            written = CreateColumn(one).compile(dialect=connection.dialect)
            connection.execute(text(f'ALTER TABLE "{into.name}" ADD COLUMN {written}'))


def _mark(connection: Connection, found: Plan, tables: Tables) -> None:
    """Write into the history that names changed from here on: earlier entries say the former ones."""
    content = {"declaration": digest(text_of(found.ledger)), "renamed": found.renamed, "dropped": found.dropped}
    count = select(func.count()).select_from(tables.versions).where(tables.versions.c.record == "")
    entry = chain.Version(
        record="",
        version=connection.execute(count).scalar_one() + 1,
        action=DECLARATION,
        at=datetime.now(UTC),
        who=PROGRAM,
        why=None,
        content=canonical(content),
        sealed=None,
    )
    chain.append(connection, found.ledger.id, tables, [entry])


def _derived(before: Values) -> list[tuple[Any, ...]]:
    """Return what the columns that follow from others depend on: computed ones and the text that is searched."""
    keys = ("id", "type", "many", "sealed", "masked", "expression", "decimals", "result")
    return [tuple(one.get(key) for key in keys) for one in before["fields"]]


def _refill(connection: Connection, ledger: Ledger, tables: Tables) -> None:
    follows = {one.id for one in ledger.fields if one.type == "computed"} | {"search"}
    for row, values in records_in_order(connection, ledger, tables):
        wanted = {name: value for name, value in columns(ledger, computed(ledger, values)).items() if name in follows}
        if any(row[name] != value for name, value in wanted.items()):
            connection.execute(update(tables.records).where(tables.records.c.record == row["record"]).values(**wanted))
