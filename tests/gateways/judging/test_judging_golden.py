"""Published tables, judged as the files that they are: figures that others printed, met by ours."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from qinglan.gateways.judging.declare import find
from qinglan.gateways.judging.files import judge_file
from qinglan.gateways.judging.preparing import Wishes
from qinglan.gateways.judging.summary import line

pytestmark = pytest.mark.golden


def test_every_class_of_the_release_of_8_may_2020(shared: Path):
    """1,439 of 1,439, the kind from its own column; 522 rows whose kind is not said have one class all the same."""
    path = shared / "standards/water/example_cnemc_20200508.csv"
    found = judge_file(path, find("water"), Wishes({"kind": "tp_limit_set_that_matches"}))
    official = pl.read_csv(path)["class_official"]
    assert len(official) == 1439
    assert (found.verdicts["grade"] == official).sum() == 1439
    assert found.rejects.is_empty()
    assert any("有 522 行写的不是河流、湖库" in zh for zh, _ in found.notes)
    assert line(found)[0].startswith("1430 个断面 1439 次评价：Ⅰ～Ⅲ类 1072 个（74.50%）")


def test_the_sea_off_qingdao_in_2017(shared: Path):
    path = shared / "standards/sea/example_qingdao_2017.csv"
    facts = pl.read_csv(path, schema_overrides={"station": pl.String})
    found = judge_file(path, find("sea"))
    words = {"劣四": "劣四类", "1": "一类", "2": "二类", "3": "三类", "4": "四类"}
    expected = [words[str(one)] for one in facts["class_computed"].cast(pl.String).to_list()]
    assert found.verdicts["word"].to_list() == expected
    assert found.verdicts["e_rounded"].to_list() == pytest.approx(facts["E_computed"].to_list(), abs=0.005)


def test_the_word_for_the_national_coast(shared: Path):
    path = shared / "standards/sea/example_grade.csv"
    found = judge_file(path, find("sea", "words"))
    assert found.verdicts["word"].to_list() == pl.read_csv(path)["published_grade"].to_list()


def test_the_example_files_are_judged_by_the_command_as_by_the_library(shared: Path):
    from qinglan.standards import water

    path = shared / "standards/water/example_cnemc_20200508.csv"
    found = judge_file(path, find("water"), Wishes({"kind": "river"}))
    frame = pl.read_csv(path).select(
        pl.int_range(pl.len()).alias("site"), pl.lit("2020-05-08").alias("time"), "ph", do="do_mg_l",
        codmn="codmn_mg_l", nh3n="nh3n_mg_l", tp="tp_mg_l",
    )  # fmt: skip
    library = water.section_class(frame, kind="river").sort("site")
    for name in ("grade", "word", "main_pollutants", "deciding"):
        assert found.verdicts[name].to_list() == library[name].to_list()
