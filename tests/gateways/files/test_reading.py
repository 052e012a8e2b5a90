"""Files of every kind: read alike, or refused in one sentence with nothing written."""

from __future__ import annotations

import gzip
import os
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest
import xlsxwriter

from qinglan.core.errors import InputError, QinglanError
from qinglan.gateways.files import delimited, sheet_size
from qinglan.gateways.files.cleaning import Cleaned, clean
from qinglan.gateways.files.mapping import Mapping, load_mapping
from qinglan.gateways.files.preparing import Prepared, Wishes, prepare

NOW = datetime(2026, 6, 1, tzinfo=UTC)
TABLE = "站点编码,时间,因子,监测值\n1001A,2023-01-20 08:00,细颗粒物,12.5\n1001A,2023-01-20 09:00,CO,0.7\n"
EXPECTED = [
    ("1001A", "a34004", datetime(2023, 1, 20, 0, tzinfo=UTC), 12.5),
    ("1001A", "a21005", datetime(2023, 1, 20, 1, tzinfo=UTC), 0.7),
]


def ready(path: Path, stamp: str | None = "start", **mapping: object) -> Prepared:
    return prepare(path, path.name, Wishes(Mapping(**mapping), stamp=stamp), NOW)  # type: ignore[arg-type]


def read(path: Path, **mapping: object) -> list[Cleaned]:
    prepared = ready(path, **mapping)
    return [clean(chunk, prepared.rules) for chunk in prepared.chunks()]


def rows(path: Path, **mapping: object) -> list[tuple[object, ...]]:
    frames = [found.observations for found in read(path, **mapping)]
    return pl.concat(frames).select("site", "factor", "time", "value").rows()


def write(path: Path, content: bytes | str) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_text_in_any_dress(tmp_path, encoding, delimiter, end):
    text = TABLE.replace(",", delimiter).replace("\n", end)
    assert rows(write(tmp_path / "t.csv", text.encode(encoding))) == EXPECTED
    assert rows(write(tmp_path / "t.csv.gz", gzip.compress(text.encode(encoding)))) == EXPECTED


def test_a_gzip_of_two_members_is_one_text(tmp_path):
    head, rest = TABLE.encode()[:50], TABLE.encode()[50:]
    assert rows(write(tmp_path / "t.csv.gz", gzip.compress(head) + gzip.compress(rest))) == EXPECTED


def test_quoted_cells_with_delimiters_and_line_ends(tmp_path):
    text = 'site,note,time,factor,value\nA,"one, two\nthree",2023-01-20 08:00,PM2.5,"1,234.5"\nA,,soon,PM2.5,1\n'
    (found,) = [one for one in read(write(tmp_path / "t.csv", text), grain="hour") if one.read]
    assert found.observations["value"].to_list() == [1234.5]
    assert found.rejects["row"].to_list() == [3]


def test_rows_of_another_width_are_rejected_by_their_number(tmp_path):
    text = "\n".join(
        [
            "site,time,PM2.5,PM10",
            "A,2023-01-20 01:00,1,10",
            "A,2023-01-20 02:00,2",
            "",
            "A,2023-01-20 03:00,3,30,7",
            "A,2023-01-20 04:00,x,40",
            "A,2023-01-20 0",
        ]
    )
    found = read(write(tmp_path / "t.csv", text), grain="hour")
    rejects = pl.concat([one.rejects for one in found]).sort("row")
    assert rejects.select("row", "fault").rows() == [
        (3, "row_fields"),
        (5, "row_fields"),
        (6, "value_unreadable"),
        (7, "row_fields"),
    ]
    assert sum(len(one.observations) for one in found) == 3


def test_row_numbers_hold_across_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK", 1 << 10)
    lines = [f"A,2023-01-{1 + i // 24:02d} {i % 24:02d}:00,{i}" for i in range(500)]
    lines[99], lines[300], lines[301] = "A,short", "A,2023-01-13 12:00,x", ""
    found = read(write(tmp_path / "t.csv", "site,time,PM2.5\n" + "\n".join(lines) + "\n"))
    assert len(found) > 5
    assert pl.concat([one.rejects for one in found])["row"].to_list() == [101, 302]
    assert sum(len(one.observations) for one in found) == 497


