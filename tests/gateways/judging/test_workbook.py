"""The result on disk, read back: the user's own columns as they were, verdicts beside, rejects, grounds."""

from __future__ import annotations

import csv
from datetime import date, datetime

import openpyxl
import polars as pl
import pytest

from qinglan.core.errors import InputError
from qinglan.gateways.judging import workbook as writing
from qinglan.gateways.judging.declare import find
from qinglan.gateways.judging.files import judge_file
from qinglan.gateways.judging.preparing import Wishes
from qinglan.gateways.judging.summary import line

DAY = date(2026, 6, 1)
TEXT = (
    "编号,断面,时间,氨氮(mg/L),总磷(mg/L),备注,说明\n"
    "007,甲,2024-05-01,0.9,0.18,=1+1,旧\n"
    "008,乙,2024-05-01,少量,0.18,+86,\n"
    "123456789012345678,丙,2024-05-01,2.30,0.35,-5,@x\n"
)


def sheet(path, name):
    """Return a sheet's rows as openpyxl reads them."""
    return list(openpyxl.load_workbook(path)[name].iter_rows(values_only=True))


def written(found, out):
    return writing.write(found, out, "表.csv", line(found)[0], DAY)


def test_own_columns_come_back_as_they_were_and_verdicts_stand_beside(judged, tmp_path):
    out = tmp_path / "结果.xlsx"
    assert written(judged("water", TEXT, kind="river"), out) == [out]
    head, *rows = sheet(out, "评价")
    assert head[:7] == ("编号", "断面", "时间", "氨氮(mg/L)", "总磷(mg/L)", "备注", "说明")
    assert [row[:7] for row in rows] == [
        ("007", "甲", "2024-05-01", 0.9, 0.18, "=1+1", "旧"),
        ("008", "乙", "2024-05-01", "少量", 0.18, "+86", None),
        ("123456789012345678", "丙", "2024-05-01", 2.3, 0.35, -5, "@x"),
    ]
    verdict = [dict(zip(head[7:], row[7:], strict=True)) for row in rows]
    assert [(one["水质类别"], one["水质状况"], one["主要污染指标"]) for one in verdict] == [
        ("Ⅲ", "良好", None),
        (None, None, None),
        # Ammonia 2.3 is 1.3 times above 1.0 and worse than V; phosphorus 0.35 is V, (0.35 - 0.2)/0.2 = 0.75.
        ("劣Ⅴ", "重度污染", "氨氮(1.3)、总磷(0.8)"),
    ]
    assert verdict[0]["版本"] == "GB 3838—2002"
    # The user has a column 说明 of his own: the verdict's has another name.
    assert verdict[1]["说明（评价）"] == "拒收：氨氮(mg/L)：不是数值"
    assert sheet(out, "拒收")[1][:5] == (3, "氨氮(mg/L)", "少量", "不是数值", "不小于 0 的数（mg/L）")
    grounds = sheet(out, "依据")
    assert ("GB 3838—2002", "地表水环境质量标准") in [row[:2] for row in grounds]
    assert any(row[0] == "GB 3838—2002" and row[3] in "OPDMU" for row in grounds if row[3])
    assert any("1 行" in str(row[1]) for row in grounds if row[0] == "结果")


def test_nothing_in_the_workbook_is_a_formula_and_the_header_stays(judged, tmp_path):
    out = tmp_path / "结果.xlsx"
    written(judged("water", TEXT, kind="river"), out)
    book = openpyxl.load_workbook(out)
    cells = [cell for one in book for row in one.iter_rows() for cell in row]
    assert [cell.coordinate for cell in cells if cell.data_type == "f"] == []
    dangerous = [cell for cell in cells if isinstance(cell.value, str) and cell.value[:1] in ("=", "+", "@")]
    assert [cell.value for cell in dangerous if cell.parent.title == "评价"] == ["=1+1", "+86", "@x"]
    assert all(cell.quotePrefix for cell in dangerous)
    first = book["评价"]
    assert first.freeze_panes == "A2"
    assert first.column_dimensions["A"].width > first.column_dimensions["B"].width > 7
    rules = [rule for rules in first.conditional_formatting._cf_rules.values() for rule in rules]
    assert '"劣Ⅴ"' in {rule.formula[0] for rule in rules}


