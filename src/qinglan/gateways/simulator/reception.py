"""How complete hours reach a bureau: with gaps, late, corrected weeks later, and now and then marked invalid."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from qinglan.gateways.simulator.air import DECIMALS

Mask = NDArray[np.bool_]

_LOST_HOUR: Final = 0.006
_LOST_READING: Final = 0.005
_MAINTAINED: Final = 0.003
_REVISED: Final = 0.002
_INVALID: Final = 0.0005
_MINUTE: Final = 60_000_000
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR


def received_hours(hours: pl.DataFrame, seed: int) -> pl.DataFrame:
    """Return what a bureau receives of complete hours, in the order of receipt.

    Parameters
    ----------
    hours
        ``site, factor, time, value`` of `air.hourly_air`: every hour of every site and factor, sorted.
    seed
        The same seed gives the same frame.

    Returns
    -------
    polars.DataFrame
        Observations as the lake takes them (no ``source``, no ``revision``; basis ``realtime``), sorted by
        ``received``. Hours that were lost are absent; an hour under maintenance has no value and the flag ``M``;
        a corrected hour comes twice, the second time with a later ``received``.
    """
    sites, factors = hours["site"].n_unique(), hours["factor"].n_unique()
    shape = (sites, factors, hours.height // (sites * factors))
    random = np.random.default_rng([seed, 2])
    kept, delay = _kept(random, shape), _delay(random, shape)
    maintained = random.random(shape) < _MAINTAINED
    first = (
        hours.with_columns(
            pl.when(~pl.Series(maintained.ravel())).then("value").alias("value"),
            pl.when(pl.Series(maintained.ravel())).then(pl.lit("M")).alias("flag"),
            (pl.col("time") + pl.Series(delay.ravel()).cast(pl.Duration("us"))).alias("received"),
        )
        .filter(pl.Series(kept.ravel()))
        .with_columns(pl.lit(0, pl.Int8).alias("turn"))
    )
    again = _again(first, random)
    return (
        pl.concat([first, again])
        .sort("received", "turn", "site", "factor", "time")
        .select(
            "site",
            "factor",
            pl.lit("hour").alias("grain"),
            "time",
            pl.lit("realtime").alias("basis"),
            "value",
            pl.lit(None, pl.String).alias("qualifier"),
            pl.lit(None, pl.Float64).alias("limit"),
            "flag",
            "received",
        )
    )


def _kept(random: np.random.Generator, shape: tuple[int, int, int]) -> Mask:
    sites, _, count = shape
    lost_together = (random.random((sites, 1, count)) < _LOST_HOUR) | _spans(
        random, (sites, 1, count), a_year=0.6, hours=(12, 72)
    )
    lost_alone = (random.random(shape) < _LOST_READING) | _spans(random, shape, a_year=0.5, hours=(18, 96))
    return ~(lost_together | lost_alone)


def _delay(random: np.random.Generator, shape: tuple[int, int, int]) -> NDArray[np.int64]:
    """Return the microseconds from an hour's start to its receipt: soon after its end, or once the line is back."""
    sites, _, count = shape
    usual = _HOUR + 35 * _MINUTE + random.integers(0, 10 * _MINUTE, (sites, 1, count))
    broken = _spans(random, (sites, 1, count), a_year=3, hours=(3, 60))
    # Hours since now until the first hour with the line working: runs of `broken` counted from their end.
    place = np.broadcast_to(np.arange(count), broken.shape)
    working_at = np.where(broken, count, place)
    next_working = np.minimum.accumulate(working_at[..., ::-1], axis=-1)[..., ::-1]
    waited = (np.minimum(next_working, count) - place) * _HOUR
    # The hours of one broken span are sent together: the later wait of a span is drawn per working hour at its end.
    slow = random.integers(_HOUR, 3 * _DAY, (sites, 1, count + 1))
    sent = np.take_along_axis(slow, np.minimum(next_working, count), axis=-1)
    delay = usual + np.where(broken, waited + sent, 0)
    return np.broadcast_to(delay, shape).astype(np.int64)


def _spans(random: np.random.Generator, shape: tuple[int, int, int], *, a_year: float, hours: tuple[int, int]) -> Mask:
    """Return a mask with about `a_year` spans a year in each line of the last axis."""
    lines, count = shape[0] * shape[1], shape[2]
    begins = random.poisson(a_year * count / 8766, lines)
    change = np.zeros((lines, count + 1), dtype=np.int32)
    line = np.repeat(np.arange(lines), begins)
    begin = random.integers(0, count, len(line))
    end = np.minimum(begin + random.integers(hours[0], hours[1] + 1, len(line)), count)
    np.add.at(change, (line, begin), 1)
    np.add.at(change, (line, end), -1)
    return np.asarray(np.cumsum(change[:, :count], axis=1) > 0).reshape(shape)


def _again(first: pl.DataFrame, random: np.random.Generator) -> pl.DataFrame:
    """Return the second word on some hours: another value, or the same one marked invalid by audit."""
    drawn = random.random(first.height)
    chosen = first.with_columns(
        pl.Series("drawn", drawn),
        pl.Series("factor_of_change", np.where(random.random(first.height) < 0.5, 0.7, 1.3)),
        pl.Series("later", random.integers(2 * _DAY, 25 * _DAY, first.height)).cast(pl.Duration("us")),
    ).filter(pl.col("value").is_not_null() & (pl.col("drawn") < _REVISED + _INVALID))
    decimals = pl.col("factor").replace_strict(DECIMALS, return_dtype=pl.Int32)
    step = pl.lit(10.0) ** (-decimals)
    # At least one step away, so that a correction always corrects.
    changed = ((pl.col("value") * pl.col("factor_of_change") / step).round() * step).round(1)
    corrected = pl.when(changed == pl.col("value")).then(pl.col("value") + step).otherwise(changed)
    invalid = pl.col("drawn") < _INVALID
    return chosen.with_columns(
        pl.when(invalid).then("value").otherwise(corrected.round(1)).alias("value"),
        pl.when(invalid).then(pl.lit("invalid_audit")).alias("flag"),
        pl.col("received") + pl.col("later"),
        pl.lit(1, pl.Int8).alias("turn"),
    ).select(first.columns)
