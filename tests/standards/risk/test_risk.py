"""HJ 941 by hand, its tables against the facts, and the categories of sources."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import narwhals as nw
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.core.errors import InputError
from qinglan.standards import risk

COLUMNS = {
    "site": pl.String,
    "q_air": pl.Float64,
    "m_air": pl.Float64,
    "e_air": pl.String,
    "q_water": pl.Float64,
    "m_water": pl.Float64,
    "e_water": pl.String,
}


def site(**values: object) -> pl.DataFrame:
    return pl.DataFrame([dict.fromkeys(COLUMNS) | {"site": "a"} | values], schema=COLUMNS)


def facts(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "standards/risk" / name).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.mark.golden
def test_critical_quantities_equal_the_facts(shared: Path) -> None:
    (rule,) = risk.enterprise_risks()
    wanted = facts(shared, "hj941_critical_quantity.csv")
    assert len(wanted) == 174
    assert [
        (s.part, s.name, s.cas, s.tonnes, s.air.replace("_", " "), s.water, s.confidence) for s in rule.substances
    ] == [
        (
            int(row["part"]),
            row["name"],
            row["cas"],
            float(row["critical_t"]),
            row["air_related"],
            row["water_related"],
            row["confidence"],
        )
        for row in wanted
    ]
    assert {s.check for s in rule.substances} == {"M"}


@pytest.mark.golden
def test_the_matrix_and_the_sources_equal_the_facts(shared: Path) -> None:
    (rule,) = risk.enterprise_risks()
    assert rule.grade_of == {row["e"] + row["q"] + row["m"]: row["grade"] for row in facts(shared, "hj941_matrix.csv")}
    (sources,) = risk.radioactive_sources()
    for row in facts(shared, "radioactive_source_activity.csv"):
        assert sources.least[row["nuclide"]] == {
            category: float(row[f"{category}_min_bq"]) for category in ("I", "II", "III", "IV", "V")
        }
        assert sources.checks[row["nuclide"]] == ("P" if row["checked"] == "page read" else "M")
    words = {row["category"]: row["word"] for row in facts(shared, "radioactive_source_category.csv")}
    assert sources.words == words


@pytest.mark.golden
def test_points_of_control_equal_the_facts(shared: Path) -> None:
    import tomllib

    with (shared / "standards/risk/hj941_2018_grading.toml").open("rb") as file:
        grading = tomllib.load(file)
    (rule,) = risk.enterprise_risks()
    for medium in ("air", "water"):
        wanted = [[(state, score) for state, score in row.items() if state != "item"] for row in grading[f"m_{medium}"]]
        items = list(dict.fromkeys(item for of, item, _ in rule.points if of == medium))
        got = [
            [(state, score) for (of, name, state), score in rule.points.items() if (of, name) == (medium, item)]
            for item in items
        ]
        assert sorted(map(sorted, got)) == sorted(map(sorted, wanted))


def test_quantities_by_hand() -> None:
    """氨气 10/5 = 2 (air, water); 氯气 3/1 = 3 (air only); 铜 1/0.25 = 4 (water only); petrol 250/2500 = 0.1."""
    rows = pl.DataFrame(
        {
            "site": "a",
            "substance": [
                "氨气",
                "7782-50-5",
                "铜及其化合物(以铜离子计)",
                "油类物质(矿物油类,如石油、汽油、柴油等;生物柴油等)",
            ],
            "tonnes": [10.0, 3.0, 1.0, 250.0],
            "volatile": [None, None, None, False],
        }
    )
    found = risk.risk_quantity(rows)
    assert found["q_air"].item() == pytest.approx(5)
    assert found["q_water"].item() == pytest.approx(6.1)
    assert risk.risk_quantity(rows.drop("volatile"))["q_air"].item() == pytest.approx(5.1)
    assert (found["unknown"].item(), found["missing"].item()) == (0, None)


def test_an_unknown_substance_is_counted_and_said() -> None:
    rows = pl.DataFrame({"site": "a", "substance": ["氨气", "某物"], "tonnes": [10.0, 3.0]})
    found = risk.risk_quantity(rows)
    assert (found["q_air"].item(), found["unknown"].item()) == (2.0, 1)
    assert "临界量" in found["missing"].item()
    own = rows.with_columns(pl.Series("critical", [99.0, 1.5]))
    assert risk.risk_quantity(own).select("q_air", "q_water", "unknown").row(0) == (4.0, 4.0, 0)
    each = risk.critical_quantities(rows)
    assert each["note"].to_list() == [None, "临界量未收录"]
    with pytest.raises(InputError, match="tonnes 有 -3"):
        risk.risk_quantity(rows.with_columns(-pl.col("tonnes")).slice(1))


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"q_air": 0.99, "q_water": 0.0}, "一般[一般-大气(Q0)+一般-水(Q0)]"),
        ({"q_air": 1, "m_air": 24.9, "e_air": "E1", "q_water": 0}, "较大[较大-大气(Q1-M1-E1)+一般-水(Q0)]"),
        ({"q_air": 9.9, "m_air": 45, "e_air": "E1", "q_water": 0}, "重大[重大-大气(Q1-M3-E1)+一般-水(Q0)]"),
        (
            {"q_air": 10, "m_air": 25, "e_air": "E3", "q_water": 100, "m_water": 65, "e_water": "E3"},
            "重大[较大-大气(Q2-M2-E3)+重大-水(Q3-M4-E3)]",
        ),
    ],
)
def test_grades_at_the_edges(values: dict[str, object], text: str) -> None:
    assert risk.risk_grade(site(**values))["text"].item() == text


def test_a_penalty_raises_by_one_and_no_further() -> None:
    ordinary = site(q_air=0.1, q_water=0.1).with_columns(pl.lit(value=True).alias("penalised"))
    found = risk.risk_grade(ordinary)
    assert (found["word"].item(), found["note"].item()) == ("较大", "近三年违法被处罚，提高一级")
    worst = site(q_air=100, m_air=70, e_air="E1", q_water=0).with_columns(pl.lit(value=True).alias("penalised"))
    assert risk.risk_grade(worst).select("word", "note").row(0) == ("重大", None)


def test_what_is_missing_never_makes_a_better_grade() -> None:
    found = risk.risk_grade(site(q_air=0.1, q_water=5, m_water=30))
    assert found.select("grade", "missing", "note").row(0) == (None, "水", "资料不全，无法判定")
    serious = risk.risk_grade(site(q_air=200, m_air=70, e_air="E1"))
    assert serious.select("word", "text", "missing").row(0) == ("重大", None, "水")


def test_a_wrong_type_is_refused() -> None:
    with pytest.raises(InputError, match="e_air 的“E4”"):
        risk.risk_grade(site(q_air=5, m_air=5, e_air="E4", q_water=0))


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 500), st.floats(0, 100), st.sampled_from(["E1", "E2", "E3"]), st.floats(1, 20), st.floats(0, 50))
def test_worse_is_never_graded_better(q: float, m: float, e: str, times: float, more: float) -> None:
    before = risk.risk_grade(site(q_air=q, m_air=m, e_air=e, q_water=0))["grade"].item()
    after = risk.risk_grade(site(q_air=q * times, m_air=m + more, e_air=e, q_water=0))["grade"].item()
    assert after <= before


def measures(**states: str) -> pl.DataFrame:
    rows = [("a", *name.split("_", 1), state) for name, state in states.items()]
    return pl.DataFrame(rows, schema=["site", "medium", "item", "state"], orient="row")


ALL_GOOD = {
    "air_leak_alarm": "ok",
    "air_distance": "ok",
    "air_incidents": "none",
    "water_interception": "ok",
    "water_collection": "ok",
    "water_clean_drainage": "ok",
    "water_rain_drainage": "ok",
    "water_treatment": "ok",
    "water_destination": "ok",
    "water_hazardous_waste": "ok",
    "water_incidents": "none",
}


def test_control_points_by_hand() -> None:
    """Four listed sets are 40, capped at 30 (the ministry's reply); no alarm 25; destination middle 6."""
    sets = pl.DataFrame({"site": ["a"], "listed": [4], "high_t_p": [0], "eliminated": [0]})
    states = ALL_GOOD | {"air_leak_alarm": "bad", "water_destination": "middle"}
    found = risk.control_score(sets, measures(**states))
    assert found.select("process", "m_air", "m_water", "missing").row(0) == (30.0, 55.0, 36.0, None)
    del states["air_distance"]
    lacking = risk.control_score(sets, measures(**states))
    assert lacking.select("m_air", "m_water", "missing").row(0) == (None, 36.0, "air/distance")


def test_surroundings_by_hand() -> None:
    flags = ("special", "source_10km", "national_border", "sensitive_10km", "provincial_border", "karst_or_flood")
    base = {"site": "a", "population_5km": 9999, "population_500m": 499} | dict.fromkeys(flags, False)

    def types(**changed: object) -> tuple[str | None, str | None]:
        found = risk.surroundings(pl.DataFrame([base | changed], schema_overrides=dict.fromkeys(flags, pl.Boolean)))
        return found["e_air"].item(), found["e_water"].item()

    assert types() == ("E3", "E3")
    assert types(population_5km=10000) == ("E2", "E3")
    assert types(population_5km=50001) == ("E1", "E3")
    assert types(population_500m=1001, source_10km=True) == ("E1", "E1")
    assert types(karst_or_flood=True) == ("E3", "E2")
    assert types(special=None, sensitive_10km=None) == (None, None)
    assert types(special=None, population_5km=60000) == ("E1", "E3")


@pytest.mark.parametrize(
    ("nuclide", "activity", "category"),
    [
        ("Co-60", 3e13, "I"),
        ("Co-60", 2.99e13, "II"),
        ("Cs-137", 1e11, "III"),
        ("Ir-192", 7.9e10, "IV"),
        ("Cs-137", 1e4, "V"),
        ("Cs-137", 9e3, "exempt"),
        ("Xx-1", 1e9, None),
        ("Cs-137", None, None),
    ],
)
def test_categories_of_sources(nuclide: str, activity: float | None, category: str | None) -> None:
    frame = pl.DataFrame(
        {"site": ["a"], "nuclide": [nuclide], "activity": [activity]}, schema_overrides={"activity": pl.Float64}
    )
    found = risk.source_category(frame)
    assert found["category"].item() == category
    assert (found["note"].item() is None) == (nuclide == "Am-241")


def test_engines_agree(engine: Callable[[pl.DataFrame], Any]) -> None:
    frame = pl.concat(
        [site(q_air=12, m_air=30, e_air="E2", q_water=0.5), site(site="b", q_air=0.1, q_water=5, m_water=30)]
    )
    wanted = risk.risk_grade(frame).select("site", "grade", "text", "missing", "note").rows()
    found = nw.from_native(risk.risk_grade(engine(frame))).lazy().collect(backend="polars").to_native()
    assert found.sort("site").select("site", "grade", "text", "missing", "note").rows() == wanted
    rows = pl.DataFrame({"site": ["a", "a"], "substance": ["氨气", "某物"], "tonnes": [10.0, 3.0]})
    summed = nw.from_native(risk.risk_quantity(engine(rows))).lazy().collect(backend="polars").to_native()
    assert summed.select("q_air", "q_water", "unknown").row(0) == (2.0, 2.0, 1)
