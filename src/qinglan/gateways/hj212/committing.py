"""The thread that writes a process's packet journal: whatever has come while it wrote is its next group.

It does not wait for the event loop between two groups, so a loop that is busy with thousands of connections does not
hold the journal back, and groups grow with the load by themselves.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, Final, Generic, Protocol, TypeVar

from qinglan.gateways.hj212.segments import Stored
from qinglan.gateways.hj212.writing import SegmentWriter

GATHER_SECONDS: Final = 0.01
"""How long packets wait for others to share one transaction: far below the 50 ms that a group may take."""
GROUP: Final = 20_000
_AFTER_FAILURE: Final = 0.5


class Waiting(Protocol):
    """Something with a packet to store."""

    stored: Stored


Held = TypeVar("Held", bound=Waiting)


class Committer(Generic[Held]):
    """Writes groups in a thread of its own.

    Parameters
    ----------
    writer
        The journal; used by the thread alone.
    gather
        Seconds that the first packet of a group waits for others.
    done
        Called in the event loop with a group, the seconds it took and what failed, or None.
    """

    def __init__(
        self,
        writer: SegmentWriter,
        gather: float,
        done: Callable[[list[Held], float, Exception | None], None],
    ) -> None:
        self.writer = writer
        self.gather = gather
        self._done = done
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[Held | _Task] = SimpleQueue()
        self.put: Callable[[Held], None] = self._queue.put
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    def call(self, work: Callable[[], None]) -> asyncio.Future[None]:
        """Do something between two groups, in the thread; the result is awaited in the event loop."""
        task = _Task(work, self._loop.create_future())
        self._queue.put(task)
        return task.future

    async def close(self) -> None:
        """Write what waits, close the journal and end the thread."""
        try:
            await self.call(self.writer.close)
        finally:
            self._queue.put(_Task(None, self._loop.create_future()))
            await self._loop.run_in_executor(None, self._thread.join)

    def _run(self) -> None:
        following: Held | _Task | None = None
        while True:
            item = self._queue.get() if following is None else following
            following = None
            if isinstance(item, _Task):
                if item.work is None:
                    return
                self._do(item.work, item.future)
                continue
            time.sleep(self.gather)
            group = [item]
            while len(group) < GROUP:
                try:
                    further = self._queue.get_nowait()
                except Empty:
                    break
                if isinstance(further, _Task):
                    following = further
                    break
                group.append(further)
            self._write(group)

    def _write(self, group: list[Held]) -> None:
        begun = time.perf_counter()
        failed: Exception | None = None
        try:
            self.writer.append([one.stored for one in group])
        except Exception as error:
            failed = error
        self._tell(self._done, group, time.perf_counter() - begun, failed)
        if failed is not None:
            # A journal that fails is asked again a little later, not at once and for ever.
            time.sleep(_AFTER_FAILURE)

    def _do(self, work: Callable[[], None], future: asyncio.Future[None]) -> None:
        try:
            work()
        except Exception as error:
            self._tell(_fail, future, error)
        else:
            self._tell(_succeed, future)

    def _tell(self, call: Callable[..., None], *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:
            # The loop is closed: nobody waits for an answer any more, and what was written is written.
            return


@dataclass(frozen=True, eq=False)
class _Task:
    """Work for the thread; without any, the thread ends."""

    work: Callable[[], None] | None
    future: asyncio.Future[None]


def _fail(future: asyncio.Future[None], error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _succeed(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
