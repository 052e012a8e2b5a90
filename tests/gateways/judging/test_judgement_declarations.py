"""What `qinglan check` finds wrong with a judgement, and that a new one is one file."""

from __future__ import annotations

from pathlib import Path

import pytest

from qinglan.core.declare import Declarations, read
from qinglan.core.errors import DeclarationError
from qinglan.gateways.judging.declare import FOLDER, Judgement, judgements
from qinglan.gateways.judging.judging import judge
from qinglan.gateways.judging.sheets import written

SEA = (FOLDER / "sea-words.yaml").read_text("utf-8")


def findings(tmp_path: Path, *texts: str) -> list[str]:
    for number, text in enumerate(texts):
        (tmp_path / f"{number}.yaml").write_text(text, "utf-8")
    return [finding.en for finding in Declarations.from_folders([tmp_path]).check()]


def test_the_shipped_judgements_have_nothing_wrong():
    declarations = Declarations.from_folders([FOLDER])
    assert [finding.en for one in declarations for finding in one.check(declarations)] == []
    assert len(declarations.of(Judgement)) == len(judgements()) >= 45


@pytest.mark.parametrize(
    ("old", "new", "wrong"),
    [
        ("evaluator: sea.grade_words", "evaluator: sea.grade_wordz", 'There is no public function "sea.grade_wordz".'),
        ("evaluator: sea.grade_words", "evaluator: see.grade_words", 'There is no module "see".'),
        ("method: words\n", "method: words\n", "sea should have one default method."),
        ("expect: [[一般]]", "expect: [[良好]]", "should give [['良好']], gives [['一般']]."),
    ],
)
def test_what_is_wrong_is_found(tmp_path, old, new, wrong):
    assert old in SEA
    assert any(wrong in one for one in findings(tmp_path, SEA.replace(old, new)))


def test_an_example_that_cannot_be_judged_is_refused_by_name(tmp_path):
    found = findings(tmp_path, SEA.replace("全国近岸海域,28.6", "全国近岸海域,128.6"))
    assert any('row 2, column "一类(%)" ("128.6"): it cannot be above 100' in one for one in found)


def test_a_declaration_without_what_it_needs_is_refused(tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text(SEA.replace("per: row", "per: group"), "utf-8")
    with pytest.raises(DeclarationError, match="need keys"):
        read(path)


def test_a_judgement_more_is_one_file(tmp_path):
    path = tmp_path / "one.yaml"
    path.write_text(SEA.replace("judgement: sea.words", "judgement: sea.mine").replace("海域, en", "湾, en"), "utf-8")
    mine = read(path)
    assert isinstance(mine, Judgement)
    found = judge(written("湾,一类(%),二类(%),劣四类(%)\n甲湾,28.6,38.2,18.6\n"), mine)
    assert found.verdicts["word"].to_list() == ["一般"]
