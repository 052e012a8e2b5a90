"""What runs inside each process of the gateway."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import ssl
import sys
import time
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import structlog
from filelock import FileLock, Timeout
from sqlalchemy import Engine

from qinglan.base.engine import open_engine
from qinglan.base.settings import Settings
from qinglan.core.errors import BusyError, QinglanError, StorageError
from qinglan.gateways.hj212.counting import read_status, write_status
from qinglan.gateways.hj212.devices import Devices
from qinglan.gateways.hj212.health import ClockWatch, look_at_clock, look_at_space
from qinglan.gateways.hj212.listening import listen
from qinglan.gateways.hj212.options import TAKER, ListenerFactory, Options, Receiving, status_folder
from qinglan.gateways.hj212.receiving import REMEMBERED, Receiver
from qinglan.gateways.hj212.segments import FOLDER, Segment, segments
from qinglan.gateways.hj212.writing import SegmentWriter

log = structlog.get_logger("qinglan.gateway")

_BACKLOG: Final = 4096
_STATUS_SECONDS: Final = 2.0
_DEVICES_SECONDS: Final = 2.0
_LINES_SECONDS: Final = 2.0
_LISTED_LINES: Final = 20_000
_STOP_SECONDS: Final = 30.0


def close_left_over(settings: Settings, process: str | None = None) -> None:
    """Close the segments of processes that are gone, or of the one of a number; the caller holds their locks."""
    for path in segments(settings.journals / FOLDER):
        if process is not None and path.stem.partition("-")[0] != process:
            continue
        try:
            with Segment(path) as segment:
                segment.mark_closed()
        except StorageError as error:
            # The taker says so, and goes on saying so until it is cured.
            log.error("segment_not_closed", segment=path.name, zh=error.zh, en=error.en)


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
        signal.signal(signal.SIGTERM, self._ask)
        # Control-C reaches all processes of a terminal; the first one tells the others when to end.
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def _ask(self, *_: object) -> None:
        self.asked = True

    @property
    def going(self) -> bool:
        return not self.asked and os.getppid() == self._parent


@contextlib.contextmanager
def held(path: Path) -> Iterator[None]:
    """Hold the lock of one process; the kernel frees it when the process dies."""
    lock = FileLock(path)
    try:
        lock.acquire(timeout=_STOP_SECONDS)
    except Timeout as error:
        raise BusyError(
            f"上一个网关的进程还没有结束（{path.name}），请稍后再启动。",
            f"A process of the last gateway has not ended yet ({path.name}); start again in a moment.",
            file=str(path),
        ) from error
    try:
        yield
    finally:
        lock.release()


def take(options: Options, _port: int, name: str, parent: int) -> None:
    """Take what the others store, until the one that started this process ends it."""
    _configure(options, name)
    stop = _Stop(parent)
    # Those who answer devices come first.
    os.nice(5)
    with held(options.settings.locks / f"gateway-{name}.lock"):
        _take_until(options, name, stop)


def _take_until(options: Options, name: str, stop: _Stop) -> None:
    # The receivers do without the lake and what it needs.
    from qinglan.gateways.hj212.taking import Taker

    engine = open_engine(options.settings)
    taker = Taker(options.settings, engine, drain_seconds=options.drain_seconds)
    path = status_folder(options.settings) / f"{name}.json"

    def said(found: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):
            write_status(path, found)

    taker.run(lambda: stop.going, said)
    taker.marks.close()
    engine.dispose()


def receive(options: Options, port: int, name: str, parent: int) -> None:
    """Receive on the port, until the one that started this process ends it."""
    _configure(options, name)
    stop = _Stop(parent)
    _raise_file_limit()
    with held(options.settings.locks / f"gateway-{name}.lock"):
        close_left_over(options.settings, name)
        # Thousands of lasting connections and devices are no garbage, and looking through them takes long.
        gc.set_threshold(50_000, 50, 100)
        with asyncio.Runner(loop_factory=_loop) as runner:
            runner.run(_received(options, port, int(name), stop))


def _loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


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
    listening = listen(options.host, port)
    server = await loop.create_server(receiver.line, sock=listening, ssl=_tls(options), backlog=_BACKLOG)
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


async def _refresh(receiver: Receiver, engine: Engine) -> None:
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
    found = read_status(status_folder(settings) / f"{TAKER}.json") or {}
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
        "ailments": receiver.health.plain(),
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
        keys = keys[-REMEMBERED:]
    return keys


def _named(where: str) -> ListenerFactory:
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
