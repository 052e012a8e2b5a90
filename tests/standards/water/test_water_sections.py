"""Classes, words and pollutants by hand; what is not known stays unknown; what cannot be is refused."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.core.errors import EditionError, InputError
from qinglan.standards import water

WORSE = {"codmn": 40.0, "nh3n": 10.0, "tp": 2.0, "cod": 200.0, "hg": 0.01}


def one(**values: object) -> pl.DataFrame:
    cells = {factor: str(value) for factor, value in values.items()}
    return pl.DataFrame({"site": "a", "time": "t", "factor": list(cells), "value": list(cells.values())})


def verdict(frame: pl.DataFrame, kind: str | None = "river") -> tuple[int | None, str | None, str | None]:
    return water.section_class(frame, kind).select("water_class", "word", "main_pollutants").row(0)  # type: ignore[return-value]


def test_values_on_the_limit_are_of_the_better_class() -> None:
    """Table 1: ammonia 0.15, 0.5, 1.0, 1.5, 2.0."""
    for number, limit in enumerate((0.15, 0.5, 1.0, 1.5, 2.0), start=1):
        assert verdict(one(nh3n=limit))[0] == number
        assert verdict(one(nh3n=limit + 1e-6))[0] == number + 1


def test_at_most_three_pollutants_by_class_then_multiple() -> None:
    """COD 50 is 劣Ⅴ (50/20 − 1 = 1.5), ammonia 1.9 and TP 0.36 are Ⅴ (0.9 and 0.8); BOD5 5 is Ⅳ and the fourth."""
    found = verdict(one(cod=50, nh3n=1.9, tp=0.36, bod5=5))
    assert found == (6, "重度污染", "化学需氧量(1.5)、氨氮(0.9)、总磷(0.8)")


def test_a_value_below_detection_is_judged_by_both_ends() -> None:
    """Mercury < 0.0001 lies in class I to III: it leaves class III alone, and class II undetermined."""
    assert verdict(one(hg="<0.0001", codmn=5))[0] == 3
    found = water.section_class(one(hg="<0.0001", codmn=3), "river")
    assert found["water_class"].to_list() == [None]
    assert found["note"].item() == "无法判定：汞（检出限或水体类型使类别不能确定）"
    assert verdict(one(hg="ND", codmn=16))[0] == 6
    assert verdict(one(hg="<0.00001", codmn=1))[0] == 1


def test_oxygen_below_detection_cannot_be_better_than_its_limit() -> None:
    assert verdict(one(do="<0.5"))[0] == 6


def test_the_kind_matters_for_phosphorus_only() -> None:
    assert [verdict(one(tp=0.04), kind)[0] for kind in ("river", "lake", None)] == [2, 3, None]
    assert verdict(one(tp=0.04, codmn=7), None)[0] == 4


def test_one_item_of_a_known_kind() -> None:
    """Phosphorus 0.04 is class II in a river; ammonia 1.3 is class IV, 0.3 times over class III."""
    river = water.item_class(one(tp=0.04), "river").select("water_class", "limit", "multiple", "evaluated").row(0)
    assert river == (2, 0.2, None, True)
    ammonia = water.item_class(one(nh3n=1.3), "lake").select("title", "grade", "limit", "multiple", "note").row(0)
    assert ammonia == ("氨氮", "Ⅳ", 1.0, 0.3, None)


def test_saturation_counts_only_when_asked() -> None:
    """At 25 °C saturation is 468 / 56.6 = 8.27 mg/L and 90 % of it 7.44: oxygen 7.45 is class I by it, II without."""
    frame = one(do=7.45, water_temp=25)
    assert water.section_class(frame, "river")["water_class"].item() == 2
    assert water.section_class(frame, "river", saturation=True)["water_class"].item() == 1


def test_a_code_has_the_unit_of_the_catalogue_and_a_word_that_of_the_standard() -> None:
    """w20142 is mercury in µg/L: 0.08 is 0.00008 mg/L, class III; written 汞 it is 0.08 mg/L."""
    assert verdict(one(w20142=0.08))[0] == 3
    assert verdict(one(汞=0.08))[0] == 6


def test_missing_items_are_named() -> None:
    found = water.section_class(one(codmn=5, nh3n=""), "river")
    assert found["items"].item() == 1
    assert found["missing"].item().startswith("氨氮、pH、溶解氧、化学需氧量")


def test_impossible_values_are_left_out_and_named() -> None:
    found = water.section_class(one(codmn=-9999, nh3n=0.4, ph=15), "river")
    assert found["water_class"].item() == 2
    assert found["note"].item() == "剔除不可能的值：高锰酸盐指数、pH"


def test_flagged_rows_do_not_count() -> None:
    frame = one(codmn=20, nh3n=0.4).with_columns(flag=pl.Series(["maintenance", None]))
    assert verdict(frame)[0] == 2


@pytest.mark.parametrize(
    ("frame", "kind", "word"),
    [
        (one(codmn="about 3"), "river", "about 3"),
        (one(codmn=3), "pond", "pond"),
        (one(**{"PM2.5": 3}), "river", "PM2.5"),
        (one(codmn=3).with_columns(unit=pl.lit("km")), "river", "km"),
        (pl.DataFrame({"site": ["a"], "time": ["t"], "codmn": ["<3"]}), "river", "codmn"),
        (pl.DataFrame({"site": ["a"], "time": ["t"], "codmn": [3.0], "高锰酸盐指数": [3.0]}), "river", "高锰酸盐指数"),
    ],
)
def test_wrong_input_is_refused_by_name(frame: pl.DataFrame, kind: str, word: str) -> None:
    with pytest.raises(InputError, match=word):
        water.section_class(frame, kind)


def test_a_day_before_the_first_edition_is_refused() -> None:
    frame = one(codmn=3).with_columns(time=pl.lit(date(2001, 1, 1)))
    with pytest.raises(EditionError, match="2001-01-01"):
        water.section_class(frame, "river")
    assert water.section_class(frame, "river", edition="2002")["water_class"].item() == 2


concentration = st.floats(0.0001, 30, allow_nan=False).map(lambda value: round(value, 4))


@settings(max_examples=25, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys(WORSE, concentration)), st.sampled_from(sorted(WORSE)))
def test_worse_is_never_better_and_more_items_never_better(values: dict[str, float], item: str) -> None:
    base = verdict(one(**values))[0]
    worse = verdict(one(**values | {item: values[item] + 1}))[0]
    fewer = verdict(one(**{name: value for name, value in values.items() if name != item}))[0]
    assert base is not None
    assert worse is not None
    assert fewer is not None
    assert worse >= base >= fewer
