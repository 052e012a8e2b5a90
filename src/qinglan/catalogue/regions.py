"""National region codes: provinces, prefectures and counties, each with the region that it belongs to.

State of the codes: ``sources.csv``. Places that have no national code (development zones, parks, basins) are the
city pack's.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Literal

from qinglan.catalogue.tables import rows_of
from qinglan.core.errors import InputError

Level = Literal["province", "prefecture", "county"]


@dataclass(frozen=True)
class Region:
    """A region with a national code of six digits; `kind` is its Chinese kind (地级市, 市辖区, 县 …)."""

    code: str
    name: str
    kind: str
    parent: str | None

    @property
    def level(self) -> Level:
        """Its level by the code; a county directly under a province is a county."""
        if self.code.endswith("0000"):
            return "province"
        return "prefecture" if self.code.endswith("00") else "county"


def region(code: str | int) -> Region:
    """Return the region of a code.

    Raises
    ------
    InputError
        If no region has the code; the nearest codes are suggested.

    Examples
    --------
    >>> region("211481").name, region(211400).level
    ('兴城市', 'prefecture')
    """
    wanted = str(code).strip()
    found = _tree().by_code.get(wanted)
    if found is None:
        near = [_tree().by_code[one] for one in get_close_matches(wanted, _tree().by_code, n=3, cutoff=0.8)]
        named = "、".join(f"{one.code}（{one.name}）" for one in near)
        raise InputError(
            f"没有行政区划代码“{wanted}”。" + (f"相近的有：{named}。" if near else "应为六位数字，例如 211400。"),
            f'There is no region with the code "{wanted}". '
            + (f"Near ones: {', '.join(one.code for one in near)}." if near else "It should be six digits, as 211400."),
            field="region",
        )
    return found


def children(code: str | int) -> tuple[Region, ...]:
    """Return the regions directly below one, by code.

    Examples
    --------
    >>> [child.name for child in children("211400")]
    ['连山区', '龙港区', '南票区', '绥中县', '建昌县', '兴城市']
    """
    return _tree().below.get(region(code).code, ())


def ancestors(code: str | int) -> tuple[Region, ...]:
    """Return the regions that one lies in, the nearest first.

    Examples
    --------
    >>> [above.name for above in ancestors("211402")]
    ['葫芦岛市', '辽宁省']
    """
    parent = region(code).parent
    return () if parent is None else (region(parent), *ancestors(parent))


def named(name: str) -> tuple[Region, ...]:
    """Return all regions of a name; many counties share one.

    Examples
    --------
    >>> [found.code for found in named("鼓楼区")]
    ['320106', '320302', '350102', '410204']
    """
    return tuple(found for found in _tree().by_code.values() if found.name == name)


def all_regions() -> tuple[Region, ...]:
    """Return every region, by code."""
    return tuple(_tree().by_code.values())


@dataclass(frozen=True)
class _Tree:
    by_code: Mapping[str, Region]
    below: Mapping[str, tuple[Region, ...]]


@cache
def _tree() -> _Tree:
    by_code: dict[str, Region] = {}
    below: dict[str, list[Region]] = defaultdict(list)
    for row in rows_of("regions.csv"):
        found = Region(row["code"], row["name"], row["kind"], row["parent"] or None)
        by_code[found.code] = found
        if found.parent:
            below[found.parent].append(found)
    return _Tree(by_code, {code: tuple(some) for code, some in below.items()})
