"""The whole way: files into the lake, counts that add up, rejects that a spreadsheet can open."""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import shutil
from collections import namedtuple
from datetime import UTC, datetime, timedelta
from pathlib import Path

import openpyxl
import polars as pl
import pytest
from sqlalchemy import update

from qinglan import jobs
from qinglan.base import schema
from qinglan.base.engine import transaction
from qinglan.core.errors import InputError, StorageError
from qinglan.gateways.files import delimited, importing
from qinglan.gateways.files import rejects as reject_files
from qinglan.gateways.files.doubts import doubtful_units
from qinglan.gateways.files.records import ImportOptions, get_import, list_imports, remove_leftovers, start_import
from qinglan.gateways.files.rejects import rejects, rejects_workbook
from qinglan.jobs import JobContext, run_now
from qinglan.jobs.context import LeaseLostError
from qinglan.jobs.lease import claim

TABLE = "site,time,PM2.5,CO\nA,2023-01-20 08:00,12,0.7\nA,2023-01-20 09:00,x,\nA,2023-01-20 10:00,14,-999\n"


def write(path: Path, text: str) -> Path:
    path.write_bytes(text.encode())
    return path


def add_up(counts: dict[str, int]) -> bool:
    parts = ("added", "repeated", "revised", "rejected", "empty")
    return counts["read"] == sum(counts[name] for name in parts)


@pytest.mark.golden
def test_one_day_of_the_national_feed(home, shared):
    path = shared / "data" / "air" / "china_sites_20230120.csv.gz"
    counts = home.take(path)["counts"]
    # Counted in the raw text: 359 whole rows of 2,026 sites each hold 729,069 - 1,735 cells, 598,251 not blank;
    # the file breaks off in its last row (361), which has 1,738 of 2,029 fields.
    assert counts == {
        "read": 359 * 2026 + 1,
        "added": 598_251,
        "repeated": 0,
        "revised": 0,
        "rejected": 1,
        "empty": 359 * 2026 - 598_251,
        "sentinels": 0,
    }
    lines = gzip.decompress(path.read_bytes()).decode().splitlines()
    assert sum(cell != "" for line in lines[1:360] for cell in line.split(",")[3:]) == 598_251
    # First cells of the file: row 2 "20230120,0,AQI,20,19", row 3 "…PM2.5,6,5", and hour 0 is hour 24 of the 19th.
    found = home.lake.scan(sites=["1001A", "1002A"]).collect()
    start = datetime(2023, 1, 19, 15, tzinfo=UTC)
    first = found.filter(pl.col("time") == start).select("site", "factor", "value", "grain", "basis", "source")
    assert ("1001A", "aqi", 20.0, "hour", "realtime", "cnemc") in first.rows()
    assert ("1002A", "aqi", 19.0, "hour", "realtime", "cnemc") in first.rows()
    assert dict(first.filter(site="1001A").select("factor", "value").rows()) == {
        "aqi": 20.0,
        "a34004": 6.0,
        "a34004-24h": 28.0,
        "a34002": 20.0,
        "a34002-24h": 92.0,
        "a21026": 3.0,
        "a21026-24h": 2.0,
        "a21004": 6.0,
        "a21004-24h": 31.0,
        "a05024": 59.0,
        "a05024-24h": 65.0,
        "a05024-8h": 59.0,
        "a05024-8h-24h": 61.0,
        "a21005": 0.2,
        "a21005-24h": 0.4,
    }
    again = home.take(path)["counts"]
    assert (again["added"], again["revised"], again["repeated"]) == (0, 0, 598_251)


def test_counts_add_up_and_the_same_file_twice_adds_nothing(home, tmp_path):
    path = write(tmp_path / "t.csv", TABLE)
    first = home.take(path, stamp="start")["counts"]
    assert {name: first[name] for name in ("read", "added", "rejected", "empty", "sentinels")} == {
        "read": 6,
        "added": 3,
        "rejected": 1,
        "empty": 2,
        "sentinels": 1,
    }
    again = home.take(path, stamp="start")["counts"]
    assert (again["added"], again["repeated"], again["revised"]) == (0, 3, 0)
    write(path, TABLE.replace("12", "13"))
    revised = home.take(path, stamp="start")["counts"]
    assert (revised["added"], revised["repeated"], revised["revised"]) == (0, 2, 1)
    assert all(map(add_up, (first, again, revised)))
    assert home.rows().filter(factor="a34004")["value"].to_list() == [13.0, 14.0]


