"""Factors by code, alias and title; expected rows were read in the national table by hand."""

from __future__ import annotations

import csv
from importlib import resources
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qinglan.catalogue import factors
from qinglan.core.errors import InputError
from qinglan.core.units import normal

AIR = {
    "a34004": ("PM2.5", "ug/m3", "ng/m3"),
    "a34002": ("PM10", "ug/m3", "ng/m3"),
    "a21026": ("SO2", "ug/m3", "mg/m3"),
    "a21004": ("NO2", "ug/m3", "mg/m3"),
    "a21005": ("CO", "mg/m3", "mg/m3"),
    "a05024": ("O3", "ug/m3", None),
}


@pytest.mark.parametrize(
    ("code", "zh", "unit", "medium", "code_2005"),
    [
        ("w01018", "化学需氧量", "mg/L", "water", "011"),
        ("w21003", "氨氮", "mg/L", "water", "060"),
        ("w20111", "总汞", "ug/L", "water", "020"),
        ("w00000", "污水", "L/s", "water", "B01"),
        ("a34013", "烟尘", "mg/m3", "air/flue gas", "01"),
        ("a24088", "非甲烷总烃", "mg/m3", "air/flue gas", None),
        ("g205xx", "炉膛床温", "degC", "flue gas process", None),
    ],
)
def test_rows_of_the_national_table(code, zh, unit, medium, code_2005):
    found = factors.get(code)
    assert (found.id, found.title.zh, found.unit, found.medium, found.code_2005) == (code, zh, unit, medium, code_2005)


@pytest.mark.parametrize("code", AIR)
def test_ambient_air_is_kept_in_the_unit_of_gb_3095_and_sent_in_that_of_hj_212(code):
    found = factors.get(code)
    assert (found.alias, found.unit, found.transmitted_unit) == AIR[code]
    low, high = found.plausible
    assert low < high < 1000 * low


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("PM2.5", "a34004"),
        ("PM25", "a34004"),
        ("pm2_5", "a34004"),
        ("PM₂.₅", "a34004"),
        ("ＰＭ２．５", "a34004"),
        ("细颗粒物", "a34004"),
        (" A34004 ", "a34004"),
        ("可吸入颗粒物", "a34002"),
        ("so₂", "a21026"),
        ("一氧化碳", "a21005"),
        ("臭氧", "a05024"),
        ("PM2.5_24h", "a34004-24h"),
        ("O3_8h_24h", "a05024-8h-24h"),
        ("COD", "w01018"),
        ("NH3-N", "w21003"),
        ("总磷", "w21011"),
        ("Total nitrogen", "w21001"),
        ("S01", "a19001"),
        ("VOC", "a99054"),
    ],
)
def test_names_people_write(written, code):
    assert factors.find(written).id == code


def test_every_code_and_title_of_the_shared_table_is_known(shared: Path):
    with (shared / "hj212" / "factors.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) == 406
    assert [row["code"] for row in rows if factors.find(row["code"]) is None] == []
    unit_kept_otherwise = {
        row["code"]
        for row in rows
        if (found := factors.find(row["code"])).id == row["code"] != found.unit != row["unit"]
    }
    assert {"a34004", "a34002", "a21026", "a21004", "a05024"} <= unit_kept_otherwise
    assert not {code for code in unit_kept_otherwise if code.startswith("w")}


def test_a_code_printed_twice_has_both_meanings_and_no_unit():
    found = factors.get("e701xx")
    assert found.title.zh == "污水提升泵／加药量"
    assert found.unit == ""


def test_ids_are_unique_and_units_have_one_spelling():
    every = factors.all_factors()
    assert len({factor.id for factor in every}) == len(every) == 404 - 12 + 16
    assert [factor.id for factor in every if factor.unit != normal(factor.unit)] == []
    assert all(factor.title.zh and factor.title.en for factor in every)


def test_derived_factors_name_the_one_they_come_from():
    derived = {factor.id: factor for factor in factors.all_factors() if factor.of}
    assert set(derived) == {*(f"{code}-24h" for code in AIR), "a05024-8h", "a05024-8h-24h"}
    assert {factor.unit for factor in derived.values() if factor.of != "a21005"} == {"ug/m3"}
    assert derived["a21005-24h"].unit == "mg/m3"


def test_a_title_of_two_media_is_refused_with_both_codes():
    assert factors.find("氟化物") is None
    with pytest.raises(InputError) as refused:
        factors.get("氟化物")
    assert "w21017" in refused.value.zh
    assert "a21018" in refused.value.en


def test_an_unknown_name_is_refused_with_the_nearest():
    with pytest.raises(InputError) as refused:
        factors.get("a34004x")
    assert "a34004（细颗粒物（PM2.5））" in refused.value.zh
    with pytest.raises(InputError, match="a34004"):
        factors.get("☃☃☃☃")


def test_codes_of_2005_need_their_medium():
    assert factors.of_2005("02", "air").id == "a21026"
    assert factors.of_2005("002", "water").id == "w01002"
    assert factors.of_2005("S02", "air").id == "a01011"
    assert factors.of_2005("02", "water") is None
    keys = [(f.code_2005, f.medium.split("/")[0]) for f in factors.all_factors() if f.code_2005]
    assert len(keys) == len(set(keys))


def test_resolve_leaves_out_what_it_does_not_know():
    assert factors.resolve(["O3", "雪", "CO"]) == {"O3": "a05024", "CO": "a21005"}


@given(st.text(alphabet=st.sampled_from("PpMm2.5_ -　ＰＭ₂．五细颗粒物aA\t–"), max_size=12))
def test_the_joined_column_folds_as_the_function_does(text):
    frame = pl.DataFrame({"written": [text]}).select(factors.folded_expression("written"))
    assert frame.item() == factors.folded(text)


def test_lookup_frame_joins_written_names():
    written = pl.DataFrame({"written": ["PM2.5", "一氧化碳", "no such"]})
    joined = written.with_columns(name=factors.folded_expression("written")).join(
        factors.lookup_frame(), on="name", how="left", maintain_order="left"
    )
    assert joined["factor"].to_list() == ["a34004", "a21005", None]


def test_every_alias_names_a_factor_and_only_one():
    with resources.files("qinglan.catalogue").joinpath("aliases.csv").open(encoding="utf-8") as table:
        rows = list(csv.DictReader(table))
    assert len(rows) > 90
    assert [row for row in rows if factors.find(row["alias"]).id != row["code"]] == []
