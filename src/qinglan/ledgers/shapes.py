"""Shapes: read from what people and programs give, mended or refused by name, kept as WKB in longitude, latitude."""

from __future__ import annotations

from typing import Any

import shapely
from shapely.geometry import mapping, shape
from shapely.geometry.base import BaseGeometry

from qinglan.core.errors import InputError

_SORTS = {
    "point": {"Point"},
    "line": {"LineString", "MultiLineString"},
    "polygon": {"Polygon", "MultiPolygon"},
}
_WORDS = {"point": ("点", "point"), "line": ("线", "line"), "polygon": ("面", "polygon")}
MOST_POINTS = 500_000


def read_shape(given: Any, of: str) -> bytes:
    """Return the WKB of a shape given as GeoJSON, WKT, WKB, ``[longitude, latitude]`` or ``"longitude,latitude"``.

    A polygon that crosses itself is mended where that leaves a polygon.

    Raises
    ------
    InputError
        If it cannot be read, is of another sort, lies outside the world, or cannot be mended; the place is named.
    """
    found = parsed(given)
    if found.is_empty:
        raise InputError("图形是空的。", "The shape is empty.")
    if shapely.get_num_coordinates(found) > MOST_POINTS:
        raise InputError(f"图形的顶点超过 {MOST_POINTS} 个。", f"The shape has more than {MOST_POINTS} points.")
    found = shapely.force_2d(found)
    if found.geom_type == "GeometryCollection":
        found = _only(found, of)
    # Layers write one part as several of one; here each shape has one form, so that what comes back is the same.
    if found.geom_type.startswith("Multi") and len(found.geoms) == 1:
        found = found.geoms[0]
    if found.geom_type not in _SORTS[of]:
        raise InputError(
            f"应为{_WORDS[of][0]}，给出的是 {found.geom_type}。", f"It should be a {of}; given is a {found.geom_type}."
        )
    west, south, east, north = found.bounds
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise InputError(
            f"坐标超出经纬度范围（{west:.6g}, {south:.6g}）：请写明坐标系，或检查经度在前、纬度在后。",
            f"Coordinates outside longitude and latitude ({west:.6g}, {south:.6g}): name the reference system, "
            "and write longitude before latitude.",
        )
    if not found.is_valid:
        found = _mended(found, of)
    return bytes(shapely.to_wkb(shapely.normalize(found) if of == "polygon" else found))


def parsed(given: Any) -> BaseGeometry:
    """Return a shape in whatever system it was given.

    Raises
    ------
    InputError
        If it cannot be read.
    """
    try:
        if isinstance(given, BaseGeometry):
            return given
        if isinstance(given, bytes | bytearray | memoryview):
            return shapely.from_wkb(bytes(given))
        if isinstance(given, dict):
            return shape(given)
        if isinstance(given, list | tuple) and len(given) in (2, 3):
            return shapely.Point(float(given[0]), float(given[1]))
        if isinstance(given, str):
            return _from_text(given)
    except (shapely.errors.ShapelyError, ValueError, TypeError, KeyError, IndexError, AttributeError) as error:
        raise _unreadable(given) from error
    raise _unreadable(given)


def _from_text(given: str) -> BaseGeometry:
    text = given.strip().replace("，", ",").replace("；", ",")
    pieces = [piece for piece in text.replace(",", " ").split() if piece]
    if len(pieces) == 2:
        return shapely.Point(float(pieces[0]), float(pieces[1]))
    return shapely.from_wkt(text)


def _unreadable(given: Any) -> InputError:
    return InputError(
        f"“{str(given)[:60]}”读不出图形：点写作“经度,纬度”，其他用 GeoJSON 或 WKT。",
        f'"{str(given)[:60]}" is no shape: write a point as "longitude,latitude", others as GeoJSON or WKT.',
    )


def _only(found: BaseGeometry, of: str) -> BaseGeometry:
    parts = [part for part in shapely.get_parts(found) if part.geom_type in _SORTS[of]]
    return shapely.union_all(parts) if parts else found


def _mended(found: BaseGeometry, of: str) -> BaseGeometry:
    reason = str(shapely.is_valid_reason(found))
    mended = shapely.make_valid(found) if of == "polygon" else found
    if mended.geom_type == "GeometryCollection":
        mended = _only(mended, of)
    # A mend that loses or gains ground would be another shape than the one that was drawn.
    if mended.is_valid and mended.geom_type in _SORTS[of] and _same_ground(found, mended):
        return mended
    raise InputError(f"图形无效且无法修复：{reason}。", f"The shape is invalid and cannot be mended: {reason}.")


def _same_ground(drawn: BaseGeometry, mended: BaseGeometry) -> bool:
    hull = drawn.convex_hull.area
    return bool(hull > 0 and mended.area >= 0.01 * hull)


def geojson_of(kept: bytes) -> dict[str, Any]:
    """Return a kept shape as GeoJSON."""
    found: dict[str, Any] = mapping(shapely.from_wkb(kept))
    return found


def box_of(kept: bytes) -> tuple[float, float, float, float]:
    """Return west, south, east and north of a kept shape."""
    west, south, east, north = shapely.from_wkb(kept).bounds
    return (west, south, east, north)
