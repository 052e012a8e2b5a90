"""The mapping: a small YAML file that says which column is what, where a file's own names do not say it."""

from __future__ import annotations

import datetime
import re
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from qinglan.core.declare import load_yaml
from qinglan.core.errors import InputError
from qinglan.core.interval import Basis, Grain, Stamp

LayoutName = Literal["auto", "tidy", "national-feed", "water-feed"]
Medium = Literal["air", "water"]

# Text that networks and loggers write where there is no value. -9, -1 and the like are only taken as such for
# factors that cannot be negative (`cleaning`).
SENTINELS: tuple[float, ...] = (-99999, -9999, -999.9, -999, -99.9, -99, -9, -1)

_OFFSET = re.compile(r"(?:UTC)?(?P<sign>[+-])(?P<hours>\d{1,2})(?::?(?P<minutes>\d{2}))?$")
_BEIJING = ("Beijing", "北京", "北京时间", "Asia/Shanghai")


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class Columns(_Part):
    """Which column of the file holds what; `hour` goes with `date` where the two are apart.

    `site` may be several columns, as city and station, where a station's name alone is not its own.
    """

    site: str | tuple[str, ...] | None = None
    time: str | None = None
    date: str | None = None
    hour: str | None = None
    factor: str | None = None
    value: str | None = None
    unit: str | None = None
    qualifier: str | None = None
    flag: str | None = None
    limit: str | None = None

    def by_role(self) -> dict[str, str]:
        """Return role → column of those said; further columns of the site are roles ``site 2``, ``site 3`` …."""
        said: dict[str, str] = {}
        for role in type(self).model_fields:
            columns = getattr(self, role)
            named = [columns] if isinstance(columns, str) else list(columns or ())
            said |= {role if index == 0 else f"{role} {index + 1}": name for index, name in enumerate(named)}
        return said


class Mapping(_Part):
    """What the user says about a file; everything left out is guessed, and the guess reported.

    Attributes
    ----------
    columns
        Role → column name.
    stamp
        Whether an hour's time is its start or its end; must be said for hours.
    units
        Column or factor → unit its numbers are written in.
    sentinels
        Numbers that mean "no value", in the file's own unit.
    factors
        Column name, or text of the factor column → factor.
    sites
        Text of the site column → site id.
    flags
        Text of the flag column → flag id; blank (null) means valid.
    site
        The one site of a file without a site column.
    sheet, header
        The sheet of a workbook, and the row number of the header.
    date
        The day on which the surface-water feed was fetched: its times have no year.
    """

    columns: Columns = Columns()
    layout: LayoutName = "auto"
    stamp: Stamp | None = None
    grain: Grain | None = None
    time_format: str | None = None
    timezone: str = "Beijing"
    units: dict[str, str] = Field(default_factory=dict)
    sentinels: tuple[float, ...] = SENTINELS
    factors: dict[str, str] = Field(default_factory=dict)
    sites: dict[str, str] = Field(default_factory=dict)
    flags: dict[str, str | None] = Field(default_factory=dict)
    site: str | None = None
    sheet: str | None = None
    header: int | None = Field(default=None, ge=1, le=100)
    basis: Basis | None = None
    source: str | None = None
    date: datetime.date | None = None

    @field_validator("units", "factors", mode="before")
    @classmethod
    def _nitric_oxide(cls, given: Any) -> Any:
        # YAML 1.1 reads the bare word NO as "false"; here it can only be nitric oxide.
        if isinstance(given, dict):
            return {_word(key): _word(value) for key, value in given.items()}
        return given

    @field_validator("timezone")
    @classmethod
    def _fixed_offset(cls, given: str) -> str:
        _offset(given)
        return given

    @model_validator(mode="after")
    def _parts_of_time(self) -> Self:
        if self.columns.hour is not None and self.columns.date is None:
            raise ValueError("columns.hour goes with columns.date")
        if self.columns.time is not None and self.columns.date is not None:
            raise ValueError("give columns.time, or columns.date with columns.hour, not both")
        return self

    @property
    def offset(self) -> timedelta:
        """How far the file's clock is ahead of UTC."""
        return _offset(self.timezone)


def _word(given: Any) -> Any:
    return "NO" if given is False else given


def _offset(written: str) -> timedelta:
    if written in _BEIJING:
        return timedelta(hours=8)
    if written.upper() in ("UTC", "Z"):
        return timedelta()
    found = _OFFSET.match(written)
    if found is None:
        raise ValueError(f'"{written}" is no fixed offset: write Beijing, UTC or +08:00')
    size = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    return size if found["sign"] == "+" else -size


def load_mapping(path: Path) -> Mapping:
    """Return the mapping in a YAML file.

    Raises
    ------
    DeclarationError
        If the file cannot be read, or is no YAML mapping.
    InputError
        If a key is unknown or of the wrong form; all faults are named at once.
    """
    content = load_yaml(path)
    try:
        return Mapping.model_validate(content)
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc'])) or path.name}: {fault['msg']}" for fault in error.errors()
        )
        raise InputError(
            f"映射文件 {path.name} 有不符合要求的键：{faults}。可用的键：{'、'.join(Mapping.model_fields)}。",
            f"Mapping {path.name}: {faults}. Known keys: {', '.join(Mapping.model_fields)}.",
            file=path.name,
        ) from error
