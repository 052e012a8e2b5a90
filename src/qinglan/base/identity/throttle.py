"""How often one address may fail, remembered in bounded memory."""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict, deque
from datetime import datetime, timedelta


class Throttle:
    """Count failures by address; what is oldest is forgotten first.

    Parameters
    ----------
    most
        How many failures an address may have within `window`.
    remembered
        How many addresses are kept.
    """

    def __init__(self, most: int, window: timedelta, remembered: int) -> None:
        self._most = most
        self._window = window
        self._remembered = remembered
        self._failures: OrderedDict[str, deque[datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._failures)

    def stopped(self, address: str, now: datetime) -> bool:
        """Return whether an address has failed too often lately."""
        with self._lock:
            return len(self._lately(network(address), now)) >= self._most

    def failed(self, address: str, now: datetime) -> None:
        """Count a failure."""
        key = network(address)
        with self._lock:
            lately = self._lately(key, now)
            lately.append(now)
            self._failures[key] = lately
            self._failures.move_to_end(key)
            while len(self._failures) > self._remembered:
                self._failures.popitem(last=False)

    def _lately(self, key: str, now: datetime) -> deque[datetime]:
        found = self._failures.get(key) or deque(maxlen=self._most)
        while found and now - found[0] > self._window:
            found.popleft()
        return found


def network(address: str) -> str:
    """Return what counts as one address: an IPv6 host has a whole /64 to itself.

    Examples
    --------
    >>> network("192.0.2.7"), network("2001:db8::1"), network("testclient")
    ('192.0.2.7', '2001:db8::/64', 'testclient')
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, 64), strict=False))
