"""Layers of geographic files: Shapefile, GeoPackage and GeoJSON, read as sheets with a shape, and written."""

from __future__ import annotations

import io
import json
import math
import tempfile
import zipfile
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import pyogrio
import shapely
from pyogrio.errors import DataLayerError, DataSourceError

from qinglan.base.scope import Scope
from qinglan.core.declare import Title
from qinglan.core.errors import InputError
from qinglan.ledgers import listing
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.excel.export import cells_of, exported
from qinglan.ledgers.excel.workbook import MOST_UNPACKED, Book, Sheet
from qinglan.ledgers.geo.crs import to_kept
from qinglan.ledgers.listing import Query
from qinglan.ledgers.registry import Ledgers

Kind = Literal["shp", "gpkg", "geojson"]
MOST_FEATURES: Final = 100_000
_SQLITE = b"SQLite format 3\x00"
_TYPES = {"point": "Point", "line": "MultiLineString", "polygon": "MultiPolygon"}
_PARTS = {"shp", "shx", "dbf", "prj", "cpg", "sbn", "sbx", "qpj", "qmd", "fix", "xml"}


def sort_of(content: bytes) -> Kind | None:
    """Return which sort of layer a file is by what it holds; None for another file."""
    if content.startswith(_SQLITE):
        return "gpkg"
    if content.startswith(b"PK\x03\x04"):
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as archive:
                return "shp" if any(name.lower().endswith(".shp") for name in archive.namelist()) else None
        except zipfile.BadZipFile:
            return None
    return "geojson" if content.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{") else None


def open_layer(ledger: Ledger, content: bytes, name: str, crs: str | None) -> Book:
    """Return the features of a file as a sheet whose last column is the ledger's shape, in longitude and latitude.

    Parameters
    ----------
    crs
        The system that was said; else the file's own.

    Raises
    ------
    InputError
        If the ledger has no shape, the file cannot be read, or says no system and none was said.
    """
    field = ledger.geometry_field
    kind = sort_of(content)
    if field is None or kind is None:
        raise InputError(f"台账“{ledger.title.zh}”没有图形字段。", f"{ledger.id} has no shapes.", file=name)
    with tempfile.TemporaryDirectory() as folder:
        path = _placed(Path(folder), content, name, kind)
        try:
            layers = pyogrio.list_layers(path)
            layer = str(layers[0][0])
            meta, _, shapes, columns = pyogrio.raw.read(path, layer=layer, max_features=MOST_FEATURES + 1)
        except (DataSourceError, DataLayerError, ValueError, IndexError, RuntimeError) as error:
            raise _unreadable(name) from error
    own = meta["crs"]
    system = crs or ("wgs84" if kind == "geojson" else own)
    if system is None:
        raise InputError(
            f"{name} 没有写明坐标系：请指定 crs。",
            f"{name} names no reference system: say crs.",
            file=name,
            field="crs",
        )
    count = 0 if shapes is None else len(shapes)
    if count > MOST_FEATURES:
        raise InputError(f"一次至多 {MOST_FEATURES} 个图形。", f"At most {MOST_FEATURES} shapes.", file=name)
    header: list[Any] = [*(str(one) for one in meta["fields"]), ledger.field(field).title.zh]
    rows = [header]
    for number in range(count):
        raw = shapes[number]
        drawn = None if raw is None else to_kept(shapely.force_2d(shapely.from_wkb(raw)), str(system))
        rows.append([*(_cell(column[number]) for column in columns), drawn])
    notes = []
    if len(layers) > 1:
        notes.append(Title(zh=f"只读取了图层“{layer}”。", en=f'Only the layer "{layer}" was read.'))
    return Book(name, [Sheet(layer, rows)], notes)


def _placed(folder: Path, content: bytes, name: str, kind: Kind) -> Path:
    """Put a file where the reader can open it; of an archive only the parts of a Shapefile, under plain names."""
    if kind == "gpkg":
        path = folder / "layer.gpkg"
        path.write_bytes(content)
        return path
    if kind == "geojson":
        try:
            json.loads(content.decode("utf-8-sig"))
        except (UnicodeDecodeError, ValueError, RecursionError) as error:
            raise _unreadable(name) from error
        path = folder / "layer.geojson"
        path.write_bytes(content)
        return path
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            if sum(member.file_size for member in members) > MOST_UNPACKED:
                raise InputError(f"{name} 展开后过大。", f"{name} unpacks to too much.", file=name)
            stem = next(Path(one.filename).stem for one in members if one.filename.lower().endswith(".shp"))
            for member in members:
                part = Path(member.filename)
                suffix = part.suffix.lower().lstrip(".")
                if part.stem == stem and suffix in _PARTS:
                    (folder / f"layer.{suffix}").write_bytes(archive.read(member))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError, OSError) as error:
        raise _unreadable(name) from error
    return folder / "layer.shp"


