"""GB 3096: the levels of a point against the limits of its functional zone."""

from __future__ import annotations

from typing import Any

import narwhals as nw

from qinglan.core.interval import Stamp
from qinglan.standards.edition import refuse_uncovered
from qinglan.standards.noise.levels import levels
from qinglan.standards.noise.tables import NoiseZones, zones
from qinglan.standards.noise.words import decibels, heard, limit_of, plausible, tenths_of, zone_words
from qinglan.standards.spelling import canonical


def zone_verdict(frame: Any, stamp: Stamp | None = None, edition: str | None = None) -> Any:
    """Return whether each point and day attains its zone's limits, day and night apart.

    Parameters
    ----------
    frame
        Hours (``site, zone, time, value``) when `stamp` is given, else levels (``site, zone, date, ld, ln``) as
        `levels` gives them, dB(A). Zones: ``0 1 2 3 4a 4b``, ``4b existing`` beside existing trunk railways (5.3).
        ``night_max``, the maximum of sudden night noise, is judged where levels carry it.
    stamp
        Whether `time` marks the start or the end of the hour.
    edition
        One edition of GB 3096; by default that in force on each day.

    Returns
    -------
    frame
        ``site, date, zone, ld, ln`` (0.1 dB), ``day_limit, night_limit, day_over, night_over, day_meets,
        night_meets, sudden_meets, edition, stage, clause, missing, note``.

    Raises
    ------
    InputError
        If a zone is not known.
    EditionError
        If a day lies before the first edition on file.

    Notes
    -----
    A period with hours missing has no verdict (own reading).
    依据: GB 3096—2008 表1, 5.3, 5.4.

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import date
    >>> seen = pl.DataFrame({"site": ["a"], "zone": ["2"], "date": [date(2025, 6, 1)], "ld": [60.0], "ln": [50.1]})
    >>> zone_verdict(seen).select("day_meets", "night_meets", "night_over").row(0)
    (True, False, 0.1)
    """
    if stamp is not None:
        heard(frame, ("site", "zone", "time", "value"))
        frame = levels(frame, stamp, edition)
    given = heard(frame, ("site", "zone", "date", "ld", "ln"))
    available = zones(edition)
    if edition is None:
        refuse_uncovered(given.frame, nw.col("date"), available)
    chosen = available[-1]
    names = given.frame.collect_schema().names()
    known = canonical(given.frame, "zone", zone_words(dict.fromkeys(zone for zone, _ in chosen.limits)))
    return given.give(_judged(known, names, chosen))


def _judged(frame: nw.LazyFrame[Any], names: list[str], edition: NoiseZones) -> nw.LazyFrame[Any]:
    whole = {
        "day": _enough("day_hours", edition.hours.night - edition.hours.day, names),
        "night": _enough("night_hours", 24 - edition.hours.night + edition.hours.day, names),
    }
    prepared = frame.with_columns(
        *(tenths_of(plausible(column)).alias(f"_{period}") for period, column in (("day", "ld"), ("night", "ln"))),
        *(
            limit_of(("zone",), {(zone,): limit for (zone, of), limit in edition.limits.items() if of == period}).alias(
                f"_{period}_limit"
            )
            for period in ("day", "night")
        ),
        *(enough.alias(f"_{period}_whole") for period, enough in whole.items()),
        (tenths_of(plausible("night_max")) if "night_max" in names else nw.lit(None, dtype=nw.Int64)).alias("_sudden"),
    )
    sudden_limit = nw.col("_night_limit") + int(edition.sudden_night.over * 10)
    unjudged = [
        nw.when(~_verdict(period).is_null()).then(nw.lit(None, dtype=nw.String)).otherwise(nw.lit(word))
        for period, word in (("day", "昼间"), ("night", "夜间"))
    ]
    note = nw.concat_str(unjudged, separator="、", ignore_nulls=True)
    return prepared.select(
        "site",
        "date",
        "zone",
        decibels(nw.col("_day")).alias("ld"),
        decibels(nw.col("_night")).alias("ln"),
        *(decibels(nw.col(f"_{period}_limit")).alias(f"{period}_limit") for period in ("day", "night")),
        *(_over(period).alias(f"{period}_over") for period in ("day", "night")),
        *(_verdict(period).alias(f"{period}_meets") for period in ("day", "night")),
        (nw.col("_sudden") <= sudden_limit).alias("sudden_meets"),
        nw.lit(edition.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit(edition.basis[0].clause).alias("clause"),
        nw.col("missing") if "missing" in names else nw.lit(None, dtype=nw.String).alias("missing"),
        nw.when(note != "").then(nw.concat_str([note, nw.lit("无法判定")])).alias("note"),
    )


def _enough(column: str, expected: int, names: list[str]) -> nw.Expr:
    return nw.col(column) >= expected if column in names else nw.lit(value=True)


def _verdict(period: str) -> nw.Expr:
    return nw.when(nw.col(f"_{period}_whole")).then(nw.col(f"_{period}") <= nw.col(f"_{period}_limit"))


def _over(period: str) -> nw.Expr:
    over = nw.col(f"_{period}") - nw.col(f"_{period}_limit")
    return nw.when(over > 0).then(decibels(over))
