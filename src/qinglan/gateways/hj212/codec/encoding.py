"""Packets into bytes: framed, checked, split where the standard's length asks for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from qinglan.core.errors import InputError
from qinglan.gateways.hj212.codec import crc, sm4
from qinglan.gateways.hj212.codec.dialect import STANDARD, Dialect
from qinglan.gateways.hj212.codec.packet import KEYS, Packet, read_pairs

LONGEST: Final = 1024
LONGEST_AREA: Final = 950
_LARGEST: Final = 9999
_SEPARATORS: Final = frozenset(";,=#&\r\n")
_SPLIT: Final = 2


def area(items: Iterable[tuple[str, str]]) -> str:
    """Return a data area of names and values: items of one code joined by commas, others by semicolons.

    依据: HJ 212-2017 数据区.

    Raises
    ------
    InputError
        If a name or value holds a separator of the protocol.

    Examples
    --------
    >>> area([("DataTime", "20160801085857"), ("w01018-Rtd", "2.2"), ("w01018-Flag", "N")])
    'DataTime=20160801085857;w01018-Rtd=2.2,w01018-Flag=N'
    """
    text, last = "", ""
    for name, value in items:
        _refuse_separators(name, name)
        logged = value.startswith("//") and value.endswith("//") and len(value) >= 4
        if not logged or "&&" in value or "\r" in value or "\n" in value:
            _refuse_separators(name, value)
        code, dash, _ = name.rpartition("-")
        joint = "" if not text else "," if dash and code == last else ";"
        text += f"{joint}{name}={value}"
        last = code if dash else ""
    return text


def build(header: Mapping[str, str], items: Iterable[tuple[str, str]] = (), dialect: Dialect = STANDARD) -> Packet:
    r"""Return a valid packet of a header and the items of its data area.

    Parameters
    ----------
    header
        Fields under their standard names; they travel in the standard's order.

    Raises
    ------
    InputError
        If a field is unknown, holds a separator, or the data segment is too long for one frame.

    Examples
    --------
    >>> encode(build({"QN": "20240601085857223", "ST": "91", "CN": "9014", "MN": "A110000_0001", "Flag": "8"}))
    b'##0065QN=20240601085857223;ST=91;CN=9014;MN=A110000_0001;Flag=8;CP=&&&&F001\r\n'
    """
    for name, value in header.items():
        if name not in KEYS:
            raise InputError(
                f"报文头没有字段“{name}”，可用的有：{'、'.join(KEYS)}。",
                f'A header has no field "{name}"; known are: {", ".join(KEYS)}.',
                field=name,
            )
        _refuse_separators(name, value)
    data = area(items)
    packet = Packet(b"", {key: header[key] for key in KEYS if key in header}, data, read_pairs(data), dialect=dialect)
    packet.enciphered = dialect.key is not None
    packet.raw = encode(packet).removesuffix(b"\r\n")
    packet.framing, packet.checksum, packet.layout = "length", dialect.checksum, dialect.layout
    packet.valid = dialect.checksum == "standard" and dialect.layout == "standard"
    if not packet.valid:
        packet.defects = (
            *(("layout",) if dialect.layout != "standard" else ()),
            *(("checksum",) if dialect.checksum != "standard" else ()),
        )
    return packet


def encode(packet: Packet) -> bytes:
    r"""Return the frame of a packet's header and data area, with the line's end, in its device's dialect.

    The header keeps its order. The data area travels enciphered where the packet is and its dialect has a key; the
    length is then that of the written text.

    Raises
    ------
    InputError
        If the data segment is longer than its four digits can say.

    Examples
    --------
    >>> from qinglan.gateways.hj212.codec import decode
    >>> raw = b"##0078QN=20201008154743635;ST=91;CN=9014;PW=123456;MN=SD000001;Flag=9;CP=&&QnRtn=1&&71C0\r\n"
    >>> encode(decode(raw)) == raw
    True
    """
    dialect = packet.dialect
    encoding = "gb18030" if dialect.text == "gbk" else "utf-8"
    before = "".join(f"{key}={value};" for key, value in packet.header.items()).encode(encoding) + b"CP=&&"
    data = packet.data.encode(encoding)
    plain = before + data + b"&&"
    written = plain
    if packet.enciphered and dialect.key is not None:
        written = before + sm4.encipher(data, dialect.key) + b"&&"
    if dialect.layout == "semicolons":
        plain, written = b";" + plain + b";", b";" + written + b";"
    if len(written) > _LARGEST:
        raise InputError(
            f"数据段 {len(written)} 字节，四位长度写不下，请先分包。",
            f"The data segment has {len(written)} bytes, more than its four digits can say: split it first.",
            field="CP",
        )
    length = b"%04d" % len(written)
    address = b"0001" if dialect.layout == "addressed" else b""
    checked = length + plain if dialect.layout == "semicolons" else plain
    return b"##" + address + length + written + b"%04X" % _checksum(checked, dialect) + b"\r\n"


def split(packet: Packet) -> list[Packet]:
    """Return a packet as parts that the standard's lengths allow, each a valid packet by itself.

    依据: HJ 212-2017 拆分包. It is cut between the items of different codes; DataTime stands in each part, the D bit of
    Flag is set, PNUM and PNO count from 1. All parts have the QN of the whole.

    Raises
    ------
    InputError
        If one item alone is too long.
    """
    if len(packet.data.encode()) <= LONGEST_AREA and len(encode(packet)) <= LONGEST + 12:
        return [packet]
    time = [pair for pair in packet.pairs if pair[0] == "DataTime"]
    groups: list[list[tuple[str, str]]] = []
    for name, value in packet.pairs:
        if name == "DataTime":
            continue
        code, dash, _ = name.rpartition("-")
        if groups and dash and groups[-1][-1][0].rpartition("-")[0] == code:
            groups[-1].append((name, value))
        else:
            groups.append([(name, value)])
    room = min(LONGEST_AREA, LONGEST - sum(len(key) + len(value) + 2 for key, value in packet.header.items()) - 30)
    parts: list[list[tuple[str, str]]] = [list(time)]
    for group in groups:
        if len(area([*time, *group]).encode()) > room:
            raise InputError(
                f"数据项“{group[0][0]}”单独一包也超过标准的长度。",
                f'The item "{group[0][0]}" is too long for a packet of its own.',
                field=group[0][0],
            )
        if len(area([*parts[-1], *group]).encode()) > room:
            parts.append(list(time))
        parts[-1] += group
    flag = str((packet.flag or 0) | _SPLIT)
    counted = packet.header | {"Flag": flag, "PNUM": str(len(parts))}
    return [build(counted | {"PNO": str(number)}, part, packet.dialect) for number, part in enumerate(parts, 1)]


def _checksum(segment: bytes, dialect: Dialect) -> int:
    if dialect.checksum == "standard":
        return crc.standard(segment)
    value = crc.modbus(segment)
    return crc.swapped(value) if dialect.checksum == "modbus-swapped" else value


def _refuse_separators(name: str, text: str) -> None:
    if _SEPARATORS.isdisjoint(text):
        return
    raise InputError(
        f"字段“{name}”含有协议的分隔符（; , = # & 或换行），不能发送。",
        f'The field "{name}" holds a separator of the protocol (; , = # & or a line break) and cannot be sent.',
        field=name,
    )
