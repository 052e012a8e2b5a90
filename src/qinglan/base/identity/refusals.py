"""What is refused to people: not known, not allowed, too often."""

from __future__ import annotations

from typing import Any, ClassVar

from qinglan.core.errors import InputError, QinglanError


class NotSignedInError(QinglanError):
    """Nobody is signed in, or what was shown as proof is not good (any more)."""

    status: ClassVar[int] = 401
    exit_code: ClassVar[int] = 2


class NotAllowedError(QinglanError):
    """Whoever asks has not the right to it.

    Parameters
    ----------
    step
        What must be done first, where that is the reason: ``password``, ``enrol`` or ``totp``.
    """

    status: ClassVar[int] = 403
    exit_code: ClassVar[int] = 2

    def __init__(self, zh: str, en: str, *, step: str | None = None, field: str | None = None) -> None:
        super().__init__(zh, en, field=field)
        self.step = step

    def problem(self) -> dict[str, Any]:
        """Return the error as a problem+json object, with the step that is due."""
        found = super().problem()
        return found if self.step is None else {**found, "step": self.step}


class TooOftenError(QinglanError):
    """Too many attempts in too short a time."""

    status: ClassVar[int] = 429
    exit_code: ClassVar[int] = 2


class NotThereError(InputError):
    """There is no such account, organisation, grant or token, or it is not for the asker to see."""

    status: ClassVar[int] = 404


class ConflictError(InputError):
    """It is there already, or contradicts what is there."""

    status: ClassVar[int] = 409


def not_there(zh: str, en: str, identifier: str, field: str = "id") -> NotThereError:
    """Return the refusal of an id that nothing has which the asker may see."""
    shown = identifier[:80]
    return NotThereError(f"没有编号为“{shown}”的{zh}。", f'There is no {en} "{shown}".', field=field)


def sign_in_refused() -> NotSignedInError:
    """Return the one refusal of a sign-in: it does not say whether the account or the password was wrong."""
    return NotSignedInError(
        "账户名或口令不正确，或账户已停用或锁定；锁定会自行解除，也可请安全管理员解锁。",
        "The account or the password is wrong, or the account is disabled or locked; a lock ends by itself, "
        "and a security administrator can end it sooner.",
        field="password",
    )


def sign_in_needed() -> NotSignedInError:
    """Return the refusal of whoever has not signed in."""
    return NotSignedInError("请先登录。", "Sign in first.")
