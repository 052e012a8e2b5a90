"""Factors: what can be measured, each under its national code, and the many names people write for it.

The codes are those of HJ 212 (HJ 524 for air, HJ 525 for water); ``derived.csv`` adds what a network publishes
besides, such as running means. ``unit`` is the unit in which Qinglan keeps a value; ``transmitted_unit`` is the one
that HJ 212 prints for the wire. They differ for ambient air, where GB 3095 judges µg/m³ and HJ 212 sends mg/m³ or
prints ng/m³: a gateway converts from the transmitted unit, nothing else needs it.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache, lru_cache

import polars as pl

from qinglan.catalogue.tables import rows_of
from qinglan.core.declare import Title
from qinglan.core.errors import InputError

_EMISSION_UNIT = re.compile(r"emission unit (\S+)")


@dataclass(frozen=True)
class Factor:
    """What is measured.

    Attributes
    ----------
    id
        National code, or a published derived one (``a34004-24h``, ``aqi``).
    title
        Its name; where the national table prints no English name, ``title.en`` is the Chinese one.
    unit
        Unit of every value kept under this id; empty where none is known.
    transmitted_unit
        Unit that HJ 212 prints for the wire, or None where it prints none.
    aliases
        Other ways of writing it, the usual one first.
    code_2005
        Code of HJ/T 212-2005, or None.
    of
        The factor that this one is derived from, or None.
    plausible
        Lowest and highest median, in `unit`, that a year of one site can have; beyond it the unit is doubtful.
    source, check
        Where the row comes from, and how well that is known (O read, P agrees with public pages, M from memory).
    """

    id: str
    title: Title
    unit: str
    medium: str
    aliases: tuple[str, ...] = ()
    transmitted_unit: str | None = None
    code_2005: str | None = None
    of: str | None = None
    plausible: tuple[float, float] | None = None
    notes: str = ""
    source: str = ""
    check: str = ""

    @property
    def alias(self) -> str | None:
        """The usual short name, as ``PM2.5`` for a34004."""
        return self.aliases[0] if self.aliases else None


def folded(text: str) -> str:
    """Return `text` without what does not matter in a factor's name: case, width, blanks, ``_`` and ``-``.

    Examples
    --------
    >>> folded("ＰＭ₂.₅_24h"), folded("NH3-N")
    ('pm2.524h', 'nh3n')
    """
    kept = unicodedata.normalize("NFKC", text).lower()
    return "".join(sign for sign in kept if sign not in "_-‐–—" and not sign.isspace())


def all_factors() -> tuple[Factor, ...]:
    """Return every factor, in the order of the national table, derived ones last."""
    return tuple(_catalogue().by_id.values())


def find(text: str) -> Factor | None:
    """Return the factor that `text` names, by code or alias, or None if it names none or several.

    A code with a statistic behind it (``w01018-min``, ``a21026-zs``) is a factor of its own, derived from the code's.

    Examples
    --------
    >>> [find(text).id for text in ("PM2.5", "pm2_5", "细颗粒物", "A34004")]
    ['a34004', 'a34004', 'a34004', 'a34004']
    >>> find("氟化物") is None  # of water and of air
    True
    """
    catalogue = _catalogue()
    identifier = catalogue.by_name.get(folded(text))
    return _statistic_of(text) if identifier is None else catalogue.by_id[identifier]


@cache
def _statistics() -> Mapping[str, dict[str, str]]:
    return {row["suffix"]: row for row in rows_of("statistics.csv")}


@lru_cache(maxsize=4096)
def _statistic_of(text: str) -> Factor | None:
    """Return the factor of an id such as ``w01018-min``; monitors send the statistics of every factor there is."""
    code, dash, suffix = text.strip().lower().partition("-")
    of, row = _catalogue().by_id.get(code), _statistics().get(suffix)
    if not dash or of is None or row is None:
        return None
    emitted = _EMISSION_UNIT.search(of.notes)
    return Factor(
        id=f"{of.id}-{suffix}",
        title=Title(zh=f"{of.title.zh}{row['name_zh']}", en=f"{of.title.en}, {row['name_en']}"),
        unit=of.unit if row["unit"] == "value" else emitted[1] if emitted else "",
        medium=of.medium,
        of=of.id,
        source=row["source"],
        check=row["check"],
    )


def get(code: str) -> Factor:
    """Return the factor that `code` (or an alias) names.

    Raises
    ------
    InputError
        If it names none, or several; the nearest are suggested.
    """
    found = find(code)
    if found is not None:
        return found
    catalogue = _catalogue()
    several = catalogue.ambiguous.get(folded(code), ())
    near = several or _nearest(code)
    named_zh = "、".join(f"{one}（{catalogue.by_id[one].title.zh}）" for one in near)
    named_en = ", ".join(f"{one} ({catalogue.by_id[one].title.en})" for one in near)
    if several:
        raise InputError(
            f"“{code}”可指多个因子：{named_zh}，请改用编码。",
            f'"{code}" names several factors: {named_en}; use the code.',
            field="factor",
        )
    raise InputError(
        f"目录中没有因子“{code}”。" + (f"相近的有：{named_zh}。" if near else "请使用国家编码，例如 a34004。"),
        f'The catalogue has no factor "{code}". '
        + (f"Near ones: {named_en}." if near else "Use the national code, such as a34004."),
        field="factor",
    )


def resolve(names: Iterable[str]) -> dict[str, str]:
    """Return the factor id of each name as it is written; names that no factor has are left out."""
    return {name: found.id for name in names if (found := find(name)) is not None}


def of_2005(code: str, medium: str) -> Factor | None:
    """Return the factor of a code of HJ/T 212-2005; `medium` is ``air`` or ``water``, whose codes overlap.

    Examples
    --------
    >>> of_2005("02", "air").id, of_2005("011", "water").id
    ('a21026', 'w01018')
    """
    return _catalogue().by_2005.get((code.strip().upper(), medium.split("/", maxsplit=1)[0]))


@cache
def lookup_frame() -> pl.DataFrame:
    """Return ``name`` (folded) and ``factor`` for a vectorised join with `folded_expression`."""
    names = _catalogue().by_name
    return pl.DataFrame(
        {"name": list(names.keys()), "factor": list(names.values())}, schema={"name": pl.String, "factor": pl.String}
    )


def folded_expression(column: str) -> pl.Expr:
    """Return `folded` as a polars expression over a text column."""
    return pl.col(column).str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[_\-‐–—\s]", "")


@dataclass(frozen=True)
class _Catalogue:
    by_id: Mapping[str, Factor]
    by_name: Mapping[str, str]
    by_2005: Mapping[tuple[str, str], Factor]
    ambiguous: Mapping[str, tuple[str, ...]]


@cache
def _catalogue() -> _Catalogue:
    aliases: dict[str, list[str]] = defaultdict(list)
    for row in rows_of("aliases.csv"):
        aliases[row["code"]].append(row["alias"])
    national = rows_of("factors.csv")
    # Some rows are only another spelling of a factor: vendors' text codes and codes of 2005.
    spellings = [row for row in national if row["same_as"]]
    for row in spellings:
        if row["code"] not in aliases[row["same_as"]]:
            aliases[row["same_as"]].append(row["code"])
    by_id: dict[str, Factor] = {}
    for row in national:
        if row["same_as"]:
            continue
        factor = _national(row, tuple(aliases[row["code"]]))
        first = by_id.get(factor.id)
        by_id[factor.id] = factor if first is None else _printed_twice(first, factor)
    for row in rows_of("derived.csv"):
        by_id[row["id"]] = _derived(row, tuple(aliases[row["id"]]))
    by_name, ambiguous = _names(by_id)
    by_2005 = {(factor.code_2005, factor.medium.split("/")[0]): factor for factor in by_id.values() if factor.code_2005}
    return _Catalogue(by_id, by_name, by_2005, ambiguous)


def _national(row: dict[str, str], aliases: tuple[str, ...]) -> Factor:
    plausible = (float(row["plausible_low"]), float(row["plausible_high"])) if row["plausible_low"] else None
    return Factor(
        id=row["code"],
        title=Title(zh=row["name_zh"] or row["name_en"], en=row["name_en"] or row["name_zh"]),
        unit=row["unit"],
        medium=row["medium"],
        aliases=aliases,
        transmitted_unit=row["transmitted_unit"] or None,
        code_2005=row["code_2005"] or None,
        plausible=plausible,
        notes=row["notes"],
        source=row["source"],
        check=row["check"],
    )


def _derived(row: dict[str, str], aliases: tuple[str, ...]) -> Factor:
    return Factor(
        id=row["id"],
        title=Title(zh=row["name_zh"], en=row["name_en"]),
        unit=row["unit"],
        medium=row["medium"],
        aliases=aliases,
        of=row["of"] or None,
        notes=row["notes"],
        source=row["source"],
        check=row["check"],
    )


def _printed_twice(first: Factor, second: Factor) -> Factor:
    """Return one factor for a code that the national table gives two meanings; their unit is then unknown."""
    return Factor(
        id=first.id,
        title=Title(zh=f"{first.title.zh}／{second.title.zh}", en=f"{first.title.en} / {second.title.en}"),
        unit=first.unit if first.unit == second.unit else "",
        medium=first.medium,
        aliases=first.aliases,
        notes=first.notes,
        source=first.source,
        check=first.check,
    )


def _names(by_id: Mapping[str, Factor]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Return what each name means: a code before an alias, an alias before a title that only one factor has."""
    titles: dict[str, list[str]] = defaultdict(list)
    for factor in by_id.values():
        for name in {folded(factor.title.zh), folded(factor.title.en)}:
            titles[name].append(factor.id)
    by_name = {name: same[0] for name, same in titles.items() if len(same) == 1}
    declared = Counter(folded(alias) for factor in by_id.values() for alias in set(map(folded, factor.aliases)))
    by_name |= {
        folded(alias): factor.id
        for factor in by_id.values()
        for alias in factor.aliases
        if declared[folded(alias)] == 1
    }
    by_name |= {folded(identifier): identifier for identifier in by_id}
    return by_name, {name: tuple(same) for name, same in titles.items() if name not in by_name}


def _nearest(text: str) -> tuple[str, ...]:
    by_name = _catalogue().by_name
    near = get_close_matches(folded(text), by_name, n=6, cutoff=0.6)
    return tuple(dict.fromkeys(by_name[name] for name in near))[:3]
