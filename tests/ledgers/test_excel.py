"""Twelve and more messy files: read right, or refused with sheet, row, column and reason; never silently wrong."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace
from datetime import date, datetime
from typing import Any

import openpyxl
import pytest

from ledgers.conftest import USCC, pond
from ledgers.messy import HEADER, book, table, xls
from ledgers.test_records import EAST
from qinglan.base.scope import EVERYTHING
from qinglan.core.errors import InputError
from qinglan.ledgers.excel import importing, workbook
from qinglan.ledgers.excel.export import as_csv, as_geojson, as_workbook
from qinglan.ledgers.excel.importing import check_file, get_import, write_import
from qinglan.ledgers.excel.reading import Checked, read_book
from qinglan.ledgers.excel.template import template
from qinglan.ledgers.excel.workbook import open_book
from qinglan.ledgers.faults import ForbiddenError, MissingError
from qinglan.ledgers.history import history
from qinglan.ledgers.listing import Query, page
from qinglan.ledgers.records import create, update_record
from qinglan.ledgers.registry import Ledgers
from qinglan.ledgers.verify import verify
from qinglan.ledgers.writing import Writing

ALL = Writing(EVERYTHING)
GOOD = ["W001", "一号库", "东区", 1000, 40.5, "2001-05-06"]


def checked(ledgers: Ledgers, content: bytes, name: str = "表.xlsx") -> Checked:
    return read_book(ledgers, EVERYTHING, "pond", open_book(content, name))


def values(found: Checked, *names: str) -> list[tuple[Any, ...]]:
    assert [fault.zh for fault in found.all_faults()] == []
    return [tuple(line.values.get(name) for name in names) for line in found.lines]


def places(found: Checked) -> list[tuple[str, int, str | None, str | None]]:
    return [(fault.sheet, fault.row, fault.column, fault.field) for fault in found.all_faults()]


def test_merged_double_headers_under_a_title(ledgers: Ledgers) -> None:
    def fill(made: Any, sheet: Any) -> None:
        middle = made.add_format()
        sheet.merge_range(0, 0, 0, 5, "某市尾矿库台账（2024年）", middle)
        sheet.merge_range(1, 0, 2, 0, "序号", middle)
        sheet.merge_range(1, 1, 1, 3, "基本信息", middle)
        sheet.merge_range(1, 4, 1, 5, "规模", middle)
        for column, word in enumerate(("编码", "库名", "地区", "总库容\n(万立方米)", "坝 高（m）"), start=1):
            sheet.write(2, column, word)
        sheet.write_row(3, 0, [1, "W001", "一号库", "东区", 0.1, 40.5])
        sheet.write_row(4, 0, [2, "W002", "二号库", "西县", "1.5", "３０．５"])

    found = checked(ledgers, book(fill))
    assert values(found, "code", "name", "place", "volume", "height") == [
        ("W001", "一号库", "100001", 1000.0, 40.5),
        ("W002", "二号库", "100002", 15000.0, 30.5),
    ]


def test_double_headers_whose_meaning_is_in_both_rows(ledgers: Ledgers) -> None:
    content = table(
        ["编码", "名称", "地区", "坝高", None], [None, None, None, "m", "km"], ["W001", "一号库", "东区", 40, 9]
    )
    assert values(checked(ledgers, content), "code", "height") == [("W001", 40.0)]


def test_cells_merged_down_the_rows_hold_for_each(ledgers: Ledgers) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["地区", "编码", "名称"])
        sheet.merge_range(1, 0, 2, 0, "东区")
        sheet.write_row(1, 1, ["W001", "甲"])
        sheet.write_row(2, 1, ["W002", "乙"])

    assert values(checked(ledgers, book(fill)), "code", "place") == [("W001", "100001"), ("W002", "100001")]


@pytest.mark.parametrize(
    ("header", "cell", "kept"),
    [
        ("总库容（万m³）", 1.5, 15000.0),
        ("总库容/万m3", "2", 20000.0),
        ("总库容 [立方米]", 7, 7.0),
        ("*总库容(必填)", "8m³", 8.0),
        ("总库容", "0.5万立方米", 5000.0),
        ("总库容", "1,234,567.5", 1234567.5),
        ("总库容", "１２３４", 1234.0),
        ("总库容", "1.2e3", 1200.0),
        ("坝高(km)", 0.05, 50.0),
        ("坝高", "－", None),
        ("坝高", "/", None),
        ("坝高", " ", None),
        ("坝高", "——", None),
    ],
)
def test_numbers_with_units_and_signs(ledgers: Ledgers, header: str, cell: Any, kept: float | None) -> None:
    field = "height" if "坝高" in header else "volume"
    found = checked(ledgers, table(["编码", "名称", "地区", header], ["W001", "甲", "东区", cell]))
    assert values(found, field) == [(kept,)]


@pytest.mark.parametrize("cell", ["12,5", "1,23", "约12", ">5", "12.5吨", "12.5.1", "十二", "#N/A", "1 2", "12-13"])
def test_numbers_that_may_mean_two_things_are_refused_in_their_cell(ledgers: Ledgers, cell: str) -> None:
    found = checked(ledgers, table(["编码", "名称", "地区", "总库容"], [*GOOD[:3], 5], ["W002", "乙", "东区", cell]))
    assert places(found) == [("台账", 3, "D", "volume")]
    assert [line.action for line in found.lines] == ["add", "refused"]


def test_a_unit_of_another_kind_in_a_header_is_refused_in_the_header(ledgers: Ledgers) -> None:
    found = checked(ledgers, table(["编码", "名称", "地区", "总库容（t）"], GOOD[:4]))
    assert places(found) == [("台账", 1, "D", None)]


@pytest.mark.parametrize(
    "cell",
    [
        datetime(2001, 5, 6), "2001-05-06", "2001/5/6", "2001.5.6", "2001年5月6日", "２００１年５月６日", "20010506",
        20010506, 37017, "37017", "二〇〇一年五月六日", "2001 年 05 月 06 日",
    ],
)  # fmt: skip
def test_days_as_people_write_them(ledgers: Ledgers, cell: Any) -> None:
    def fill(made: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, GOOD[:5])
        if isinstance(cell, datetime):
            sheet.write_datetime(1, 5, cell, made.add_format({"num_format": "yyyy/m/d"}))
        else:
            sheet.write(1, 5, cell)

    assert values(checked(ledgers, book(fill)), "built") == [(date(2001, 5, 6),)]


@pytest.mark.parametrize(
    "cell", ["2001年5月", "2001", 2001, 2001.5, "2001-02-30", "去年", "2001-05-06 08:00", "12/5/2001"]
)
def test_days_that_cannot_be_told_are_refused(ledgers: Ledgers, cell: Any) -> None:
    found = checked(ledgers, table(HEADER, [*GOOD[:5], cell]))
    assert places(found) == [("台账", 2, "F", "built")]


def test_formulas_give_their_values(ledgers: Ledgers) -> None:
    def fill(_: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, ["W001", "甲", "东区"])
        sheet.write_formula(1, 3, "=500*2", None, 1000)
        sheet.write_formula(1, 4, "=1/0", None, "#DIV/0!")

    found = checked(ledgers, book(fill))
    assert found.lines[0].given["volume"] == 1000.0
    assert places(found) == [("台账", 2, "E", "height")]


def test_hidden_sheets_are_left_out_with_a_word(ledgers: Ledgers) -> None:
    def fill(made: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, GOOD)
        for name, hide in (("旧表", "hide"), ("更旧", "very_hidden")):
            other = made.add_worksheet(name)
            other.write_row(0, 0, HEADER)
            other.write_row(1, 0, ["W009", *GOOD[1:]])
            getattr(other, hide)()

    found = checked(ledgers, book(fill))
    assert values(found, "code") == [("W001",)]
    assert ["旧表" in note.zh or "更旧" in note.zh for note in found.notes] == [True, True]


def test_sixty_five_thousand_empty_rows(ledgers: Ledgers) -> None:
    def fill(made: Any, sheet: Any) -> None:
        border = made.add_format({"border": 1})
        sheet.write_row(0, 0, HEADER)
        sheet.write_row(1, 0, GOOD)
        for row in range(2, 65_536):
            sheet.write_blank(row, 0, None, border)
        sheet.write_row(65_536, 0, ["W002", *GOOD[1:]])

    found = checked(ledgers, book(fill, constant_memory=True))
    assert [line.row for line in found.lines] == [2, 65_537]


def test_the_oldest_excel_format(ledgers: Ledgers) -> None:
    found = checked(ledgers, xls(HEADER, [*GOOD[:5], "2001-05-06"], ["W002", "乙", "西县", 3.5, None, 37017]), "表.xls")
    assert values(found, "code", "volume", "built") == [
        ("W001", 1000.0, date(2001, 5, 6)),
        ("W002", 3.5, date(2001, 5, 6)),
    ]


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8", "utf-8-sig"])
@pytest.mark.parametrize("delimiter", [",", "\t", ";"])
def test_csv_in_chinese_encodings(ledgers: Ledgers, encoding: str, delimiter: str) -> None:
    text = "\r\n".join(delimiter.join(map(str, row)) for row in (HEADER, GOOD))
    assert values(checked(ledgers, text.encode(encoding), "表.csv"), "name", "built") == [("一号库", date(2001, 5, 6))]


def test_what_excel_has_spoilt_is_refused_not_guessed(ledgers: Ledgers) -> None:
    def fill(made: Any, sheet: Any) -> None:
        sheet.write_row(0, 0, ["编码", "名称", "地区", "企业"])
        sheet.write_row(1, 0, ["W001", "甲", "东区"])
        sheet.write_number(1, 3, 913501000001000043)
        sheet.write_row(2, 0, ["W002"])
        sheet.write_datetime(2, 1, datetime(2024, 1, 2), made.add_format({"num_format": "m-d"}))
        sheet.write_string(2, 2, "东区")
        sheet.write_row(3, 0, ["W003", 12, "东区", USCC.lower()])

    found = checked(ledgers, book(fill))
    assert places(found) == [("台账", 2, "D", "owner"), ("台账", 3, "B", "name")]
    assert (found.lines[2].values["name"], found.lines[2].values["owner"]) == ("12", USCC)


def test_codes_places_booleans_and_lists_by_their_words(ledgers: Ledgers) -> None:
    content = table(
        ["编码", "名称", "地区", "等别", "矿种", "在用"],
        ["W001", "甲", "某市西县", "二等", "钼、锌", "是"],
        ["W002", "乙", "西县工业园", "First", "pb", "×"],
    )
    assert values(checked(ledgers, content), "place", "grade", "kinds", "active") == [
        ("100002", "two", ["mo", "zn"], True),
        ("100002-park", "one", ["pb"], False),
    ]


def test_points_in_two_columns(ledgers: Ledgers) -> None:
    content = table(
        ["编码", "名称", "地区", "经度", "纬度"],
        ["W001", "甲", "东区", 120.5, "40°30′36″"],
        ["W002", "乙", "东区", 120.5, None],
        ["W003", "丙", "东区", 40.5, 120.5],
    )
    found = checked(ledgers, content)
    assert places(found) == [("台账", 3, "D", "location"), ("台账", 4, "D", "location")]
    assert found.lines[0].values["location"] is not None


def test_unknown_computed_and_repeated_columns_are_said(ledgers: Ledgers) -> None:
    content = table([*HEADER, "备注", "每米库容", "库名"], [*GOOD, "x", 999, "别名"])
    found = checked(ledgers, content)
    assert values(found, "name", "share") == [("一号库", 24.69)]
    assert [word in str([note.zh for note in found.notes]) for word in ("备注", "每米库容", "库名")] == [True] * 3


def test_a_key_twice_in_a_file_is_refused_at_the_second(ledgers: Ledgers) -> None:
    found = checked(ledgers, table(HEADER, GOOD, GOOD))
    assert places(found) == [("台账", 3, "A", "code")]


@pytest.mark.parametrize(
    "content",
    [b"", b"PK\x03\x04broken", b"\xd0\xcf\x11\xe0broken", b"\x00\x01\x02", table(["甲", "乙"], [1, 2]), table(HEADER)],
)
def test_files_that_are_no_table_of_the_ledger_are_refused(ledgers: Ledgers, content: bytes) -> None:
    with pytest.raises(InputError):
        checked(ledgers, content)


def test_bombs_are_refused_before_they_are_unpacked(ledgers: Ledgers, monkeypatch: pytest.MonkeyPatch) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * 2_000_000)
    far = table(HEADER, GOOD)
    monkeypatch.setattr(workbook, "MOST_UNPACKED", 1_000_000)
    with pytest.raises(InputError, match="过大"):
        checked(ledgers, buffer.getvalue())
    monkeypatch.setattr(workbook, "MOST_CELLS", 11)
    with pytest.raises(InputError, match="过大"):
        checked(ledgers, far)
    monkeypatch.undo()
    assert checked(ledgers, far).lines


# writing


def test_checked_shown_and_written(ledgers: Ledgers) -> None:
    create(ledgers, ALL, "pond", pond(code="W002", name="二号库"))
    create(ledgers, ALL, "pond", pond(code="W003", name="三号库"))
    content = table(
        ["编码", "名称", "地区", "总库容"],
        ["W001", "新库", "东区", 5],
        ["W002", "二号库", "东区", 7],
        ["W003", "三号库", "东区", None],
    )
    shown = check_file(ledgers, EVERYTHING, "pond", "年报.xlsx", content)
    assert shown["counts"] == {"read": 3, "add": 1, "update": 1, "same": 1, "refused": 0}
    assert [(one["row"], one["action"]) for one in shown["changes"]] == [(2, "add"), (3, "update")]
    assert [(one["field"], one["before"], one["after"]) for one in shown["changes"][1]["changes"]] == [
        ("volume", 1000.0, 7.0)
    ]
    assert page(ledgers, EVERYTHING, "pond", Query()).count == 2
    done = write_import(ledgers, ALL, "pond", shown["id"], "all")
    assert done["state"] == "written"
    found = {record.values["code"]: record for record in page(ledgers, EVERYTHING, "pond", Query()).records}
    assert (found["W001"].values["volume"], found["W002"].values["volume"], found["W003"].values["volume"]) == (
        5,
        7,
        1000,
    )
    assert "导入" in history(ledgers, EVERYTHING, "pond", found["W002"].record)[0]["why"]
    assert list(verify(ledgers)) == []
    with pytest.raises(InputError, match="已经写入"):
        write_import(ledgers, ALL, "pond", shown["id"], "all")


def test_all_or_nothing_or_the_good_rows_and_a_file_of_the_rest(ledgers: Ledgers) -> None:
    content = table(HEADER, GOOD, ["W002", "乙", "东区", "12,5"], ["W003", "丙", "北极", 1])
    shown = check_file(ledgers, EVERYTHING, "pond", "表.xlsx", content)
    assert shown["writable"] == {"all": False, "good": True}
    with pytest.raises(InputError, match="2 处错误"):
        write_import(ledgers, ALL, "pond", shown["id"], "all")
    assert page(ledgers, EVERYTHING, "pond", Query()).count == 0
    marked = openpyxl.load_workbook(io.BytesIO(importing.marked(ledgers, EVERYTHING, "pond", shown["id"])))
    cell = marked["台账"]["D3"]
    assert cell.value == "12,5"
    assert cell.comment is not None
    assert "逗号" in cell.comment.text
    assert cell.fill.fgColor.rgb == "FFFFC7CE"
    assert [row[1].value for row in marked.worksheets[0].iter_rows(min_row=2)] == [3, 4]
    write_import(ledgers, ALL, "pond", shown["id"], "good")
    assert page(ledgers, EVERYTHING, "pond", Query()).count == 1
    rest = importing.marked(ledgers, EVERYTHING, "pond", shown["id"], rest=True)
    left = openpyxl.load_workbook(io.BytesIO(rest))["台账"]
    assert [row[0].value for row in left.iter_rows()] == ["编码", "W002", "W003"]
    again = rest_corrected(rest)
    assert check_file(ledgers, EVERYTHING, "pond", "改正.xlsx", again)["counts"]["add"] == 2


def rest_corrected(content: bytes) -> bytes:
    found = openpyxl.load_workbook(io.BytesIO(content))
    found["台账"]["D2"], found["台账"]["C3"] = 12.5, "西县"
    buffer = io.BytesIO()
    found.save(buffer)
    return buffer.getvalue()


def test_a_ledger_that_changed_since_the_check_is_not_written_over(ledgers: Ledgers) -> None:
    made = create(ledgers, ALL, "pond", pond())
    shown = check_file(ledgers, EVERYTHING, "pond", "表.xlsx", table(["编码", "总库容"], ["W001", 5]))
    update_record(ledgers, ALL, "pond", made.record, {"volume": 6}, version=1)
    with pytest.raises(InputError, match="重新上传"):
        write_import(ledgers, ALL, "pond", shown["id"], "all")


def test_who_may_import_what(ledgers: Ledgers) -> None:
    create(ledgers, ALL, "pond", pond(code="W009", place="100002"))
    clerk = replace(EAST, rights=frozenset({"read", "write", "import"}))
    content = table(HEADER, GOOD, ["W002", "乙", "西县", 1], ["W009", "丙", "东区", 1])
    with pytest.raises(ForbiddenError):
        check_file(ledgers, EAST, "pond", "表.xlsx", content)
    shown = check_file(ledgers, clerk, "pond", "表.xlsx", content)
    assert [fault["row"] for fault in shown["faults"]] == [3, 4]
    other = replace(clerk, account="another")
    with pytest.raises(MissingError):
        get_import(ledgers, other, "pond", shown["id"])


# templates and exports


def test_the_template_reads_back_with_its_drop_downs(ledgers: Ledgers) -> None:
    found = openpyxl.load_workbook(io.BytesIO(template(ledgers, "pond")))
    sheet = found["尾矿库"]
    headers = [cell.value for cell in sheet[1]]
    assert headers[:3] == ["*编码", "*名称", "*地区"]
    assert {"总库容（m3）", "经度", "纬度"} <= set(headers)
    assert "每米库容" not in headers
    assert sheet["A1"].comment is not None
    assert {str(rule.sqref).split(":")[0][0] for rule in sheet.data_validations.dataValidation} == {"C", "D", "J"}
    assert found["_lists"].sheet_state == "veryHidden"
    sheet["A2"], sheet["B2"], sheet["C2"], sheet["D2"] = "W001", "甲", "东区", "二等"
    wells = found["监测井"]
    assert [cell.value for cell in wells[1]] == ["*编码", "*井号", "井深（m）"]
    wells["A2"], wells["B2"], wells["C2"] = "W001", "J1", 12.5
    buffer = io.BytesIO()
    found.save(buffer)
    line = checked(ledgers, buffer.getvalue()).lines[0]
    assert (line.action, line.values["grade"], line.values["wells"]) == ("add", "two", [{"name": "J1", "depth": 12.5}])


def test_what_is_exported_is_the_same_when_it_comes_back(ledgers: Ledgers) -> None:
    other = create(ledgers, ALL, "pond", pond(code="W002", name="上游"))
    create(ledgers, ALL, "pond", pond(
        grade="two", kinds=["mo", "zn"], built="2001-05-06", checked="2024-03-01T08:00", active=False, owner=USCC,
        head="王小明", location=[120.5, 40.7], upstream=other.record, wells=[{"name": "J1", "depth": 1.5}],
    ))  # fmt: skip
    found = checked(ledgers, as_workbook(ledgers, EVERYTHING, "pond", Query()))
    assert [fault.zh for fault in found.all_faults()] == []
    assert {line.values["code"]: (line.action, line.changed) for line in found.lines} == {
        "W001": ("same", []),
        "W002": ("same", []),
    }
    text = b"".join(as_csv(ledgers, EVERYTHING, "pond", Query()))
    assert {line.action for line in checked(ledgers, text, "表.csv").lines} == {"same"}


def test_no_text_becomes_a_formula(ledgers: Ledgers) -> None:
    create(ledgers, ALL, "pond", pond(name="=HYPERLINK(1)"))
    create(ledgers, ALL, "pond", pond(code="W002", name="@SUM(A1)"))
    sheet = openpyxl.load_workbook(io.BytesIO(as_workbook(ledgers, EVERYTHING, "pond", Query())))["尾矿库"]
    assert {(row[1].value, row[1].data_type) for row in sheet.iter_rows(min_row=2)} == {
        ("=HYPERLINK(1)", "s"),
        ("@SUM(A1)", "s"),
    }
    text = b"".join(as_csv(ledgers, EVERYTHING, "pond", Query())).decode("utf-8-sig")
    assert "'=HYPERLINK(1)" in text
    assert ",=HYPERLINK" not in text
    back = checked(ledgers, text.encode(), "表.csv")
    assert [line.action for line in back.lines] == ["same", "same"]


def test_exports_keep_to_the_scope_the_filter_and_the_columns(ledgers: Ledgers) -> None:
    create(ledgers, ALL, "pond", pond(head="王小明", location=[120.5, 40.7]))
    create(ledgers, ALL, "pond", pond(code="W002", place="100002", location=[121.5, 41.7]))
    clerk = replace(EAST, rights=frozenset({"read", "export"}))
    text = b"".join(as_csv(ledgers, clerk, "pond", Query(columns=("code", "head")))).decode("utf-8-sig")
    assert text.splitlines() == ["编码,负责人", "W001,王**"]
    shapes = b"".join(as_geojson(ledgers, clerk, "pond", Query(columns=("code",)))).decode()
    assert '"coordinates": [120.5, 40.7]' in shapes
    assert "W002" not in shapes
    with pytest.raises(ForbiddenError):
        list(as_csv(ledgers, EAST, "pond", Query()))
