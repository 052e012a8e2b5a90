"""A judgement: which table of measurements becomes which verdicts, declared in one YAML file.

The evaluator is a function of `qinglan.standards`; the declaration says under which headers its columns come, what
their values can be, and how its answer is shown. The words of the command line are `medium` and `method`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from qinglan.core.declare import Declaration, Declarations, Finding, Part, Title, kind, read
from qinglan.core.errors import DeclarationError, InputError, QinglanError
from qinglan.standards.edition import Edition, in_force, named

FOLDER = Path(__file__).parent / "judgements"
Per = Literal["sample", "item", "row", "key", "group"]
"""What a verdict is of: a sample (its items together), an item of a sample, a row of the file, a row known by its
keys, or a group of rows, whose verdicts are a table of their own."""


class Column(Part):
    """A column that the evaluator needs or takes, beside the measured items.

    Attributes
    ----------
    names
        Headers that mean it, beside those that all judgements share for ``site, time, factor, value, unit``.
    words
        What may stand in it, each with its other spellings; other words are refused, or null where `lenient`.
    argument
        The evaluator's parameter that takes one word for the whole file, or the column's name.
    key
        Whether it sets samples apart.
    """

    title: Title
    names: tuple[str, ...] = ()
    type: Literal["text", "number", "time", "date", "month", "boolean"] = "text"
    required: bool = False
    may_be_blank: bool = False
    """Whether cells of a column that is needed may be blank; the evaluator then says what is missing."""
    unit: str = ""
    lowest: float | None = 0.0
    highest: float | None = None
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    lenient: bool = False
    argument: str | None = None
    key: bool = False
    needs: tuple[str, ...] = ()
    """Columns without which this one cannot be used."""


class Items(Part):
    """The measured items: who provides them, and what this judgement says of them itself."""

    of: str
    only: tuple[str, ...] = ()
    also: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    units: dict[str, str] = Field(default_factory=dict)
    qualified: bool = True
    wide: bool = False
    """Whether the evaluator takes a column an item, which is much quicker."""


class Parameter(Part):
    """A setting of the whole file: ``--stamp``, ``--set province=辽宁``."""

    title: Title
    words: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    type: Literal["text", "number", "integer", "list", "date", "boolean"] = "text"
    required: bool = False
    into: str | None = None
    """The argument that collects several settings, and the key of this one: ``rates.air``."""


class Summary(Part):
    """How the line below the table is made."""

    noun: Title
    by: str | None = None
    order: tuple[str, ...] = ()
    good: tuple[str, ...] = ()
    good_title: str = ""
    total: str | None = None
    total_title: str = ""
    total_unit: str = ""


class Gather(Part):
    """How the verdicts on the items of a wide row become one: met if all are."""

    meets: str
    title: str
    multiple: str | None = None


class Together(Part):
    """A verdict made of several: met if all that are needed are met and none of the others is not."""

    need: tuple[str, ...]
    also: tuple[str, ...] = ()


@kind("judgement")
class Judgement(Declaration):
    """One table of measurements into verdicts."""

    medium: str = Field(min_length=2)
    method: str = Field(min_length=2)
    default: bool = False
    also: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    """Further media under whose word the method is found."""
    evaluator: str
    editions: tuple[str, ...] = ()
    """Functions that give editions, the one that ``--edition`` chooses from first."""
    per: Per
    keys: tuple[str, ...] = ()
    columns: dict[str, Column]
    items: Items | None = None
    arguments: dict[str, Any] = Field(default_factory=dict)
    apart: bool = True
    """Whether each sample is judged by itself, whatever the others are; a rank is not."""
    parameters: dict[str, Parameter] = Field(default_factory=dict)
    output: dict[str, Title] = Field(default_factory=dict)
    hide: tuple[str, ...] = ()
    show: tuple[str, ...]
    words: dict[str, dict[str, str]] = Field(default_factory=dict)
    """What is written for the words of a verdict column."""
    gather: Gather | None = None
    together: dict[str, Together] = Field(default_factory=dict)
    summary: Summary
    colours: dict[str, dict[str, str]] = Field(default_factory=dict)
    """Verdict column → word → colour (#rrggbb), where the standard has one."""
    remark: Title | None = None

    @model_validator(mode="after")
    def _whole(self) -> Judgement:
        if self.per in ("key", "group") and not self.keys:
            raise ValueError("per: key and per: group need keys")
        if self.per in ("sample", "item") and self.items is None:
            raise ValueError("per: sample and per: item need items")
        return self

    def function(self) -> Callable[..., Any]:
        """Return the evaluator."""
        return _public(self.evaluator)

    def available(self) -> tuple[Edition, ...]:
        """Return the editions that may judge, the oldest first; empty where the evaluator has no choice."""
        return _editions(self.editions[0]) if self.editions else ()

    def sources(self) -> tuple[Edition, ...]:
        """Return every edition that a verdict may rest on."""
        return tuple(edition for name in self.editions for edition in _editions(name))

    def check(self, declarations: Declarations) -> Iterator[Finding]:
        """Yield names that lead nowhere, a medium without or with two default methods, and missing examples."""
        from qinglan.gateways.judging.measures import PROVIDERS

        for name in (self.evaluator, *self.editions):
            try:
                _public(name.partition(" ")[0])
            except DeclarationError as error:
                yield self.finding(error.zh, error.en)
        if self.items is not None and self.items.of not in PROVIDERS:
            yield self.finding(f"项目来源“{self.items.of}”没有登记。", f'"{self.items.of}" provides no items.')
        same = [one for one in declarations.of(Judgement).values() if self.medium in (one.medium, *one.within)]
        if sum(one.default for one in same if one.medium == self.medium) != 1:
            yield self.finding(
                f"介质 {self.medium} 应有且只有一个默认方法。", f"{self.medium} should have one default method."
            )
        if sum(one.method == self.method for one in same) != 1:
            yield self.finding(f"方法 {self.method} 重复。", f"The method {self.method} is there twice.")
        if not self.examples:
            yield self.finding("没有算例。", "has no example.")

    def run_examples(self) -> Iterator[Finding]:
        """Yield a finding for each example whose answer is another, or that cannot be judged at all."""
        try:
            yield from super().run_examples()
        except QinglanError as error:
            yield self.finding(f"算例不能评价：{error.zh}", f"an example cannot be judged: {error.en}")

    def answer(self, given: Any) -> Any:
        """Return what the columns ``show`` of an example's ``table`` (CSV text) hold, a list for each row."""
        from qinglan.gateways.judging.examples import shown

        return shown(self, given)


@cache
def _public(name: str) -> Callable[..., Any]:
    """Return a public function of `qinglan.standards`, named as ``water.section_class``."""
    medium, _, function = name.partition(".")
    try:
        module = importlib.import_module(f"qinglan.standards.{medium}")
    except ModuleNotFoundError as error:
        raise DeclarationError(f"没有介质模块“{medium}”。", f'There is no module "{medium}".') from error
    if function not in getattr(module, "__all__", ()):
        raise DeclarationError(f"没有公开函数“{name}”。", f'There is no public function "{name}".')
    found: Callable[..., Any] = getattr(module, function)
    return found


def _editions(name: str) -> tuple[Edition, ...]:
    """Return what a public function gives of a standard; its number may stand behind the function's name."""
    function, _, number = name.partition(" ")
    given = _public(function)(number) if number else _public(function)()
    return given if isinstance(given, tuple) else (given,)


@cache
def judgements() -> tuple[Judgement, ...]:
    """Return the shipped judgements, by medium, the default method first."""
    found = [one for path in sorted(FOLDER.glob("*.yaml")) if isinstance(one := read(path), Judgement)]
    return tuple(sorted(found, key=lambda one: (one.medium, not one.default, one.method)))


def media() -> dict[str, tuple[Judgement, ...]]:
    """Return the judgements of each medium's word."""
    found: dict[str, list[Judgement]] = {}
    for one in judgements():
        found.setdefault(one.medium, []).append(one)
    for one in judgements():
        for medium in one.within:
            found[medium].append(one)
    return {medium: tuple(same) for medium, same in found.items()}


def find(medium: str, method: str | None = None) -> Judgement:
    """Return the judgement that the words of the command line mean.

    Raises
    ------
    InputError
        If there is no such medium or method; what there is is named.
    """
    known = media()
    alike = {word.lower(): one.medium for one in judgements() for word in (one.medium, *one.also)}
    chosen = alike.get(medium.strip().lower())
    if chosen is None:
        raise InputError(
            f"没有介质“{medium}”，可用的有：{'、'.join(known)}。",
            f'There is no medium "{medium}"; there are: {", ".join(known)}.',
            field="medium",
        )
    same = known[chosen]
    if method is None:
        return same[0]
    for one in same:
        if method.strip().lower() == one.method:
            return one
    methods = "、".join(f"{one.method}（{one.title.zh}）" for one in same)
    raise InputError(
        f"{chosen} 没有方法“{method}”，可用的有：{methods}。",
        f'{chosen} has no method "{method}"; there are: {", ".join(one.method for one in same)}.',
        field="method",
    )


def edition_of(judgement: Judgement, edition: str | None, on: Any) -> str | None:
    """Return the id of the edition that is asked for by name or by day; None lets each date decide.

    Raises
    ------
    EditionError
        If there is no such edition, or none in force on the day.
    InputError
        If the judgement knows one way only.
    """
    if edition is None and on is None:
        return None
    available = judgement.available()
    if not available:
        raise InputError(
            f"{judgement.title.zh}没有可选的版本，请去掉 --edition 与 --on。",
            f"{judgement.title.en} has no editions to choose from: leave out --edition and --on.",
            field="edition",
        )
    return (named(available, edition) if edition is not None else in_force(available, on)).id
