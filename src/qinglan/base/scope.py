"""Who may see and do what: one value that every query and every route asks.

A person's grants are kept apart in `Scope.parts`: who may write water in one county and read air in the whole city
may not write air there. `visible` is the one place where a scope becomes a condition of a query.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, false, or_, true

from qinglan.core.declare import Title

RIGHTS: dict[str, Title] = {
    "read": Title(zh="查看", en="read"),
    "write": Title(zh="填报与修改", en="write"),
    "export": Title(zh="导出", en="export"),
    "files": Title(zh="附件", en="files"),
    "import": Title(zh="导入", en="import"),
    "evaluate": Title(zh="计算评价", en="evaluate"),
    "confirm": Title(zh="确认数值与目标", en="confirm"),
    "personal": Title(zh="查看未脱敏的个人信息", en="see personal data unmasked"),
    "administer": Title(zh="系统管理", en="administer the system"),
    "secure": Title(zh="安全管理", en="manage roles and locks"),
    "audit": Title(zh="审计", en="audit"),
}
"""Every right with its title. A right may be limited to one ledger: ``write:outfall``."""


@dataclass(frozen=True)
class Scope:
    """What one account may see and do; None means all places, organisations or media.

    `places` holds every place below those that were granted, so that no query needs to know the tree.
    """

    account: str
    roles: frozenset[str]
    places: frozenset[str] | None
    organisations: frozenset[str] | None
    media: frozenset[str] | None
    rights: frozenset[str]
    parts: tuple[Scope, ...] = ()
    """One a grant, where there are several; the fields above are then the union of theirs."""

    def may(self, right: str, ledger: str | None = None) -> bool:
        """Return whether it has a right, in all ledgers or in this one.

        Examples
        --------
        >>> clerk = replace(NOBODY, rights=frozenset({"read", "write:outfall"}))
        >>> clerk.may("read"), clerk.may("write"), clerk.may("write", "outfall"), clerk.may("write", "tailings_pond")
        (True, False, True, False)
        """
        return right in self.rights or (ledger is not None and f"{right}:{ledger}" in self.rights)

    def granted(self, right: str, ledger: str | None = None) -> tuple[Scope, ...]:
        """Return the grants that give a right; none where nothing gives it."""
        return tuple(part for part in self.parts or (self,) if part.may(right, ledger))

    def covers(
        self,
        right: str,
        *,
        ledger: str | None = None,
        place: str | None = None,
        organisation: str | None = None,
        medium: str | None = None,
    ) -> bool:
        """Return whether one grant gives a right on what is at this place, of this organisation and medium.

        What is not said is not asked: the answer then holds for something there may be.
        """
        asked = ((place, "places"), (organisation, "organisations"), (medium, "media"))
        return any(
            all(value is None or (held := getattr(part, name)) is None or value in held for value, name in asked)
            for part in self.granted(right, ledger)
        )

    @classmethod
    def of(cls, account: str, parts: Iterable[Scope]) -> Scope:
        """Return the scope of an account that holds several grants."""
        held = tuple(parts)
        if not held:
            return replace(NOBODY, account=account)
        return cls(
            account,
            frozenset().union(*(part.roles for part in held)),
            _union(part.places for part in held),
            _union(part.organisations for part in held),
            _union(part.media for part in held),
            frozenset().union(*(part.rights for part in held)),
            held,
        )


def _union(sets: Iterable[frozenset[str] | None]) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for one in sets:
        if one is None:
            return None
        found |= one
    return found


EVERYTHING = Scope("", frozenset(), None, None, None, frozenset(RIGHTS))
"""All of it: the program itself, and everybody on this machine until accounts exist."""

NOBODY = Scope("", frozenset(), frozenset(), frozenset(), frozenset(), frozenset())
"""Nothing at all."""


def visible(
    table: FromClause,
    scope: Scope,
    *,
    place: str | None = None,
    organisation: str | None = None,
    medium: str | None = None,
    right: str = "read",
    ledger: str | None = None,
) -> ColumnElement[bool]:
    """Return the condition that holds for the rows of `table` on which `scope` has a right.

    Parameters
    ----------
    place, organisation, medium
        The table's columns that hold them; None: the table has no such column, and no limit of that sort applies.
    right, ledger
        The right that is asked for, and the ledger that the table belongs to.

    Notes
    -----
    A row with no place is seen only by those whom no place limits; the same holds for organisations and media.
    """
    columns = ((place, "places"), (organisation, "organisations"), (medium, "media"))
    ways = []
    for part in scope.granted(right, ledger):
        limits = [
            table.c[column].in_(sorted(held))
            for column, name in columns
            if column is not None and (held := getattr(part, name)) is not None
        ]
        if not limits:
            return true()
        ways.append(and_(*limits))
    return or_(*ways) if ways else false()


def masked_phone(value: str) -> str:
    """Return a telephone number with its middle hidden.

    Examples
    --------
    >>> masked_phone("13800001234"), masked_phone("0429-3110000"), masked_phone("110")
    ('138****1234', '042*****0000', '***')
    """
    return _middle(value, 3, 4)


def masked_id_number(value: str) -> str:
    """Return an identity number with only its region and last four characters shown.

    Examples
    --------
    >>> masked_id_number("110101199001011234")
    '110101********1234'
    """
    return _middle(value, 6, 4)


def masked_name(value: str) -> str:
    """Return a person's name with only its first character shown.

    Examples
    --------
    >>> masked_name("王小明"), masked_name("欧阳")
    ('王**', '欧*')
    """
    return value[:1] + "*" * (len(value) - 1)


def _middle(value: str, first: int, last: int) -> str:
    hidden = len(value) - first - last
    return "*" * len(value) if hidden <= 0 else value[:first] + "*" * hidden + value[-last:]


_MASKS: dict[str, Callable[[str], str]] = {
    "phone": masked_phone,
    "id_number": masked_id_number,
    "name": masked_name,
    "personal": lambda value: "***" if value else value,
}


def masks(scope: Scope, fields: Mapping[str, str], ledger: str | None = None) -> dict[str, Callable[[Any], Any]]:
    """Return what to apply to each field that `scope` may not see in full; nothing for who may see all.

    Parameters
    ----------
    fields
        The personal fields with their sort: ``phone``, ``id_number``, ``name`` or ``personal`` (hidden whole).

    Examples
    --------
    >>> masks(NOBODY, {"contact": "phone"})["contact"]("13800001234")
    '138****1234'
    >>> masks(EVERYTHING, {"contact": "phone"})
    {}
    """
    if scope.may("personal", ledger):
        return {}
    return {field: _guarded(_MASKS[sort]) for field, sort in fields.items()}


def _guarded(mask: Callable[[str], str]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else mask(str(value))


_PERSONAL_TEXT = (
    (re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"), masked_id_number),
    (re.compile(r"(?<!\d)1[3-9]\d{9}(?!\d)"), masked_phone),
)


def masked_text(text: str) -> str:
    """Return free text with identity and mobile numbers in it masked.

    Examples
    --------
    >>> masked_text("联系人 13800001234，证件 110101199001011234")
    '联系人 138****1234，证件 110101********1234'
    """
    for pattern, mask in _PERSONAL_TEXT:
        text = pattern.sub(lambda found, mask=mask: mask(found[0]), text)  # type: ignore[misc]
    return text