def _unreadable(name: str) -> InputError:
    return InputError(
        f"{name} 不是可读的 Shapefile（zip）、GeoPackage 或 GeoJSON。",
        f"{name} is no readable Shapefile (zip), GeoPackage or GeoJSON.",
        file=name,
    )


def _cell(value: Any) -> Any:
    if isinstance(value, np.datetime64):
        return None if np.isnat(value) else value.astype("datetime64[ms]").item()
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and math.isnan(value):
        return None
    return None if value == "" else value


def as_layer(ledgers: Ledgers, scope: Scope, ledger_id: str, query: Query, kind: Literal["gpkg", "shp"]) -> bytes:
    """Return the list as a GeoPackage, or as a Shapefile in an archive, in CGCS2000.

    Raises
    ------
    InputError
        If the ledger has no shapes.
    """
    ledger, context = ledgers.get(ledger_id), ledgers.context()
    shape = ledger.geometry_field
    if shape is None:
        raise InputError("这个台账没有图形字段。", "The ledger has no shapes.", field="ledger")
    named = [
        ledger.field(one)
        for one in listing.columns_of(ledger, query.columns)
        if ledger.field(one).type not in ("geometry", "rows", "file")
    ]
    wanted = Query(**(vars(query) | {"columns": (*(one.id for one in named), shape)}))
    rows: list[list[Any]] = []
    shapes: list[Any] = []
    multi = ledger.field(shape).of != "point"
    for _, values, labels in exported(ledgers, scope, ledger_id, wanted):
        kept = values.get(shape)
        if isinstance(kept, bytes):
            drawn = shapely.from_wkb(kept)
            shapes.append(shapely.to_wkb(_several(drawn) if multi else drawn))
            rows.append(cells_of(ledger, named, values, labels, context))
    columns = [np.array([_text(row[index]) for row in rows], dtype=object) for index in range(len(named))]
    names = [one.id for one in named] if kind == "gpkg" else _short([one.id for one in named])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{ledger_id}.{kind}"
        pyogrio.raw.write(
            path,
            np.array(shapes, dtype=object),
            columns,
            names,
            geometry_type=_TYPES[str(ledger.field(shape).of)],
            crs="EPSG:4490",
            driver="GPKG" if kind == "gpkg" else "ESRI Shapefile",
            layer=ledger_id,
            **({"encoding": "UTF-8"} if kind == "shp" else {}),
        )
        if kind == "gpkg":
            return path.read_bytes()
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for part in sorted(Path(folder).iterdir()):
                archive.write(part, part.name)
        return buffer.getvalue()


def _several(drawn: Any) -> Any:
    if drawn.geom_type == "Polygon":
        return shapely.MultiPolygon([drawn])
    return shapely.MultiLineString([drawn]) if drawn.geom_type == "LineString" else drawn


def _text(cell: Any) -> str | None:
    if cell is None:
        return None
    if isinstance(cell, bool):
        return "是" if cell else "否"
    return f"{cell:.15g}" if isinstance(cell, float) else str(cell)


def _short(names: list[str]) -> list[str]:
    """Return names of at most ten letters that differ: a Shapefile takes no more."""
    found: list[str] = []
    for name in names:
        short, number = name[:10], 1
        while short in found:
            number += 1
            short = f"{name[:8]}{number:02}"
        found.append(short)
    return found
