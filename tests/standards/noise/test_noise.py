"""Noise: worked examples, tables, nights, zones, boundaries, and the same on every engine."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import noise
from qinglan.standards.edition import editions
from qinglan.standards.noise.tables import FOLDER, NoiseBoundary, NoiseZones


def hours(values: list[float | None], first: datetime = datetime(2025, 6, 1, 6), **columns: str) -> pl.DataFrame:
    times = [first + timedelta(hours=number) for number in range(len(values))]
    frame = pl.DataFrame({"site": "a", "time": times, "value": values}, schema_overrides={"value": pl.Float64})
    return frame.with_columns(**{name: pl.lit(word) for name, word in columns.items()})


def facts(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "standards" / name).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.mark.golden
def test_worked_examples(shared: Path) -> None:
    rows = {row["id"]: row for row in facts(shared, "worked_examples.csv") if row["id"].startswith("NOISE")}
    assert set(rows) == {"NOISE-1", "NOISE-2", "NOISE-3"}
    day = noise.levels(hours([60.0] * 8 + [50.0] * 8), stamp="start")
    wanted = rows["NOISE-1"]
    assert day["ld"].item() == pytest.approx(float(wanted["expected"]), abs=float(wanted["tolerance"]))
    for identifier, kind, level in (("NOISE-2", "regional", 50.8), ("NOISE-3", "road_traffic", 65.8)):
        assert str(level) in rows[identifier]["input"]
        frame = pl.DataFrame({"site": ["a"], "value": [level], "length": [1.0]})
        grade = noise.city_grade(frame, kind=kind)["grade"].item()
        assert rows[identifier]["expected"].startswith(grade)


@pytest.mark.golden
def test_declared_tables_equal_the_facts(shared: Path) -> None:
    pairs = {
        "gb3096_limits.csv": "GB3096-2008.csv",
        "hj640_grades.csv": "HJ640-2012.csv",
        "gb12348_limits.csv": "GB12348-2008.csv",
        "gb12348_octave.csv": "GB12348-2008-octave.csv",
        "gb12348_structure_borne.csv": "GB12348-2008-structure-borne.csv",
    }
    for fact, declared in pairs.items():
        with (FOLDER / declared).open(encoding="utf-8", newline="") as table:
            ours = list(csv.DictReader(table))
        theirs = facts(shared, f"noise/{fact}")
        assert len(ours) == len(theirs)
        assert [row | mine for row, mine in zip(theirs, ours, strict=True)] == theirs, fact
    for row in facts(shared, "noise/gb12523_limits.csv"):
        (edition,) = noise.boundaries("GB 12523", row["standard"][-4:])
        assert edition.limits["site boundary", "day"] == Decimal(row["day_dBA"])
        assert edition.limits["site boundary", "night"] == Decimal(row["night_dBA"])
        assert edition.night_maximum.frequent == Decimal(row["night_max_over_dB"])
        ends = (edition.in_force.start.isoformat(), str(edition.in_force.end or ""))
        assert ends == (row["valid_from"], row["valid_to"])


@pytest.mark.golden
@pytest.mark.parametrize("name", ["GB3096-2008", "GB12348-2008", "GB12523-2011", "GB12523-2025"])
def test_a_changed_limit_is_noticed_by_the_examples(name: str, tmp_path: Path) -> None:
    """A declared example of each edition speaks of the cell that is changed here."""
    cell = {"GB3096-2008": "60,50", "GB12348-2008": "65,55", "GB12523-2011": "70,55", "GB12523-2025": "70,55"}[name]
    for path in FOLDER.glob("*"):
        text = path.read_text("utf-8")
        (tmp_path / path.name).write_text(
            text.replace(cell, "61,51", 1) if path.name == f"{name}.csv" else text, "utf-8"
        )
    model = NoiseZones if name.startswith("GB3096") else NoiseBoundary
    number = "GB 3096" if model is NoiseZones else f"GB {name[2:7]}"
    (changed,) = [edition for edition in editions(tmp_path, model, number) if edition.id == name]
    assert list(changed.run_examples())


def test_every_example_holds() -> None:
    declared = [*noise.zones(), *noise.city_grades(), *noise.boundaries(), *noise.boundaries("GB 12523")]
    assert len(declared) == 5
    assert [finding for edition in declared for finding in edition.run_examples()] == []


def test_a_night_crosses_midnight_and_belongs_to_the_day_it_begins_on() -> None:
    """16 h at 50, then 22:00–24:00 at 40 and 00:00–06:00 at 46: Ln = 10·lg((2·10^4 + 6·10^4.6)/8) = 45.096."""
    found = noise.levels(hours([50.0] * 16 + [40.0] * 2 + [46.0] * 6), stamp="start")
    assert found.select("date", "day_hours", "night_hours", "missing").rows() == [(date(2025, 6, 1), 16, 8, None)]
    assert found["ln"].item() == pytest.approx(10 * math.log10((2 * 10**4 + 6 * 10**4.6) / 8), rel=1e-12)
    assert found.select("ld_rounded", "ln_rounded").row(0) == (50.0, 45.1)


def test_stamped_at_the_end_the_hour_moves_back() -> None:
    ends = hours([60.0] * 8 + [50.0] * 16, datetime(2025, 6, 1, 7))
    starts = hours([60.0] * 8 + [50.0] * 16)
    assert noise.levels(ends, stamp="end").equals(noise.levels(starts, stamp="start"))
    assert noise.levels(ends, stamp="start")["missing"].item(0) is not None


def test_a_local_day_may_begin_at_another_hour() -> None:
    found = noise.levels(hours([60.0] * 16 + [50.0] * 8, datetime(2025, 6, 1, 7)), stamp="start", day_begins=7)
    assert found.select("ld_rounded", "ln_rounded", "missing").rows() == [(60.0, 50.0, None)]


def test_a_missing_hour_takes_the_verdict_away_and_is_said() -> None:
    frame = hours([50.0] * 5 + [None] + [50.0] * 10 + [40.0] * 8, zone="1类")
    found = noise.zone_verdict(frame, stamp="start").row(0, named=True)
    assert (found["day_meets"], found["night_meets"]) == (None, True)
    assert (found["missing"], found["note"]) == ("昼间缺1小时", "昼间无法判定")


def test_levels_that_cannot_be_do_not_count() -> None:
    found = noise.levels(hours([50.0] * 14 + [-1.0, 999.0] + [math.nan] * 8), stamp="start").row(0, named=True)
    assert (found["ld_rounded"], found["ln"], found["day_hours"]) == (50.0, None, 14)
    assert found["missing"] == "昼间缺2小时、夜间缺8小时"


def test_zones_by_their_limits() -> None:
    frame = pl.DataFrame(
        {
            "site": "a",
            "zone": ["0", "1", "2", "3", "4a", "4b", "4b existing"],
            "date": date(2025, 6, 1),
            "ld": [50.0, 55.0, 60.0, 65.0, 70.0, 70.0, 70.0],
            "ln": [40.1, 45.0, 50.0, 55.0, 55.0, 60.0, 60.0],
        }
    )
    found = noise.zone_verdict(frame)
    assert found["day_meets"].to_list() == [True] * 7
    assert found["night_meets"].to_list() == [False, True, True, True, True, True, False]
    assert found["night_over"].to_list() == [0.1, None, None, None, None, None, 5.0]


def test_sudden_night_noise_may_exceed_by_15() -> None:
    frame = pl.DataFrame(
        {"site": "a", "zone": "2", "date": date(2025, 6, 1), "ld": 55.0, "ln": 45.0, "night_max": [65.0, 65.1, None]}
    )
    assert noise.zone_verdict(frame)["sudden_meets"].to_list() == [True, False, None]


def test_attainment_by_zone_and_pooled() -> None:
    frame = pl.DataFrame(
        {
            "zone": ["1", "1", "2", "2", "2", "3"],
            "day_meets": [True, False, True, True, True, True],
            "night_meets": [False, False, True, True, None, True],
        }
    )
    found = noise.attainment(frame).select("zone", "period", "attaining", "total", "rounded", "missing")
    assert set(found.rows()) == {
        ("1", "day", 1, 2, 50.0, None),
        ("2", "day", 3, 3, 100.0, None),
        ("3", "day", 1, 1, 100.0, None),
        ("合计", "day", 5, 6, 83.3, None),
        ("1", "night", 0, 2, 0.0, None),
        ("2", "night", 2, 2, 100.0, "1点次"),
        ("3", "night", 1, 1, 100.0, None),
        ("合计", "night", 3, 5, 60.0, "1点次"),
    }


def test_grades_at_their_edges() -> None:
    for kind, period, ends in (
        ("regional", "day", (50, 55, 60, 65)),
        ("regional", "night", (40, 45, 50, 55)),
        ("road_traffic", "day", (68, 70, 72, 74)),
        ("road_traffic", "night", (58, 60, 62, 64)),
    ):
        for number, end in enumerate(ends, start=1):
            for level, wanted in ((float(end), number), (end + 0.04, number), (end + 0.06, number + 1)):
                frame = pl.DataFrame({"site": ["a"], "value": [level], "length": [2.0]})
                assert noise.city_grade(frame, kind, period)["level"].item() == wanted, (kind, period, level)


def test_roads_are_weighted_by_length_and_a_road_without_one_is_said() -> None:
    """(70·1 + 60·3)/4 = 62.5; the third stretch has no length."""
    frame = pl.DataFrame({"site": ["a", "b", "c"], "value": [70.0, 60.0, 90.0], "length": [1.0, 3.0, None]})
    found = noise.city_grade(frame, "road_traffic").row(0, named=True)
    assert (found["mean"], found["rounded"], found["points"], found["missing"]) == (62.5, 62.5, 2, "1个点位")


def test_boundary_of_works_day_night_maximum_and_a_near_building() -> None:
    frame = pl.DataFrame(
        {
            "site": "a",
            "zone": "2",
            "period": ["昼间", "夜间", "夜间", "夜间", "day"],
            "value": [60.0, 50.0, 50.0, 50.0, 50.1],
            "maximum": [None, 60.1, 65.0, 60.1, None],
            "occasion": [None, "频发", "偶发", None, None],
            "near_building": [False, False, False, False, True],
        }
    )
    found = noise.boundary(frame)
    assert found["meets"].to_list() == [True, True, True, True, False]
    assert found["limit"].to_list() == [60.0, 50.0, 50.0, 50.0, 50.0]
    assert found["maximum_meets"].to_list() == [None, False, True, False, None]
    assert found["note"].to_list()[3] == "未注明频发或偶发，最大声级按频发噪声从严评价"


def test_construction_by_the_edition_of_the_day() -> None:
    frame = pl.DataFrame(
        {"site": "a", "date": [date(2025, 12, 31), date(2026, 1, 1)], "period": "day", "value": [70.0, 70.1]}
    )
    found = noise.construction(frame)
    assert found["edition"].to_list() == ["GB 12523—2011", "GB 12523—2025"]
    assert found["meets"].to_list() == [True, False]
    assert "未全" in found["clause"][1]
    with pytest.raises(EditionError, match="2012-06-30"):
        noise.construction(frame.with_columns(date=pl.lit(date(2012, 6, 30))))
    assert noise.construction(frame, edition="2011")["edition"].unique().to_list() == ["GB 12523—2011"]


def test_rooms_by_table_2_and_bands_by_table_3() -> None:
    rooms = pl.DataFrame(
        {"site": "a", "zone": ["1", "4"], "period": "night", "room": ["B", "A"], "value": [35.1, 35.0]}
    )
    assert noise.structure_borne(rooms).select("limit", "over", "meets").rows() == [
        (35.0, 0.1, False),
        (35.0, None, True),
    ]
    bands = pl.DataFrame(
        {"site": "a", "zone": "0", "period": "night", "room": ["A", "B"], "band": [31.5, 500.0], "value": [69.0, 24.1]}
    )
    assert noise.octave(bands).select("limit", "meets").rows() == [(69.0, True), (24.0, False)]


def test_wrong_input_is_refused_by_name() -> None:
    frame = pl.DataFrame({"site": ["a"], "zone": ["5"], "date": [date(2025, 6, 1)], "ld": [50.0], "ln": [40.0]})
    with pytest.raises(InputError, match="zone 中的“5”"):
        noise.zone_verdict(frame)
    with pytest.raises(InputError, match="缺少列 zone"):
        noise.zone_verdict(frame.drop("zone"))
    with pytest.raises(InputError, match="start"):
        noise.levels(hours([50.0]), stamp="")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="Leq"):
        noise.levels(hours([50.0], factor="a34004"), stamp="start")
    with pytest.raises(InputError, match="period 中的“傍晚”"):
        noise.boundary(pl.DataFrame({"site": ["a"], "zone": ["1"], "period": ["傍晚"], "value": [50.0]}))
    with pytest.raises(InputError, match=r"band 中的“1000\.0”"):
        noise.octave(
            pl.DataFrame(
                {"site": ["a"], "zone": ["1"], "period": ["day"], "room": ["A"], "band": [1000.0], "value": [1.0]}
            )
        )
    with pytest.raises(InputError, match="regional"):
        noise.city_grade(pl.DataFrame({"site": ["a"], "value": [50.0]}), kind="rail")
    with pytest.raises(EditionError, match="2008-09-30"):
        noise.zone_verdict(frame.with_columns(zone=pl.lit("1"), date=pl.lit(date(2008, 9, 30))))


def test_what_does_not_count_is_told_by_row_and_reason() -> None:
    frame = pl.DataFrame(
        {
            "site": list("abcdef"),
            "factor": ["Leq", "Leq", "Leq", "Leq", "a34004", "Leq"],
            "value": [50.0, None, -1.0, 151.0, 60.0, 70.0],
            "length": [1.0, 1.0, 1.0, 1.0, 1.0, 0.0],
        }
    )
    assert noise.rejects(frame).select("site", "field", "zh").rows() == [
        ("b", "value", "没有数值"), ("c", "value", "不可能为负值"), ("d", "value", "不可能大于 150"),
        ("e", "factor", "不是等效声级（Leq）"), ("f", "length", "没有路段长度"),
    ]  # fmt: skip
    seen = pl.DataFrame({"site": ["a", "b"], "ld": [50.0, 50.0], "ln": [40.0, None], "night_max": [None, 60.0]})
    assert noise.rejects(seen).select("site", "field").rows() == [("b", "ln")]
    with pytest.raises(InputError, match="没有声级的列"):
        noise.rejects(frame.select("site"))


@pytest.mark.parametrize("evaluator", [noise.boundary, noise.construction, noise.structure_borne, noise.octave])
def test_text_in_a_column_of_levels_is_refused_by_name(evaluator: Callable[[Any], Any]) -> None:
    frame = pl.DataFrame(
        {"site": ["a"], "date": [date(2025, 6, 1)], "zone": ["1"], "period": ["day"], "room": ["A"], "band": [63]}
    )
    with pytest.raises(InputError, match="列 value 应为数字"):
        evaluator(frame.with_columns(value=pl.lit("about 50")))
    with pytest.raises(InputError, match="列 maximum 应为数字"):
        evaluator(frame.with_columns(value=50.0, maximum=pl.lit("x")))


def plain(result: Any) -> pl.DataFrame:
    found = nw.from_native(result)
    eager = found.collect() if isinstance(found, nw.LazyFrame) else found
    frame = pl.from_arrow(eager.to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(
        pl.col(pl.Int8, pl.Int16, pl.Int32, pl.UInt32).cast(pl.Int64),
        pl.col(pl.Datetime).dt.date(),
        pl.col(pl.Float64).fill_nan(None),
    )


def same(ours: pl.DataFrame, theirs: pl.DataFrame, keys: list[str]) -> None:
    left, right = plain(ours).sort(keys), theirs.select(ours.columns).sort(keys)
    assert left.height == right.height > 0
    for name, kind in left.schema.items():
        if kind == pl.Float64 and name in ("ld", "ln", "ldn", "mean", "rate"):
            wanted = pytest.approx(right[name].fill_null(math.nan).to_list(), rel=1e-12, nan_ok=True)
            assert left[name].fill_null(math.nan).to_list() == wanted, name
        else:
            assert left[name].to_list() == right[name].to_list(), name


def test_every_engine_gives_the_same(engine: Callable[[pl.DataFrame], Any]) -> None:
    two_days = pl.concat(
        hours([50.0 + (number * 7 + site) % 13 for number in range(48)]).with_columns(
            site=pl.lit(f"s{site}"), zone=pl.lit(("1", "4a", "2")[site])
        )
        for site in range(3)
    ).with_columns(pl.when(pl.col("value") == 57).then(float("nan")).otherwise("value").alias("value"))
    ours = noise.zone_verdict(noise.levels(two_days, stamp="start"))
    theirs = noise.zone_verdict(noise.levels(engine(two_days), stamp="start"))
    same(ours, plain(theirs), ["site", "date"])
    same(noise.attainment(ours), plain(noise.attainment(theirs)), ["zone", "period"])
    roads = two_days.select("site", "value", length=pl.col("value") * 3)
    same(noise.city_grade(roads, "road_traffic"), plain(noise.city_grade(engine(roads), "road_traffic")), ["level"])
    works = two_days.select("site", "value", zone=pl.lit("3"), period=pl.lit("夜间"), maximum=pl.col("value") + 9)
    wrong = plain(noise.rejects(engine(two_days.with_columns(pl.col("value") * 3)))).select("site", "zh").sort("site")
    assert wrong.height == plain(noise.rejects(two_days.with_columns(pl.col("value") * 3))).height > 0
    keys = ["site", "value", "maximum"]
    same(noise.boundary(works), plain(noise.boundary(engine(works))), keys)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(300, 900), min_size=24, max_size=24), st.integers(0, 23), st.integers(1, 300))
def test_a_louder_hour_never_gives_a_better_verdict(tenths: list[int], which: int, louder: int) -> None:
    quiet = hours([value / 10 for value in tenths], zone="2")
    loud = hours([(value + (louder if number == which else 0)) / 10 for number, value in enumerate(tenths)], zone="2")
    before, after = (noise.zone_verdict(frame, "start").row(0, named=True) for frame in (quiet, loud))
    assert after["ld"] >= before["ld"]
    assert after["ln"] >= before["ln"]
    assert before["day_meets"] or not after["day_meets"]
    assert before["night_meets"] or not after["night_meets"]


@settings(max_examples=15, deadline=None)
@given(st.permutations(range(24)))
def test_the_order_of_rows_changes_nothing(order: list[int]) -> None:
    frame = hours([45.0 + number % 7 for number in range(24)])
    same(noise.levels(frame, "start"), plain(noise.levels(frame[order], "start")), ["site"])
