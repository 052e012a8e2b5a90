"""The published feed, lakes, rivers and limits: figures that others printed, met by ours."""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest

from qinglan.core.rounding import half_even
from qinglan.standards import groundwater, water
from qinglan.standards.edition import editions
from qinglan.standards.water.tables import FOLDER, BlackOdorous, EcologicalFlow, Trophic, WaterClasses

pytestmark = pytest.mark.golden

ITEMS = ("ph", "do", "codmn", "nh3n", "tp")
CLASSES = ("Ⅰ", "Ⅱ", "Ⅲ", "Ⅳ", "Ⅴ", "劣Ⅴ")


def facts(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "standards/water" / name).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


@pytest.fixture(scope="module")
def release(shared: Path) -> pl.DataFrame:
    """The national release of one afternoon, with the kind of water that its own column gives."""
    frame = pl.read_csv(shared / "standards/water/example_cnemc_20200508.csv")
    return frame.with_row_index("number").select(
        pl.concat_str("province", "section", "number", separator="/").alias("site"),
        pl.col("time").str.to_datetime("%Y-%m-%d %H:%M"),
        "ph",
        pl.col("do_mg_l").alias("do"),
        pl.col("codmn_mg_l").alias("codmn"),
        pl.col("nh3n_mg_l").alias("nh3n"),
        pl.col("tp_mg_l").alias("tp"),
        pl.col("tp_limit_set_that_matches").alias("matches"),
        pl.col("tp_limit_set_that_matches").replace("both", "river").alias("kind"),
        "class_official",
    )


def agreeing(found: pl.DataFrame, published: pl.DataFrame) -> tuple[int, int]:
    joined = published.join(found, on=["site", "time"], how="left")
    return int((joined["grade"] == joined["class_official"]).fill_null(value=False).sum()), joined.height


def test_every_class_of_the_release_of_8_may_2020(release: pl.DataFrame) -> None:
    """1,439 of 1,439 from unrounded values, whether the samples come wide or tidy."""
    assert agreeing(water.section_class(release, kind="kind"), release) == (1439, 1439)
    tidy = release.unpivot(on=ITEMS, index=["site", "time", "kind"], variable_name="factor")
    assert agreeing(water.section_class(tidy, kind="kind"), release) == (1439, 1439)


def test_rows_that_do_not_hang_on_phosphorus_need_no_kind(release: pl.DataFrame) -> None:
    either = release.filter(matches="both")
    assert agreeing(water.section_class(either), either) == (522, 522)
    hanging = water.section_class(release.filter(pl.col("matches") != "both"))
    assert hanging.height == 917
    assert hanging["water_class"].null_count() == 917
    assert hanging["note"].str.contains("无法判定：总磷").all()


def test_rounded_values_would_not_do(release: pl.DataFrame) -> None:
    """Rounded as they are printed (pH and oxygen 2, CODMn 1, the others 2 decimals) some classes are lost."""
    decimals = {"ph": 2, "do": 2, "codmn": 1, "nh3n": 2, "tp": 3}
    rounded = release.with_columns(
        pl.col(item).map_elements(lambda value, d=places: float(half_even(value, d)), return_dtype=pl.Float64)
        for item, places in decimals.items()
    )
    right, rows = agreeing(water.section_class(rounded, kind="kind"), release)
    assert 1400 < right < rows == 1439


@pytest.fixture(scope="module")
def feed(shared: Path) -> pl.DataFrame:
    """Normal rows of the automatic stations with a published class, each once; values are single precision."""
    text = pl.col("wq_class").cast(pl.String)
    frame = pl.read_parquet(shared / "data/water/cnemc_surface_water.parquet")
    normal = frame.filter((pl.col("status") == "正常") & ~pl.col("time").is_null() & text.is_in(CLASSES))
    return (
        normal.select(
            pl.concat_str(pl.col("province").cast(pl.String), pl.col("section").cast(pl.String), separator="/").alias(
                "site"
            ),
            "time",
            *ITEMS,
            text.alias("class_official"),
        )
        .unique(maintain_order=True)
        .with_columns(((pl.col("time").dt.date().rank("dense").over("site")) % 2).alias("half"))
    )


