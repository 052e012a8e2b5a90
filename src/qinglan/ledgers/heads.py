"""Heads of the chains, signed and written outside the base: what a hand in the database cannot make again.

A chain by itself shows a change in the middle; whoever may write the base could hash its whole tail anew, or cut it
off. The signed heads of each day say what the last entry was.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select

from qinglan.base.engine import reading
from qinglan.base.schema import ledger_chains
from qinglan.base.storage import storage_errors
from qinglan.core.errors import StorageError
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.values import canonical

FOLDER = "heads"
KEY = "heads.key"
PUBLIC = "heads.pub"


@dataclass(frozen=True)
class Head:
    """What one signed file says of one ledger."""

    file: Path
    at: str
    ledger: str
    seq: int
    hash: str


def sign(ledgers: Ledgers, at: datetime | None = None) -> Path:
    """Write the heads of all chains, signed, into the home folder's `heads`; return the file.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    with reading(ledgers.engine) as connection:
        chains = connection.execute(select(ledger_chains).order_by(ledger_chains.c.ledger)).mappings().all()
    said = {
        "at": moment.isoformat(),
        "heads": {row["ledger"]: {"seq": row["seq"], "hash": row["hash"]} for row in chains},
    }
    folder = ledgers.home / FOLDER
    with storage_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        signature = _key(folder).sign(canonical(said).encode()).hex()
        path = folder / f"{moment:%Y-%m-%dT%H%M%S%f}.json"
        fresh = path.with_suffix(".new")
        fresh.write_text(json.dumps(said | {"signature": signature}, ensure_ascii=False, indent=1) + "\n", "utf-8")
        fresh.replace(path)
    return path


def due(ledgers: Ledgers, at: datetime | None = None) -> bool:
    """Return whether anything was written since the last signed heads, and those are not of this day."""
    moment = (at or datetime.now(UTC)).astimezone(UTC)
    folder = ledgers.home / FOLDER
    last = max((path.stem for path in folder.glob("*.json")), default="") if folder.is_dir() else ""
    if last.startswith(f"{moment:%Y-%m-%d}"):
        return False
    with reading(ledgers.engine) as connection:
        return (
            connection.scalars(select(ledger_chains.c.ledger).where(ledger_chains.c.seq > 0).limit(1)).first()
            is not None
        )


def _key(folder: Path) -> Ed25519PrivateKey:
    """Return the installation's key; made at its first use, readable by its owner only."""
    path = folder / KEY
    if not path.exists():
        made = Ed25519PrivateKey.generate()
        raw = made.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        path.touch(mode=0o600, exist_ok=False)
        path.write_bytes(raw)
        public = made.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        (folder / PUBLIC).write_bytes(public)
        return made
    found = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(found, Ed25519PrivateKey)
    return found


def signed(ledgers: Ledgers) -> Iterator[Head | tuple[Path, str]]:
    """Yield the heads of all signed files, oldest first; a file that cannot be trusted as its path and the reason."""
    folder = ledgers.home / FOLDER
    files = sorted(folder.glob("*.json")) if folder.is_dir() else []
    if not files:
        return
    public = _public(folder)
    for path in files:
        try:
            written = json.loads(path.read_text("utf-8"))
            signature = bytes.fromhex(written.pop("signature"))
            public.verify(signature, canonical(written).encode())
        except InvalidSignature:
            yield path, "signature"
            continue
        except (ValueError, KeyError, OSError, AttributeError):
            yield path, "unreadable"
            continue
        heads: dict[str, Any] = written["heads"]
        for ledger, head in heads.items():
            yield Head(path, written["at"], ledger, int(head["seq"]), str(head["hash"]))


def _public(folder: Path) -> Ed25519PublicKey:
    try:
        found = serialization.load_pem_public_key((folder / PUBLIC).read_bytes())
    except (OSError, ValueError) as error:
        raise StorageError(
            f"读不到签名公钥 {folder / PUBLIC}：请从备份恢复。",
            f"The public key {folder / PUBLIC} cannot be read: restore it from a backup.",
            file=str(folder / PUBLIC),
        ) from error
    assert isinstance(found, Ed25519PublicKey)
    return found
