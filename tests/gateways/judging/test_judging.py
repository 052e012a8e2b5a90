"""Tables as stations keep them, judged: what is read, what is refused and why, and the verdicts by hand."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qinglan.core.errors import EditionError, InputError
from qinglan.gateways.judging import rejects
from qinglan.gateways.judging.declare import find, judgements, media
from qinglan.gateways.judging.files import judge_file
from qinglan.gateways.judging.judging import judge
from qinglan.gateways.judging.preparing import Wishes
from qinglan.gateways.judging.sheets import written
from qinglan.gateways.judging.summary import line

# GB 3838 table 1: ammonia 0.15/0.5/1.0/1.5/2.0, phosphorus of rivers 0.02/0.1/0.2/0.3/0.4, permanganate 2/4/6/10/15.
RIVERS = "断面,时间,氨氮(mg/L),总磷(mg/L)\n甲,2024-05-01,0.9,0.18\n乙,2024-05-01,1.2,0.05\n"


def grades(found, column="grade"):
    return found.verdicts[column].to_list()


def reasons(found):
    return [(row["row"], row["column"], row["value"]) for row in found.rejects.iter_rows(named=True)]


def test_every_medium_has_one_default_and_each_declaration_an_example():
    assert {"water", "lake", "source", "sea", "groundwater", "soil", "noise", "air", "discharge", "tax"} <= set(media())
    assert all(sum(one.default for one in same) == 1 for same in media().values())
    assert [one.id for one in judgements() if not one.examples or not one.basis] == []


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("断面,时间,NH3-N,TP\n甲,2024-05-01,0.9,0.18\n乙,2024-05-01,1.2,0.05\n", "short names"),
        ("断面,时间,w21003,w21011\n甲,2024-05-01,0.9,0.18\n乙,2024-05-01,1.2,0.05\n", "national codes"),
        ("section,time,nh3n_ug_l,tp_mg_l\n甲,2024-05,900,0.18\n乙,2024-05,1200,0.05\n", "units behind the name"),
        ("断面名称,采样日期,氨氮（μg/L）,总磷 mg/L\n甲,2024/5/1,900,0.18\n乙,2024年5月1日,1200,0.05\n", "wide signs"),
        (
            "月报,,,\n断面,时间,氨氮,总磷\n,,μg/L,mg/L\n甲,2024-05-01,900,0.18\n乙,2024-05-01,1200,0.05\n",
            "a title above and a row of units below",
        ),
        (
            "断面,时间,氨氮,总磷\n甲,2024-05-01,900μg/L,0.18\n乙,2024-05-01,１．２,0.05\n",
            "units and wide digits in cells",
        ),
        (
            "点位,因子,数值,单位\n甲,氨氮,900,ug/L\n甲,总磷,0.18,mg/L\n乙,氨氮,1.2,mg/L\n乙,TP,0.05,\n",
            "tidy with a unit in each row",
        ),
    ],
    ids=lambda text: text if len(text) < 60 else None,
)
def test_one_table_written_in_many_ways_has_the_same_verdicts(judged, text, why):
    found = judged("water", text, kind="river")
    assert list(dict.fromkeys(grades(found))) == ["Ⅲ", "Ⅳ"], why
    assert found.rejects.is_empty()
    assert grades(found, "main_pollutants")[-1] == "氨氮(0.2)"


def test_gb18030_and_workbooks_old_and_new(judged, workbook, old_workbook):
    assert grades(judged("water", RIVERS, encoding="gb18030", kind="river")) == ["Ⅲ", "Ⅳ"]
    rows = [
        ["断面", "时间", "氨氮(mg/L)", "总磷(mg/L)"],
        ["甲", "2024-05-01", 0.9, 0.18],
        ["乙", "2024-05-01", 1.2, 0.05],
    ]
    water = find("water")
    for path in (workbook(数据=rows), old_workbook(rows)):
        found = judge_file(path, water, Wishes({"kind": "river"}))
        assert grades(found) == ["Ⅲ", "Ⅳ"], path.suffix
    noted = judge_file(workbook(封面=[["说明"]], 数据=rows), water, Wishes({"kind": "river"}))
    assert "读工作表“数据”" in noted.notes[0][0]
    with pytest.raises(InputError, match="没有工作表“别的”"):
        judge_file(workbook(数据=rows), water, Wishes(sheet="别的"))


def test_what_cannot_be_is_refused_by_row_and_column_and_the_rest_is_judged(judged):
    text = (
        "断面,时间,pH,氨氮(mg/L),总磷(mg/L)\n"
        "甲,2024-05-01,7.5,0.9,0.18\n"
        "乙,2024-05-01,15,0.9,0.18\n"
        "丙,2024-05-01,7.5,少量,0.18\n"
        "丁,2024-05-01,7.5,-0.1,0.18\n"
        ",2024-05-01,7.5,0.1,0.18\n"
        "己,2024-02-30,7.5,0.1,0.18\n"
        "庚,2024-05-01,,,\n"
        "辛,2024-05-01,7.5,0.9ppm,0.18\n"
        "子,2024-05-01,7.5,0.1,1e10\n丑,2024-05-01,7.5,inf,0.1\n寅,2001-01-01,7.5,0.1,0.1\n"
        "壬,2024-05-01,7.5,0.1,0.01\n"
    )
    found = judged("water", text, kind="river")
    assert reasons(found) == [
        (3, "pH", "15"),
        (4, "氨氮(mg/L)", "少量"),
        (5, "氨氮(mg/L)", "-0.1"),
        (6, "断面", ""),
        (7, "时间", "2024-02-30"),
        (8, "", ""),
        (9, "氨氮(mg/L)", "0.9ppm"),
        (10, "总磷(mg/L)", "1e10"),
        (11, "氨氮(mg/L)", "inf"),
        (12, "时间", "2001-01-01"),
    ]
    assert grades(found) == ["Ⅲ", *[None] * 10, "Ⅰ"]
    zh, en = rejects.sentence(found.rejects.row(0, named=True), "表.csv")
    assert zh == "表.csv 第 3 行“pH”列的“15”：不可能大于 14，应为0～14 的数"
    assert en == '表.csv, row 3, column "pH" ("15"): it cannot be above 14; it should be a number from 0 to 14'
    assert line(found)[0] == "2 个断面：Ⅰ～Ⅲ类 2 个（100.00%），Ⅰ 1 个（50.00%），Ⅲ 1 个（50.00%）；拒收 10 行。"


def test_mixed_media_are_refused_by_name_and_do_not_spoil_a_sample(judged):
    text = (
        "点位,项目,时间,数值,单位\n"
        "甲,氨氮,2024-05-01,0.9,mg/L\n甲,PM2.5,2024-05-01,35,ug/m3\n"
        "乙,氨氮,2024-05-01,0.9,mg/L\n乙,总磷,2024-05-01,痕量,mg/L\n"
        "丙,氨氮,2024-05-01,0.9,dB(A)\n"
    )
    found = judged("water", text, kind="river")
    assert grades(found) == ["Ⅲ", None, None, None, None]
    why = {row["row"]: row["zh"] for row in found.rejects.iter_rows(named=True)}
    assert why[3] == "不是这项评价的项目（细颗粒物（PM2.5），air/flue gas）"
    assert why[4] == "同一样品另有值被拒收，整个样品未评价"
    assert why[5] == "不是数值"
    assert why[6] == "单位“dB(A)”不能换算"
    assert found.refused == 4


def test_values_below_detection_count_as_they_can_be(judged):
    # 0.01 lies below every limit of ammonia; 0.3 (L) lies between class I and class II, so that nothing is known.
    text = (
        "断面,时间,氨氮(mg/L),总磷(mg/L)\n"
        "甲,2024-05-01,<0.01,0.01\n乙,2024-05-01,0.01L,0.15\n丙,2024-05-01,0.3L,0.01\n丁,2024-05-01,＜0.3,0.35\n"
        "戊,2024-05-01,未检出,0.01\n"
    )
    found = judged("water", text, kind="river")
    assert grades(found) == ["Ⅰ", "Ⅲ", None, "Ⅴ", None]
    assert "无法判定：氨氮" in found.verdicts["note"][2]
    tidy = (
        "点位,项目,数值,限定符,检出限\n甲,氨氮,0.01,<,\n甲,总磷,0.01,,\n"
        "乙,氨氮,,ND,0.01\n乙,总磷,0.15,,\n丙,氨氮,0.3L,,\n丙,总磷,0.01,,\n"
    )
    assert grades(judged("water", tidy, kind="river")) == ["Ⅰ", "Ⅰ", "Ⅲ", "Ⅲ", None, None]


def test_numbers_that_stand_for_no_value_are_blank_and_said(judged):
    found = judged("water", "断面,氨氮,总磷\n甲,-999,0.18\n乙,0.9,-9999\n", kind="river")
    assert grades(found) == ["Ⅲ", "Ⅲ"]
    assert found.rejects.is_empty()
    assert ("2 个表示无数据的值（如 -999）按空白处理", "2 values like -999 taken as blank") in found.notes


def test_the_kind_of_water_from_a_column_from_an_option_or_not_at_all(judged):
    # Phosphorus 0.04 mg/L: class II of rivers (0.1), class III of lakes (0.05).
    text = "断面,氨氮,总磷,水体类型\n甲,0.1,0.04,河流\n乙,0.1,0.04,水库\n丙,0.1,0.04,渠道\n"
    found = judged("water", text)
    assert grades(found) == ["Ⅱ", "Ⅲ", None]
    assert any("有 1 行写的不是河流、湖库" in zh for zh, _ in found.notes)
    assert grades(judged("water", text, kind="lake")) == ["Ⅲ", "Ⅲ", "Ⅲ"]
    assert grades(judged("lake", text)) == ["Ⅲ", "Ⅲ", "Ⅲ"]
    unsaid = judged("water", "断面,氨氮,总磷,型\n甲,0.1,0.04,河流\n")
    assert grades(unsaid) == [None]
    assert any("未写明水体类型" in zh for zh, _ in unsaid.notes)
    assert grades(judged("water", "断面,氨氮,总磷,型\n甲,0.1,0.04,河流\n", kind="型")) == ["Ⅱ"]
    with pytest.raises(InputError, match="kind 的值“沟渠”不可用") as refused:
        judged("water", "断面,氨氮\n甲,0.1\n", kind="沟渠")
    assert refused.value.field == "kind"


def test_refusals_of_whole_files_name_what_is_lacking(judged):
    with pytest.raises(InputError, match=r"第 1 行像表头，但地表水断面（点位）水质类别还缺：监测项目.*PM2.5（细颗粒物"):
        judged("water", "断面,时间,PM2.5\n甲,2024-05-01,35\n")
    with pytest.raises(InputError, match="还缺：土地利用"):
        judged("soil", "点位,pH,镉\n甲,6.0,0.2\n")
    with pytest.raises(InputError, match="都是氨氮：请只留一列"):
        judged("water", "断面,氨氮,NH3-N\n甲,0.1,0.1\n")
    with pytest.raises(
        InputError, match=r"一行也没有评价：表.csv 第 2 行“氨氮”列的“x”：不是数值.*共 2 行被拒收"
    ) as none:
        judged("water", "断面,氨氮\n甲,x\n乙,-3\n")
    assert (none.value.row, none.value.field, none.value.exit_code) == (2, "氨氮", 2)
    with pytest.raises(InputError, match="没有一项参加“地表水断面（点位）水质类别”的项目（只有 总氮）"):
        judged("water", "断面,总氮\n甲,0.1\n", kind="river")
    with pytest.raises(InputError, match="没有数据行"):
        judged("water", "断面,氨氮\n")
    with pytest.raises(InputError, match="表头认不出"):
        judged("water", "一,二\n1,2\n")
    with pytest.raises(InputError, match="要写明小时的时间是开始还是结束：--stamp"):
        judged("air", "点位,时间,SO2\n甲,2026-06-01 08:00,9\n", method="hourly")
    with pytest.raises(InputError, match="没有介质“watr”"):
        find("watr")
    with pytest.raises(InputError, match="water 没有方法“x”"):
        find("water", "x")


def test_the_edition_by_the_day_by_name_and_not_before_the_first(judged, tmp_path):
    text = "城市,日期,PM2.5,PM10,SO2,NO2,CO(mg/m3),O3_8h\n甲,{},45,80,35,85,3,140\n"
    # AQI-2012-day and AQI-2026-day of the worked examples: the index of PM2.5 is 63 under one, 70 under the other.
    old, new = judged("air", text.format("2026-02-28")), judged("air", text.format("2026-03-01"))
    assert (grades(old, "iaqi_pm25"), grades(new, "iaqi_pm25")) == ([63], [70])
    path = tmp_path / "表.csv"
    air = find("air")
    for wishes, index in ((Wishes(edition="2026"), 70), (Wishes(on=datetime(2025, 1, 1).date()), 63)):
        path.write_text(text.format("2020-01-01"), "utf-8")
        assert grades(judge_file(path, air, wishes), "iaqi_pm25") == [index]
    with pytest.raises(InputError, match="该日没有收录现行的标准版本（最早收录 HJ 633—2012"):
        judged("air", text.format("2015-12-31"))
    with pytest.raises(EditionError, match="没有名为“1999”的版本"):
        judge_file(path, air, Wishes(edition="1999"))


def test_days_with_hours_are_refused_where_days_are_needed(judged):
    text = "城市,日期,PM2.5,PM10,SO2,NO2,CO(mg/m3),O3_8h\n甲,2026-06-01,45,80,35,85,3,140\n"
    found = judged("air", text + "甲,2026-06-02 08:00,45,80,35,85,3,140\n")
    assert grades(found, "level") == ["轻度污染", None]
    assert found.rejects["zh"].to_list() == ["应为日期，这里带有小时"]
    hours = "".join(f"甲,2026-06-01 {hour:02}:00,45,80,35,85,3,140\n" for hour in range(24))
    with pytest.raises(InputError, match=r"多数带有小时，而空气质量日报.*--method daily-from-hours"):
        judged("air", text.splitlines(keepends=True)[0] + hours)
    months = judged("air", text + "甲,2026-05,45,80,35,85,3,140\n甲,20260503,45,80,35,85,3,140\n")
    assert [(row["row"], row["zh"]) for row in months.rejects.iter_rows(named=True)] == [(3, "应为日期，这里只有年月")]
    # The day's largest hour is another item than its largest 8-hour mean.
    both = judged("air", text.replace("O3_8h", "O3_8h,O3_1h").replace(",140\n", ",140,265\n"))
    assert grades(both, "iaqi_o3") == [84]
    refused = judged("air", text + "乙,2026-06-02,45,80,35,85,<0.3,140\n")
    assert refused.rejects["zh"].to_list() == ["这项评价不接受带“<”“>”或未检出的值"]


def test_boundary_noise_is_met_only_if_its_maximum_is(judged):
    # GB 12348: class 3 by night 55 dB(A); frequent noise may exceed it by 10 dB, occasional by 15.
    text = (
        "测点,功能区,时段,Leq,Lmax,噪声性质\n东,3类,夜间,54,65.0,频发\n西,3类,夜间,54,65.1,频发\n"
        "南,3类,夜间,54,70.0,偶发\n北,3类,夜间,55.1,,\n上,5类,夜间,54,,\n"
    )
    found = judged("noise", text, method="boundary")
    assert grades(found, "meets_all") == [True, False, True, False, None]
    assert found.rejects["right_zh"].to_list() == ["0类、1类、2类、3类、4类 之一"]


def test_tax_is_found_again_by_its_keys_and_no_key_counts_twice(judged):
    # TAX-1: fluoride 137.93 + SO2 126.32 + CO 14.37 at 1.2 yuan; the fourth is not taxed.
    rows = [("SO2", 100, 126.32), ("氟化物", 100, 137.93), ("CO", 200, 14.37), ("HCl", 80, 0.0)]
    text = "企业,排放口,类别,污染物,月份,排放量(kg)\n" + "".join(f"甲,1,大气,{n},2025-06,{kg}\n" for n, kg, _ in rows)
    found = judged("tax", text + "甲,1,大气,SO2,2025-06,100\n", air_rate="1.2")
    assert grades(found, "tax")[:4] == [tax for _, _, tax in rows]
    assert [(row["row"], row["zh"]) for row in found.rejects.iter_rows(named=True)] == [
        (6, "同一企业、排放口、类别、污染物、月份已有一行")
    ]
    assert "应纳税额合计 278.62 元" in line(found)[0]


def test_columns_that_go_together_are_asked_for_together(judged):
    text = "企业,排放口,类别,污染物,月份,排放量(kg),浓度,标准值\n甲,1,大气,SO2,2025-06,100,10,50\n"
    with pytest.raises(InputError, match="还缺：有超标"):
        judged("tax", text, air_rate="1.2")
    # Below half the standard and never exceeded, half is due: 126.32 / 2.
    whole = text.replace("标准值\n", "标准值,是否超标\n").replace(",50\n", ",50,否\n")
    assert grades(judged("tax", whole, air_rate="1.2"), "tax") == [63.16]


def test_groups_have_a_table_of_their_own(judged):
    text = "断面,时间,氨氮,总磷\n甲,2024-05-03,0.8,0.1\n甲,2024-05-18,1.4,0.1\n甲,2024-06-03,0.4,0.1\n"
    found = judged("water", text, method="month", kind="river")
    # May: (0.8 + 1.4) / 2 = 1.1, class IV.
    assert found.verdicts.select("site", "period", "grade").rows() == [("甲", "2024-05", "Ⅳ"), ("甲", "2024-06", "Ⅱ")]
    assert not found.beside
    assert line(found)[0].startswith("2 个断面月：Ⅰ～Ⅲ类 1 个（50.00%）")


ORDER = ["Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ"]
WATER = find("water")


def _grades_of(rows: list[tuple[str, float, float]]) -> dict[str, str]:
    text = "断面,氨氮(mg/L),总磷(mg/L)\n" + "".join(f"{site},{nh3n},{tp}\n" for site, nh3n, tp in rows)
    found = judge(written(text), WATER, Wishes({"kind": "river"}))
    return dict(zip((site for site, _, _ in rows), found.verdicts["grade"].to_list(), strict=True))


amounts = st.integers(0, 3_000).map(lambda thousandths: thousandths / 1000)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.tuples(amounts, amounts), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_worse_never_gives_better_and_the_order_of_rows_changes_nothing(values, random):
    rows = [(f"s{number}", nh3n, tp) for number, (nh3n, tp) in enumerate(values)]
    first = _grades_of(rows)
    shuffled = list(rows)
    random.shuffle(shuffled)
    assert _grades_of(shuffled) == first
    worse = _grades_of([(site, nh3n + 0.2, tp) for site, nh3n, tp in rows])
    assert all(ORDER.index(worse[site]) >= ORDER.index(first[site]) for site in first)