def beside(frame: pl.DataFrame, kind: str) -> pl.DataFrame:
    """The rows, in their order, with the grade found for each."""
    return frame.with_columns(water.section_class(frame, kind=kind)["grade"])


def right(frame: pl.DataFrame) -> float:
    return float((frame["grade"] == frame["class_official"]).fill_null(value=False).mean() or 0)


def test_the_feed_judged_as_rivers(feed: pl.DataFrame) -> None:
    assert feed.height > 60_000
    assert right(beside(feed, "river")) >= 0.935


def cause() -> pl.Expr:
    """Why a class differs: a printed value within half its last digit of a limit; a class that is the one found for
    the section's sample before or after; an item absent; none of these."""
    limits = {
        "ph": (6, 9),
        "do": (7.5, 6, 5, 3, 2),
        "codmn": (2, 4, 6, 10, 15),
        "nh3n": (0.15, 0.5, 1, 1.5, 2),
        "tp": (0.01, 0.02, 0.025, 0.05, 0.1, 0.2, 0.3, 0.4),
    }
    half_a_digit = {"ph": 0.0051, "do": 0.0051, "codmn": 0.0051, "nh3n": 0.00051, "tp": 0.00051}
    at_limit = pl.any_horizontal(
        (pl.col(item).cast(pl.Float64) - limit).abs() <= half_a_digit[item]
        for item, values in limits.items()
        for limit in values
    ).fill_null(value=False)
    neighbour = pl.any_horizontal(
        (pl.col("grade").shift(step).over("site") == pl.col("class_official")).fill_null(value=False)
        for step in (-1, 1)
    )
    absent = pl.any_horizontal(pl.col(item).is_null() for item in ITEMS)
    return (
        pl.when(pl.col("grade") == pl.col("class_official")).then(pl.lit("the same"))
        .when(at_limit).then(pl.lit("printed value at a limit"))
        .when(neighbour).then(pl.lit("class of the neighbouring sample"))
        .when(absent).then(pl.lit("an item absent"))
        .otherwise(pl.lit("other"))
    )  # fmt: skip


def test_kinds_learned_on_one_half_of_the_dates_hold_on_the_other(feed: pl.DataFrame) -> None:
    scored = []
    for half in (0, 1):
        kinds = water.learned_kinds(feed.filter(half=half), published="class_official")
        other = feed.filter(half=1 - half).join(kinds.select("site", "kind"), on="site", how="inner")
        judged = beside(other, "kind")
        assert judged.height > 25_000
        assert right(judged) >= 0.975
        scored.append(judged)
    causes = dict(pl.concat(scored).sort("site", "time").select(cause().alias("cause"))["cause"].value_counts().rows())
    different = sum(rows for name, rows in causes.items() if name != "the same")
    print("differences by cause:", causes)
    assert sum(causes.values()) == different + causes["the same"]
    assert causes["printed value at a limit"] > 0
    assert causes["other"] / sum(causes.values()) < 0.005


def test_lakes_and_rivers_learn_their_own_kind() -> None:
    """Phosphorus 0.04 mg/L is class II in a river and III in a lake (table 1)."""
    sample = {"time": [1, 2], "tp": [0.04, 0.04]}
    frame = pl.concat(
        pl.DataFrame({"site": site, **sample, "published": grade}) for site, grade in (("lake", "Ⅲ"), ("river", "Ⅱ"))
    )
    found = water.learned_kinds(frame, published="published").sort("site")
    assert found.rows() == [("lake", "lake", 0, 2, 2), ("river", "river", 2, 0, 2)]


