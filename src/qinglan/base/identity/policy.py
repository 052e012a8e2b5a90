"""The sign-in policy: its numbers, each with where it comes from."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from pydantic import Field

from qinglan.core.declare import Declaration, Part, kind


class Figure(Part):
    """One number; `check` is M where the standard asks for the measure but its text is not at hand."""

    value: int = Field(ge=1)
    check: Literal["V", "M", "own"]
    basis: str | None = None


class PasswordRules(Part):
    """What a password must be."""

    shortest: Figure
    longest: Figure
    classes: Figure
    age_days: Figure
    history: Figure


class FailureRules(Part):
    """When attempts are stopped: by account, and by the address they come from."""

    account: Figure
    lock_minutes: Figure
    address: Figure
    address_minutes: Figure
    remembered: Figure


class SessionRules(Part):
    """How long a session lasts, and how many an account may have."""

    idle_minutes: Figure
    absolute_hours: Figure
    most: Figure


class TokenRules(Part):
    """How long an API token may last."""

    longest_days: Figure


class LinkRules(Part):
    """How long a one-time link lasts: the first, and those for the other two administrators."""

    hours: Figure
    successor_hours: Figure


@kind("sign_in_policy")
class Policy(Declaration):
    """The numbers of the sign-in.

    依据: GB/T 22239—2019 8.1.4.1（口令复杂度、更换、失败处理、超时退出）。
    """

    password: PasswordRules
    failures: FailureRules
    session: SessionRules
    token: TokenRules
    link: LinkRules

    @property
    def lock(self) -> timedelta:
        """How long an account stays locked."""
        return timedelta(minutes=self.failures.lock_minutes.value)

    @property
    def idle(self) -> timedelta:
        """How long a session lives without a request."""
        return timedelta(minutes=self.session.idle_minutes.value)

    @property
    def absolute(self) -> timedelta:
        """How long a session lives at most."""
        return timedelta(hours=self.session.absolute_hours.value)
