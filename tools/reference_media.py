"""A page for each medium: its editions, limits, own readings, functions, what the command judges, worked examples."""

from __future__ import annotations

import csv
import importlib
import inspect
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from reference_parts import CHECKS, anchor, clauses, csv_rows, is_parts, listing, parts, shown, span, table, words

from qinglan.core.declare import Declarations
from qinglan.gateways.judging.declare import Judgement
from qinglan.standards.edition import Edition

TITLES = {
    "air": "Air 环境空气",
    "emission": "Emissions 排放监测",
    "governance": "Governance 环境治理",
    "groundwater": "Groundwater 地下水",
    "noise": "Noise 噪声",
    "risk": "Risk 环境风险",
    "sea": "Sea 海洋",
    "soil": "Soil 土壤",
    "waste": "Waste 固体废物",
    "water": "Surface water 地表水",
}


def pages(declarations: Declarations) -> dict[str, str]:
    """Return the overview of the editions and the page of each medium, by file name."""
    by_medium: dict[str, list[Edition]] = {}
    for found in declarations:
        if isinstance(found, Edition):
            by_medium.setdefault(found.file.parent.parent.name, []).append(found)
    for editions in by_medium.values():
        editions.sort(key=lambda found: (found.KIND, found.number, found.in_force.start))
    judgements = list(declarations.of(Judgement).values())
    made = {"standards.md": "\n".join(_overview(by_medium))}
    for medium, editions in sorted(by_medium.items()):
        mine = [one for one in judgements if one.evaluator.startswith(f"{medium}.")]
        mine.sort(key=lambda one: (one.medium, not one.default, one.method))
        made[f"standards/{medium}.md"] = "\n".join(_page(medium, editions, mine))
    return made


def _overview(by_medium: dict[str, list[Edition]]) -> Iterator[str]:
    yield "# Standards 标准\n"
    yield "Every edition on file; the page of its medium has its rules, tables, functions and worked examples.\n"
    yield from table(
        ("medium", "edition", "title", "", "in force", "state", "examples"),
        [
            (
                f"[{medium}](standards/{medium}.md)",
                f"[{found.id}](standards/{medium}.md#{anchor(found.id)})",
                found.title.zh,
                found.title.en,
                span(found),
                found.state,
                str(len(found.examples)),
            )
            for medium, editions in sorted(by_medium.items())
            for found in editions
        ],
    )


def _page(medium: str, editions: list[Edition], judgements: list[Judgement]) -> Iterator[str]:
    yield f"# {TITLES.get(medium, medium)}\n"
    yield CHECKS
    yield from table(
        ("edition", "title", "", "in force", "state", "lacking"),
        [
            (
                f"[{found.id}](#{anchor(found.id)})",
                found.title.zh,
                found.title.en,
                span(found),
                found.state,
                "、".join(found.lacking),
            )
            for found in editions
        ],
    )
    yield from _functions(medium)
    yield from _judged(judgements)
    for found in editions:
        yield from _edition(found)


def _functions(medium: str) -> Iterator[str]:
    module = importlib.import_module(f"qinglan.standards.{medium}")
    rows = []
    for name in sorted(getattr(module, "__all__", ())):
        made = getattr(module, name)
        if not inspect.isfunction(made):
            continue
        text = inspect.getdoc(made) or ""
        basis = text.partition("依据:")[2].split("\n\n")[0] if "依据:" in text else ""
        given = ", ".join(inspect.signature(made).parameters)
        rows.append((f"`{name}({given})`", text.split("\n\n")[0], basis.strip()))
    if rows:
        yield f"## Functions\n\n`from qinglan.standards import {medium}`\n"
        yield from table(("function", "what it returns", "依据"), rows)


