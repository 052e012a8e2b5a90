"""The gateway's processes: some receive on one port, one takes what they stored, one looks after them all."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
import signal
import socket
import ssl
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
from filelock import FileLock, Timeout

from qinglan.base.database import open_base
from qinglan.base.engine import open_engine
from qinglan.base.settings import Settings
from qinglan.core.errors import BusyError, InputError, QinglanError, StorageError
from qinglan.gateways.hj212.counting import read_status, write_status
from qinglan.gateways.hj212.devices import Devices
from qinglan.gateways.hj212.health import RESERVE_BYTES, ClockWatch, look_at_clock, look_at_space
from qinglan.gateways.hj212.limits import Limits
from qinglan.gateways.hj212.links import Listener
from qinglan.gateways.hj212.receiving import Receiver
from qinglan.gateways.hj212.segments import FOLDER, Segment, SegmentWriter, segments
from qinglan.gateways.hj212.taking import Taker, plain_ailments

if TYPE_CHECKING:
    from multiprocessing.process import BaseProcess

log = structlog.get_logger("qinglan.gateway")

PORT: Final = 9212
_BACKLOG: Final = 4096
_TAKER: Final = "taker"
_STATUS_SECONDS: Final = 2.0
_DEVICES_SECONDS: Final = 2.0
_LINES_SECONDS: Final = 2.0
_LISTED_LINES: Final = 20_000
_STOP_SECONDS: Final = 30.0

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


def listen(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address that several processes may listen on.

    Raises
    ------
    BusyError
        If another program holds the port.
    InputError
        If the address is none of this machine.
    """
    found = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        found.bind((host, port))
    except OSError as error:
        found.close()
        if error.errno in {98, 13}:
            raise BusyError(
                f"端口 {port} 已被占用或不许使用：请用 --port 另选一个，或先停止占用它的程序。",
                f"Port {port} is taken or may not be used: choose another with --port, or stop what holds it.",
                field="port",
            ) from error
        raise InputError(
            f"无法在 {host} 上监听：{error.strerror}；请用 --host 写明本机的地址。",
            f"Cannot listen on {host}: {error.strerror}; name an address of this machine with --host.",
            field="host",
        ) from error
    return found


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
        folder = status_folder(settings)
        folder.mkdir(parents=True, exist_ok=True)
        for path in folder.glob("*.json"):
            path.unlink()
        close_left_over(settings)
        self._held = listen(self.options.host, self.options.port)
        self.port = self._held.getsockname()[1]
        self._start(_TAKER)
        for number in range(self.options.processes):
            self._start(str(number))

    def _start(self, name: str) -> None:
        arguments = (self.options, self.port, name, os.getpid())
        target = _take if name == _TAKER else _receive
        child = self._context.Process(target=target, args=arguments, name=f"qinglan-gateway-{name}", daemon=True)
        child.start()
        self._children[name] = child

    def ready(self, wait: float = 60.0) -> bool:
        """Wait until all processes listen; return whether they do."""
        until = time.monotonic() + wait
        wanted = {child.pid for name, child in self._children.items() if name != _TAKER}
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
        for names in ([name for name in self._children if name != _TAKER], [_TAKER]):
            for name in names:
                if (child := self._children.get(name)) is not None and child.is_alive() and child.pid is not None:
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(child.pid, signal.SIGTERM)
            for name in names:
                if (child := self._children.get(name)) is not None:
                    child.join(_STOP_SECONDS)
                    if child.is_alive():
                        child.kill()
        self._held.close()
        for path in status_folder(self.options.settings).glob("*.json"):
            path.unlink(missing_ok=True)
        self._lock.release()

    def request_stop(self) -> None:
        """End `watch`; for a signal's handler."""
        self._stopping = True


def close_left_over(settings: Settings) -> None:
    """Close the segments of processes that are gone; the caller holds the gateway's lock."""
    for path in segments(settings.journals / FOLDER):
        try:
            with Segment(path) as segment:
                segment.mark_closed()
        except StorageError as error:
            # The taker says so, and goes on saying so until it is cured.
            log.error("segment_not_closed", segment=path.name, zh=error.zh, en=error.en)


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
    for end in ("-wal", "-shm"):
        beside = path.with_name(path.name + end)
        if beside.exists():
            beside.rename(target.with_name(target.name + end))
    return path.rename(target)


