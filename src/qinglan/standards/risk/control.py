"""HJ 941: points for process and control (M), and the type of the surroundings (E)."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.frames import listed, opened
from qinglan.standards.lookup import amounts, looked_up, only
from qinglan.standards.risk.tables import enterprise_risks
from qinglan.standards.signed import signed


def control_score(processes: Any, measures: Any, edition: str | None = None) -> Any:
    """Return M for air and for water of each site.

    Parameters
    ----------
    processes
        ``site`` and the number of sets: ``listed`` (dangerous processes of the list), ``high_t_p`` (at least 300 °C or
        10 MPa with flammable matter), ``eliminated`` (on the list of what is to go).
    measures
        Of the same engine: ``site, medium`` (air, water), ``item, state``. Air: leak_alarm, distance (ok, bad),
        incidents (none, ordinary, larger, major). Water: interception, collection, clean_drainage, rain_drainage,
        treatment, hazardous_waste (ok, bad), destination (ok, middle, bad), incidents.

    Returns
    -------
    frame
        ``site, process, m_air, m_water, edition, stage, clause, missing, note``. Where an item is not there, its
        medium has no M.

    Notes
    -----
    依据: HJ 941—2018 6.2, 7.2 (points from memory, check M); processes make 30 at most.
    """
    sets = ("listed", "high_t_p", "eliminated")
    given = amounts(processes, ("site", *sets), sets)
    found = opened(measures, ("site", "medium", "item", "state")).frame
    only(found, "medium", ("air", "water"))
    rule = enterprise_risks(edition)[-1]
    points = {"/".join(key): score for key, score in rule.points.items()}
    key = nw.concat_str([nw.col("medium"), nw.lit("/"), nw.col("item"), nw.lit("/"), nw.col("state")])
    scored = found.with_columns(looked_up(key, points, nw.Int64).alias("_points"))
    items = list(dict.fromkeys((medium, item) for medium, item, _ in rule.points))
    of_site = scored.group_by("site").agg(
        *(
            nw.when((nw.col("medium") == medium) & (nw.col("item") == item))
            .then(nw.col("_points"))
            .max()
            .alias(f"_{medium}_{item}")
            for medium, item in items
        )
    )
    process = nw.lit(0.0)
    for name in sets:
        process = process + nw.col(name) * getattr(rule.process, name)
    joined = (
        given.frame.select("site", process.alias("_sum"))
        .join(of_site, on="site", how="left")
        .with_columns(
            nw.when(nw.col("_sum") > rule.process.most)
            .then(nw.lit(float(rule.process.most)))
            .otherwise(nw.col("_sum"))
            .alias("process")
        )
    )
    missing = listed([(nw.col(f"_{medium}_{item}").is_null(), f"{medium}/{item}") for medium, item in items])
    return given.give(
        joined.select(
            "site",
            "process",
            *(_total(medium, [item for of, item in items if of == medium]) for medium in ("air", "water")),
            *signed(rule),
            missing.alias("missing"),
            nw.when(~missing.is_null()).then(nw.lit("缺项，不计 M")).alias("note"),
        )
    )


def _total(medium: str, items: list[str]) -> nw.Expr:
    total = nw.col("process")
    for item in items:
        total = total + nw.col(f"_{medium}_{item}").cast(nw.Float64)
    return total.alias(f"m_{medium}")


def surroundings(frame: Any, edition: str | None = None) -> Any:
    """Return the types E of the air and water surroundings.

    Parameters
    ----------
    frame
        ``site, population_5km, population_500m`` and true or false: ``special`` (military or such within 5 km),
        ``source_10km`` (drinking-water source within 10 km downstream), ``national_border``, ``sensitive_10km`` (red
        line, reserves, fisheries …), ``provincial_border`` (24 h of flow), ``karst_or_flood``.

    Returns
    -------
    frame
        ``site, e_air, e_water, edition, stage, clause, missing, note``; null where what is not known could matter.

    Notes
    -----
    依据: HJ 941—2018 6.3, 7.3 (check M).
    """
    flags = ("special", "source_10km", "national_border", "sensitive_10km", "provincial_border", "karst_or_flood")
    given = amounts(frame, ("site", "population_5km", "population_500m", *flags), ("population_5km", "population_500m"))
    rule = enterprise_risks(edition)[-1]
    limit = rule.population
    near, far = nw.col("population_500m"), nw.col("population_5km")
    first_air = (far > limit.e1_5km) | (near > limit.e1_500m) | nw.col("special")
    second_air = (far >= limit.e2_5km) | (near >= limit.e2_500m)
    first_water = nw.col("source_10km") | nw.col("national_border")
    second_water = nw.col("sensitive_10km") | nw.col("provincial_border") | nw.col("karst_or_flood")
    needed = ("population_5km", "population_500m", *flags)
    missing = listed([(nw.col(name).is_null(), name) for name in needed])
    return given.give(
        given.frame.select(
            "site",
            _type(first_air, second_air).alias("e_air"),
            _type(first_water, second_water).alias("e_water"),
            *signed(rule),
            missing.alias("missing"),
            nw.when(~missing.is_null()).then(nw.lit("资料不全的一项如可能改变类型，则不定类型")).alias("note"),
        )
    )


def _type(first: nw.Expr, second: nw.Expr) -> nw.Expr:
    """E1 needs one known reason; E2 that none of E1 is open; E3 that all is known."""
    return (
        nw.when(first)
        .then(nw.lit("E1"))
        .when(~first & second)
        .then(nw.lit("E2"))
        .when(~first & ~second)
        .then(nw.lit("E3"))
    )
