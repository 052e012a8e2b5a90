"""Makes docs/reference from what is declared: editions, indicators, targets, factors, flags, commands, routes.

``python tools/reference.py`` writes the pages; ``--check`` only says which of them are out of date (exit code 1).
"""

from __future__ import annotations

import inspect
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

import typer
from fastapi import FastAPI

from qinglan import app
from qinglan.catalogue.factors import all_factors
from qinglan.catalogue.flags import all_flags
from qinglan.catalogue.tables import rows_of
from qinglan.cli import commands
from qinglan.cli.application import root
from qinglan.core.declare import Declarations
from qinglan.core.units import normal
from qinglan.indicators.declare import Domain, Indicator, Target
from qinglan.web.routers import ALL

sys.path.insert(0, str(Path(__file__).resolve().parent))
import reference_media
from reference_parts import CHECKS, clauses, table

REPOSITORY = Path(__file__).resolve().parent.parent
FOLDER = REPOSITORY / "docs" / "reference"
NOTICE = "<!-- Made by `make docs` from the declarations; changes made here are lost. -->\n"


def pages() -> dict[str, str]:
    """Return the text of every page by its file name."""
    declarations = _declarations()
    found = {
        **reference_media.pages(declarations),
        "indicators.md": "\n".join(_indicators(declarations)),
        "targets.md": "\n".join(_targets(declarations)),
        "factors.md": "\n".join(_factors()),
        "flags.md": "\n".join(_flags()),
        "commands.md": "\n".join(_commands()),
        "api.md": "\n".join(_routes()),
    }
    titles = {name: text.splitlines()[0].removeprefix("# ") for name, text in found.items()}
    listed = "\n".join(f"- [{title}]({name})" for name, title in titles.items())
    found["index.md"] = f"# Reference 参考\n\nMade from the declarations by `make docs`.\n\n{listed}\n"
    return {name: _with_notice(text) for name, text in found.items()}


def out_of_date() -> list[str]:
    """Return the names of committed pages that differ from what would be made, are absent, or are no longer made."""
    made = pages()
    kept = {str(path.relative_to(FOLDER)): path.read_text("utf-8") for path in FOLDER.rglob("*.md")}
    return sorted(name for name in made.keys() | kept.keys() if made.get(name) != kept.get(name))


def main() -> int:
    """Write the pages, or with ``--check`` name those that are out of date."""
    if "--check" in sys.argv[1:]:
        stale = out_of_date()
        for name in stale:
            print(f"docs/reference/{name} is out of date: run `make docs`", file=sys.stderr)
        return 1 if stale else 0
    FOLDER.mkdir(parents=True, exist_ok=True)
    made = pages()
    for path in FOLDER.rglob("*.md"):
        if str(path.relative_to(FOLDER)) not in made:
            path.unlink()
    for name, text in made.items():
        (FOLDER / name).parent.mkdir(exist_ok=True)
        (FOLDER / name).write_text(text, "utf-8")
    print(f"docs/reference: {len(made)} pages")
    return 0


def _declarations() -> Declarations:
    return Declarations.from_folders([*app.declaration_folders(), *app.city_folders().values()])


def _indicators(declarations: Declarations) -> Iterator[str]:
    domains = declarations.of(Domain)
    found = sorted(declarations.of(Indicator).values(), key=lambda one: (domains[one.domain].number, one.id))
    yield "# Indicators 指标\n"
    yield "An indicator holds for every city. `reported`: the number comes from a document, not from measurements.\n"
    yield CHECKS
    yield from table(
        ("indicator", "中文", "English", "domain", "unit", "better", "decimals", "computed by", "method", "rests on"),
        [
            (
                f"`{one.id}`",
                one.title.zh,
                one.title.en,
                domains[one.domain].title.zh,
                one.unit,
                one.better,
                str(one.rounding.decimals),
                f"`{one.compute}`",
                one.method.zh,
                clauses(one.basis),
            )
            for one in found
        ],
    )
    yield "## Remarks\n"
    yield from table(
        ("indicator", "check", "中文", "English"),
        [(f"`{one.id}`", remark.mark, remark.zh, remark.en) for one in found for remark in one.checks],
    )


def _targets(declarations: Declarations) -> Iterator[str]:
    yield "# Targets 目标值\n"
    yield "What each city's plan wants its indicators to reach.\n"
    plans: dict[str, list[Target]] = {}
    for target in sorted(declarations.of(Target).values(), key=lambda one: (one.plan, one.row, one.order)):
        plans.setdefault(target.plan, []).append(target)
    for plan, targets in plans.items():
        yield f"## {plan}\n"
        yield from table(
            ("row", "指标", "indicator", "kind", "baseline", "target", "status", "reported by", "rests on"),
            [
                (
                    str(one.row),
                    one.title.zh,
                    f"`{one.indicator}`",
                    one.binding,
                    f"{one.baseline.text} ({one.baseline.year})",
                    f"{one.goal.text} ({one.goal.year})",
                    one.goal.status,
                    one.reporter.zh,
                    clauses(one.basis),
                )
                for one in targets
            ],
        )
        yield "### Breaks\n\nBetween two years on different ground no line, gap or pace is drawn.\n"
        yield from table(
            ("row", "years", "reason", "中文", "English", "check"),
            [
                (str(one.row), f"{gap.after}–{gap.before}", gap.reason, gap.title.zh, gap.title.en, gap.check)
                for one in targets
                for gap in one.breaks
            ],
        )


