"""The items that a judgement knows: by every name and national code, with unit and what its values can be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache

from qinglan.catalogue import factors
from qinglan.catalogue.factors import folded
from qinglan.gateways.judging.declare import Items

_LARGEST = 1e9
"""What the evaluators of water take for no value any more; here it is refused, since leaving it out could help."""
_BELOW_ZERO = ("water_temp", "orp")


@dataclass(frozen=True)
class Measure:
    """One thing that is measured.

    Attributes
    ----------
    code
        What the evaluator calls it.
    lowest, highest
        The bounds of what can be; None where there is none.
    qualified
        Whether values like ``<0.01`` can be judged.
    """

    code: str
    title: str
    unit: str
    names: tuple[str, ...] = ()
    lowest: float | None = 0.0
    highest: float | None = None
    qualified: bool = True

    def right(self) -> tuple[str, str]:
        """Return what would be right, in both languages."""
        unit = "" if self.unit in ("", "1") else f"（{self.unit}）"
        unit_en = "" if self.unit in ("", "1") else f" ({self.unit})"
        low, high = (None if end is None else f"{end:g}" for end in (self.lowest, self.highest))
        if low is not None and high is not None:
            if self.highest == _LARGEST:
                return f"不小于 {low} 的数{unit}", f"a number of at least {low}{unit_en}"
            return f"{low}～{high} 的数{unit}", f"a number from {low} to {high}{unit_en}"
        if low is not None:
            return f"不小于 {low} 的数{unit}", f"a number of at least {low}{unit_en}"
        return f"数{unit}", f"a number{unit_en}"


@dataclass(frozen=True)
class Measures:
    """The measures of a judgement and the names that lead to them."""

    all: tuple[Measure, ...]
    by_name: Mapping[str, Measure]
    resolve: Callable[[str], str | None] = lambda _: None

    def find(self, name: str) -> Measure | None:
        """Return the measure of a name or national code, or None."""
        found = self.by_name.get(folded(name))
        if found is not None:
            return found
        factor = factors.find(name)
        code = self.resolve(name) or (self.resolve(factor.id) if factor else None)
        if code is not None or factor is None:
            return self.by_name.get(folded(code or ""))
        return self.by_name.get(folded(factor.id)) or self.by_name.get(folded(factor.title.zh))


def elsewhere(name: str) -> str:
    """Return what the catalogue knows under `name`, in brackets, for the refusal of a foreign factor; else blank."""
    found = factors.find(name)
    return "" if found is None else f"（{found.title.zh}，{found.medium}）"


def unit_by_code(name: str) -> str | None:
    """Return the catalogue's unit where `name` is a national code itself; a name in words has the standard's unit."""
    found = factors.find(name)
    return found.unit if found is not None and folded(name) == found.id and found.unit else None


def measures_of(declared: Items) -> Measures:
    """Return the measures that a declaration's `items` name."""
    found = [
        replace(
            one,
            names=(*one.names, *declared.also.get(one.code, ())),
            unit=declared.units.get(one.code, one.unit),
            qualified=declared.qualified,
        )
        for one in _provided(declared.of)
        if not declared.only or one.code in declared.only
    ]
    by_name: dict[str, Measure] = {}
    # An item's own code before another's alias: O3_1h is not O3, though O3-1h is a name of it.
    for names in (lambda one: (one.code,), lambda one: (one.title,), lambda one: one.names):
        for one in found:
            for name in names(one):
                by_name.setdefault(folded(name), one)
    # What a declaration says itself comes before what the standards' tables call by the same name.
    for one in found:
        for name in declared.also.get(one.code, ()):
            by_name[folded(name)] = one
    return Measures(tuple(found), by_name, _resolver(declared.of))


def _resolver(provider: str) -> Callable[[str], str | None]:
    if provider not in _OF_WATER:
        return lambda _: None
    from qinglan.standards.water.items import item_of

    return item_of


@cache
def _provided(provider: str) -> tuple[Measure, ...]:
    return tuple(PROVIDERS[provider]())


def _water(items: Iterable[str]) -> list[Measure]:
    from qinglan.standards.water.items import title_of, unit_of

    return [
        Measure(
            item,
            title_of(item),
            unit_of(item),
            (),
            None if item in _BELOW_ZERO else 0.0,
            14.0 if item == "ph" else _LARGEST,
        )
        for item in items
    ]


def _surface_water() -> list[Measure]:
    from qinglan.standards.water import water_classes

    return _water([item for item in water_classes()[-1].items if item != "water_temp"])


def _water_sources() -> list[Measure]:
    from qinglan.standards.water import water_classes
    from qinglan.standards.water.sources import NOT_JUDGED

    law = water_classes()[-1]
    return _water([*(item for item in law.items if item not in NOT_JUDGED), *law.specific_limits])


def _trophic() -> list[Measure]:
    from qinglan.standards.water import trophics

    return _water(trophics()[-1].coefficients)


def _black_odorous() -> list[Measure]:
    from qinglan.standards.water import black_odorous_editions

    return _water([limit.item for limit in black_odorous_editions()[-1].limits])


def _discharges() -> list[Measure]:
    from qinglan.standards.water import discharges
    from qinglan.standards.water.items import item_of

    limits = {item_of(limit.item) or limit.item: limit for limit in discharges()[-1].limits}
    known = _water(limits)
    titled = [replace(one, title=limits[one.code].title, names=(*one.names, limits[one.code].title)) for one in known]
    return [*titled, *_water(["water_temp"])]


def _air() -> list[Measure]:
    from qinglan.standards.air.pollutants import OZONE_HOUR, POLLUTANTS, written

    found = []
    for name in (*POLLUTANTS, OZONE_HOUR):
        factor = factors.find(name)
        title = name if factor is None or name == OZONE_HOUR else factor.title.zh
        unit = "mg/m3" if name == "CO" else "ug/m3"
        found.append(Measure(name, title, unit, written(name), qualified=False))
    return found


def _single_factor(items: Iterable[object]) -> list[Measure]:
    from qinglan.standards.single_factor import Item

    found = []
    for item in items:
        assert isinstance(item, Item)
        highest = None if item.highest is None else float(item.highest)
        found.append(Measure(item.code, item.name, item.unit, item.names, 0.0, highest))
    return found


def _sea() -> list[Measure]:
    from qinglan.standards.sea import classes

    return _single_factor(classes()[-1].items)


def _groundwater() -> list[Measure]:
    from qinglan.standards.groundwater import classes

    return _single_factor(classes()[-1].items)


def _farmland() -> list[Measure]:
    from qinglan.standards.soil import farmland_editions

    return _single_factor(farmland_editions()[-1].items)


def _construction_land() -> list[Measure]:
    from qinglan.standards.soil import construction_editions

    return _single_factor(construction_editions()[-1].items)


_OF_WATER = ("black_odorous", "discharges", "surface_water", "trophic", "water_sources")
PROVIDERS: dict[str, Callable[[], list[Measure]]] = {
    "air": _air,
    "black_odorous": _black_odorous,
    "construction_land": _construction_land,
    "discharges": _discharges,
    "farmland": _farmland,
    "groundwater": _groundwater,
    "sea": _sea,
    "surface_water": _surface_water,
    "trophic": _trophic,
    "water_sources": _water_sources,
}
