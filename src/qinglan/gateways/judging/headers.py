"""Which row of a table is its header, and which column is what."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from qinglan.catalogue.factors import folded
from qinglan.core.errors import InputError
from qinglan.gateways.files.layouts import header_text, role_names
from qinglan.gateways.judging.declare import Column, Judgement
from qinglan.gateways.judging.measures import Measure, Measures, elsewhere, unit_by_code
from qinglan.gateways.judging.quantities import split, unit_of

TIDY = {
    "factor": ("因子", "factor"),
    "value": ("监测值", "value"),
    "unit": ("单位", "unit"),
    "qualifier": ("限定符", "qualifier"),
    "limit": ("检出限", "limit"),
}
_SHARED = ("site", "time", "date", *TIDY)
_DATES = ("time", "date")


@dataclass(frozen=True)
class Measured:
    """A column of numbers of one item, and the unit that its header gives."""

    header: str
    measure: Measure
    unit: str | None


@dataclass(frozen=True)
class Reading:
    """Which column is what; positions count from 0.

    Attributes
    ----------
    header_rows
        Rows up to and with the header.
    roles
        The evaluator's column → position.
    units
        The evaluator's column → the unit that its header gives.
    measured
        Position → item, in a table with a column an item.
    """

    header: tuple[str, ...]
    header_rows: int
    width: int
    roles: dict[str, int]
    units: dict[str, str] = field(default_factory=dict)
    measured: dict[int, Measured] = field(default_factory=dict)
    hour: int | None = None

    @property
    def tidy(self) -> bool:
        """Whether each row names its item."""
        return "factor" in self.roles

    def title(self, role: str) -> str:
        """Return the header of a column, or what the role is called where the file has none."""
        position = self.roles.get(role)
        return role if position is None else self.header[position]

    def unused(self) -> tuple[str, ...]:
        """Return the headers of the columns that enter no verdict."""
        used = {*self.roles.values(), *self.measured, self.hour}
        return tuple(name for position, name in enumerate(self.header) if name and position not in used)


def read_header(
    head: Sequence[Sequence[str]],
    judgement: Judgement,
    measures: Measures | None,
    given: Mapping[str, str],
    name: str,
) -> Reading:
    """Return what the columns of a table are, from its first rows.

    A header may stand below a title, and may be of two rows (units, or a merged cell, above or below).

    Parameters
    ----------
    given
        What holds for the whole file (``--set``), so that the file needs no column of it; or the name of a column.

    Raises
    ------
    InputError
        If no row names what is needed, or two columns mean the same.
    """
    for index in range(len(head)):
        for rows in _candidates(head, index):
            found = _reading(rows, index, judgement, measures, given)
            if not _lacking(found, judgement, measures, given):
                _refuse_twice(found, name)
                return found
    raise _refused(head, judgement, measures, given, name)


def _candidates(head: Sequence[Sequence[str]], index: int) -> Iterator[list[str]]:
    """Yield a row as a header by itself, or with the row of units or names below it first where it has one."""
    row = [header_text(cell) for cell in head[index]]
    if index + 1 < len(head):
        below = [header_text(cell) for cell in head[index + 1]]
        below += [""] * (len(row) - len(below))
        units = [unit_of(cell.strip("()（）[]【】 ")) if cell else None for cell in below]
        written = [unit for cell, unit in zip(below, units, strict=True) if cell]
        if all(unit is not None for unit in written) and any(unit != "1" for unit in written):
            yield [f"{high}({low})" if low and high else high or low for high, low in zip(row, below, strict=False)] + [
                "\u0000"
            ]
        elif any(high and not low for high, low in zip(row, below, strict=False)) and sum(map(bool, below)) > 1:
            yield [low or high for high, low in zip(row, below, strict=False)] + ["\u0000"]
    yield row


def _reading(
    row: Sequence[str], index: int, judgement: Judgement, measures: Measures | None, given: Mapping[str, str]
) -> Reading:
    two = bool(row) and row[-1] == "\u0000"
    header = tuple(row[:-1] if two else row)
    parted = [split(cell) for cell in header]
    roles = _roles(header, parted, judgement, measures, given)
    taken = set(roles.values())
    units = {
        role: unit
        for role, position in roles.items()
        if (unit := parted[position][1]) is not None and not _is_named(header[position], role, judgement)
    }
    measured: dict[int, Measured] = {}
    if measures is not None and not ("factor" in roles and "value" in roles):
        for tidy_role in TIDY:
            position = roles.pop(tidy_role, None) if tidy_role not in judgement.columns else None
            taken.discard(-1 if position is None else position)
        for position, (cell, (bare, unit)) in enumerate(zip(header, parted, strict=True)):
            if position in taken or not cell:
                continue
            whole = measures.find(cell)
            measure = whole or measures.find(bare)
            if measure is not None:
                measured[position] = Measured(cell, measure, (None if whole else unit) or unit_by_code(bare))
    hour = _hour(header, roles)
    return Reading(header, index + 1 + two, len(header), roles, units, measured, hour)


def _is_named(cell: str, role: str, judgement: Judgement) -> bool:
    """Return whether the whole header is a name of the role, so that nothing of it is a unit."""
    return any(folded(cell) in names for names in _names(role, judgement.columns.get(role)).values())


def _hour(header: Sequence[str], roles: Mapping[str, int]) -> int | None:
    """Return the column of the hour, beside one of the day."""
    if not any(role in roles for role in _DATES):
        return None
    names = {folded(name) for name, _ in role_names()["hour"]}
    return next((at for at, cell in enumerate(header) if folded(cell) in names and at not in roles.values()), None)


def _roles(
    header: Sequence[str],
    parted: Sequence[tuple[str, str | None]],
    judgement: Judgement,
    measures: Measures | None,
    given: Mapping[str, str],
) -> dict[str, int]:
    roles: dict[str, int] = {}
    for role in judgement.columns:
        said = given.get(role)
        position = next((at for at, cell in enumerate(header) if said and folded(cell) == folded(said)), None)
        if position is not None:
            roles[role] = position
    wanted = [role for role in (*judgement.columns, *(TIDY if measures else ())) if role not in given]
    names = {role: _names(role, judgement.columns.get(role)) for role in wanted}
    for rank, role, position in product((0, 1, 2), wanted, range(len(header))):
        if role in roles or position in roles.values() or not header[position]:
            continue
        if {folded(header[position]), folded(parted[position][0])} & names[role].get(rank, set()):
            roles[role] = position
    return roles


def _names(role: str, column: Column | None) -> dict[int, set[str]]:
    """Return the headers that mean a role by rank: those of the declaration first, then strong and weak shared ones."""
    found: dict[int, set[str]] = {0: {folded(role)} if column else set(), 1: set(), 2: set()}
    if column is not None:
        found[0] |= {folded(name) for name in (*column.names, column.title.zh, column.title.en)}
    shared: tuple[str, ...] = (role,) if role in _SHARED else ()
    if role in _DATES:
        shared = ("time", "date") if role == "time" else ("date", "time")
    for place, one in enumerate(shared):
        for name, rank in role_names()[one]:
            found[rank if place == 0 else 2].add(folded(name))
    return found


def _lacking(
    found: Reading, judgement: Judgement, measures: Measures | None, given: Mapping[str, str]
) -> list[tuple[str, str]]:
    absent = [
        (column.title.zh, column.title.en)
        for role, column in judgement.columns.items()
        if column.required and role not in found.roles and role not in given
    ]
    there = {*found.roles, *given}
    needed = dict.fromkeys(
        need
        for role, column in judgement.columns.items()
        if role in there
        for need in column.needs
        if need not in there
    )
    absent += [(judgement.columns[need].title.zh, judgement.columns[need].title.en) for need in needed]
    if measures is not None and not found.measured and not ("factor" in found.roles and "value" in found.roles):
        some = "、".join(one.title for one in measures.all[:4])
        absent.append((f"监测项目（如 {some}）", f"items such as {some}"))
    if measures is None and not any(role in found.roles for role in judgement.columns):
        absent.append(("任何一列", "any column"))
    return absent


def _refuse_twice(found: Reading, name: str) -> None:
    columns: dict[str, list[str]] = {}
    for one in found.measured.values():
        columns.setdefault(one.measure.code, []).append(one.header)
    titles = {one.measure.code: one.measure.title for one in found.measured.values()}
    for code, headers in columns.items():
        title = titles[code]
        if len(headers) > 1:
            raise InputError(
                f"{name} 第 {found.header_rows} 行的列“{'”与“'.join(headers)}”都是{title}：请只留一列。",
                f"{name}, row {found.header_rows}: columns {', '.join(headers)} are all {title}: keep one of them.",
                file=name,
                row=found.header_rows,
                field=headers[1],
            )


def _refused(
    head: Sequence[Sequence[str]],
    judgement: Judgement,
    measures: Measures | None,
    given: Mapping[str, str],
    name: str,
) -> InputError:
    best: Reading | None = None
    for index in range(len(head)):
        for row in _candidates(head, index):
            found = _reading(row, index, judgement, measures, given)
            size = len(found.roles) + len(found.measured)
            if size and (best is None or size > len(best.roles) + len(best.measured)):
                best = found
    if best is None:
        first = next((row for row in head if any(str(cell).strip() for cell in row)), ())
        needed = _needed(judgement, measures)
        shown = _listed([header_text(cell) for cell in first])
        return InputError(
            f"{name} 的表头认不出：{judgement.title.zh}需要{needed[0]}；实有：{shown}。",
            f"The header of {name} is not understood: {judgement.title.en} needs {needed[1]}; it has: {shown}.",
            file=name,
        )
    absent = _lacking(best, judgement, measures, given)
    zh, en = "、".join(zh for zh, _ in absent), ", ".join(en for _, en in absent)
    unused = best.unused()
    foreign = [f"{name}{elsewhere(split(name)[0])}" for name in unused]
    others = (f"；认不出的列：{_listed(foreign)}", f"; columns not known: {_listed(unused)}") if unused else ("", "")
    return InputError(
        f"{name} 第 {best.header_rows} 行像表头，但{judgement.title.zh}还缺：{zh}{others[0]}；"
        "请改列名，或用 --set 列=值 写明全表相同的值。",
        f"{name}: row {best.header_rows} looks like the header, but {judgement.title.en} lacks {en}{others[1]}; "
        "rename columns, or say with --set COLUMN=VALUE what holds for the whole table.",
        file=name,
        row=best.header_rows,
    )


def _needed(judgement: Judgement, measures: Measures | None) -> tuple[str, str]:
    columns = [column.title for column in judgement.columns.values() if column.required]
    zh, en = [title.zh for title in columns], [title.en for title in columns]
    if measures is not None:
        zh.append("以项目为名的列（或因子、监测值两列）")
        en.append("columns named after items (or factor and value)")
    return "、".join(zh), ", ".join(en)


def _listed(names: Collection[str]) -> str:
    shown = [name[:40] for name in names if name]
    return "、".join(shown[:12]) + (f" …（{len(shown)}）" if len(shown) > 12 else "")
