"""The declared editions of the soil standards, read into what the evaluators ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from qinglan.core.declare import Part, kind
from qinglan.standards.edition import Edition, editions, named
from qinglan.standards.single_factor import Item

FOLDER = Path(__file__).parent / "editions"
PH = Item(
    "ph", "pH", "1", "range", ((Decimal("0.00"), Decimal("14.00")),), ("pH值", "土壤pH", "w01001"), False, Decimal(14)
)
LANDS = ("paddy", "orchard", "other", "rotation")
_BINS = ("ph_le_5_5", "ph_5_5_to_6_5", "ph_6_5_to_7_5", "ph_gt_7_5")
_NAMES = {
    "cd": ("Cd", "总镉"), "hg": ("Hg", "总汞"), "as": ("As", "总砷"), "pb": ("Pb", "总铅"), "cr": ("Cr", "总铬"),
    "cu": ("Cu", "总铜"), "ni": ("Ni", "总镍"), "zn": ("Zn", "总锌"), "hch": ("六六六",), "ddt": ("滴滴涕",),
    "bap": ("苯并(a)芘", "苯并芘", "BaP"),
}  # fmt: skip
_SYMBOLS = {"砷": "As", "镉": "Cd", "铬(六价)": "Cr6+", "铜": "Cu", "铅": "Pb", "汞": "Hg", "镍": "Ni", "锑": "Sb",
            "铍": "Be", "钴": "Co", "钒": "V"}  # fmt: skip


@kind("farmland_soil")
class FarmlandSoil(Edition):
    """Screening and intervention values of farmland by pH and use: GB 15618."""

    table: str
    deciding: tuple[str, ...]
    bins: tuple[Decimal, ...]

    @cached_property
    def values(self) -> Mapping[tuple[str, str, str], tuple[Decimal, ...]]:
        """The values of the four bins of pH by kind (screening, intervention), item and land as printed."""
        return {
            (row["kind"], row["code"], row["land"]): tuple(Decimal(row[name]) for name in _BINS) for row in self._table
        }

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The items in the order of the tables, with pH; their limits are only there for the scale."""
        found: dict[str, Item] = {}
        for row in self._table:
            numbers = tuple(limit for key, four in self.values.items() if key[1] == row["code"] for limit in four)
            names = _NAMES.get(row["code"], ())
            found.setdefault(row["code"], Item(row["code"], row["name"], row["unit"], "<=", numbers, names))
        return (*found.values(), PH)

    @property
    def _table(self) -> tuple[dict[str, str], ...]:
        return self.rows(self.table, ("kind", "code", "name", "land", "unit", *_BINS, "source", "check"))

    def four(self, kind_of_value: str, item: str, land: str) -> tuple[Decimal, ...] | None:
        """Return the values of the four bins of pH for one use of land; rotation takes the stricter."""
        if land == "rotation":
            pair = [self.four(kind_of_value, item, use) for use in ("paddy", "other")]
            both = [four for four in pair if four is not None]
            return tuple(min(values) for values in zip(*both, strict=True)) if both else None
        for use in (land, "other", "all"):
            if (kind_of_value, item, use) in self.values:
                return self.values[kind_of_value, item, use]
        return None

    def bin_of(self, ph: Decimal) -> int:
        """Return the bin that a pH lies in; upper ends are in."""
        return sum(ph > end for end in self.bins)

    def answer(self, given: Any) -> Any:
        """Return the value for ``{kind, item, land, ph}``."""
        four = self.four(given["kind"], given["item"], given["land"])
        return None if four is None else float(four[self.bin_of(Decimal(str(given["ph"])))])


class Lands(Part):
    """How the two classes of construction land are written."""

    first: tuple[str, ...]
    second: tuple[str, ...]
    undecided: tuple[str, ...]


@kind("construction_soil")
class ConstructionSoil(Edition):
    """Screening and intervention values of construction land by class of use: GB 36600."""

    table: str
    land: Lands

    @property
    def _table(self) -> tuple[dict[str, str], ...]:
        values = ("screen_class1", "screen_class2", "intervene_class1", "intervene_class2")
        return self.rows(
            self.table, ("table", "no", "name", "cas", "group", "unit", *values, "note", "source", "check")
        )

    @cached_property
    def values(self) -> Mapping[tuple[str, str, str], Decimal]:
        """The values by item (``table-no``), kind (screen, intervene) and land (first, second)."""
        return {
            (f"{row['table']}-{row['no']}", kind_of_value, land): Decimal(row[f"{kind_of_value}_class{number}"])
            for row in self._table
            for kind_of_value in ("screen", "intervene")
            for number, land in ((1, "first"), (2, "second"))
        }

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The 45 basic and 40 other items; named by name, symbol or CAS number."""
        found = []
        for row in self._table:
            code = f"{row['table']}-{row['no']}"
            numbers = tuple(limit for key, limit in self.values.items() if key[0] == code)
            names = tuple(name for name in (row["cas"], _SYMBOLS.get(row["name"], ""), _plain(row["name"])) if name)
            found.append(Item(code, row["name"], row["unit"], "<=", numbers, names))
        return tuple(found)

    @cached_property
    def with_background(self) -> tuple[str, ...]:
        """The items whose natural background may lie above screening."""
        return tuple(f"{row['table']}-{row['no']}" for row in self._table if row["note"])

    @property
    def basic(self) -> tuple[str, ...]:
        """The items of table 1, which every survey must have."""
        return tuple(item.code for item in self.items if item.code.startswith("1-"))

    def answer(self, given: Any) -> Any:
        """Return the value for ``{table, number, kind, land}``."""
        return float(self.values[f"{given['table']}-{given['number']}", given["kind"], given["land"]])


def _plain(name: str) -> str:
    return {"铬(六价)": "六价铬", "石油烃(C10-C40)": "石油烃"}.get(name, name.replace("(", "（").replace(")", "）"))


@kind("safe_use")
class SafeUse(Edition):
    """How the safe-use rates are computed, and the national targets."""

    targets: dict[int, Decimal]
    decimals: int

    def answer(self, given: Any) -> Any:
        """Return the rounded rate of an example."""
        from qinglan.standards.soil.examples import rate

        return rate(given)


def farmland_editions(edition: str | None = None) -> tuple[FarmlandSoil, ...]:
    """Return the editions of GB 15618, the oldest first; or the one that is named."""
    available = editions(FOLDER, FarmlandSoil, "GB 15618")
    return available if edition is None else (named(available, edition),)


def construction_editions(edition: str | None = None) -> tuple[ConstructionSoil, ...]:
    """Return the editions of GB 36600, the oldest first; or the one that is named."""
    available = editions(FOLDER, ConstructionSoil, "GB 36600")
    return available if edition is None else (named(available, edition),)


def safe_use_rules() -> SafeUse:
    """Return the rules of the safe-use rates."""
    available: tuple[SafeUse, ...] = editions(FOLDER, SafeUse, "安全利用率核算方法")
    return available[-1]
