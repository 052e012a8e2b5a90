"""Computed fields: blank is unknown, never true nor zero; a declaration that cannot be is refused with its key."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledgers.conftest import PLACES, POND
from qinglan.core.declare import Declarations, read
from qinglan.core.errors import DeclarationError
from qinglan.ledgers.codes import Code, CodeList
from qinglan.ledgers.declare import Ledger
from qinglan.ledgers.expression import Expression
from qinglan.ledgers.registry import check_examples
from qinglan.ledgers.validate import Context, check

VALUES = {"a": 6.0, "b": 4.0, "none": None, "yes": True, "no": False, "word": "钼", "list": ["mo", "zn"]}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a + b * 2.0", 14.0), ("(a + b) * 2.0", 20.0), ("a / b", 1.5), ("a % b", 2.0), ("-a - b", -10.0),
        ("7 / 2", 3.5),
        ("a > b", True), ("a <= b", False), ("a == 6.0", True), ("a != 6.0", False), ("!(a > b)", False),
        ("a > b && no", False), ("no || a > b", True), ("a > b ? a : b", 6.0), ("word == '钼'", True),
        ("word in ['钼', '铅']", True), ("'pb' in list", False), ("size(list)", 2), ("has(word)", True),
        ("has(none)", False),
        # unknown
        ("none + a", None), ("none > 1.0", None), ("none == none", None), ("!none", None), ("none && yes", None),
        ("none && no", False), ("none || yes", True), ("none || no", None), ("none > 1.0 ? a : b", None),
        ("a / 0.0", None),
        ("missing + 1.0", None), ("word + 1.0", None), ("size(none)", None),
    ],
)  # fmt: skip
def test_an_expression(text: str, value: Any) -> None:
    found = Expression(text).value(VALUES)
    assert found == value
    assert type(found) is type(value) or isinstance(found, int | float)


@pytest.mark.parametrize("text", ["a +", "a.b", "f(a)", "a[0]", "{'a': 1}", "has(a, b)", "__import__('os')", "a ? b"])
def test_what_is_not_supported_is_refused(text: str) -> None:
    with pytest.raises(DeclarationError):
        Expression(text)


def declared(tmp_path: Path, text: str) -> Declarations:
    path = tmp_path / "declared.yaml"
    path.write_text(text, "utf-8")
    found = Declarations()
    found.add(read(path))
    return found


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("type: boolean", "type: boolean, unit: m", "unit"),
        ("type: quantity, unit: m3,", "type: quantity,", "unit"),
        ("id: active", "id: version", "version"),
        ("id: active", "id: Active", "fields.10.id"),
        ("label: name", "label: title", "label"),
        ("key: code", "key: kinds", "key"),
        ("sorts: [name,", "sorts: [head,", "sorts"),
        ("pattern: 'W", "pattern: '(W", "pattern"),
        ("ledger: pond\ntitle", "ledger: files\ntitle", "files"),
        ("place: place\n", "place: name\n", "place"),
        ("{one: 一等 / First, two: 二等 / Second}", "{yes: 是 / Yes}", "codes"),
        ("maximum: 100000000", "maximum: 2024-01-01", "bound"),
        ("master", "master", ""),
    ],
)
def test_a_declaration_that_cannot_be_names_its_key(tmp_path: Path, old: str, new: str, named: str) -> None:
    text = POND.replace(old, new, 1) if named else POND.replace("key: code", "master: imported\nkey: code")
    assert text != POND
    with pytest.raises(DeclarationError) as refused:
        declared(tmp_path, text)
    assert (named or "mapping") in refused.value.en


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("basis: [环境应急资源调查指南]\n", "", "basis"),
        ("domain: waste", "domain: nothing", "nothing"),
        ("codes: {one: 一等 / First, two: 二等 / Second}", "codes: no_list", "no_list"),
        ("ledger: pond}", "ledger: nowhere}", "nowhere"),
        ("expression: volume / height", "expression: volume / depth", "depth"),
        ("expression: volume / height", "expression: volume /", "volume /"),
        ("synonyms: [库名]", "synonyms: [编码]", "编码"),
    ],
)
def test_check_finds_what_does_not_resolve(tmp_path: Path, old: str, new: str, named: str) -> None:
    found = declared(tmp_path, POND.replace(old, new, 1)).check()
    assert any(named in finding.en for finding in found)


def test_an_example_that_is_wrong_is_found(tmp_path: Path) -> None:
    # Places of examples are the nation's, by code; here the record's place is of the tests' own city.
    assert [finding.en for finding in check_examples(declared(tmp_path, POND))] != []
    right = POND.replace('place: "100001"}', 'place: "110101"}')
    assert check_examples(declared(tmp_path, right)) == []
    refused = right.replace(
        '{code: W001, name: 一号, place: "110101"}}', '{code: X, place: "110101"}, refused: [name]}'
    )
    assert ["refused should be" in finding.en for finding in check_examples(declared(tmp_path, refused))] == [True]


def test_a_code_is_in_force_between_its_dates(tmp_path: Path) -> None:
    ledger = next(
        iter(declared(tmp_path, POND.replace("{one: 一等 / First, two: 二等 / Second}", "grades")).of(Ledger).values())
    )
    codes = (
        Code.model_validate({"code": "old", "title": "旧 / Old", "end": date(2024, 1, 1)}),
        Code.model_validate({"code": "new", "title": "新 / New", "start": date(2024, 1, 1)}),
    )
    before, after = (Context({"grades": codes}, PLACES, date(year, 12, 31)) for year in (2023, 2024))
    record = {"code": "W001", "name": "甲", "place": "100001"}
    faults = [
        [fault.field for fault in check(ledger, record | {"grade": code}, context).faults]
        for context in (before, after)
        for code in ("old", "new")
    ]
    assert faults == [[], ["grade"], ["grade"], []]
    kept = check(ledger, {"name": "乙"}, after, before=record | {"grade": "old"})
    assert kept.faults == ()


def test_a_list_whose_code_overlaps_itself_is_found(tmp_path: Path) -> None:
    text = """
code_list: grades
title: {zh: 等别, en: Grades}
basis: [{document: 手写}]
entries:
  - {code: one, title: 一等 / First, end: 2024-06-01}
  - {code: one, title: 一级 / Grade 1, start: 2024-01-01}
"""
    found = declared(tmp_path, text)
    assert ["overlaps" in finding.en for finding in found.check()] == [True]
    assert next(iter(found.of(CodeList).values())).entries[1].title.en == "Grade 1"
