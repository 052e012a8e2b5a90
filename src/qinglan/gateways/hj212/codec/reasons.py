"""Why a packet is not valid, and what else deviates from the standard."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from qinglan.core.declare import Title

Reason = Literal[
    "no_head",
    "leading",
    "length_text",
    "too_long",
    "length",
    "layout",
    "half",
    "torn",
    "no_data",
    "checksum_text",
    "checksum",
    "enciphered",
    "trailing",
    "over_1024",
    "text",
]

REASONS: Final[Mapping[Reason, Title]] = MappingProxyType(
    {
        "no_head": Title(zh="没有包头“##”", en="There is no head “##”"),
        "leading": Title(zh="包头之前有其他字节", en="Other bytes stand before the head"),
        "length_text": Title(zh="数据段长度不是四位数字", en="The length is not four digits"),
        "too_long": Title(zh="数据段长度超过上限", en="The length is over the limit"),
        "length": Title(zh="数据段长度与实际不符", en="The length is not that of the data segment"),
        "layout": Title(
            zh="帧中多出地址或分号，不是标准的格式",
            en="The frame holds an address or semicolons that the standard does not know",
        ),
        "half": Title(zh="报文不完整", en="The packet is not whole"),
        "torn": Title(zh="报文中断，其中开始了另一个报文", en="The packet breaks off where another one begins"),
        "no_data": Title(zh="没有数据区“CP=&&…&&”", en="There is no data area “CP=&&…&&”"),
        "checksum_text": Title(zh="CRC 不是四位十六进制数", en="The CRC is not four hexadecimal digits"),
        "checksum": Title(zh="CRC 校验不符", en="The CRC is not the standard's of these bytes"),
        "enciphered": Title(zh="数据区已加密，没有密钥", en="The data area is enciphered and there is no key"),
        "trailing": Title(zh="报文之后还有其他字节", en="Other bytes follow the packet"),
        "over_1024": Title(zh="数据段超过 1024 字节", en="The data segment is over 1024 bytes"),
        "text": Title(
            zh="文字不是 UTF-8（按 GBK 读出，或无法读出）", en="The text is not UTF-8 (read as GBK, or not readable)"
        ),
    }
)
BENIGN: Final[frozenset[Reason]] = frozenset({"trailing", "over_1024", "text"})
"""Deviations that leave a packet valid."""
