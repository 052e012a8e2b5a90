"""The declared tables against the facts they were typed from, cell by cell; and a changed cell is noticed."""

from __future__ import annotations

import csv
from decimal import Decimal
from pathlib import Path

import pytest

from qinglan.standards.air import evaluations, indices, limits
from qinglan.standards.air.tables import FOLDER, Limits, Ranking
from qinglan.standards.edition import editions, in_force

pytestmark = pytest.mark.golden

LIMITS_OF = {"2012": "GB3095-2012", "2026-transition": "GB3095-2026-transition", "2026-final": "GB3095-2026-final"}


def facts(shared: Path, name: str) -> list[dict[str, str]]:
    with (shared / "standards/air" / name).open(encoding="utf-8", newline="") as table:
        return list(csv.DictReader(table))


def different_limits(shared: Path, declared: tuple[Limits, ...]) -> list[str]:
    wrong = []
    by_id = {edition.id: edition for edition in declared}
    for row in facts(shared, "gb3095_limits.csv"):
        edition = by_id[LIMITS_OF[row["version"]]]
        for grade in (1, 2):
            limit = edition.limit(row["pollutant"], row["averaging"], grade)
            if limit != Decimal(row[f"limit_grade{grade}"]):
                wrong.append(f"{edition.id} {row['pollutant']} {row['averaging']} grade {grade}: {limit}")
        if (edition.in_force.start.isoformat(), str(edition.in_force.end or "")) != (
            row["valid_from"],
            row["valid_to"],
        ):
            wrong.append(f"{edition.id} in force")
    return wrong


def test_limits(shared: Path) -> None:
    assert not different_limits(shared, limits())


def test_a_changed_limit_is_noticed(shared: Path, tmp_path: Path) -> None:
    """In each edition one cell of the table is changed; the comparison above must then fail."""
    for edition in limits():
        folder = tmp_path / edition.id
        folder.mkdir()
        for path in FOLDER.glob("GB3095*"):
            text = path.read_text("utf-8")
            if path.name == edition.table:
                lines = text.splitlines()
                cells = lines[14].split(",")
                cells[4] = str(int(cells[4]) + 1)
                text = "\n".join([*lines[:14], ",".join(cells), *lines[15:]]) + "\n"
            (folder / path.name).write_text(text, "utf-8")
        changed = editions(folder, Limits, "GB 3095")
        assert len(different_limits(shared, changed)) == 1


def test_every_limit_of_the_facts_is_declared_and_no_other(shared: Path) -> None:
    for version, identifier in LIMITS_OF.items():
        wanted = {
            (r["pollutant"], r["averaging"]) for r in facts(shared, "gb3095_limits.csv") if r["version"] == version
        }
        (edition,) = limits(identifier)
        assert {key[:2] for key in edition._limits} == wanted


def test_breakpoints(shared: Path) -> None:
    wanted: dict[str, dict[str, list[tuple[int, int]]]] = {}
    for row in facts(shared, "hj633_iaqi_breakpoints.csv"):
        points = wanted.setdefault(row["version"], {}).setdefault(f"{row['pollutant']}/{row['averaging']}", [])
        points.append((int(row["iaqi"]), int(Decimal(row["concentration"]) * 10)))
    for version, items in wanted.items():
        (index,) = indices(version)
        assert set(index._breakpoints) == set(items)
        for item, points in items.items():
            assert [(point.iaqi, point.tenths) for point in index.breakpoints(item)] == points, item


def test_levels(shared: Path) -> None:
    for row in facts(shared, "hj633_classes.csv"):
        (index,) = indices(row["version"])
        level = index.levels[int(row["level"]) - 1]
        assert (level.level, level.title.zh, level.name.zh) == (int(row["level"]), row["class_zh"], row["level_zh"])
        assert (level.low, level.high, level.colour) == (int(row["aqi_low"]), int(row["aqi_high"]), row["hex"])


def test_validity(shared: Path) -> None:
    for row in facts(shared, "gb3095_validity.csv"):
        for edition in limits():
            if edition.edition != row["version"]:
                continue
            for pollutant in row["pollutants"].split():
                rule = edition.least(pollutant, row["averaging"], row["per"].replace(" ", "_"))
                assert rule.minimum == int(row["minimum"])
                assert rule.check == row["check"]
                assert rule.february == (25 if "February" in row["remark"] else None)


def test_yearly_statistics(shared: Path) -> None:
    for version in ("2013", "2026"):
        (evaluation,) = evaluations(version)
        wanted = [
            (row["pollutant"], f"p{row['percentile']}" if row["percentile"] else "mean")
            for row in facts(shared, "hj663_evaluation_items.csv")
            if row["standard"] == f"HJ 663-{version}" and row["period"] == "year"
        ]
        assert [(item.factor, item.statistic) for item in evaluation.yearly] == wanted
    assert [edition.state for edition in evaluations()] == ["complete", "incomplete"]
    assert evaluations("2026")[0].lacking


def test_denominators_of_the_composite_index_are_the_grade_2_limits(shared: Path) -> None:
    (rules,) = editions(FOLDER, Ranking, "城市环境空气质量排名技术规定")
    for row in facts(shared, "composite_index.csv"):
        (edition,) = limits(LIMITS_OF[row["limits_version"]])
        assert edition.limit(row["pollutant"], rules.statistics[row["pollutant"]]) == Decimal(row["denominator"])
        assert in_force(limits(), edition.in_force.start) is edition
