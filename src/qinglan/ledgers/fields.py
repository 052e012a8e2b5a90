"""The fields of a ledger, as a declaration writes them."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field as Key
from pydantic import field_validator, model_validator

from qinglan.core.declare import Clause, Part, Title
from qinglan.ledgers.codes import Code

FieldType = Literal[
    "text",
    "number",
    "quantity",
    "date",
    "datetime",
    "boolean",
    "code",
    "place",
    "geometry",
    "enterprise",
    "reference",
    "file",
    "rows",
    "computed",
]
Shape = Literal["point", "line", "polygon"]
Result = Literal["number", "text", "boolean"]

NUMBERS = ("number", "quantity")
SCALAR = ("text", "number", "quantity", "date", "datetime", "boolean", "code", "place", "enterprise", "reference")
NAME = r"^[a-z][a-z0-9_]{0,39}$"
# Names of columns that every ledger's table has.
RESERVED = frozenset(
    {
        "record",
        "version",
        "created",
        "created_by",
        "updated",
        "updated_by",
        "deleted",
        "search",
        "position",
        "simulated",
    }
)
LONGEST_TEXT = 500
# What a key may say, by the type of its field; keys not named here may stand on a field of any type.
_ONLY: dict[str, tuple[str, ...]] = {
    "unit": ("quantity", "computed"),
    "decimals": ("number", "quantity", "computed"),
    "minimum": ("number", "quantity", "date", "datetime"),
    "maximum": ("number", "quantity", "date", "datetime"),
    "pattern": ("text",),
    "max_length": ("text",),
    "codes": ("code",),
    "many": ("text", "code", "place", "enterprise", "reference", "file"),
    "ledger": ("reference",),
    "of": ("geometry",),
    "fields": ("rows",),
    "expression": ("computed",),
    "result": ("computed",),
}
_NEEDED = {
    "quantity": "unit",
    "code": "codes",
    "reference": "ledger",
    "geometry": "of",
    "rows": "fields",
    "computed": "expression",
}


class Group(Part):
    """A part of the form; fields name it by its id."""

    id: str = Key(pattern=NAME)
    title: Title


class LedgerField(Part):
    """One field of a ledger, or one column of its detail rows.

    A field rests on the clause of its `basis`, else on the ledger's, unless `own` says why the city keeps it.
    """

    id: str = Key(pattern=NAME)
    title: Title
    type: FieldType = "text"
    required: bool = False
    unit: str | None = None
    decimals: int | None = Key(default=None, ge=0, le=8)
    minimum: float | date | Literal["today"] | None = None
    maximum: float | date | Literal["today"] | None = None
    pattern: str | None = None
    max_length: int | None = Key(default=None, ge=1, le=100_000)
    codes: str | tuple[Code, ...] | None = None
    many: bool = False
    ledger: str | None = None
    of: Shape | None = None
    fields: tuple[LedgerField, ...] = ()
    expression: str | None = None
    result: Result = "number"
    sealed: bool = False
    masked: bool | Literal["phone", "id_number", "name"] = False
    synonyms: tuple[str, ...] = ()
    was: str | None = None
    help: Title | None = None
    basis: Clause | None = None
    own: str | None = None
    group: str | None = None

    @field_validator("basis", mode="before")
    @classmethod
    def _clause(cls, given: Any) -> Any:
        return {"document": given} if isinstance(given, str) else given

    @field_validator("codes", mode="before")
    @classmethod
    def _inline(cls, given: Any) -> Any:
        """Read ``{id: title}`` as a list of codes; a title may be one Chinese word and its English after ` / `."""
        if not isinstance(given, dict):
            return given
        # YAML reads yes, no, on and off as truth values.
        if any(isinstance(code, bool) for code in given):
            raise ValueError("quote the codes yes, no, on and off / 代码 yes、no、on、off 须加引号")
        return tuple({"code": str(code), "title": _title(title)} for code, title in given.items())

    @field_validator("minimum", "maximum", mode="before")
    @classmethod
    def _bound(cls, given: Any) -> Any:
        # A moment of YAML would be cut to a day silently.
        if isinstance(given, datetime):
            raise ValueError("a bound is a number or a day / 界限应为数或日期")
        return given

    @model_validator(mode="after")
    def _fits_its_type(self) -> LedgerField:
        if self.id in RESERVED:
            raise ValueError(f"{self.id} is the name of a column that every ledger has / 与台账自有列重名")
        for key, types in _ONLY.items():
            given = key in self.model_fields_set and getattr(self, key) not in (None, (), False)
            if given and self.type not in types:
                raise ValueError(f"{self.id}: {key} is for {', '.join(types)}, not {self.type} / {key} 不适用于此类型")
        needed = _NEEDED.get(self.type)
        if needed and not getattr(self, needed):
            raise ValueError(f"{self.id}: a {self.type} needs {needed} / 类型 {self.type} 必须写 {needed}")
        if self.type == "computed" and self.required:
            raise ValueError(f"{self.id}: a computed field is never required / 计算字段不能设为必填")
        if self.pattern is not None:
            try:
                re.compile(self.pattern)
            except re.error as error:
                raise ValueError(f"{self.id}: pattern {self.pattern}: {error}") from error
        for bound in (self.minimum, self.maximum):
            if bound is not None and (self.type in NUMBERS) != isinstance(bound, int | float):
                raise ValueError(f"{self.id}: the bound {bound} is not of the type {self.type} / 界限与类型不符")
        self._detail()
        return self

    def _detail(self) -> None:
        for column in self.fields:
            if column.type not in SCALAR or column.many:
                raise ValueError(f"{self.id}.{column.id}: detail rows hold single values only / 明细行只能是单值")
            if column.sealed or column.masked:
                raise ValueError(f"{self.id}.{column.id}: seal or mask the whole of {self.id} / 请对整个明细设置")
        if len({column.id for column in self.fields}) != len(self.fields):
            raise ValueError(f"{self.id}: a column is declared twice / 明细列重复")

    @property
    def is_number(self) -> bool:
        """Whether its values are numbers."""
        return self.type in NUMBERS or (self.type == "computed" and self.result == "number")

    @property
    def code_list(self) -> str | None:
        """The id of the code list it names, or None."""
        return self.codes if isinstance(self.codes, str) else None

    @property
    def mask(self) -> str | None:
        """How its values are hidden from those who may not see personal data; None: not at all."""
        return "personal" if self.masked is True else self.masked or None

    def headers(self) -> tuple[str, ...]:
        """Return what a sheet may call it."""
        return (self.title.zh, self.title.en, self.id, *self.synonyms)


def _title(given: Any) -> Any:
    if not isinstance(given, str):
        return given
    zh, _, en = given.partition(" / ")
    return {"zh": zh.strip(), "en": en.strip() or zh.strip()}
