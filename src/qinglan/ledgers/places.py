"""The city's places as ledgers need them: ids, titles, and who lies in whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from qinglan.core.declare import Title


@dataclass(frozen=True)
class Place:
    """One place of the city pack."""

    id: str
    title: Title
    parent: str | None = None


@dataclass(frozen=True)
class Places:
    """All places of the city pack."""

    entries: tuple[Place, ...] = field(default=())

    @cached_property
    def by_id(self) -> Mapping[str, Place]:
        """The places by id."""
        return {place.id: place for place in self.entries}

    @cached_property
    def by_name(self) -> Mapping[str, str]:
        """Ids by what people write: the id or a title; a Chinese title also without its last character's rank."""
        found: dict[str, str] = {}
        for place in self.entries:
            for name in (place.id, place.title.zh, place.title.en.lower()):
                found.setdefault(name, place.id)
        return found

    def below(self, identifier: str) -> frozenset[str]:
        """Return a place and all that lie in it.

        Examples
        --------
        >>> title = Title(zh="市", en="City")
        >>> city = Places((Place("1", title), Place("11", title, "1"), Place("111", title, "11"), Place("2", title)))
        >>> sorted(city.below("11"))
        ['11', '111']
        """
        found = {identifier}
        while more := {place.id for place in self.entries if place.parent in found} - found:
            found |= more
        return frozenset(found)

    @classmethod
    def of(cls, entries: Iterable[tuple[str, Title, str | None]]) -> Places:
        """Return places from their ids, titles and parents."""
        return cls(tuple(Place(*entry) for entry in entries))
