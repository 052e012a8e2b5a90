"""Declarations: small YAML files, read into models that refuse what they do not know.

The first key of a file names its kind and its id (``indicator: air.pm25_mean``). Each layer registers the model
of its kind with `kind`; `read` finds the model by that key. `Declarations` holds what one installation has loaded
and answers references between declarations.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, PrivateAttr, ValidationError

from qinglan.core.errors import DeclarationError


class Part(BaseModel):
    """A part of a declaration: unknown keys refused, never changed after it was read."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class Title(Part):
    """A title in both languages."""

    zh: str = Field(min_length=1)
    en: str = Field(min_length=1)


class Clause(Part):
    """Where a rule comes from: a document and, where known, its clause."""

    document: str = Field(min_length=1)
    clause: str | None = None
    note: str | None = None


class Example(Part):
    """What is given and what must come out, from a document, an official answer or written arithmetic."""

    given: Any
    expect: Any
    from_: str = Field(alias="from", min_length=4)


@dataclass(frozen=True)
class Finding:
    """One thing that `qinglan check` found wrong, in both languages."""

    file: Path
    zh: str
    en: str


class Declaration(Part):
    """The root of all kinds of declaration."""

    KIND: ClassVar[str] = ""
    id: str = Field(min_length=1)
    title: Title
    basis: tuple[Clause, ...] = ()
    examples: tuple[Example, ...] = ()
    _file: Path = PrivateAttr(default=Path())

    @property
    def file(self) -> Path:
        """The file it was read from."""
        return self._file

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield what is wrong with it among the other declarations; kinds extend this."""
        yield from ()

    def answer(self, given: Any) -> Any:
        """Return what this declaration makes of an example's `given`; kinds with examples extend this."""
        raise DeclarationError(
            f"{self.KIND} 类声明没有可运行的算例。", f"Declarations of the kind {self.KIND} have no examples to run."
        )

    def run_examples(self) -> Iterator[Finding]:
        """Yield a finding for each example whose answer is not what its source says."""
        for number, example in enumerate(self.examples, start=1):
            got = self.answer(example.given)
            if not _same(got, example.expect):
                yield self.finding(
                    f"算例 {number}（{example.from_}）应得 {example.expect}，实得 {got}。",
                    f"example {number} ({example.from_}) should give {example.expect}, gives {got}.",
                )

    def finding(self, zh: str, en: str) -> Finding:
        """Return a finding about this declaration."""
        return Finding(self.file, f"{self.KIND} {self.id}：{zh}", f"{self.KIND} {self.id}: {en}")


def _same(got: Any, expected: Any) -> bool:
    if isinstance(got, float) and isinstance(expected, int | float):
        return math.isclose(got, expected, rel_tol=1e-9, abs_tol=1e-12)
    return bool(got == expected)


D = TypeVar("D", bound=Declaration)
_KINDS: dict[str, type[Declaration]] = {}


def kind(name: str) -> Callable[[type[D]], type[D]]:
    """Register the decorated model as the one that reads files whose first key is `name`."""

    def register(model: type[D]) -> type[D]:
        if _KINDS.get(name, model).__qualname__ != model.__qualname__:
            raise DeclarationError(
                f"声明种类“{name}”登记了两次。", f'The kind of declaration "{name}" is registered twice.'
            )
        model.KIND = name
        _KINDS[name] = model
        return model

    return register


def kinds() -> tuple[str, ...]:
    """Return the names of all registered kinds."""
    return tuple(sorted(_KINDS))


def load_yaml(path: Path) -> dict[str, Any]:
    """Return a YAML file's mapping.

    Raises
    ------
    DeclarationError
        If the file cannot be read, is not UTF-8 or YAML, repeats a key, or is no mapping.
    """
    try:
        found = yaml.load(path.read_text("utf-8"), Loader=_UniqueKeys)
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise DeclarationError(
            f"{path.name} 无法读取：{reason}。", f"{path.name} cannot be read: {reason}.", file=str(path)
        ) from error
    if not isinstance(found, dict) or not found:
        raise DeclarationError(
            f"{path.name} 应当是“键: 值”的列表，首行写明种类与编号。",
            f"{path.name} should be a mapping whose first line names its kind and id.",
            file=str(path),
        )
    return found


