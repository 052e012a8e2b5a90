"""Area shares by interpolation over a polygon: an own estimate, never the official share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
from numpy.typing import NDArray

from qinglan.core.errors import InputError
from qinglan.core.frames import opened
from qinglan.standards import single_factor
from qinglan.standards.sea.shares import shares_by_areas
from qinglan.standards.sea.tables import classes, evaluation
from qinglan.standards.single_factor import LARGEST, Item, high, low

Numbers = NDArray[np.float64]
_KM_PER_DEGREE = 111.195
_MOST_CELLS = 2_000_000
_AT_ONCE = 20_000
_LEAST_POINTS = 3
_NEAR = 1e-9


def shares_by_interpolation(
    frame: Any, polygon: Mapping[str, Any], *, cell_km: float = 1.0, power: float = 2.0, edition: str | None = None
) -> pl.DataFrame:
    """Return the share of a sea area in each class, by interpolating each item from the points.

    Parameters
    ----------
    frame
        One survey: ``site, longitude, latitude, factor, value`` (degrees; mg/L), optionally ``unit, qualifier, limit``.
    polygon
        The area as a GeoJSON geometry (Polygon or MultiPolygon) in degrees.
    cell_km
        Side of a cell, km.
    power
        The power of the inverse distance.
    edition
        One edition of GB 3097; by default the newest.

    Returns
    -------
    polars.DataFrame
        One row as of `shares_by_areas`, then ``cells, area_km2, points``. The note says how it was made.

    Raises
    ------
    InputError
        If the geometry is no polygon, holds no cell or too many, or fewer than three points have values.

    Notes
    -----
    Items with values at fewer than three points are not interpolated and are missing. Below detection, half the limit
    counts. 依据: HJ 442.10—2020 (插值、格点取最差类, check M); 反距离加权为自定口径.

    Examples
    --------
    >>> points = pl.DataFrame({"site": ["a", "b", "c"], "longitude": [120.0, 120.1, 120.05],
    ...                        "latitude": [40.0, 40.0, 40.1], "factor": "无机氮", "value": 0.25})
    >>> square = {"type": "Polygon", "coordinates": [[[120, 40], [120.1, 40], [120.1, 40.1], [120, 40.1], [120, 40]]]}
    >>> shares_by_interpolation(points, square).select("class2", "good").row(0)
    (100.0, 100.0)
    """
    given = opened(frame, ("site", "longitude", "latitude", "factor", "value"))
    (chosen,) = classes(edition)[-1:]
    keys = ["site", "longitude", "latitude"]
    found = single_factor.samples(given.frame, chosen.items, keys, chosen.name)
    points = pl.DataFrame(found.frame.collect(backend="polars").to_native())
    rings = _rings(polygon)
    longitude, latitude, area = _cells(rings, cell_km)
    worst = np.zeros(longitude.size, dtype=np.int64)
    used: list[str] = []
    for item in found.items:
        values = _values(points, item)
        if values.height >= _LEAST_POINTS:
            used.append(item.code)
            worst = np.maximum(worst, _classes(item, _interpolated(values, longitude, latitude, power)))
    if not used:
        raise InputError(
            f"没有一个项目在 {_LEAST_POINTS} 个以上点位有数据，无法插值。",
            f"No item has values at {_LEAST_POINTS} or more points; nothing can be interpolated.",
            field="value",
        )
    absent = [item.name for item in chosen.items if item.code in evaluation().routine and item.code not in used]
    shares: pl.DataFrame = shares_by_areas(pl.DataFrame({"water_class": worst, "area": area}))
    return shares.with_columns(
        pl.lit("自测：反距离加权插值").alias("method"),
        pl.lit("、".join(absent) or None, dtype=pl.String).alias("missing"),
        pl.lit(f"自测估算，非官方面积比例；格边 {cell_km:g} km，距离幂 {power:g}").alias("note"),
        pl.lit(longitude.size).alias("cells"),
        pl.lit(float(area.sum())).alias("area_km2"),
        pl.lit(points.height).alias("points"),
    )


def _values(points: pl.DataFrame, item: Item) -> pl.DataFrame:
    """Return the usable values of one item; below detection the middle of the interval, which is half the limit."""
    middle = (pl.col(low(item)) + pl.col(high(item))) / 2 / item.scale
    usable = points.filter(pl.col(high(item)) < LARGEST)
    return usable.select("longitude", "latitude", middle.alias("value")).drop_nulls()


def _rings(polygon: Mapping[str, Any]) -> list[Numbers]:
    kind, coordinates = polygon.get("type"), polygon.get("coordinates")
    if kind not in ("Polygon", "MultiPolygon") or not isinstance(coordinates, Sequence) or not coordinates:
        raise InputError(
            f"海域范围应为 GeoJSON 的 Polygon 或 MultiPolygon，收到 {kind}。",
            f"The area should be a GeoJSON Polygon or MultiPolygon; got {kind}.",
            field="polygon",
        )
    parts = [coordinates] if kind == "Polygon" else coordinates
    return [np.asarray([corner[:2] for corner in ring], dtype=np.float64) for part in parts for ring in part]


def _cells(rings: Sequence[Numbers], cell_km: float) -> tuple[Numbers, Numbers, Numbers]:
    corners = np.concatenate(rings)
    (west, south), (east, north) = corners.min(axis=0), corners.max(axis=0)
    step = cell_km / _KM_PER_DEGREE
    across = step / np.cos(np.radians((south + north) / 2))
    if cell_km <= 0 or (east - west) / across * (north - south) / step > _MOST_CELLS:
        raise InputError(
            f"格边 {cell_km:g} km 不合适：应大于 0，且格数不超过 {_MOST_CELLS}。",
            f"A cell of {cell_km:g} km does not do: above 0, and at most {_MOST_CELLS} cells.",
            field="cell_km",
        )
    longitudes = np.arange(west + across / 2, east, across)
    latitudes = np.arange(south + step / 2, north, step)
    grid = np.meshgrid(longitudes, latitudes)
    longitude, latitude = grid[0].ravel(), grid[1].ravel()
    inside = _inside(rings, longitude, latitude)
    if not inside.any():
        raise InputError(
            f"海域范围内没有一个 {cell_km:g} km 的格点，请减小格边。",
            f"The area holds no cell of {cell_km:g} km; take smaller ones.",
            field="cell_km",
        )
    longitude, latitude = longitude[inside], latitude[inside]
    area = step * across * _KM_PER_DEGREE**2 * np.cos(np.radians(latitude))
    return longitude, latitude, area


def _inside(rings: Sequence[Numbers], longitude: Numbers, latitude: Numbers) -> NDArray[np.bool_]:
    """Even–odd rule over all rings, so that holes are left out."""
    inside = np.zeros(longitude.size, dtype=np.bool_)
    for ring in rings:
        for (x1, y1), (x2, y2) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
            if y1 == y2:
                continue
            crosses = (y1 > latitude) != (y2 > latitude)
            inside ^= crosses & (longitude < (x2 - x1) * (latitude - y1) / (y2 - y1) + x1)
    return inside


def _interpolated(values: pl.DataFrame, longitude: Numbers, latitude: Numbers, power: float) -> Numbers:
    stretch = np.cos(np.radians(latitude.mean()))
    x, y, z = (values[name].to_numpy() for name in ("longitude", "latitude", "value"))
    found = np.empty(longitude.size)
    for first in range(0, longitude.size, _AT_ONCE):
        here = slice(first, first + _AT_ONCE)
        away = np.hypot((longitude[here, None] - x) * stretch, latitude[here, None] - y)
        weights = 1 / np.maximum(away, _NEAR) ** power
        found[here] = weights @ z / weights.sum(axis=1)
    return found


def _classes(item: Item, values: Numbers) -> NDArray[np.int64]:
    frame = nw.from_native(pl.DataFrame({"whole": np.rint(values * item.scale).astype(np.int64)}))
    return frame.select(item.class_of(nw.col("whole")).alias("class"))["class"].to_numpy()