def _configure(options: Options, name: str) -> None:
    import logging

    processors: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=False),
        structlog.processors.format_exc_info,
    ]
    plain = options.log_json if options.log_json is not None else not sys.stderr.isatty()
    last = structlog.processors.JSONRenderer(ensure_ascii=False) if plain else structlog.dev.ConsoleRenderer()
    structlog.configure(
        processors=[*processors, last],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
    structlog.contextvars.bind_contextvars(process=name)


class _Stop:
    """Whether a process is asked to end: by a signal, or because the one that started it is gone."""

    def __init__(self, parent: int) -> None:
        self._parent = parent
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _ask(self, *_: object) -> None:
        self.asked = True

    @property
    def going(self) -> bool:
        return not self.asked and os.getppid() == self._parent


def _take(options: Options, _port: int, name: str, parent: int) -> None:
    _configure(options, name)
    stop = _Stop(parent)
    engine = open_engine(options.settings)
    taker = Taker(options.settings, engine, drain_seconds=options.drain_seconds)
    path = status_folder(options.settings) / f"{name}.json"

    def said(found: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            write_status(path, found)

    taker.run(lambda: stop.going, said)
    taker.marks.close()
    engine.dispose()


def _receive(options: Options, port: int, name: str, parent: int) -> None:
    _configure(options, name)
    stop = _Stop(parent)
    _raise_file_limit()
    if sys.platform != "win32":
        try:
            import uvloop
        except ImportError:
            asyncio.run(_received(options, port, int(name), stop))
        else:
            uvloop.run(_received(options, port, int(name), stop))


async def _received(options: Options, port: int, number: int, stop: _Stop) -> None:
    settings = options.settings
    engine = open_engine(settings)
    devices = Devices()
    writer = SegmentWriter(settings.journals / FOLDER, number)
    writer.folder.mkdir(parents=True, exist_ok=True)
    receiver = Receiver(devices, writer, limits=options.limits)
    receiving = Receiving(number, options, receiver)
    devices.refresh(engine)
    receiver.remember(_left_keys(writer.folder))
    for where in options.listeners:
        receiver.links.listeners.append(_named(where)(receiving))
    loop = asyncio.get_running_loop()
    held = listen(options.host, port)
    server = await loop.create_server(receiver.line, sock=held, ssl=_tls(options), backlog=_BACKLOG)
    watch = ClockWatch()
    due = dict.fromkeys(("status", "devices", "lines"), 0.0)
    path = status_folder(settings) / f"{number}.json"
    began = time.time()
    while stop.going:
        now = time.monotonic()
        look_at_clock(receiver.health, watch)
        look_at_space(receiver.health, writer.folder, options.reserve)
        _hear_taker(receiver, settings)
        await receiver.probe()
        await receiver.rotate()
        if now >= due["devices"]:
            due["devices"] = now + _DEVICES_SECONDS
            await _refresh(receiver, engine)
        if now >= due["lines"]:
            due["lines"] = now + _LINES_SECONDS
            receiver.look_after_lines()
        if now >= due["status"]:
            due["status"] = now + _STATUS_SECONDS
            with contextlib.suppress(OSError):
                write_status(path, _status(receiver, number, began))
        await asyncio.sleep(0.5)
    server.close()
    await receiver.close()
    with contextlib.suppress(OSError):
        write_status(path, _status(receiver, number, began))
    engine.dispose()


async def _refresh(receiver: Receiver, engine: Any) -> None:
    try:
        changed = await asyncio.get_running_loop().run_in_executor(None, receiver.devices.refresh, engine)
    except QinglanError as error:
        # The devices known so far go on being served.
        log.warning("devices_not_read", zh=error.zh, en=error.en)
        return
    if changed:
        receiver.follow_devices()


def _hear_taker(receiver: Receiver, settings: Settings) -> None:
    """Do not acknowledge what could not go on from the journal."""
    found = read_status(status_folder(settings) / f"{_TAKER}.json") or {}
    ailments = found.get("ailments", {})
    for cause, names in (("lake", ("lake", "journal")), ("damaged", ("damaged",))):
        said = next((ailments[name] for name in names if name in ailments), None)
        if said is None:
            receiver.health.cured(cause)  # type: ignore[arg-type]
        else:
            receiver.health.fails(cause, said["zh"], said["en"])  # type: ignore[arg-type]


def _status(receiver: Receiver, number: int, began: float) -> dict[str, Any]:
    lines = list(receiver.lines)
    return {
        "process": number,
        "pid": os.getpid(),
        "at": time.time(),
        "began": began,
        "connections": len(lines),
        "devices": len(receiver.links),
        "acknowledging": receiver.health.well,
        "ailments": plain_ailments(receiver.health),
        "counts": receiver.counts.plain(),
        "lines": [
            {
                "address": line.address,
                "since": line.since.isoformat(),
                "devices": list(line.numbers)[:20],
                "packets": line.packets,
            }
            for line in lines[:_LISTED_LINES]
        ],
    }


def _left_keys(folder: Path) -> list[bytes]:
    """Return the keys of packets in the segments that are there, the newest last."""
    keys: list[bytes] = []
    for path in segments(folder):
        try:
            with Segment(path) as segment:
                keys.extend(packet.key for group in segment.groups(0, 1 << 62) for packet in group.packets)
        except StorageError:
            continue
        keys = keys[-400_000:]
    return keys


def _named(where: str) -> ListenerFactory:
    from importlib import import_module

    module, _, name = where.partition(":")
    found: ListenerFactory = getattr(import_module(module), name)
    return found


def _tls(options: Options) -> ssl.SSLContext | None:
    if options.certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(options.certificate, options.key)
    return context


def _raise_file_limit() -> None:
    """Ask for as many open files as the system allows: each connection is one."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


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
