"""Layouts: which column of a file holds what, found from its header, its mapping, or both."""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from itertools import product
from typing import Literal

from qinglan.catalogue import factors
from qinglan.core import units
from qinglan.core.errors import InputError
from qinglan.gateways.files.mapping import Mapping

LayoutKind = Literal["tidy", "wide", "national-feed", "water-feed"]
ROLES = ("site", "time", "date", "hour", "factor", "value", "unit", "qualifier", "flag", "limit")
FEED = ("date", "hour", "type")

_UNIT_IN_NAME = re.compile(r"^(?P<name>.+?)\s*[(\[（【]\s*(?P<unit>[^()\[\]（）【】]+)\s*[)\]）】]\s*$", re.DOTALL)
_UNIT_AFTER_NAME = re.compile(r"^(?P<name>.+?)[_\s]+(?P<unit>[munμµ]g/m\^?[3³])$", re.IGNORECASE)


@dataclass(frozen=True)
class Measured:
    """A column of numbers: the factor (None where each row names its own) and the unit its header gives."""

    header: str
    factor: str | None = None
    unit: str | None = None
    site: str | None = None


@dataclass(frozen=True)
class Layout:
    """Which column is what; positions count from 0.

    Attributes
    ----------
    header_rows
        Rows up to and with the header.
    roles
        Role → position.
    measured
        Position → what its numbers are; one column where the file is tidy.
    guesses
        What was not said but guessed, in both languages.
    """

    kind: LayoutKind
    header: tuple[str, ...]
    header_rows: int
    roles: dict[str, int]
    measured: dict[int, Measured]
    guesses: tuple[tuple[str, str], ...] = ()
    ignored: tuple[str, ...] = ()
    score: int = field(default=0, compare=False)

    @property
    def width(self) -> int:
        """Number of fields that each row must have."""
        return len(self.header)

    def title(self, role: str) -> str:
        """Return the name of a role's column as the file writes it."""
        position = self.roles.get(role)
        return role if position is None else self.header[position]


def find_layout(head: Sequence[Sequence[str]], mapping: Mapping, name: str) -> Layout:
    """Return the layout of a table from its first rows.

    A header may stand below a title, and may be of two rows (a merged cell above, factors or units below).

    Raises
    ------
    InputError
        If no row of the head names a site, a time and something measured, or the mapping names what is not there.
    """
    candidates = range(len(head)) if mapping.header is None else range(mapping.header - 1, mapping.header)
    found: Layout | None = None
    for index in candidates:
        if index >= len(head):
            break
        one = _layout(head[index], index + 1, mapping, name)
        if index + 1 < len(head) and mapping.layout != "national-feed" and (one is None or one.kind != "national-feed"):
            two = _layout(_merged(head[index], head[index + 1]), index + 2, mapping, name)
            if two is not None and two.score > (0 if one is None else one.score):
                one = two
        if one is not None:
            found = one
            break
    if found is None:
        raise _no_layout(head, mapping, name)
    return found


def feed_types() -> dict[str, tuple[str, str]]:
    """Return the national feed's types, each with its factor and unit."""
    return {row["type"]: (row["factor"], row["unit"]) for row in _rows("national_feed.csv")}


def split_unit(cell: str) -> tuple[str, str | None]:
    """Return a header's name and, where it ends in one in brackets, its unit."""
    return _split_unit(_clean(cell))


def header_text(cell: str) -> str:
    """Return a header's cell on one line, without what programs put before the first one."""
    return _clean(cell)


@cache
def role_names() -> dict[str, tuple[tuple[str, int], ...]]:
    """Return, for each role, the headers that mean it and how surely (1 strong, 2 weak)."""
    found: dict[str, list[tuple[str, int]]] = {}
    for row in _rows("columns.csv"):
        found.setdefault(row["role"], []).append((row["name"], int(row["rank"])))
    return {role: tuple(names) for role, names in found.items()}


