"""The gateway's processes: some receive on one port, one takes what they stored, one looks after them all."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import structlog
from filelock import FileLock, Timeout

from qinglan.base.database import open_base
from qinglan.base.settings import Settings
from qinglan.core.errors import BusyError, InputError
from qinglan.gateways.hj212.listening import listen
from qinglan.gateways.hj212.options import TAKER, Options, status_folder, statuses
from qinglan.gateways.hj212.processes import close_left_over, held, receive, take
from qinglan.gateways.hj212.segments import FOLDER, segments

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

log = structlog.get_logger("qinglan.gateway")

_STOP_SECONDS: Final = 30.0


class Gateway:
    """All processes of a gateway, from this one.

    Parameters
    ----------
    options
        How to serve.
    """

    def __init__(self, options: Options) -> None:
        self.options = options
        self._context = multiprocessing.get_context("spawn")
        self._children: dict[str, BaseProcess] = {}
        self._lock = FileLock(options.settings.locks / "gateway.lock")
        self._stopping = False
        self.port = options.port

    def start(self) -> None:
        """Prepare the home folder and start the processes.

        Raises
        ------
        BusyError
            If another gateway serves the same home folder, or the port is taken.
        StorageError
            If the home folder cannot be written.
        """
        settings = self.options.settings
        open_base(settings).dispose()
        try:
            self._lock.acquire(timeout=0)
        except Timeout as error:
            raise BusyError(
                f"数据目录 {settings.home} 已有一个网关在运行。",
                f"A gateway is serving the home folder {settings.home} already.",
                file=str(settings.home),
            ) from error
        try:
            self._prepare()
        except BaseException:
            self._lock.release()
            raise
        self._start(TAKER)
        for number in range(self.options.processes):
            self._start(str(number))

    def _prepare(self) -> None:
        settings = self.options.settings
        # Those of a gateway that was killed end within a second; until then they may still write.
        for path in settings.locks.glob("gateway-*.lock"):
            with held(path):
                pass
        folder = status_folder(settings)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.json"):
            path.unlink()
        close_left_over(settings)
        self._socket = listen(self.options.host, self.options.port)
        self.port = self._socket.getsockname()[1]

    def _start(self, name: str) -> None:
        arguments = (self.options, self.port, name, os.getpid())
        target = take if name == TAKER else receive
        child = self._context.Process(target=target, args=arguments, name=f"qinglan-gateway-{name}", daemon=True)
        child.start()
        self._children[name] = child

    def ready(self, wait: float = 60.0) -> bool:
        """Wait until all processes listen; return whether they do."""
        until = time.monotonic() + wait
        wanted = {child.pid for name, child in self._children.items() if name != TAKER}
        while time.monotonic() < until:
            if wanted <= {one.get("pid") for one in statuses(self.options.settings)}:
                return True
            if not all(child.is_alive() for child in self._children.values()):
                return False
            time.sleep(0.05)
        return False

    def watch(self) -> None:
        """Look after the processes until `stop`: one that dies is started again."""
        restarts = 0.0
        while not self._stopping:
            for name, child in list(self._children.items()):
                if child.is_alive() or self._stopping:
                    continue
                log.error("process_died", process=name, code=child.exitcode)
                restarts = min(restarts + 1.0, 10.0)
                time.sleep(restarts)
                self._start(name)
            restarts = max(restarts - 0.01, 0.0)
            time.sleep(0.5)

    def stop(self) -> None:
        """Let the receivers write what they have and the taker take it, then end."""
        self._stopping = True
        for names in ([name for name in self._children if name != TAKER], [TAKER]):
            for name in names:
                if (child := self._children.get(name)) is not None and child.is_alive() and child.pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child.pid, signal.SIGTERM)
            for name in names:
                if (child := self._children.get(name)) is not None:
                    child.join(_STOP_SECONDS)
                    if child.is_alive():
                        child.kill()
        self._socket.close()
        for path in status_folder(self.options.settings).glob("*.json"):
            path.unlink(missing_ok=True)
        self._lock.release()

    def request_stop(self) -> None:
        """End `watch`; for a signal's handler."""
        self._stopping = True


def set_aside(settings: Settings, name: str) -> Path:
    """Rename a damaged segment, so that the gateway goes on without it; return its new name.

    Raises
    ------
    InputError
        If there is no such segment.
    """
    folder = settings.journals / FOLDER
    found = {path.name: path for path in segments(folder)}
    path = found.get(name) or found.get(f"{name}.sqlite")
    if path is None:
        raise InputError(
            f"没有报文日志“{name}”；现有：{'、'.join(found) or '无'}。",
            f'There is no packet journal "{name}"; there are: {", ".join(found) or "none"}.',
            field="segment",
        )
    target = path.with_name(path.name + ".damaged")
    for beside in path.parent.glob(f"{path.stem}.*"):
        if beside != path:
            beside.rename(beside.with_name(beside.name.replace(path.name, target.name)))
    return path.rename(target)
