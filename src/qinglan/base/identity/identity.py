"""What every part of this package works with: the base, the declared roles and policy, the clock, the key."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from sqlalchemy import Connection, Engine, RowMapping, select

from qinglan.base.engine import reading
from qinglan.base.identity.policy import Policy
from qinglan.base.identity.roles import Role
from qinglan.base.identity.tables import accounts
from qinglan.base.identity.throttle import Throttle
from qinglan.base.storage import storage_errors
from qinglan.core.declare import Declarations
from qinglan.core.errors import InputError, StorageError
from qinglan.core.interval import to_beijing

FOLDER = Path(__file__).parent
KEY_FILE = "identity.key"
POLICY = "default"


@dataclass(frozen=True)
class Actor:
    """Who does something, and from where; both are written into the trail."""

    account: str
    address: str = ""


@dataclass
class Identity:
    """The people of one installation.

    Parameters
    ----------
    below
        Returns a place with all places below it.
    home
        The folder of the key that seals what must be read again (the second factor's secret).
    """

    engine: Engine
    policy: Policy
    roles: Mapping[str, Role]
    home: Path
    below: Callable[[str], frozenset[str]] = field(default=lambda place: frozenset({place}))
    places: frozenset[str] | None = None
    """The places that there are; None: any word is taken for one."""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    throttle: Throttle = field(init=False)
    _any: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        failures = self.policy.failures
        window = timedelta(minutes=failures.address_minutes.value)
        self.throttle = Throttle(failures.address.value, window, failures.remembered.value)

    @classmethod
    def of(
        cls,
        engine: Engine,
        declarations: Declarations,
        home: Path,
        below: Callable[[str], frozenset[str]] | None = None,
        places: frozenset[str] | None = None,
    ) -> Identity:
        """Return the people of an installation with its declared roles and policy."""
        made = cls(engine, declarations.get(Policy, POLICY), declarations.of(Role), home, places=places)
        if below is not None:
            made.below = below
        return made

    def exist(self) -> bool:
        """Return whether there is any account; once there is one, there always is."""
        if not self._any:
            with reading(self.engine) as connection:
                self._any = connection.execute(select(accounts.c.id).limit(1)).first() is not None
        return self._any

    def require_places(self, given: Iterable[str] | None) -> None:
        """Refuse the id of no place: a mistyped one would silently hide everything.

        Raises
        ------
        InputError
            With the first that is not known.
        """
        unknown = [] if self.places is None else [one for one in given or () if one not in self.places]
        if unknown:
            raise InputError(
                f"没有地区“{unknown[0][:40]}”；已有的见城市包的地区表。",
                f'There is no place "{unknown[0][:40]}"; the city pack lists those that there are.',
                field="places",
            )

    def today(self) -> date:
        """Return the day in Beijing, by which grants and organisations begin and end."""
        return to_beijing(self.clock()).date()

    @cached_property
    def _cipher(self) -> Fernet:
        file = self.home / KEY_FILE
        with storage_errors(file):
            if not file.exists():
                # Written beside and linked into place, so that two processes never use two keys.
                made = file.with_suffix(f".{secrets.token_hex(4)}")
                handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "wb") as stream:
                    stream.write(Fernet.generate_key())
                try:
                    os.link(made, file)
                except FileExistsError:
                    pass
                finally:
                    made.unlink()
            return Fernet(file.read_bytes())

    def seal(self, text: str) -> str:
        """Return `text` encrypted with the installation's key."""
        return self._cipher.encrypt(text.encode()).decode()

    def unseal(self, sealed: str) -> str:
        """Return what was sealed.

        Raises
        ------
        StorageError
            If it was sealed with another key.
        """
        try:
            return self._cipher.decrypt(sealed.encode()).decode()
        except InvalidToken as error:
            raise StorageError(
                f"密钥文件 {KEY_FILE} 与数据库不符；请从备份中一并恢复两者。",
                f"The key file {KEY_FILE} does not belong to this base; restore both from one backup.",
                file=KEY_FILE,
            ) from error


def digest(secret: str) -> str:
    """Return the SHA-256 of a random secret, which is all that is stored of it.

    A secret of 256 random bits cannot be guessed from its hash, so no slow hash is needed as for a password.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def new_secret() -> str:
    """Return 256 random bits as text."""
    return secrets.token_urlsafe(32)


def new_id() -> str:
    """Return an id that nobody can guess and that says nothing."""
    return secrets.token_hex(16)


def account_row(connection: Connection, account: str) -> RowMapping | None:
    """Return the row of an account, or None."""
    return connection.execute(select(accounts).where(accounts.c.id == account)).mappings().first()