def _factors() -> Iterator[str]:
    factors = all_factors()
    yield "# Factors 因子\n"
    yield f"{len(factors)} factors under their national codes. Any alias may be written instead of the code.\n"
    yield from table(
        ("medium", "factors", "with a unit", "check marks"),
        [
            (
                medium,
                str(len(those)),
                str(sum(bool(one.unit) for one in those)),
                ", ".join(f"{mark} {n}" for mark, n in sorted(Counter(one.check for one in those).items())),
            )
            for medium in sorted({one.medium for one in factors})
            for those in [[one for one in factors if one.medium == medium]]
        ],
    )
    yield "## Sources\n"
    sources = rows_of("sources.csv")
    yield from table(tuple(sources[0]), [tuple(row.values()) for row in sources])
    yield "## With aliases, or derived\n"
    yield from table(
        ("factor", "中文", "English", "unit", "medium", "aliases", "derived from"),
        [
            (
                f"`{one.id}`",
                one.title.zh,
                one.title.en,
                normal(one.unit) if one.unit else "",
                one.medium,
                "、".join(one.aliases),
                one.of,
            )
            for one in factors
            if one.aliases or one.of
        ],
    )


def _flags() -> Iterator[str]:
    yield "# Flags 标记\n"
    yield "A value without a flag is valid. Qualifier (`<`, `>`, `ND`) and detection limit are fields of their own.\n"
    yield from table(
        ("flag", "中文", "English", "value counts", "source"),
        [
            (f"`{one.id}`", one.title.zh, one.title.en, "yes" if one.valid else "no", one.source)
            for one in all_flags().values()
        ],
    )


def _commands() -> Iterator[str]:
    if not root.registered_commands:
        commands.add_all(root)
    yield "# Commands 命令\n"
    yield "Exit code 0: done. 2: refused, with one sentence on the error stream that says what would be right.\n"
    yield from _group(typer.main.get_command(root), "qinglan")


def _group(group: Any, path: str) -> Iterator[str]:
    for name, command in sorted(group.commands.items()):
        if hasattr(command, "commands"):
            yield from _group(command, f"{path} {name}")
            continue
        function = inspect.unwrap(command.callback)
        yield f"## {path} {name}\n"
        yield "\n\n".join(part for part in (command.help, inspect.getdoc(function)) if part) + "\n"
        hints = get_type_hints(function)
        yield from table(
            ("argument or option", "values", "default", "meaning"),
            [_parameter(parameter, hints[parameter.name]) for parameter in command.params],
        )


def _parameter(parameter: Any, kind: Any) -> tuple[str, str, str, str]:
    named = [flag for flag in (*parameter.opts, *parameter.secondary_opts) if flag.startswith("-")]
    shown = ", ".join(f"`{flag}`" for flag in named) or f"`{parameter.metavar or parameter.name.upper()}`"
    default = "" if parameter.default in (None, False) else str(parameter.default)
    if parameter.default is True:
        default = f"`{parameter.opts[0]}`"
    meaning = parameter.help + (f" `{parameter.envvar}`" if parameter.envvar else "")
    return (
        shown,
        "、".join(f"`{value}`" for value in _choices(kind)),
        "required" if parameter.required else default,
        meaning,
    )


def _choices(kind: Any) -> tuple[Any, ...]:
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((found for part in get_args(kind) if (found := _choices(part))), ())


def _routes() -> Iterator[str]:
    api = FastAPI(title="Qinglan")
    for router in ALL:
        api.include_router(router)
    yield "# API 接口\n"
    yield (
        "The server listens on loopback only. The full description is served as `/api/v1/openapi.json`; "
        "the shapes of the answers are in [architecture](../guide/architecture.md).\n"
    )
    rows = []
    for path, methods in api.openapi()["paths"].items():
        for method, route in methods.items():
            asked = "、".join(
                f"`{one['name']}`" + ("" if one["required"] else "?") for one in route.get("parameters", [])
            )
            body = "、".join(route.get("requestBody", {}).get("content", {}))
            text = " ".join(route.get("description", "").split("\n\n")[0].split())
            rows.append((f"`{method.upper()} {path}`", asked, body, text))
    yield from table(("route", "asks (? may be absent)", "body", "answer"), rows)


def _with_notice(text: str) -> str:
    return f"{NOTICE}\n{text.rstrip()}\n"


if __name__ == "__main__":
    sys.exit(main())
