"""Credit grades with vetoes, and the grades of incidents."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw
import polars as pl
import pytest

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import governance

LOCAL = dict.fromkeys((6, 7, 8, 9, 10, 11, 12, 13, 14, 16, 18, 19, 20), 3.0) | {21: 5.0}
"""Weights for the 14 items that the national table at hand leaves open: 13 · 3 + 5 = 44."""


def scores(site: str, **changed: float | None) -> pl.DataFrame:
    values = [changed.get(f"no{number}", 100.0) for number in range(1, 22)]
    frame = pl.DataFrame(
        {"site": site, "indicator": range(1, 22), "score": values}, schema_overrides={"score": pl.Float64}
    )
    return frame.filter(pl.col("score").is_null().not_() | pl.lit(value=True))


def test_weights_by_hand() -> None:
    """No. 1 at 0 of 100: 15 points lost, 85, good; no. 1, 17 and 15 at 0: 60, warned; no. 2 too: 55, bad."""
    frames = [
        scores("full"),
        scores("good", no1=0),
        scores("warned", no1=0, no17=0, no15=0),
        scores("bad", no1=0, no17=0, no15=0, no2=0),
    ]
    found = governance.credit_grade(pl.concat(frames), weights=LOCAL).sort("grade")
    assert found.select("site", "score", "grade", "plate").rows() == [
        ("full", 100.0, 1, "绿牌"),
        ("good", 85.0, 2, "蓝牌"),
        ("warned", 60.0, 3, "黄牌"),
        ("bad", 55.0, 4, "红牌"),
    ]


def test_vetoes_and_an_ordinary_incident() -> None:
    vetoes = pl.DataFrame({"site": ["a", "a", "b"], "condition": [7, 1, 0]})
    found = governance.credit_grade(pl.concat([scores("a"), scores("b"), scores("c")]), vetoes, LOCAL).sort("site")
    assert found["grade"].to_list() == [4, 2, 1]
    assert found["vetoes"].to_list() == ["构成环境犯罪、非法排放、倾倒、处置危险废物，或交给无证单位", None, None]
    assert "降一级" in found["note"][1]


def test_a_missing_score_gives_no_grade_but_a_veto_still_counts() -> None:
    frame = pl.concat([scores("a", no3=None), scores("b", no3=None)])
    found = governance.credit_grade(frame, pl.DataFrame({"site": ["b"], "condition": [13]}), LOCAL).sort("site")
    assert found.select("grade", "missing").rows() == [(None, "3"), (4, "3")]
    assert found["score"].to_list() == [None, None]
    fewer = scores("a").filter(pl.col("indicator") != 20)
    assert governance.credit_grade(fewer, weights=LOCAL)["missing"].item() == "20"


def test_weights_that_are_not_confirmed_must_be_given() -> None:
    with pytest.raises(InputError, match="未确认的有 6、7、8"):
        governance.credit_grade(scores("a"))
    with pytest.raises(InputError, match="合计 101"):
        governance.credit_grade(scores("a"), weights=LOCAL | {21: 6.0})
    with pytest.raises(InputError, match="score 有 101"):
        governance.credit_grade(scores("a", no1=101), weights=LOCAL)


def test_credit_on_other_engines(engine: Callable[[pl.DataFrame], Any]) -> None:
    frame = pl.concat([scores("a", no1=37.5), scores("b")]).with_columns(pl.col("indicator").cast(pl.Int64))
    vetoes = pl.DataFrame({"site": ["b"], "condition": [5]})
    wanted = governance.credit_grade(frame, vetoes, LOCAL).sort("site")
    native = governance.credit_grade(engine(frame), engine(vetoes), LOCAL)
    found = nw.from_native(native).lazy().collect(backend="polars").to_native().sort("site")
    columns = ["site", "score", "grade", "word", "vetoes"]
    assert found.select(columns).rows() == wanted.select(columns).rows()


@pytest.mark.parametrize(
    ("incident", "edition", "level"),
    [
        ({"deaths": 30.0}, "2014", "I"),
        ({"deaths": 29.0}, "2014", "II"),
        ({"deaths": 9.0}, "2014", "III"),
        ({"deaths": 2.0}, "2014", "IV"),
        ({"poisoned_or_seriously_injured": 50.0}, "2014", "II"),
        ({"evacuated": 50000.0}, "2014", "I"),
        ({"direct_loss": 4_999_999.0}, "2014", "IV"),
        ({"direct_loss": 5_000_000.0}, "2014", "III"),
        ({"deaths": 0.0, "border": "II"}, "2014", "II"),
        ({"deaths": 10.0}, "2011", "I"),
        ({"deaths": 3.0}, "2011", "II"),
        ({"deaths": 1.0}, "2011", "III"),
        ({"deaths": 0.0}, "2011", "IV"),
        ({"poisoned": 10.0}, "2011", "III"),
    ],
)
def test_incident_grades(incident: dict[str, Any], edition: str, level: str) -> None:
    found = governance.incident_grade(pl.DataFrame([{"site": "a"} | incident]), edition)
    assert found["level"].item() == level


def test_what_is_not_known_is_named_and_nothing_known_is_no_grade() -> None:
    found = governance.incident_grade(pl.DataFrame({"site": ["a", "b"], "deaths": [3.0, None]}))
    assert found["level"].to_list() == ["III", None]
    assert found["missing"].to_list() == [
        "中毒或重伤、疏散、转移、直接经济损失",
        "中毒或重伤、疏散、转移、直接经济损失、死亡",
    ]
    assert found["note"][1] == "没有可据以分级的情形，无法判定"
    assert governance.incident_grade(pl.DataFrame({"site": ["a"]}))["grade"].to_list() == [None]


def test_a_wrong_description_or_edition_is_refused() -> None:
    with pytest.raises(InputError, match="border 的“很大”"):
        governance.incident_grade(pl.DataFrame({"site": ["a"], "border": ["很大"]}))
    with pytest.raises(EditionError, match="incident-2014"):
        governance.incident_grade(pl.DataFrame({"site": ["a"], "deaths": [1]}), "2020")


def test_incidents_on_other_engines(engine: Callable[[pl.DataFrame], Any]) -> None:
    frame = pl.DataFrame(
        {"site": ["a", "b"], "deaths": [3.0, None], "direct_loss": [3e7, 1.0], "border": [None, "III"]}
    )
    wanted = governance.incident_grade(frame).sort("site")
    found = nw.from_native(governance.incident_grade(engine(frame))).lazy().collect(backend="polars").to_native()
    assert (
        found.sort("site").select("grade", "because", "missing").rows()
        == wanted.select("grade", "because", "missing").rows()
    )
