"""The words of the protocol in Chinese and English: what a reader sees beside each field.

``commands.csv`` and ``words.csv`` say in ``check`` how well each row is known: O read in HJ 212-2017 or seen in packets
with a right checksum, P public code agrees, T told by those who quote HJ 212-2025, W only seen on the wire.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from types import MappingProxyType

from qinglan.catalogue import flags
from qinglan.core.declare import Title
from qinglan.core.interval import BEIJING
from qinglan.gateways.hj212.codec.dialect import Edition
from qinglan.gateways.hj212.codec.observing import factor_of, moment
from qinglan.gateways.hj212.codec.packet import Packet

_VERSIONS: Mapping[Edition, tuple[str, ...]] = {
    "2005": ("2005", "all", "private"),
    "2017": ("2017", "2017+", "all", "private"),
    "2025": ("2025", "2017+", "all", "private"),
    "surface-water": ("2017", "2017+", "all", "private"),
}


@dataclass(frozen=True)
class Line:
    """One field of a packet, explained.

    Attributes
    ----------
    name, text
        As they were sent.
    title
        What the field is.
    meaning
        What its value says, where there is more to say than itself.
    """

    name: str
    text: str
    title: Title | None
    meaning: Title | None


def command(code: str, edition: Edition) -> Title | None:
    """Return the title of a command in an edition, or in another one that has it; None for a private one.

    Examples
    --------
    >>> command("2061", "2017").en, command("1001", "2005").en, command("1001", "2025").en, command("8013", "2017")
    ('Hour data', 'Set the over-limit alarm time', "Upload the logger's hardware ids", None)
    """
    known = _commands().get(code, {})
    return next((known[name] for name in _VERSIONS[edition] if name in known), next(iter(known.values()), None))


def word(kind: str, code: str) -> Title | None:
    """Return the title of a code of a kind: header, system, suffix, key, QnRtn, ExeRtn, state, edition."""
    return _words().get((kind, code))


def explain(packet: Packet) -> tuple[list[Line], list[Line]]:
    """Return the lines of a packet's header and of its data area, in the order in which they were sent."""
    header = [
        Line(name, text, word("header", name), _of_header(packet, name, text)) for name, text in packet.header.items()
    ]
    return header, [_item(packet, name, text) for name, text in packet.pairs]


def _of_header(packet: Packet, name: str, text: str) -> Title | None:
    if name == "CN":
        return command(text, packet.edition)
    if name == "ST":
        return word("system", text)
    if name == "Flag" and packet.flag is not None:
        answer = ("需要应答", "answer wanted") if packet.wants_answer else ("不需应答", "no answer wanted")
        parts = ("，有包号", ", in parts") if packet.flag & 2 else ("", "")
        version = packet.flag >> 2
        return Title(zh=f"版本位 {version}，{answer[0]}{parts[0]}", en=f"version bits {version}, {answer[1]}{parts[1]}")
    return _time(text) if name == "QN" else None


def _item(packet: Packet, name: str, text: str) -> Line:
    code, dash, suffix = name.rpartition("-")
    if not dash:
        return Line(name, text, word("key", name), word(name, text) or (_time(text) if name.endswith("Time") else None))
    what = word("suffix", suffix)
    factor = factor_of(code, packet.system)
    of = factor.title if factor else Title(zh=code, en=code)
    if what is None and factor is None:
        return Line(name, text, None, None)
    title = Title(zh=f"{of.zh} {what.zh}", en=f"{of.en}, {what.en}") if what else of
    meaning = None
    if suffix == "Flag" and text in flags.all_flags():
        meaning = flags.flag(text).title
    elif suffix == "RS":
        meaning = word("state", text)
    elif suffix == "SampleTime":
        meaning = _time(text)
    return Line(name, text, title, meaning)


def _time(text: str) -> Title | None:
    found = moment(text)
    if found is None:
        return None
    local = f"{found.astimezone(BEIJING):%Y-%m-%d %H:%M:%S}"
    return Title(zh=f"{local}（北京时间）", en=f"{local} Beijing time")


def _rows(name: str) -> list[dict[str, str]]:
    text = files("qinglan.gateways.hj212.codec").joinpath(name).read_text("utf-8")
    return list(csv.DictReader(text.splitlines()))


@cache
def _commands() -> Mapping[str, Mapping[str, Title]]:
    found: dict[str, dict[str, Title]] = {}
    for row in _rows("commands.csv"):
        found.setdefault(row["code"], {})[row["edition"]] = Title(zh=row["name_zh"], en=row["name_en"])
    return MappingProxyType(found)


@cache
def _words() -> Mapping[tuple[str, str], Title]:
    return MappingProxyType(
        {(row["kind"], row["code"]): Title(zh=row["name_zh"], en=row["name_en"]) for row in _rows("words.csv")}
    )
