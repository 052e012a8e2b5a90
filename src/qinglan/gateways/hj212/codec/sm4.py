"""Data areas enciphered with SM4.

依据: HJ 212-2025 附录 A.2, 附录 H, known from two implementations that quote it: SM4 by electronic code book over each
whole block of 16 bytes, written as ``{0xE4,0x3E,…}``; the last 1 to 15 bytes follow in the clear.
"""

from __future__ import annotations

import re
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from qinglan.core.errors import InputError

BLOCK: Final = 16
OPENING: Final = b"{0x"
_WRITTEN: Final = re.compile(rb"\{(0[xX][0-9A-Fa-f]{2}(?:\s*,\s*0[xX][0-9A-Fa-f]{2})*)\s*\}")


def checked_key(key: bytes) -> bytes:
    """Return `key` if SM4 can use it.

    Raises
    ------
    InputError
        If it is not of 16 bytes.
    """
    if len(key) != BLOCK:
        raise InputError(
            f"SM4 密钥应为 16 字节，实为 {len(key)} 字节。",
            f"An SM4 key has 16 bytes, not {len(key)}.",
            field="key",
        )
    return key


def _cipher(key: bytes) -> Cipher[modes.ECB]:
    # The code book is what the standard prescribes; links that need secrecy use TLS besides.
    return Cipher(algorithms.SM4(checked_key(key)), modes.ECB())


def encipher(data: bytes, key: bytes) -> bytes:
    """Return a data area as it travels: whole blocks enciphered and written in braces, the rest in the clear.

    Examples
    --------
    >>> encipher(b"SKCreateTime=20240601000000", b"0" * 16)[-22:]
    b',0xBD,0x12}40601000000'
    """
    whole = len(data) // BLOCK * BLOCK
    if not whole:
        return data
    encryptor = _cipher(key).encryptor()
    blocks = encryptor.update(data[:whole]) + encryptor.finalize()
    return b"{" + b",".join(b"0x%02X" % byte for byte in blocks) + b"}" + data[whole:]


def decipher(data: bytes, key: bytes) -> bytes | None:
    """Return the plain data area, or None if `data` is not written as the standard says.

    Examples
    --------
    >>> decipher(encipher(b"DataTime=20240601085857;a34013-Rtd=12.3", b"0" * 16), b"0" * 16)
    b'DataTime=20240601085857;a34013-Rtd=12.3'
    """
    written = _WRITTEN.match(data)
    if written is None:
        return None
    blocks = bytes(int(byte, 16) for byte in written[1].split(b","))
    if len(blocks) % BLOCK:
        return None
    decryptor = _cipher(key).decryptor()
    return decryptor.update(blocks) + decryptor.finalize() + data[written.end() :]
