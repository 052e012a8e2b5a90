"""Every evaluator of water on every engine: rounded results, classes and words the same, the others to 1e-12."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from typing import Any

import narwhals as nw
import numpy as np
import polars as pl
import pytest

from qinglan.core.errors import InputError
from qinglan.standards import water

ITEMS = {"ph": 7.0, "DO": 6.0, "高锰酸盐指数": 5.0, "w21003": 0.9, "TP": 0.15, "汞": 0.0001, "氰化物": 0.1, "总氮": 1.2}


def awkward_samples() -> pl.DataFrame:
    """Text values with qualifiers, impossible ones and gaps, over four months of six sections in two basins."""
    random = np.random.default_rng(3838)
    rows = []
    for number, site in enumerate("abcdef"):
        for month in range(1, 5):
            for day in (1, 9):
                for factor, usual in ITEMS.items():
                    value = round(float(random.gamma(4, usual / 4)), 5) if factor != "ph" else 7.5
                    text: str | None = str(value)
                    chance = random.random()
                    if chance < 0.08:
                        text = f"<{value}"
                    elif chance < 0.11:
                        text = "-1"
                    elif chance < 0.14:
                        text = "未检出"
                    elif chance < 0.2:
                        text = None
                    kind = "lake" if number == 5 else "river"
                    rows.append((site, "AB"[number // 4], kind, factor, datetime(2024, month, day, 8), text))
    schema = ["site", "basin", "kind", "factor", "time", "value"]
    return pl.DataFrame(rows, schema=schema, orient="row").sample(fraction=1.0, shuffle=True, seed=5)


def flows() -> pl.DataFrame:
    random = np.random.default_rng(712)
    days = [date(2020, 1, 1) + timedelta(days=number) for number in range(1096)]
    return pl.DataFrame({"site": "a", "time": days, "value": np.round(random.gamma(3, 5, len(days)), 2)})


def plants() -> pl.DataFrame:
    cells = {"COD": "51", "氨氮": "6", "总磷": "<0.6", "烷基汞": "ND", "pH": "9.2", "BOD5": "12"}
    frame = pl.DataFrame(
        {"site": "p", "time": datetime(2024, 1, 1), "factor": list(cells), "value": list(cells.values())}
    )
    return pl.concat([frame.with_columns(grade=pl.lit("1A")), frame.with_columns(site=pl.lit("q"), grade=pl.lit("3"))])


def points() -> pl.DataFrame:
    random = np.random.default_rng(130)
    rows = [
        ("w", f"{number}", float(number), 20.0 if number == 2 else 50.0, item, float(day), round(float(value), 2))
        for number in range(6)
        for item, scale in (("sd", 12.0), ("do", 1.0), ("nh3n", 10.0))
        for day, value in enumerate(random.gamma(3, scale / 3, 4) * (0.4 if number in (1, 2, 3) else 1))
    ]
    return pl.DataFrame(rows, schema=["water", "site", "order", "depth", "factor", "time", "value"], orient="row")


def classes() -> pl.DataFrame:
    return pl.DataFrame(
        {
            "site": list("abcdefg") + list("abcdefghijk"),
            "period": ["2020"] * 7 + ["2025"] * 11,
            "last_month": ["2020-12"] * 7 + ["2025-12"] * 11,
            "water_class": [1, 2, 3, 3, 4, 5, 6] + [3] * 10 + [4],
        }
    )


def network() -> pl.DataFrame:
    old = pl.DataFrame(
        {"network": "seven", "site": list("abcdefg"), "start": date(2016, 1, 1), "end": date(2020, 12, 31)}
    )
    new = pl.DataFrame({"network": "eleven", "site": list("abcdefghijk"), "start": date(2021, 1, 1)})
    return pl.concat([old, new.with_columns(end=pl.lit(None, dtype=pl.Date))])


def lakes() -> pl.DataFrame:
    return awkward_samples().with_columns(pl.col("factor").replace({"汞": "透明度", "氰化物": "叶绿素a"}))


def indices() -> pl.DataFrame:
    return pl.DataFrame({"site": ["a", "b"], "time": "t", "tli_chla": [40.0, None], "tli_tp": [51.5, 70.0]})


def flow_goals() -> pl.DataFrame:
    return pl.DataFrame({"site": "a", "month": list(range(1, 13)), "target": [12.0, 15.0, 18.0] * 4})


def black_points() -> pl.DataFrame:
    return pl.DataFrame({"water": ["w"] * 5 + ["v"], "site": list("abcdef"), "level": [2, 2, 2, 1, 0, None]})


def cities(shift: float) -> pl.DataFrame:
    return pl.DataFrame({"city": ["a", "b", "c"], "cwqi": [3.0 + shift, 4.125, 5.5 - shift]})


Same = Callable[[pl.DataFrame], Any]
Ask = Callable[[Same], Any]
QUESTIONS: dict[str, tuple[Ask, list[str]]] = {
    "sections": (lambda on: water.section_class(on(awkward_samples()), "kind"), ["site", "time"]),
    "sections, no kind": (lambda on: water.section_class(on(awkward_samples())), ["site", "time"]),
    "items": (lambda on: water.item_class(on(awkward_samples()), "kind"), ["site", "time", "factor"]),
    "basins": (lambda on: water.basin_evaluation(on(awkward_samples()), "kind"), ["basin", "time"]),
    "months": (lambda on: water.section_assessment(on(awkward_samples()), "kind"), ["site", "period"]),
    "years": (lambda on: water.section_assessment(on(awkward_samples()), "kind", period="year"), ["site", "period"]),
    "quarters": (
        lambda on: water.section_assessment(on(awkward_samples()), "kind", period="quarter"),
        ["site", "period"],
    ),
    "shares": (lambda on: water.network_shares(on(classes()), on(network())), ["network", "period"]),
    "lakes": (lambda on: water.trophic_index(on(lakes())), ["site", "time"]),
    "cities": (
        lambda on: water.city_index(on(awkward_samples()), "kind", by="basin", items=["ph", "do", "codmn", "tp"]),
        ["basin"],
    ),
    "sources": (lambda on: water.source_tests(on(awkward_samples()), "kind"), ["site", "time"]),
    "plants": (lambda on: water.discharge_verdict(on(plants()), "grade"), ["site", "factor"]),
    "black": (lambda on: water.black_odorous_points(on(points())), ["site"]),
    "kinds": (
        lambda on: water.learned_kinds(on(awkward_samples().with_columns(published=pl.lit("Ⅳ"))), "published"),
        ["site"],
    ),
    **{
        method: (lambda on, m=method: water.flow_targets(on(flows()), m), ["site", "month"])  # type: ignore[misc]
        for method in ("tennant", "monthly_share", "q90", "7q10", "monthly_q90")
    },
    "satisfaction": (lambda on: water.flow_satisfaction(on(flows()), on(flow_goals())), ["site", "month"]),
    "black waters": (lambda on: water.black_odorous_waters(on(black_points())), ["water"]),
    "lakes by indices": (lambda on: water.trophic_from_indices(on(indices())), ["site"]),
    "change of cities": (lambda on: water.index_change(on(cities(0.1)), on(cities(0.0))), ["city"]),
}  # fmt: skip
ONCE_IS_ENOUGH = ("sections, no kind", "months", "quarters", "monthly_share", "q90", "monthly_q90")
"""Questions that ask an evaluator again; Spark, which plans slowly, gets each evaluator once."""
PAIRS = [
    pytest.param(question, engine, marks=[pytest.mark.spark] if engine == "spark" else [])
    for question in QUESTIONS
    for engine in ("pandas", "pyarrow", "duckdb", "spark")
    if engine != "spark" or question not in ONCE_IS_ENOUGH
]
EXACT = ("rounded", "limit", "multiple", "rate", "share_good", "share_bad")


def polars_of(result: Any) -> pl.DataFrame:
    found = nw.from_native(result)
    eager = found.collect() if isinstance(found, nw.LazyFrame) else found
    frame = eager.to_polars() if hasattr(eager, "to_polars") else pl.from_arrow(eager.to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame.with_columns(
        pl.col(pl.Int8, pl.Int16, pl.Int32, pl.UInt32).cast(pl.Int64),
        pl.col(pl.Datetime).dt.replace_time_zone(None).cast(pl.Datetime("us")),
        pl.col(pl.Float64).fill_nan(None),
    )


def assert_same(ours: pl.DataFrame, theirs: pl.DataFrame, keys: list[str]) -> None:
    assert set(ours.columns) == set(theirs.columns)
    left, right = ours.sort(keys), theirs.select(ours.columns).sort(keys)
    assert left.height == right.height > 0
    for name, kind in left.schema.items():
        if kind == pl.Float64 and name not in EXACT:
            other = right[name].cast(pl.Float64)
            assert left[name].is_null().equals(other.is_null()), name
            difference = (left[name] - other).abs().max()
            assert difference is None or difference <= 1e-12 * max(1.0, left[name].abs().max() or 1.0), name
        elif kind == pl.Null or right[name].dtype == pl.Null:
            assert left[name].null_count() == right[name].null_count() == left.height, name
        elif kind == pl.Boolean:
            as_boolean = [None if one is None else bool(one) for one in right[name].to_list()]
            assert left[name].to_list() == as_boolean, name
        elif kind == pl.Int64:
            assert left[name].to_list() == right[name].cast(pl.Float64).fill_nan(None).cast(pl.Int64).to_list(), name
        else:
            assert left[name].to_list() == right[name].to_list(), name


@pytest.mark.parametrize(("question", "engine"), PAIRS, indirect=["engine"])
def test_every_engine_gives_the_same(question: str, engine: Same) -> None:
    ask, keys = QUESTIONS[question]
    ours = polars_of(ask(lambda frame: frame))
    assert_same(ours, polars_of(ask(engine)), keys)
    assert_same(ours, polars_of(ask(lambda frame: frame.lazy())), keys)


def test_source_rates_on_every_engine(engine: Same) -> None:
    tests = pl.DataFrame(
        {
            "site": ["a", "a", "b"],
            "time": [date(2024, 1, 1), date(2024, 2, 1), date(2024, 1, 1)],
            "meets": [True, False, True],
        }
    )
    volumes = pl.DataFrame({"site": ["a", "b"], "year": [2024, 2024], "volume": [1.0, 3.0]})
    found = polars_of(water.source_rates(engine(tests), engine(volumes)))
    assert found.select("year", "sources", "qualified", "rate", "volume_rate").rows() == [(2024, 2, 1, 50.0, 75.0)]


def test_row_order_and_units_change_nothing() -> None:
    frame = awkward_samples().filter(
        pl.col("value").cast(pl.Float64, strict=False).is_not_null() & (pl.col("value") != "-1")
    )
    numbers = frame.with_columns(pl.col("value").cast(pl.Float64))
    once = water.section_class(numbers, "kind").sort("site", "time")
    again = water.section_class(numbers.reverse(), "kind").sort("site", "time")
    assert once.equals(again)
    micrograms = numbers.with_columns(
        pl.when(pl.col("factor") != "ph").then(pl.lit("μg/L")).otherwise(pl.lit("无量纲")).alias("unit"),
        pl.when(pl.col("factor") != "ph").then(pl.col("value") * 1000).otherwise("value").alias("value"),
    )
    assert once.equals(water.section_class(micrograms, "kind").sort("site", "time"))


def test_a_result_is_of_the_kind_that_was_given() -> None:
    pandas = pytest.importorskip("pandas")
    frame = awkward_samples()
    assert isinstance(water.section_class(frame), pl.DataFrame)
    assert isinstance(water.section_class(frame.lazy()), pl.LazyFrame)
    assert isinstance(water.section_class(frame.to_pandas()), pandas.DataFrame)


def test_an_empty_frame_gives_an_empty_verdict() -> None:
    wide = pl.DataFrame(schema={"site": pl.String, "time": pl.Date, "codmn": pl.Float64})
    assert water.section_class(wide, "river").height == 0


@pytest.mark.parametrize("absent", ["site", "time", "value"])
def test_a_missing_column_is_named(absent: str) -> None:
    with pytest.raises(InputError, match=absent):
        water.section_class(awkward_samples().drop(absent), "kind")