def test_half_a_character_at_the_end_costs_only_its_row(tmp_path):
    whole = "site,time,PM2.5,备注\nA,2023-01-20 08:00,1,甲\nA,2023-01-20 09:00,2,乙".encode()
    (found,) = [one for one in read(write(tmp_path / "t.csv", whole[:-1])) if one.read]
    assert found.observations["value"].to_list()[0] == 1.0
    assert found.read == 2


def workbook(path: Path, sheets: dict[str, list[list[object]]], merge: tuple[int, int, int, int] | None = None) -> Path:
    book = xlsxwriter.Workbook(str(path))
    when = book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    for name, lines in sheets.items():
        sheet = book.add_worksheet(name)
        for y, line in enumerate(lines):
            for x, value in enumerate(line):
                if isinstance(value, (datetime, date)):
                    sheet.write_datetime(y, x, value, when)
                elif value is not None:
                    sheet.write(y, x, value)
        if merge is not None:
            sheet.merge_range(*merge, sheets[name][merge[0]][merge[1]])
    book.close()
    return path


def test_excel_with_dates_numbers_and_text(tmp_path):
    lines = [
        ["站点编码", "时间", "因子", "监测值"],
        ["1001A", datetime(2023, 1, 20, 8), "细颗粒物", 12.5],
        ["1001A", "2023-01-20 09:00", "CO", "０．７"],
    ]
    assert rows(workbook(tmp_path / "t.xlsx", {"表": lines})) == EXPECTED


def test_excel_drops_midnight_from_a_cell_but_it_is_an_hour_all_the_same(tmp_path):
    lines = [["站点", "时间", "PM2.5"], *(["A", datetime(2023, 1, 20, hour), hour] for hour in range(3))]
    found = rows(workbook(tmp_path / "t.xlsx", {"表": lines}))
    assert [row[2] for row in found] == [datetime(2023, 1, 19, hour, tzinfo=UTC) for hour in (16, 17, 18)]
    daily = [["站点", "时间", "PM2.5"], ["A", datetime(2023, 1, 20), 1], ["A", datetime(2023, 1, 21), 2]]
    (chunk,) = read(workbook(tmp_path / "d.xlsx", {"表": daily}))
    assert chunk.observations["grain"].to_list() == ["day", "day"]


def test_excel_header_below_a_title_merged_over_two_rows_with_units(tmp_path):
    lines = [
        ["一月监测结果", None, None, None],
        [],
        ["站点", "时间", "浓度", None],
        [None, None, "PM2.5（mg/m³）", "CO"],
        [1001, datetime(2023, 1, 20, 8), 0.035, 0.7],
        [],
        [1001, datetime(2023, 1, 20, 9), "x", 0.8],
    ]
    path = workbook(tmp_path / "t.xlsx", {"空": [], "表": lines}, merge=None)
    (found,) = read(path)
    assert found.observations.select("site", "factor", "value").rows() == [
        ("1001", "a34004", 35.0),
        ("1001", "a21005", 0.7),
        ("1001", "a21005", 0.8),
    ]
    assert found.rejects.select("row", "field").rows() == [(7, "PM2.5（mg/m³）")]


def test_excel_units_in_a_row_of_their_own(tmp_path):
    lines = [
        ["点位", "时间", "PM2.5", "CO"],
        [None, None, "mg/m³", "μg/m³"],
        ["A", datetime(2023, 1, 20, 8), 0.035, 700],
    ]
    assert [row[3] for row in rows(workbook(tmp_path / "t.xlsx", {"表": lines}))] == [35.0, 0.7]


def test_parquet_keeps_short_floats_short(tmp_path):
    frame = pl.DataFrame(
        {
            "site": ["1001A", "1001A"],
            "time": [datetime(2023, 1, 20, 8), datetime(2023, 1, 20, 9)],
            "factor": pl.Series(["PM2.5", "CO"], dtype=pl.Categorical),
            "value": pl.Series([12.5, 0.7], dtype=pl.Float32),
        }
    )
    frame.write_parquet(tmp_path / "t.parquet")
    assert rows(tmp_path / "t.parquet") == EXPECTED
    zoned = frame.with_columns(pl.col("time").dt.replace_time_zone("Asia/Shanghai"))
    zoned.write_parquet(tmp_path / "z.parquet")
    assert rows(tmp_path / "z.parquet") == EXPECTED


