"""The devices that may send: what is declared of each one, and the cache that the server asks at every packet."""

from __future__ import annotations

import csv
import io
import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from sqlalchemy import Engine, delete, select

from qinglan.base import dialect as databases
from qinglan.base.engine import reading, transaction
from qinglan.base.schema import device as table
from qinglan.base.schema import meta
from qinglan.core.errors import InputError
from qinglan.core.interval import Grain, Stamp
from qinglan.gateways.hj212.codec import STANDARD, Dialect, Edition

State = Literal["adopted", "quarantined", "blocked"]
Level = Literal["national", "provincial", "city", "enterprise"]

LONGEST_NUMBER: Final = 27
"""Longest device number (MN) taken: 24 by the standard, some devices write a few signs more."""
SIMULATED: Final = "simulated"
SOURCE: Final = "hj212"
_CHANGED: Final = "gateway.devices"
_OWN: Final = frozenset({"created", "changed"})


class Device(BaseModel):
    """One device: who it is, how it speaks, where its values belong.

    Attributes
    ----------
    mn
        The device's number, as it sends it.
    site
        Site of its values; None for its own number.
    sites
        Other sites for some of them: by factor code, by system (ST), or by the code's first letter (``a``, ``w``).
    state
        ``adopted``: its data go into the lake; ``quarantined``: they are kept until it is adopted; ``blocked``: its
        connections are cut.
    level
        Whose station it is; national and provincial ones are never controlled.
    password
        What its packets must carry as PW; None for any.
    addresses
        Networks that it may call from; empty for any.
    units
        Unit that it sends a factor in, where it is not the one of the national table.
    simulated
        Whether its values are made up; they are then kept under the source ``simulated``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True, ignored_types=(cached_property,))

    mn: str = Field(min_length=1, max_length=LONGEST_NUMBER, pattern=r"^[^\s;,=&#\x00-\x1f\x7f]+$")
    title: str = ""
    site: str | None = Field(default=None, max_length=64)
    sites: dict[str, str] = Field(default_factory=dict)
    outlet: str | None = Field(default=None, max_length=64)
    state: State = "adopted"
    level: Level = "enterprise"
    edition: Edition | None = None
    password: str | None = Field(default=None, max_length=64, repr=False)
    addresses: tuple[str, ...] = ()
    checksum: Literal["standard", "modbus", "modbus-swapped"] = "standard"
    layout: Literal["standard", "addressed", "semicolons"] = "standard"
    text: Literal["utf-8", "gbk"] = "utf-8"
    key: str | None = Field(default=None, pattern=r"^[0-9A-Fa-f]{32}$", repr=False)
    limit: int = Field(default=STANDARD.limit, ge=64, le=9999)
    stamp: Stamp = "start"
    minutes: int = Field(default=10, ge=1, le=30)
    units: dict[str, str] = Field(default_factory=dict)
    grains: dict[str, Grain] = Field(default_factory=dict)
    simulated: bool = False
    note: str = ""
    created: datetime | None = None
    changed: datetime | None = None

    @field_validator("addresses")
    @classmethod
    def _networks(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(str(ipaddress.ip_network(one, strict=False)) for one in given)

    @cached_property
    def dialect(self) -> Dialect:
        """How the device speaks."""
        return Dialect(
            edition=self.edition,
            checksum=self.checksum,
            layout=self.layout,
            text=self.text,
            key=bytes.fromhex(self.key) if self.key else None,
            limit=self.limit,
            stamp=self.stamp,
            minutes=self.minutes,
            site=self.site,
            units=self.units,
            grains=self.grains,
        )

    @cached_property
    def _allowed(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        return tuple(ipaddress.ip_network(one) for one in self.addresses)

    def may_call_from(self, address: str) -> bool:
        """Return whether the device's connections may come from an address."""
        return not self._allowed or inside(address, self._allowed)

    @property
    def source(self) -> str:
        """Under which source the lake keeps its values."""
        return SIMULATED if self.simulated else SOURCE