def test_another_basis_is_another_series(home, tmp_path):
    path = write(tmp_path / "t.csv", TABLE)
    home.take(path, stamp="start")
    counts = home.take(path, stamp="start", basis="audited", source="总站")["counts"]
    assert counts["added"] == 3
    assert set(home.rows().select("basis", "source").unique().rows()) == {("realtime", "file"), ("audited", "总站")}


def test_the_reject_file_opens_in_a_spreadsheet_and_starts_no_formula(home, tmp_path):
    path = write(tmp_path / "t.csv", 'site,time,PM2.5\nA,2023-01-20 08:00,"=cmd|x"\nA,@soon,3\nA,2023-01-20 09:00,4\n')
    result = home.take(path, stamp="start", grain="hour")
    raw = (home.settings.files / result["id"] / "rejects.csv").read_bytes()
    assert raw.startswith(b"\xef\xbb\xbf")
    lines = list(csv.DictReader(io.StringIO(raw.decode("utf-8-sig"))))
    assert [(line["file"], line["row"], line["field"], line["value"]) for line in lines] == [
        ("t.csv", "2", "PM2.5", "'=cmd|x"),
        ("t.csv", "3", "time", "'@soon"),
    ]
    assert all(line["reason_zh"] and line["reason_en"] for line in lines)
    total, rows = rejects(home.settings, result["id"], offset=1, limit=1)
    assert total == 2
    assert [(row["row"], row["field"], row["value"]) for row in rows] == [(3, "time", "@soon")]
    sheet = openpyxl.load_workbook(io.BytesIO(rejects_workbook(home.settings, result["id"]))).active
    assert [cell.data_type for cell in sheet[2]].count("f") == 0
    assert sheet.cell(2, 2).value == 2
    with pytest.raises(InputError):
        rejects(home.settings, "../../etc")


@pytest.mark.parametrize("value", ["=1", "+x", "-x", "@x", "＝1", "－x", "\n=1"])
def test_no_cell_of_the_reject_file_begins_like_a_formula(value):
    (cell,) = pl.DataFrame({"v": [value]}).select(reject_files.escaped(pl.col("v")))["v"]
    assert cell == f"'{value}"


def test_the_reject_file_is_bounded_and_the_counts_are_not(home, tmp_path, monkeypatch):
    monkeypatch.setattr(reject_files, "MAX_LINES", 5)
    lines = "".join(f"A,2023-01-{day:02d},x\n" for day in range(1, 29))
    result = home.take(write(tmp_path / "t.csv", "site,date,PM2.5\n" + lines))
    assert (result["counts"]["rejected"], result["reject_lines"]) == (28, 5)
    assert rejects(home.settings, result["id"])[0] == 5


def test_an_import_without_rejects_has_no_file(home, tmp_path):
    result = home.take(write(tmp_path / "t.csv", "site,date,PM2.5\nA,2023-01-20,3\n"))
    assert result["rejects_file"] is None
    assert rejects(home.settings, result["id"]) == (0, [])


def test_an_import_is_kept_with_its_files_and_counts(home, tmp_path):
    path = write(tmp_path / "t.csv", TABLE)
    result = home.take(path, stamp="start", mapping="units: {CO: mg/m3}\n")
    shown = get_import(home.engine, result["id"])
    assert shown["state"] == "done"
    assert shown["counts"] == {"read": 6, "added": 3, "repeated": 0, "revised": 0, "rejected": 1, "empty": 2}
    assert (shown["basis"], shown["source"], shown["simulated"], shown["rejects"]) == ("realtime", "file", False, True)
    (file,) = shown["files"]
    assert (file["name"], file["size"], file["added"]) == ("t.csv", len(TABLE), 3)
    assert file["sha256"] == hashlib.sha256(TABLE.encode()).hexdigest()
    assert [one["id"] for one in list_imports(home.engine)] == [result["id"]]
    with pytest.raises(InputError):
        get_import(home.engine, "none")


