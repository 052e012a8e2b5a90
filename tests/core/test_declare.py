"""Declarations: what is read, what is refused, and with which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qinglan.core import declare
from qinglan.core.declare import Declaration, Declarations, kind, read
from qinglan.core.errors import DeclarationError


@kind("sample-kind")
class Sample(Declaration):
    factor: int

    def answer(self, given: Any) -> Any:
        return given * self.factor


TEXT = """sample-kind: doubled
title: {zh: 加倍, en: doubled}
factor: 2
examples:
  - {given: 3, expect: 6, from: 3 × 2 = 6}
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "doubled.yaml"
    path.write_text(TEXT, "utf-8")
    return path


def test_the_first_key_names_kind_and_id(file: Path) -> None:
    found = read(file)
    assert isinstance(found, Sample)
    assert (found.id, found.title.zh, found.factor, found.file) == ("doubled", "加倍", 2, file)


def test_a_declaration_never_changes(file: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        read(file).id = "other"  # type: ignore[misc]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        (("factor: 2", "factor: 2\nfactr: 3"), "factr"),
        (("factor: 2\n", ""), "factor"),
        (("factor: 2", "factor: two"), "factor"),
        (("factor: 2", "factor: 2\nfactor: 3"), "written twice"),
        (("sample-kind", "nothing"), "nothing"),
        (("zh: 加倍, ", ""), "title.zh"),
        (("from: 3 × 2 = 6", "from: ''"), "from"),
        (("title: {", "title: {{"), "doubled.yaml"),
    ],
)
def test_faults_are_named(file: Path, change: tuple[str, str], named: str) -> None:
    file.write_text(TEXT.replace(*change), "utf-8")
    with pytest.raises(DeclarationError) as refusal:
        read(file)
    assert named in refusal.value.zh
    assert named in refusal.value.en
    assert refusal.value.file == str(file)


@pytest.mark.parametrize("content", ["", "- a list", "\xff\xfe"])
def test_a_file_that_is_no_mapping_is_refused(file: Path, content: str) -> None:
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(DeclarationError, match=r"doubled\.yaml"):
        read(file)


def test_an_example_that_is_wrong_is_found(file: Path, tmp_path: Path) -> None:
    assert Declarations.from_folders([tmp_path]).check() == []
    file.write_text(TEXT.replace("expect: 6", "expect: 7"), "utf-8")
    (finding,) = Declarations.from_folders([tmp_path]).check()
    assert "应得 7，实得 6" in finding.zh
    assert finding.file == file


def test_two_of_one_id_are_refused(file: Path, tmp_path: Path) -> None:
    (tmp_path / "again.yaml").write_text(TEXT, "utf-8")
    with pytest.raises(DeclarationError, match="声明了两次"):
        Declarations.from_folders([tmp_path])


def test_names_with_an_underscore_are_left_out(file: Path, tmp_path: Path) -> None:
    file.rename(tmp_path / "_draft.yaml")
    assert list(Declarations.from_folders([tmp_path])) == []


def test_an_unknown_id_is_refused() -> None:
    with pytest.raises(DeclarationError, match="tripled"):
        Declarations().get(Sample, "tripled")


def test_a_kind_is_registered_once() -> None:
    with pytest.raises(DeclarationError, match="登记了两次"):

        @kind("sample-kind")
        class Other(Declaration):
            pass

    assert "sample-kind" in declare.kinds()


def test_a_key_that_is_a_list_is_refused_in_a_sentence(tmp_path):
    (tmp_path / "m.yaml").write_text("kind: x\n? [a]\n: b\n", "utf-8")
    with pytest.raises(DeclarationError, match="list cannot be a key"):
        declare.load_yaml(tmp_path / "m.yaml")
