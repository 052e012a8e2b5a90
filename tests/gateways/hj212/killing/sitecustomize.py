"""Read by each process of the gateway that a kill test starts: what the test takes away, or where it makes it die.

``QINGLAN_KILL_TEST`` names one of them; without it nothing is changed.

answer_first
    Answers leave before the packet is durable. A killed process keeps what it has written, as only a loss of power
    would take away what was not synchronised: so this stands for a journal without fsync.
die_after_commit, no_transaction_die_after_commit
    The process group dies once, right after a commit of the lake, before anything else is written down; with
    ``no_transaction`` the lake does not hold the journal's offset, but a file that is written afterwards.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

_WAY = os.environ.get("QINGLAN_KILL_TEST", "")
_SPAWNED = "--multiprocessing-fork" in sys.argv or "multiprocessing.spawn" in " ".join(sys.orig_argv)


def _answer_first() -> None:
    from qinglan.gateways.hj212.receiving import Receiver

    keep = Receiver._keep

    def kept(self: Receiver, pending: object) -> None:
        self.committer.gather = 0.5
        self._answer(pending.lines[0], pending.packet, pending.device)
        pending.lines.clear()
        keep(self, pending)

    Receiver._keep = kept


def _die_after_commit(place: Path) -> None:
    from qinglan.observations.tables import Version

    append = Version.append
    commits = 0

    def dying(self: Version, frame: object, transactions: list[tuple[str, int]]) -> None:
        nonlocal commits
        append(self, frame, transactions)
        commits += 1
        died = place / "died"
        if commits >= 3 and not died.exists():
            died.write_text("once")
            os.killpg(os.getpgid(0), signal.SIGKILL)

    Version.append = dying


def _no_transaction(place: Path) -> None:
    from qinglan.observations.tables import Version

    append, transaction = Version.append, Version.transaction
    marker = place / "marker"

    def marked(self: Version, frame: object, transactions: list[tuple[str, int]]) -> None:
        append(self, frame, [])
        beside = marker.with_suffix(".new")
        beside.write_text(str(transactions[0][1]))
        beside.replace(marker)

    def read(self: Version, app: str) -> int:
        if app.startswith("watermark:"):
            return transaction(self, app)
        return int(marker.read_text()) if marker.exists() else 0

    Version.transaction = read
    # The one that dies is called inside, between the commit and its marker.
    _die_after_commit(place)
    append = Version.append
    Version.append = marked


if _WAY and _SPAWNED:
    if _WAY == "answer_first":
        _answer_first()
    elif _WAY == "die_after_commit":
        _die_after_commit(Path(os.environ["QINGLAN_KILL_PLACE"]))
    elif _WAY == "no_transaction_die_after_commit":
        _no_transaction(Path(os.environ["QINGLAN_KILL_PLACE"]))
