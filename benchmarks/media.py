"""A million rows of each medium: judged by Qinglan, and by the few lines of Polars that a user would write.

``python -m benchmarks.media`` measures both in processes of their own, in turns; results go to
benchmarks/results/media.json. The hand-written lines give the class and nothing else: no limits of detection, no
impossible values, no multiples, no editions, no reasons. Both must count the same classes. The run fails above the
budget.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from benchmarks import harness, media_by_hand, media_rows
from qinglan.standards import governance, groundwater, noise, risk, sea, soil, waste, water

BUDGET = 3.0
RUNS = 3

Judge = Callable[[pl.DataFrame], pl.Series]


@dataclass(frozen=True)
class Medium:
    """What is judged: the rows, our evaluator and the one by hand, both giving one verdict a sample."""

    rows: Callable[[int], pl.DataFrame]
    ours: Judge
    by_hand: Judge


MEDIA: dict[str, Medium] = {
    "water: sections, 24 items": Medium(
        media_rows.water, lambda f: water.section_class(f, "river")["water_class"], media_by_hand.water
    ),
    "water: each item": Medium(
        media_rows.water, lambda f: water.item_class(f, "lake")["water_class"], media_by_hand.water_items
    ),
    "water: sources": Medium(
        media_rows.water, lambda f: water.source_tests(f, "river")["meets"], media_by_hand.water_sources
    ),
    "water: months of sections": Medium(
        media_rows.water, lambda f: water.section_assessment(f, "river")["water_class"], media_by_hand.water_months
    ),
    "sewage: discharge": Medium(
        media_rows.discharge, lambda f: water.discharge_verdict(f, "1A")["meets"], media_by_hand.discharge
    ),
    "sea: points": Medium(media_rows.sea, lambda f: sea.point_class(f)["water_class"], media_by_hand.sea),
    "groundwater: wells, 93 items": Medium(
        media_rows.groundwater, lambda f: groundwater.well_class(f)["water_class"], media_by_hand.groundwater
    ),
    "soil: farmland": Medium(media_rows.farmland, lambda f: soil.farmland(f)["soil_class"], media_by_hand.farmland),
    "soil: construction land": Medium(
        media_rows.construction, lambda f: soil.construction_land(f)["level"], media_by_hand.construction
    ),
    "noise: zones, hours": Medium(
        media_rows.noise_hours, lambda f: noise.zone_verdict(f, "start")["night_meets"], media_by_hand.noise_hours
    ),
    "noise: boundaries": Medium(
        media_rows.boundaries, lambda f: noise.boundary(f)["meets"], media_by_hand.boundaries
    ),
    "tax: air and water": Medium(
        media_rows.tax,
        lambda f: governance.pollution_tax(f, rates=media_rows.RATES)["taxed"],
        media_by_hand.tax,
    ),
    "heavy pollution: days": Medium(
        media_rows.days, lambda f: governance.heavy_pollution_level(f, "2024")["level"], media_by_hand.heavy_pollution
    ),
    "risk: quantities": Medium(
        media_rows.substances, lambda f: risk.risk_quantity(f)["q_water"] >= 1, media_by_hand.quantities
    ),
    "waste: codes": Medium(
        media_rows.codes, lambda f: waste.check_codes(f, edition="2021")["verdict"], media_by_hand.codes
    ),
}  # fmt: skip


def counted(judge: Judge, frame: pl.DataFrame) -> dict[str, int]:
    """Return how many of each verdict there are."""
    counts = judge(frame).cast(pl.String).fill_null("none").value_counts()
    return dict(sorted(counts.rows()))


def rows_file(name: str, rows: int) -> Path:
    """Return the file of a medium's rows, made once."""
    path = harness.HOME / "media" / f"{''.join(filter(str.isalnum, name))}-{rows}.parquet"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        MEDIA[name].rows(rows).write_parquet(path)
    return path


def measured(names: list[str], rows: int, runs: int) -> dict[str, dict[str, object]]:
    """Run each medium by both in turns."""
    found: dict[str, dict[str, object]] = {}
    for name in names:
        path = rows_file(name, rows)
        commands = {
            who: [sys.executable, "-m", "benchmarks.media", "--one", name, "--who", who, "--file", str(path)]
            for who in ("ours", "by hand")
        }
        both = harness.in_turns(commands, runs)
        if both["ours"]["answer"] != both["by hand"]["answer"]:
            sys.exit(f"{name}: {both['ours']['answer']} by Qinglan, {both['by hand']['answer']} by hand")
        found[name] = {
            "rows": pl.scan_parquet(path).select(pl.len()).collect().item(),
            "seconds": both["ours"]["seconds"],
            "by_hand_seconds": both["by hand"]["seconds"],
            "all": both["ours"]["all"],
            "by_hand_all": both["by hand"]["all"],
            "peak_mb": both["ours"]["peak_mb"],
            "by_hand_peak_mb": both["by hand"]["peak_mb"],
            "verdicts": both["ours"]["answer"],
        }
    return found


def main() -> None:
    """Measure all and write, or do one of them in this process and report."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--only", default="")
    parser.add_argument("--one")
    parser.add_argument("--who", choices=("ours", "by hand"))
    parser.add_argument("--file")
    given = parser.parse_args()
    if given.one:
        medium = MEDIA[given.one]
        harness.report(counted, medium.ours if given.who == "ours" else medium.by_hand, pl.read_parquet(given.file))
        return
    names = [name for name in MEDIA if given.only in name]
    found = measured(names, given.rows, given.runs)
    if given.only or given.rows != parser.get_default("rows"):
        for name, one in found.items():
            print(name, one["seconds"], "s, by hand", one["by_hand_seconds"], "s")
    else:
        harness.write("media", found, budget_seconds=BUDGET)
    above = [name for name, one in found.items() if float(str(one["seconds"])) > BUDGET]
    if above:
        sys.exit(f"above {BUDGET} s: {', '.join(above)}")


if __name__ == "__main__":
    main()