def test_ten_years_of_hulun_lake(shared: Path) -> None:
    rows = facts(shared, "example_tli_hulun.csv")
    columns = [f"tli_{item}" for item in ("chla", "tp", "tn", "sd")]
    lake = pl.DataFrame(
        {"site": "Hulun", "time": [int(row["year"]) for row in rows]}
        | {column: [float(row[column]) for row in rows] for column in columns}
    )
    found = water.trophic_from_indices(lake).sort("time")
    assert [str(half_even(tli, 3)) for tli in found["tli"]] == [row["tli_published"] for row in rows]
    assert found["grade"].to_list() == [row["grade_published"] for row in rows]
    assert found["missing"].to_list() == ["高锰酸盐指数"] * 10
    assert found["note"].to_list() == ["按 4 项计算"] * 10


def test_twelve_months_of_the_kongque_river(shared: Path) -> None:
    rows = facts(shared, "example_ecoflow_kongque.csv")
    flows = pl.DataFrame(
        [
            {"site": "塔什店", "time": date(year, int(row["month"]), 1), "value": float(row[f"q_{year}"])}
            for row in rows
            for year in range(2009, 2019)
        ]
    )
    targets = pl.DataFrame(
        [{"site": "塔什店", "month": int(row["month"]), "target": float(row["target_m3_s"])} for row in rows]
    )
    found = water.flow_satisfaction(flows, targets).filter(pl.col("month") > 0).sort("month")
    assert [rate / 100 for rate in found["rate"]] == [float(row["satisfaction_published"]) for row in rows]


def test_lake_tai_of_2003(shared: Path) -> None:
    """Phosphorus of six zones: V, V, V, III, III, IV by the lake's limits (example_published_classes.csv)."""
    assert any(row["place"] == "太湖 zones" for row in facts(shared, "example_published_classes.csv"))
    zones = pl.DataFrame({"site": list("abcdef"), "time": 2003, "tp": [0.132, 0.109, 0.104, 0.039, 0.049, 0.071]})
    nitrogen = pl.DataFrame({"site": list("abcdef"), "time": 2003, "tn": [7.09, 4.79, 3.34, 1.75, 2.05, 2.86]})
    assert water.section_class(zones, "lake")["grade"].to_list() == ["Ⅴ", "Ⅴ", "Ⅴ", "Ⅲ", "Ⅲ", "Ⅳ"]
    found = water.item_class(nitrogen, "lake").sort("site")
    assert found["grade"].to_list() == ["劣Ⅴ", "劣Ⅴ", "劣Ⅴ", "Ⅴ", "劣Ⅴ", "劣Ⅴ"]
    assert not found["evaluated"].any()


def test_published_classes_that_can_be_made_again(shared: Path) -> None:
    """The rows of example_published_classes.csv from whose multiples or counts the samples can be made again."""
    rows = {row["place"]: row for row in facts(shared, "example_published_classes.csv")}
    longgang = pl.DataFrame({"site": ["a"], "time": ["2016-04"], "nh3n": [2.3], "tp": [0.32], "cod": [24.0]})
    found = water.section_class(longgang, "river").row(0, named=True)
    printed = rows["广东 深圳→惠州 龙岗河"]
    assert found["grade"] == printed["class_published"]
    assert found["main_pollutants"].replace("(", "/").replace(")", "") == printed["main_items_published"]

    well = pl.DataFrame({"site": "a", "factor": ["氟化物", "钠"], "value": [1.19, 356.0]})
    judged = groundwater.well_class(well).row(0, named=True)
    printed = rows["亳州 涡北水厂 (groundwater source)"]
    assert set(judged["exceeding"].replace("(", "").replace(")", "").split("、")) == set(
        printed["main_items_published"].split("、")
    )
    assert judged["word"] == "Ⅳ类"

    codmn = [3.0] + [5.0] * 7 + [7.0] * 5
    sites = pl.DataFrame({"basin": "b", "site": [str(number) for number in range(13)], "time": "t", "codmn": codmn})
    shares = water.basin_evaluation(sites, "river").select("share_2", "share_3", "share_4").row(0)
    assert "/".join(map(str, shares)) in rows["镇江 automatic stations"]["use"]

    lake = pl.DataFrame({"site": ["滇池"], "time": [2003], "tli_chla": [72.0]})
    assert water.trophic_from_indices(lake)["grade"].item() in rows["滇池"]["use"]