def test_an_upload_may_go_once_the_import_is_put_in(home, tmp_path):
    path = write(tmp_path / "t.csv", TABLE)
    identifier = start_import(home.engine, home.settings, [path], ImportOptions(stamp="start"), names=["../../好.csv"])
    path.unlink()
    assert get_import(home.engine, identifier)["state"] == "waiting"
    run_now(home.engine, {importing.KIND: importing.handler(home.settings, home.lake)}, identifier)
    assert get_import(home.engine, identifier)["files"][0]["name"] == "好.csv"
    assert len(home.rows()) == 3


def test_a_job_killed_after_its_last_word_ends_with_the_same_counts(home, tmp_path):
    path = write(tmp_path / "t.csv", TABLE)
    first = home.take(path, stamp="start")
    with transaction(home.engine) as connection:
        again = update(schema.jobs).where(schema.jobs.c.id == first["id"])
        connection.execute(
            again.values(state="waiting", finished=None, result=None, lease_owner=None, lease_until=None, attempts=0)
        )
    assert list(home.settings.files.glob("incoming-*")) == []
    job = run_now(home.engine, {importing.KIND: importing.handler(home.settings, home.lake)}, first["id"])
    assert {"id": first["id"], **job.result} == first


def test_copies_of_imports_that_were_given_up_are_removed_later(home, tmp_path):
    path = write(tmp_path / "t.csv", TABLE)
    given_up = start_import(home.engine, home.settings, [path], ImportOptions(stamp="start"))
    waits = start_import(home.engine, home.settings, [path], ImportOptions(stamp="start"))
    jobs.cancel(home.engine, given_up)
    kept = importing.incoming_folders(home.settings, jobs.get(home.engine, waits).arguments)
    remove_leftovers(home.engine, home.settings)
    assert len(list(home.settings.files.glob("incoming-*"))) == 2
    remove_leftovers(home.engine, home.settings, older_than=timedelta(seconds=-60))
    assert set(home.settings.files.glob("incoming-*")) == kept


def test_a_file_that_is_read_where_it_is_stays(home, tmp_path):
    path = write(tmp_path / "t.csv", TABLE)
    identifier = start_import(home.engine, home.settings, [path], ImportOptions(stamp="start"), copy=False)
    run_now(home.engine, {importing.KIND: importing.handler(home.settings, home.lake)}, identifier)
    assert path.read_text("utf-8") == TABLE


def test_no_room_on_the_disk_refuses_before_anything_is_copied(home, tmp_path, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, 1 << 40, 1 << 20))
    with pytest.raises(StorageError, match="磁盘空间不足"):
        home.take(write(tmp_path / "t.csv", TABLE), stamp="start")
    assert list(home.settings.files.iterdir()) == []
    assert home.rows().is_empty()


