"""Runs a fleet in this process, or spread over several."""

from __future__ import annotations

import asyncio
import multiprocessing
import sys
from collections.abc import Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from qinglan.core.errors import InputError
from qinglan.gateways.hj212.simulate.fleet import Fleet
from qinglan.gateways.hj212.simulate.settings import Settings, loopback_address
from qinglan.gateways.hj212.simulate.statistics import Counts, Summary

_OTHER_FILES: Final = 100
_BUFFER: Final = 1 << 16


def run(settings: Settings) -> Summary:
    """Run a fleet until its time is over, and return what it did.

    Raises
    ------
    InputError
        If the address is another machine's and `really` is not said, the record cannot be written, or the system
        allows fewer open connections than there are devices.
    """
    address = loopback_address(settings.host, settings.port, really=settings.really)
    _allow_connections(-(-settings.devices // settings.processes))
    if settings.record is not None:
        _writable(settings.record)
    if settings.processes == 1:
        return Summary.of(_run_one(settings, address, settings.record), settings.devices)
    return Summary.of(_run_several(settings, address), settings.devices)


def _run_one(settings: Settings, address: str, record: Path | None) -> Counts:
    if record is None:
        return _loop(Fleet(settings, address).run())
    with record.open("w", encoding="utf-8", buffering=_BUFFER) as lines:
        return _loop(Fleet(settings, address, lines).run())


def _loop(work: Coroutine[Any, Any, Counts]) -> Counts:
    if sys.platform == "win32":
        return asyncio.run(work)
    import uvloop

    return uvloop.run(work)


def _run_several(settings: Settings, address: str) -> Counts:
    parts = _parts(settings)
    spawn = multiprocessing.get_context("spawn")
    with spawn.Pool(len(parts)) as pool:
        found = pool.starmap(_run_one, [(part, address, part.record) for part in parts])
    total = Counts()
    for counts in found:
        total.add(counts)
    if settings.record is not None:
        _joined(settings.record, [part.record for part in parts if part.record is not None])
    return total


def _parts(settings: Settings) -> list[Settings]:
    number, parts, first = settings.processes, [], settings.first
    for place in range(number):
        devices = settings.devices // number + (place < settings.devices % number)
        share = devices / settings.devices
        parts.append(
            replace(
                settings,
                devices=devices,
                first=first,
                rate=settings.packets_per_second * share,
                burst=None if settings.burst is None else max(1, round(settings.burst * share)),
                record=None if settings.record is None else settings.record.with_suffix(f".{place}.part"),
                processes=1,
            )
        )
        first += devices
    return parts


def _joined(record: Path, parts: list[Path]) -> None:
    with record.open("wb") as whole:
        for part in parts:
            with part.open("rb") as lines:
                while block := lines.read(1 << 20):
                    whole.write(block)
            part.unlink()


def _writable(record: Path) -> None:
    try:
        record.open("w").close()
    except OSError as error:
        raise InputError(
            f"文件 {record} 写不进：{error.strerror}。",
            f"The file {record} cannot be written: {error.strerror}.",
            file=str(record),
            field="--record",
        ) from error


def _allow_connections(devices: int) -> None:
    if sys.platform == "win32":
        return
    import resource

    needed = devices + _OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft >= needed:
        return
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise InputError(
            f"系统只允许打开 {hard} 个连接，{devices} 台设备需要 {needed} 个：请提高 ulimit -n 或用 --processes。",
            f"The system allows {hard} open connections; {devices} devices need {needed}: raise ulimit -n, or spread "
            "them with --processes.",
            field="--devices",
        )
    resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))
