"""Refusals that only a server makes; all other errors come from the parts that it calls."""

from __future__ import annotations

from typing import Any, ClassVar

from qinglan.core.errors import InputError, QinglanError


class NotFoundError(InputError):
    """What the address names is not there."""

    status: ClassVar[int] = 404


class ForeignRequestError(QinglanError):
    """A request that another site or another host name sends."""

    status: ClassVar[int] = 403


class TooLargeError(InputError):
    """More bytes than the server takes at once."""

    status: ClassVar[int] = 413


def unknown(kind_zh: str, kind_en: str, identifier: str, field: str, list_address: str) -> NotFoundError:
    """Return the refusal of an id that nothing has.

    Parameters
    ----------
    kind_zh, kind_en
        What was looked for, in words: ``指标``, ``indicator``.
    identifier
        The id that was asked for.
    field
        The parameter that carried it.
    list_address
        Where the ids that exist are listed.
    """
    return NotFoundError(
        f"没有编号为“{identifier}”的{kind_zh}；已有的见 {list_address}。",
        f'There is no {kind_en} with the id "{identifier}"; {list_address} lists those that exist.',
        field=field,
    )


def problem(status: int, title: str, zh: str, en: str, **more: Any) -> dict[str, Any]:
    """Return a problem+json object (RFC 9457) for what is no error of Qinglan's own tree."""
    found = {"type": f"urn:qinglan:{title}", "title": title, "status": status, "detail": zh, "zh": zh, "en": en}
    return found | {name: value for name, value in more.items() if value is not None}
