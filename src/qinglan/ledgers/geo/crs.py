"""Reference systems: what is kept is longitude and latitude of CGCS2000 / WGS-84, what comes in is converted when said.

GCJ-02 is the shifted system of published Chinese maps, BD-09 that of Baidu on top of it. Neither has an exact inverse;
the inverse here is iterated until the forward shift gives the point back to a millimetre.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import numpy as np
import pyproj
import shapely
from numpy.typing import NDArray
from pyproj.exceptions import CRSError
from shapely.geometry.base import BaseGeometry

from qinglan.core.errors import InputError

KEPT: Final = frozenset({"wgs84", "cgcs2000", "epsg:4326", "epsg:4490"})
# CGCS2000 and WGS-84 differ by centimetres, less than any of these shapes is drawn to.
_EPSG = re.compile(r"epsg:(\d{4,6})")
_RADIUS: Final = 6_378_245.0
_ECCENTRICITY: Final = 0.00669342162296594323
_BAIDU: Final = np.pi * 3000.0 / 180.0
_ROUNDS: Final = 12
Points = NDArray[np.float64]


def to_kept(shape: BaseGeometry, crs: str) -> BaseGeometry:
    """Return a shape in longitude and latitude.

    Parameters
    ----------
    crs
        ``wgs84``, ``cgcs2000``, ``gcj02``, ``bd09`` or ``epsg:N`` (Gauss-Krueger zones among them).

    Raises
    ------
    InputError
        If the system is not known, or the shape does not lie in it.

    Examples
    --------
    >>> moved = to_kept(shapely.Point(120.842, 40.716), "gcj02")
    >>> 300 < pyproj.Geod(ellps="WGS84").inv(120.842, 40.716, moved.x, moved.y)[2] < 800
    True
    """
    convert = converter(crs)
    if convert is None:
        return shape
    try:
        found: BaseGeometry = shapely.transform(shape, convert)
    except pyproj.exceptions.ProjError as error:
        raise _outside(crs) from error
    if not np.isfinite(shapely.get_coordinates(found)).all():
        raise _outside(crs)
    return found


def _outside(crs: str) -> InputError:
    return InputError(
        f"坐标不在坐标系 {crs} 的范围内：请核对坐标系与带号。",
        f"The coordinates do not lie in {crs}: check the system and its zone.",
        field="crs",
    )


def converter(crs: str) -> Callable[[Points], Points] | None:
    """Return the function that converts points of a system, or None where they are kept as they are.

    Raises
    ------
    InputError
        If the system is not known.
    """
    name = crs.strip().lower().replace("-", "").replace(" ", "")
    if name in KEPT:
        return None
    if name == "gcj02":
        return _from_gcj02
    if name == "bd09":
        return lambda points: _from_gcj02(_from_bd09(points))
    found = _EPSG.fullmatch(name)
    if found is not None:
        return _from_epsg(int(found[1]))
    raise InputError(
        f"不认识坐标系“{crs[:40]}”：可用 wgs84、cgcs2000、gcj02、bd09、epsg:4528 等。",
        f'The reference system "{crs[:40]}" is not known: wgs84, cgcs2000, gcj02, bd09, epsg:4528 and the like.',
        field="crs",
    )


@cache
def _from_epsg(number: int) -> Callable[[Points], Points]:
    try:
        transformer = pyproj.Transformer.from_crs(number, 4326, always_xy=True)
    except CRSError as error:
        raise InputError(f"没有坐标系 EPSG:{number}。", f"There is no EPSG:{number}.", field="crs") from error

    def convert(points: Points) -> Points:
        return np.column_stack(transformer.transform(points[:, 0], points[:, 1], errcheck=True))

    return convert


def to_gcj02(points: Points) -> Points:
    """Return points of WGS-84 as published maps shift them."""
    x, y = points[:, 0] - 105.0, points[:, 1] - 35.0
    sines = (20.0 * np.sin(6.0 * x * np.pi) + 20.0 * np.sin(2.0 * x * np.pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + sines
    north += (20.0 * np.sin(y * np.pi) + 40.0 * np.sin(y / 3.0 * np.pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * np.pi) + 320.0 * np.sin(y * np.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + sines
    east += (20.0 * np.sin(x * np.pi) + 40.0 * np.sin(x / 3.0 * np.pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * np.pi) + 300.0 * np.sin(x / 30.0 * np.pi)) * 2.0 / 3.0
    latitude = np.radians(points[:, 1])
    magic = 1.0 - _ECCENTRICITY * np.sin(latitude) ** 2
    root = np.sqrt(magic)
    north = north * 180.0 / ((_RADIUS * (1.0 - _ECCENTRICITY)) / (magic * root) * np.pi)
    east = east * 180.0 / (_RADIUS / root * np.cos(latitude) * np.pi)
    return np.column_stack((points[:, 0] + east, points[:, 1] + north))


def to_bd09(points: Points) -> Points:
    """Return points of GCJ-02 as Baidu's maps shift them further."""
    x, y = points[:, 0], points[:, 1]
    radius = np.sqrt(x * x + y * y) + 0.00002 * np.sin(y * _BAIDU)
    angle = np.arctan2(y, x) + 0.000003 * np.cos(x * _BAIDU)
    return np.column_stack((radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006))


def _undone(points: Points, shift: Callable[[Points], Points]) -> Points:
    found = points.copy()
    for _ in range(_ROUNDS):
        found += points - shift(found)
    return found


def _from_gcj02(points: Points) -> Points:
    return _undone(points, to_gcj02)


def _from_bd09(points: Points) -> Points:
    return _undone(points, to_bd09)


def door(ledger: Any, values: dict[str, Any], crs: str | None) -> dict[str, Any]:
    """Return the values of a record with its shapes converted from the system that was said.

    Raises
    ------
    InputError
        If a shape cannot be read or converted.
    """
    from qinglan.ledgers.shapes import parsed

    if not crs or converter(crs) is None:
        return values
    found = dict(values)
    for field in ledger.fields:
        if field.type == "geometry" and found.get(field.id) is not None:
            found[field.id] = to_kept(parsed(found[field.id]), crs)
    return found
