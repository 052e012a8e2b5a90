"""Whatever stands in the cells: nothing raises but a refusal, and the counts add up."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qinglan.core.errors import InputError
from qinglan.gateways.files.cleaning import clean
from qinglan.gateways.files.mapping import Mapping
from qinglan.gateways.files.preparing import Prepared, Wishes, prepare
from qinglan.gateways.files.rejects import known_faults

NOW = datetime(2026, 6, 1, tzinfo=UTC)
WISHES = Wishes(Mapping(), stamp="start", grain="hour")

odd = st.sampled_from(
    [
        "1001A",
        "PM2.5",
        "2023-01-20 08:00",
        "12",
        "-9999",
        "<0.01",
        "ND",
        "",
        " ",
        "—",
        "1e999",
        "=1+1",
        "mg/m3",
        "D",
        '"',
        "1,234",
    ]
)
text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=12)
cell = odd | text | st.just("a\nb")
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def sums(prepared: Prepared) -> tuple[int, int]:
    read = placed = 0
    for chunk in prepared.chunks():
        found = clean(chunk, prepared.rules)
        read += found.read
        placed += len(found.observations) + found.rejected + found.empty + found.repeated + found.revised
        assert set(found.rejects["fault"]) <= known_faults()
        assert found.observations.select("site", "factor", "time").null_count().sum_horizontal().item() == 0
        assert found.observations["value"].drop_nulls().is_finite().all()
    return read, placed


@quick
@given(rows=st.lists(st.lists(cell, min_size=8, max_size=8), min_size=1, max_size=12))
def test_tidy_counts_add_up(tmp_path: Path, rows: list[list[str]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerow(["site", "factor", "time", "value", "unit", "qualifier", "flag", "limit"])
    writer.writerows(rows)
    path = tmp_path / "t.csv"
    path.write_bytes(stream.getvalue().encode())
    read, placed = sums(prepare(path, "t.csv", WISHES, NOW))
    filled = sum(any(one.strip() for one in row) for row in rows)
    assert read == placed == filled


@quick
@given(rows=st.lists(st.lists(cell, min_size=5, max_size=5), min_size=1, max_size=12))
def test_wide_counts_add_up(tmp_path: Path, rows: list[list[str]]) -> None:
    stream = io.StringIO()
    writer = csv.writer(stream, quoting=csv.QUOTE_ALL)
    writer.writerow(["site", "time", "PM2.5", "CO(ug/m3)", "O3"])
    writer.writerows(rows)
    path = tmp_path / "t.csv"
    path.write_bytes(stream.getvalue().encode())
    read, placed = sums(prepare(path, "t.csv", WISHES, NOW))
    filled = sum(any(one.strip() for one in row) for row in rows)
    assert read == placed == 3 * filled


@quick
@given(rest=st.binary(max_size=400))
def test_any_bytes_are_refused_or_counted(tmp_path: Path, rest: bytes) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"site,time,PM2.5\nA,2023-01-20 08:00,12\n" + rest)
    try:
        prepared = prepare(path, "t.csv", WISHES, NOW)
    except InputError as error:
        refusal = error
    else:
        read, placed = sums(prepared)
        assert read == placed >= 1
        return
    assert (bool(refusal.zh), bool(refusal.en), refusal.file) == (True, True, "t.csv")


@quick
@given(start=st.binary(min_size=1, max_size=200))
def test_any_file_is_refused_in_both_languages(tmp_path: Path, start: bytes) -> None:
    path = tmp_path / "t.bin"
    path.write_bytes(start)
    with pytest.raises(InputError) as refusal:
        prepare(path, "t.bin", WISHES, NOW)
    assert refusal.value.zh
    assert refusal.value.en