def test_levels_of_air_have_the_colours_of_the_standard(judged, tmp_path):
    from qinglan.standards import air

    out = tmp_path / "结果.xlsx"
    text = "城市,日期,PM2.5,PM10,SO2,NO2,CO(mg/m3),O3_8h\n甲,2026-06-01,45,80,35,85,3,140\n"
    written(judged("air", text), out)
    declared = air.classes(DAY)
    expected = {f'"{name}"': colour.lstrip("#") for name, colour in declared.select("class_zh", "colour").rows()}
    rules = openpyxl.load_workbook(out)["评价"].conditional_formatting._cf_rules.values()
    found = {rule.formula[0]: rule.dxf.fill.bgColor.rgb[-6:] for one in rules for rule in one}
    assert found == expected


def test_times_of_a_workbook_stay_times(workbook, tmp_path):
    rows = [["断面", "时间", "氨氮", "总磷"], ["甲", datetime(2024, 5, 1, 8, 30), 0.9, 0.18]]
    found = judge_file(workbook(数据=rows), find("water"), Wishes({"kind": "river"}))
    out = tmp_path / "结果.xlsx"
    written(found, out)
    assert sheet(out, "评价")[1][:4] == ("甲", datetime(2024, 5, 1, 8, 30), 0.9, 0.18)


def test_verdicts_on_items_have_a_sheet_of_their_own(judged, tmp_path):
    # GB 18918 class 1A: COD 50, ammonia 5 (8) by temperature.
    text = "厂名,日期,执行标准,COD,氨氮,水温\n甲,2024-05-01,一级A,60,6,12\n"
    out = tmp_path / "结果.xlsx"
    written(judged("discharge", text), out)
    assert sheet(out, "评价")[1][6:8] == ("否", "化学需氧量(0.2)")
    head, *rows = sheet(out, "分项")
    shown = [dict(zip(head, row, strict=True)) for row in rows]
    assert [(one["项目"], one["数值"], one["限值"], one["达标"]) for one in shown] == [
        ("化学需氧量", 60, 50, "否"),
        ("氨氮", 6, 8, "是"),
    ]


def test_csv_and_parquet_with_the_rejects_beside(judged, tmp_path):
    found = judged("water", TEXT, kind="river")
    made = written(found, tmp_path / "结果.csv")
    assert [path.name for path in made] == ["结果.csv", "结果-拒收.csv"]
    with made[0].open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(row["编号"], row["备注"], row["说明"]) for row in rows] == [
        ("007", "'=1+1", "旧"),
        ("008", "+86", ""),
        ("123456789012345678", "-5", "'@x"),
    ]
    parquet = written(found, tmp_path / "结果.parquet")
    frame = pl.read_parquet(parquet[0])
    assert frame["编号"].to_list() == ["007", "008", "123456789012345678"]
    assert frame["水质类别"].to_list() == ["Ⅲ", None, "劣Ⅴ"]


def test_no_file_is_overwritten_unasked_and_none_is_left_half_made(judged, tmp_path, monkeypatch):
    found = judged("water", TEXT, kind="river")
    path = tmp_path / "表.csv"
    out, said = writing.target(path, None, found, force=False)
    assert (out.name, said) == ("表-评价.xlsx", None)
    out.write_text("mine")
    with pytest.raises(InputError, match=r"表-评价.xlsx 已存在，没有覆盖"):
        writing.target(path, None, found, force=False)
    assert writing.target(path, None, found, force=True)[0] == out
    with pytest.raises(InputError, match="不能是输入文件本身"):
        writing.target(path, path, found, force=True)
    with pytest.raises(InputError, match=r"应以 .xlsx、.csv 或 .parquet 结尾"):
        writing.target(path, tmp_path / "结果.doc", found, force=False)

    def fails(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(writing, "_list", fails)
    with pytest.raises(Exception, match=r"空间|space"):
        written(found, out)
    assert out.read_text() == "mine"
    assert not list(tmp_path.glob("*.part"))


def test_more_rows_than_a_sheet_holds_go_to_csv_and_it_is_said(judged, tmp_path, monkeypatch):
    found = judged("water", TEXT, kind="river")
    path = tmp_path / "表.csv"
    monkeypatch.setattr(writing, "SHEET_ROWS", 2)
    out, said = writing.target(path, None, found, force=False)
    assert out.name == "表-评价.csv"
    assert "改写 CSV" in said
    with pytest.raises(InputError, match=r"请用 --out 名称.csv"):
        writing.target(path, tmp_path / "a.xlsx", found, force=False)
    assert writing.target(path, tmp_path / "a.parquet", found, force=False)[1] is None
