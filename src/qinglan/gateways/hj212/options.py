"""How a gateway is served, and what its processes tell each other and the outside: small status files."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from qinglan.base.settings import Settings
from qinglan.core.errors import InputError
from qinglan.gateways.hj212.counting import read_status
from qinglan.gateways.hj212.health import RESERVE_BYTES
from qinglan.gateways.hj212.limits import Limits
from qinglan.gateways.hj212.links import Listener

if TYPE_CHECKING:
    from qinglan.gateways.hj212.receiving import Receiver

PORT: Final = 9212
TAKER: Final = "taker"
"""The name of the process that takes what the others have stored."""

ListenerFactory = Callable[["Receiving"], Listener]
"""Makes a part that converses with devices; called once in each receiving process, in its event loop."""


@dataclass(frozen=True)
class Options:
    """How a gateway is served.

    Attributes
    ----------
    processes
        That receive; a further one takes what they stored.
    certificate, key
        Files of TLS; without them connections are plain, as the standard knows them.
    listeners
        ``module:name`` of `ListenerFactory` functions.
    """

    settings: Settings
    host: str = "0.0.0.0"
    port: int = PORT
    processes: int = 1
    certificate: Path | None = None
    key: Path | None = None
    limits: Limits = field(default_factory=Limits)
    reserve: int = RESERVE_BYTES
    drain_seconds: float = 5.0
    listeners: tuple[str, ...] = ()
    log_json: bool | None = None


@dataclass
class Receiving:
    """One receiving process, as its listeners see it."""

    number: int
    options: Options
    receiver: Receiver


def status_folder(settings: Settings) -> Path:
    """Return the folder of the status files that the processes write every two seconds."""
    return settings.files / "gateway" / "status"


def statuses(settings: Settings) -> list[dict[str, Any]]:
    """Return what the processes of a gateway say of themselves; `stale` where one has not said anything for long."""
    found = [read_status(path) for path in sorted(status_folder(settings).glob("*.json"))]
    now = time.time()
    return [{**one, "stale": now - float(one.get("at", 0)) > 15} for one in found if one is not None]


def addresses(texts: Sequence[str]) -> tuple[Any, ...]:
    """Return networks of texts such as ``10.0.0.0/8``.

    Raises
    ------
    InputError
        If one is no address.
    """
    import ipaddress

    found = []
    for text in texts:
        try:
            found.append(ipaddress.ip_network(text, strict=False))
        except ValueError as error:
            raise InputError(
                f"“{text}”不是 IP 地址或网段，应如 10.0.0.0/8。",
                f'"{text}" is no address or network; it should be like 10.0.0.0/8.',
                field="allow",
            ) from error
    return tuple(found)
