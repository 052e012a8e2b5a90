"""Validity flags: why a value counts or does not.

A value without a flag is valid. Qualifier (``<``, ``ND``) and detection limit are fields of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from qinglan.catalogue.tables import rows_of
from qinglan.core.declare import Title
from qinglan.core.errors import InputError


@dataclass(frozen=True)
class Flag:
    """A mark on a value; `valid` says whether the value still counts."""

    id: str
    title: Title
    valid: bool
    source: str


@cache
def all_flags() -> Mapping[str, Flag]:
    """Return every flag by its id."""
    return MappingProxyType(
        {
            row["id"]: Flag(
                row["id"], Title(zh=row["name_zh"], en=row["name_en"]), row["valid"] == "yes", row["source"]
            )
            for row in rows_of("flags.csv")
        }
    )


def flag(identifier: str) -> Flag:
    """Return one flag.

    Raises
    ------
    InputError
        If there is no flag of that id.
    """
    found = all_flags().get(identifier)
    if found is None:
        known = all_flags()
        raise InputError(
            f"没有数据标记“{identifier}”，可用的有：{'、'.join(known)}。",
            f'There is no flag "{identifier}"; known are: {", ".join(known)}.',
            field="flag",
        )
    return found


def is_valid(identifier: str | None) -> bool:
    """Return whether a value with this flag counts; no flag means that it does.

    Examples
    --------
    >>> is_valid(None), is_valid("dust"), is_valid("D")
    (True, True, False)
    """
    return identifier is None or flag(identifier).valid


@cache
def invalid_flags() -> frozenset[str]:
    """Return the ids of the flags whose values do not count, as for a filter over a column."""
    return frozenset(identifier for identifier, found in all_flags().items() if not found.valid)