def _layout(row: Sequence[str], header_rows: int, mapping: Mapping, name: str) -> Layout | None:
    header = tuple(_clean(cell) for cell in row)
    while header and not header[-1] and len(header) > 1:
        header = header[:-1]
    if mapping.layout != "tidy" and _is_feed(header):
        return _feed(tuple(_clean(cell) for cell in row), header_rows, name)
    if mapping.layout in ("national-feed", "water-feed"):
        return None
    header = tuple(_clean(cell) for cell in row)
    roles, guesses = _roles(header, mapping, name)
    measured, ignored = _measured(header, roles, mapping)
    if "value" in roles and ("factor" in roles or roles["value"] in measured):
        unit = _split_unit(header[roles["value"]])[1]
        known = measured.get(roles["value"])
        measured = {roles["value"]: Measured(header[roles["value"]], known.factor if known else None, unit)}
        kind: LayoutKind = "tidy"
    else:
        kind = "wide"
        measured = {position: column for position, column in measured.items() if position not in roles.values()}
    timed = "time" in roles or "date" in roles
    placed = "site" in roles or mapping.site is not None
    if not (timed and placed and measured):
        return None
    _refuse_twice(header, [*roles.values(), *measured], name)
    _refuse_same_factor(measured, name)
    layout = Layout(kind, header, header_rows, roles, measured, tuple(guesses), tuple(ignored))
    return replace(
        layout, score=len(roles) + len(measured) + sum(column.unit is not None for column in measured.values())
    )


def _is_feed(header: Sequence[str]) -> bool:
    return len(header) > 3 and tuple(_folded(cell) for cell in header[:3]) == FEED


def _feed(header: tuple[str, ...], header_rows: int, name: str) -> Layout:
    measured = {position: Measured(code, site=code) for position, code in enumerate(header) if position >= 3 and code}
    _refuse_twice(header, list(measured), name)
    return Layout(
        "national-feed",
        header,
        header_rows,
        {"date": 0, "hour": 1, "factor": 2},
        measured,
        (
            (
                "按国家站点小时数据的宽表读取，时间为小时的结束",
                "read as the national feed's wide table, stamped at the hour's end",
            ),
        ),
        score=3 + len(measured),
    )


def _roles(header: Sequence[str], mapping: Mapping, name: str) -> tuple[dict[str, int], list[tuple[str, str]]]:
    roles: dict[str, int] = {}
    guesses: list[tuple[str, str]] = []
    said = mapping.columns.by_role()
    for role, column in said.items():
        position = _position(header, column)
        if position is not None:
            roles[role] = position
    if len(roles) < len(said) and roles:
        absent = [column for role, column in said.items() if role not in roles]
        raise InputError(
            f"{name} 没有映射文件所说的列“{'、'.join(absent)}”，只有：{_listed(header)}。",
            f"{name} has no column {', '.join(absent)} that the mapping names, only: {_listed(header)}.",
            file=name,
            field=absent[0],
        )
    if len(roles) < len(said):
        return {}, []
    # A code beside a name is the site's id, a time of measuring beside one of publishing the time: strong names first.
    for rank, position in product((1, 2), range(len(header))):
        cell = header[position]
        for role in _synonyms(rank).get(_folded(_split_unit(cell)[0]), ()):
            if role in roles or position in roles.values() or (role == "site" and mapping.site is not None):
                continue
            if (role == "time" and "date" in roles) or (role in ("date", "hour") and "time" in said):
                continue
            if _folded(cell) in {_folded(given) for given in mapping.factors}:
                continue
            roles[role] = position
            guesses.append((f"列“{cell}”当作{_TITLES[role]}", f'column "{cell}" taken as {role}'))
            break
    if "time" in roles and "date" in roles:
        # A time of day beside a date goes with it; a whole time beside a date makes the date superfluous.
        roles.pop("date")
        roles.pop("hour", None)
    if "hour" in roles and "date" not in roles:
        roles.pop("hour")
    return roles, guesses


