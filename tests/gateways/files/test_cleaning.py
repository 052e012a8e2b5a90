"""Each rule of cleaning by a file small enough to be judged by eye."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from qinglan.core.errors import InputError
from qinglan.gateways.files.cleaning import Cleaned
from qinglan.gateways.files.rejects import known_faults

Clean = Callable[..., Cleaned]
HEAD = "site,factor,time,value\n"


def one(cleaned: Clean, value: str, factor: str = "PM2.5", **mapping: object) -> dict[str, object]:
    found = cleaned(f'{HEAD}1001A,{factor},2023-01-20 08:00,"{value}"\n', **mapping)
    assert found.rejects.is_empty(), found.rejects
    (row,) = found.observations.select("value", "qualifier", "limit", "flag").to_dicts()
    return row


@pytest.mark.parametrize(
    ("written", "value", "qualifier", "limit"),
    [
        ("12", 12.0, None, None),
        (" １２．５ ", 12.5, None, None),
        ("1,234.5", 1234.5, None, None),
        ("12μg/m³", 12.0, None, None),
        ("0.035 mg/m3", 35.0, None, None),
        ("<0.01", 0.01, "<", 0.01),
        ("＜0.01", 0.01, "<", 0.01),
        ("0.01L", 0.01, "<", 0.01),
        (">1000", 1000.0, ">", None),
        ("ND", None, "ND", None),
        ("未检出", None, "ND", None),
        ("0", 0.0, None, None),
        ("1.5e2", 150.0, None, None),
    ],
)
def test_how_a_number_may_be_written(cleaned, written, value, qualifier, limit):
    row = one(cleaned, written)
    assert (row["value"], row["qualifier"], row["limit"]) == (value, qualifier, limit)


@pytest.mark.parametrize("written", ["", "—", "/", "NA", "NaN", "-", "--", "缺测", "null", " "])
def test_no_measurement_is_empty_and_not_rejected(cleaned, written):
    found = cleaned(f"{HEAD}1001A,PM2.5,2023-01-20 08:00,{written}\n")
    assert (found.read, found.empty, found.rejected, len(found.observations)) == (1, 1, 0, 0)


@pytest.mark.parametrize("written", ["abc", "12,5", "1.2.3", "12 13", "1e999", "inf", "<", "3(H)", "±2", "0x1F"])
def test_what_is_no_number_is_rejected_with_its_row(cleaned, written):
    found = cleaned(f'{HEAD}1001A,PM2.5,2023-01-20 07:00,1\n1001A,PM2.5,2023-01-20 08:00,"{written}"\n')
    (reject,) = found.rejects.to_dicts()
    assert (reject["row"], reject["field"], reject["value"]) == (3, "value", written)
    assert reject["fault"] in {"value_unreadable", "unit_unknown"}
    assert len(found.observations) == 1


@pytest.mark.parametrize("sentinel", ["-9999", "-9999.0", "-999", "-99", "-9", "-1", "-999.9"])
def test_a_sentinel_goes_out_before_the_unit_changes(cleaned, sentinel):
    # -9999 µg/m³ of CO divided by 1000 would be -9.999 mg/m³, and -1000 times 1000 a number of its own.
    found = cleaned(f"{HEAD}1001A,CO,2023-01-20 08:00,{sentinel}\n", units={"CO": "ug/m3"})
    assert (found.empty, found.sentinels, found.rejected, len(found.observations)) == (1, 1, 0, 0)


def test_small_negatives_of_a_temperature_are_values(cleaned):
    assert one(cleaned, "-9", factor="a01001")["value"] == -9.0
    assert cleaned(f"{HEAD}1001A,a01001,2023-01-20 08:00,-9999\n").sentinels == 1


def test_own_sentinels_take_the_place_of_the_usual_ones(cleaned):
    found = cleaned(f"{HEAD}A,CO,2023-01-20 08:00,0\nA,CO,2023-01-20 09:00,-9\n", sentinels=[0])
    assert (found.sentinels, found.rejects["fault"].to_list()) == (1, ["value_negative"])


def test_a_negative_concentration_is_rejected(cleaned):
    found = cleaned(f"{HEAD}1001A,PM2.5,2023-01-20 08:00,-3.5\n")
    assert found.rejects.select("row", "field", "value", "fault").rows() == [(2, "value", "-3.5", "value_negative")]


def test_units_of_column_header_mapping_and_cell(cleaned):
    table = "site,factor,time,value,unit\nA,CO,2023-01-20 08:00,700,ug/m3\nA,PM2.5,2023-01-20 08:00,0.035,毫克/立方米\n"
    assert cleaned(table).observations["value"].to_list() == [0.7, 35.0]
    wide = "站点编码,时间,PM2.5(mg/m³),CO（μg/m3）\nA,2023-01-20 08:00,0.035,700\n"
    assert cleaned(wide).observations["value"].to_list() == [35.0, 0.7]
    said = cleaned("site,time,CO\nA,2023-01-20 08:00,700\n", units={"CO": "ug/m3"})
    assert said.observations["value"].to_list() == [0.7]
    # The unit beside the number is nearer to it than the one of the header.
    assert cleaned("site,time,CO(ug/m3)\nA,2023-01-20 08:00,0.7 mg/m3\n").observations["value"].to_list() == [0.7]


def test_an_unknown_unit_rejects_the_cell_and_refuses_the_header(cleaned):
    found = cleaned("site,factor,time,value,unit\nA,CO,2023-01-20 08:00,700,furlong\n")
    assert found.rejects.select("field", "value", "fault").rows() == [("unit", "furlong", "unit_unknown")]
    with pytest.raises(InputError, match="furlong"):
        cleaned("site,time,CO\nA,2023-01-20 08:00,700\n", units={"CO": "furlong"})


@pytest.mark.parametrize(
    ("line", "field", "value", "fault"),
    [
        (",PM2.5,2023-01-20 08:00,1", "site", "", "site_blank"),
        ("　,PM2.5,2023-01-20 08:00,1", "site", "", "site_blank"),
        (f"{'点' * 65},PM2.5,2023-01-20 08:00,1", "site", "点" * 65, "site_long"),
        ("A,PM2.5,,1", "time", "", "time_blank"),
        ("A,PM2.5,yesterday,1", "time", "yesterday", "time_unreadable"),
        ("A,PM2.5,2023-02-30 08:00,1", "time", "2023-02-30 08:00", "time_unreadable"),
        ("A,PM2.5,2023-01-20 08:30,1", "time", "2023-01-20 08:30", "time_grain"),
        ("A,PM2.5,2023-01-20,1", "time", "2023-01-20", "time_grain"),
        ("A,PM2.5,2026-06-03 08:00,1", "time", "2026-06-03 08:00", "time_future"),
        ("A,,2023-01-20 08:00,1", "factor", "", "factor_blank"),
        ("A,phlogiston,2023-01-20 08:00,1", "factor", "phlogiston", "factor_unknown"),
    ],
)
def test_what_a_row_needs(cleaned, line, field, value, fault):
    found = cleaned(f"{HEAD}{line}\nA,PM2.5,2023-01-20 09:00,1\n", grain="hour")
    assert found.rejects.rows() == [(2, field, value, fault, 1)]
    assert len(found.observations) == 1


def test_a_minute_has_no_seconds(cleaned):
    found = cleaned(f"{HEAD}A,PM2.5,2023-01-20 08:31:30,1\nA,PM2.5,2023-01-20 08:32:00,1\n", grain="minute")
    assert found.rejects["fault"].to_list() == ["time_grain"]
    assert len(found.observations) == 1


def test_a_time_within_a_day_from_now_is_taken(cleaned):
    assert len(cleaned(f"{HEAD}A,PM2.5,2026-06-02 07:00,1\n").observations) == 1


def test_asides_of_a_value(cleaned):
    table = (
        "点位,因子,时间,监测值,限定符,数据标记,检出限\n"
        "A,SO2,2023-01-20 08:00,3,<,,\n"
        "A,SO2,2023-01-20 09:00,,ND,,0.003\n"
        "A,SO2,2023-01-20 10:00,3,,D,\n"
        "A,SO2,2023-01-20 11:00,3,,N,\n"
        "A,SO2,2023-01-20 12:00,3,~,,\n"
        "A,SO2,2023-01-20 13:00,3,,Ω,\n"
        "A,SO2,2023-01-20 14:00,3,,,low\n"
        "A,SO2,2023-01-20 15:00,3,,校,\n"
    )
    found = cleaned(table, flags={"校": "C"})
    assert found.observations.select("value", "qualifier", "limit", "flag").rows() == [
        (3.0, "<", 3.0, None),
        (None, "ND", 0.003, None),
        (3.0, None, None, "D"),
        (3.0, None, None, None),
        (3.0, None, None, "C"),
    ]
    assert found.rejects.select("row", "field", "value", "fault").rows() == [
        (6, "限定符", "~", "qualifier_unknown"),
        (7, "数据标记", "Ω", "flag_unknown"),
        (8, "检出限", "low", "limit_unreadable"),
    ]


def test_the_later_row_of_a_file_wins(cleaned):
    lines = ["A,PM2.5,2023-01-20 08:00,1", "A,PM2.5,2023-01-20 08:00,1", "A,PM2.5,2023-01-20 08:00,2"]
    found = cleaned(HEAD + "\n".join(lines) + "\n")
    assert (found.repeated, found.revised, found.observations["value"].to_list()) == (1, 1, [2.0])


def test_a_bad_row_of_a_wide_file_is_one_line_for_all_its_cells(cleaned):
    found = cleaned("site,time,PM2.5,PM10,O3\nA,soon,1,2,\nA,2023-01-20 08:00,x,2,3\n", grain="hour")
    assert found.rejects.rows() == [(2, "time", "soon", "time_unreadable", 2), (3, "PM2.5", "x", "value_unreadable", 1)]
    assert (found.read, found.rejected, found.empty, len(found.observations)) == (6, 3, 1, 2)


def test_times_become_the_start_of_the_interval_in_utc(cleaned):
    def times(text: str, **mapping: object) -> list[datetime]:
        return cleaned(f"{HEAD}A,PM2.5,{text},1\n", **mapping).observations["time"].to_list()

    assert times("2023-01-20 08:00") == [datetime(2023, 1, 20, 0, tzinfo=UTC)]
    assert times("2023-01-20 08:00", stamp="end") == [datetime(2023, 1, 19, 23, tzinfo=UTC)]
    assert times("2023-01-20 24:00", stamp="end") == [datetime(2023, 1, 20, 15, tzinfo=UTC)]
    assert times("2023-01-20 08:00", timezone="UTC") == [datetime(2023, 1, 20, 8, tzinfo=UTC)]
    assert times("2023-01-20T08:00:00+09:00") == [datetime(2023, 1, 19, 23, tzinfo=UTC)]
    assert times("2023-01-20", grain="day", stamp="end") == [datetime(2023, 1, 19, 16, tzinfo=UTC)]
    assert times("2023年1月", grain="month") == [datetime(2022, 12, 31, 16, tzinfo=UTC)]
    assert times("20.01.2023 08:00", time_format="%d.%m.%Y %H:%M") == [datetime(2023, 1, 20, 0, tzinfo=UTC)]
    # Chinese summer time of 1986-1991 is no part of Beijing standard time, which the standards use.
    assert times("1988-07-01 08:00") == [datetime(1988, 7, 1, 0, tzinfo=UTC)]


def test_sites_and_factors_by_the_mapping(cleaned):
    found = cleaned(
        "监测点,时间,细粒子,备注\n新建　,2023-01-20 08:00,5,x\n",
        sites={"新建": "1234A"},
        factors={"细粒子": "a34004"},
    )
    assert found.observations.select("site", "factor", "value").rows() == [("1234A", "a34004", 5.0)]
    whole = cleaned("time,PM2.5\n2023-01-20 08:00,5\n", site="1234A")
    assert whole.observations["site"].to_list() == ["1234A"]


def test_every_reason_has_its_sentence(cleaned):
    used = {
        *("row_fields", "site_blank", "site_long", "time_blank", "time_unreadable", "time_grain", "time_future"),
        *("factor_blank", "factor_unknown", "value_unreadable", "value_negative"),
        *("qualifier_unknown", "limit_unreadable", "flag_unknown", "unit_unknown"),
    }
    assert used == known_faults()
