"""Packets that were kept, read again by what is declared now: after an adoption, or a corrected declaration."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import polars as pl
from sqlalchemy import Engine

from qinglan.base.settings import Settings
from qinglan.core.errors import InputError
from qinglan.gateways.hj212 import archive
from qinglan.gateways.hj212.codec import decode
from qinglan.gateways.hj212.converting import Converter, unusable_units
from qinglan.gateways.hj212.devices import Device, Devices, all_devices, device, save
from qinglan.gateways.hj212.judging import refusal
from qinglan.gateways.hj212.states import write_events
from qinglan.observations.journal import Receipt
from qinglan.observations.lake import Lake

_ROWS: Final = 200_000


def declare(engine: Engine, devices: Sequence[Device]) -> int:
    """Write devices after a check of what their declarations say together; return how many are new or different.

    Raises
    ------
    InputError
        If a unit cannot be converted to the factor's.
    """
    for one in devices:
        for code, given, wanted in unusable_units(one):
            raise InputError(
                f"设备 {one.mn} 的因子 {code} 单位“{given}”不能换算为“{wanted}”；请改用同类的单位。",
                f'Device {one.mn}: the unit "{given}" of factor {code} cannot be converted to "{wanted}"; use one of'
                " the same kind.",
                field="units",
            )
    return save(engine, devices)


def adopt(engine: Engine, mn: str, *, site: str | None = None, title: str | None = None) -> Device:
    """Take a device out of quarantine, or unblock it; return its declaration.

    Raises
    ------
    InputError
        If no device of that number is known.
    """
    before = device(engine, mn)
    changes: dict[str, object] = {"state": "adopted"}
    if site is not None:
        changes["site"] = site
    if title is not None:
        changes["title"] = title
    adopted = Device.model_validate({**before.model_dump(), **changes})
    save(engine, [adopted])
    return adopted


def replay(
    settings: Settings,
    engine: Engine,
    lake: Lake,
    mn: str,
    *,
    start: datetime | None = None,
    end: datetime | None = None,
) -> tuple[int, Receipt]:
    """Take all kept packets of a device, or those received in a period, as it is declared now.

    What the lake knows already is repeated there; a packet that is accepted only now comes in, and one that says
    something else by the new declaration becomes a new revision.

    Returns
    -------
    tuple
        How many packets were taken, and what became of their observations.

    Raises
    ------
    InputError
        If the device is not known or not adopted.
    """
    one = device(engine, mn)
    if one.state != "adopted":
        raise InputError(
            f"设备 {mn} 尚未接入（{one.state}），其数据不能入库；请先运行 qinglan gateway adopt {mn}。",
            f"Device {mn} is {one.state}: its data cannot go into the lake; run qinglan gateway adopt {mn} first.",
            field="mn",
        )
    devices = Devices(all_devices(engine))
    found = archive.search(settings, start=start, end=end, mn=mn, devices=devices)
    converter = Converter(devices)
    taken, receipt = 0, Receipt()
    for raw, received, address in found.select("raw", pl.col("received").dt.epoch("us"), "address").iter_rows():
        packet = decode(raw, dialects=devices)
        if refusal(packet, one, address) is not None:
            continue
        converter.convert(packet, one, received)
        taken += 1
        if converter.observations >= _ROWS:
            receipt += _submit(lake, converter)
    receipt += _submit(lake, converter)
    if converter.events:
        write_events(engine, converter.events)
    return taken, receipt


def _submit(lake: Lake, converter: Converter) -> Receipt:
    total = Receipt()
    converter.observations = 0
    for frame, source in converter.frames():
        total += lake.submit(frame, source=source)
    return total
