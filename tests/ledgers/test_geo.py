"""Shapes: converted at the door, mended or refused with the place named, files of layers in and out."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import numpy as np
import pyogrio
import pytest
import shapely

from ledgers.conftest import POND, Opener, pond
from ledgers.messy import table
from qinglan.base.scope import EVERYTHING
from qinglan.core.errors import InputError
from qinglan.ledgers.excel.importing import check_file, write_import
from qinglan.ledgers.filters import Filter
from qinglan.ledgers.geo.crs import converter, to_bd09, to_gcj02, to_kept
from qinglan.ledgers.geo.layers import as_layer
from qinglan.ledgers.listing import Query, page
from qinglan.ledgers.records import create, read
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.shapes import geojson_of, read_shape
from qinglan.ledgers.writing import Writing

ALL = Writing(EVERYTHING)
# Points of the open converter "eviltransform", in WGS-84 and in GCJ-02.
PUBLISHED = [
    ((121.5272106, 31.1774276), (121.531541859215, 31.17530398364597)),
    ((113.912316, 22.543847), (113.9171764808363, 22.540796131694766)),
    ((116.377817, 39.911954), (116.38404722455657, 39.91334545536069)),
]
BAY = POND.replace("ledger: pond", "ledger: bay").replace(
    "type: geometry, of: point", "type: geometry, of: polygon"
).replace("ledger: pond}", "ledger: bay}")  # fmt: skip
SQUARE = [[[120, 40], [121, 40], [121, 41], [120, 41], [120, 40]]]


@pytest.mark.parametrize(("wgs84", "gcj02"), PUBLISHED)
def test_the_shift_of_published_maps(wgs84: tuple[float, float], gcj02: tuple[float, float]) -> None:
    assert to_gcj02(np.array([wgs84]))[0] == pytest.approx(gcj02, abs=1e-6)
    back = to_kept(shapely.Point(gcj02), "GCJ-02")
    assert (back.x, back.y) == pytest.approx(wgs84, abs=1e-6)


def test_baidus_shift_is_undone() -> None:
    start = np.array([[120.84, 40.71], [119.5, 41.0]])
    shifted = to_bd09(to_gcj02(start))
    assert np.abs(shifted - start).min() > 0.001
    convert = converter("bd09")
    assert convert is not None
    assert np.abs(convert(shifted) - start).max() < 1e-9


@pytest.mark.parametrize(
    ("crs", "given", "kept"),
    [
        # 3-degree zone 40 has its central meridian at 120 degrees and a false easting of 40,500 km.
        ("epsg:4528", (40_500_000, 0), (120, 0)),
        # The same without the zone's number before the easting.
        ("EPSG:4549", (500_000, 0), (120, 0)),
        ("cgcs2000", (120.5, 40.5), (120.5, 40.5)),
        ("wgs84", (120.5, 40.5), (120.5, 40.5)),
    ],
)
def test_zones_of_gauss_and_krueger(crs: str, given: tuple[float, float], kept: tuple[float, float]) -> None:
    found = to_kept(shapely.Point(given), crs)
    assert (found.x, found.y) == pytest.approx(kept, abs=1e-9)


@pytest.mark.parametrize("crs", ["mars", "epsg:999999", "epsg:x", ""])
def test_systems_that_are_not_known_are_refused(crs: str) -> None:
    with pytest.raises(InputError):
        to_kept(shapely.Point(120, 40), crs)


def test_a_polygon_that_crosses_itself_is_mended() -> None:
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [2, 2], [2, 0], [0, 2], [0, 0]]]}
    kept = shapely.from_wkb(read_shape(bow, "polygon"))
    assert kept.is_valid
    # Two triangles of base 2 and height 1.
    assert kept.area == pytest.approx(2.0)


@pytest.mark.parametrize(
    ("given", "of", "named"),
    [
        ({"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [0, 0], [0, 0]]]}, "polygon", "无效"),
        ({"type": "LineString", "coordinates": [[0, 0], [1, 1]]}, "polygon", "LineString"),
        ([40.5, 120.5], "point", "40.5"),
        ("somewhere", "point", "somewhere"),
        ({"type": "Point"}, "point", "Point"),
        ({"type": "Point", "coordinates": ["a", "b"]}, "point", "Point"),
        ({"type": "Polygon", "coordinates": []}, "polygon", "空"),
    ],
)
def test_shapes_that_cannot_be_are_refused_by_what_is_wrong(given: Any, of: str, named: str) -> None:
    with pytest.raises(InputError, match=named):
        read_shape(given, of)


def test_a_file_with_coordinates_of_another_system(ledgers: Ledgers) -> None:
    content = table(["编码", "名称", "地区", "经度", "纬度"], ["W001", "甲", "东区", 116.38404722, 39.91334546])
    shown = check_file(ledgers, EVERYTHING, "pond", "表.xlsx", content, crs="gcj02")
    write_import(ledgers, ALL, "pond", shown["id"], "all")
    record = page(ledgers, EVERYTHING, "pond", Query(columns=("location",))).records[0]
    assert geojson_of(record.values["location"])["coordinates"] == pytest.approx((116.377817, 39.911954), abs=1e-6)


def feature(**properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "properties": properties, "geometry": {"type": "Polygon", "coordinates": SQUARE}}


def test_layers_in_each_format_come_in_and_go_out(opened: Opener) -> None:
    ledgers = opened(BAY)
    features = [feature(编码="W001", 名称="甲湾", 地区="东区", 总库容=5)]
    geojson = json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False).encode()
    shown = check_file(ledgers, EVERYTHING, "bay", "湾.geojson", geojson)
    assert shown["faults"] == []
    assert shown["counts"]["add"] == 1
    write_import(ledgers, ALL, "bay", shown["id"], "all")
    assert page(ledgers, EVERYTHING, "bay", Query(bbox="120.5,40.5,120.6,40.6")).count == 1
    assert page(ledgers, EVERYTHING, "bay", Query(bbox="122,40,123,41")).count == 0
    for kind, ending in (("gpkg", "gpkg"), ("shp", "zip")):
        content = as_layer(ledgers, EVERYTHING, "bay", Query(), kind)  # type: ignore[arg-type]
        source = io.BytesIO(content) if kind == "gpkg" else None
        if kind == "shp":
            names = zipfile.ZipFile(io.BytesIO(content)).namelist()
            assert {"bay.shp", "bay.shx", "bay.dbf", "bay.prj"} <= set(names)
        meta, _, shapes, columns = pyogrio.raw.read(source or content)
        assert shapely.from_wkb(shapes[0]).equals(shapely.Polygon(SQUARE[0]))
        assert [column[0] for column in columns][:2] == ["W001", "甲湾"]
        assert meta["crs"] == "EPSG:4490"
        again = check_file(ledgers, EVERYTHING, "bay", f"湾.{ending}", content)
        assert again["faults"] == []
        assert again["counts"]["same"] == 1, again


def test_a_layer_of_another_system_is_converted(opened: Opener) -> None:
    ledgers = opened(BAY)
    zone = shapely.Polygon([(40_500_000, 4_500_000), (40_501_000, 4_500_000), (40_501_000, 4_501_000)])
    fields = [np.array([text], dtype=object) for text in ("W001", "甲", "东区")]
    buffer = io.BytesIO()
    pyogrio.raw.write(
        buffer, np.array([shapely.to_wkb(zone)], dtype=object), fields, ["code", "name", "place"],
        geometry_type="Polygon", crs="EPSG:4528", driver="GPKG", layer="zones",
    )  # fmt: skip
    shown = check_file(ledgers, EVERYTHING, "bay", "区.gpkg", buffer.getvalue())
    write_import(ledgers, ALL, "bay", shown["id"], "all")
    record = page(ledgers, EVERYTHING, "bay", Query(columns=("location",))).records[0]
    west, south, east, north = shapely.from_wkb(record.values["location"]).bounds
    assert west == pytest.approx(120.0, abs=1e-9)
    # A kilometre is about 0.0118 degrees of longitude here, and 0.009 of latitude.
    assert (0.0115 < east - west < 0.0121, 40 < south < 41, 0.0089 < north - south < 0.0091) == (True, True, True)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (b'{"type": "FeatureCollection", "features": [', "a.geojson"),
        (b'{"a": 1}', "a.geojson"),
        (b"SQLite format 3\x00broken", "a.gpkg"),
        (b"[" * 100_000, "a.geojson"),
    ],
)
def test_layers_that_cannot_be_read_are_refused(opened: Opener, content: bytes, name: str) -> None:
    with pytest.raises(InputError):
        check_file(opened(BAY), EVERYTHING, "bay", name, content)


def test_what_meets_a_box(ledgers: Ledgers) -> None:
    record = create(ledgers, ALL, "pond", pond(location=[120.5, 40.5])).record
    assert read(ledgers, EVERYTHING, "pond", record).values["location"] is not None
    for box, found in (("120,40,121,41", 1), ("120.5,40.5,120.5,40.5", 1), ("121,40,122,41", 0)):
        assert (
            len(page(ledgers, EVERYTHING, "pond", Query(filters=(Filter.read(f"location:bbox:{box}"),))).records)
            == found
        )
