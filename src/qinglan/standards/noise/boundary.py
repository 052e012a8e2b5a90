"""GB 12348 and GB 12523: noise at the boundary of works and of construction sites, and indoors beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import narwhals as nw

from qinglan.core.errors import InputError
from qinglan.standards.edition import by_day, refuse_uncovered
from qinglan.standards.noise.tables import CONSTRUCTION, NoiseBoundary, boundaries
from qinglan.standards.noise.words import (
    OCCASIONS,
    PERIODS,
    ROOMS,
    decibels,
    heard,
    limit_of,
    plausible,
    tenths_of,
    zone_words,
)
from qinglan.standards.spelling import canonical

_SITE = "site boundary"
_BANDS = ("31.5", "63", "125", "250", "500")


def boundary(frame: Any, edition: str | None = None) -> Any:
    """Return whether noise at the boundary of works meets its limit, each point and period alone.

    Parameters
    ----------
    frame
        ``site, zone, period, value`` (dB(A)); zone 0–4, period ``day``/``night`` or 昼间/夜间. Optional: ``maximum``
        with ``occasion`` (``frequent`` 频发, ``occasional`` 偶发) for the night; ``near_building`` (boolean): measured
        indoors because a sensitive building is nearer than 1 m; ``date``, else the newest edition judges.
    edition
        One edition of GB 12348; by default that in force on each day.

    Returns
    -------
    frame
        The given columns, then ``rounded, limit, over, meets, maximum_limit, maximum_meets, edition, stage, clause,
        missing, note``.

    Raises
    ------
    InputError
        If a zone, period or occasion is not known.
    EditionError
        If a day lies before the first edition on file.

    Notes
    -----
    A maximum whose occasion is not said is held to the stricter of the two, and the note says so.
    依据: GB 12348—2008 表1, 4.1.2, 4.1.3, 4.1.5, 6.1.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"site": "a", "zone": ["3", "3"], "period": ["day", "night"], "value": [65.0, 55.1]})
    >>> boundary(seen).select("limit", "over", "meets").rows()
    [(65.0, None, True), (55.0, 0.1, False)]
    """
    given = heard(frame, ("site", "zone", "period", "value"))
    available = boundaries(edition=edition)
    names = given.frame.collect_schema().names()
    if edition is None and "date" in names:
        refuse_uncovered(given.frame, nw.col("date"), available)
    zones = dict.fromkeys(zone for zone, _ in available[-1].limits)
    known = canonical(canonical(given.frame, "zone", zone_words(zones)), "period", PERIODS)
    return given.give(_judged(known, names, available))


def construction(frame: Any, edition: str | None = None) -> Any:
    """Return whether noise at the boundary of a construction site meets its limit.

    Parameters
    ----------
    frame
        ``site, date, period, value`` (dB(A)); optionally ``maximum`` for the night.
    edition
        ``"2011"`` or ``"2025"``; by default that in force on each day.

    Returns
    -------
    frame
        As of `boundary`.

    Raises
    ------
    InputError
        If a period is not known.
    EditionError
        If a day lies before the first edition on file.

    Notes
    -----
    依据: GB 12523—2011 4.1, 4.2; GB 12523—2025 (限值据公开转引).

    Examples
    --------
    >>> import polars as pl
    >>> from datetime import date
    >>> days = [date(2025, 12, 31), date(2026, 1, 1)]
    >>> seen = pl.DataFrame({"site": "a", "date": days, "period": "夜间", "value": 55.0, "maximum": [70.0, 70.1]})
    >>> construction(seen).select("edition", "meets", "maximum_meets").rows()
    [('GB 12523—2011', True, True), ('GB 12523—2025', True, False)]
    """
    given = heard(frame, ("site", "date", "period", "value"))
    available = boundaries(CONSTRUCTION, edition)
    if edition is None:
        refuse_uncovered(given.frame, nw.col("date"), available)
    names = [name for name in given.frame.collect_schema().names() if name not in ("occasion", "near_building")]
    known = canonical(given.frame, "period", PERIODS).with_columns(nw.lit(_SITE).alias("_zone"))
    judged = _judged(known, names, available, zone="_zone")
    return given.give(judged)


def structure_borne(frame: Any, edition: str | None = None) -> Any:
    """Return whether noise that fixed equipment carries into a room meets its limit.

    Parameters
    ----------
    frame
        ``site, zone, period, room, value`` (dB(A)); room ``A`` (sleeping) or ``B`` (daytime).
    edition
        One edition of GB 12348; by default the newest.

    Returns
    -------
    frame
        The given columns, then ``rounded, limit, over, meets, edition, stage, clause, missing, note``.

    Raises
    ------
    InputError
        If a zone, period or room is not known.

    Notes
    -----
    依据: GB 12348—2008 表2.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"site": ["a"], "zone": ["2"], "period": ["夜间"], "room": ["A"], "value": [35.1]})
    >>> structure_borne(seen).select("limit", "meets").row(0)
    (35.0, False)
    """
    given = heard(frame, ("site", "zone", "period", "room", "value"))
    (chosen,) = boundaries(edition=edition)[-1:]
    names = given.frame.collect_schema().names()
    known = _indoors(given.frame, chosen)
    limited = known.with_columns(limit_of(("zone", "period", "room"), chosen.indoors).alias("_limit"))
    return given.give(_plain(limited, names, chosen, "表2"))


def octave(frame: Any, edition: str | None = None) -> Any:
    """Return whether the octave bands of noise carried into a room meet their limits, band by band.

    Parameters
    ----------
    frame
        ``site, zone, period, room, band, value`` (dB); band 31.5, 63, 125, 250, 500 Hz, as number or text.
    edition
        One edition of GB 12348; by default the newest.

    Returns
    -------
    frame
        The given columns, then ``rounded, limit, over, meets, edition, stage, clause, missing, note``.

    Raises
    ------
    InputError
        If a zone, period, room or band is not known.

    Notes
    -----
    依据: GB 12348—2008 表3.

    Examples
    --------
    >>> import polars as pl
    >>> seen = pl.DataFrame({"site": "a", "zone": "1", "period": "day", "room": "B", "band": [63], "value": [63.0]})
    >>> octave(seen).select("limit", "meets").row(0)
    (63.0, True)
    """
    given = heard(frame, ("site", "zone", "period", "room", "band", "value"))
    (chosen,) = boundaries(edition=edition)[-1:]
    names = given.frame.collect_schema().names()
    words = {written: band for band in _BANDS for written in (band, f"{band}.0", f"{band}Hz", f"{band} Hz")}
    known = canonical(_indoors(given.frame, chosen), "band", words)
    limited = known.with_columns(limit_of(("zone", "period", "room", "band"), chosen.bands).alias("_limit"))
    return given.give(_plain(limited, names, chosen, "表3"))


def _indoors(frame: nw.LazyFrame[Any], edition: NoiseBoundary) -> nw.LazyFrame[Any]:
    if not edition.indoors:
        raise InputError(f"{edition.name} 没有室内限值。", f"{edition.name} sets no limits indoors.", field="edition")
    zones = dict.fromkeys(zone for zone, _, _ in edition.indoors)
    named = canonical(canonical(frame, "zone", zone_words(zones)), "period", PERIODS)
    return canonical(named, "room", ROOMS)


def _plain(frame: nw.LazyFrame[Any], names: list[str], edition: NoiseBoundary, clause: str) -> nw.LazyFrame[Any]:
    prepared = frame.with_columns(tenths_of(plausible("value")).alias("_tenths"))
    return prepared.select(
        *names,
        *_against("_tenths", "_limit"),
        nw.lit(edition.name).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        nw.lit(clause).alias("clause"),
        *_lacking(nw.lit(None, dtype=nw.String)),
    )


def _against(level: str, limit: str) -> list[nw.Expr]:
    over = nw.col(level) - nw.col(limit)
    return [
        decibels(nw.col(level)).alias("rounded"),
        decibels(nw.col(limit)).alias("limit"),
        nw.when(over > 0).then(decibels(over)).alias("over"),
        (over <= 0).alias("meets"),
    ]


def _lacking(other: nw.Expr) -> list[nw.Expr]:
    absent = nw.col("_tenths").is_null()
    return [
        nw.when(absent).then(nw.lit("声级")).alias("missing"),
        nw.when(absent).then(nw.lit("没有可用的声级，无法判定")).otherwise(other).alias("note"),
    ]


def _judged(
    frame: nw.LazyFrame[Any], names: list[str], available: tuple[NoiseBoundary, ...], zone: str = "zone"
) -> nw.LazyFrame[Any]:
    def each(build: Callable[[NoiseBoundary], nw.Expr]) -> nw.Expr:
        return by_day(available, nw.col("date"), build) if "date" in names else build(available[-1])

    night = nw.col("period") == "night"
    if "occasion" in names:
        frame = canonical(frame, "occasion", OCCASIONS)
    limited = frame.with_columns(
        tenths_of(plausible("value")).alias("_tenths"),
        each(lambda edition: limit_of((zone, "period"), edition.limits)).alias("_limit"),
        (tenths_of(plausible("maximum")) if "maximum" in names else nw.lit(None, dtype=nw.Int64)).alias("_maximum"),
    )
    near = nw.col("near_building") if "near_building" in names else nw.lit(value=False)
    lowered = limited.with_columns(
        nw.when(near).then(nw.col("_limit") - each(_lower)).otherwise(nw.col("_limit")).alias("_limit")
    )
    occasional = nw.col("occasion") == "occasional" if "occasion" in names else nw.lit(value=False)
    above = nw.when(occasional).then(each(_occasional)).otherwise(each(_frequent))
    judged = lowered.with_columns(nw.when(night).then(nw.col("_limit") + above).alias("_maximum_limit"))
    unsaid = nw.col("occasion").is_null() if "occasion" in names else nw.lit(value=zone == "zone")
    strict = nw.when(night & unsaid & ~nw.col("_maximum").is_null()).then(
        nw.lit("未注明频发或偶发，最大声级按频发噪声从严评价")
    )
    return judged.select(
        *names,
        *_against("_tenths", "_limit"),
        decibels(nw.col("_maximum_limit")).alias("maximum_limit"),
        (nw.col("_maximum") <= nw.col("_maximum_limit")).alias("maximum_meets"),
        each(lambda edition: nw.lit(edition.name)).alias("edition"),
        nw.lit(None, dtype=nw.String).alias("stage"),
        each(lambda edition: nw.lit(_clause(edition))).alias("clause"),
        *_lacking(strict),
    )


def _clause(edition: NoiseBoundary) -> str:
    clause = edition.basis[0].clause or ""
    return clause if edition.state == "complete" else f"{clause}（未全）"


def _lower(edition: NoiseBoundary) -> nw.Expr:
    return nw.lit(int(edition.near_building.lower * 10) if edition.near_building else 0, dtype=nw.Int64)


def _frequent(edition: NoiseBoundary) -> nw.Expr:
    return nw.lit(int(edition.night_maximum.frequent * 10), dtype=nw.Int64)


def _occasional(edition: NoiseBoundary) -> nw.Expr:
    return nw.lit(int(edition.night_maximum.occasional * 10), dtype=nw.Int64)