_TITLES = {
    "site": "点位",
    "time": "时间",
    "date": "日期",
    "hour": "小时",
    "factor": "因子",
    "value": "监测值",
    "unit": "单位",
    "qualifier": "限定符",
    "flag": "标记",
    "limit": "检出限",
}


def _measured(header: Sequence[str], roles: dict[str, int], mapping: Mapping) -> tuple[dict[int, Measured], list[str]]:
    measured: dict[int, Measured] = {}
    ignored: list[str] = []
    said = {_folded(column): factor for column, factor in mapping.factors.items()}
    for position, cell in enumerate(header):
        if position in roles.values() and position != roles.get("value"):
            continue
        bare, unit = _split_unit(cell)
        wanted = said.get(_folded(cell)) or said.get(_folded(bare))
        found = factors.get(wanted) if wanted else factors.find(bare) or (factors.find(cell) if cell else None)
        if found is not None and cell:
            measured[position] = Measured(cell, found.id, unit)
        elif cell and position not in roles.values():
            ignored.append(cell)
    return measured, ignored


def _split_unit(cell: str) -> tuple[str, str | None]:
    for pattern in (_UNIT_IN_NAME, _UNIT_AFTER_NAME):
        found = pattern.match(cell)
        if found and _is_unit(found["unit"]):
            return found["name"].strip(), units.normal(_narrow(found["unit"]))
    return cell, None


@cache
def _known_units() -> frozenset[str]:
    return frozenset(factor.unit for factor in factors.all_factors() if factor.unit)


def _is_unit(text: str) -> bool:
    normal = units.normal(_narrow(text))
    try:
        return normal in _known_units() or bool(units.factor_between(normal, "ug/m3")) or False
    except InputError:
        return False