def inside(address: str, networks: Iterable[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    """Return whether an address lies in one of the networks; text that is no address lies in none.

    Examples
    --------
    >>> inside("10.1.2.3", [ipaddress.ip_network("10.0.0.0/8")]), inside("", [])
    (True, False)
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return any((mapped or found) in network for network in networks)


class Devices:
    """All devices as the base has them; `refresh` reads them anew where they have changed.

    Calling it gives a device's dialect, as a `StreamDecoder` asks for it.
    """

    def __init__(self, devices: Iterable[Device] = ()) -> None:
        self.by_number: dict[str, Device] = {one.mn: one for one in devices}
        self._version: str | None = None

    def __call__(self, mn: str) -> Dialect | None:
        """Return how a device speaks, or None where it is not known."""
        found = self.by_number.get(mn)
        return None if found is None else found.dialect

    def get(self, mn: str) -> Device | None:
        """Return a device, or None where it is not declared."""
        return self.by_number.get(mn)

    def refresh(self, engine: Engine) -> bool:
        """Read the devices anew if somebody has changed one since; return whether that was so."""
        version = changes(engine)
        if version == self._version:
            return False
        self.by_number = {one.mn: one for one in all_devices(engine)}
        self._version = version
        return True


def changes(engine: Engine) -> str:
    """Return a text that is another one after each change of a device."""
    with reading(engine) as connection:
        return connection.execute(select(meta.c.value).where(meta.c.key == _CHANGED)).scalar_one_or_none() or "0"


def all_devices(engine: Engine) -> list[Device]:
    """Return all devices, by number."""
    with reading(engine) as connection:
        rows = connection.execute(select(table).order_by(table.c.mn)).mappings().all()
    return [_from_row(row) for row in rows]


def device(engine: Engine, mn: str) -> Device:
    """Return one device.

    Raises
    ------
    InputError
        If there is none of that number.
    """
    with reading(engine) as connection:
        row = connection.execute(select(table).where(table.c.mn == mn)).mappings().one_or_none()
    if row is None:
        raise InputError(
            f"没有设备编号为“{mn}”的设备；用 qinglan gateway devices 查看全部设备。",
            f'There is no device of the number (MN) "{mn}"; qinglan gateway devices lists them.',
            field="mn",
        )
    return _from_row(row)


def save(engine: Engine, devices: Sequence[Device], *, only_new: bool = False) -> int:
    """Write devices; return how many were new or are different now.

    Parameters
    ----------
    only_new
        Leave those that are there as they are.
    """
    with transaction(engine) as connection:
        now = databases.now(connection)
        there = {row["mn"]: _from_row(row) for row in connection.execute(select(table)).mappings()}
        rows = []
        for one in devices:
            before = there.get(one.mn)
            if before is not None and (only_new or _said(before) == _said(one)):
                continue
            rows.append({**_to_row(one), "created": now if before is None else before.created, "changed": now})
        databases.upsert(connection, table, rows)
        if rows:
            _count(connection)
    return len(rows)


def remove(engine: Engine, mn: str) -> None:
    """Forget a device's declaration; what it sent stays. If it sends again it is quarantined.

    Raises
    ------
    InputError
        If there is none of that number.
    """
    device(engine, mn)
    with transaction(engine) as connection:
        connection.execute(delete(table).where(table.c.mn == mn))
        _count(connection)


def _count(connection: Any) -> None:
    found = connection.execute(select(meta.c.value).where(meta.c.key == _CHANGED)).scalar_one_or_none()
    databases.upsert(connection, meta, [{"key": _CHANGED, "value": str(int(found or 0) + 1)}])


_DIALECT: Final = ("checksum", "layout", "text", "key", "limit", "stamp", "minutes", "grains")


def _said(one: Device) -> dict[str, Any]:
    return one.model_dump(exclude=set(_OWN))


def _to_row(one: Device) -> dict[str, Any]:
    values = one.model_dump(exclude=set(_OWN))
    values["addresses"] = list(one.addresses)
    values["dialect"] = {name: values.pop(name) for name in _DIALECT}
    return values


def _from_row(row: Mapping[Any, Any]) -> Device:
    values = dict(row)
    return Device(**(values.pop("dialect") or {}), **values)


def read_declarations(text: str, *, name: str) -> list[Device]:
    r"""Return the devices that a CSV or YAML text declares.

    In CSV, fields of several values are written ``w01018=mg/L; w21003=mg/L`` and lists ``10.0.0.0/8; 192.168.1.7``;
    an empty cell leaves the default.

    Raises
    ------
    InputError
        If a row cannot be read, names an unknown field or a number stands twice; it names row and field.

    Examples
    --------
    >>> [one] = read_declarations("mn,site,units\nA1,P001,w01018=ug/L\n", name="devices.csv")
    >>> one.site, one.units
    ('P001', {'w01018': 'ug/L'})
    """
    rows = _yaml_rows(text, name) if name.lower().endswith((".yaml", ".yml")) else _csv_rows(text)
    found: dict[str, Device] = {}
    for at, row in rows:
        try:
            one = Device.model_validate(row)
        except ValidationError as error:
            fault = error.errors()[0]
            key = ".".join(map(str, fault["loc"]))
            raise InputError(
                f"{name} 第 {at} 行的“{key}”不可用：{fault['msg']}；给出的是 {fault['input']!r}。",
                f'{name}, row {at}: "{key}" is not acceptable: {fault["msg"]}; given was {fault["input"]!r}.',
                file=name,
                row=at,
                field=key,
            ) from error
        if one.mn in found:
            raise InputError(
                f"{name} 第 {at} 行：设备编号“{one.mn}”出现了两次，每台设备只能有一行。",
                f'{name}, row {at}: the number "{one.mn}" stands twice; a device has one row.',
                file=name,
                row=at,
                field="mn",
            )
        found[one.mn] = one
    return list(found.values())


def _csv_rows(text: str) -> list[tuple[int, dict[str, Any]]]:
    rows = []
    for at, row in enumerate(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))), 2):
        kept: dict[str, Any] = {(key or "").strip(): value for key, value in row.items() if value not in ("", None)}
        if not kept:
            continue
        for name in ("sites", "units", "grains"):
            if name in kept:
                pairs = (part.partition("=") for part in kept[name].split(";") if part.strip())
                kept[name] = {key.strip(): value.strip() for key, _, value in pairs}
        if "addresses" in kept:
            kept["addresses"] = [part.strip() for part in kept["addresses"].split(";") if part.strip()]
        rows.append((at, kept))
    return rows


def _yaml_rows(text: str, name: str) -> list[tuple[int, dict[str, Any]]]:
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise InputError(f"{name} 不是 YAML：{error}", f"{name} is no YAML: {error}", file=name) from error
    listed = found.get("devices") if isinstance(found, dict) else found
    if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
        raise InputError(
            f"{name} 应是设备的列表，每台设备有 mn 等字段。",
            f"{name} should be a list of devices, each with mn and further fields.",
            file=name,
        )
    # Numbers of digits alone lose nothing as text only while YAML has not read them as numbers.
    return [(at, {**one, "mn": str(one.get("mn", ""))}) for at, one in enumerate(listed, 1)]
