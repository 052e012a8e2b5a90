"""What becomes of a packet at the door, and which two packets are one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from hashlib import blake2b
from types import MappingProxyType
from typing import Final

from qinglan.core.declare import Title
from qinglan.gateways.hj212.codec import REASONS, STANDARD, Packet, build, crc, encode
from qinglan.gateways.hj212.devices import LONGEST_NUMBER, Device

REFUSALS: Final[Mapping[str, Title]] = MappingProxyType(
    {
        **{str(code): title for code, title in REASONS.items()},
        "no_device": Title(zh="没有可用的设备编号（MN）", en="There is no usable device number (MN)"),
        "no_command": Title(zh="没有命令编码（CN）", en="There is no command (CN)"),
        "password": Title(zh="密码（PW）与登记的不符", en="The password (PW) is not the declared one"),
        "address": Title(zh="来自登记以外的地址", en="It comes from an address that is not declared"),
        "blocked": Title(zh="设备已停用", en="The device is blocked"),
    }
)
"""Why a packet is kept but neither answered nor taken into the lake."""

_NO_ANSWER: Final = frozenset({"9011", "9012", "9013", "9014", "9022"})
_OTHER_ANSWERS: Final = {"1013": "9013", "2012": "9013", "2022": "9013", "9015": "9013", "9021": "9022"}
"""Everything else that asks for an answer is data."""
_SURELY_ANSWERED: Final = frozenset({"9015"})
_PLAIN: Final = re.compile(r"[^\s;,=&#\x00-\x1f\x7f]{1,64}")


def refusal(packet: Packet, device: Device | None, address: str) -> str | None:
    """Return why a packet is refused, a key of `REFUSALS`, or None if it is accepted.

    依据: HJ 212-2017 CRC 校验 (a packet with a wrong CRC is not processed).

    Parameters
    ----------
    device
        What is declared of its sender; None for a device that is not known, whose packets are kept for later.
    """
    if not packet.accepted:
        return packet.reason or "checksum"
    header = packet.header
    mn = header.get("MN", "")
    if len(mn) > LONGEST_NUMBER or not _PLAIN.fullmatch(mn):
        return "no_device"
    if "CN" not in header:
        return "no_command"
    if device is None:
        return None
    if device.state == "blocked":
        return "blocked"
    if device.password is not None and header.get("PW", "") != device.password:
        return "password"
    if device.addresses and not device.may_call_from(address):
        return "address"
    return None


def key_of(packet: Packet) -> bytes:
    """Return what is the same for a packet and its resends, and differs between any two others.

    Device, system, command and the data area; the number of the exchange (QN) and of the part only where the data
    area names no time of its own. So a resend under the same QN is one packet, the same data sent again under a new
    QN too, and two packets of a device whose QN does not move are two: nothing that says something new is dropped.
    依据: HJ 212-2017 表 1 (重发).
    """
    header = packet.header
    said = [header.get("MN", ""), header.get("ST", ""), header.get("CN", ""), packet.data]
    if "DataTime=" not in packet.data:
        said += [header.get("QN", ""), header.get("PNO", "")]
    return blake2b("\0".join(said).encode(errors="surrogateescape"), digest_size=16).digest()


def key_of_refused(packet: Packet) -> bytes:
    """Return the same for a packet whose content cannot be trusted: its bytes."""
    return blake2b(packet.raw, digest_size=16, person=b"refused").digest()


def answer(packet: Packet, device: Device | None) -> bytes | None:
    """Return the answer that a packet asks for, in its device's edition and dialect, or None if it asks for none.

    依据: HJ 212-2017 9013 通知应答, 9014 数据应答 (the request's QN in the header, Flag without the answer bit);
    HJ/T 212-2005 (no Flag of a version, the request's QN in the data area too); HJ 212-2025 9015 心跳 answered by 9013.
    The login of private dialects (9021) is answered by 9022.
    """
    command = packet.command
    if command in _NO_ANSWER or not (packet.wants_answer or command in _SURELY_ANSWERED):
        return None
    return _written(packet, device, _OTHER_ANSWERS.get(command, "9014"))


_FLAGS: Final = {"2005": "0", "2017": "4", "2025": "8", "surface-water": "8"}


def _written(packet: Packet, device: Device | None, command: str) -> bytes:
    dialect = STANDARD if device is None else device.dialect
    edition = packet.edition
    number, password = packet.number or "", packet.header.get("PW", "")
    items = []
    if command == "9022":
        items.append(("QnRtn", "1"))
    elif edition == "2005":
        items = [("QN", number)] if _PLAIN.fullmatch(number) else []
        if command == "9014":
            items.append(("CN", packet.command))
    header = {
        **({"QN": number} if _PLAIN.fullmatch(number) else {}),
        "ST": "91",
        "CN": command,
        **({"PW": password} if _PLAIN.fullmatch(password) else {}),
        "MN": packet.device,
        "Flag": _FLAGS[edition],
    }
    if dialect.checksum == "standard" and dialect.layout == "standard":
        # The answers are half of all that the gateway writes: this is `encode` without what they never need.
        fields = "".join([f"{key}={value};" for key, value in header.items()])
        area = ";".join([f"{key}={value}" for key, value in items])
        segment = f"{fields}CP=&&{area}&&".encode()
        return b"##%04d%b%04X\r\n" % (len(segment), segment, crc.standard(segment))
    return encode(build(header, items, replace(dialect, key=None)))
