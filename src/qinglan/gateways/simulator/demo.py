"""The demo city's batches in the order of receipt, ready for the lake."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import polars as pl

from qinglan.gateways.simulator.air import AirSite, hourly_air
from qinglan.gateways.simulator.noise import NoiseSite, hourly_noise
from qinglan.gateways.simulator.reception import received_hours
from qinglan.gateways.simulator.waters import SampledSite, sampled_waters
from qinglan.gateways.simulator.yearly import Figure, yearly_figures

SOURCE: Final = "simulated"
START: Final = date(2020, 1, 1)
END: Final = date(2026, 1, 1)
SEED: Final = 42
ROWS: Final = 240_000


@dataclass(frozen=True)
class Batch:
    """One batch: its number, of how many, and the observations."""

    number: int
    count: int
    frame: pl.DataFrame


def demo_batches(
    sites: Sequence[AirSite],
    figures: Sequence[Figure] = (),
    *,
    waters: Sequence[SampledSite] = (),
    noises: Sequence[NoiseSite] = (),
    seed: int = SEED,
    start: date = START,
    end: date = END,
    rows: int = ROWS,
) -> Iterator[Batch]:
    """Yield all observations of the demo city, cut into batches in the order of receipt.

    The cuts are the same every time, so a start that was interrupted goes on with the next batch. Of one batch the
    lake keeps only the last word on an hour; so what corrects an hour of the same cut follows as a batch of its own.

    Parameters
    ----------
    sites
        Air stations; there is at least one.
    figures
        Yearly figures.
    waters
        Sites that are sampled: rivers, reservoirs, the sea, wells.
    noises
        Noise points.
    seed
        The same seed gives the same batches.
    start, end
        Beijing days, ``[start, end)``.
    rows
        The most rows of a batch.
    """
    hours = received_hours(hourly_air(sites, start, end, seed), seed)
    sampled = [sampled_waters(waters, start, end, seed), hourly_noise(noises, start, end, seed)]
    every = pl.concat([hours, yearly_figures(figures, seed), *sampled]).sort("received", maintain_order=True)
    cuts = -(-every.height // rows)
    for cut in range(cuts):
        frame = every.slice(cut * rows, rows)
        first = frame.select(pl.struct("site", "factor", "grain", "time").is_first_distinct()).to_series()
        yield Batch(2 * cut, 2 * cuts, frame.filter(first))
        yield Batch(2 * cut + 1, 2 * cuts, frame.filter(~first))