def _picture(tmp_path: Path) -> Path:
    return write(tmp_path / "photo.csv", b"\x89PNG\r\n\x1a\n" + bytes(100))


def _photograph(tmp_path: Path) -> Path:
    return write(tmp_path / "photo.jpg", b"\xff\xd8\xff\xe0" + bytes(100))


def _empty(tmp_path: Path) -> Path:
    return write(tmp_path / "empty.csv", b"")


def _folder(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder"


def _absent(tmp_path: Path) -> Path:
    return tmp_path / "absent.csv"


def _half_gzip(tmp_path: Path) -> Path:
    packed = gzip.compress(TABLE.encode() * 50)
    return write(tmp_path / "t.csv.gz", packed[: len(packed) // 2])


def _half_excel(tmp_path: Path) -> Path:
    path = workbook(tmp_path / "t.xlsx", {"表": [["站点", "时间", "PM2.5"], ["A", "2023-01-20 08:00", 1]]})
    return write(path, path.read_bytes()[:-200])


def _half_parquet(tmp_path: Path) -> Path:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"site": ["A"], "time": ["2023-01-20 08:00"], "PM2.5": [1]}).write_parquet(path)
    return write(path, path.read_bytes()[:-20])


def _damaged_parquet(tmp_path: Path) -> Path:
    path = tmp_path / "t.parquet"
    pl.DataFrame({"site": ["A"] * 99, "time": ["2023-01-20 08:00"] * 99, "PM2.5": range(99)}).write_parquet(path)
    whole = path.read_bytes()
    return write(path, whole[:4] + bytes(60) + whole[64:])


def _utf_16(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv", TABLE.encode("utf-16"))


def _no_encoding(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv", TABLE.encode() + b"\xff\xff\xff,2023-01-20 08:00,CO,1\n")


def _binary(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv", b"site,time\x00\x01")


def _columns(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv", "a,b,c\n1,2,3\n")


def _header_only(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv", "site,time,PM2.5\n")


def _twice(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv", "site,time,PM2.5,PM2.5\nA,2023-01-20 08:00,1,2\n")


def _same_factor(tmp_path: Path) -> Path:
    return write(tmp_path / "t.csv", "site,time,PM2.5,细颗粒物\nA,2023-01-20 08:00,1,2\n")


def _archive(tmp_path: Path) -> Path:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("t.csv", TABLE)
    return tmp_path / "t.zip"


def _pipe(tmp_path: Path) -> Path:
    os.mkfifo(tmp_path / "pipe")
    return tmp_path / "pipe"


BAD = {
    _picture: ("图片", "picture"),
    _photograph: ("图片", "picture"),
    _empty: ("空文件", "empty"),
    _folder: ("目录", "folder"),
    _absent: ("没有文件", "no file"),
    _half_gzip: ("不完整", "truncated"),
    _half_excel: ("不完整", "truncated"),
    _half_parquet: ("不完整", "truncated"),
    _damaged_parquet: ("不完整", "truncated"),
    _utf_16: ("UTF-16", "UTF-16"),
    _no_encoding: ("GB 18030", "GB 18030"),
    _binary: ("二进制", "binary"),
    _columns: ("表头认不出", "not understood"),
    _header_only: ("没有数据行", "no rows"),
    _twice: ("重复的列名", "repeats"),
    _same_factor: ("都是因子", "are all factor"),
    _archive: ("压缩包", "archive"),
    _pipe: ("不是普通文件", "no regular file"),
}


@pytest.mark.parametrize("make", BAD, ids=lambda make: make.__name__.strip("_"))
def test_a_bad_file_is_refused_in_one_sentence_and_the_lake_unchanged(home, tmp_path, make):
    zh, en = BAD[make]
    good = write(tmp_path / "good.csv", TABLE)
    bad = make(tmp_path)
    with pytest.raises(QinglanError) as refusal:
        home.take(good, bad, stamp="start") if bad.is_file() else ready(bad)
    assert zh in refusal.value.zh
    assert en in refusal.value.en
    assert refusal.value.exit_code == 2
    assert home.rows().is_empty()


def test_a_file_without_permission_is_refused(tmp_path, monkeypatch):
    # A mode of 0 would not stop root, who runs some test machines.
    path = write(tmp_path / "t.csv", TABLE)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", refused)
        with pytest.raises(InputError, match="无法读取"):
            ready(path)


def test_an_hour_needs_its_stamp_said(tmp_path):
    path = write(tmp_path / "t.csv", TABLE)
    with pytest.raises(InputError, match="--stamp start") as refusal:
        ready(path, stamp=None)
    assert refusal.value.field == "stamp"
    assert rows(write(tmp_path / "d.csv", "site,date,PM2.5\nA,2023-01-20,1\n"), stamp=None)[0][3] == 1.0


def test_a_workbook_with_a_stray_cell_far_away_is_refused_before_it_is_laid_out(tmp_path, monkeypatch):
    # 2,000 × 3,000 cells stand for the far corner, which would end the process where it is not refused.
    monkeypatch.setattr(sheet_size, "MOST_CELLS", 5_999_999)
    lines: list[list[object]] = [["站点", "时间", "PM2.5"], ["A", "2023-01-20 08:00", 1]]
    far: list[list[object]] = [*lines, *[[] for _ in range(1_997)], [None] * 2_999 + ["x"]]
    with pytest.raises(InputError, match="2,000 行、第 3,000 列"):
        ready(workbook(tmp_path / "far.xlsx", {"表": far}))
    assert ready(workbook(tmp_path / "near.xlsx", {"表": lines, "又": [[None] * 2_999 + ["x"]]}))


def test_sheets_that_are_not_read_are_named(tmp_path):
    lines: list[list[object]] = [["站点", "时间", "PM2.5"], ["A", "2023-01-20 08:00", 1]]
    said = ready(workbook(tmp_path / "t.xlsx", {"一月": lines, "二月": lines, "空": []})).guesses
    assert any("二月" in zh and "一月" in zh and "空" not in zh and "sheet" in en for zh, en in said)
    alone = ready(workbook(tmp_path / "o.xlsx", {"一月": lines})).guesses
    assert not any("sheet" in en for _, en in alone)


def test_a_gzip_that_unpacks_without_end_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "UNPACKED_LIMIT", 1 << 20)
    path = write(tmp_path / "t.csv.gz", gzip.compress(TABLE.encode() + b" " * (8 << 20)))
    with pytest.raises(InputError, match="超过"):
        ready(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columnz: {site: a}\n", "columnz"),
        ("stamp: middle\n", "stamp"),
        ("timezone: Asia/Tokyo\n", "timezone"),
        ("columns: {hour: 时}\n", "columns.date"),
        ("- a\n", "should be"),
        ("a: [\n", "cannot be read"),
    ],
)
def test_a_mapping_that_is_not_understood_is_refused(tmp_path, text, said):
    with pytest.raises(QinglanError) as refusal:
        load_mapping(write(tmp_path / "map.yaml", text))
    assert said in refusal.value.en
    assert refusal.value.exit_code == 2


def test_a_mapping_in_full(tmp_path):
    mapping = load_mapping(
        write(
            tmp_path / "map.yaml",
            "columns: {site: 名称, date: 日, hour: 钟点}\nstamp: end\nfactors: {NO: NO, 微粒: PM2.5}\n"
            "units: {微粒: mg/m3}\nsites: {东湖: 1234A}\ntimezone: +08:00\n",
        )
    )
    path = write(tmp_path / "t.csv", "名称,日,钟点,微粒,NO\n东湖,20230120,0,0.012,3\n")
    prepared = prepare(path, path.name, Wishes(mapping), NOW)
    (found,) = [clean(chunk, prepared.rules) for chunk in prepared.chunks() if len(chunk.rows)]
    start = datetime(2023, 1, 19, 15, tzinfo=UTC)
    assert found.observations.select("site", "factor", "time", "value").sort("factor").rows() == [
        ("1234A", "a21003", start, 3.0),
        ("1234A", "a34004", start, 12.0),
    ]


def test_a_mapping_that_names_an_absent_column_is_refused_by_name(tmp_path):
    with pytest.raises(InputError, match="站号"):
        ready(write(tmp_path / "t.csv", TABLE), columns={"site": "站号", "time": "时间"})
