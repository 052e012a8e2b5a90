"""The declared editions of the sea standards, read into what the evaluators ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from qinglan.core.declare import Part, kind
from qinglan.standards.edition import Edition, editions, named
from qinglan.standards.single_factor import Item, Limit

FOLDER = Path(__file__).parent / "editions"
_NAMES: Mapping[str, tuple[str, ...]] = {
    "ph": ("pH值", "w01001"), "do": ("DO", "w01009"), "cod": ("COD", "化学需氧量", "碱性高锰酸钾法化学需氧量"),
    "din": ("DIN", "无机氮", "溶解无机氮"), "dip": ("DIP", "活性磷酸盐", "无机磷", "PO4-P"), "oil": ("w22001", "oils"),
    "bod5": ("BOD5", "五日生化需氧量"), "nh3_unionized": ("非离子氨",), "ss_increase": ("悬浮物质人为增加量",),
    "hg": ("Hg", "总汞"), "cd": ("Cd",), "pb": ("Pb",), "cr6": ("六价铬", "Cr6+"), "cr": ("Cr",), "as": ("As",),
    "cu": ("Cu",), "zn": ("Zn",), "se": ("Se",), "ni": ("Ni",), "s": ("硫化物",), "las": ("阴离子表面活性剂", "LAS"),
    "bap": ("苯并[a]芘",), "vp": ("挥发酚",),
}  # fmt: skip
WORDS = ("一类", "二类", "三类", "四类", "劣四类")


@kind("sea_classes")
class SeaClasses(Edition):
    """The four classes of sea water: GB 3097."""

    table: str

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """The items that numbers judge, in the order of the table; words and seasonal limits are not among them."""
        columns = (
            "no",
            "code",
            "name",
            "unit",
            "op",
            "class1",
            "class2",
            "class3",
            "class4",
            "note",
            "source",
            "check",
        )
        return tuple(
            Item(
                row["code"],
                row["name"],
                row["unit"],
                row["op"],  # type: ignore[arg-type]
                tuple(_limit(row[f"class{number}"]) for number in (1, 2, 3, 4)),
                _NAMES.get(row["code"], ()),
                highest=Decimal(14) if row["code"] == "ph" else None,
            )
            for row in self.rows(self.table, columns)
            if row["op"] != "text" and "/" not in row["class1"]
        )

    def limits(self, number: int) -> dict[str, Limit]:
        """Return the limit of each item in one class."""
        return {item.code: item.limits[number - 1] for item in self.items}

    def answer(self, given: Any) -> Any:
        """Return ``{class, e}`` of one sample's values, given as ``{item: value}``."""
        from qinglan.standards.sea.examples import class_answer

        return class_answer(given)


def _limit(text: str) -> Limit:
    if not text:
        return None
    if "-" in text:
        least, most = text.split("-")
        return Decimal(least), Decimal(most)
    return Decimal(text)


class GradeWord(Part):
    """A word for a sea area and the least shares it asks for, in %; the first that fits is the word."""

    word: str
    class1: Decimal = Decimal(0)
    good: Decimal = Decimal(0)
    worse_at_most: Decimal = Decimal(100)


class Nutrients(Part):
    """A word for the eutrophication index; the first that fits is the word."""

    word: str
    below: Decimal | None = None
    at_most: Decimal | None = None


@kind("sea_evaluation")
class SeaEvaluation(Edition):
    """How an area of sea is evaluated: HJ 442."""

    routine: tuple[str, ...]
    surveys: int
    grades: tuple[GradeWord, ...]
    nutrients: tuple[Nutrients, ...]

    def answer(self, given: Any) -> Any:
        """Return the word for shares given as ``{class1, class2, worse}``."""
        from qinglan.standards.sea.examples import grade_answer

        return grade_answer(given)


def classes(edition: str | None = None) -> tuple[SeaClasses, ...]:
    """Return the editions of GB 3097, the oldest first; or the one that is named."""
    available = editions(FOLDER, SeaClasses, "GB 3097")
    return available if edition is None else (named(available, edition),)


def evaluation() -> SeaEvaluation:
    """Return the rules of HJ 442."""
    available: tuple[SeaEvaluation, ...] = editions(FOLDER, SeaEvaluation, "HJ 442.10")
    return available[-1]


def clause_of(edition: Edition) -> str:
    """Return the clause of an edition's verdicts, marked where the edition is incomplete."""
    clause = edition.basis[0].clause or ""
    return clause if edition.state == "complete" else f"{clause}（未全）"