def test_a_large_file_is_taken_in_blocks(home, tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK", 1 << 20)
    sizes = []
    submit = home.lake.submit

    def watched(frame: pl.DataFrame, *, source: str) -> object:
        sizes.append(len(frame))
        return submit(frame, source=source)

    monkeypatch.setattr(home.lake, "submit", watched)
    hours = pl.datetime_range(datetime(2020, 1, 1), datetime(2020, 12, 31, 23), "1h", eager=True)
    days = pl.DataFrame({"time": hours.dt.strftime("%Y-%m-%d %H:%M")})
    sites = pl.DataFrame({"site": [f"{1000 + index}A" for index in range(12)]})
    frame = sites.join(days, how="cross").with_row_index("PM2.5").select("site", "time", "PM2.5")
    frame.write_csv(tmp_path / "t.csv")
    counts = home.take(tmp_path / "t.csv", stamp="start")["counts"]
    assert counts["added"] == counts["read"] == 12 * 8784
    assert len(sizes) >= 3
    assert max(sizes) < 60_000


def test_several_files_are_summed(home, tmp_path):
    one = write(tmp_path / "1.csv", "site,date,PM2.5\nA,2023-01-20,3\n")
    two = write(tmp_path / "2.csv", "site,date,PM2.5\nA,2023-01-21,x\n")
    result = home.take(one, two)
    assert [(file["name"], file["added"], file["rejected"]) for file in result["files"]] == [
        ("1.csv", 1, 0),
        ("2.csv", 0, 1),
    ]
    assert (result["counts"]["read"], result["counts"]["added"], result["counts"]["rejected"]) == (2, 1, 1)


def test_stations_of_one_name_in_two_cities_are_warned_about_and_told_apart(home, tmp_path):
    path = write(
        tmp_path / "t.csv", "city,station,date,PM2.5\n甲市,市监测站,2023-01-20,3\n乙市,市监测站,2023-01-20,4\n"
    )
    result = home.take(path)
    (warning,) = result["files"][0]["warnings"]
    assert "columns.site" in warning["zh"]
    assert (result["counts"]["added"], result["counts"]["revised"]) == (1, 1)
    result = home.take(path, mapping="columns: {site: [city, station]}\nsites: {乙市/市监测站: 1234A}\n")
    assert result["counts"]["added"] == 2
    assert result["files"][0]["warnings"] == []
    assert set(home.rows()["site"]) == {"市监测站", "甲市/市监测站", "1234A"}


def test_a_median_a_thousand_times_off_is_warned_about_by_name(home, tmp_path):
    lines = "".join(f"A,2023-01-{day:02d},{700 + day},{30 + day}\n" for day in range(1, 29))
    result = home.take(write(tmp_path / "t.csv", "site,date,CO,PM2.5\n" + lines))
    warning, beyond = result["files"][0]["warnings"]
    assert (warning["factor"], beyond["factor"]) == ("a21005", "a21005")
    assert "CO 有 28 个值超出可能的范围" in beyond["zh"]
    assert "CO" in warning["zh"]
    assert "unit" in warning["en"]
    assert doubtful_units([]) == []


HOURS = "site,time,PM2.5\n" + "".join(
    f"A,{datetime(2023, 1, 1) + timedelta(hours=hour):%Y-%m-%d %H:%M},{hour % 90}\n" for hour in range(400)
)


def test_an_import_that_fails_half_way_says_what_it_took_in_and_the_next_try_too(home, tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK", 4096)
    path = write(tmp_path / "t.csv", HOURS)
    submitted = []

    def failing(frame: pl.DataFrame, **options: object) -> object:
        submitted.append(frame.height)
        if len(submitted) == 2:
            raise StorageError("满。", "Full.")
        return type(home.lake).submit(home.lake, frame, **options)

    identifier = start_import(home.engine, home.settings, [path], ImportOptions(stamp="start"))
    with monkeypatch.context() as patched:
        patched.setattr(home.lake, "submit", failing)
        with pytest.raises(StorageError):
            run_now(home.engine, {importing.KIND: importing.handler(home.settings, home.lake)}, identifier)
    shown = get_import(home.engine, identifier)
    assert shown["state"] == "failed"
    assert 0 < submitted[0] < 400
    assert (shown["counts"]["read"], shown["counts"]["added"]) == (submitted[0], submitted[0])
    assert len(home.rows()) == submitted[0]
    with transaction(home.engine) as connection:
        connection.execute(update(schema.jobs).values(state="waiting", error_zh=None, error_en=None))
    again = run_now(home.engine, {importing.KIND: importing.handler(home.settings, home.lake)}, identifier)
    assert again.state == "done"
    counts = get_import(home.engine, identifier)["counts"]
    assert (counts["added"], counts["repeated"]) == (400 - submitted[0], submitted[0])
    (file,) = get_import(home.engine, identifier)["files"]
    assert any("interrupted" in warning["en"] for warning in file["warnings"])


def test_an_import_that_lost_its_lease_while_it_read_hands_nothing_more_to_the_lake(home, tmp_path, monkeypatch):
    monkeypatch.setattr(delimited, "BLOCK", 4096)
    path = write(tmp_path / "t.csv", HOURS)
    cleaned, clean, check = [], importing.clean, JobContext.check

    def losing(*arguments: object) -> object:
        cleaned.append(1)
        return clean(*arguments)

    def checking(context: JobContext) -> None:
        if len(cleaned) == 2:
            raise LeaseLostError("失去。", "Lost.")
        check(context)

    identifier = start_import(home.engine, home.settings, [path], ImportOptions(stamp="start"))
    monkeypatch.setattr(importing, "clean", losing)
    monkeypatch.setattr(JobContext, "check", checking)
    held = claim(home.engine, "test", timedelta(seconds=30), [importing.KIND])
    with pytest.raises(LeaseLostError):
        importing.import_files(JobContext(home.engine, held, timedelta(seconds=30)), home.settings, home.lake)
    assert 0 < len(home.rows()) < 200
    assert get_import(home.engine, identifier)["counts"]["read"] == 0
