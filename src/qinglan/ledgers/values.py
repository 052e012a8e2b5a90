"""The value of each field in three forms: as Python has it, as a column keeps it, as JSON writes it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from qinglan.core.interval import to_beijing
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.fields import LedgerField
from qinglan.ledgers.shapes import box_of, geojson_of
from qinglan.ledgers.tables import BOX

Values = dict[str, Any]


def canonical(value: Any) -> str:
    """Return JSON that is the same text for the same content, whatever database it went through.

    Examples
    --------
    >>> canonical({"b": 1.0, "a": "葫"})
    '{"a":"葫","b":1.0}'
    """
    return json.dumps(value, ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def digest(text: str) -> str:
    """Return the SHA-256 of a text in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def plain(field: LedgerField, value: Any) -> Any:
    """Return a value as history keeps it: JSON, times in UTC, shapes as hexadecimal WKB."""
    if value is None:
        return None
    if field.type == "rows":
        return [plain_values(field.fields, row) for row in value]
    if field.many or field.type == "file":
        return list(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return bytes(value).hex()
    return float(value) if field.is_number else value


def plain_values(fields: tuple[LedgerField, ...], values: Mapping[str, Any]) -> Values:
    """Return the values that are there, as history keeps them; computed ones follow from the others."""
    return {
        field.id: kept
        for field in fields
        if field.type != "computed" and (kept := plain(field, values.get(field.id))) is not None and kept != []
    }


def from_plain(field: LedgerField, kept: Any) -> Any:
    """Return a value from what history keeps of it."""
    if kept is None:
        return None
    if field.type == "rows":
        return [{inner.id: from_plain(inner, row.get(inner.id)) for inner in field.fields} for row in kept]
    if field.many:
        return list(kept)
    if field.type == "date":
        return date.fromisoformat(kept)
    if field.type == "datetime":
        return datetime.fromisoformat(kept)
    if field.type == "geometry":
        return bytes.fromhex(kept)
    return kept


def shown(field: LedgerField, value: Any) -> Any:
    """Return a value as the API shows it: times with +08:00, shapes as GeoJSON."""
    if value is None:
        return None
    if field.type == "rows":
        return [{inner.id: shown(inner, row.get(inner.id)) for inner in field.fields} for row in value]
    if isinstance(value, datetime):
        return to_beijing(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    if field.type == "geometry":
        return geojson_of(bytes(value))
    return value


def columns(ledger: Ledger, values: Mapping[str, Any]) -> Values:
    """Return the columns of the record's own row."""
    found: Values = {}
    for field in ledger.fields:
        if field.type == "rows":
            continue
        value = values.get(field.id)
        found[field.id] = None if value == [] else value
        if field.type == "geometry":
            box = box_of(value) if value is not None else (None,) * 4
            found |= {f"{field.id}_{side}": number for side, number in zip(BOX, box, strict=True)}
    found["search"] = search_text(ledger, values)
    return found


def detail_rows(ledger: Ledger, record: str, values: Mapping[str, Any]) -> dict[str, list[Values]]:
    """Return the detail rows of each field of them."""
    return {
        field.id: [
            {"record": record, "position": position, **{inner.id: row.get(inner.id) for inner in field.fields}}
            for position, row in enumerate(values.get(field.id) or (), start=1)
        ]
        for field in ledger.fields
        if field.type == "rows"
    }


def search_text(ledger: Ledger, values: Mapping[str, Any]) -> str:
    """Return what a search looks through: the texts that everybody who sees the record may read, in small letters."""
    words = [
        str(values[field.id])
        for field in ledger.fields
        if values.get(field.id) is not None
        and not (field.sealed or field.masked or field.many)
        and field.type in ("text", "enterprise")
    ]
    return "\n".join(words).lower()