def read(path: Path) -> Declaration:
    """Return the declaration in one file.

    Raises
    ------
    DeclarationError
        If the kind is unknown or a key is missing, unknown or of the wrong form; all faults are named at once.
    """
    content = load_yaml(path)
    name, identifier = next(iter(content.items()))
    model = _KINDS.get(str(name))
    if model is None:
        raise DeclarationError(
            f"{path.name} 的首键“{name}”不是已知的声明种类（{'、'.join(kinds())}）。",
            f'{path.name}: first key "{name}" is no known kind of declaration ({", ".join(kinds())}).',
            file=str(path),
            field=str(name),
        )
    rest = {key: value for key, value in content.items() if key != name}
    try:
        declaration = model.model_validate({"id": str(identifier), **rest})
    except ValidationError as error:
        faults = "; ".join(f"{'.'.join(map(str, fault['loc'])) or name}: {fault['msg']}" for fault in error.errors())
        raise DeclarationError(
            f"{path.name}（{name} {identifier}）有不符合要求的键：{faults}。",
            f"{path.name} ({name} {identifier}): {faults}.",
            file=str(path),
        ) from error
    declaration._file = path
    return declaration


@dataclass
class Declarations:
    """All declarations of one installation, by kind and id."""

    by_kind: dict[str, dict[str, Declaration]] = field(default_factory=dict)

    @classmethod
    def from_folders(cls, folders: Iterable[Path]) -> Declarations:
        """Read every ``*.yaml`` below `folders` (in name order); names beginning with ``_`` are left out."""
        found = cls()
        for folder in folders:
            for path in sorted(folder.rglob("*.yaml")):
                if not path.name.startswith("_"):
                    found.add(read(path))
        return found

    def add(self, declaration: Declaration) -> None:
        """Add one; two of the same kind and id are refused."""
        same = self.by_kind.setdefault(declaration.KIND, {})
        if declaration.id in same:
            raise DeclarationError(
                f"{declaration.KIND} {declaration.id} 声明了两次：{same[declaration.id].file} 与 {declaration.file}。",
                f"{declaration.KIND} {declaration.id} is declared twice: "
                f"{same[declaration.id].file} and {declaration.file}.",
                file=str(declaration.file),
            )
        same[declaration.id] = declaration

    def of(self, model: type[D]) -> dict[str, D]:
        """Return all declarations of one kind, by id."""
        return {
            identifier: declaration
            for identifier, declaration in self.by_kind.get(model.KIND, {}).items()
            if isinstance(declaration, model)
        }

    def get(self, model: type[D], identifier: str) -> D:
        """Return one declaration.

        Raises
        ------
        DeclarationError
            If there is none of that kind and id.
        """
        found = self.of(model).get(identifier)
        if found is None:
            raise DeclarationError(
                f"没有编号为“{identifier}”的 {model.KIND} 声明。",
                f'There is no {model.KIND} declaration with the id "{identifier}".',
                field=model.KIND,
            )
        return found

    def __iter__(self) -> Iterator[Declaration]:
        for same in self.by_kind.values():
            yield from same.values()

    def check(self) -> list[Finding]:
        """Return everything that is wrong with the declarations, between them, or with their examples."""
        found = [finding for declaration in self for finding in declaration.check(self)]
        return found + [finding for declaration in self for finding in declaration.run_examples()]


class _UniqueKeys(yaml.SafeLoader):
    """A safe loader that refuses a key written twice, which YAML would silently let win."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, Hashable):
                raise yaml.constructor.ConstructorError(None, None, "a list cannot be a key", key_node.start_mark)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"key {key!r} is written twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep=deep)