def _merged(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Return one header from two rows: the lower cell, or the upper; a lower cell that is a unit goes in brackets."""
    width = max(len(upper), len(lower))
    above = [*upper, *[""] * (width - len(upper))]
    below = [*lower, *[""] * (width - len(lower))]
    return [
        f"{high} ({low})" if high.strip() and low.strip() and _is_unit(low.strip("()（）[] ")) else (low or high)
        for high, low in zip(above, below, strict=True)
    ]


def _position(header: Sequence[str], column: str) -> int | None:
    exact = [position for position, cell in enumerate(header) if cell == column.strip()]
    alike = [position for position, cell in enumerate(header) if _folded(cell) == _folded(column)]
    return exact[0] if exact else alike[0] if alike else None


def _refuse_twice(header: Sequence[str], used: Sequence[int], name: str) -> None:
    counts = Counter(header)
    twice = sorted({header[position] for position in used if counts[header[position]] > 1})
    if twice:
        raise InputError(
            f"{name} 的表头有重复的列名“{'、'.join(twice[:5])}”，不知该用哪一列：请改名或删去一列。",
            f"The header of {name} repeats {', '.join(twice[:5])}: rename or delete one of the columns.",
            file=name,
            field=twice[0],
        )


def _refuse_same_factor(measured: dict[int, Measured], name: str) -> None:
    columns: dict[str, list[str]] = {}
    for column in measured.values():
        if column.factor is not None:
            columns.setdefault(column.factor, []).append(column.header)
    for factor, headers in columns.items():
        if len(headers) > 1:
            raise InputError(
                f"{name} 的列“{'、'.join(headers)}”都是因子 {factor}：请只保留一列，或在映射文件 factors 中说明。",
                f"Columns {', '.join(headers)} of {name} are all factor {factor}: keep one, or say in the mapping "
                "under factors which is which.",
                file=name,
                field=headers[1],
            )


def water_names() -> dict[str, str]:
    """Return the factors of names that mean something else, or several things, outside of water."""
    return {row["name"]: row["factor"] for row in _rows("water_names.csv")}


def _no_layout(head: Sequence[Sequence[str]], mapping: Mapping, name: str) -> InputError:
    if mapping.header is not None and mapping.header > len(head):
        return InputError(
            f"{name} 没有第 {mapping.header} 行表头。",
            f"{name} has no header row {mapping.header}.",
            file=name,
            field="header",
        )
    first = next((row for row in head if any(str(cell).strip() for cell in row)), ())
    if mapping.layout == "water-feed":
        return InputError(
            f"{name} 不是国家地表水自动监测的发布数据（JSON）：请选别的版式。",
            f"{name} is not the national surface-water feed (JSON): choose another layout.",
            file=name,
            field="layout",
        )
    if mapping.layout == "national-feed":
        zh = f"{name} 不是国家站点宽表：表头应为 date,hour,type 加站点编码，实为：{_listed(first)}。"
        en = f"{name} is not the national feed's table: its header should be date,hour,type and site codes, not: "
        return InputError(zh, f"{en}{_listed(first)}.", file=name)
    wanted = list(mapping.columns.by_role().values())
    if wanted:
        return InputError(
            f"{name} 的表头与映射文件不符：应有列“{'、'.join(wanted)}”，实有：{_listed(first)}。",
            f"The header of {name} does not fit the mapping, which names {', '.join(wanted)}; "
            f"it has: {_listed(first)}.",
            file=name,
        )
    zh, en = _nearest(head, mapping, name) or (f"实有：{_listed(first)}", f"it has: {_listed(first)}")
    return InputError(
        f"{name} 的表头认不出：需要点位、时间，以及因子与监测值两列或以因子为名的列（如 PM2.5）。"
        f"{zh}；请改列名，或用 --map 给出映射文件。",
        f"The header of {name} is not understood: it needs a site, a time, and either factor and value or columns "
        f"named after factors (such as PM2.5); {en}; rename the columns or give a mapping with --map.",
        file=name,
    )


def _nearest(head: Sequence[Sequence[str]], mapping: Mapping, name: str) -> tuple[str, str] | None:
    """Say which row is most like a header, what it lacks and which of its columns are not known."""
    best: tuple[int, int, dict[str, int], dict[int, Measured], list[str]] | None = None
    for index, row in enumerate(head):
        if mapping.header is not None and index != mapping.header - 1:
            continue
        header = tuple(_clean(cell) for cell in row)
        roles, _ = _roles(header, mapping, name)
        measured, unknown = _measured(header, roles, mapping)
        score = len(roles) + len(measured)
        if score and (best is None or score > best[0]):
            best = score, index + 1, roles, measured, unknown
    if best is None:
        return None
    _, number, roles, measured, unknown = best
    lacking = []
    if "site" not in roles and mapping.site is None:
        lacking.append(("点位", "a site"))
    if "time" not in roles and "date" not in roles:
        lacking.append(("时间", "a time"))
    if not set(measured) - set(roles.values()) and not ("factor" in roles and "value" in roles):
        lacking.append(
            ("监测值", "a value")
            if "factor" in roles
            else ("因子", "a factor")
            if "value" in roles
            else ("因子与监测值", "factor and value")
        )
    zh = f"第 {number} 行像表头，缺：{'、'.join(zh for zh, _ in lacking)}"
    en = f"row {number} looks like the header and lacks {', '.join(en for _, en in lacking)}"
    if unknown:
        zh, en = f"{zh}；认不出的列：{_listed(unknown)}", f"{en}; columns not known: {_listed(unknown)}"
    return zh, en


def _listed(header: Sequence[str]) -> str:
    shown = [_clean(cell)[:30] for cell in header if _clean(cell)]
    return "、".join(shown[:12]) + (f" …（{len(shown)}）" if len(shown) > 12 else "")


def _clean(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").split())


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _folded(text: str) -> str:
    return factors.folded(text.replace("\ufeff", ""))


@cache
def _synonyms(rank: int) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for row in _rows("columns.csv"):
        if row["rank"] != str(rank):
            continue
        roles = found.setdefault(_folded(row["name"]), [])
        if row["role"] not in roles:
            roles.append(row["role"])
    return {name: tuple(roles) for name, roles in found.items()}


def _rows(name: str) -> list[dict[str, str]]:
    text = files("qinglan.gateways.files").joinpath(name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))
