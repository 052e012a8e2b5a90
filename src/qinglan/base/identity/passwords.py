"""Passwords: what they must be, and how they are kept.

依据: GB/T 22239—2019 8.1.4.1 a)（复杂度与定期更换）。
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import lru_cache

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from qinglan.base.identity.policy import Policy
from qinglan.core.errors import InputError

_HASHER = PasswordHash((Argon2Hasher(),))
# Each check takes 64 MB: so many at once, the others wait.
_AT_ONCE = threading.BoundedSemaphore(4)
_COMMON = ("password", "qwerty", "admin", "123456", "abcdef", "qinglan", "huanbao", "letmein")


def hashed(password: str) -> str:
    """Return the argon2id hash of a password, with its salt and cost."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def matches(password: str, kept: str | None) -> bool:
    """Return whether a password is the one that was hashed.

    Without a hash the same work is done on another one: the time taken does not tell which accounts there are.
    """
    with _AT_ONCE:
        found = _HASHER.verify(password, kept or _of_nobody())
    return found and kept is not None


@lru_cache(maxsize=1)
def _of_nobody() -> str:
    return _HASHER.hash("nobody has this password")


def require_good(policy: Policy, password: str, names: Iterable[str | None] = ()) -> None:
    """Refuse a password that the policy does not allow.

    Parameters
    ----------
    names
        The account's name and its owner's: no part of a password.

    Raises
    ------
    InputError
        With all that is wrong with it.
    """
    rules, faults = policy.password, []
    if not rules.shortest.value <= len(password) <= rules.longest.value:
        least, most = rules.shortest.value, rules.longest.value
        faults.append((f"应为 {least} 至 {most} 个字符", f"it should have {least} to {most} characters"))
    if classes(password) < rules.classes.value:
        faults.append(
            (
                f"应含大写字母、小写字母、数字、其他符号中的至少 {rules.classes.value} 类",
                f"it should have {rules.classes.value} of: capitals, small letters, digits, other signs",
            )
        )
    lower = password.lower()
    if any(name and len(name) > 2 and name.lower() in lower for name in names):
        faults.append(("不得含账户名或姓名", "it may not hold the account's or the person's name"))
    if any(word in lower for word in _COMMON) or len(set(password)) < 5:
        faults.append(("过于常见", "it is too common"))
    if faults:
        raise InputError(
            "口令不符合要求：" + "；".join(zh for zh, _ in faults) + "。",
            "The password is not acceptable: " + "; ".join(en for _, en in faults) + ".",
            field="password",
        )


def classes(password: str) -> int:
    """Return of how many sorts the characters are: capitals, small letters, digits, others.

    Examples
    --------
    >>> classes("abc"), classes("abC1"), classes("aB1-"), classes("山水1")
    (1, 3, 4, 2)
    """
    sorts = {
        "A" if "A" <= letter <= "Z" else "a" if "a" <= letter <= "z" else "0" if letter.isdigit() else "-"
        for letter in password
    }
    return len(sorts)


def expired(policy: Policy, set_at: datetime | None, now: datetime) -> bool:
    """Return whether a password is too old to be used further."""
    return set_at is not None and now - set_at > timedelta(days=policy.password.age_days.value)
