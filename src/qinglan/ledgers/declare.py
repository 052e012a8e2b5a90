"""What a ledger is: its fields, its key, who leads it, what it rests on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any, Literal

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from qinglan.core.declare import Clause, Declaration, Declarations, Finding, Part, Title, kind
from qinglan.core.errors import DeclarationError
from qinglan.ledgers.codes import CodeList
from qinglan.ledgers.expression import Expression
from qinglan.ledgers.fields import NAME, SCALAR, Group, LedgerField

Level = Literal["city", "county"]
Medium = Literal[
    "air", "water", "sea", "groundwater", "soil", "noise", "waste", "radiation", "ecology", "climate", "risk"
]
MOMENTS = ("created", "updated")
# A table's name is "ledger_" and the id; PostgreSQL cuts names at 63 letters, and detail tables add the field's.
LONGEST_ID = 24
_TAKEN = frozenset({"applied", "chains", "comments", "files", "imports"})


class Lead(Part):
    """Who keeps the ledger."""

    department: Title
    level: Level = "city"


class LedgerExample(Part):
    """A record, where it comes from, and the fields that are refused (none: it is accepted)."""

    from_: str = Key(alias="from", min_length=4)
    record: dict[str, Any]
    refused: tuple[str, ...] | None = None


@kind("ledger")
class Ledger(Declaration):
    """A declared list of records; see docs/guide/ledgers.md for the keys."""

    id: str = Key(pattern=NAME, max_length=LONGEST_ID)
    domain: str
    lead: Lead
    master: Literal["local", "imported"] = "local"
    platform: Title | None = None
    mapping: dict[str, str] = Key(default_factory=dict)
    key: tuple[str, ...] = Key(min_length=1)
    label: str
    place: str | None = None
    organisation: str | None = None
    medium: Medium | None = None
    sorts: tuple[str, ...] = ()
    groups: tuple[Group, ...] = ()
    fields: tuple[LedgerField, ...] = Key(min_length=1)
    examples: tuple[LedgerExample, ...] = ()  # type: ignore[assignment]

    @field_validator("key", "sorts", mode="before")
    @classmethod
    def _listed(cls, given: Any) -> Any:
        return (given,) if isinstance(given, str) else given

    @field_validator("basis", mode="before")
    @classmethod
    def _clauses(cls, given: Any) -> Any:
        return tuple({"document": one} if isinstance(one, str) else one for one in given)

    @field_validator("id")
    @classmethod
    def _no_table_of_another(cls, given: str) -> str:
        if given in _TAKEN or "__" in given or given.endswith("_versions"):
            raise ValueError(f"{given} would share a table with something else / 编号 {given} 与系统表重名")
        return given

    @model_validator(mode="after")
    def _consistent(self) -> Ledger:
        by_id = self.by_id
        if len(by_id) != len(self.fields):
            raise ValueError("a field is declared twice / 字段重复")
        named = {"label": (self.label,), "key": self.key, "place": (self.place,), "organisation": (self.organisation,)}
        for what, ids in named.items():
            for one in ids:
                if one is not None and one not in by_id:
                    raise ValueError(f"{what}: there is no field {one} / 没有字段 {one}")
        for one in self.key:
            if by_id[one].type not in SCALAR or by_id[one].many or by_id[one].sealed:
                raise ValueError(f"key: {one} is no single plain value / 主键字段须为不加封的单值")
        if self.place is not None and (by_id[self.place].type != "place" or by_id[self.place].many):
            raise ValueError(f"place: {self.place} is no field of one place / 须为单个 place 字段")
        for sort in self.sorts:
            one = sort.removeprefix("-")
            sortable = one in MOMENTS or (
                one in by_id and not by_id[one].many and by_id[one].type in (*SCALAR, "computed")
            )
            if not sortable or (one in by_id and (by_id[one].sealed or by_id[one].masked)):
                raise ValueError(f"sorts: {one} cannot be sorted by / 不能按 {one} 排序")
        if (self.master == "imported") != bool(self.mapping):
            raise ValueError("mapping is for imported ledgers, and they need it / mapping 与 master: imported 须同时写")
        groups = {group.id for group in self.groups}
        for field in self.fields:
            if field.group is not None and field.group not in groups:
                raise ValueError(f"{field.id}: there is no group {field.group} / 没有分组 {field.group}")
        for header, target in self.mapping.items():
            if target not in by_id:
                raise ValueError(f"mapping: {header}: there is no field {target} / 没有字段 {target}")
        return self

    @cached_property
    def by_id(self) -> dict[str, LedgerField]:
        """The fields by id."""
        return {field.id: field for field in self.fields}

    def with_fields(self, fields: tuple[LedgerField, ...], **more: Any) -> Ledger:
        """Return it with other fields; nothing is checked anew."""
        made = self.model_copy(update={"fields": fields, **more})
        # A copy takes along what was worked out of the former fields.
        made.__dict__.pop("by_id", None)
        return made

    def field(self, identifier: str) -> LedgerField:
        """Return a field; `KeyError` if there is none."""
        return self.by_id[identifier]

    def is_required(self, field: LedgerField) -> bool:
        """Return whether every record must have it: it says so, or it is part of the key."""
        return field.required or field.id in self.key

    @property
    def enterprise_field(self) -> str | None:
        """The first single field that names the enterprise a record belongs to."""
        return next((field.id for field in self.fields if field.type == "enterprise" and not field.many), None)

    @property
    def geometry_field(self) -> str | None:
        """The first field that holds a shape."""
        return next((field.id for field in self.fields if field.type == "geometry"), None)

    @property
    def imported_fields(self) -> frozenset[str]:
        """The fields whose master is a national platform: imports write them, forms do not."""
        return frozenset(self.mapping.values())

    def clause_of(self, field: LedgerField) -> Clause | None:
        """Return what a field rests on; None for a field of the city's own."""
        if field.own is not None:
            return None
        return field.basis or (self.basis[0] if self.basis else None)

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield missing bases and examples, unknown references, and headers that two fields share."""
        if not self.basis:
            yield self.finding("没有写依据（basis）。", "it has no basis.")
        if not self.examples:
            yield self.finding("没有算例（examples）。", "it has no examples.")
        if self.domain not in declarations.by_kind.get("domain", {}):
            yield self.finding(f"领域“{self.domain}”没有声明。", f'the domain "{self.domain}" is not declared.')
        lists, ledgers = declarations.of(CodeList), declarations.of(Ledger)
        for field in (*self.fields, *(column for held in self.fields for column in held.fields)):
            if field.code_list is not None and field.code_list not in lists:
                yield self.finding(
                    f"{field.id} 的代码表“{field.code_list}”没有声明。",
                    f'{field.id}: the code list "{field.code_list}" is not declared.',
                )
            if field.ledger is not None and field.ledger not in ledgers:
                yield self.finding(
                    f"{field.id} 指向的台账“{field.ledger}”没有声明。",
                    f'{field.id}: the ledger "{field.ledger}" is not declared.',
                )
        yield from self._check_expressions()
        seen: dict[str, str] = {}
        for field in self.fields:
            for header in {name.strip().lower() for name in field.headers()}:
                if header in seen:
                    yield self.finding(
                        f"表头“{header}”同时属于 {seen[header]} 与 {field.id}。",
                        f'the header "{header}" belongs to both {seen[header]} and {field.id}.',
                    )
                seen[header] = field.id

    def _check_expressions(self) -> Iterator[Finding]:
        usable = {field.id for field in self.fields if field.type not in ("geometry", "file", "computed")}
        for field in self.fields:
            if field.expression is None:
                continue
            try:
                unknown = Expression(field.expression).names - usable
            except DeclarationError as error:
                yield self.finding(f"{field.id}：{error.zh}", f"{field.id}: {error.en}")
                continue
            for name in sorted(unknown):
                yield self.finding(
                    f"{field.id} 的算式用了不可用的字段“{name}”。", f'{field.id}: its expression uses "{name}".'
                )

    def run_examples(self) -> Iterator[Finding]:
        """Yield nothing: examples need the code lists and places, and are run with them."""
        yield from ()