def _judged(judgements: list[Judgement]) -> Iterator[str]:
    if not judgements:
        return
    yield "## The command\n"
    yield "`qinglan judge` takes tables of measurements; how is in the [guide](../../guide/judging.md).\n"
    yield from table(
        ("command", "judges", "", "needed columns", "settings", "by"),
        [
            (
                f"`qinglan judge {one.medium}{'' if one.default else f' --method {one.method}'}`",
                one.title.zh,
                one.title.en,
                "、".join(column.title.zh for column in one.columns.values() if column.required),
                "、".join(f"`{name}`" + ("" if of.required else "?") for name, of in one.parameters.items()),
                f"`{one.evaluator}`",
            )
            for one in judgements
        ],
    )
    for one in judgements:
        yield f"### {one.medium} {one.method}\n"
        if one.remark is not None:
            yield f"{one.remark.zh} {one.remark.en}\n"
        yield from table(
            ("column", "中文", "English", "kind", "other headers", "what may stand in it"),
            [
                (
                    f"`{name}`" + ("" if column.required else "?"),
                    column.title.zh,
                    column.title.en,
                    " ".join(part for part in (column.type, column.unit) if part),
                    "、".join(column.names),
                    "、".join("/".join((word, *also)) for word, also in column.words.items()),
                )
                for name, column in one.columns.items()
            ],
        )
        for example in one.examples:
            yield from _example(one, example.given, example.expect, example.from_)


def _example(one: Judgement, given: Any, expect: Any, source: str) -> Iterator[str]:
    said = {**given.get("set", {}), **{name: given[name] for name in ("edition", "on") if name in given}}
    yield f"Worked example: {source}\n"
    head, *rows = csv.reader(given["table"].splitlines())
    answers = given["show"]
    beside = one.per != "group" and len(rows) == len(expect) and not given.get("where")
    if said:
        yield from listing({"said": said})
    if beside:
        yield from table(
            (*head, *(f"**{name}**" for name in answers)),
            [(*row, *map(_answer, found)) for row, found in zip(rows, expect, strict=True)],
        )
        return
    yield from table(tuple(head), [tuple(row) for row in rows])
    yield from table(tuple(f"**{name}**" for name in answers), [tuple(map(_answer, found)) for found in expect])


def _answer(value: Any) -> str:
    return "—" if value is None else shown(value)


def _edition(edition: Edition) -> Iterator[str]:
    yield f"## {edition.id}\n"
    yield f"{edition.title.zh}\n\n{edition.title.en}\n"
    yield from listing(
        {
            "cited as": edition.name,
            "kind": edition.KIND,
            "stage": edition.stage,
            "in force": span(edition),
            "replaces": edition.replaces,
            "state": edition.state,
            "lacking": "、".join(edition.lacking),
            "rests on": clauses(edition.basis),
        }
    )
    if edition.rules:
        yield "### Rules\n"
        yield from table(
            ("rule", "中文", "English", "clause", "check"),
            [(rule.rule, rule.zh, rule.en, rule.clause, rule.check) for rule in edition.rules],
        )
    yield from _fields(edition)
    if edition.examples:
        yield "### Examples\n"
        yield from table(
            ("given", "answer", "from"),
            [(_answer(one.given), _answer(one.expect), one.from_) for one in edition.examples],
        )


def _fields(edition: Edition) -> Iterator[str]:
    settings: dict[str, Any] = {}
    tables: list[tuple[str, Path]] = []
    for name in type(edition).model_fields:
        value = getattr(edition, name)
        if name in Edition.model_fields or value is None:
            continue
        if isinstance(value, str) and value.endswith(".csv"):
            tables.append((name, edition.file.parent / value))
        elif is_parts(value):
            yield f"### {words(name)}\n"
            yield from parts(value)
        else:
            settings[words(name)] = value
    if settings:
        yield "### Settings\n"
        yield from listing(settings)
    for name, path in tables:
        rows = csv_rows(path)
        marks = Counter(row["check"] for row in rows if row.get("check"))
        counted = ", ".join(f"{mark} {count}" for mark, count in sorted(marks.items()))
        yield f"### {words(name).capitalize()}\n\n`{path.name}`, {len(rows)} rows; check marks: {counted}.\n"
        yield from table(tuple(rows[0]), [tuple(row.values()) for row in rows])