def different_cells(shared: Path, law: WaterClasses) -> list[str]:
    wrong = []
    for row in facts(shared, "gb3838_2002_table1.csv"):
        bodies = ("river", "lake") if row["water_body"] == "all" else (row["water_body"],)
        written = [row[name] for name in ("I", "II", "III", "IV", "V")]
        wanted = written[0].split("-") if row["op"] == "range" else [limit for limit in written if limit]
        for body in bodies:
            criterion = law.criterion(row["code"], body)
            if (list(criterion.limits), criterion.op, criterion.unit) != (
                [Decimal(limit) for limit in wanted],
                row["op"],
                row["unit"],
            ):
                wrong.append(f"{row['code']} {body}")
    for row in facts(shared, "gb3838_2002_table2_3.csv"):
        limit = law.specific_limits[row["name"]]
        if (limit.limit, limit.table, limit.unit) != (Decimal(row["limit"]), int(row["table"]), row["unit"]):
            wrong.append(row["name"])
    return wrong


def test_tables_of_gb3838_cell_by_cell(shared: Path) -> None:
    (law,) = water.water_classes()
    assert not different_cells(shared, law)
    assert len(law.items) == 24
    assert len(law.specific_limits) == 85


@pytest.mark.parametrize(("table", "line", "cell"), [("table1", 5, 9), ("table23", 20, 6)])
def test_a_changed_cell_is_noticed(shared: Path, tmp_path: Path, table: str, line: int, cell: int) -> None:
    for path in FOLDER.glob("GB3838*"):
        text = path.read_text("utf-8")
        if path.name == f"GB3838-2002-{table}.csv":
            rows = list(csv.reader(text.splitlines()))
            rows[line][cell] = str(Decimal(rows[line][cell]) * 2)
            text = "".join(",".join(f'"{one}"' for one in row) + "\n" for row in rows)
        (tmp_path / path.name).write_text(text, "utf-8")
    (changed,) = editions(tmp_path, WaterClasses, "GB 3838")
    assert different_cells(shared, changed)


def test_discharge_limits_cell_by_cell(shared: Path) -> None:
    (law,) = water.discharges()
    rows = facts(shared, "gb18918_2002.csv")
    assert len(law.limits) == len(rows)
    for row, limit in zip(rows, law.limits, strict=True):
        assert (limit.table, limit.title, limit.op) == (int(row["table"]), row["name"], row["op"])
        for grade in ("1A", "1B", "2", "3"):
            written = row[f"class_{grade}"].replace("not detectable", "0")
            ends = limit.limits[grade]
            assert ([] if ends is None else list(ends)) == [Decimal(end) for end in written.split("-") if end]


def test_smaller_tables(shared: Path) -> None:
    import tomllib

    (flow,) = editions(FOLDER, EcologicalFlow, "SL/T 712")
    for row in facts(shared, "tennant.csv"):
        cold, warm = flow.tennant[row["word_zh"]]
        assert (str(cold), str(warm)) == (
            row["oct_mar_percent"].split("-")[0],
            row["apr_sep_percent"].split("-")[0],
        )
    (black,) = editions(FOLDER, BlackOdorous, "建城〔2015〕130号")
    assert [(one.item, one.heavy, one.check) for one in black.limits] == [
        ("sd", Decimal(10), "P"),
        ("do", Decimal("0.2"), "P"),
        ("orp", Decimal(-200), "M"),
        ("nh3n", Decimal(15), "P"),
    ]
    (trophic,) = editions(FOLDER, Trophic, "环办〔2011〕22号 湖库营养状态")
    with (shared / "standards/water/lake_trophic_tli.toml").open("rb") as text:
        items = tomllib.load(text)["item"]
    assert {item["code"]: (item["a"], item["b"], item["r2"]) for item in items} == {
        item: (a, b, round(square, 4)) for item, (a, b, square) in trophic.coefficients.items()
    }
